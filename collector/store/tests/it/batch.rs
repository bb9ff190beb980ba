//! Many submissions at a time: one commit each, all durable together.

use std::collections::BTreeSet;
use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;

use jiff::{SignedDuration, Timestamp};
use pony_formats::{Outcome, ResultKey, Step, Submission, TestCase};
use pony_store::{Arrival, Artifact, Prepared, Queue, StoreError};
use proptest::prelude::*;

use crate::fixture::{Fixture, client_info, git, submission};

fn start() -> Timestamp {
    "2026-01-02T23:59:58Z".parse().unwrap()
}

/// A submission with this many tests, told apart by `salt`.
fn sized(package: &str, tests: usize, salt: u32) -> Submission {
    let tests = (0..tests).map(|number| {
        let mut test = TestCase::new(format!("suite::test_{number}"), Outcome::Passed);
        test.duration = Some(f64::from(salt + 1) * 0.001);
        test
    });
    let step = Step::default().with("name", "unit tests").with_tests(tests.collect());
    Submission { client_info: client_info(package), results_list: vec![step] }
}

fn packs(fixture: &Fixture) -> BTreeSet<String> {
    let names = fs::read_dir(fixture.path().join("objects/pack")).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.ends_with(".pack")).collect()
}

fn commits(fixture: &Fixture) -> usize {
    fixture.git(&["rev-list", "--count", "main"]).trim().parse().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn a_batch_gives_the_same_commits_as_one_after_another(
        submissions in prop::collection::vec((0..3_usize, 0..30_usize, 0..3_u32, 0..1_500_i64), 1..60),
        split in 0..60_usize,
    ) {
        let batch: Vec<(Submission, Arrival)> = submissions.iter().map(|(package, tests, salt, later)| {
            let submission = sized(["barn", "hayloft", "hay/loft"][*package], *tests, *salt);
            (submission, Arrival::at(start() + SignedDuration::from_millis(*later)))
        }).collect();
        let writer = |fixture: &Fixture| fixture.writer().reproducible(start(), 7);

        let one_by_one = Fixture::new();
        let mut single = writer(&one_by_one);
        let expected: Vec<_> = batch.iter()
            .map(|(submission, arrival)| single.append(submission, arrival).unwrap())
            .collect();

        let together = Fixture::new();
        let mut group = writer(&together);
        let prepared: Vec<(Prepared, Arrival)> = batch.iter()
            .map(|(submission, arrival)| (Prepared::new(submission).unwrap(), arrival.clone()))
            .collect();
        let (first, second) = prepared.split_at(split.min(prepared.len()));
        let mut appended = group.append_all(first);
        appended.extend(group.append_all(second));
        let appended: Vec<_> = appended.into_iter().map(Result::unwrap).collect();
        prop_assert_eq!(appended, expected);
        together.fsck();
        one_by_one.fsck();
    }
}

#[test]
fn a_batch_is_one_pack_that_keeps_old_folders_as_deltas() {
    let fixture = Fixture::new();
    let before = packs(&fixture);
    let submission = Prepared::new(&submission("hayloft")).unwrap();
    let batch = |count: u32| vec![(submission.clone(), Arrival::at(start())); count as usize];
    let mut writer = fixture.writer();
    let appended = writer.append_all(&batch(200));
    let keys: Vec<ResultKey> =
        appended.into_iter().map(|appended| appended.unwrap().receipt.key).collect();
    assert!(keys.is_sorted_by(|a, b| a < b));
    assert_eq!(commits(&fixture), 201);
    let made: Vec<String> = packs(&fixture).difference(&before).cloned().collect();
    assert_eq!(made.len(), 1);
    let pack = fixture.path().join("objects/pack").join(&made[0]);
    let list = fixture.git(&["verify-pack", "-v", pack.to_str().unwrap()]);
    assert!(
        list.contains("chain length = 40: 4 objects") || list.contains("chain length = 40: "),
        "{list}"
    );
    assert!(!list.contains("chain length = 41"), "{list}");
    // 200 versions of five folders, the last of which alone has 9 kB.
    assert!(pack.metadata().unwrap().len() < 250_000, "{}", pack.metadata().unwrap().len());
    fixture.fsck();
    let snapshot = fixture.store.snapshot().unwrap();
    assert_eq!(snapshot.results("hayloft").unwrap(), keys);
    let changes = snapshot.changes_since(None).unwrap().unwrap();
    assert_eq!(changes.iter().map(|change| change.key).collect::<Vec<_>>(), keys);
}

