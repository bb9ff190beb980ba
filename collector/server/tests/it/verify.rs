//! `pony-collector verify`.

use std::fs;
use std::process::{Command, Output};

use crate::collector::{Place, client_info, git};

fn verify(place: &Place, more: &[&str]) -> (Option<i32>, String, String) {
    verify_with(Command::new(env!("CARGO_BIN_EXE_pony-collector")), place, more)
}

fn verify_with(
    mut command: Command,
    place: &Place,
    more: &[&str],
) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } =
        command.arg("verify").args(more).arg(place.repo()).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
}

#[test]
fn a_repository_is_verified_beside_and_after_a_collector() {
    let place = Place::new();
    let collector = place.start(&[]);
    collector.add(client_info("orchard", true));
    let (status, said, warned) = verify(&place, &[]);
    assert_eq!((status, said.lines().count()), (Some(0), 1), "{said}{warned}");
    assert!(said.starts_with("sound: 2 commits, "), "{said}");
    assert!(warned.contains("another process has it open"), "{warned}");
    assert!(collector.terminate().success());
    let (status, said, warned) = verify(&place, &[]);
    assert_eq!((status, &*warned), (Some(0), ""), "{said}");
    assert!(said.ends_with(" 1 results, 0 uploaded files, format, index, git fsck\n"), "{said}");
}

#[test]
fn without_room_for_temporary_files_all_but_the_index_is_verified() {
    let place = Place::new();
    let collector = place.start(&[]);
    collector.add(client_info("orchard", true));
    assert!(collector.terminate().success());
    let mut command = Command::new(env!("CARGO_BIN_EXE_pony-collector"));
    command.env("TMPDIR", place.repo().join("none"));
    let (status, said, warned) = verify_with(command, &place, &[]);
    assert_eq!(status, Some(0), "{said}{warned}");
    assert!(said.ends_with(" 0 uploaded files, format, git fsck\n"), "{said}");
    assert!(warned.contains("was not looked at: cannot "), "{warned}");
}

#[test]
fn damage_ends_with_3_and_a_line_for_each_piece() {
    let place = Place::new();
    let collector = place.start(&[]);
    collector.add(client_info("orchard", true));
    collector.add(client_info("orchard", false));
    assert!(collector.terminate().success());
    let old = git(&place.repo(), &["rev-parse", "main"]);
    assert_eq!(verify(&place, &["--since", old.trim()]).0, Some(0));
    git(&place.repo(), &["update-ref", "refs/heads/main", "main~1"]);
    let (status, said, complaint) = verify(&place, &["--since", old.trim()]);
    assert_eq!(status, Some(3), "{said}{complaint}");
    let expected = format!("damaged: head {} is not an ancestor: ", old.trim());
    assert!(said.lines().any(|line| line.starts_with(&expected)), "{said}");
    assert!(complaint.contains("is damaged in 1 places"), "{complaint}");
}

#[test]
fn what_cannot_be_verified_has_a_status_of_its_own() {
    let place = Place::new();
    assert_eq!(verify(&place, &[]).0, Some(66));
    assert_eq!(verify(&place, &["--since", "HEAD"]).0, Some(64));
    fs::create_dir(place.repo()).unwrap();
    let (status, said, complaint) = verify(&place, &[]);
    assert_eq!((status, &*said), (Some(66), ""), "{complaint}");
    assert_eq!(complaint.lines().count(), 1, "{complaint}");
}
