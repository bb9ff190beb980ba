//! The JSON of pages that show several results: of a commit, a build line, a machine. The next build goes on
//! from it.

use serde::{Deserialize, Serialize};

use super::FORMAT;
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
    line_of(&Commit { format: FORMAT, package: package.to_owned(), joined })
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
    /// `results`: how many there are; `rows`: the newest fifty, oldest first; `failing`: what the newest result
    /// of the main line said of its failing tests.
    #[serde(flatten)]
    recent: Recent,
}

/// `p/<package>/line/<line>/index.json`.
pub(crate) fn line(package: &str, name: &LineName, recent: &Recent) -> String {
    let (package, line, recent) = (package.to_owned(), name.clone(), recent.clone());
    line_of(&Line { format: FORMAT, package, line, recent })
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
    /// By package, then by line.
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
    line_of(&MachineIndex { format: FORMAT, host: machine.host.clone(), lines: lines.collect() })
}

/// Reads back what [`machine`] wrote. `None` when it is odd.
pub(crate) fn read_machine(host: &str, text: &[u8]) -> Option<Machine> {
    let index: MachineIndex = serde_json::from_slice(text).ok()?;
    let lines = index.lines.into_iter().map(|one| ((one.package, one.line), one.recent));
    let machine = Machine { host: index.host, lines: lines.collect() };
    (index.format == FORMAT && machine.host == host).then_some(machine)
}

/// On one line: people read the page.
fn line_of(value: &impl Serialize) -> String {
    // Nothing here has a key that is no string, which is the only way for this to fail.
    serde_json::to_string(value).map(|text| text + "\n").unwrap_or_default()
}