#[test]
fn an_empty_batch_changes_nothing() {
    let fixture = Fixture::new();
    let (head, before) = (fixture.git(&["rev-parse", "main"]), packs(&fixture));
    assert!(fixture.writer().append_all(&[]).is_empty());
    assert_eq!((fixture.git(&["rev-parse", "main"]), packs(&fixture)), (head, before));
}

#[test]
fn one_that_is_refused_keeps_no_other_from_being_stored() {
    let fixture = Fixture::new();
    let mut writer = fixture.writer().reproducible(start(), 999_999);
    let at = |time| (Prepared::new(&submission("hayloft")).unwrap(), Arrival::at(time));
    // After the last key there is no other.
    let outcomes = writer.append_all(&[at(start()), at(Timestamp::MAX), at(start())]);
    assert!(outcomes[0].is_ok() && outcomes[1].is_ok());
    assert!(matches!(&outcomes[2], Err(StoreError::Damaged { .. })), "{:?}", outcomes[2]);
    assert_eq!(commits(&fixture), 3);
    fixture.fsck();
}

#[test]
fn a_list_of_names_is_not_written_again_by_another_writer() {
    let fixture = Fixture::new();
    let mut written = Vec::new();
    for salt in 0..3 {
        let before = packs(&fixture);
        let submission = sized("hayloft", 500, salt);
        fixture.writer().append(&submission, &Arrival::at(start())).unwrap();
        let new = packs(&fixture).difference(&before).next().cloned().unwrap();
        let pack = fixture.path().join("objects/pack").join(new);
        written.push(fixture.git(&["verify-pack", "-v", pack.to_str().unwrap()]));
    }
    let path = fixture.git(&["ls-tree", "-r", "--name-only", "main"]);
    let path = path.lines().find(|path| path.ends_with("/tests.txt")).unwrap();
    let names = fixture.git(&["rev-parse", &format!("main:{path}")]);
    let holds = written.iter().map(|list| list.contains(names.trim())).collect::<Vec<_>>();
    assert_eq!(holds, [true, false, false]);
}

#[test]
fn a_push_between_two_batches_is_kept() {
    let fixture = Fixture::new();
    let mut writer = fixture.writer();
    let batch = vec![(Prepared::new(&submission("hayloft")).unwrap(), Arrival::at(start())); 5];
    writer.append_all(&batch);
    let clone = fixture.clone_of();
    git(&clone, &["rm", "--quiet", "-r", "hayloft"]);
    git(&clone, &["commit", "--quiet", "-m", "all gone"]);
    git(&clone, &["push", "--quiet"]);
    let appended = writer.append_all(&batch);
    let keys: Vec<ResultKey> = appended.into_iter().map(|a| a.unwrap().receipt.key).collect();
    assert_eq!(fixture.store.snapshot().unwrap().results("hayloft").unwrap(), keys);
    assert_eq!(commits(&fixture), 12);
    fixture.fsck();
}

