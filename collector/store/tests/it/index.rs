//! The derived index: whatever happened to the history, it is what a new one would be.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use pony_formats::{ResultKey, Tagset};
use pony_store::{Arrival, Index, Scope, Snapshot, StoreError};
use proptest::prelude::*;

use crate::fixture::{Fixture, append, client_info, git, submission};

fn dump(index: &Index) -> String {
    let mut text = Vec::new();
    index.dump(&mut text).unwrap();
    String::from_utf8(text).unwrap()
}

/// What an index says that is built from nothing.
fn rebuilt(snapshot: &Snapshot) -> String {
    dump(&Index::in_memory(snapshot).unwrap())
}

fn place(fixture: &Fixture) -> PathBuf {
    fixture.folder.path().join("index.redb")
}

fn opened(fixture: &Fixture) -> Index {
    Index::open(&place(fixture), &fixture.store.snapshot().unwrap()).unwrap()
}

/// Appends with a number, at a time in seconds after the start of 2026.
fn append_at(fixture: &Fixture, package: &str, seconds: i64, number: Option<u32>) -> ResultKey {
    let start: jiff::Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let time = start + jiff::SignedDuration::from_secs(seconds);
    let submission_id = format!("{package}/{seconds}").replace(' ', "").parse().ok();
    let arrival = Arrival { number, submission_id, ..Arrival::at(time) };
    fixture.writer().append(&submission(package), &arrival).unwrap().receipt.key
}

#[test]
fn results_are_found_by_key_number_package_and_tagset() {
    let fixture = Fixture::new();
    let first = append_at(&fixture, "hayloft", 0, Some(3));
    let second = append_at(&fixture, "barn/x", 90_000, None);
    let third = append_at(&fixture, "hayloft", 180_000, Some(4));
    let index = opened(&fixture);
    assert_eq!(index.len().unwrap(), 3);
    let entry = index.result(second).unwrap().unwrap();
    assert_eq!((entry.key(), entry.package(), entry.success), (second, "barn/x", false));
    assert_eq!(index.result(second.next()).unwrap(), None);
    assert_eq!(index.numbered(3).unwrap(), Some(first));
    assert_eq!(index.numbered(5).unwrap(), None);
    assert_eq!(index.last_number().unwrap(), Some(4));
    let keys = |scope| -> Vec<ResultKey> {
        index.newest_first(scope).map(|entry| entry.unwrap().key()).collect()
    };
    assert_eq!(keys(Scope::All), [third, second, first]);
    assert_eq!(keys(Scope::Package("hayloft".to_owned())), [third, first]);
    assert_eq!(keys(Scope::Package("hay".to_owned())), []);
    let tagset = client_info("hayloft").tagset();
    assert_eq!(keys(Scope::Tagset(tagset.clone())), [third, first]);
    assert_eq!(keys(Scope::Tagset(Tagset { host: "x".to_owned(), ..tagset })), []);
    let latest = index.latest().unwrap();
    let latest: Vec<_> = latest.iter().map(|entry| (entry.package(), entry.key())).collect();
    assert_eq!(latest, [("barn/x", second), ("hayloft", third)]);
}

#[test]
fn an_entry_has_what_the_result_has() {
    let fixture = Fixture::new();
    let arrival = Arrival {
        number: Some(7),
        submission_id: "id-7".parse().ok(),
        client: Some("shed \"\\ ä\n".to_owned()),
        client_ip: Some("127.0.0.1".to_owned()),
        flags: ["sanitised".to_owned()].into(),
        ..Arrival::at(jiff::Timestamp::now())
    };
    let long = "ä\"".repeat(60);
    let appended = fixture.writer().append(&submission(&long), &arrival).unwrap();
    let index = opened(&fixture);
    let entry = index.result(appended.receipt.key).unwrap().unwrap();
    assert_eq!(index.submission(&"id-7".parse().unwrap()).unwrap().as_ref(), Some(&entry));
    assert_eq!(index.submission(&"id-".parse().unwrap()).unwrap(), None);
    assert_eq!(entry.receipt, appended.receipt);
    assert_eq!(entry.tagset, client_info(&long).tagset());
}

