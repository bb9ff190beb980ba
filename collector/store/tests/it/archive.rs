//! Moving results into another repository.

use std::path::PathBuf;

use jiff::Timestamp;
use pony_formats::ResultKey;
use pony_store::{ArchivePlan, Archived, Arrival, Artifact, Contents, Stage, Store, StoreError};

use crate::fixture::{Fixture, git, submission};

/// Results of three days; the last is the first of the year.
const DAYS: [&str; 3] =
    ["2025-11-03T10:00:00Z", "2025-12-31T23:59:59.999Z", "2026-01-01T00:00:00Z"];

struct Farm {
    fixture: Fixture,
    /// Of all days, for `hayloft`; `barn` has one on the first day only.
    keys: Vec<ResultKey>,
}

impl Farm {
    fn new() -> Self {
        let fixture = Fixture::new();
        let mut writer = fixture.writer();
        let mut keys = Vec::new();
        for (number, day) in DAYS.iter().enumerate() {
            let time: Timestamp = day.parse().unwrap();
            let packages: &[&str] = if number == 0 { &["barn", "hayloft"] } else { &["hayloft"] };
            for package in packages {
                let arrival = Arrival { number: Some(10 + number as u32), ..Arrival::at(time) };
                let key = writer.append(&submission(package), &arrival).unwrap().receipt.key;
                keys.extend((*package == "hayloft").then_some(key));
            }
        }
        let contents = Contents::of(fixture.path());
        for (key, text) in
            [(keys[0], "old"), (keys[0], "both"), (keys[2], "both"), (keys[2], "new")]
        {
            let (size, sha256) = contents.store(&mut text.as_bytes()).unwrap();
            let (filename, description) = (format!("{text}.log"), String::new());
            let artifact = Artifact { filename, description, size, sha256, visible: true };
            writer.attach("hayloft", key, &artifact).unwrap();
        }
        drop(writer);
        Self { fixture, keys }
    }

    fn to(&self) -> PathBuf {
        self.fixture.folder.path().join("2025.git")
    }

    fn plan(&self, before: &str) -> ArchivePlan {
        ArchivePlan {
            to: self.to(),
            before: before.parse().unwrap(),
            name: "2025".to_owned(),
            url: "https://ci.example/2025.git".to_owned(),
            drop_history: false,
        }
    }

    fn run(&self, plan: &ArchivePlan) -> (Archived, Vec<Stage>) {
        let mut stages = Vec::new();
        let done = Store::open(self.fixture.path())
            .unwrap()
            .archive(plan, &mut |stage| stages.push(stage));
        (done.unwrap(), stages)
    }

    fn source(&self) -> Store {
        Store::open(self.fixture.path()).unwrap()
    }

    fn archive(&self) -> Store {
        Store::open(&self.to()).unwrap()
    }

    /// Both are sound, also as their histories tell it.
    fn fsck(&self) {
        for store in [self.source(), self.archive()] {
            assert_eq!(pony_store::verify(&store, None).unwrap().damage, [""; 0]);
        }
        self.fixture.fsck();
        assert_eq!(git(&self.to(), &["fsck", "--full", "--strict", "--no-dangling"]), "");
    }
}

fn keys(store: &Store, package: &str) -> Vec<ResultKey> {
    store.snapshot().unwrap().results(package).unwrap()
}

#[test]
fn results_of_earlier_days_move_with_everything_that_belongs_to_them() {
    let farm = Farm::new();
    let before: Vec<_> = farm
        .keys
        .iter()
        .map(|key| farm.source().snapshot().unwrap().read("hayloft", *key).unwrap().unwrap())
        .collect();
    let (done, stages) = farm.run(&farm.plan("2026-01-01"));
    assert_eq!(done, Archived { results: 3, ..Archived::default() });
    assert_eq!(stages, [Stage::Copied(3), Stage::Verified(3), Stage::Cut(3), Stage::Freed(1)]);
    assert_eq!(keys(&farm.archive(), "hayloft"), farm.keys[..2]);
    assert_eq!(keys(&farm.source(), "hayloft"), farm.keys[2..]);
    assert_eq!(farm.source().snapshot().unwrap().packages().unwrap(), ["hayloft"]);
    assert_eq!(farm.archive().snapshot().unwrap().packages().unwrap(), ["barn", "hayloft"]);
    let archive = farm.archive().snapshot().unwrap();
    for (key, result) in farm.keys.iter().zip(&before).take(2) {
        assert_eq!(archive.read("hayloft", *key).unwrap().as_ref(), Some(result));
    }
    let names = archive.artifacts("hayloft", farm.keys[0]).unwrap();
    assert_eq!(
        names.iter().map(|artifact| &*artifact.filename).collect::<Vec<_>>(),
        ["old.log", "both.log"]
    );
    for artifact in &names {
        assert!(Contents::of(&farm.to()).path_of(&artifact.sha256).exists());
    }
    let here =
        |number: usize| Contents::of(farm.fixture.path()).path_of(&names[number].sha256).exists();
    assert!(!here(0) && here(1), "what a remaining result needs stays");
    farm.fsck();
}

