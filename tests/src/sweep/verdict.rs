//! [`Verdict`]: what is left after a fault, and whether the next submission works.

use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use pony_store::Store;

use super::point::{Fault, Point, Run, trace};
use super::scenario::{Scenario, Subject, mark, must_submit};
use crate::census::{Census, MARK, fsck};
use crate::collector::{Client, submission};
use crate::place::{Place, files_below, has_extension};
use crate::strace::Call;

/// The exit status for a disk that did not keep what was written.
const IO: i32 = 74;

/// How long a collector that must stop may take.
const STOP_PATIENCE: Duration = Duration::from_secs(20);

/// What came of one point.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    /// The program said that the submission is stored.
    pub(super) is_acknowledged: bool,
    /// The fault met something that is on no disk, such as a thread's alarm clock, and says nothing.
    pub(super) is_elsewhere: bool,
    /// The promise that was broken.
    pub(super) problem: Option<String>,
}

impl Verdict {
    pub(super) fn remark(&self) -> String {
        if self.is_acknowledged { "acknowledged" } else { "not acknowledged" }.to_owned()
    }
}

/// Runs one point in a fresh home.
pub(super) fn try_point(
    place: &Place,
    scenario: &Scenario,
    home: &Path,
    point: &Point,
) -> anyhow::Result<Verdict> {
    let run = trace(place, scenario.subject, home, Some(point))?;
    let mut verdict = Verdict { is_acknowledged: run.is_acknowledged, ..Verdict::default() };
    if is_elsewhere(home, point, &run) {
        return Ok(Verdict { is_elsewhere: true, ..verdict });
    }
    if let Err(error) = judge(place, scenario, home, point, run) {
        verdict.problem = Some(format!("{error:#}").replace('\n', " "));
    }
    Ok(verdict)
}

/// strace counts the calls of each thread by themselves, so a point that is a file for one may be a wake-up of
/// another thread, or a connection, for the next: no such call can fail as a disk does.
fn is_elsewhere(home: &Path, point: &Point, run: &Run) -> bool {
    let home = home.to_string_lossy();
    let injected = |call: &&Call| {
        // These are no answers of a disk: nothing is there to remove, or something is there already.
        let by_itself =
            matches!(call.error.as_deref(), None | Some("ENOENT" | "EEXIST" | "EAGAIN"));
        call.name == point.call && !by_itself
    };
    point.fault != Fault::Kill
        && run.calls.iter().filter(injected).any(|call| !call.is_below(&home))
}

/// An error is a broken promise.
fn judge(
    place: &Place,
    scenario: &Scenario,
    home: &Path,
    point: &Point,
    run: Run,
) -> anyhow::Result<()> {
    let repository = home.join("results.git");
    let is_lost = lost_sync(home, &run);
    check_end(point, &run, is_lost)?;
    let stored = count(scenario.subject, &repository).context("after the fault")?;
    ensure!(stored >= 1 || !run.is_acknowledged, "it was acknowledged and is gone");
    if repository.exists() {
        fsck(place, &repository).context("after the fault")?;
    }
    let is_spooled = spooled(home)? > 0;
    next_works(place, scenario, home, run, is_lost)?;
    fsck(place, &repository).context("after the next submission")?;
    nothing_lies_about(&repository)?;
    let finally = count(scenario.subject, &repository).context("after the next submission")?;
    ensure!(finally >= stored, "it was there and is gone");
    ensure!(!is_spooled || finally >= 1, "it was kept to be sent again and is gone");
    ensure!(finally <= 1, "it is there {finally} times after it was sent again");
    Ok(())
}

/// Whether a sync failed that was none of the site's or the index's, which are derived, nor one of the spool's: a
/// result that cannot be kept there may still be stored.
fn lost_sync(home: &Path, run: &Run) -> bool {
    let home = home.to_string_lossy();
    let others = ["results.git/pony/site", "results.git/pony/index.redb", "state"]
        .map(|name| format!("{home}/{name}"));
    let lost = run.calls.iter().filter(|call| call.name.ends_with("sync") && !call.is_done());
    lost.filter(|call| call.result.is_some() && call.is_below(&home))
        .any(|call| !others.iter().any(|other| call.is_below(other)))
}

/// Killed as planned, or ended by itself with a status and not by a crash. After a failed sync nothing is
/// synced again, and the status says so.
fn check_end(point: &Point, run: &Run, is_lost: bool) -> anyhow::Result<()> {
    if let Some(status) = run.status {
        let is_killed = status.signal() == Some(9);
        ensure!(
            status.code().is_some() || (point.fault == Fault::Kill && is_killed),
            "it ended with {status}: {}",
            run.said.trim()
        );
    }
    let failed = |call: &Call| call.name.ends_with("sync") && !call.is_done();
    let first = run.calls.iter().position(failed).unwrap_or(run.calls.len());
    // Packs are joined behind a submission that is on the disk already.
    let is_behind = is_stored(&run.calls[..first]);
    if !(is_lost && point.is_failing_sync()) || is_behind {
        return Ok(());
    }
    ensure!(!run.is_acknowledged, "a sync failed and it was acknowledged");
    // A collector is looked at later: it may still be about to stop.
    let status = run.status.filter(|_| run.collector.is_none());
    if let Some(status) = status {
        ensure!(status.code() == Some(IO), "a sync failed and it ended with {status}");
    }
    let failed_path = run.calls.get(first).and_then(|call| call.path_of(0));
    let mut later = run.calls.iter().skip(first + 1).filter(|call| call.name.ends_with("sync"));
    let again = later.find(|call| call.path_of(0) == failed_path);
    ensure!(again.is_none(), "a sync that failed was tried again: {again:?}");
    Ok(())
}

