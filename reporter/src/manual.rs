//! `pony-report completions` and `pony-report man`: what a shell and `man` want to know of the command line.

use clap_complete::Shell;
use clap_mangen::Man;

use crate::cli;
use crate::exit::{self, Failure};
use crate::messages;

/// Writes what completes our command line in a shell to standard output.
pub(crate) fn completions(shell: Shell) -> Result<i32, Failure> {
    let mut command = cli::definition();
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, name, &mut script);
    write(&script)
}

/// Writes the manual page of the program, or of one of its verbs, to standard output, as roff.
pub(crate) fn man(verb: Option<&str>) -> Result<i32, Failure> {
    let mut command = cli::definition();
    // Gives the verbs their whole names.
    command.build();
    let page = match verb {
        None => command,
        Some(verb) => command.find_subcommand(verb).cloned().ok_or_else(|| {
            Failure::Usage(format!("man: there is no verb `{}`", messages::printable(verb)))
        })?,
    };
    let mut roff = Vec::new();
    let source = format!("pony-report {}", env!("CARGO_PKG_VERSION"));
    Man::new(page).source(source).render(&mut roff).map_err(Failure::Output)?;
    write(&roff)
}

fn write(text: &[u8]) -> Result<i32, Failure> {
    messages::write_out(text).map_err(Failure::Output)?;
    Ok(exit::OK)
}
