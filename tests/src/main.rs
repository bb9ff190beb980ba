//! `pony-faults`: runs the fault tests and writes the table of what came of them. See the library.

mod cli;

use std::io::Write as _;
use std::process::ExitCode;

/// Something was broken, or could not be tried.
const BROKEN: u8 = 1;

/// The tests themselves do not work.
const SOFTWARE: u8 = 70;

fn main() -> ExitCode {
    match cli::run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(BROKEN),
        Err(error) => {
            // A closed standard error is nobody's loss.
            let _ = writeln!(std::io::stderr(), "pony-faults: error: {error:#}");
            ExitCode::from(SOFTWARE)
        }
    }
}
