//! Appending: what git sees of it, and the order of keys.

use jiff::Timestamp;
use pony_formats::{ResultKey, TestResult};
use pony_store::{Arrival, Snapshot, Store, StoreError, Writer};

use crate::fixture::{Fixture, append, client_info, submission};

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[test]
fn a_result_comes_back_as_it_was_submitted() {
    let fixture = Fixture::new();
    let submission = submission("hayloft");
    let arrival = Arrival {
        number: Some(41),
        time: time("2026-01-02T03:04:05.678901Z"),
        submission_id: None,
        client: Some("shed-1".to_owned()),
        client_ip: None,
        flags: ["sanitised".to_owned()].into(),
    };
    let appended = fixture.writer().append(&submission, &arrival).unwrap();
    let receipt = appended.receipt;
    assert_eq!(receipt.received, time("2026-01-02T03:04:05.678Z"));
    assert_eq!(receipt.key.time(), receipt.received);
    assert_eq!((&receipt.client, &receipt.flags), (&arrival.client, &arrival.flags));

    let snapshot = fixture.store.snapshot().unwrap();
    assert_eq!(snapshot.commit_id(), &appended.commit_id);
    let read = snapshot.read("hayloft", receipt.key).unwrap();
    assert_eq!(read, Some(TestResult { receipt: receipt.clone(), submission: submission.clone() }));
    let summary = snapshot.summary("hayloft", receipt.key).unwrap().unwrap();
    assert_eq!(summary.tally, submission.tally());
    assert_eq!((summary.receipt, summary.client_info), (receipt, submission.client_info));
}

#[test]
fn one_result_is_one_commit_in_one_pack() {
    let fixture = Fixture::new();
    let keys = fixture.fill(&["hayloft", "hayloft", "barn"]);
    fixture.fsck();
    assert_eq!(fixture.git(&["rev-list", "--count", "main"]), "4\n");
    let counts = fixture.git(&["count-objects", "-v"]);
    assert!(counts.contains("count: 0\n") && counts.contains("packs: 4\n"), "{counts}");
    assert!(counts.contains("garbage: 0\n"), "{counts}");
    fixture.git(&["verify-pack", "-v", &first_index(&fixture)]);
    let log = fixture.git(&["log", "--format=%(trailers:key=Result-Key,valueonly,separator=)"]);
    let logged: Vec<&str> = log.split_whitespace().rev().collect();
    assert_eq!(logged, keys.iter().map(ResultKey::to_string).collect::<Vec<_>>());
}

fn first_index(fixture: &Fixture) -> String {
    let mut paths =
        std::fs::read_dir(fixture.path().join("objects/pack")).unwrap().map(|e| e.unwrap().path());
    let index = paths.find(|path| path.extension().is_some_and(|end| end == "idx")).unwrap();
    index.to_str().unwrap().to_owned()
}

#[test]
fn a_clone_has_everything() {
    let fixture = Fixture::new();
    let keys = fixture.fill(&["hayloft", "barn"]);
    let bare = fixture.folder.path().join("bare");
    let address = format!("file://{}", fixture.path().display());
    fixture.git(&["clone", "--quiet", "--bare", &address, bare.to_str().unwrap()]);
    let clone = Store::open(&bare).unwrap();
    let snapshot = clone.snapshot().unwrap();
    assert_eq!(snapshot.packages().unwrap(), ["barn", "hayloft"]);
    assert!(snapshot.read("hayloft", keys[0]).unwrap().is_some());
    // Its branch is in `packed-refs`; it goes on from there.
    append(&mut clone.writer(Default::default()).unwrap(), "hayloft");
    assert_eq!(clone.snapshot().unwrap().results("hayloft").unwrap().len(), 2);
}

#[test]
fn the_same_submissions_give_the_same_commits() {
    let commit_of = |_| {
        let fixture = Fixture::new();
        let mut writer = fixture.writer().reproducible(time("2026-01-02T03:04:05Z"), 123_456);
        let arrival = Arrival::at(time("2026-01-02T03:04:05.678Z"));
        writer.append(&submission("hayloft"), &arrival).unwrap();
        let second = writer.append(&submission("Hay/loft"), &arrival).unwrap();
        assert_eq!(second.receipt.key.to_string(), "1767323045679123456");
        second.commit_id.to_string()
    };
    let [first, again] = [0, 1].map(commit_of);
    assert_eq!(first, again);
    // Changes only with the format: old repositories then hold other bytes than new ones.
    assert_eq!(first, "f91168778a6de59baa9c27ed81d8b207f99e4927");
}

