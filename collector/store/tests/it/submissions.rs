//! A submission with an id is stored once, however often it arrives.

use std::fs;

use jiff::Timestamp;
use pony_formats::{Submission, SubmissionId};
use pony_store::{Appended, Arrival, Artifact, Prepared, Queue, StoreError, Writer};

use crate::fixture::{Fixture, git, submission};

fn arrival(id: &str) -> Arrival {
    Arrival { submission_id: Some(id.parse().unwrap()), ..Arrival::at(Timestamp::now()) }
}

fn append(writer: &mut Writer, package: &str, id: &str) -> Appended {
    writer.append(&submission(package), &arrival(id)).unwrap()
}

fn commits(fixture: &Fixture) -> usize {
    fixture.git(&["rev-list", "--count", "main"]).trim().parse().unwrap()
}

/// Not the submission of that name in the fixture.
fn other(package: &str) -> Submission {
    let mut other = submission(package);
    other.results_list[0] = other.results_list[0].clone().with("output", "other");
    other
}

#[test]
fn the_same_submission_gets_the_same_receipt() {
    let fixture = Fixture::new();
    let mut writer = fixture.writer();
    let first = append(&mut writer, "hayloft", "a");
    let head = fixture.git(&["rev-parse", "main"]);
    for _ in 0..3 {
        assert_eq!(append(&mut writer, "hayloft", "a").receipt, first.receipt);
    }
    assert_eq!(fixture.git(&["rev-parse", "main"]), head);
    let snapshot = fixture.store.snapshot().unwrap();
    let read = snapshot.read("hayloft", first.receipt.key).unwrap().unwrap();
    assert_eq!(read.receipt.submission_id, "a".parse::<SubmissionId>().ok());
    assert_ne!(append(&mut writer, "hayloft", "b").receipt.key, first.receipt.key);
}

#[test]
fn other_content_under_the_same_id_is_refused() {
    let fixture = Fixture::new();
    let mut writer = fixture.writer();
    let first = append(&mut writer, "hayloft", "a");
    for submission in [other("hayloft"), submission("barn")] {
        let error = writer.append(&submission, &arrival("a")).unwrap_err();
        let StoreError::SubmissionIdTaken { id, key } = &error else { panic!("{error}") };
        assert_eq!((id.as_str(), *key), ("a", first.receipt.key));
        assert_eq!(error.exit_status(), 65);
    }
    assert_eq!(commits(&fixture), 2);
}

#[test]
fn without_an_id_each_is_a_result() {
    let fixture = Fixture::new();
    let keys = fixture.fill(&["hayloft", "hayloft"]);
    assert_ne!(keys[0], keys[1]);
    assert!(!fixture.store.index_path().exists(), "nobody needs an index");
}

#[test]
fn an_id_is_known_after_a_restart_without_the_index_and_after_gc() {
    let fixture = Fixture::new();
    let mut writer = fixture.writer();
    let first = append(&mut writer, "hayloft", "a").receipt;
    let artifact = Artifact {
        filename: "log".to_owned(),
        description: String::new(),
        size: 1,
        sha256: [0; 32].into(),
        visible: true,
    };
    writer.attach("hayloft", first.key, &artifact).unwrap();
    drop(writer);
    assert_eq!(append(&mut fixture.writer(), "hayloft", "a").receipt, first);
    fs::remove_file(fixture.store.index_path()).unwrap();
    assert_eq!(append(&mut fixture.writer(), "hayloft", "a").receipt, first);
    // As an administrator would, who has stopped the writer.
    fixture.git(&["config", "extensions.preciousObjects", "false"]);
    fixture.git(&["gc", "--quiet"]);
    fixture.git(&["config", "extensions.preciousObjects", "true"]);
    assert_eq!(append(&mut fixture.writer(), "hayloft", "a").receipt, first);
    fs::write(fixture.store.index_path(), "no index").unwrap();
    assert_eq!(append(&mut fixture.writer(), "hayloft", "a").receipt, first);
    assert_eq!(commits(&fixture), 3);
}

