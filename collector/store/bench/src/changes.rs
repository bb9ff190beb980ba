//! What is new since a commit: what it costs, and whether that depends on how much there is.

use std::fs;
use std::hint::black_box;
use std::io::Write;
use std::path::Path;

use pony_store::{CommitId, Store};

use crate::measure::{Sample, child, median, sample};
use crate::repository::{base, copy, fill, git};
use crate::{Failure, Plan};

/// Results that are new.
const NEW: u64 = 100;

/// How often the question is asked in one child.
const TIMES: u32 = 20;

/// In the child: asks what is new since `base`, after it was asked once.
pub(crate) fn read(repo: &Path, base: &str) -> Result<Sample, Failure> {
    let store = Store::open(repo)?;
    let base: CommitId = base.parse()?;
    let ask = || -> Result<usize, Failure> {
        let changes = store.snapshot()?.changes_since(Some(&base))?;
        Ok(changes.ok_or("no ancestor")?.len())
    };
    if ask()? as u64 != NEW {
        return Err("not what is new".into());
    }
    let ((), sample) = sample(|| {
        (0..TIMES).try_for_each(|_| {
            black_box(ask()?);
            Ok(())
        })
    })?;
    let times = f64::from(TIMES);
    Ok(Sample { wall: sample.wall / times, cpu: sample.cpu / times })
}

/// Measures and prints.
pub(crate) fn write(out: &mut dyn Write, plan: &Plan) -> Result<(), Failure> {
    writeln!(
        out,
        "\n{NEW} new results, found by `Snapshot::changes_since`, median of {}",
        plan.rounds
    )?;
    let mut first = None;
    for results in plan.bases.iter().filter(|results| **results > 0) {
        let repo = plan.folder.join("written.git");
        copy(&base(&plan.folder, *results)?, &repo)?;
        let head = git(&repo, &["rev-parse", "main"])?;
        fill(&repo, *results..*results + NEW)?;
        let samples = (0..plan.rounds).map(|_| child("changes", &repo, &[head.clone()]));
        let samples = samples.collect::<Result<Vec<_>, Failure>>()?;
        fs::remove_dir_all(&repo)?;
        let wall = median(samples.iter().map(|sample| sample.wall)) * 1e3;
        let cpu = median(samples.iter().map(|sample| sample.cpu)) * 1e3;
        let ratio = wall / *first.get_or_insert(wall);
        writeln!(
            out,
            "of {results:>7}: {wall:6.2} ms (goal 3), CPU {cpu:6.2} ms, {ratio:.2}x the first line (goal 2)"
        )?;
    }
    Ok(())
}
