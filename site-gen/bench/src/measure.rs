//! What commands cost.

use std::env;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike as _;

use crate::Failure;

/// A command: the program and its arguments.
pub(crate) type Words = Vec<String>;

/// What commands took, one after the other.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample {
    /// User and system time in seconds.
    pub(crate) cpu: f64,
    /// Peak memory of the largest of them in MiB.
    pub(crate) peak: f64,
}

/// What stands between two commands.
const THEN: &str = "--then";

/// Runs commands below a process of their own: this program again.
pub(crate) fn sample(commands: &[Words]) -> Result<Sample, Failure> {
    let mut child = Command::new(env::current_exe()?);
    child.arg("commands");
    for words in commands {
        child.args(words).arg(THEN);
    }
    let output = child.stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err("a command failed".into());
    }
    let line = String::from_utf8(output.stdout)?;
    let (cpu, peak) = line.trim().split_once(' ').ok_or_else(|| format!("no sample: {line}"))?;
    Ok(Sample { cpu: cpu.parse()?, peak: peak.parse()? })
}

/// The other side of [`sample`]: runs the commands, and returns what it prints.
pub(crate) fn run(words: &[String]) -> Result<String, Failure> {
    for words in words.split(|word| word == THEN).filter(|words| !words.is_empty()) {
        let [program, arguments @ ..] = words else { continue };
        let status = Command::new(program).args(arguments).stdout(Stdio::null()).status()?;
        if !status.success() {
            return Err(format!("`{}` failed", words.join(" ")).into());
        }
    }
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let microseconds =
        usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Ok(format!("{} {}", microseconds as f64 / 1e6, usage.max_rss() as f64 / 1024.0))
}

/// The one in the middle.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The files below a folder.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Files {
    pub(crate) count: u64,
    pub(crate) bytes: u64,
    /// The largest HTML file.
    pub(crate) largest_page: u64,
}

/// Counts the files below a folder.
pub(crate) fn files(folder: &Path) -> Result<Files, Failure> {
    let mut files = Files::default();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in folder.read_dir()? {
            let entry = entry?;
            let about = entry.metadata()?;
            if about.is_dir() {
                folders.push(entry.path());
                continue;
            }
            files.count += 1;
            files.bytes += about.len();
            if entry.path().extension().is_some_and(|extension| extension == "html") {
                files.largest_page = files.largest_page.max(about.len());
            }
        }
    }
    Ok(files)
}
