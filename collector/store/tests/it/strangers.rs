//! Repositories that others push to as well.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crate::fixture::{Fixture, append, git, git_output};

#[test]
fn a_push_between_two_appends_is_kept() {
    let fixture = Fixture::new();
    let mut writer = fixture.writer();
    append(&mut writer, "hayloft");
    let clone = fixture.clone_of();
    git(&clone, &["commit", "--quiet", "--allow-empty", "-m", "a note"]);
    git(&clone, &["push", "--quiet"]);
    append(&mut writer, "hayloft");
    let subjects = fixture.git(&["log", "--format=%s"]);
    assert!(subjects.lines().nth(1) == Some("a note"), "{subjects}");
    fixture.fsck();
}

#[test]
fn pushes_during_appends_are_kept() {
    let fixture = Fixture::new();
    let clone = fixture.clone_of();
    let is_done = AtomicBool::new(false);
    let pushed = thread::scope(|scope| {
        let pusher = scope.spawn(|| {
            let mut pushed = 0;
            while !is_done.load(Ordering::Relaxed) {
                git(&clone, &["pull", "--quiet", "--rebase"]);
                git(&clone, &["commit", "--quiet", "--allow-empty", "-m", "a note"]);
                pushed += usize::from(git_output(&clone, &["push", "--quiet"]).status.success());
                git(&clone, &["fetch", "--quiet"]);
                git(&clone, &["reset", "--quiet", "--hard", "origin/main"]);
            }
            pushed
        });
        let mut writer = fixture.writer();
        (0..100).for_each(|_| drop(append(&mut writer, "hayloft")));
        is_done.store(true, Ordering::Relaxed);
        pusher.join().unwrap()
    });
    assert_eq!(fixture.git(&["rev-list", "--count", "main"]), format!("{}\n", 101 + pushed));
    assert_eq!(fixture.store.snapshot().unwrap().results("hayloft").unwrap().len(), 100);
    fixture.fsck();
}

#[test]
fn a_push_in_the_middle_of_an_append_is_kept() {
    let fixture = Fixture::new();
    let clone = fixture.clone_of();
    git(&clone, &["commit", "--quiet", "--allow-empty", "-m", "a note"]);
    git(&clone, &["push", "--quiet", "origin", "HEAD:refs/heads/other"]);
    let mut writer = fixture.writer();
    // The push has locked the branch, and lets go of it when the append has written its pack.
    let branch = fixture.path().join("refs/heads/main");
    let lock = branch.with_extension("lock");
    fs::copy(fixture.path().join("refs/heads/other"), &lock).unwrap();
    let packs = || fs::read_dir(fixture.path().join("objects/pack")).unwrap().count();
    let before = packs();
    thread::scope(|scope| {
        let append = scope.spawn(|| append(&mut writer, "hayloft"));
        while packs() < before + 2 && !append.is_finished() {
            thread::yield_now();
        }
        fs::rename(&lock, &branch).unwrap();
        append.join().unwrap();
    });
    let subjects = fixture.git(&["log", "--format=%s"]);
    let second = subjects.lines().nth(1);
    assert_eq!(second, Some("a note"), "{subjects}");
    assert_eq!(fixture.store.snapshot().unwrap().results("hayloft").unwrap().len(), 1);
    fixture.fsck();
}

#[cfg(unix)]
#[test]
fn strange_entries_are_ignored_and_never_followed() {
    let fixture = Fixture::new();
    let key = fixture.fill(&["hayloft"])[0];
    let clone = fixture.clone_of();
    let day = format!("hayloft/{}", key.time().strftime("%Y/%m/%d"));
    let link = |target: &str, name: String| {
        std::os::unix::fs::symlink(target, clone.join(name)).unwrap();
    };
    link("hayloft", "barn".to_owned());
    link("/etc", format!("{day}/{}", key.next()));
    link("/etc/passwd", format!("{day}/{key}/steps/00/passwd"));
    fs::create_dir_all(clone.join(format!("{day}/{key}/steps/00/a/b/c/d"))).unwrap();
    fs::write(clone.join(format!("{day}/{key}/steps/00/a/b/c/d/e")), "deep").unwrap();
    fs::write(clone.join(format!("{day}/{key}/unknown.bin")), [0xff]).unwrap();
    fs::create_dir_all(clone.join("hayloft/20x6/01/02/1763899999123456789")).unwrap();
    fs::write(clone.join("hayloft/20x6/01/02/1763899999123456789/receipt.json"), "{}").unwrap();
    git(&clone, &["add", "."]);
    let head = git(&clone, &["rev-parse", "HEAD"]);
    let module = format!("160000,{},module", head.trim());
    git(&clone, &["update-index", "--add", "--cacheinfo", &module]);
    git(&clone, &["commit", "--quiet", "-m", "strange"]);
    git(&clone, &["push", "--quiet"]);

    let snapshot = fixture.store.snapshot().unwrap();
    assert_eq!(snapshot.packages().unwrap(), ["hayloft"]);
    assert_eq!(snapshot.results("hayloft").unwrap(), [key]);
    assert_eq!(snapshot.results("barn").unwrap(), []);
    assert!(snapshot.read("hayloft", key).unwrap().is_some());
    assert!(snapshot.read("barn", key).unwrap().is_none());
    // They are still there afterwards.
    append(&mut fixture.writer(), "hayloft");
    assert!(fixture.git(&["ls-tree", "main"]).contains("160000"));
}

