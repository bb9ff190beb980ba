//! One writer at a time, and what dead ones leave behind.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, SystemTime};

use pony_store::StoreError;

use crate::crash::Child;
use crate::fixture::{Fixture, append};

#[test]
fn a_second_writer_is_refused_with_the_process_of_the_first() {
    let fixture = Fixture::new();
    let writer = fixture.writer();
    let error = fixture.store.writer(Duration::from_millis(30)).unwrap_err();
    let StoreError::Locked { holder, .. } = &error else { panic!("{error}") };
    assert_eq!(*holder, std::process::id().to_string());
    drop(writer);
    fixture.writer();
}

#[test]
fn a_patient_writer_waits_for_the_first() {
    let fixture = Fixture::new();
    let mut first = fixture.writer();
    thread::scope(|scope| {
        let second = scope.spawn(|| {
            let mut writer = fixture.store.writer(Duration::from_secs(60)).unwrap();
            append(&mut writer, "second");
        });
        append(&mut first, "first");
        drop(first);
        second.join().unwrap();
    });
    assert_eq!(fixture.store.snapshot().unwrap().packages().unwrap(), ["first", "second"]);
}

#[test]
fn threads_that_take_turns_lose_nothing() {
    let fixture = Fixture::new();
    let keys: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let turn = || {
                        let mut writer = fixture.store.writer(Duration::from_secs(60)).unwrap();
                        append(&mut writer, "hayloft").receipt.key
                    };
                    (0..10).map(|_| turn()).collect::<Vec<_>>()
                })
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let mut keys = keys;
    keys.sort_unstable();
    assert_eq!(fixture.store.snapshot().unwrap().results("hayloft").unwrap(), keys);
    fixture.fsck();
}

#[test]
fn processes_that_take_turns_lose_nothing() {
    let fixture = Fixture::new();
    let children: Vec<Child> = (0..4).map(|_| Child::appending(fixture.path(), 5)).collect();
    let mut keys: Vec<_> = children.into_iter().flat_map(Child::finish).collect();
    keys.sort_unstable();
    assert_eq!(keys.len(), 20);
    assert_eq!(fixture.git(&["log", "-1", "--format=%an %cn"]), "pony pony\n");
    assert_eq!(fixture.store.snapshot().unwrap().results("hayloft").unwrap(), keys);
    fixture.fsck();
}

fn age(path: &Path, age: Duration) {
    let file = fs::File::options().write(true).open(path).unwrap();
    file.set_modified(SystemTime::now() - age).unwrap();
}

#[test]
fn leftovers_of_a_dead_writer_are_removed() {
    let fixture = Fixture::new();
    fixture.fill(&["hayloft"]);
    // It died: its process id still stands in the lock file.
    fs::write(fixture.path().join("pony.lock"), "4711").unwrap();
    let leftovers = [
        "refs/heads/main.lock",
        "packed-refs.lock",
        "objects/pack/tmp_pony_pack",
        "objects/pack/tmp_pony_idx",
    ]
    .map(|name| fixture.path().join(name));
    for leftover in &leftovers {
        fs::write(leftover, "").unwrap();
    }
    let mut writer = fixture.writer();
    for leftover in &leftovers {
        assert!(!leftover.exists(), "{}", leftover.display());
    }
    append(&mut writer, "hayloft");
    drop(writer);
    fixture.fsck();
    assert_eq!(fs::read(fixture.path().join("pony.lock")).unwrap(), b"");
}

#[test]
fn what_a_push_under_way_needs_is_left_alone() {
    let fixture = Fixture::new();
    // The last writer ended in an orderly way: nothing here is a dead one's.
    drop(fixture.writer());
    let busy = [
        "refs/heads/main.lock",
        "packed-refs.lock",
        "config.lock",
        "objects/pack/tmp_pack_a1b2c3",
        "objects/pack/pack-0123456789012345678901234567890123456789.pack",
    ]
    .map(|name| fixture.path().join(name));
    for path in &busy {
        fs::write(path, "").unwrap();
    }
    let writer = fixture.writer();
    for path in &busy {
        assert!(path.exists(), "{}", path.display());
    }
    drop(writer);
    // A lock that nobody has touched for long is a dead push's.
    busy[..3].iter().for_each(|lock| age(lock, Duration::from_secs(3600)));
    append(&mut fixture.writer(), "hayloft");
    assert!(busy[..3].iter().all(|lock| !lock.exists()));
}

#[test]
fn a_branch_in_packed_refs_survives_a_transaction_that_failed() {
    let fixture = Fixture::new();
    fixture.fill(&["hayloft"]);
    fixture.git(&["pack-refs", "--all"]);
    // What gix leaves then.
    fs::remove_dir(fixture.path().join("refs/heads")).unwrap();
    append(&mut fixture.writer(), "hayloft");
    assert_eq!(fixture.store.snapshot().unwrap().results("hayloft").unwrap().len(), 2);
}

#[test]
fn a_lock_of_a_push_that_died_long_ago_does_not_stop_a_running_writer() {
    let fixture = Fixture::new();
    let mut writer = fixture.writer();
    append(&mut writer, "hayloft");
    let lock = fixture.path().join("refs/heads/main.lock");
    fs::write(&lock, "").unwrap();
    age(&lock, Duration::from_secs(3600));
    append(&mut writer, "hayloft");
    assert!(!lock.exists());
}
