//! Compares the write path of pony-store with its peers. README.md says how to run it.
//!
//! Everything that is measured is done by a child process of its own (this program again), so that
//! processor time is of that alone. The writers of one table take turns.

mod bytes;
mod changes;
mod data;
mod http;
mod index;
mod measure;
mod repository;
mod runs;
mod table;
mod writers;

use std::env;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What is refused of the command line ends with this.
const USAGE: &str = "usage: pony-store-bench [--rounds N] [--results N,N,..] [--indexed N,N] [--folder FOLDER] [--collector PROGRAM]";

type Failure = Box<dyn std::error::Error>;

/// What is measured, and how often.
struct Plan {
    rounds: usize,
    /// How many results there are in the repositories that are written to.
    bases: Vec<u64>,
    /// How many results there are where the index is built, and where it is opened.
    indexed: [u64; 2],
    /// Where repositories are made. Those to start from are kept there.
    folder: PathBuf,
    /// The program `pony-collector`, if it is to be measured.
    collector: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "pony-store-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Failure> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["write", repo, name, first] => {
            let sample = writers::write(name, Path::new(repo), first.parse()?)?;
            Ok(writeln!(io::stdout(), "{sample}")?)
        }
        ["changes", repo, base] => {
            let sample = changes::read(Path::new(repo), base)?;
            Ok(writeln!(io::stdout(), "{sample}")?)
        }
        ["index", repo, results] => {
            let sample = index::open(Path::new(repo), results)?;
            Ok(writeln!(io::stdout(), "{sample}")?)
        }
        options => all(&plan(options)?),
    }
}

fn plan(options: &[&str]) -> Result<Plan, Failure> {
    let mut plan = Plan {
        rounds: 3,
        bases: vec![0, 10_000, 100_000],
        indexed: [100_000, 1_000_000],
        folder: env::temp_dir().join("pony-store-bench"),
        collector: None,
    };
    for option in options.chunks(2) {
        match option {
            ["--rounds", number] => plan.rounds = number.parse()?,
            ["--folder", folder] => plan.folder = std::path::absolute(folder)?,
            ["--collector", program] => plan.collector = Some(program.into()),
            ["--results", numbers] => plan.bases = list(numbers)?,
            ["--indexed", numbers] => {
                plan.indexed = list(numbers)?.try_into().map_err(|_| USAGE)?;
            }
            _ => return Err(USAGE.into()),
        }
    }
    Ok(plan)
}

fn list(numbers: &str) -> Result<Vec<u64>, Failure> {
    Ok(numbers.split(',').map(str::parse).collect::<Result<_, _>>()?)
}

fn all(plan: &Plan) -> Result<(), Failure> {
    fs::create_dir_all(&plan.folder)?;
    let mut out = io::stdout().lock();
    table::write_rates(&mut out, plan)?;
    changes::write(&mut out, plan)?;
    index::write(&mut out, plan)?;
    bytes::write(&mut out, plan)?;
    plan.collector.as_ref().map_or(Ok(()), |program| http::write(&mut out, plan, program))
}
