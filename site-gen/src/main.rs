//! `pony-site`: see [`cli`].

mod cli;

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let cli = match cli::Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Nothing is left to be told when even this cannot be printed.
            if !error.use_stderr() {
                let _ = error.print();
                return ExitCode::SUCCESS;
            }
            let _ = write!(io::stderr(), "pony-site: {error}");
            return ExitCode::from(64);
        }
    };
    // Not locked: a progress bar is drawn there meanwhile, by other threads.
    match cli.run(&mut io::stdout(), &mut io::stderr()) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            let _ = writeln!(io::stderr(), "pony-site: error: {error:#}");
            ExitCode::from(cli::exit_code(&error))
        }
    }
}
