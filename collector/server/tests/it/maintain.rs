//! `pony-collector maintain`, and the same by a collector that runs.

use std::fs::{self, File};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, SystemTime};

use crate::collector::{Place, client_info, git};

/// Runs `maintain` on the repository. Returns the exit status, and what it said.
fn maintain(place: &Place, more: &[&str], path: Option<&str>) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pony-collector"));
    command.arg("maintain").args(more).arg(place.repo());
    if let Some(path) = path {
        command.env("PATH", path);
    }
    let Output { status, stdout, stderr } = command.output().unwrap();
    let said = [stdout, stderr].concat();
    (status.code().unwrap(), String::from_utf8(said).unwrap())
}

fn fill(place: &Place) {
    let collector = place.start(&[]);
    for _ in 0..5 {
        collector.add(client_info("hayloft", true));
    }
    collector.kill();
}

#[test]
fn a_repository_is_packed_and_says_so() {
    let place = Place::new();
    fill(&place);
    let (status, said) = maintain(&place, &[], None);
    assert_eq!(status, 0, "{said}");
    assert!(said.contains("packs of ") && said.contains(" became 1 pack of "), "{said}");
    let (status, said) = maintain(&place, &["--all"], None);
    assert!(status == 0 && said.ends_with("nothing to do\n"), "{said}");
    git(&place.repo(), &["commit-graph", "verify"]);
    place.fsck();
    let collector = place.start(&[]);
    assert!(!collector.should_build(client_info("hayloft", true)), "it is known");
    collector.add(client_info("hayloft", true));
}

#[test]
fn a_running_collector_is_named_and_does_it_by_itself() {
    let place = Place::new();
    fill(&place);
    let packs = place.repo().join("objects/pack");
    for entry in fs::read_dir(&packs).unwrap() {
        let old = SystemTime::now() - Duration::from_secs(25 * 3600);
        File::open(entry.unwrap().path()).unwrap().set_modified(old).unwrap();
    }
    let collector = place.start(&[]);
    let (status, said) = maintain(&place, &[], None);
    let pid = fs::read_to_string(place.repo().join("pony.lock")).unwrap();
    assert_eq!(status, 75);
    assert!(said.contains(&format!("is being written by process {pid}")), "{said}");
    place.wait_for_log("maintained the repository: ");
    collector.add(client_info("hayloft", true));
    collector.kill();
    place.fsck();
    assert_eq!(git(&place.repo(), &["rev-list", "--count", "main"]).trim(), "7");
}

#[test]
fn without_git_packs_are_joined_and_the_reason_is_said() {
    let place = Place::new();
    fill(&place);
    let nowhere = place.path("nowhere");
    let (status, said) = maintain(&place, &[], nowhere.to_str());
    assert_eq!(status, 0, "{said}");
    assert!(said.contains(" became 1 pack of "), "{said}");
    assert!(said.contains("there is no git here"), "{said}");
    place.fsck();
}

#[test]
fn what_is_no_results_repository_is_refused() {
    let place = Place::new();
    let (status, said) = maintain(&place, &[], None);
    assert_eq!(status, 66, "{said}");
    assert!(said.contains("no results repository at"), "{said}");
}

#[test]
fn killed_at_any_time_it_leaves_everything_and_the_next_run_tidies_up() {
    let place = Place::new();
    fill(&place);
    let count = || {
        git(&place.repo(), &["cat-file", "--batch-all-objects", "--batch-check"]).lines().count()
    };
    let before = count();
    for round in 0..25_u64 {
        // A pack that no run has seen yet, so that there is something to do.
        let _ = fs::remove_file(place.repo().join("objects/info/pony-maintained"));
        let mut child = Command::new(env!("CARGO_BIN_EXE_pony-collector"))
            .args(["maintain", "--all"])
            .arg(place.repo())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(round * 5));
        let _ = child.kill();
        child.wait().unwrap();
        assert_eq!(count(), before);
        place.fsck();
    }
    let (status, said) = maintain(&place, &[], None);
    assert_eq!(status, 0, "{said}");
    assert!(!place.repo().join("objects/tmp_pony_maintain").exists());
    assert_eq!(count(), before);
}