#[test]
fn the_source_says_where_they_are() {
    let farm = Farm::new();
    farm.run(&farm.plan("2026-01-01"));
    let cuts = farm.source().snapshot().unwrap().cuts().unwrap();
    let [cut] = &cuts[..] else { panic!("{cuts:?}") };
    assert_eq!((cut.name.as_str(), cut.url.as_str()), ("2025", "https://ci.example/2025.git"));
    assert_eq!((cut.results, cut.before.to_string().as_str()), (3, "2026-01-01"));
    assert_eq!(cut.next_number, Some(12));
    assert_eq!(cut.history, None);
    assert_eq!(cut.commit, *farm.archive().snapshot().unwrap().commit_id());
    let log = farm.fixture.git(&["log", "-1", "--format=%s"]);
    assert_eq!(log, "Move 3 results received before 2026-01-01 to the archive 2025\n");
    assert_eq!(
        farm.fixture.git(&["ls-tree", "--name-only", "main"]),
        "README.md\nformat.json\nhayloft\n"
    );
    insta::assert_snapshot!(
        git(&farm.to(), &["log", "--date=format:%F", "--format=%cd %s"]),
        @"
    2025-12-31 FAIL hayloft on shed (linux-x86_64): 1 of 3 tests failed
    2025-11-03 FAIL hayloft on shed (linux-x86_64): 1 of 3 tests failed
    2025-11-03 FAIL barn on shed (linux-x86_64): 1 of 3 tests failed
    2001-09-09 Start a results repository
    "
    );
}

#[test]
fn a_second_time_changes_nothing() {
    let farm = Farm::new();
    farm.run(&farm.plan("2026-01-01"));
    let heads = || {
        [farm.source(), farm.archive()].map(|store| store.snapshot().unwrap().commit_id().clone())
    };
    let before = heads();
    assert_eq!(farm.run(&farm.plan("2026-01-01")), (Archived::default(), vec![]));
    assert_eq!(heads(), before);
}

#[test]
fn what_an_archive_has_damaged_is_copied_again_and_else_stays_in_the_source() {
    let farm = Farm::new();
    let path = |text: &str, at: &std::path::Path| {
        let (_, sha256) = Contents::of(farm.fixture.path()).store(&mut text.as_bytes()).unwrap();
        Contents::of(at).path_of(&sha256)
    };
    let damaged = path("old", &farm.to());
    Store::create(&farm.to()).unwrap();
    std::fs::create_dir_all(damaged.parent().unwrap()).unwrap();
    std::fs::write(&damaged, "odd").unwrap();
    farm.run(&farm.plan("2026-01-01"));
    assert_eq!(std::fs::read_to_string(&damaged).unwrap(), "old");
    std::fs::write(&damaged, "odd").unwrap();
    let source = path("old", farm.fixture.path());
    assert_eq!(farm.run(&farm.plan("2026-01-01")), (Archived::default(), vec![]));
    assert!(source.exists());
}

#[test]
fn a_file_that_a_killed_run_had_begun_is_removed() {
    let farm = Farm::new();
    farm.run(&farm.plan("2026-01-01"));
    let begun = Contents::of(&farm.to()).folder().join("incoming-x");
    std::fs::write(&begun, "ol").unwrap();
    farm.run(&farm.plan("2026-01-01"));
    assert!(!begun.exists());
}

#[test]
fn without_anything_to_move_no_archive_is_made() {
    let farm = Farm::new();
    for drop_history in [false, true] {
        let plan = ArchivePlan { drop_history, ..farm.plan("2020-01-01") };
        assert_eq!(farm.run(&plan), (Archived::default(), vec![]));
        assert!(!farm.to().exists());
    }
}

