//! Power cuts, without cutting the power: a run is recorded call by call, and the states that a file system may
//! show after a cut at any moment of it are built and looked at.
//!
//! In each state everything that was acknowledged before the cut must be readable, the branch must name a
//! whole history, and the next submission must work without help. That the check can fail is checked as well:
//! with the syncs of any one kind taken out of the recording it must find a state that breaks a promise.

mod cut;
mod recording;
mod runs;
mod state;

use std::collections::{BTreeSet, HashSet};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use crate::census::fsck;
use crate::place::{Place, copy_folder, has};
use crate::report::{Row, Violation};
use cut::{Cutter, Rules, kind_of_sync};
use recording::{Deed, Recording};
pub use runs::{RUNS, RecordedRun, SHORT};
use state::Bench;

/// States of each moment, at least: all is kept, nothing is, and something in between. Without the second, no sync
/// would ever be missed.
const EACH_MIN: usize = 3;

/// How much is looked at.
#[derive(Debug, Clone, Copy)]
pub struct Effort {
    /// Different states, about.
    pub states: usize,
    /// States tried for each kind of sync that is taken out, at most.
    pub mutant_states: usize,
    /// git checks every n-th state as well.
    pub fsck_every: usize,
    /// Threads.
    pub workers: usize,
    /// What random choices begin with.
    pub seed: u64,
}

/// What looking at states found.
#[derive(Debug, Default)]
struct Finding {
    states: usize,
    checked_by_git: usize,
    violations: Vec<Violation>,
}

/// Records one run, looks at its states, and at those without each kind of sync.
///
/// # Errors
/// When the check itself does not work. Broken promises are in the rows.
pub fn run(place: &Place, run: &RecordedRun, effort: Effort) -> anyhow::Result<Vec<Row>> {
    let what = format!("power cut: {}", run.name);
    if !has("strace", "-V") {
        return Ok(vec![Row::not_checked(&what, "no strace here")]);
    }
    let folder = place.fast_folder()?;
    let recording = runs::record(place, run, folder.path()).context("cannot record")?;
    let deeds = recording.deeds.len();
    let found = look(place, &recording, folder.path(), effort, None)?;
    let is_broken = !found.violations.is_empty();
    let row = Row {
        what,
        count: format!("{} states", found.states),
        remark: format!("{deeds} deeds, {} states also by git fsck", found.checked_by_git),
        violations: found.violations,
        not_checked: None,
    };
    let mutants = mutants(place, &recording, folder.path(), run, effort)?;
    if is_broken {
        let _ = folder.keep();
    }
    Ok(vec![row, mutants])
}

/// Takes out the syncs of one kind after the other: each must be missed.
fn mutants(
    place: &Place,
    recording: &Recording,
    folder: &Path,
    run: &RecordedRun,
    effort: Effort,
) -> anyhow::Result<Row> {
    let kinds: BTreeSet<String> = recording
        .deeds
        .iter()
        .filter_map(|deed| match deed {
            Deed::Sync { path, .. } => Some(kind_of_sync(path)),
            _ => None,
        })
        .collect();
    let mut row = Row {
        what: format!("power cut without a sync: {}", run.name),
        count: format!("{} kinds of sync", kinds.len()),
        ..Row::default()
    };
    let mut missed = Vec::new();
    for kind in kinds {
        let effort = Effort { states: effort.mutant_states, fsck_every: usize::MAX, ..effort };
        let found = look(place, recording, folder, effort, Some(&kind))?;
        let is_spare = run.spare_syncs.contains(&&*kind);
        // Only so that somebody who waits sees something.
        let _ = writeln!(
            std::io::stderr(),
            "without the syncs of {kind}: {} states, {}",
            found.states,
            found.violations.first().map_or("nothing is missed", |found| found.what.as_str())
        );
        match (found.violations.is_empty(), is_spare) {
            (false, false) => missed.push(kind),
            (true, false) => row.violations.push(Violation {
                what: format!("nothing is missed without the syncs of {kind}"),
                reproduce: format!("pony-faults power-cut --only {:?}", run.name),
            }),
            (_, true) => {}
        }
    }
    row.remark = format!("each of {} is missed: {}", missed.len(), missed.join(", "));
    if !run.spare_syncs.is_empty() {
        row.remark.push_str(&format!("; spare: {}", run.spare_syncs.join(", ")));
    }
    Ok(row)
}