/// Whether the branch has moved, and its folder was synced after that: then a submission counts.
fn is_stored(calls: &[Call]) -> bool {
    let moves = |call: &Call| {
        let names = (0..call.args.len()).filter_map(|index| call.text(index));
        call.name.starts_with("rename")
            && names.into_iter().any(|name| name.ends_with(b"/main.lock"))
    };
    let keeps = |call: &Call| {
        let path = call.path_of(0).unwrap_or_default();
        call.name == "fsync" && call.is_done() && path.ends_with("refs/heads")
    };
    let moved = calls.iter().position(moves);
    moved.is_some_and(|moved| calls[moved..].iter().any(keeps))
}

/// How often the submission, or the file, is there.
fn count(subject: Subject, repository: &Path) -> anyhow::Result<usize> {
    let census = Census::take(repository)?;
    if subject != Subject::Upload {
        return Ok(census.count(&mark()));
    }
    let snapshot = Store::open(repository)?.snapshot()?;
    let mut found = 0;
    for keys in census.marks.values() {
        for artifact in keys.iter().map(|key| snapshot.artifacts("hayloft", *key)) {
            for artifact in artifact? {
                let hash = artifact.sha256.as_str();
                let content = repository.join("pony/artifacts").join(&hash[..2]).join(hash);
                let content = std::fs::read(&content).context("content of a recorded file")?;
                ensure!(content == mark().as_bytes(), "a recorded file has other content");
                found += usize::from(artifact.filename == mark());
            }
        }
    }
    Ok(found)
}

/// How many submissions wait.
fn spooled(home: &Path) -> anyhow::Result<usize> {
    let spool = home.join("state/pony/spool");
    if !spool.exists() {
        return Ok(0);
    }
    let waiting = files_below(&spool)?;
    let is_entry = |path: &&std::path::PathBuf| {
        let name = path.to_string_lossy();
        has_extension(path, &["json"]) && !name.starts_with('.') && !name.contains('/')
    };
    Ok(waiting.iter().filter(is_entry).count())
}

/// Whoever comes next is served, without anybody's help.
fn next_works(
    place: &Place,
    scenario: &Scenario,
    home: &Path,
    run: Run,
    is_lost: bool,
) -> anyhow::Result<()> {
    let repository = home.join("results.git");
    if let Some(mut collector) = run.collector {
        let client = Client::new(&collector.url);
        let next = format!("{MARK}next-call");
        let answer = client.submit(&submission("hayloft", &next, "x")?);
        if is_lost {
            ensure!(answer.is_err(), "a sync failed and the next call was acknowledged");
            let status =
                collector.ended(STOP_PATIENCE)?.context("it goes on after a failed sync")?;
            ensure!(status.code() == Some(IO), "a sync failed and it ended with {status}");
        } else {
            answer.context("the next call to the same collector")?;
            collector.kill()?;
            let count = Census::take(&repository)?.count(&next);
            ensure!(count == 1, "the next call was acknowledged and is there {count} times");
        }
    }
    let next = format!("{MARK}next");
    must_submit(place, home, &next).context("the next submission")?;
    let count = Census::take(&repository)?.count(&next);
    ensure!(count == 1, "the next submission is there {count} times");
    if scenario.subject == Subject::Retry {
        let mut command = place.command("pony-report", home);
        let output = command.args(["retry", "--repo", "results.git"]).output()?;
        ensure!(output.status.success(), "the next retry: {}", crate::place::said(&output));
    }
    Ok(())
}

/// Neither locks nor unfinished packs are left.
fn nothing_lies_about(repository: &Path) -> anyhow::Result<()> {
    let parent = repository.parent().context("a repository is in a folder")?;
    let is_leftover = |path: &std::path::PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let is_lock = has_extension(path, &["lock"]) && name != "pony.lock";
        is_lock || name.starts_with("tmp_") || name.starts_with(".tmp")
    };
    let left: Vec<_> = files_below(repository)?.into_iter().filter(is_leftover).collect();
    ensure!(left.is_empty(), "left behind: {left:?}");
    let homes =
        std::fs::read_dir(parent)?.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let nurseries: Vec<String> = homes.filter(|name| name.starts_with(".pony-new-")).collect();
    ensure!(nurseries.is_empty(), "left behind: {nurseries:?}");
    Ok(())
}
