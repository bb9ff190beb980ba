//! [`Point`]: one fault at one call of one thread; [`all`] finds them by watching a run without faults.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context as _, ensure};

use super::Depth;
use super::scenario::{Errand, Scenario, Subject, mark, submit_args};
use crate::collector::Collector;
use crate::place::{Place, copy_folder};
use crate::strace::{Call, calls};

/// The calls that change something, or say what has been changed.
const CALLS: [&str; 25] = [
    "openat",
    "open",
    "write",
    "pwrite64",
    "writev",
    "pwritev",
    "fsync",
    "fdatasync",
    "rename",
    "renameat",
    "renameat2",
    "unlink",
    "unlinkat",
    "link",
    "linkat",
    "mkdir",
    "mkdirat",
    "rmdir",
    "ftruncate",
    "fallocate",
    "flock",
    "close",
    "sendto",
    "sendmsg",
    "msync",
];

/// Those of them that a short sweep looks at.
const SHORT_CALLS: [&str; 8] =
    ["write", "fsync", "fdatasync", "rename", "renameat", "renameat2", "unlink", "mkdir"];

/// How long a running collector is watched after its answer.
const AFTER_ANSWER: Duration = Duration::from_millis(30);

/// What happens at a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// SIGKILL before it.
    Kill,
    /// It fails, this once.
    Once(&'static str),
    /// It fails, and so does every later one of its kind.
    FromThenOn(&'static str),
}

/// One fault at one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Point {
    pub(super) call: String,
    pub(super) fault: Fault,
    /// Which one, of those of a thread; from 1.
    nth: usize,
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { call, nth, .. } = self;
        match self.fault {
            Fault::Kill => write!(f, "killed before {call} {nth}"),
            Fault::Once(error) => write!(f, "{error} at {call} {nth}"),
            Fault::FromThenOn(error) => write!(f, "{error} from {call} {nth} on"),
        }
    }
}

impl Point {
    /// As strace wants it.
    pub(super) fn injection(&self) -> String {
        let Self { call, nth, .. } = self;
        match self.fault {
            Fault::Kill => format!("{call}:signal=SIGKILL:when={nth}"),
            Fault::Once(error) => format!("{call}:error={error}:when={nth}"),
            Fault::FromThenOn(error) => format!("{call}:error={error}:when={nth}+"),
        }
    }

    pub(super) fn parse(injection: &str) -> Option<Self> {
        let mut parts = injection.split(':');
        let (call, what, when) = (parts.next()?, parts.next()?, parts.next()?);
        let when = when.strip_prefix("when=")?;
        let nth = when.trim_end_matches('+').parse().ok()?;
        let known = ["EIO", "ENOSPC", "EROFS"].into_iter();
        let error = |name: &str| known.clone().find(|known| *known == name);
        let fault = match what.split_once('=')? {
            ("signal", _) => Fault::Kill,
            ("error", name) if when.ends_with('+') => Fault::FromThenOn(error(name)?),
            ("error", name) => Fault::Once(error(name)?),
            _ => return None,
        };
        Some(Self { call: call.to_owned(), fault, nth })
    }

    /// Whether it has a sync fail.
    pub(super) fn is_failing_sync(&self) -> bool {
        self.fault != Fault::Kill && self.call.ends_with("sync")
    }
}

/// Every point of a scenario.
pub(super) fn all(
    place: &Place,
    scenario: &Scenario,
    template: &Path,
    folder: &Path,
    depth: Depth,
) -> anyhow::Result<Vec<Point>> {
    let home = folder.join("watched");
    copy_folder(template, &home)?;
    let run = trace(place, scenario.subject, &home, None)?;
    ensure!(run.is_acknowledged, "it does not work without a fault either");
    let mut points = Vec::new();
    for (call, nth) in ordinals(&run.calls, &home.to_string_lossy(), depth) {
        for fault in Fault::of(depth) {
            points.push(Point { call: call.clone(), fault: *fault, nth });
        }
    }
    ensure!(!points.is_empty(), "nothing to try");
    Ok(points)
}

/// Which call of its thread each is that matters here.
fn ordinals(calls: &[Call], home: &str, depth: Depth) -> BTreeSet<(String, usize)> {
    let mut counts: BTreeMap<(u32, &str), usize> = BTreeMap::new();
    let mut found = BTreeSet::new();
    let site = format!("{home}/results.git/pony/site");
    for call in calls {
        let count = counts.entry((call.thread, &call.name)).or_default();
        *count += 1;
        let wanted = depth == Depth::Full || SHORT_CALLS.contains(&&*call.name);
        // Opening is of interest where it creates, and what is derived is not.
        let changes = !call.name.starts_with("open")
            || call.args.iter().any(|argument| argument.contains("O_CREAT"));
        let answers = call.name == "write" && call.descriptor(0) == Some(1)
            || call.name.starts_with("send")
            || call.name == "writev";
        if wanted && changes && (call.is_below(home) || answers) && !call.is_below(&site) {
            found.insert((call.name.clone(), *count));
        }
    }
    found
}

