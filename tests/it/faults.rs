//! A short form of the fault tests; `cargo xtask faults` has the long one, RELIABILITY.md what it found.

use pony_tests::place::Place;
use pony_tests::report::{Report, Row};
use pony_tests::sweep::Depth;
use pony_tests::sweep::scenario::SCENARIOS;
use pony_tests::{beside_git, clock, full_disk, kills, power_cut, pushes, sweep};

use crate::programs;

/// What random choices begin with.
const SEED: u64 = 1;

fn place() -> Place {
    Place { programs: programs::folder().to_owned() }
}

/// Nothing is broken. What cannot be tried here is said, and is an error where everything is promised to be
/// there.
#[track_caller]
fn assert_kept(rows: Vec<Row>) {
    let report = Report { rows, ..Report::default() };
    assert_eq!(report.complaints(), "");
    for row in &report.rows {
        if let Some(why) = &row.not_checked {
            programs::not_checked(&format!("{}: {why}", row.what));
        }
    }
}

#[track_caller]
fn sweep_over(name: &str) {
    let scenario = SCENARIOS.iter().find(|scenario| scenario.name == name).unwrap();
    assert_kept(vec![sweep::run(&place(), scenario, Depth::Short, 2).unwrap()]);
}

#[test]
fn one_fault_anywhere_in_a_submission_loses_nothing() {
    sweep_over("later commit");
}

#[test]
fn one_fault_anywhere_leaves_no_lock_on_packed_refs() {
    sweep_over("packed refs");
}

#[test]
fn a_power_cut_at_any_moment_loses_nothing_and_each_sync_is_needed() {
    let effort = power_cut::Effort {
        states: 100,
        mutant_states: 500,
        fsck_every: 50,
        workers: 2,
        seed: SEED,
    };
    let run = power_cut::RUNS.iter().find(|run| run.name == power_cut::SHORT).unwrap();
    assert_kept(power_cut::run(&place(), run, effort).unwrap());
}

#[test]
fn kill_9_beneath_eight_clients_loses_nothing() {
    let effort = kills::Effort { cycles: 4, cycles_each: 4, clients: 8, life_max: 300, seed: SEED };
    assert_kept(vec![kills::run(&place(), effort).unwrap()]);
}

#[test]
fn maintenance_and_pushes_by_git_lose_nothing() {
    for disturbance in &beside_git::DISTURBANCES {
        assert_kept(vec![beside_git::run(&place(), disturbance, 20).unwrap()]);
    }
}

#[test]
fn a_full_disk_loses_nothing() {
    assert_kept(vec![full_disk::run(&place(), &[2 << 20]).unwrap()]);
}

#[test]
fn keys_rise_although_the_clock_jumps() {
    assert_kept(vec![clock::run(&place()).unwrap()]);
}

#[test]
fn jobs_that_push_to_a_git_host_at_once_lose_nothing() {
    for way in pushes::WAYS.into_iter().filter(|(_, way)| *way != pushes::Way::File) {
        let effort = pushes::Effort { jobs: 4, rounds: 1, cut: false, seed: SEED };
        assert_kept(vec![pushes::run(&place(), way, effort).unwrap()]);
    }
}

#[test]
fn jobs_that_push_while_the_network_is_cut_lose_nothing_and_store_nothing_twice() {
    let way = pushes::WAYS[0];
    let effort = pushes::Effort { jobs: 3, rounds: 1, cut: true, seed: SEED };
    assert_kept(vec![pushes::run(&place(), way, effort).unwrap()]);
}