#[test]
fn many_results_come_in_portions() {
    let fixture = Fixture::new();
    let mut writer = fixture.writer();
    let mut keys: Vec<_> =
        (0..600).map(|number| append(&mut writer, ["a", "b"][number % 2]).receipt.key).collect();
    keys.reverse();
    let index = opened(&fixture);
    let found: Vec<_> = index.newest_first(Scope::All).map(|entry| entry.unwrap().key()).collect();
    assert_eq!(found, keys);
    let scope = Scope::Tagset(client_info("a").tagset());
    assert_eq!(index.newest_first(scope).count(), 300);
}

#[test]
fn it_follows_the_writer_and_survives_a_restart() {
    let fixture = Fixture::new();
    fixture.fill(&["hayloft"]);
    let index = opened(&fixture);
    fixture.fill(&["hayloft", "barn"]);
    let snapshot = fixture.store.snapshot().unwrap();
    index.update(&snapshot).unwrap();
    assert_eq!(index.commit_id().unwrap().as_ref(), Some(snapshot.commit_id()));
    assert_eq!(dump(&index), rebuilt(&snapshot));
    drop(index);
    fixture.fill(&["barn"]);
    assert_eq!(dump(&opened(&fixture)), rebuilt(&fixture.store.snapshot().unwrap()));
}

#[test]
fn one_that_was_deleted_damaged_or_made_otherwise_is_built_again() {
    let fixture = Fixture::new();
    for number in 0..40 {
        append_at(
            &fixture,
            ["hayloft", "barn"][number % 2],
            number as i64 * 7000,
            Some(number as u32),
        );
    }
    let snapshot = fixture.store.snapshot().unwrap();
    let expected = rebuilt(&snapshot);
    assert_eq!(dump(&opened(&fixture)), expected);
    let sound = fs::read(place(&fixture)).unwrap();
    for content in [&b""[..], b"x", &[0; 5000], &sound[..sound.len() / 2], &sound[..4096]] {
        fs::write(place(&fixture), content).unwrap();
        assert_eq!(dump(&opened(&fixture)), expected);
    }
    // Of another repository: its commit is not known here.
    let other = Fixture::new();
    other.fill(&["stable"]);
    drop(opened(&other));
    fs::copy(place(&other), place(&fixture)).unwrap();
    assert_eq!(dump(&opened(&fixture)), expected);
}

/// Flips bits all over the file: what is read then is right, or said to be damaged and right after an update.
#[test]
fn flipped_bits_never_panic_and_are_mended() {
    let fixture = Fixture::new();
    for number in 0..20 {
        append_at(&fixture, "hayloft", i64::from(number) * 7000, Some(number));
    }
    let snapshot = fixture.store.snapshot().unwrap();
    let expected = rebuilt(&snapshot);
    drop(opened(&fixture));
    let sound = fs::read(place(&fixture)).unwrap();
    let used: Vec<usize> = (0..sound.len()).filter(|at| sound[*at] != 0).collect();
    for at in used.iter().step_by(used.len() / 60 + 1) {
        let mut flipped = sound.clone();
        flipped[*at] ^= 1 << (at % 8);
        fs::write(place(&fixture), &flipped).unwrap();
        let index = opened(&fixture);
        let mut text = Vec::new();
        match index.dump(&mut text) {
            Ok(()) => {}
            Err(StoreError::Damaged { .. }) => {
                index.update(&snapshot).unwrap();
                assert_eq!(dump(&index), expected, "byte {at}");
            }
            Err(error) => panic!("byte {at}: {error}"),
        }
        let _ = (index.latest(), index.last_number(), index.newest_first(Scope::All).count());
    }
}

#[test]
fn two_processes_do_not_share_one() {
    let fixture = Fixture::new();
    let index = opened(&fixture);
    let snapshot = fixture.store.snapshot().unwrap();
    let error = Index::open(&place(&fixture), &snapshot).unwrap_err();
    assert!(matches!(error, StoreError::IndexInUse { .. }), "{error}");
    assert!(matches!(Index::inspect(&place(&fixture)), Err(StoreError::IndexInUse { .. })));
    drop(index);
    let seen = Index::inspect(&place(&fixture)).unwrap().unwrap();
    assert_eq!(dump(&seen), rebuilt(&snapshot));
    assert!(Index::inspect(Path::new("/no/such/index")).unwrap().is_none());
}

