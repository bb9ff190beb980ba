//! `pony-collector`: see [`pony_collector::run`].

use std::process::ExitCode;

fn main() -> ExitCode {
    pony_collector::run(std::env::args_os())
}
