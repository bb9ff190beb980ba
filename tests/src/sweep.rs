//! Single faults at every system call of one submission: killed before it, or the call fails.
//!
//! strace counts the calls of each thread and has one of them fail (`-e inject`). After each fault the
//! repository must hold what was acknowledged, exactly once; what was not, at most once; git must find it
//! whole; and the next submission must work without anybody's help.

mod point;
pub mod scenario;
mod verdict;

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Context as _;

use crate::place::{Place, copy_folder, has};
use crate::report::{Row, Violation};
use point::{Fault, Point};
use scenario::Scenario;
use verdict::Verdict;

/// How many points of a sweep are tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Killed before each call that makes something durable or visible, and each such call fails once.
    Short,
    /// Every call, every fault.
    Full,
}

/// Sweeps over one scenario. `workers` points are tried at a time.
///
/// # Errors
/// When the sweep itself does not work. Broken promises are in the row.
pub fn run(
    place: &Place,
    scenario: &Scenario,
    depth: Depth,
    workers: usize,
) -> anyhow::Result<Row> {
    let what = format!("single faults: {}", scenario.name);
    if !has("strace", "-V") {
        return Ok(Row::not_checked(&what, "no strace here"));
    }
    let folder = place.fast_folder()?;
    let template = folder.path().join("template");
    std::fs::create_dir(&template)?;
    (scenario.prepare)(place, &template).context("cannot prepare the scenario")?;
    let points = point::all(place, scenario, &template, folder.path(), depth)?;
    let tried = try_all(place, scenario, &template, folder.path(), &points, workers)?;
    let elsewhere = tried.iter().filter(|verdict| verdict.is_elsewhere).count();
    let count = format!("{} points", points.len() - elsewhere);
    let mut row = Row { what, count, ..Row::default() };
    let acknowledged = tried.iter().filter(|verdict| verdict.is_acknowledged).count();
    row.remark = format!("{acknowledged} acknowledged");
    for (point, verdict) in points.iter().zip(tried) {
        if let Some(problem) = verdict.problem {
            let reproduce = format!(
                "pony-faults sweep --only {:?} --point {}",
                scenario.name,
                point.injection()
            );
            row.violations.push(Violation { what: format!("{point}: {problem}"), reproduce });
        }
    }
    Ok(row)
}

/// Tries one point, named as strace names an injection: `fsync:error=EIO:when=3`.
///
/// # Errors
/// When the point is none, or the sweep itself does not work.
pub fn run_one(place: &Place, scenario: &Scenario, injection: &str) -> anyhow::Result<Row> {
    let point = Point::parse(injection).context("a point is like fsync:error=EIO:when=3")?;
    let folder = place.fast_folder()?;
    let template = folder.path().join("template");
    std::fs::create_dir(&template)?;
    (scenario.prepare)(place, &template).context("cannot prepare the scenario")?;
    let home = folder.path().join("home");
    copy_folder(&template, &home)?;
    let verdict = verdict::try_point(place, scenario, &home, &point)?;
    let mut row = Row { what: format!("{}: {point}", scenario.name), ..Row::default() };
    row.count = "1 point".to_owned();
    row.remark = verdict.remark();
    let reproduce = format!("the home is kept in {}", home.display());
    row.violations.extend(verdict.problem.map(|what| Violation { what, reproduce }));
    if !row.violations.is_empty() {
        let _ = folder.keep();
    }
    Ok(row)
}

fn try_all(
    place: &Place,
    scenario: &Scenario,
    template: &Path,
    folder: &Path,
    points: &[Point],
    workers: usize,
) -> anyhow::Result<Vec<Verdict>> {
    let next = AtomicUsize::new(0);
    let tried: Mutex<Vec<(usize, Verdict)>> = Mutex::default();
    let work = |worker: usize| -> anyhow::Result<()> {
        let home = folder.join(format!("home-{worker}"));
        while let Some(index) =
            Some(next.fetch_add(1, Ordering::Relaxed)).filter(|i| *i < points.len())
        {
            if home.exists() {
                std::fs::remove_dir_all(&home)?;
            }
            copy_folder(template, &home)?;
            let point = &points[index];
            let verdict = verdict::try_point(place, scenario, &home, point)
                .with_context(|| format!("{}: {point}", scenario.name))?;
            if let Ok(mut tried) = tried.lock() {
                tried.push((index, verdict));
            }
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..workers.max(1)).map(|worker| scope.spawn(move || work(worker))).collect();
        threads.into_iter().try_for_each(|thread| match thread.join() {
            Ok(outcome) => outcome,
            Err(_) => Err(anyhow::anyhow!("a worker ended early")),
        })
    })?;
    let mut tried = tried.into_inner().unwrap_or_default();
    tried.sort_by_key(|(index, _)| *index);
    Ok(tried.into_iter().map(|(_, verdict)| verdict).collect())
}

impl Fault {
    /// The faults that a depth tries.
    fn of(depth: Depth) -> &'static [Self] {
        match depth {
            Depth::Short => &[Self::Kill, Self::Once("EIO")],
            Depth::Full => &[
                Self::Kill,
                Self::Once("EIO"),
                Self::Once("ENOSPC"),
                Self::Once("EROFS"),
                Self::FromThenOn("ENOSPC"),
            ],
        }
    }
}