#[test]
fn a_merge_of_two_repositories_is_followed() {
    let (here, there) = (Fixture::new(), Fixture::new());
    here.fill(&["hayloft", "barn"]);
    there.fill(&["hayloft", "stable"]);
    let index = opened(&here);
    let clone = here.clone_of();
    git(&clone, &["fetch", "--quiet", there.path().to_str().unwrap(), "main"]);
    git(&clone, &["merge", "--quiet", "-m", "union", "FETCH_HEAD"]);
    git(&clone, &["push", "--quiet"]);
    let snapshot = here.store.snapshot().unwrap();
    index.update(&snapshot).unwrap();
    assert_eq!(index.len().unwrap(), 4);
    assert_eq!(dump(&index), rebuilt(&snapshot));
}

#[test]
fn a_result_that_comes_back_is_found_when_the_index_is_opened() {
    let fixture = Fixture::new();
    let keys = fixture.fill(&["hayloft", "barn"]);
    let path = format!("hayloft/{}/{}", keys[0].time().strftime("%Y/%m/%d"), keys[0]);
    let text = fixture.git(&["show", &format!("main:{path}/receipt.json")]);
    push(&fixture, "main", None, &[(&format!("{path}/receipt.json"), Some("{}"))]);
    let index = opened(&fixture);
    let [(at, reason)] = &index.unreadable().unwrap()[..] else { panic!("not one") };
    assert_eq!((at, &**reason), (&path, "receipt.json: `format` is missing or no text"));
    assert_eq!(index.result(keys[0]).unwrap(), None);
    push(&fixture, "main", None, &[(&format!("{path}/receipt.json"), Some(&text))]);
    index.update(&fixture.store.snapshot().unwrap()).unwrap();
    assert!(index.unreadable().unwrap().is_empty());
    assert!(index.result(keys[0]).unwrap().is_some());
}

#[test]
fn a_number_outlives_a_copy_of_its_result() {
    let fixture = Fixture::new();
    let key = append_at(&fixture, "hayloft", 0, Some(3));
    happen(&fixture, &Event::Copy { result: 0 }, 0);
    let index = opened(&fixture);
    assert_eq!(index.len().unwrap(), 2);
    let folder = folders(&fixture).into_iter().find(|folder| folder.starts_with("copied/"));
    push(&fixture, "main", None, &[(&folder.unwrap(), None)]);
    let snapshot = fixture.store.snapshot().unwrap();
    index.update(&snapshot).unwrap();
    assert_eq!(index.numbered(3).unwrap(), Some(key));
    assert_eq!(dump(&index), rebuilt(&snapshot));
}

