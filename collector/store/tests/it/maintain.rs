//! Maintenance: packs made anew by git, while others read and write.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use pony_formats::ResultKey;
use pony_store::{PackScope, Store, StoreError, Tool};

use crate::fixture::{Fixture, append};

fn packs(fixture: &Fixture) -> Vec<String> {
    files(&fixture.path().join("objects/pack"), ".pack")
}

fn files(folder: &Path, ending: &str) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.ends_with(ending)).collect()
}

fn objects(fixture: &Fixture) -> String {
    fixture.git(&["cat-file", "--batch-all-objects", "--batch-check", "--unordered"])
}

fn sorted(text: &str) -> Vec<&str> {
    let mut lines: Vec<_> = text.lines().collect();
    lines.sort_unstable();
    lines
}

fn keys(store: &Store, package: &str) -> Vec<ResultKey> {
    store.snapshot().unwrap().results(package).unwrap()
}

#[test]
fn packs_become_one_that_holds_every_object_and_is_smaller() {
    let fixture = Fixture::new();
    let written = fixture.fill(&["hayloft"; 40]);
    // Nothing needs this object, but it may be what somebody is about to need.
    let stray = fixture.path().join("stray");
    std::fs::write(&stray, "nobody's").unwrap();
    fixture.git(&["hash-object", "-w", "stray"]);
    let before = objects(&fixture);
    let done = fixture.store.maintain(Duration::ZERO, PackScope::Recent).unwrap();
    assert_eq!(done.tool, Tool::Git);
    assert_eq!(done.after.count, 1);
    assert!(done.before.count > 1 && done.after.bytes < done.before.bytes / 2, "{done:?}");
    assert_eq!(packs(&fixture).len(), 1);
    assert_eq!(sorted(&objects(&fixture)), sorted(&before));
    fixture.fsck();
    fixture.git(&["commit-graph", "verify"]);
    assert_eq!(keys(&Store::open(fixture.path()).unwrap(), "hayloft"), written);
}

#[test]
fn maintenance_of_what_was_maintained_changes_nothing() {
    let fixture = Fixture::new();
    fixture.fill(&["hayloft"; 10]);
    fixture.store.maintain(Duration::ZERO, PackScope::Recent).unwrap();
    let before = packs(&fixture);
    for scope in [PackScope::Recent, PackScope::All] {
        fixture.store.maintain(Duration::ZERO, scope).unwrap();
        assert_eq!(packs(&fixture), before);
    }
}

#[test]
fn a_large_old_pack_is_left_alone_unless_all_are_asked_for() {
    let fixture = Fixture::new();
    fixture.fill(&["hayloft"; 40]);
    fixture.store.maintain(Duration::ZERO, PackScope::Recent).unwrap();
    let old = packs(&fixture);
    fixture.fill(&["barn"; 3]);
    fixture.store.maintain(Duration::ZERO, PackScope::Recent).unwrap();
    let now = packs(&fixture);
    assert!(now.len() == 2 && now.contains(&old[0]), "{now:?}");
    fixture.store.maintain(Duration::ZERO, PackScope::All).unwrap();
    assert_eq!(packs(&fixture).len(), 1);
    fixture.fsck();
}

#[test]
fn packs_that_somebody_wants_kept_are_kept() {
    let fixture = Fixture::new();
    fixture.fill(&["hayloft"; 3]);
    let kept = packs(&fixture)[0].clone();
    let keep = fixture.path().join("objects/pack").join(&kept).with_extension("keep");
    std::fs::write(&keep, "").unwrap();
    fixture.store.maintain(Duration::ZERO, PackScope::All).unwrap();
    assert!(packs(&fixture).contains(&kept));
    assert!(keep.exists());
    fixture.fsck();
}

#[test]
fn a_multi_pack_index_does_not_outlive_its_packs() {
    let fixture = Fixture::new();
    let written = fixture.fill(&["hayloft"; 5]);
    fixture.git(&["multi-pack-index", "write"]);
    fixture.store.maintain(Duration::ZERO, PackScope::Recent).unwrap();
    assert!(!fixture.path().join("objects/pack/multi-pack-index").exists());
    fixture.fsck();
    assert_eq!(keys(&fixture.store, "hayloft"), written);
}

