//! Adding to a repository of which only parts are here.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use pony_formats::ResultKey;
use pony_store::{Addition, Arrival, CommitId, Extension, PartialClone, Prepared, StoreError};

use crate::fixture::{Fixture, git, submission};

/// A clone of the newest commit, without folders and files.
fn clone(fixture: &Fixture) -> (PathBuf, CommitId) {
    let path = fixture.folder.path().join("partial.git");
    let url = format!("file://{}", fixture.path().display());
    let to = path.to_str().unwrap();
    let words = ["clone", "--quiet", "--bare", "--depth=1", "--filter=tree:0", &url, to];
    git(fixture.folder.path(), &words);
    let tip = git(&path, &["rev-parse", "main"]).trim().parse().unwrap();
    (path, tip)
}

/// Extends, fetching what is lacking. Returns how many objects that were, too.
fn extend(
    path: &Path,
    tip: &CommitId,
    additions: &[Addition<'_>],
) -> (CommitId, Vec<ResultKey>, usize) {
    let clone = PartialClone::open(path, "elsewhere").unwrap();
    let mut fetched = 0;
    loop {
        match clone.extend(Some(tip), additions).unwrap() {
            Extension::Made { head, keys } => return (head, keys, fetched),
            Extension::Lacks(names) => {
                fetched += names.len();
                let mut words = vec!["-c", "fetch.negotiationAlgorithm=noop", "fetch", "--quiet"];
                words.extend(["--no-tags", "--filter=tree:0", "origin"]);
                words.extend(names.iter().map(String::as_str));
                git(path, &words);
            }
        }
        assert!(fetched < 20, "it never ends");
    }
}

#[test]
fn only_the_folders_on_the_way_are_needed() {
    let fixture = Fixture::new();
    let packages: Vec<String> = (0..30).map(|number| format!("package-{}", number % 10)).collect();
    fixture.fill(&packages.iter().map(String::as_str).collect::<Vec<_>>());
    let (path, tip) = clone(&fixture);
    let prepared = Prepared::new(&submission("package-3")).unwrap();
    let arrival = Arrival::at(Timestamp::now());
    let addition = Addition { prepared: &prepared, arrival: &arrival, earlier: &[] };
    let (head, keys, fetched) = extend(&path, &tip, &[addition]);
    assert!(fetched <= 6, "root, format.json, package, year, month and day: {fetched}");

    git(&path, &["push", "--quiet", "origin", &format!("{head}:refs/heads/main")]);
    fixture.fsck();
    let snapshot = fixture.store.snapshot().unwrap();
    assert_eq!(snapshot.results("package-3").unwrap().last(), Some(&keys[0]));
    assert_eq!(fixture.git(&["rev-list", "--count", "main"]), "32\n");

    // Found under an earlier key, unless that is another's.
    let again = Addition { earlier: &keys, ..addition };
    let (same, found, _) = extend(&path, &head, &[again]);
    assert_eq!((same, &found), (head.clone(), &keys));
    let other = Prepared::new(&submission("package-4")).unwrap();
    let other = Addition { prepared: &other, ..again };
    let (next, new, _) = extend(&path, &head, &[other, again]);
    assert!(next != head && new[0] > keys[0] && new[1] == keys[0]);
}

#[test]
fn a_clock_that_goes_back_gives_no_key_before_the_last_of_the_day() {
    let fixture = Fixture::new();
    let last = fixture.fill(&["hayloft"])[0];
    let prepared = Prepared::new(&submission("hayloft")).unwrap();
    let clone = PartialClone::open(fixture.path(), "elsewhere").unwrap();
    let snapshot = fixture.store.snapshot().unwrap();
    let tip = snapshot.commit_id();
    // Of the same day, or that would be the day before.
    let start = last.time().as_second() / 86_400 * 86_400;
    let arrival = Arrival::at(Timestamp::from_second(start).unwrap());
    let addition = Addition { prepared: &prepared, arrival: &arrival, earlier: &[] };
    let Extension::Made { keys, .. } = clone.extend(Some(tip), &[addition, addition]).unwrap()
    else {
        panic!("all of it is here")
    };
    assert!(last < keys[0] && keys[0] < keys[1]);
}

#[test]
fn what_holds_no_results_is_not_added_to() {
    let fixture = Fixture::new();
    let stranger = fixture.clone_of();
    git(&stranger, &["rm", "--quiet", "format.json"]);
    git(&stranger, &["commit", "--quiet", "--message", "gone"]);
    let tip = git(&stranger, &["rev-parse", "HEAD"]).trim().parse().unwrap();
    let clone = PartialClone::open(&stranger, "elsewhere").unwrap();
    let refused = clone.extend(Some(&tip), &[]).unwrap_err();
    assert!(matches!(refused, StoreError::NotAResultsRepository { .. }), "{refused}");
}