/// Makes a commit as a stranger would: files with new content, or removed.
fn push(fixture: &Fixture, branch: &str, merged: Option<&str>, files: &[(&str, Option<&str>)]) {
    let merge = merged.map(|commit| format!("merge {commit}\n")).unwrap_or_default();
    let mut stream = format!(
        "commit refs/heads/{branch}\ncommitter S <s@localhost> 1800000000 +0000\ndata 0\n\
         from refs/heads/{branch}^0\n{merge}"
    );
    for (path, content) in files {
        match content {
            Some(text) => {
                stream.push_str(&format!("M 100644 inline {path}\ndata {}\n{text}\n", text.len()))
            }
            None => stream.push_str(&format!("D {path}\n")),
        }
    }
    let mut child = Command::new("git")
        .args(["fast-import", "--quiet"])
        .current_dir(fixture.path())
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(stream.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
}

/// Something that happens to a repository.
#[derive(Debug, Clone)]
enum Event {
    Append {
        package: usize,
        number: Option<u32>,
    },
    /// A stranger copies a result to another package.
    Copy {
        result: usize,
    },
    Remove {
        result: usize,
    },
    Garble {
        result: usize,
    },
    Notes,
    /// A branch from an earlier commit is merged, with what a copy of a result would be.
    Merge {
        back: usize,
        result: usize,
    },
    /// Somebody with access to the disk moves the branch back.
    Rewind {
        back: usize,
    },
    /// The index is brought up to date.
    Update,
    Restart,
}

fn any_event() -> impl Strategy<Value = Event> {
    let number = proptest::option::of(0u32..4);
    prop_oneof![
        4 => (0usize..3, number).prop_map(|(package, number)| Event::Append { package, number }),
        1 => (0usize..9).prop_map(|result| Event::Copy { result }),
        1 => (0usize..9).prop_map(|result| Event::Remove { result }),
        1 => (0usize..9).prop_map(|result| Event::Garble { result }),
        1 => Just(Event::Notes),
        1 => (1usize..4, 0usize..9).prop_map(|(back, result)| Event::Merge { back, result }),
        1 => (1usize..4).prop_map(|back| Event::Rewind { back }),
        2 => Just(Event::Update),
        1 => Just(Event::Restart),
    ]
}

/// The folders of the results at the head.
fn folders(fixture: &Fixture) -> Vec<String> {
    let listing = fixture.git(&["ls-tree", "-r", "--name-only", "main"]);
    let results = listing.lines().filter(|path| !path.starts_with("docs/"));
    results.filter_map(|path| path.strip_suffix("/receipt.json")).map(str::to_owned).collect()
}

fn happen(fixture: &Fixture, event: &Event, seconds: i64) {
    let all = folders(fixture);
    let pick = |result: &usize| all.get(result % all.len().max(1));
    let copy_of = |folder: &String| {
        let tail = folder.split_once('/').map(|(_, tail)| tail).unwrap_or_default().to_owned();
        let text = |file: &str| fixture.git(&["show", &format!("main:{folder}/{file}")]);
        ["receipt.json", "client_info.json", "results_list.json"].map(|file| {
            (format!("copied/{tail}/{file}"), text(file).replace("\"hayloft\"", "\"copied\""))
        })
    };
    let push_copy = |branch: &str, merged: Option<&str>, folder: &String| {
        let files = copy_of(folder);
        let files: Vec<_> = files.iter().map(|(path, text)| (&**path, Some(&**text))).collect();
        push(fixture, branch, merged, &files);
    };
    match event {
        Event::Append { package, number } => {
            let long = "long name ".repeat(20);
            append_at(fixture, ["hayloft", "Barn/x", &long][*package], seconds, *number);
        }
        Event::Copy { result } => {
            if let Some(folder) = pick(result) {
                push_copy("main", None, folder);
            }
        }
        Event::Remove { result } => {
            if let Some(folder) = pick(result) {
                push(fixture, "main", None, &[(folder, None)]);
            }
        }
        Event::Garble { result } => {
            if let Some(folder) = pick(result) {
                push(fixture, "main", None, &[(&format!("{folder}/client_info.json"), Some("{"))]);
            }
        }
        Event::Notes => {
            push(fixture, "main", None, &[("docs/2026/01/01/notes/receipt.json", Some("{}"))])
        }
        Event::Merge { back, result } => {
            if let Some(folder) = pick(result) {
                fixture.git(&["branch", "-f", "side", &ancestor(fixture, *back)]);
                push_copy("side", None, folder);
                let side = fixture.git(&["rev-parse", "side"]);
                push_copy("main", Some(side.trim()), folder);
            }
        }
        Event::Rewind { back } => {
            fixture.git(&["update-ref", "refs/heads/main", &ancestor(fixture, *back)]);
        }
        Event::Update | Event::Restart => {}
    }
}

fn ancestor(fixture: &Fixture, back: usize) -> String {
    let count: usize =
        fixture.git(&["rev-list", "--count", "--first-parent", "main"]).trim().parse().unwrap();
    fixture.git(&["rev-parse", &format!("main~{}", back.min(count - 1))]).trim().to_owned()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, max_shrink_iters: 40, ..ProptestConfig::default() })]
    #[test]
    fn grown_or_built_it_is_the_same(events in proptest::collection::vec(any_event(), 4..14)) {
        let fixture = Fixture::new();
        let mut index = opened(&fixture);
        for (step, event) in events.iter().enumerate() {
            happen(&fixture, event, step as i64 * 30_000);
            match event {
                Event::Restart => {
                    drop(index);
                    index = opened(&fixture);
                }
                Event::Update => index.update(&fixture.store.snapshot().unwrap()).unwrap(),
                _ => continue,
            }
            prop_assert_eq!(dump(&index), rebuilt(&fixture.store.snapshot().unwrap()));
        }
        index.update(&fixture.store.snapshot().unwrap()).unwrap();
        prop_assert_eq!(dump(&index), rebuilt(&fixture.store.snapshot().unwrap()));
    }
}