#[test]
fn the_history_goes_only_to_the_archive_that_has_the_results() {
    let farm = Farm::new();
    farm.run(&farm.plan("2026-01-01"));
    let head = farm.source().snapshot().unwrap().commit_id().clone();
    let other = farm.fixture.folder.path().join("other.git");
    let plan = ArchivePlan { drop_history: true, to: other, ..farm.plan("2026-01-01") };
    let error = farm.source().archive(&plan, &mut |_| ()).unwrap_err();
    let StoreError::Io { source, .. } = error else { panic!("{error}") };
    assert!(source.to_string().contains("to the archive 2025 "), "{source}");
    assert_eq!(*farm.source().snapshot().unwrap().commit_id(), head);
    farm.fsck();
}

#[test]
fn the_next_period_goes_into_the_same_archive() {
    let farm = Farm::new();
    farm.run(&farm.plan("2025-12-01"));
    assert_eq!(keys(&farm.archive(), "hayloft"), farm.keys[..1]);
    let (done, _) = farm.run(&farm.plan("2026-01-01"));
    assert_eq!(done.results, 1);
    assert_eq!(keys(&farm.archive(), "hayloft"), farm.keys[..2]);
    let cuts = farm.source().snapshot().unwrap().cuts().unwrap();
    assert_eq!(cuts.iter().map(|cut| cut.results).collect::<Vec<_>>(), [2, 1]);
    farm.fsck();
}

#[test]
fn a_writer_goes_on_with_rising_keys_and_readers_see_no_change_in_what_stays() {
    let farm = Farm::new();
    let base = farm.source().snapshot().unwrap().commit_id().clone();
    farm.run(&farm.plan("2026-01-01"));
    let snapshot = farm.source().snapshot().unwrap();
    assert_eq!(snapshot.changes_since(Some(&base)).unwrap(), Some(vec![]));
    let key = farm.fixture.fill(&["hayloft"])[0];
    assert!(key > farm.keys[2]);
    farm.fsck();
}

#[test]
fn an_archive_that_cannot_be_maintained_is_an_archive() {
    let farm = Farm::new();
    Store::create(&farm.to()).unwrap();
    let in_the_way = farm.to().join("objects/tmp_pony_maintain");
    std::fs::write(&in_the_way, "no folder").unwrap();
    let (done, _) = farm.run(&farm.plan("2026-01-01"));
    assert!(done.not_maintained.is_some());
    assert_eq!(keys(&farm.archive(), "hayloft"), farm.keys[..2]);
    std::fs::remove_file(in_the_way).unwrap();
    farm.fsck();
}

#[test]
fn dropping_the_history_starts_anew_and_the_archive_keeps_the_old_one() {
    let farm = Farm::new();
    let count =
        |store: &Store| git(store.path(), &["rev-list", "--count", "main"]).trim().to_owned();
    assert_eq!(count(&farm.source()), "9");
    drop(farm.source().writer(Default::default()).unwrap().index().unwrap());
    assert!(farm.source().index_path().exists());
    let plan = ArchivePlan { drop_history: true, ..farm.plan("2026-01-01") };
    let (_, stages) = farm.run(&plan);
    assert!(!farm.source().index_path().exists(), "it has what was archived");
    assert_eq!(stages[4..], [Stage::HistoryKept, Stage::HistoryDropped, Stage::Pruned]);
    assert_eq!(count(&farm.source()), "1");
    assert_eq!(keys(&farm.source(), "hayloft"), farm.keys[2..]);
    let cuts = farm.source().snapshot().unwrap().cuts().unwrap();
    let old = cuts[0].history.clone().unwrap();
    let objects = farm.fixture.git(&["cat-file", "--batch-all-objects", "--batch-check"]);
    assert!(!objects.contains(&old.to_string()), "gone from the source");
    let since = |commit| pony_store::verify(&farm.source(), Some(commit)).unwrap();
    let findings = since(&old);
    assert_eq!(findings.damage, [""; 0]);
    assert!(findings.notes[0].contains("moved to the archive 2025: https://ci"), "{findings:?}");
    let findings = since(&"1".repeat(40).parse().unwrap());
    assert!(findings.damage[0].contains("look for it there: https://ci"), "{findings:?}");
    let tag = format!("history-{}", &old.to_string()[..12]);
    assert_eq!(git(&farm.to(), &["rev-list", "--count", &tag]).trim(), "10");
    assert_eq!(git(&farm.to(), &["rev-parse", &tag]).trim(), old.to_string());
    assert!(!farm.fixture.path().join("objects/tmp_pony_maintain").exists());
    assert_eq!(farm.run(&plan), (Archived::default(), vec![]), "a second time");
    let key = farm.fixture.fill(&["hayloft"])[0];
    assert_eq!(keys(&farm.source(), "hayloft"), [farm.keys[2], key]);
    farm.fsck();
}