#[test]
fn a_queue_writes_what_many_threads_push() {
    let fixture = Fixture::new();
    let queue = Queue::start(fixture.writer(), || panic!("the disk is there")).unwrap();
    let appended = thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|number| {
                let queue = &queue;
                scope.spawn(move || {
                    let package = format!("package-{number}");
                    let prepared = Prepared::new(&submission(&package)).unwrap();
                    let arrival = || Arrival::at(Timestamp::now());
                    let keys = (0..10).map(|_| queue.append(prepared.clone(), arrival()).unwrap());
                    (package, keys.map(|appended| appended.receipt.key).collect::<Vec<_>>())
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    let key = appended[0].1[0];
    let artifact = Artifact {
        filename: "a.log".to_owned(),
        description: String::new(),
        size: 1,
        sha256: [0xab; 32].into(),
        visible: true,
    };
    queue.attach("package-0", key, &artifact).unwrap();
    let unknown = queue.attach("package-1", key, &artifact).unwrap_err();
    assert!(matches!(unknown, StoreError::NoSuchResult { .. }), "{unknown}");
    queue.finish();
    let snapshot = fixture.store.snapshot().unwrap();
    for (package, keys) in appended {
        assert_eq!(snapshot.results(&package).unwrap(), keys);
    }
    assert_eq!(snapshot.artifacts("package-0", key).unwrap(), [artifact]);
    assert_eq!(commits(&fixture), 82);
    fixture.fsck();
}

#[test]
fn what_waits_is_one_batch_and_is_told_in_the_order_in_which_it_was_pushed() {
    let fixture = Fixture::new();
    let queue = Queue::start(fixture.writer(), || {}).unwrap();
    let prepared = Prepared::new(&submission("hayloft")).unwrap();
    let (release, held) = mpsc::channel::<()>();
    let (begin, began) = mpsc::channel::<()>();
    // The first keeps the thread until all others wait.
    queue.push(prepared.clone(), Arrival::at(start()), move |_| {
        begin.send(()).unwrap();
        held.recv().unwrap();
    });
    began.recv().unwrap();
    let told = Arc::new(AtomicUsize::new(0));
    for number in 0..100 {
        let told = Arc::clone(&told);
        queue.push(prepared.clone(), Arrival::at(start()), move |outcome| {
            outcome.unwrap();
            assert_eq!(told.fetch_add(1, Ordering::SeqCst), number);
        });
    }
    release.send(()).unwrap();
    queue.finish();
    assert_eq!(told.load(Ordering::SeqCst), 100);
    // The first commit of the repository, the one that kept the thread, and all others.
    assert_eq!(packs(&fixture).len(), 3);
    // It has given the lock back, and takes nothing more.
    drop(fixture.writer());
    assert!(queue.append(prepared, Arrival::at(start())).is_err());
    queue.finish();
}

#[test]
fn a_queue_that_is_dropped_gives_the_lock_back_when_it_is_done() {
    let fixture = Fixture::new();
    drop(Queue::start(fixture.writer(), || {}).unwrap());
    drop(fixture.store.writer(std::time::Duration::from_secs(60)).unwrap());
}

#[test]
fn when_the_thread_has_panicked_its_owner_is_told_and_everything_is_refused() {
    let fixture = Fixture::new();
    let (lose, lost) = mpsc::channel::<()>();
    let queue = Queue::start(fixture.writer(), move || lose.send(()).unwrap()).unwrap();
    let prepared = Prepared::new(&submission("hayloft")).unwrap();
    queue.push(prepared.clone(), Arrival::at(start()), |_| panic!("as a fault of ours would"));
    assert_eq!(lost.recv(), Ok(()));
    assert!(queue.append(prepared, Arrival::at(start())).is_err());
}

#[test]
fn a_queue_that_was_told_of_a_lost_disk_refuses_everything() {
    let fixture = Fixture::new();
    let queue = Queue::start(fixture.writer(), || {}).unwrap();
    let prepared = Prepared::new(&submission("hayloft")).unwrap();
    queue.append(prepared.clone(), Arrival::at(start())).unwrap();
    queue.refuse();
    let error = queue.append(prepared, Arrival::at(start())).unwrap_err();
    assert!(matches!(error, StoreError::DiskLost { .. }), "{error}");
    assert_eq!(commits(&fixture), 2);
}
