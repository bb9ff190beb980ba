//! Joining packs.

use std::collections::BTreeSet;
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use jiff::Timestamp;
use pony_store::{Arrival, Prepared, Store};

use crate::fixture::{Fixture, append, git, submission};

fn packs(fixture: &Fixture) -> BTreeSet<String> {
    let names = fs::read_dir(fixture.path().join("objects/pack")).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.ends_with(".pack")).collect()
}

fn pack_path(fixture: &Fixture, name: &str) -> String {
    fixture.path().join("objects/pack").join(name).to_str().unwrap().to_owned()
}

#[test]
fn packs_stay_few_and_whole() {
    let fixture = Fixture::new();
    let before = fixture.store.snapshot().unwrap();
    let keys = fixture.fill(&["hayloft"; 100]);
    assert!(packs(&fixture).len() < 40, "{}", packs(&fixture).len());
    fixture.fsck();
    let counts = fixture.git(&["count-objects", "-v"]);
    assert!(counts.contains("count: 0\n") && counts.contains("garbage: 0\n"), "{counts}");
    let objects = fixture.git(&["rev-list", "--objects", "--all"]).lines().count();
    assert!(counts.contains(&format!("in-pack: {objects}\n")), "{counts}");
    // Who opened the repository before that sees everything too.
    assert_eq!(before.packages().unwrap(), [""; 0]);
    let snapshot = fixture.store.snapshot().unwrap();
    assert_eq!(snapshot.results("hayloft").unwrap(), keys);
    for key in keys {
        assert!(snapshot.read("hayloft", key).unwrap().is_some());
    }
}

#[test]
fn old_versions_of_folders_are_deltas_once_packs_are_joined() {
    let fixture = Fixture::new();
    let packages: Vec<&str> = (0..32 * 5).map(|n| ["hayloft", "barn", "hayloft"][n % 3]).collect();
    fixture.fill(&packages);
    let largest = packs(&fixture)
        .into_iter()
        .max_by_key(|name| fs::metadata(pack_path(&fixture, name)).unwrap().len());
    let list = fixture.git(&["verify-pack", "-v", &pack_path(&fixture, &largest.unwrap())]);
    let results = list.lines().filter(|line| line.contains(" commit ")).count();
    assert!(results > 60, "{list}");
    // What has a sixth and a seventh word is a delta; the folder of one result has 161 bytes.
    let large_and_full = list.lines().filter(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        matches!(words[..], [_, "tree", size, _, _] if size.parse::<usize>().unwrap() > 400)
    });
    let large_and_full: Vec<&str> = large_and_full.collect();
    assert!(large_and_full.len() <= 2, "the days of two packages: {large_and_full:?}");
    fixture.fsck();
}

#[test]
fn of_objects_that_are_in_several_packs_one_is_kept() {
    let fixture = Fixture::new();
    let batch = |package: &str, count: usize| {
        let prepared = Prepared::new(&submission(package)).unwrap();
        vec![(prepared, Arrival::at(Timestamp::now())); count]
    };
    let mut writer = fixture.writer();
    for package in ["hayloft", "barn", "hayloft"] {
        writer
            .append_all(&batch(package, 30))
            .into_iter()
            .for_each(|appended| drop(appended.unwrap()));
        // Everything again, with other deltas: git's own.
        let name = fixture.path().join("objects/pack/pack");
        let all = ["pack-objects", "--all", "--delta-base-offset", "--no-reuse-delta", "-q"];
        fixture.git(&[&all[..], &[name.to_str().unwrap()]].concat());
    }
    let objects =
        |fixture: &Fixture| fixture.git(&["rev-list", "--objects", "--all"]).lines().count();
    let counts = |fixture: &Fixture| fixture.git(&["count-objects", "-v"]);
    assert!(!counts(&fixture).contains(&format!("in-pack: {}\n", objects(&fixture))));
    let before = packs(&fixture);
    while packs(&fixture).len() >= before.len() {
        writer
            .append_all(&batch("barn", 2))
            .into_iter()
            .for_each(|appended| drop(appended.unwrap()));
    }
    assert!(packs(&fixture).is_disjoint(&before));
    assert!(counts(&fixture).contains(&format!("in-pack: {}\n", objects(&fixture))));
    fixture.fsck();
    let results = fixture.store.snapshot().unwrap().results("hayloft").unwrap();
    assert_eq!(results.len(), 60);
}

#[test]
fn readers_are_not_disturbed() {
    let fixture = Fixture::new();
    let is_done = AtomicBool::new(false);
    thread::scope(|scope| {
        let readers = [0, 1].map(|_| {
            scope.spawn(|| {
                let store = Store::open(fixture.path()).unwrap();
                let mut seen = 0;
                while !is_done.load(Ordering::Relaxed) {
                    let snapshot = store.snapshot().unwrap();
                    let keys = snapshot.results("hayloft").unwrap();
                    // An old one and the newest: their packs come and go.
                    for key in [keys.first(), keys.last()].into_iter().flatten() {
                        assert!(snapshot.read("hayloft", *key).unwrap().is_some());
                    }
                    seen = keys.len();
                }
                seen
            })
        });
        let mut writer = fixture.writer();
        (0..150).for_each(|_| drop(append(&mut writer, "hayloft")));
        is_done.store(true, Ordering::Relaxed);
        readers.into_iter().for_each(|reader| assert!(reader.join().unwrap() > 0));
    });
    assert_eq!(fixture.store.snapshot().unwrap().results("hayloft").unwrap().len(), 150);
}