#[test]
fn a_result_that_was_copied_by_hand_is_reported() {
    let fixture = Fixture::new();
    let key = fixture.fill(&["hayloft"])[0];
    let clone = fixture.clone_of();
    let day = key.time().strftime("%Y/%m/%d").to_string();
    fs::create_dir_all(clone.join("barn").join(&day)).unwrap();
    let name = key.to_string();
    fs::rename(
        clone.join("hayloft").join(&day).join(&name),
        clone.join("barn").join(&day).join(&name),
    )
    .unwrap();
    git(&clone, &["add", "."]);
    git(&clone, &["commit", "--quiet", "-m", "moved"]);
    git(&clone, &["push", "--quiet"]);
    let error = fixture.store.snapshot().unwrap().read("barn", key).unwrap_err();
    assert!(error.to_string().contains("package \"hayloft\""), "{error}");
}

#[test]
fn replaced_objects_are_not_followed() {
    let fixture = Fixture::new();
    let key = fixture.fill(&["hayloft"])[0];
    let path = format!("main:hayloft/{}/{key}/receipt.json", key.time().strftime("%Y/%m/%d"));
    let other = fixture.git(&["rev-parse", "main:README.md"]);
    fixture.git(&["replace", "-f", &path, other.trim()]);
    let store = pony_store::Store::open(fixture.path()).unwrap();
    assert!(store.snapshot().unwrap().read("hayloft", key).unwrap().is_some());
}

#[test]
fn an_object_too_large_for_memory_is_not_inflated() {
    let fixture = Fixture::new();
    let key = fixture.fill(&["hayloft"])[0];
    let clone = fixture.clone_of();
    let folder = format!("hayloft/{}/{key}", key.time().strftime("%Y/%m/%d"));
    let huge = fs::File::create(clone.join(&folder).join("huge.bin")).unwrap();
    // Nothing but zeros, which take no room on disk and little in git.
    huge.set_len(256 * 1024 * 1024 + 1).unwrap();
    git(&clone, &["-c", "core.bigFileThreshold=1m", "add", "."]);
    git(&clone, &["commit", "--quiet", "-m", "huge"]);
    git(&clone, &["push", "--quiet"]);
    let snapshot = fixture.store.snapshot().unwrap();
    let error = snapshot.read("hayloft", key).unwrap_err();
    assert!(error.to_string().starts_with(&format!("damaged: result {key}: blob ")), "{error}");
    // Not ours, which would be found only afterwards.
    assert!(!error.to_string().contains("is larger than"), "{error}");
    assert!(snapshot.summary("hayloft", key).unwrap().is_some());
}

/// A folder with these entries, as `git ls-tree` lists them.
fn folder(repository: &Path, entries: &str) -> String {
    let mut git = Command::new("git")
        .arg("mktree")
        .current_dir(repository)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    git.stdin.take().unwrap().write_all(entries.as_bytes()).unwrap();
    let output = git.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Five small trees that are two thousand million folders of results.
#[test]
fn a_folder_that_is_in_many_places_is_looked_at_in_a_few() {
    let fixture = Fixture::new();
    let keys = fixture.fill(&["barn"]);
    let base = fixture.store.snapshot().unwrap();
    let repository = fixture.path();
    let many = |names: &[String], id: &str| -> String {
        names.iter().map(|name| format!("040000 tree {id}\t{name}\n")).collect()
    };
    let days: Vec<String> = (0..100).map(|day| format!("{day:02}")).collect();
    let years: Vec<String> = (1000..3000).map(|year| year.to_string()).collect();
    let packages: Vec<String> = (0..100).map(|number| format!("p{number}")).collect();
    let day = folder(repository, &git(repository, &["ls-tree", "main"]));
    let month = folder(repository, &many(&days, &day));
    let year = folder(repository, &many(&days, &month));
    let package = folder(repository, &many(&years, &year));
    let old = git(repository, &["ls-tree", "main"]);
    let root = folder(repository, &(old + &many(&packages, &package)));
    let head = git(repository, &["rev-parse", "main"]);
    let commit = git(repository, &["commit-tree", "-p", head.trim(), "-m", "x", &root]);
    git(repository, &["update-ref", "refs/heads/main", commit.trim()]);

    let snapshot = fixture.store.snapshot().unwrap();
    assert_eq!(snapshot.packages().unwrap(), ["barn"]);
    assert!(snapshot.damage().unwrap()[0].to_string().contains("in more than 16 places"));
    assert!(snapshot.changes_since(Some(base.commit_id())).is_err());
    let index = pony_store::Index::in_memory(&snapshot).unwrap();
    assert_eq!(index.len().unwrap(), 1);
    assert!(index.unreadable().unwrap()[0].1.contains("in more than 16 places"));
    assert!(append(&mut fixture.writer(), "barn").receipt.key > keys[0]);
}
