//! A branch that the disk did not keep: refused with what to go back to, never papered over.

use std::fs;
use std::path::PathBuf;

use pony_store::{Store, StoreError};

use crate::fixture::{Fixture, append, sentence};

/// Opens for writing, which must be refused as damage; returns the sentence.
#[track_caller]
fn refusal(fixture: &Fixture) -> String {
    let outcome = Store::open(fixture.path()).and_then(|store| store.writer(Default::default()));
    let error = outcome.unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
    assert_eq!(error.exit_status(), 3);
    sentence(&error)
}

/// Three results; the commits before the last one and of it.
fn three() -> (Fixture, [String; 2]) {
    let fixture = Fixture::new();
    let mut writer = fixture.writer();
    append(&mut writer, "hayloft");
    let [second, third] = [0, 1].map(|_| append(&mut writer, "hayloft").commit_id.to_string());
    drop(writer);
    (fixture, [second, third])
}

/// The pack that holds a commit, without extension.
fn pack_of(fixture: &Fixture, commit: &str) -> PathBuf {
    let packs = fs::read_dir(fixture.path().join("objects/pack")).unwrap();
    let indices = packs.map(|entry| entry.unwrap().path());
    let mut indices = indices.filter(|path| path.extension().is_some_and(|end| end == "idx"));
    let holds = |index: &PathBuf| {
        fixture.git(&["verify-pack", "-v", index.to_str().unwrap()]).contains(commit)
    };
    indices.find(holds).unwrap().with_extension("")
}

/// Does what the sentence says.
#[track_caller]
fn follow_advice(fixture: &Fixture, sentence: &str, commit: &str) {
    assert!(sentence.contains(&format!("the last whole commit is {commit}")), "{sentence}");
    let command = sentence.split('`').find(|part| part.starts_with("echo ")).unwrap();
    let status = std::process::Command::new("sh").args(["-c", command]).status().unwrap();
    assert!(status.success());
    append(&mut Store::open(fixture.path()).unwrap().writer(Default::default()).unwrap(), "barn");
    // The log of the branch still names what is lost.
    let said = fixture.git(&["fsck", "--full", "--strict", "--no-dangling", "--no-reflogs"]);
    assert_eq!(said, "");
}

#[test]
fn an_empty_branch_is_refused_with_the_last_whole_commit() {
    for content in ["", "\0\0\0\0", "0123456789012345678901234567890123456789\n"] {
        let (fixture, [_, third]) = three();
        fs::write(fixture.path().join("refs/heads/main"), content).unwrap();
        let sentence = refusal(&fixture);
        follow_advice(&fixture, &sentence, &third);
    }
}

#[test]
fn a_branch_that_is_gone_is_no_empty_repository() {
    let (fixture, [_, third]) = three();
    fs::remove_file(fixture.path().join("refs/heads/main")).unwrap();
    let sentence = refusal(&fixture);
    follow_advice(&fixture, &sentence, &third);
}

#[test]
fn without_a_log_all_commits_are_searched() {
    let (fixture, [_, third]) = three();
    fs::write(fixture.path().join("refs/heads/main"), "").unwrap();
    fs::remove_dir_all(fixture.path().join("logs")).unwrap();
    assert!(refusal(&fixture).contains(&third));
}

#[test]
fn a_newest_pack_that_is_lost_leads_back_to_the_commit_before() {
    let (fixture, [second, third]) = three();
    let pack = pack_of(&fixture, &third);
    fs::remove_file(pack.with_extension("idx")).unwrap();
    let sentence = refusal(&fixture);
    follow_advice(&fixture, &sentence, &second);
}

#[test]
fn whatever_part_of_the_newest_pack_is_damaged_nothing_is_added_to_it() {
    let (fixture, [_, third]) = three();
    let pack = pack_of(&fixture, &third).with_extension("pack");
    let sound = fs::read(&pack).unwrap();
    // The header and the checksum at the end are not looked at.
    for at in (12..sound.len() - 20).step_by(23) {
        let mut damaged = sound.clone();
        damaged[at] ^= 0x55;
        fs::remove_file(&pack).unwrap();
        fs::write(&pack, &damaged).unwrap();
        let outcome =
            Store::open(fixture.path()).and_then(|store| store.writer(Default::default()));
        assert!(outcome.is_err(), "byte {at}");
        for length in [0, at] {
            fs::write(&pack, &sound[..length]).unwrap();
            let outcome =
                Store::open(fixture.path()).and_then(|store| store.writer(Default::default()));
            assert!(outcome.is_err(), "cut at {length}");
        }
    }
    fs::write(&pack, &sound).unwrap();
    append(&mut fixture.writer(), "hayloft");
}

#[test]
fn when_nothing_is_left_it_says_so() {
    let (fixture, _) = three();
    fs::remove_dir_all(fixture.path().join("objects/pack")).unwrap();
    fs::create_dir(fixture.path().join("objects/pack")).unwrap();
    let sentence = refusal(&fixture);
    assert!(sentence.ends_with("no whole commit is left: restore it from a clone"), "{sentence}");
}
