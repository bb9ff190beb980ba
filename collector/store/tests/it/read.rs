//! Snapshots.

use std::fs;

use jiff::Timestamp;
use pony_formats::{ResultKey, Step};
use pony_store::{Arrival, Store, StoreError};

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
        let arrival = Arrival::at(time.parse().unwrap());
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
fn one_stream_is_read_without_the_rest_of_its_result() {
    let fixture = Fixture::new();
    let mut submission = crate::fixture::submission("hayloft");
    let step = Step::default().with("output", "hay\n").with("errout", "").with("name", "stack");
    submission.results_list = vec![step; 1_001];
    let key =
        fixture.writer().append(&submission, &Arrival::at(Timestamp::now())).unwrap().receipt.key;
    let snapshot = fixture.store.snapshot().unwrap();
    let read = |step, stream| snapshot.stream("hayloft", key, step, stream).unwrap();
    assert_eq!(read(0, "output").as_deref(), Some("hay\n"));
    assert_eq!(read(0, "errout").as_deref(), Some(""));
    // Later steps have no folder.
    assert_eq!(read(1_000, "output").as_deref(), Some("hay\n"));
    assert_eq!(read(1_001, "output"), None);
    assert_eq!(read(0, "name"), None);
    assert_eq!(snapshot.stream("barn", key, 0, "output").unwrap(), None);

    // A file that is gone does not matter to whoever reads another.
    let path = format!("main:hayloft/{}", day_and_key(key));
    let receipt = fixture.git(&["rev-parse", &format!("{path}/receipt.json")]);
    let copy = fixture.folder.path().join("damaged.git");
    let snapshot = without_object(&fixture, receipt.trim(), &copy).snapshot().unwrap();
    assert!(snapshot.read("hayloft", key).is_err());
    assert_eq!(snapshot.stream("hayloft", key, 0, "output").unwrap().as_deref(), Some("hay\n"));
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
            unpack(fixture.path(), &moved);
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

#[test]
fn a_missing_day_hides_no_other_and_is_reported() {
    let fixture = Fixture::new();
    let mut writer = fixture.writer();
    let mut append_at = |package: &str, time: &str| {
        let arrival = Arrival::at(time.parse().unwrap());
        writer.append(&crate::fixture::submission(package), &arrival).unwrap().receipt.key
    };
    let lost = append_at("hayloft", "2026-01-01T00:00:00Z");
    let kept = append_at("hayloft", "2026-01-02T00:00:00Z");
    let other = append_at("barn", "2026-01-01T00:00:00Z");
    drop(writer);
    let day = fixture.git(&["rev-parse", "main:hayloft/2026/01/01"]);
    let day = day.trim();
    let copy = fixture.folder.path().join("damaged.git");
    let store = without_object(&fixture, day, &copy);
    let snapshot = store.snapshot().unwrap();
    assert_eq!(snapshot.packages().unwrap(), ["barn", "hayloft"]);
    assert_eq!(snapshot.results("hayloft").unwrap(), [kept]);
    let damage: Vec<String> = snapshot.damage().unwrap().iter().map(|e| e.to_string()).collect();
    assert_eq!(damage, [format!("damaged: folder `hayloft`: tree {day} is missing")]);
    assert!(snapshot.read("hayloft", lost).unwrap_err().to_string().contains(day));
    assert!(snapshot.package_of(lost).unwrap_err().to_string().contains(day));
    assert_eq!(snapshot.package_of(other).unwrap().as_deref(), Some("barn"));
    // New results are stored.
    let mut writer = store.writer(std::time::Duration::ZERO).unwrap();
    append(&mut writer, "hayloft");
    assert_eq!(store.snapshot().unwrap().results("hayloft").unwrap().len(), 2);
    assert!(fixture.store.snapshot().unwrap().damage().unwrap().is_empty());
}

/// A copy of a repository that lacks one object.
fn without_object(fixture: &Fixture, id: &str, copy: &std::path::Path) -> Store {
    Store::create(copy).unwrap();
    let packs = fs::read_dir(fixture.path().join("objects/pack")).unwrap();
    for pack in packs.map(|entry| entry.unwrap().path()) {
        if pack.extension().is_some_and(|end| end == "pack") {
            unpack(copy, &pack);
        }
    }
    let head = fixture.git(&["rev-parse", "main"]);
    fs::write(copy.join("refs/heads/main"), head).unwrap();
    fs::remove_file(copy.join("objects").join(&id[..2]).join(&id[2..])).unwrap();
    Store::open(copy).unwrap()
}

fn day_and_key(key: ResultKey) -> String {
    format!("{}/{key}", key.time().strftime("%Y/%m/%d"))
}

fn unpack(repository: &std::path::Path, pack: &std::path::Path) {
    let status = std::process::Command::new("git")
        .args(["unpack-objects", "-q"])
        .current_dir(repository)
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
