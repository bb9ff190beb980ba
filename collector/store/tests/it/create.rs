//! Creating and opening.

use std::fs;

use pony_store::{Store, StoreError};

use crate::fixture::{Fixture, git, git_output, sentence};

#[test]
fn a_new_repository_explains_itself() {
    let fixture = Fixture::new();
    fixture.fsck();
    assert_eq!(fixture.git(&["symbolic-ref", "HEAD"]), "refs/heads/main\n");
    assert_eq!(fixture.git(&["ls-tree", "--name-only", "main"]), "README.md\nformat.json\n");
    let readme = fixture.git(&["show", "main:README.md"]);
    assert!(readme.contains("--filter=blob:none") && readme.contains("results_list.json"));
    assert!(fixture.git(&["show", "main:format.json"]).contains("pony-results"));
    let settings = [
        ("core.repositoryformatversion", "1"),
        ("extensions.preciousobjects", "true"),
        ("gc.auto", "0"),
        ("receive.denynonfastforwards", "true"),
        ("receive.denydeletes", "true"),
        ("receive.fsckobjects", "true"),
        ("core.fsync", "all"),
        ("core.logallrefupdates", "always"),
    ];
    for (key, value) in settings {
        assert_eq!(fixture.git(&["config", key]).trim(), value, "{key}");
    }
    let attribute =
        fixture.git(&["check-attr", "delta", "--", "a/durations.txt", "a/receipt.json"]);
    assert_eq!(attribute, "a/durations.txt: delta: unset\na/receipt.json: delta: unspecified\n");
}

#[test]
fn all_repositories_begin_with_the_same_commit() {
    let ids = [Fixture::new(), Fixture::new()]
        .map(|fixture| fixture.store.snapshot().unwrap().commit_id().to_string());
    assert_eq!(ids[0], ids[1]);
}

#[test]
fn nothing_but_the_repository_is_left_behind() {
    let fixture = Fixture::new();
    assert_eq!(fs::read_dir(fixture.folder.path()).unwrap().count(), 1);
}

#[test]
fn an_empty_folder_is_taken_and_folders_above_are_made() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty");
    fs::create_dir(&empty).unwrap();
    Store::create(&empty).unwrap();
    Store::open_or_create(&folder.path().join("a/b/c")).unwrap();
    Store::open_or_create(&folder.path().join("a/b/c")).unwrap();
}

#[test]
fn whatever_is_there_is_not_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("notes.txt");
    fs::write(&file, "mine").unwrap();
    for path in [folder.path(), &file] {
        let error = Store::create(path).unwrap_err();
        assert!(sentence(&error).contains("there is something already"), "{error}");
    }
    assert_eq!(fs::read(&file).unwrap(), b"mine");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);

    let fixture = Fixture::new();
    assert!(Store::create(fixture.path()).is_err());
}

#[test]
fn what_is_no_results_repository_is_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("file"), "x").unwrap();
    fs::create_dir(at("empty")).unwrap();
    fs::create_dir(at("plain")).unwrap();
    fs::write(at("plain/notes.txt"), "x").unwrap();
    git(folder.path(), &["init", "--quiet", "--bare", "unborn"]);
    git(folder.path(), &["init", "--quiet", "-b", "main", "code"]);
    git(&at("code"), &["commit", "--quiet", "--allow-empty", "-m", "code"]);

    let missing = Store::open(&at("missing")).unwrap_err();
    assert!(matches!(missing, StoreError::NotFound { .. }));
    let cases = [
        ("file", "it is a file"),
        ("empty", "it is an empty folder"),
        ("plain", "it is a folder without a git repository"),
        ("unborn", "without a branch `main`"),
        ("code", "it is a git repository of something else"),
    ];
    for (name, reason) in cases {
        let error = Store::open(&at(name)).unwrap_err();
        assert!(matches!(error, StoreError::NotAResultsRepository { .. }), "{name}: {error}");
        assert!(sentence(&error).contains(reason), "{name}: {error}");
    }
    for name in ["file", "plain", "code"] {
        assert!(Store::open_or_create(&at(name)).is_err(), "{name}");
    }
}