#[test]
fn while_somebody_writes_it_is_refused_with_who() {
    let fixture = Fixture::new();
    let writer = fixture.writer();
    let error = fixture.store.maintain(Duration::ZERO, PackScope::Recent).unwrap_err();
    let StoreError::Locked { holder, .. } = &error else { panic!("{error}") };
    assert_eq!(*holder, std::process::id().to_string());
    drop(writer);
}

#[test]
fn what_a_killed_run_has_left_goes_with_the_next() {
    let fixture = Fixture::new();
    fixture.fill(&["hayloft"; 3]);
    let place = fixture.path().join("objects/tmp_pony_maintain/pack");
    std::fs::create_dir_all(&place).unwrap();
    std::fs::write(place.join("tmp_pack_abc"), "half").unwrap();
    let lock = fixture.path().join("objects/info/commit-graph.lock");
    std::fs::write(&lock, "").unwrap();
    let old = SystemTime::now() - Duration::from_secs(3600);
    std::fs::File::options().write(true).open(&lock).unwrap().set_modified(old).unwrap();
    fixture.store.maintain(Duration::ZERO, PackScope::Recent).unwrap();
    assert!(!place.parent().unwrap().exists());
    assert!(!lock.exists());
    fixture.fsck();
}

#[test]
fn a_damaged_pack_keeps_everything_where_it_is() {
    let fixture = Fixture::new();
    fixture.fill(&["hayloft"; 4]);
    let folder = fixture.path().join("objects/pack");
    let largest =
        packs(&fixture).into_iter().max_by_key(|name| folder.join(name).metadata().unwrap().len());
    let path = folder.join(largest.unwrap());
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x55;
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, bytes).unwrap();
    let before = packs(&fixture);
    let error = fixture.store.maintain(Duration::ZERO, PackScope::Recent).unwrap_err();
    assert_eq!(error.exit_status(), 74, "{error}");
    assert_eq!(packs(&fixture), before);
}

#[test]
fn a_result_of_any_time_is_read_while_packs_are_replaced_and_added() {
    let fixture = Fixture::new();
    let mut writer = fixture.writer();
    let mut written = vec![append(&mut writer, "hayloft").receipt.key];
    // Readers of their own, as another process has them.
    let readers: Vec<Store> = (0..3).map(|_| Store::open(fixture.path()).unwrap()).collect();
    let first = written[0];
    let is_done = AtomicBool::new(false);
    let maintenance = writer.maintenance();
    std::thread::scope(|scope| {
        for store in &readers {
            scope.spawn(|| {
                while !is_done.load(Ordering::Relaxed) {
                    let snapshot = store.snapshot().unwrap();
                    let newest = *snapshot.results("hayloft").unwrap().last().unwrap();
                    for key in [first, newest] {
                        assert!(snapshot.read("hayloft", key).unwrap().is_some(), "{key}");
                    }
                    snapshot.changes_since(None).unwrap().unwrap();
                    std::thread::sleep(Duration::from_millis(10));
                }
            });
        }
        let packing = scope.spawn(|| {
            for runs in 0..6 {
                let scope = if runs % 3 == 2 { PackScope::All } else { PackScope::Recent };
                maintenance.run(scope).unwrap();
            }
        });
        while !packing.is_finished() {
            std::thread::sleep(Duration::from_millis(10));
            written.push(append(&mut writer, "hayloft").receipt.key);
        }
        is_done.store(true, Ordering::Relaxed);
        packing.join().unwrap();
    });
    drop(writer);
    fixture.fsck();
    assert_eq!(keys(&fixture.store, "hayloft"), written);
    for key in written {
        assert!(fixture.store.snapshot().unwrap().read("hayloft", key).unwrap().is_some());
    }
}

#[test]
fn maintenance_is_due_once_what_came_is_a_day_old() {
    let fixture = Fixture::new();
    let mut writer = fixture.writer();
    append(&mut writer, "hayloft");
    let maintenance = writer.maintenance();
    assert!(!maintenance.is_due().unwrap());
    let pack = fixture.path().join("objects/pack").join(&packs(&fixture)[0]);
    let old = SystemTime::now() - Duration::from_secs(25 * 3600);
    std::fs::File::options().read(true).open(&pack).unwrap().set_modified(old).unwrap();
    assert!(maintenance.is_due().unwrap());
    maintenance.run(PackScope::Recent).unwrap();
    assert!(!maintenance.is_due().unwrap());
}