/// What came of a traced run.
pub(super) struct Run {
    pub(super) is_acknowledged: bool,
    pub(super) calls: Vec<Call>,
    /// How it ended; `None` for a collector that still runs.
    pub(super) status: Option<ExitStatus>,
    /// It, if it still runs.
    pub(super) collector: Option<Collector>,
    /// What it said on standard error.
    pub(super) said: String,
}

/// Runs a scenario below strace, with or without a fault.
pub(super) fn trace(
    place: &Place,
    subject: Subject,
    home: &Path,
    point: Option<&Point>,
) -> anyhow::Result<Run> {
    match subject {
        Subject::Submit => trace_program(place, home, point, &submit_args(&mark())),
        Subject::Retry => {
            let words = ["retry", "--repo", "results.git"];
            trace_program(place, home, point, &words.map(str::to_owned))
        }
        Subject::Call | Subject::Upload => trace_collector(place, subject, home, point),
    }
}

fn strace(place: &Place, home: &Path, point: Option<&Point>) -> Command {
    let mut command = place.tool("strace", home);
    command.args(["-f", "-y", "-xx", "-s", "256"]);
    // Beside the home: strace must not write where it counts.
    let log = log_path(home);
    command.args(["-o"]).arg(log).args(["-e", &format!("trace={}", CALLS.join(","))]);
    if let Some(point) = point {
        command.args(["-e", &format!("inject={}", point.injection())]);
    }
    command
}

fn log_path(home: &Path) -> std::path::PathBuf {
    home.with_extension("trace")
}

fn read_log(home: &Path) -> anyhow::Result<Vec<Call>> {
    let log = std::fs::read(log_path(home)).context("strace wrote nothing")?;
    calls(&String::from_utf8_lossy(&log))
}

fn trace_program(
    place: &Place,
    home: &Path,
    point: Option<&Point>,
    args: &[String],
) -> anyhow::Result<Run> {
    let mut command = strace(place, home, point);
    command.arg("-qq").arg("--").arg(place.programs.join("pony-report")).args(args);
    let output = command.output().context("cannot run strace")?;
    Ok(Run {
        is_acknowledged: output.status.success(),
        calls: read_log(home)?,
        status: Some(output.status),
        collector: None,
        said: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

fn trace_collector(
    place: &Place,
    subject: Subject,
    home: &Path,
    point: Option<&Point>,
) -> anyhow::Result<Run> {
    let mut collector = Collector::start(place, home)?;
    let errand = Errand::prepare(&collector, subject)?;
    let mut strace = attach(strace(place, home, point), collector.id())?;
    let is_acknowledged = errand.run(&mark())?;
    std::thread::sleep(AFTER_ANSWER);
    let status = collector.ended(Duration::ZERO)?;
    // Asked to end it lets go of the collector, which runs on.
    let asked = Command::new("kill").args(["-INT", &strace.id().to_string()]).status();
    asked.context("cannot run kill")?;
    strace.wait()?;
    let collector = status.is_none().then_some(collector);
    let said = std::fs::read_to_string(home.join("log")).unwrap_or_default();
    Ok(Run { is_acknowledged, calls: read_log(home)?, status, collector, said })
}

/// Starts strace on a running process and waits until it has hold of it.
fn attach(mut strace: Command, id: u32) -> anyhow::Result<Child> {
    use std::io::{BufRead as _, BufReader};

    let child = strace.args(["-p", &id.to_string()]).stderr(Stdio::piped()).spawn();
    let mut child = child.context("cannot run strace")?;
    let mut lines = BufReader::new(child.stderr.take().context("no standard error")?);
    let mut line = String::new();
    lines.read_line(&mut line)?;
    ensure!(line.contains("attached"), "strace: {}", line.trim());
    // The rest is read away, so that strace never waits for us.
    std::thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
    Ok(child)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_is_named_as_strace_names_it() {
        for text in
            ["fsync:error=EIO:when=3", "write:signal=SIGKILL:when=1", "write:error=ENOSPC:when=2+"]
        {
            assert_eq!(Point::parse(text).unwrap().injection(), text);
        }
        assert_eq!(Point::parse("fsync"), None);
        assert_eq!(Point::parse("fsync:error=EWHAT:when=3"), None);
    }
}
