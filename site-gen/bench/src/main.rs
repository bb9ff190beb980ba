//! Compares rendering with its peers. README.md says how to run it.

mod measure;
mod render;
mod table;

use std::env;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use crate::measure::Words;
use crate::table::{Better, Table};

/// What is refused of the command line ends with this.
const USAGE: &str = "usage: pony-site-bench --corpus gen_junit.py [--rounds N] [--stored N,N,..] \
                     [--folder FOLDER] [--programs FOLDER]";

type Failure = Box<dyn std::error::Error>;

/// What is measured, and how often.
struct Plan {
    /// The generator of JUnit files.
    corpus: String,
    /// A Python that has junit2html.
    python: String,
    rounds: usize,
    /// How many results are stored when one more comes.
    stored: Vec<String>,
    /// Where everything is made.
    folder: PathBuf,
    /// Where our programs are; `None` to build them.
    programs: Option<PathBuf>,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let outcome = match arguments.split_first() {
        Some((first, commands)) if first == "commands" => measure::run(commands)
            .and_then(|line| Ok(writeln!(io::stdout(), "{line}")?))
            .map(|()| true),
        _ => plan(&arguments).and_then(|plan| all(&plan)),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            let _ = writeln!(io::stderr(), "pony-site-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn plan(arguments: &[String]) -> Result<Plan, Failure> {
    let mut plan = Plan {
        corpus: String::new(),
        python: env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned()),
        rounds: 5,
        stored: words(&["1000", "10000", "100000"]),
        folder: env::temp_dir(),
        programs: None,
    };
    for pair in arguments.chunks(2) {
        let [option, value] = pair else { return Err(USAGE.into()) };
        match option.as_str() {
            "--corpus" => plan.corpus = value.clone(),
            "--rounds" => plan.rounds = value.parse()?,
            "--stored" => plan.stored = value.split(',').map(str::to_owned).collect(),
            "--folder" => plan.folder = value.into(),
            "--programs" => plan.programs = Some(value.into()),
            _ => return Err(USAGE.into()),
        }
    }
    if plan.corpus.is_empty() { Err(USAGE.into()) } else { Ok(plan) }
}

/// Prints all figures. Says whether all floors are reached.
fn all(plan: &Plan) -> Result<bool, Failure> {
    if plan.programs.is_none() {
        build()?;
    }
    let mut out = io::stdout();
    let mut table = Table::new(&mut out)?;
    render::tables(plan, &mut table)?;
    one_more(plan, &mut table)?;
    Ok(table.missed == 0)
}

/// What one more result costs, by the example that measures it inside of one process.
fn one_more(plan: &Plan, table: &mut Table<'_>) -> Result<(), Failure> {
    let mut costs = Vec::new();
    for stored in &plan.stored {
        let program = plan.program("examples/one_more");
        let output = Command::new(program).arg(stored).env("TMPDIR", &plan.folder).output()?;
        let printed = String::from_utf8(output.stdout)?;
        table.text(printed.trim_end())?;
        let last = printed.lines().last().unwrap_or_default();
        let cost = last.split_whitespace().nth(3).and_then(|word| word.parse::<f64>().ok());
        costs.push(cost.ok_or_else(|| format!("no figures of {stored} results: {printed}"))?);
    }
    let least = costs.iter().copied().fold(f64::INFINITY, f64::min);
    let most = costs.iter().copied().fold(0.0, f64::max);
    let what = "one more result: most over least";
    table.line(what, most / least, Better::Less, [2.0, 2.0], "")
}

/// Builds our programs as they are released.
fn build() -> Result<(), Failure> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["build", "--release", "-p", "pony-report", "-p", "pony-site"]);
    command.args(["--bins", "--examples"]).current_dir(workspace());
    if command.status()?.success() { Ok(()) } else { Err("the programs do not build".into()) }
}

impl Plan {
    fn program(&self, name: &str) -> String {
        let folder = self.programs.clone().unwrap_or_else(|| workspace().join("target/release"));
        folder.join(name).to_string_lossy().into_owned()
    }
}

/// The workspace above.
fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn words(words: &[&str]) -> Words {
    words.iter().map(|word| (*word).to_owned()).collect()
}