#[test]
fn newer_formats_are_refused_unless_they_can_be_read() {
    let fixture = Fixture::new();
    let clone = fixture.clone_of();
    let set = |version: &str| {
        let text = format!(r#"{{"format":"pony-results","version":{version},"new":[]}}"#);
        fs::write(clone.join("format.json"), text).unwrap();
        git(&clone, &["commit", "--quiet", "-am", "newer"]);
        git(&clone, &["push", "--quiet"]);
    };
    set(r#"{"major":1,"minor":7}"#);
    let store = Store::open(fixture.path()).unwrap();
    store.snapshot().unwrap().packages().unwrap();
    let error = store.writer(Default::default()).unwrap_err();
    assert!(matches!(error, StoreError::NewerFormat { ref found, .. } if found == "1.7"));

    set(r#"{"major":2,"minor":0}"#);
    let error = Store::open(fixture.path()).unwrap_err();
    assert!(matches!(error, StoreError::NewerFormat { ref found, .. } if found == "2.0"));
}

#[test]
fn a_clone_can_be_read_but_not_written() {
    let fixture = Fixture::new();
    let keys = fixture.fill(&["hayloft"]);
    let clone = Store::open(&fixture.clone_of()).unwrap();
    assert_eq!(clone.snapshot().unwrap().results("hayloft").unwrap(), keys);
    let error = clone.writer(Default::default()).unwrap_err();
    assert!(sentence(&error).contains("git clone --bare"), "{error}");
}

#[test]
fn a_clone_without_file_contents_is_told_apart_from_a_damaged_one() {
    let fixture = Fixture::new();
    let partial = fixture.folder.path().join("partial");
    let address = format!("file://{}", fixture.path().display());
    let target = partial.to_str().unwrap();
    fixture.git(&["clone", "--quiet", "--bare", "--filter=blob:none", &address, target]);
    let error = Store::open(&partial).unwrap_err();
    assert!(error.to_string().ends_with("is missing: make a clone without a filter"), "{error}");
}

#[test]
fn git_deletes_no_object_and_no_history() {
    let fixture = Fixture::new();
    fixture.fill(&["hayloft"]);
    assert!(!git_output(fixture.path(), &["prune"]).status.success());
    let unreachable = fixture.git(&["hash-object", "-w", "--stdin"]);
    fixture.git(&["gc", "--quiet", "--prune=now"]);
    fixture.git(&["cat-file", "-e", unreachable.trim()]);
    let clone = fixture.clone_of();
    git(&clone, &["commit", "--quiet", "--amend", "-m", "rewritten"]);
    for push in [&["push", "--force"][..], &["push", "origin", ":main"]] {
        assert!(!git_output(&clone, push).status.success(), "{push:?}");
    }
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "x").unwrap();
    let error = Store::create(&folder.path().join("file/results.git")).unwrap_err();
    let text = sentence(&error);
    assert!(text.starts_with("cannot create `") && text.contains("file"), "{text}");
}

#[cfg(unix)]
#[test]
fn a_read_only_repository_is_read_but_not_written() {
    use std::os::unix::fs::PermissionsExt;

    let fixture = Fixture::new();
    let keys = fixture.fill(&["hayloft"]);
    let lock = fixture.path().join("pony.lock");
    // For whom permissions do not count, such as root in a container, a folder in its place does.
    fs::set_permissions(&lock, fs::Permissions::from_mode(0o444)).unwrap();
    if fs::File::options().write(true).open(&lock).is_ok() {
        fs::remove_file(&lock).unwrap();
        fs::create_dir(&lock).unwrap();
    }
    let store = Store::open(fixture.path()).unwrap();
    assert_eq!(store.snapshot().unwrap().results("hayloft").unwrap(), keys);
    let text = sentence(&store.writer(Default::default()).unwrap_err());
    assert!(text.starts_with("cannot open `") && text.contains("pony.lock"), "{text}");
}

#[test]
fn a_git_repository_without_a_commit_is_refused_with_advice() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fresh.git");
    let init =
        std::process::Command::new("git").args(["init", "--quiet", "--bare"]).arg(&path).status();
    assert!(init.unwrap().success());
    let error = pony_store::Store::open_or_create(&path).unwrap_err();
    assert!(matches!(error, pony_store::StoreError::NotAResultsRepository { .. }), "{error}");
    assert!(error.to_string().contains(": name another path"), "{error}");
}
