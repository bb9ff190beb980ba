//! `kill -9` again and again, beneath eight clients.
//!
//! Each cycle starts the collector, which must be ready without anybody's help, lets clients submit over HTTP,
//! and kills it at a random moment. Every now and then everything is counted and a new repository is begun.

use std::time::Duration;

use anyhow::Context as _;

use crate::census::fsck;
use crate::collector::Collector;
use crate::load::Load;
use crate::place::Place;
use crate::report::{Row, Violation};

/// How much is done.
#[derive(Debug, Clone, Copy)]
pub struct Effort {
    /// How often it is killed.
    pub cycles: usize,
    /// Cycles on one repository, after which everything is counted.
    pub cycles_each: usize,
    /// Who submits.
    pub clients: usize,
    /// The longest life after the start, in milliseconds.
    pub life_max: u64,
    /// What random choices begin with.
    pub seed: u64,
}

/// Kills collectors.
///
/// # Errors
/// When the test itself does not work. Broken promises are in the row.
pub fn run(place: &Place, effort: Effort) -> anyhow::Result<Row> {
    let mut row = Row {
        what: format!("kill -9 beneath {} clients", effort.clients),
        count: format!("{} cycles", effort.cycles),
        ..Row::default()
    };
    let mut random = fastrand::Rng::with_seed(effort.seed);
    let (mut acknowledged, mut slowest, mut done) = (0, Duration::ZERO, 0);
    while done < effort.cycles {
        let folder = place.disk_folder()?;
        let load = Load::default();
        let cycles = effort.cycles_each.min(effort.cycles - done);
        let mut problem = None;
        for cycle in 0..cycles {
            match one_life(place, folder.path(), &load, effort, &mut random) {
                Ok(start) => slowest = slowest.max(start),
                Err(error) => {
                    problem = Some(format!("cycle {}: {error:#}", done + cycle));
                    break;
                }
            }
        }
        let repository = folder.path().join("results.git");
        let counted = load.check(&repository).and_then(|()| fsck(place, &repository));
        let counted = counted.map_err(|error| format!("after cycle {}: {error:#}", done + cycles));
        for what in [problem, counted.err()].into_iter().flatten() {
            let reproduce = format!(
                "pony-faults kills --seed {}; look at {}",
                effort.seed,
                folder.path().display()
            );
            row.violations.push(Violation { what, reproduce });
        }
        if !row.violations.is_empty() {
            let _ = folder.keep();
        }
        acknowledged += load.acknowledged();
        done += cycles;
    }
    row.remark = format!(
        "{acknowledged} acknowledged, all of them there once; slowest start {} ms",
        slowest.as_millis()
    );
    if !row.violations.is_empty() {
        row.remark = format!("{acknowledged} acknowledged");
    }
    Ok(row)
}

/// From a start to a kill; returns how long the start took.
fn one_life(
    place: &Place,
    home: &std::path::Path,
    load: &Load,
    effort: Effort,
    random: &mut fastrand::Rng,
) -> anyhow::Result<Duration> {
    let collector = Collector::start(place, home).context("a restart needs help")?;
    let (start, url) = (collector.start, collector.url.clone());
    let life = Duration::from_millis(random.u64(1..=effort.life_max));
    std::thread::scope(|scope| {
        let url = &url;
        let clients: Vec<_> = (0..effort.clients)
            .map(|number| scope.spawn(move || load.client(url, number, usize::MAX)))
            .collect();
        std::thread::sleep(life);
        collector.kill()?;
        clients.into_iter().try_for_each(|client| match client.join() {
            Ok(outcome) => outcome,
            Err(_) => Err(anyhow::anyhow!("a client ended early")),
        })
    })?;
    Ok(start)
}