#[test]
fn equal_ids_in_one_batch_are_one_commit() {
    let fixture = Fixture::new();
    let prepared = |submission: &Submission| Prepared::new(submission).unwrap();
    let batch = [
        (prepared(&submission("hayloft")), arrival("a")),
        (prepared(&submission("barn")), arrival("b")),
        (prepared(&submission("hayloft")), arrival("a")),
        (prepared(&other("hayloft")), arrival("a")),
        (prepared(&submission("hayloft")), Arrival::at(Timestamp::now())),
    ];
    let outcomes = fixture.writer().append_all(&batch);
    let key = |at: usize| outcomes[at].as_ref().unwrap().receipt.key;
    assert_eq!(key(0), key(2));
    assert_eq!(outcomes[0].as_ref().unwrap(), outcomes[2].as_ref().unwrap());
    assert_ne!(key(0), key(4));
    assert!(matches!(outcomes[3], Err(StoreError::SubmissionIdTaken { .. })));
    assert_eq!(commits(&fixture), 4);
    fixture.fsck();
}

#[test]
fn equal_ids_in_one_batch_are_one_commit_whenever_the_files_of_each_were_recorded() {
    let fixture = Fixture::new();
    let whole = Artifact {
        filename: "output".to_owned(),
        description: String::new(),
        size: 1,
        sha256: [0; 32].into(),
        visible: true,
    };
    let batch = ["2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z"].map(|time| {
        let prepared = Prepared::new(&submission("hayloft")).unwrap();
        let time = time.parse().unwrap();
        (prepared.with_artifacts(time, std::slice::from_ref(&whole)).unwrap(), arrival("a"))
    });
    let outcomes = fixture.writer().append_all(&batch);
    assert_eq!(outcomes[0].as_ref().unwrap(), outcomes[1].as_ref().unwrap());
    assert_eq!(commits(&fixture), 2);
}

#[test]
fn equal_ids_from_many_threads_are_one_commit() {
    let fixture = Fixture::new();
    let queue = Queue::start(fixture.writer(), || ()).unwrap();
    let keys: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    let prepared = Prepared::new(&submission("hayloft")).unwrap();
                    queue.append(prepared, arrival("a")).unwrap().receipt.key
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    queue.finish();
    assert!(keys.iter().all(|key| *key == keys[0]), "{keys:?}");
    assert_eq!(commits(&fixture), 2);
}

#[test]
fn an_id_that_somebody_pushed_is_known() {
    let (here, there) = (Fixture::new(), Fixture::new());
    let first = append(&mut there.writer(), "hayloft", "a").receipt;
    let mut writer = here.writer();
    append(&mut writer, "barn", "b");
    let clone = here.clone_of();
    git(&clone, &["fetch", "--quiet", there.path().to_str().unwrap(), "main"]);
    git(&clone, &["merge", "--quiet", "-m", "union", "FETCH_HEAD"]);
    git(&clone, &["push", "--quiet"]);
    assert_eq!(append(&mut writer, "hayloft", "a").receipt, first);
}

/// Flips bits all over the index.
#[test]
fn a_damaged_index_fails_no_submission() {
    let fixture = Fixture::new();
    let ids: Vec<String> = (0..20).map(|number| format!("id-{number}")).collect();
    let mut writer = fixture.writer();
    ids.iter().for_each(|id| drop(append(&mut writer, "hayloft", id)));
    drop(writer.index().unwrap());
    drop(writer);
    let place = fixture.store.index_path();
    let sound = fs::read(&place).unwrap();
    let used: Vec<usize> = (0..sound.len()).filter(|at| sound[*at] != 0).collect();
    for at in used.iter().step_by(used.len() / 60 + 1) {
        let mut flipped = sound.clone();
        flipped[*at] ^= 1 << (at % 8);
        fs::write(&place, &flipped).unwrap();
        let mut writer = fixture.writer();
        for id in [&ids[3], &ids[17]] {
            let outcome = writer.append(&submission("hayloft"), &arrival(id));
            assert!(outcome.is_ok(), "byte {at}: {outcome:?}");
        }
    }
}
