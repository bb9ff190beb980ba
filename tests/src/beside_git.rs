//! git itself in the same repository, while results arrive: maintenance, clones, fetches, pushes.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context as _, ensure};

use crate::census::{Census, fsck};
use crate::collector::Collector;
use crate::load::Load;
use crate::place::{Place, said};
use crate::report::{Row, Violation};

/// Who submits meanwhile.
const CLIENTS: usize = 4;

/// What git does beside the collector.
#[derive(Debug, Clone, Copy)]
pub struct Disturbance {
    /// In words.
    pub name: &'static str,
    /// Done again and again; counts what worked.
    disturb: fn(&Place, &Path) -> anyhow::Result<bool>,
    /// Whether some of it must work, none of it may, or either.
    expected: Expected,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    Works,
    Refused,
    Either,
}

/// All of them.
pub const DISTURBANCES: [Disturbance; 8] = [
    Disturbance {
        name: "git gc --prune=now",
        disturb: |place, home| git(place, home, &["gc", "--quiet", "--prune=now"]),
        expected: Expected::Either,
    },
    Disturbance {
        name: "git repack -a -d",
        disturb: |place, home| git(place, home, &["repack", "-a", "-d", "-q"]),
        expected: Expected::Refused,
    },
    Disturbance {
        name: "git prune",
        disturb: |place, home| git(place, home, &["prune", "--expire=now"]),
        expected: Expected::Refused,
    },
    Disturbance {
        name: "git pack-refs --all",
        disturb: |place, home| git(place, home, &["pack-refs", "--all"]),
        expected: Expected::Works,
    },
    Disturbance { name: "clones", disturb: clone, expected: Expected::Works },
    Disturbance { name: "fetches", disturb: fetch, expected: Expected::Works },
    Disturbance {
        name: "pushes to other branches",
        disturb: push_other,
        expected: Expected::Works,
    },
    Disturbance { name: "pushes to main", disturb: push_main, expected: Expected::Either },
];

/// Submits through a collector while git does one thing in a loop.
///
/// # Errors
/// When the test itself does not work. Broken promises are in the row.
pub fn run(place: &Place, disturbance: &Disturbance, submissions: usize) -> anyhow::Result<Row> {
    let folder = place.disk_folder()?;
    let home = folder.path();
    let what = format!("beside {}", disturbance.name);
    let mut row = Row { what, count: format!("{submissions} submissions"), ..Row::default() };
    match disturbed(place, disturbance, home, submissions) {
        Ok((worked, tried)) => {
            row.remark = format!("git: {worked} of {tried} done, others refused")
        }
        Err(error) => {
            let name = disturbance.name;
            let reproduce =
                format!("pony-faults beside-git --only {name:?}; look at {}", home.display());
            row.violations.push(Violation { what: format!("{error:#}"), reproduce });
            let _ = folder.keep();
        }
    }
    Ok(row)
}

fn disturbed(
    place: &Place,
    disturbance: &Disturbance,
    home: &Path,
    submissions: usize,
) -> anyhow::Result<(usize, usize)> {
    let collector = Collector::start(place, home)?;
    let repository = home.join("results.git");
    prepare(place, home)?;
    let (load, is_done) = (Load::default(), AtomicBool::new(false));
    let (worked, tried) = std::thread::scope(|scope| -> anyhow::Result<(usize, usize)> {
        let git = scope.spawn(|| -> anyhow::Result<(usize, usize)> {
            let (mut worked, mut tried) = (0, 0);
            while !is_done.load(Ordering::Relaxed) || tried == 0 {
                worked += usize::from((disturbance.disturb)(place, home)?);
                tried += 1;
            }
            Ok((worked, tried))
        });
        let (load, url) = (&load, &collector.url);
        let clients: Vec<_> = (0..CLIENTS)
            .map(|number| scope.spawn(move || load.client(url, number, submissions)))
            .collect();
        let clients: Vec<_> = clients.into_iter().map(|client| client.join()).collect();
        is_done.store(true, Ordering::Relaxed);
        ensure!(clients.iter().all(|client| matches!(client, Ok(Ok(())))), "a client ended early");
        git.join().map_err(|_| anyhow::anyhow!("the loop of git ended early"))?
    })?;
    drop(collector);
    ensure!(
        load.acknowledged() == submissions,
        "{} of {submissions} were acknowledged",
        load.acknowledged()
    );
    load.check(&repository)?;
    fsck(place, &repository)?;
    let is_as_expected = match disturbance.expected {
        Expected::Works => worked > 0,
        Expected::Refused => worked == 0,
        Expected::Either => true,
    };
    ensure!(is_as_expected, "git did {worked} of {tried}");
    // A restart has nothing to mend.
    Collector::start(place, home).context("a restart needs help")?;
    Ok((worked, tried))
}

/// A clone with a working tree for pushes, one to fetch into.
fn prepare(place: &Place, home: &Path) -> anyhow::Result<()> {
    place.git(home, &["clone", "--quiet", "results.git", "work"])?;
    place.git(home, &["clone", "--quiet", "--bare", "results.git", "mirror.git"])?;
    Ok(())
}

fn git(place: &Place, home: &Path, args: &[&str]) -> anyhow::Result<bool> {
    Ok(place.try_git(&home.join("results.git"), args)?.status.success())
}

/// A clone is whole, whatever moment it shows.
fn clone(place: &Place, home: &Path) -> anyhow::Result<bool> {
    let target = home.join("clone.git");
    if target.exists() {
        std::fs::remove_dir_all(&target)?;
    }
    let address = format!("file://{}", home.join("results.git").display());
    place.git(home, &["clone", "--quiet", "--bare", &address, "clone.git"])?;
    is_consistent(place, &target)
}

fn fetch(place: &Place, home: &Path) -> anyhow::Result<bool> {
    let mirror = home.join("mirror.git");
    place.git(&mirror, &["fetch", "--quiet", "origin", "+refs/heads/main:refs/heads/main"])?;
    is_consistent(place, &mirror)
}

fn is_consistent(place: &Place, clone: &Path) -> anyhow::Result<bool> {
    fsck(place, clone)?;
    let results = Census::take(clone)?.keys.len();
    let commits = place.git(clone, &["rev-list", "--count", "main"])?;
    let commits: usize = commits.trim().parse()?;
    // The first commit holds no result.
    ensure!(commits == results + 1, "{results} results in {commits} commits");
    Ok(true)
}

fn push_other(place: &Place, home: &Path) -> anyhow::Result<bool> {
    let work = home.join("work");
    place.git(&work, &["commit", "--quiet", "--allow-empty", "-m", "a note"])?;
    let push = place.try_git(&work, &["push", "--quiet", "origin", "HEAD:refs/heads/notes"])?;
    ensure!(push.status.success(), "git push: {}", said(&push));
    Ok(true)
}

/// Loses against the collector most of the time; when it wins, the collector's compare-and-swap fails.
fn push_main(place: &Place, home: &Path) -> anyhow::Result<bool> {
    let work = home.join("work");
    place.git(&work, &["fetch", "--quiet", "origin"])?;
    place.git(&work, &["reset", "--quiet", "--soft", "origin/main"])?;
    let tree = place.git(&work, &["rev-parse", "origin/main^{tree}"])?;
    let note = ["commit-tree", "-p", "origin/main", "-m", "a note", tree.trim()];
    let commit = place.git(&work, &note)?;
    let target = format!("{}:refs/heads/main", commit.trim());
    Ok(place.try_git(&work, &["push", "--quiet", "origin", &target])?.status.success())
}
