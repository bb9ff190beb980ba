//! What is new since a commit.

use pony_store::CommitId;

use crate::fixture::{Fixture, append, git};

#[test]
fn changes_are_the_commits_after_the_base_oldest_first() {
    let fixture = Fixture::new();
    let start = fixture.store.snapshot().unwrap();
    assert_eq!(start.changes_since(None).unwrap(), Some(vec![]));
    let mut writer = fixture.writer();
    let appended = ["hayloft", "barn", "hayloft", "x/y"].map(|name| append(&mut writer, name));

    let snapshot = fixture.store.snapshot().unwrap();
    let all = snapshot.changes_since(None).unwrap().unwrap();
    let found: Vec<_> = all.iter().map(|change| (change.key, &change.commit_id)).collect();
    let wanted: Vec<_> = appended.iter().map(|one| (one.receipt.key, &one.commit_id)).collect();
    assert_eq!(found, wanted);
    assert_eq!(all[3].package, "x/y");
    assert_eq!(snapshot.changes_since(Some(start.commit_id())).unwrap().unwrap(), all);
    let second = &appended[1].commit_id;
    assert_eq!(snapshot.changes_since(Some(second)).unwrap().unwrap(), all[2..]);
    assert_eq!(snapshot.changes_since(Some(snapshot.commit_id())).unwrap(), Some(vec![]));
}

#[test]
fn a_commit_of_another_history_is_no_base() {
    let fixture = Fixture::new();
    let old = fixture.store.snapshot().unwrap();
    fixture.fill(&["hayloft"]);
    let later = fixture.store.snapshot().unwrap();
    assert_eq!(old.changes_since(Some(later.commit_id())).unwrap(), None);
    for unknown in ["0".repeat(40), "0".repeat(64)] {
        let unknown: CommitId = unknown.parse().unwrap();
        assert_eq!(later.changes_since(Some(&unknown)).unwrap(), None);
    }
}

#[test]
fn commits_of_strangers_that_add_no_result_are_left_out() {
    let fixture = Fixture::new();
    let first = fixture.fill(&["hayloft"]);
    let clone = fixture.clone_of();
    std::fs::create_dir_all(clone.join("docs/2026/01/02/notes")).unwrap();
    std::fs::write(clone.join("docs/2026/01/02/notes/a.txt"), "hello").unwrap();
    git(&clone, &["add", "."]);
    git(&clone, &["commit", "--quiet", "-m", "notes\n\nResult-Key: 1763899999123456789"]);
    git(&clone, &["push", "--quiet"]);
    let second = fixture.fill(&["barn"]);
    let changes = fixture.store.snapshot().unwrap().changes_since(None).unwrap().unwrap();
    let keys: Vec<_> = changes.iter().map(|change| change.key).collect();
    assert_eq!(keys, [first, second].concat());
}

#[test]
fn a_merge_of_two_repositories_adds_what_it_brought() {
    let (here, there) = (Fixture::new(), Fixture::new());
    let mine = here.fill(&["hayloft", "barn"]);
    let theirs = there.fill(&["hayloft", "stable"]);
    let base = here.store.snapshot().unwrap();
    let clone = here.clone_of();
    git(&clone, &["fetch", "--quiet", there.path().to_str().unwrap(), "main"]);
    git(&clone, &["merge", "--quiet", "-m", "union", "FETCH_HEAD"]);
    git(&clone, &["push", "--quiet"]);

    let snapshot = here.store.snapshot().unwrap();
    let changes = snapshot.changes_since(Some(base.commit_id())).unwrap().unwrap();
    let found: Vec<_> = changes.iter().map(|change| (&*change.package, change.key)).collect();
    assert_eq!(found, [("hayloft", theirs[0]), ("stable", theirs[1])]);
    assert_eq!(snapshot.packages().unwrap(), ["barn", "hayloft", "stable"]);
    let last = mine.iter().chain(&theirs).max().unwrap();
    assert!(append(&mut here.writer(), "barn").receipt.key > *last);
    here.fsck();
}

#[test]
fn a_shallow_clone_begins_where_it_was_cut() {
    let fixture = Fixture::new();
    let keys = fixture.fill(&["hayloft", "barn", "stable"]);
    let shallow = fixture.folder.path().join("shallow");
    let address = format!("file://{}", fixture.path().display());
    let target = shallow.to_str().unwrap();
    fixture.git(&["clone", "--quiet", "--bare", "--depth=2", &address, target]);
    let snapshot = pony_store::Store::open(&shallow).unwrap().snapshot().unwrap();
    let changes = snapshot.changes_since(None).unwrap().unwrap();
    let mut found: Vec<_> = changes.iter().map(|change| change.key).collect();
    found.sort_unstable();
    assert_eq!(found, keys);
}

#[test]
fn what_a_commit_adds_without_saying_so_is_found() {
    let fixture = Fixture::new();
    let base = fixture.store.snapshot().unwrap();
    let mut keys = fixture.fill(&["hayloft", "barn", "hayloft"]);
    let clone = fixture.clone_of();
    git(&clone, &["reset", "--quiet", "--soft", &base.commit_id().to_string()]);
    git(&clone, &["commit", "--quiet", "-m", &format!("all\n\nResult-Key: {}", keys[1])]);

    let snapshot = pony_store::Store::open(&clone).unwrap().snapshot().unwrap();
    let changes = snapshot.changes_since(Some(base.commit_id())).unwrap().unwrap();
    let mut found: Vec<_> = changes.iter().map(|change| change.key).collect();
    found.sort_unstable();
    keys.sort_unstable();
    assert_eq!(found, keys);
    assert!(changes.iter().all(|change| change.commit_id == *snapshot.commit_id()));
}

#[test]
fn a_result_that_has_more_is_listed_once_with_the_first_commit_that_added_to_it() {
    let fixture = Fixture::new();
    let mut writer = fixture.writer();
    let old = append(&mut writer, "barn").receipt.key;
    let base = fixture.store.snapshot().unwrap();
    let new = append(&mut writer, "hayloft");
    let artifact = pony_store::Artifact {
        filename: "log.txt".to_owned(),
        description: String::new(),
        size: 0,
        sha256: [0; 32].into(),
        visible: true,
    };
    let first = writer.attach("barn", old, &artifact).unwrap();
    writer.attach("barn", old, &artifact).unwrap();
    writer.attach("hayloft", new.receipt.key, &artifact).unwrap();
    let snapshot = fixture.store.snapshot().unwrap();
    let changes = snapshot.changes_since(Some(base.commit_id())).unwrap().unwrap();
    let found: Vec<_> = changes.into_iter().map(|change| (change.key, change.commit_id)).collect();
    assert_eq!(found, [(new.receipt.key, new.commit_id), (old, first)]);
}