/// Looks at states of every moment; with a kind of sync taken out only until one breaks a promise.
fn look(
    place: &Place,
    recording: &Recording,
    folder: &Path,
    effort: Effort,
    without: Option<&str>,
) -> anyhow::Result<Finding> {
    let workers = effort.workers.max(1);
    let work = |worker: usize| -> anyhow::Result<Finding> {
        let mut watcher = Watcher::new(place, recording, folder, effort, worker)?;
        let mut cutter = Cutter::new(recording, without);
        for moment in 0.. {
            if moment % workers == worker {
                let looked = watcher.look_at(&cutter, moment, without.is_some());
                looked.with_context(|| format!("after deed {moment}"))?;
            }
            let is_enough = without.is_some() && !watcher.finding.violations.is_empty();
            if is_enough || !cutter.advance() {
                break;
            }
        }
        Ok(watcher.finding)
    };
    std::thread::scope(|scope| {
        let work = &work;
        let threads: Vec<_> =
            (0..workers).map(|worker| scope.spawn(move || work(worker))).collect();
        let mut whole = Finding::default();
        for thread in threads {
            let Ok(finding) = thread.join() else { bail!("a worker ended early") };
            let finding = finding?;
            whole.states += finding.states;
            whole.checked_by_git += finding.checked_by_git;
            whole.violations.extend(finding.violations);
        }
        Ok(whole)
    })
}

/// Lays states out and looks at them, one after the other.
struct Watcher<'p> {
    place: &'p Place,
    effort: Effort,
    /// States of each moment.
    each: usize,
    bench: Bench,
    /// Where states that break a promise are kept.
    kept: PathBuf,
    random: fastrand::Rng,
    seen: HashSet<(u64, usize)>,
    finding: Finding,
}

impl<'p> Watcher<'p> {
    fn new(
        place: &'p Place,
        recording: &Recording,
        folder: &Path,
        effort: Effort,
        worker: usize,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            place,
            effort,
            each: (effort.states / (recording.deeds.len() + 1)).max(EACH_MIN),
            bench: Bench::new(&folder.join(format!("bench-{worker}")))?,
            kept: folder.join(format!("broken-{worker}")),
            random: fastrand::Rng::with_seed(effort.seed + worker as u64),
            seen: HashSet::new(),
            finding: Finding::default(),
        })
    }

    fn look_at(
        &mut self,
        cutter: &Cutter<'_>,
        moment: usize,
        is_mutant: bool,
    ) -> anyhow::Result<()> {
        let weak = [Rules::Ordered, Rules::Weak(50), Rules::Weak(10), Rules::Weak(90)];
        let random = weak.into_iter().cycle();
        let rules = [Rules::KeepAll, Rules::KeepNone].into_iter().chain(random).take(self.each);
        for rules in rules {
            let state = cutter.state(rules, &mut self.random);
            // The same files are another state when more was promised.
            if !self.seen.insert((state::fingerprint(&state), cutter.promises.len())) {
                continue;
            }
            self.finding.states += 1;
            let folder = self.bench.lay_out(&state)?;
            let mut looked = Ok(());
            if self.finding.states.is_multiple_of(self.effort.fsck_every) {
                looked = fsck_if_there(self.place, folder);
                self.finding.checked_by_git += 1;
            }
            let looked = looked.and_then(|()| state::check(folder, &cutter.promises));
            if let Err(error) = looked {
                let kept = self.kept.join(moment.to_string());
                if !is_mutant && self.finding.violations.len() < 10 {
                    let folder = self.bench.lay_out(&state)?;
                    copy_folder(folder, &kept)?;
                }
                let what = format!("cut after deed {moment}, {rules:?}: {error:#}");
                let reproduce = format!("look at {}", kept.display());
                self.finding.violations.push(Violation { what, reproduce });
                return Ok(());
            }
        }
        Ok(())
    }
}

fn fsck_if_there(place: &Place, folder: &Path) -> anyhow::Result<()> {
    let repository = folder.join("results.git");
    if repository.exists() { fsck(place, &repository) } else { Ok(()) }
}
