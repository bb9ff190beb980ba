//! Recording uploaded files.

use std::fs;

use jiff::Timestamp;
use pony_formats::ResultKey;
use pony_store::{Artifact, StoreError};

use crate::fixture::{Fixture, git, sentence};

fn artifact(filename: &str, size: u64) -> Artifact {
    Artifact {
        filename: filename.to_owned(),
        description: "what the build said".to_owned(),
        size,
        sha256: [0xab; 32].into(),
        visible: true,
    }
}

#[test]
fn files_come_back_in_the_order_in_which_they_came() {
    let fixture = Fixture::new();
    let key = fixture.fill(&["hayloft"])[0];
    let names = ["b.log", "../../etc/passwd", "a.log\n\nResult-Key: 1", "b.log"];
    let files: Vec<Artifact> = names.iter().map(|name| artifact(name, 40_213)).collect();
    for file in &files {
        // A new writer with a clock that stands still.
        let mut writer = fixture.writer().reproducible(Timestamp::UNIX_EPOCH, 5);
        writer.attach("hayloft", key, file).unwrap();
    }
    fixture.fsck();
    let snapshot = fixture.store.snapshot().unwrap();
    assert_eq!(snapshot.artifacts("hayloft", key).unwrap(), files);
    // They are no part of the triple, and no results.
    assert!(snapshot.read("hayloft", key).unwrap().is_some());
    assert_eq!(snapshot.results("hayloft").unwrap(), [key]);
    let subjects = fixture.git(&["log", "--format=%s", "--reverse", "-4"]);
    assert_eq!(subjects.lines().next().unwrap(), "FILE hayloft: b.log (40213 bytes)");
    let keys = fixture.git(&["log", "-4", "--format=%(trailers:key=Result-Key,valueonly)"]);
    assert!(keys.split_whitespace().all(|found| found == key.to_string()), "{keys}");
}

#[test]
fn a_file_of_no_result_is_refused() {
    let fixture = Fixture::new();
    let key = fixture.fill(&["hayloft"])[0];
    let before = fixture.store.snapshot().unwrap().commit_id().clone();
    let unknown = ResultKey::new(Timestamp::now(), 1);
    let mut writer = fixture.writer();
    for (package, key) in [("hayloft", unknown), ("barn\n", key)] {
        let error = writer.attach(package, key, &artifact("x", 1)).unwrap_err();
        assert!(matches!(error, StoreError::NoSuchResult { .. }), "{error}");
        assert!(sentence(&error).contains(&key.to_string()));
    }
    let snapshot = fixture.store.snapshot().unwrap();
    assert_eq!(snapshot.commit_id(), &before);
    assert!(snapshot.artifacts("hayloft", unknown).unwrap().is_empty());
}

#[test]
fn a_recorded_file_is_a_change_of_its_result() {
    let fixture = Fixture::new();
    let key = fixture.fill(&["hayloft", "barn"])[0];
    let base = fixture.store.snapshot().unwrap();
    let id = fixture.writer().attach("hayloft", key, &artifact("x", 1)).unwrap();
    let snapshot = fixture.store.snapshot().unwrap();
    let changes = snapshot.changes_since(Some(base.commit_id())).unwrap().unwrap();
    assert_eq!(changes.len(), 1);
    assert_eq!((changes[0].key, &changes[0].commit_id), (key, &id));
}

#[test]
fn a_pushed_record_whose_hash_is_a_path_is_damaged() {
    let fixture = Fixture::new();
    let key = fixture.fill(&["hayloft"])[0];
    let clone = fixture.clone_of();
    let folder = format!("hayloft/{}/{key}/artifacts", key.time().strftime("%Y/%m/%d"));
    fs::create_dir_all(clone.join(&folder)).unwrap();
    for hash in ["/etc/passwd", "../pony/secret"] {
        let record = format!(
            r#"{{"filename": "x", "description": "", "size": 1, "sha256": "{hash}", "visible": true}}"#
        );
        fs::write(clone.join(&folder).join("1763899999123456789.json"), record).unwrap();
        git(&clone, &["add", "."]);
        git(&clone, &["commit", "--quiet", "-m", "a path"]);
        git(&clone, &["push", "--quiet"]);
        let snapshot = fixture.store.snapshot().unwrap();
        let error = snapshot.artifacts("hayloft", key).unwrap_err();
        assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
        assert!(error.to_string().contains("no SHA-256"), "{error}");
        // It harms nothing but the list of files.
        assert!(snapshot.read("hayloft", key).unwrap().is_some());
    }
}
