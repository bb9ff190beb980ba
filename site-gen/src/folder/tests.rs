//! Only what a site has written is ever replaced or removed.

use super::*;

fn open(root: &Path, repository: &Path) -> Result<SiteFolder, SiteError> {
    SiteFolder::open(root, repository, State::unfinished(None, &crate::Options::default()))
}

fn commit() -> pony_store::CommitId {
    "0123456789".repeat(4).parse().unwrap()
}

#[test]
fn a_foreign_folder_is_refused_and_left_alone() {
    let place = tempfile::tempdir().unwrap();
    fs::write(place.path().join("thesis.txt"), "years of work").unwrap();
    let error = open(place.path(), Path::new("/nonexistent")).unwrap_err();
    assert!(matches!(error, SiteError::Foreign { .. }), "{error}");
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1);
}

#[test]
fn what_a_killed_first_build_left_is_not_foreign() {
    let place = tempfile::tempdir().unwrap();
    fs::write(place.path().join(".pony-x1y2z3"), "{").unwrap();
    assert!(open(place.path(), Path::new("/nonexistent")).is_ok());
}

#[test]
fn a_folder_of_the_repository_is_refused() {
    let repository = tempfile::tempdir().unwrap();
    for place in [repository.path().to_owned(), repository.path().join("objects/site")] {
        let error = open(&place, repository.path()).unwrap_err();
        assert!(matches!(error, SiteError::InsideRepository { .. }), "{error}");
    }
    assert_eq!(fs::read_dir(repository.path()).unwrap().count(), 0);
    fs::create_dir(repository.path().join("pony")).unwrap();
    for place in ["pony", "pony/artifacts", "pony/site/../artifacts", "pony/site/x/../../y"] {
        let error = open(&repository.path().join(place), repository.path()).unwrap_err();
        assert!(matches!(error, SiteError::InsideRepository { .. }), "{error}");
    }
    assert!(open(&repository.path().join("pony/site"), repository.path()).is_ok());
}

#[test]
fn an_interrupted_build_is_no_base_and_still_ours() {
    let place = tempfile::tempdir().unwrap();
    let nowhere = Path::new("/nonexistent");
    let folder = open(place.path(), nowhere).unwrap();
    folder.write("p/a/index.html", "a").unwrap();
    folder.finish(&commit(), false).unwrap();
    let folder = open(place.path(), nowhere).unwrap();
    assert_eq!(folder.base(), Some(commit()));
    folder.write("p/a/index.html", "b").unwrap();
    drop(folder);
    assert_eq!(open(place.path(), nowhere).unwrap().base(), None);
}

#[test]
fn what_an_interrupted_build_wrote_is_synced_by_the_next() {
    let place = tempfile::tempdir().unwrap();
    let nowhere = Path::new("/nonexistent");
    let folder = open(place.path(), nowhere).unwrap();
    folder.write("p/a/index.html", "a").unwrap();
    let unsynced = ["", "p", "p/a"].map(PathBuf::from).into();
    assert_eq!(folder.written().unsynced_folders, unsynced);
    drop(folder);
    let folder = open(place.path(), nowhere).unwrap();
    folder.write("p/a/index.html", "a").unwrap();
    assert_eq!(folder.written().unsynced, [PathBuf::from("p/a/index.html")].into());
    assert_eq!(folder.written().unsynced_folders, unsynced);
    folder.finish(&commit(), false).unwrap();
    let folder = open(place.path(), nowhere).unwrap();
    folder.write("p/a/index.html", "a").unwrap();
    assert!(folder.written().unsynced.is_empty());
}

#[test]
fn a_site_that_cannot_be_synced_is_not_finished() {
    let place = tempfile::tempdir().unwrap();
    let nowhere = Path::new("/nonexistent");
    let folder = open(place.path(), nowhere).unwrap();
    folder.write("p/a/index.html", "a").unwrap();
    fs::remove_file(place.path().join("p/a/index.html")).unwrap();
    assert!(folder.finish(&commit(), false).is_err());
    assert_eq!(open(place.path(), nowhere).unwrap().base(), None);
}

#[test]
fn unchanged_files_are_not_written() {
    let place = tempfile::tempdir().unwrap();
    let written = |content: &str| {
        let folder = open(place.path(), Path::new("/nonexistent")).unwrap();
        folder.write("index.html", content).unwrap();
        folder.finish(&commit(), false).unwrap().0
    };
    assert_eq!([written("one"), written("one"), written("two")], [1, 0, 1]);
}

#[test]
fn pruning_takes_what_is_gone_and_nothing_else() {
    let place = tempfile::tempdir().unwrap();
    let nowhere = Path::new("/nonexistent");
    let folder = open(place.path(), nowhere).unwrap();
    let gone = [
        "p/gone/1/index.html",
        "p/files/1/index.html",
        "p/kept/test/files/index.html",
        "rss2/_generic/files/all",
    ];
    let kept = ["p/kept/1/index.html", "p/kept/1/files/x", "p/files/2/files/x", "CNAME"];
    for path in gone.iter().chain(&kept) {
        folder.write(path, "x").unwrap();
    }
    folder.finish(&commit(), false).unwrap();
    let folder = open(place.path(), nowhere).unwrap();
    folder.write("p/kept/1/index.html", "x").unwrap();
    folder.prune().unwrap();
    let exists = |path: &str| place.path().join(path).exists();
    for path in gone {
        assert!(!exists(path), "{path}");
    }
    for path in kept {
        assert!(exists(path), "{path}");
    }
    assert!(!exists("p/gone") && !exists("p/files/1"));
}

#[test]
fn nothing_is_written_outside() {
    let place = tempfile::tempdir().unwrap();
    let root = place.path().join("site");
    let folder = open(&root, Path::new("/nonexistent")).unwrap();
    for path in ["../evil", "p/../../evil", "/evil"] {
        assert!(folder.write(path, "x").is_err(), "{path}");
    }
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1);
}

#[cfg(unix)]
#[test]
fn a_web_server_may_read_the_files() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = tempfile::tempdir().unwrap();
    let folder = open(place.path(), Path::new("/nonexistent")).unwrap();
    folder.write("index.html", "x").unwrap();
    let reference = place.path().join("reference");
    fs::write(&reference, "x").unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode(&place.path().join("index.html")), mode(&reference));
}