#[test]
fn packs_of_a_multi_pack_index_stay_and_the_others_are_joined() {
    let fixture = Fixture::new();
    fixture.fill(&["hayloft"; 5]);
    fixture.git(&["multi-pack-index", "write"]);
    let listed = packs(&fixture);
    let keys = fixture.fill(&["barn"; 80]);
    assert!(packs(&fixture).is_superset(&listed));
    assert!(packs(&fixture).len() < 40 + listed.len(), "{}", packs(&fixture).len());
    fixture.git(&["multi-pack-index", "verify"]);
    fixture.fsck();
    assert_eq!(fixture.store.snapshot().unwrap().results("barn").unwrap(), keys);
}

#[test]
fn packs_that_git_received_are_joined_unless_they_hold_deltas() {
    let fixture = Fixture::new();
    fixture.fill(&["hayloft"]);
    fixture.git(&["config", "receive.unpackLimit", "1"]);
    let clone = fixture.clone_of();
    let ours = packs(&fixture);
    for number in 0..5 {
        fs::write(clone.join("notes.txt"), format!("{number}")).unwrap();
        git(&clone, &["add", "."]);
        git(&clone, &["commit", "--quiet", "-m", "notes"]);
        // No deltas: folders are like those before them.
        git(&clone, &["-c", "pack.window=0", "-c", "pack.depth=0", "push", "--quiet"]);
    }
    let pushed: BTreeSet<String> = packs(&fixture).difference(&ours).cloned().collect();
    assert_eq!(pushed.len(), 5);
    fixture.fill(&["hayloft"; 60]);
    assert!(packs(&fixture).is_disjoint(&pushed));
    let files = fs::read_dir(fixture.path().join("objects/pack")).unwrap();
    let names = files.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(names.filter(|name| name.ends_with(".rev")).count(), 0);
    fixture.fsck();
}

#[test]
fn packs_that_git_made_with_deltas_are_joined_too() {
    let fixture = Fixture::new();
    fixture.fill(&["hayloft", "barn"]);
    let clone = fixture.clone_of();
    for number in 0..20 {
        fs::write(clone.join("notes.txt"), "a line that git can say again\n".repeat(number + 99))
            .unwrap();
        git(&clone, &["add", "."]);
        git(&clone, &["commit", "--quiet", "-m", "notes"]);
    }
    fixture.git(&["config", "receive.unpackLimit", "1"]);
    let ours = packs(&fixture);
    git(&clone, &["push", "--quiet"]);
    let pushed: BTreeSet<String> = packs(&fixture).difference(&ours).cloned().collect();
    assert_eq!(pushed.len(), 1);
    let verified =
        fixture.git(&["verify-pack", "-v", &pack_path(&fixture, pushed.first().unwrap())]);
    assert!(verified.contains("chain length = 2"), "{verified}");
    fixture.fill(&["hayloft"; 60]);
    assert!(packs(&fixture).is_disjoint(&pushed));
    assert!(packs(&fixture).len() < 40, "{}", packs(&fixture).len());
    fixture.fsck();
}

#[test]
fn a_damaged_pack_is_neither_copied_nor_removed_nor_in_the_way() {
    let fixture = Fixture::new();
    // The pack of the first commit, which nobody needs for appending.
    let damaged = packs(&fixture).into_iter().next().unwrap();
    fixture.fill(&["hayloft"]);
    let path = fixture.path().join("objects/pack").join(&damaged);
    let mut content = fs::read(&path).unwrap();
    let middle = content.len() / 2;
    content[middle] ^= 1;
    fs::remove_file(&path).unwrap();
    fs::write(&path, &content).unwrap();
    let keys = fixture.fill(&["barn"; 80]);
    assert_eq!(fs::read(&path).unwrap(), content);
    assert!(packs(&fixture).len() < 40, "{}", packs(&fixture).len());
    assert_eq!(fixture.store.snapshot().unwrap().results("barn").unwrap(), keys);
}

/// A process of its own, because limits are those of a process.
#[cfg(target_os = "linux")]
#[test]
fn too_many_open_files_are_no_damage() {
    const REPOSITORY: &str = "PONY_TEST_FILES_REPOSITORY";
    if let Ok(repository) = std::env::var(REPOSITORY) {
        let snapshot = Store::open(repository.as_ref()).unwrap().snapshot().unwrap();
        let oldest = snapshot.results("hayloft").unwrap()[0];
        let held: Vec<_> = std::iter::from_fn(|| fs::File::open("/dev/null").ok()).collect();
        let error = snapshot.read("hayloft", oldest).unwrap_err();
        assert!(matches!(error, pony_store::StoreError::Io { .. }), "{error}");
        drop(held);
        assert!(snapshot.read("hayloft", oldest).unwrap().is_some());
        return;
    }
    let fixture = Fixture::new();
    fixture.fill(&["hayloft"; 20]);
    let status = std::process::Command::new("sh")
        .args(["-c", "ulimit -n 64; exec \"$0\" \"$@\""])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "many_packs::too_many_open_files_are_no_damage", "--test-threads=1"])
        .env(REPOSITORY, fixture.path())
        .status();
    assert!(status.unwrap().success());
}