#[test]
fn the_history_can_be_dropped_later() {
    let farm = Farm::new();
    farm.run(&farm.plan("2026-01-01"));
    let key = farm.fixture.fill(&["hayloft"])[0];
    let plan = ArchivePlan { drop_history: true, ..farm.plan("2026-01-01") };
    let (_, stages) = farm.run(&plan);
    assert_eq!(stages, [Stage::HistoryKept, Stage::HistoryDropped, Stage::Pruned]);
    assert_eq!(keys(&farm.source(), "hayloft"), [farm.keys[2], key]);
    farm.fsck();
}

#[test]
fn what_other_branches_need_outlives_the_history() {
    let farm = Farm::new();
    farm.fixture.git(&["update-ref", "refs/heads/mine", "main~2"]);
    let mine = farm.fixture.git(&["rev-parse", "mine"]);
    farm.run(&ArchivePlan { drop_history: true, ..farm.plan("2026-01-01") });
    assert_eq!(farm.fixture.git(&["rev-parse", "mine"]), mine);
    farm.fsck();
}

#[test]
fn a_result_that_cannot_be_read_keeps_everything_where_it_is() {
    let farm = Farm::new();
    let path = "main:barn/2025/11/03";
    let tree = farm.fixture.git(&["ls-tree", "-r", path]);
    let blob = tree.lines().find(|line| line.ends_with("receipt.json")).unwrap();
    let blob = blob.split_whitespace().nth(2).unwrap();
    lose(&farm.fixture, blob);
    let error = farm.source().archive(&farm.plan("2026-01-01"), &mut |_| {}).unwrap_err();
    assert_eq!(error.exit_status(), 3, "{error}");
    assert!(error.to_string().contains(blob), "{error}");
    assert_eq!(keys(&farm.source(), "hayloft"), farm.keys);
}

/// Makes an object unreadable: all others are unpacked, and it is removed.
fn lose(fixture: &Fixture, id: &str) {
    let packs = fixture.path().join("objects/pack");
    let away = fixture.folder.path().join("away");
    std::fs::rename(&packs, &away).unwrap();
    std::fs::create_dir(&packs).unwrap();
    for entry in std::fs::read_dir(&away).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|kind| kind == "pack") {
            let unpack = format!("git unpack-objects -q < {}", path.display());
            let status = std::process::Command::new("sh")
                .args(["-c", &unpack])
                .current_dir(fixture.path())
                .status();
            assert!(status.unwrap().success());
        }
    }
    let (shard, rest) = id.split_at(2);
    std::fs::remove_file(fixture.path().join("objects").join(shard).join(rest)).unwrap();
}

#[test]
fn another_result_of_the_same_key_in_the_archive_is_not_overwritten() {
    let farm = Farm::new();
    let archive = Store::create(&farm.to()).unwrap();
    let time: Timestamp = DAYS[0].parse().unwrap();
    let mut other = submission("barn");
    other.results_list[0] = other.results_list[0].clone().with("output", "another");
    let mut writer = archive.writer(Default::default()).unwrap();
    let salt =
        (farm.source().snapshot().unwrap().results("barn").unwrap()[0].as_i64() % 1_000_000) as u32;
    writer = writer.reproducible(time, salt);
    writer.append(&other, &Arrival::at(time)).unwrap();
    drop(writer);
    let error = farm.source().archive(&farm.plan("2026-01-01"), &mut |_| {}).unwrap_err();
    assert!(error.to_string().contains("the archive has another of this key"), "{error}");
    assert_eq!(keys(&farm.source(), "hayloft"), farm.keys);
}

#[test]
fn whoever_writes_to_one_of_the_two_is_named() {
    let farm = Farm::new();
    let writer = farm.fixture.writer();
    let error = farm.source().archive(&farm.plan("2026-01-01"), &mut |_| {}).unwrap_err();
    assert!(matches!(error, StoreError::Locked { .. }), "{error}");
    drop(writer);
    let archive = Store::create(&farm.to()).unwrap();
    let _writer = archive.writer(Default::default()).unwrap();
    let error = farm.source().archive(&farm.plan("2026-01-01"), &mut |_| {}).unwrap_err();
    let StoreError::Locked { path, .. } = error else { panic!("{error}") };
    assert_eq!(path, farm.to());
}

#[test]
fn a_repository_is_not_its_own_archive() {
    let farm = Farm::new();
    let plan = ArchivePlan { to: farm.fixture.path().to_owned(), ..farm.plan("2026-01-01") };
    let error = farm.source().archive(&plan, &mut |_| {}).unwrap_err();
    assert_eq!(error.exit_status(), 74, "{error}");
}
