//! How long something took, and how long the processor was busy with it.

use std::fmt;
use std::path::Path;
use std::process::Command;
use std::str::FromStr;
use std::time::Instant;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike as _;

use crate::Failure;

/// What a child says of its work.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample {
    /// Seconds.
    pub(crate) wall: f64,
    /// User and system time, children included, in seconds.
    pub(crate) cpu: f64,
}

impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.wall, self.cpu)
    }
}

impl FromStr for Sample {
    type Err = Failure;

    fn from_str(line: &str) -> Result<Self, Failure> {
        let (wall, cpu) =
            line.trim().split_once(' ').ok_or_else(|| format!("no sample: {line}"))?;
        Ok(Self { wall: wall.parse()?, cpu: cpu.parse()? })
    }
}

/// Does the work and takes the sample.
pub(crate) fn sample<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<(T, Sample), Failure> {
    let (begin, busy) = (Instant::now(), cpu_seconds()?);
    let outcome = work()?;
    let sample = Sample { wall: begin.elapsed().as_secs_f64(), cpu: cpu_seconds()? - busy };
    Ok((outcome, sample))
}

/// Processor time of this process and of its children that have ended.
fn cpu_seconds() -> Result<f64, Failure> {
    let mut microseconds = 0;
    for who in [UsageWho::RUSAGE_SELF, UsageWho::RUSAGE_CHILDREN] {
        let usage = getrusage(who)?;
        microseconds +=
            usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    }
    Ok(microseconds as f64 / 1e6)
}

/// Runs this program again, for a sample that nothing else disturbs.
pub(crate) fn child(verb: &str, repo: &Path, arguments: &[String]) -> Result<Sample, Failure> {
    let output =
        Command::new(std::env::current_exe()?).arg(verb).arg(repo).args(arguments).output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).trim().to_owned().into());
    }
    str::from_utf8(&output.stdout)?.parse()
}

/// The one in the middle.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The largest over the smallest: how far the rounds are apart.
pub(crate) fn spread(values: impl IntoIterator<Item = f64>) -> f64 {
    let (least, most) = values
        .into_iter()
        .fold((f64::INFINITY, 0.0_f64), |(least, most), value| (least.min(value), most.max(value)));
    most / least
}
