//! What people say of results: read by git's word, whatever has become of it.

use std::fs;
use std::path::{Path, PathBuf};

use pony_store::{AnnotationFile, NotRead, StoreError};

use crate::fixture::{Fixture, git};

/// A repository in which somebody has pushed files into `annotations/`. Its objects are loose.
fn with(files: &[(&str, &str)]) -> Fixture {
    let fixture = Fixture::new();
    fixture.fill(&["hayloft"]);
    fixture.git(&["config", "receive.unpackLimit", "100"]);
    let clone = fixture.clone_of();
    fs::create_dir(clone.join("annotations")).unwrap();
    for (name, content) in files {
        fs::write(clone.join("annotations").join(name), content).unwrap();
    }
    git(&clone, &["add", "."]);
    git(&clone, &["commit", "--quiet", "-m", "say"]);
    git(&clone, &["push", "--quiet"]);
    fixture
}

fn loose(fixture: &Fixture, path: &str) -> PathBuf {
    let id = fixture.git(&["rev-parse", &format!("main:{path}")]);
    let (folder, name) = id.trim().split_at(2);
    let file = fixture.path().join("objects").join(folder).join(name);
    assert!(file.is_file());
    file
}

fn read(repository: &Path) -> Result<Vec<AnnotationFile>, StoreError> {
    pony_store::Store::open(repository).unwrap().snapshot().unwrap().annotations()
}

/// Names, and what is wrong with each.
fn told(fixture: &Fixture) -> Vec<(String, Option<NotRead>)> {
    let files = read(fixture.path()).unwrap().into_iter();
    files.map(|file| (file.path, file.content.err())).collect()
}

#[test]
fn a_damaged_file_is_told_beside_the_others() {
    let fixture = with(&[("a.toml", "a"), ("b.toml", "b"), ("c.txt", "c")]);
    fs::remove_file(loose(&fixture, "annotations/a.toml")).unwrap();
    let told = told(&fixture);
    let [(a, Some(NotRead::Damaged(reason))), (b, None)] = told.as_slice() else {
        panic!("{told:?}")
    };
    assert_eq!((a.as_str(), b.as_str()), ("annotations/a.toml", "annotations/b.toml"));
    assert!(reason.ends_with("is missing"), "{reason}");
}

#[test]
fn a_damaged_folder_is_told_as_one() {
    let fixture = with(&[("a.toml", "a")]);
    fs::remove_file(loose(&fixture, "annotations")).unwrap();
    let told = told(&fixture);
    assert!(
        matches!(told.as_slice(), [(path, Some(NotRead::Damaged(_)))] if path == "annotations"),
        "{told:?}"
    );
}

/// A process of its own, because limits are those of a process.
#[cfg(target_os = "linux")]
#[test]
fn a_file_that_the_system_refuses_is_an_error() {
    const REPOSITORY: &str = "PONY_TEST_ANNOTATIONS_REPOSITORY";
    if let Ok(repository) = std::env::var(REPOSITORY) {
        let snapshot = pony_store::Store::open(repository.as_ref()).unwrap().snapshot().unwrap();
        let held: Vec<_> = std::iter::from_fn(|| fs::File::open("/dev/null").ok()).collect();
        let error = snapshot.annotations().unwrap_err();
        assert!(matches!(error, StoreError::Io { .. }), "{error}");
        drop(held);
        assert!(snapshot.annotations().unwrap()[0].content.is_ok());
        return;
    }
    for refused in ["annotations/a.toml", "annotations"] {
        let fixture = with(&[("a.toml", "a")]);
        // All but the one is in a pack, which is open already.
        let id = fixture.git(&["rev-parse", &format!("main:{refused}")]);
        let script = format!(
            "git rev-list --objects main | cut -d' ' -f1 | grep -v {} \
             | git pack-objects -q objects/pack/pack && git prune-packed",
            id.trim()
        );
        let packed = std::process::Command::new("sh")
            .args(["-c", &script])
            .current_dir(fixture.path())
            .output();
        assert!(packed.unwrap().status.success());
        assert!(loose(&fixture, refused).is_file());
        // What it prints would look like the end of this run of tests.
        let run = std::process::Command::new("sh")
            .args(["-c", "ulimit -n 64; exec \"$0\" \"$@\""])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", "annotations::a_file_that_the_system_refuses_is_an_error"])
            .env(REPOSITORY, fixture.path())
            .output()
            .unwrap();
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stdout));
    }
}

#[test]
fn the_file_that_is_too_large_is_the_one_that_is_named() {
    const MIB: usize = 1024 * 1024;
    let (half, most) = ("#".repeat(2 * MIB), "#".repeat(4 * MIB));
    let fixture = with(&[
        ("a.toml", &half),
        ("b.toml", &most),
        ("c.toml", &half),
        ("d.toml", "#"),
        ("e.toml", ""),
    ]);
    let told: Vec<_> = told(&fixture).into_iter().map(|(_, wrong)| wrong).collect();
    let large = NotRead::TooLarge { bytes: 4 * MIB as u64 };
    let small = NotRead::TooLarge { bytes: 1 };
    assert_eq!(told, [None, Some(large.clone()), None, Some(small), None]);
    let said = large.to_string();
    assert!(said.contains("4194304 bytes"), "{said}");
}

#[test]
fn more_files_than_are_read_are_said_to_be_more() {
    let names: Vec<String> = (0..1_002).map(|number| format!("{number:04}.toml")).collect();
    let files: Vec<_> = names.iter().map(|name| (name.as_str(), "")).collect();
    let told = told(&with(&files));
    assert_eq!(told.len(), 1_001);
    assert_eq!(told[1_000], ("annotations/1000.toml".to_owned(), Some(NotRead::TooMany)));
    assert!(told[..1_000].iter().all(|(_, wrong)| wrong.is_none()));
}
