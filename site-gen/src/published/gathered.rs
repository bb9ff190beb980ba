//! The JSON of pages that show several results: of a commit, a build line, a machine. The next build goes on
//! from it.

use serde::{Deserialize, Serialize};

use super::{FORMAT, one_line};
use crate::analysis::{JoinedCommit, LineName, Machine, Recent};

/// `p/<package>/commit/<commit>/index.json`.
#[derive(Debug, Serialize, Deserialize)]
struct Commit<C> {
    /// 1.
    format: u32,
    /// The true name.
    package: String,
    /// `commit`, and `results`, oldest first: each as in `show_all/index.json`, with the names of its `failing`
    /// and `flaky` tests, and how many are `unnamed`. `earlier` is how many older results there are.
    #[serde(flatten)]
    joined: C,
}

/// `p/<package>/commit/<commit>/index.json`.
pub(crate) fn commit(package: &str, joined: &JoinedCommit) -> String {
    one_line(&Commit { format: FORMAT, package: package.to_owned(), joined })
}

/// Reads back what [`commit`] wrote. `None` when it is odd.
pub(crate) fn read_commit(package: &str, name: &str, text: &[u8]) -> Option<JoinedCommit> {
    let commit: Commit<JoinedCommit> = serde_json::from_slice(text).ok()?;
    let fits = commit.format == FORMAT && commit.package == package && commit.joined.commit == name;
    fits.then_some(commit.joined)
}

/// `p/<package>/line/<line>/index.json`.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    /// 1.
    format: u32,
    /// The true name.
    package: String,
    /// `host`, `arch`, `tags`.
    line: LineName,
    /// `results`: how many there are; `rows`: the newest fifty, oldest first; `main`: the newest of the main line
    /// that can be read, if there is one; `failing`: what it said of its failing tests.
    #[serde(flatten)]
    recent: Recent,
}

/// `p/<package>/line/<line>/index.json`.
pub(crate) fn line(package: &str, name: &LineName, recent: &Recent) -> String {
    let (package, line, recent) = (package.to_owned(), name.clone(), recent.clone());
    one_line(&Line { format: FORMAT, package, line, recent })
}

/// Reads back what [`line`] wrote. `None` when it is odd.
pub(crate) fn read_line(package: &str, name: &LineName, text: &[u8]) -> Option<Recent> {
    let line: Line = serde_json::from_slice(text).ok()?;
    let fits = line.format == FORMAT && line.package == package && line.line == *name;
    fits.then_some(line.recent)
}

/// `machine/<host>/index.json`.
#[derive(Debug, Serialize, Deserialize)]
struct MachineIndex {
    /// 1.
    format: u32,
    /// The true name of the machine.
    host: String,
    /// Whether there are lines that are not listed.
    #[serde(default)]
    has_older: bool,
    /// The 300 with the newest results, by package, then by line.
    lines: Vec<MachineLine>,
}

/// A build line of a machine.
#[derive(Debug, Serialize, Deserialize)]
struct MachineLine {
    /// The true name.
    package: String,
    /// `host`, `arch`, `tags`.
    line: LineName,
    /// `results`: how many there are; `rows`: the newest twelve, oldest first.
    #[serde(flatten)]
    recent: Recent,
}

/// `machine/<host>/index.json`.
pub(crate) fn machine(machine: &Machine) -> String {
    let lines = machine.lines.iter().map(|((package, line), recent)| MachineLine {
        package: package.clone(),
        line: line.clone(),
        recent: recent.clone(),
    });
    one_line(&MachineIndex {
        format: FORMAT,
        host: machine.host.clone(),
        has_older: machine.has_older,
        lines: lines.collect(),
    })
}

/// Reads back what [`machine`] wrote. `None` when it is odd.
pub(crate) fn read_machine(host: &str, text: &[u8]) -> Option<Machine> {
    let index: MachineIndex = serde_json::from_slice(text).ok()?;
    let lines = index.lines.into_iter().map(|one| ((one.package, one.line), one.recent));
    let machine = Machine { host: index.host, has_older: index.has_older, lines: lines.collect() };
    (index.format == FORMAT && machine.host == host).then_some(machine)
}
