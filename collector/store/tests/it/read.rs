//! Snapshots.

use std::fs;

use jiff::Timestamp;
use pony_formats::ResultKey;
use pony_store::{Store, StoreError};

use crate::fixture::{Fixture, append};

#[test]
fn a_snapshot_stays_as_it_is() {
    let fixture = Fixture::new();
    let keys = fixture.fill(&["hayloft"]);
    let before = fixture.store.snapshot().unwrap();
    fixture.fill(&["hayloft", "barn"]);
    assert_eq!(before.packages().unwrap(), ["hayloft"]);
    assert_eq!(before.results("hayloft").unwrap(), keys);
    assert!(before.read("hayloft", keys[0]).unwrap().is_some());
    let after = fixture.store.snapshot().unwrap();
    assert_eq!(after.results("hayloft").unwrap().len(), 2);
    assert!(before.package_of(after.results("barn").unwrap()[0]).unwrap().is_none());
}

#[test]
fn results_of_many_days_are_sorted() {
    let fixture = Fixture::new();
    let mut writer = fixture.writer();
    let times = ["2025-12-31T23:59:59.999Z", "2026-01-01T00:00:00Z", "2026-10-09T00:00:00Z"];
    let keys = times.map(|time| {
        let arrival = pony_store::Arrival::at(time.parse().unwrap());
        writer.append(&crate::fixture::submission("hayloft"), &arrival).unwrap().receipt.key
    });
    assert_eq!(fixture.store.snapshot().unwrap().results("hayloft").unwrap(), keys);
}

#[test]
fn what_is_not_there_is_none() {
    let fixture = Fixture::new();
    let key = fixture.fill(&["hayloft"])[0];
    let snapshot = fixture.store.snapshot().unwrap();
    let unknown = ResultKey::new(Timestamp::now(), 3);
    assert_eq!(snapshot.results("barn").unwrap(), []);
    assert_eq!(snapshot.read("barn", key).unwrap(), None);
    assert_eq!(snapshot.summary("hayloft", unknown).unwrap(), None);
    assert_eq!(snapshot.package_of(unknown).unwrap(), None);
    // Files of the root are no packages.
    assert_eq!(snapshot.results("format.json").unwrap(), []);
    assert_eq!(snapshot.results("").unwrap(), []);
}

#[test]
fn a_reader_follows_a_writer() {
    let fixture = Fixture::new();
    let reader = Store::open(fixture.path()).unwrap();
    let mut writer = fixture.writer();
    for count in 1..=40 {
        append(&mut writer, "hayloft");
        assert_eq!(reader.snapshot().unwrap().results("hayloft").unwrap().len(), count);
    }
}

#[test]
fn a_damaged_object_is_reported_with_its_result() {
    let fixture = Fixture::new();
    let keys = fixture.fill(&["hayloft", "barn"]);
    let packs = fixture.path().join("objects/pack");
    let tree = fixture.git(&["rev-parse", "main"]);
    // The file is a loose object from now on, and gets cut short.
    let path = format!("main:hayloft/{}", day_and_key(keys[0]));
    let id = fixture.git(&["rev-parse", &format!("{path}/receipt.json")]);
    let id = id.trim();
    for entry in fs::read_dir(&packs).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|end| end == "pack") {
            let content = fs::read(&path).unwrap();
            let moved = fixture.folder.path().join("moved.pack");
            fs::write(&moved, &content).unwrap();
            fs::remove_file(&path).unwrap();
            fs::remove_file(path.with_extension("idx")).unwrap();
            unpack(&fixture, &moved);
        }
    }
    let loose = fixture.path().join("objects").join(&id[..2]).join(&id[2..]);
    make_writable(&loose);
    let length = fs::metadata(&loose).unwrap().len();
    fs::File::options().write(true).open(&loose).unwrap().set_len(length / 2).unwrap();

    let snapshot = Store::open(fixture.path()).unwrap().snapshot().unwrap();
    assert_eq!(snapshot.commit_id().to_string(), tree.trim());
    let error = snapshot.read("hayloft", keys[0]).unwrap_err();
    let StoreError::Damaged { subject, reason } = &error else { panic!("{error}") };
    assert_eq!(*subject, format!("result {}", keys[0]));
    assert!(reason.contains(id), "{reason}");
    assert!(!error.to_string().contains('\n'));
    // The others can still be read, and new ones stored.
    assert!(snapshot.read("barn", keys[1]).unwrap().is_some());
    append(&mut fixture.writer(), "hayloft");

    fs::remove_file(&loose).unwrap();
    let error = snapshot.summary("hayloft", keys[0]).unwrap_err();
    assert!(error.to_string().contains("is missing"), "{error}");
}

fn day_and_key(key: ResultKey) -> String {
    format!("{}/{key}", key.time().strftime("%Y/%m/%d"))
}

fn unpack(fixture: &Fixture, pack: &std::path::Path) {
    let status = std::process::Command::new("git")
        .args(["unpack-objects", "-q"])
        .current_dir(fixture.path())
        .stdin(fs::File::open(pack).unwrap())
        .status()
        .unwrap();
    assert!(status.success());
}

fn make_writable(path: &std::path::Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
    }
    #[cfg(not(unix))]
    {
        let mut permissions = fs::metadata(path).unwrap().permissions();
        permissions.set_readonly(false);
        fs::set_permissions(path, permissions).unwrap();
    }
}
