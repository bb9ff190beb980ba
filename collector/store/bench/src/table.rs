//! The table of writers: who commits how many results in a second.

use std::fs;
use std::io::Write;
use std::path::Path;

use crate::measure::{Sample, child, median, spread};
use crate::repository::{base, copy, git};
use crate::writers::{CONTESTANTS, Contestant};
use crate::{Failure, Plan};

/// The rates of ours in full repositories over that in an empty one is to be at least this.
const STEADINESS: f64 = 0.7;

/// Measures and prints. The first line of each table is ours; the others say how many times as fast ours is,
/// the median of the ratios of neighbours in time.
pub(crate) fn write_rates(out: &mut dyn Write, plan: &Plan) -> Result<(), Failure> {
    let mut samples = Vec::new();
    for results in &plan.bases {
        writeln!(out, "\nCommits on top of {results} results, median of {}", plan.rounds)?;
        writeln!(
            out,
            "{:40} {:>9} {:>8} {:>7} {:>8} {:>6} {:>8}",
            "", "commits/s", "CPU ms", "spread", "ours is", "goal", "by CPU"
        )?;
        let rounds = measure(plan, *results)?;
        let ours = rounds.first().cloned().unwrap_or_default();
        for (contestant, samples) in CONTESTANTS.iter().zip(&rounds) {
            write_line(out, contestant, samples, &ours)?;
        }
        samples.push(ours);
    }
    let [first, .., last] = samples.as_slice() else { return Ok(()) };
    let ratio = median(first.iter().zip(last).map(|(empty, full)| empty.wall / full.wall));
    let cpu = median(first.iter().zip(last).map(|(empty, full)| empty.cpu / full.cpu));
    writeln!(
        out,
        "\nOurs, rate at the most results over rate at the fewest: {ratio:.2} (goal {STEADINESS}), \
         by CPU {cpu:.2}"
    )?;
    Ok(())
}

/// The samples of each contestant. Each begins with a copy of the same repository.
fn measure(plan: &Plan, results: u64) -> Result<Vec<Vec<Sample>>, Failure> {
    let base = base(&plan.folder, results)?;
    let mut samples = vec![Vec::new(); CONTESTANTS.len()];
    for _ in 0..plan.rounds {
        let mut expected = None;
        for (contestant, samples) in CONTESTANTS.iter().zip(&mut samples) {
            let repo = plan.folder.join("written.git");
            if repo.exists() {
                fs::remove_dir_all(&repo)?;
            }
            copy(&base, &repo)?;
            samples.push(child(
                "write",
                &repo,
                &[contestant.name.to_owned(), results.to_string()],
            )?);
            check(&repo, contestant, &mut expected)?;
            fs::remove_dir_all(&repo)?;
        }
    }
    Ok(samples)
}

/// Holds that everybody wrote the same. `expected` are the trees of our commits, newest last.
fn check(
    repo: &Path,
    contestant: &Contestant,
    expected: &mut Option<Vec<String>>,
) -> Result<(), Failure> {
    let count = contestant.results.to_string();
    let log = git(repo, &["log", "--reverse", "--format=%T", "-n", &count, "main"])?;
    let trees: Vec<String> = log.lines().map(str::to_owned).collect();
    let expected = expected.get_or_insert_with(|| trees.clone());
    let is_whole = trees.len() as u64 == contestant.results;
    if is_whole && expected.iter().zip(&trees).all(|(expected, tree)| expected == tree) {
        git(repo, &["rev-list", "--objects", "-n", "3", "main"])?;
        return Ok(());
    }
    Err(format!("`{}` wrote something else", contestant.name).into())
}

fn write_line(
    out: &mut dyn Write,
    contestant: &Contestant,
    samples: &[Sample],
    ours: &[Sample],
) -> Result<(), Failure> {
    let results = contestant.results as f64;
    let own_results = CONTESTANTS.first().map_or(results, |first| first.results as f64);
    let per_result = |value: f64, own: f64| (value / results) / (own / own_results);
    let pairs = || samples.iter().zip(ours);
    let ratio = median(pairs().map(|(sample, own)| per_result(sample.wall, own.wall)));
    let by_cpu = median(pairs().map(|(sample, own)| per_result(sample.cpu, own.cpu)));
    let rate = results / median(samples.iter().map(|sample| sample.wall));
    let cpu = median(samples.iter().map(|sample| sample.cpu)) / results * 1e3;
    let spread = spread(samples.iter().map(|sample| sample.wall));
    let goal = contestant.goal.map_or(String::new(), |goal| format!("{goal}x"));
    writeln!(
        out,
        "{:40} {rate:9.1} {cpu:8.3} {spread:6.2}x {ratio:7.2}x {goal:>6} {by_cpu:7.2}x",
        contestant.name
    )?;
    Ok(())
}