#[test]
fn the_message_is_a_log_line_and_trailers() {
    let fixture = Fixture::new();
    let mut writer = fixture.writer().reproducible(Timestamp::UNIX_EPOCH, 7);
    writer.append(&submission("hayloft"), &Arrival::at(time("2026-01-02T03:04:05Z"))).unwrap();
    insta::assert_snapshot!(fixture.git(&["cat-file", "-p", "main"]), @"
    tree 56a4fb8045940c7629baf5841ac7ed5e66a9bb4d
    parent 13b634ce7a6609fb2677d11fa7fb2f31cff117db
    author pony <pony@localhost> 1767323045 +0000
    committer pony <pony@localhost> 1767323045 +0000

    FAIL hayloft on shed (linux-x86_64): 1 of 3 tests failed

    Result-Key: 1767323045000000007
    Package: hayloft
    Tags: stable
    Tests: 2 passed, 1 failed, 0 errored, 0 skipped
    ");
}

#[test]
fn names_from_outside_forge_neither_headers_nor_trailers() {
    let fixture = Fixture::new();
    let package = "x\n\nResult-Key: 1\nauthor a <b> 1 +0000\r";
    let key = append(&mut fixture.writer(), package).receipt.key;
    fixture.fsck();
    let trailers = fixture.git(&["log", "-1", "--format=%(trailers:key=Result-Key,valueonly)"]);
    assert_eq!(trailers.trim(), key.to_string());
    assert_eq!(fixture.git(&["log", "-1", "--format=%an"]), "pony\n");
    assert_eq!(fixture.store.snapshot().unwrap().packages().unwrap(), [package]);
}

#[test]
fn hostile_package_names_are_kept_apart_and_come_back() {
    let fixture = Fixture::new();
    let long = "x".repeat(200);
    let longer = format!("{}y", "x".repeat(199));
    let mut names =
        [".git", "../x", "CON", "con", "..", "a/b", "a%2fb", "README.md", &long, &longer];
    fixture.fill(&names);
    fixture.fsck();
    names.sort_unstable();
    let snapshot = fixture.store.snapshot().unwrap();
    assert_eq!(snapshot.packages().unwrap(), names);
    for name in names {
        let keys = snapshot.results(name).unwrap();
        assert_eq!(keys.len(), 1, "{name}");
        let result = snapshot.read(name, keys[0]).unwrap().unwrap();
        assert_eq!(result.submission.client_info, client_info(name));
        assert_eq!(snapshot.package_of(keys[0]).unwrap().as_deref(), Some(name));
    }
    let changes = snapshot.changes_since(None).unwrap().unwrap();
    let mut changed: Vec<&str> = changes.iter().map(|change| &*change.package).collect();
    changed.sort_unstable();
    assert_eq!(changed, names);
    // A checkout must not write outside of itself.
    let clone = fixture.clone_of();
    assert_eq!(std::fs::read_dir(clone).unwrap().count(), names.len() + 3);
}

fn keys_of(snapshot: &Snapshot) -> Vec<ResultKey> {
    let changes = snapshot.changes_since(None).unwrap().unwrap();
    changes.iter().map(|change| change.key).collect()
}

#[test]
fn keys_rise_although_the_clock_goes_back() {
    let fixture = Fixture::new();
    let arrivals = ["2026-01-02T00:00:00Z", "2026-01-02T00:00:00Z", "2020-05-05T00:00:00Z"];
    let arrivals = arrivals.iter().chain(["1960-01-01T00:00:00Z", "2026-01-03T00:00:00Z"].iter());
    let mut keys = Vec::new();
    for (index, arrival) in arrivals.enumerate() {
        // Each in a package and by a writer of its own: what was last comes from the repository.
        let mut writer = fixture.writer();
        let submission = submission(&format!("package-{index}"));
        let appended = writer.append(&submission, &Arrival::at(time(arrival))).unwrap();
        assert_eq!(appended.receipt.received, time(arrival));
        keys.push(appended.receipt.key);
    }
    assert!(keys.is_sorted_by(|a, b| a < b), "{keys:?}");
    assert_eq!(keys_of(&fixture.store.snapshot().unwrap()), keys);
    let times = fixture.git(&["log", "--reverse", "--format=%ct"]);
    let times: Vec<i64> = times.lines().map(|line| line.parse().unwrap()).collect();
    assert!(times.is_sorted(), "{times:?}");
    fixture.fsck();
}

#[test]
fn the_last_key_there_can_be_is_not_given_twice() {
    let fixture = Fixture::new();
    let end = Arrival::at(Timestamp::MAX);
    let mut writer: Writer = fixture.writer().reproducible(Timestamp::MAX, 999_999);
    writer.append(&submission("hayloft"), &end).unwrap();
    let error = writer.append(&submission("hayloft"), &end).unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
    assert_eq!(fixture.store.snapshot().unwrap().results("hayloft").unwrap().len(), 1);
}

#[test]
fn equal_files_are_stored_once() {
    let fixture = Fixture::new();
    let keys = fixture.fill(&["hayloft", "hayloft"]);
    let ids = keys.iter().map(|key| {
        let folder = fixture.git(&["ls-tree", "-r", "--name-only", "main"]);
        let path = folder
            .lines()
            .find(|line| line.contains(&key.to_string()) && line.ends_with("tests.txt"))
            .unwrap();
        fixture.git(&["rev-parse", &format!("main:{path}")])
    });
    let ids: Vec<String> = ids.collect();
    assert_eq!(ids[0], ids[1]);
    let batch = fixture.git(&["rev-list", "--objects", "--all"]);
    let all = batch.lines().count();
    let counts = fixture.git(&["count-objects", "-v"]);
    assert!(counts.contains(&format!("in-pack: {all}\n")), "{counts}");
}

#[test]
fn an_empty_results_list_is_a_result() {
    let fixture = Fixture::new();
    let mut submission = submission("hayloft");
    submission.results_list.clear();
    let arrival = Arrival::at(time("2026-01-02T03:04:05Z"));
    let key = fixture.writer().append(&submission, &arrival).unwrap().receipt.key;
    let snapshot = fixture.store.snapshot().unwrap();
    assert_eq!(snapshot.read("hayloft", key).unwrap().unwrap().submission, submission);
}

#[test]
fn a_store_can_be_shared_by_threads() {
    fn shared<T: Send + Sync>() {}
    fn movable<T: Send>() {}
    shared::<Store>();
    shared::<Snapshot>();
    movable::<Writer>();
}
