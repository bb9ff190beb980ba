//! Compares the readers of pony-formats with their peers. README.md says how to run it.
//!
//! Every reading is done by a child process of its own (this program again, as `read NAME FILE`), so
//! that processor time and peak memory are of that reading alone. The readers of one table take turns.

mod hostile;
mod junit;
mod lines;
mod measure;
mod payload;
mod table;
mod xmlrpc;

use std::env;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use measure::Reader;

/// What is refused of the command line ends with this.
const USAGE: &str = "usage: pony-formats-bench [--rounds N] [JUNIT-FILE...]";

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "pony-formats-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Failure> {
    let mut arguments: Vec<String> = env::args().skip(1).collect();
    if let [verb, name, file] = arguments.as_slice()
        && verb == "read"
    {
        return read(name, Path::new(file));
    }
    let mut rounds = 5;
    if let Some(at) = arguments.iter().position(|argument| argument == "--rounds") {
        rounds = arguments.get(at + 1).and_then(|number| number.parse().ok()).ok_or(USAGE)?;
        arguments.drain(at..at + 2);
    }
    if arguments.iter().any(|argument| argument.starts_with('-')) {
        return Err(USAGE.into());
    }
    let mut out = io::stdout().lock();
    for file in arguments.iter().map(PathBuf::from) {
        let title = format!("JUnit: {}", file.display());
        table::write(&mut out, &title, &file, junit::READERS, rounds)?;
    }
    let folder = payload::Folder::new()?;
    for (title, file, readers) in [
        ("XML-RPC: 11,000 structs of five members", folder.many()?, xmlrpc::READERS),
        ("XML-RPC: 200 steps with 18 KB of output each", folder.big()?, xmlrpc::READERS),
        ("JUnit: one text of 64 MiB", folder.long()?, junit::LONG),
        ("TRX: 60,000 results", folder.trx()?, junit::TRX),
    ] {
        table::write(&mut out, title, &file, readers, rounds)?;
    }
    for (title, make, readers) in lines::TABLES {
        table::write(&mut out, title, &make(&folder)?, readers, rounds)?;
    }
    hostile::write(&mut out, &folder, rounds)
}

/// The child: one reading, and one line about it.
fn read(name: &str, file: &Path) -> Result<(), Failure> {
    let tables = [junit::READERS, junit::TRX, xmlrpc::READERS, hostile::READERS];
    let tables = tables.into_iter().chain(lines::TABLES.into_iter().map(|(_, _, readers)| readers));
    let reader: &Reader = tables
        .flatten()
        .find(|reader| reader.name == name)
        .ok_or_else(|| format!("no reader `{name}`"))?;
    let sample = measure::sample(reader, file)?;
    writeln!(io::stdout(), "{sample}")?;
    Ok(())
}
