//! What a writer that died left behind, and what of it may be removed.
//!
//! Leftovers are removed under our lock, but a `git push` or `git gc` that is under way in the same
//! repository uses files of the same kinds and does not know of that lock. So what may be theirs goes only
//! when nobody can be using it any more:
//!
//! | what | whose | removed |
//! | --- | --- | --- |
//! | `tmp_pony_*` | ours | always: we hold the lock |
//! | `.pony-new-*` beside the repository | ours | when nobody holds the lock on it |
//! | `main.lock`, `packed-refs.lock` | ours or git's | after a moment if the last writer died, else when stale |
//! | `HEAD.lock`, `config.lock` | git's | when stale: git holds them for moments |
//! | a pack without its index, and the reverse | ours or git's | when stale: both are renamed at once |
//! | `tmp_*`, `.tmp*`, quarantined pushes | git's or gix's | after a day: they harm nobody |
//!
//! What is wrong with the branch itself is not repaired, see `tip`.

use std::fs::{self, File, Metadata, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use tempfile::TempDir;

use crate::disk::Disk;
use crate::layout::BRANCH;
use crate::listing::{list, name_of};
use crate::{Action, StoreError, pack};

/// How long a lock is watched that may be a dead writer's or a living push's.
const MOMENT: Duration = Duration::from_secs(1);

/// What should be gone in moments is not in use after this.
const STALE: Duration = Duration::from_secs(60);

/// What a slow push may take as long as it likes for is not in use after this.
const ABANDONED: Duration = Duration::from_secs(24 * 60 * 60);

/// Locks that a transaction of ours takes, as git does.
const SHARED_LOCKS: [&str; 2] = ["packed-refs.lock", "refs/heads/main.lock"];

/// Locks that only git takes here.
const GIT_LOCKS: [&str; 2] = ["HEAD.lock", "config.lock"];

/// How the names of folders begin in which repositories are made.
const NURSERY: &str = ".pony-new-";

/// Removes what would block or clutter, and makes what a writer needs. `is_orphaned`: the writer before this
/// one died. Waits for a moment if it has to.
pub(crate) fn tidy(git_dir: &Path, is_orphaned: bool) -> Result<(), StoreError> {
    debug_assert!(SHARED_LOCKS[1].starts_with(BRANCH));
    if is_orphaned {
        wait_a_moment(&SHARED_LOCKS.map(|name| git_dir.join(name)));
        // It may have died while it created the repository, before the name of that was on disk.
        if let Some(parent) = git_dir.parent() {
            sync_if_readable(parent)?;
            if let Some(_alone) = lock_folder(parent) {
                remove_dead_nurseries(parent)?;
            }
        }
    }
    for path in leftovers(git_dir, is_orphaned, SystemTime::now())? {
        let removed =
            if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        match removed {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(StoreError::io(Action::Remove, &path)(error));
            }
            _ => {}
        }
    }
    // When the branch is in `packed-refs`, gix removes the empty folder after a transaction that failed.
    Disk::default().create_folder(&git_dir.join("refs/heads"))
}

/// Waits until the names in a folder are on disk. One that we may not look into is not one where a repository
/// was created by us.
fn sync_if_readable(folder: &Path) -> Result<(), StoreError> {
    let mut disk = Disk::default();
    match disk.open_folder(folder) {
        Ok(opened) => disk.sync_opened(opened.as_ref(), folder),
        Err(_) => Ok(()),
    }
}

/// Whether a lock that a transaction of ours may have taken is there.
pub(crate) fn is_locked(git_dir: &Path) -> bool {
    SHARED_LOCKS.iter().any(|name| git_dir.join(name).exists())
}

/// Removes locks that stand in the way of a writer that runs, if they are stale. Says whether there were any.
pub(crate) fn remove_stale_locks(git_dir: &Path) -> bool {
    let now = SystemTime::now();
    let locks = SHARED_LOCKS.iter().map(|name| git_dir.join(name));
    let is_stale = |path: &PathBuf| path.metadata().is_ok_and(|found| age_of(&found, now) > STALE);
    locks.filter(is_stale).filter(|path| fs::remove_file(path).is_ok()).count() > 0
}

/// Waits until each of these files is gone or has been there for a moment: a push that lives lets go of it.
fn wait_a_moment(paths: &[PathBuf]) {
    let age = |path: &PathBuf| Some(age_of(&path.metadata().ok()?, SystemTime::now()));
    let youngest = paths.iter().filter_map(age).min();
    if let Some(rest) = youngest.and_then(|age| MOMENT.checked_sub(age)) {
        std::thread::sleep(rest);
    }
}

/// What is to be removed at a time.
fn leftovers(
    git_dir: &Path,
    is_orphaned: bool,
    now: SystemTime,
) -> Result<Vec<PathBuf>, StoreError> {
    let packs = git_dir.join("objects/pack");
    let mut found: Vec<PathBuf> = pack::UNFINISHED.iter().map(|name| packs.join(name)).collect();
    let is_older = |path: &Path, limit| {
        path.symlink_metadata().is_ok_and(|metadata| age_of(&metadata, now) > limit)
    };
    let patience = if is_orphaned { MOMENT / 2 } else { STALE };
    let shared = SHARED_LOCKS.iter().map(|name| (git_dir.join(name), patience));
    let of_git = GIT_LOCKS.iter().map(|name| (git_dir.join(name), STALE));
    found.extend(
        shared.chain(of_git).filter(|(path, limit)| is_older(path, *limit)).map(|(path, _)| path),
    );
    found.extend(halves_of_packs(&packs, now)?);
    found.extend(clutter(git_dir)?.into_iter().filter(|path| is_older(path, ABANDONED)));
    Ok(found)
}

/// Packs without an index, and what belongs to a pack that is not there, if they have been so for long.
fn halves_of_packs(packs: &Path, now: SystemTime) -> Result<Vec<PathBuf>, StoreError> {
    // A pack is written long before it gets its name.
    let is_stale =
        |path: &Path| path.metadata().is_ok_and(|found| age_of_name(&found, now) > STALE);
    let is_half = |path: &PathBuf| {
        // Git's temporary packs are called otherwise.
        if !path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("pack-")) {
            return false;
        }
        let other = match path.extension().and_then(|extension| extension.to_str()) {
            Some("pack") => "idx",
            Some("idx" | "rev") => "pack",
            _ => return false,
        };
        !path.with_extension(other).exists() && is_stale(path)
    };
    Ok(entries(packs)?.into_iter().filter(is_half).collect())
}

/// Temporary files of git and gix: objects, packs, pushes that were not accepted.
fn clutter(git_dir: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let objects = git_dir.join("objects");
    let mut found = Vec::new();
    let mut folders = vec![objects.join("pack")];
    for path in entries(&objects)? {
        let is_folder = path.symlink_metadata().is_ok_and(|metadata| metadata.is_dir());
        let is_shard = name_of(&path).len() == 2 && is_folder;
        if is_shard {
            folders.push(path);
        } else if is_temporary(&path) {
            found.push(path);
        }
    }
    for folder in folders {
        found.extend(entries(&folder)?.into_iter().filter(|path| is_temporary(path)));
    }
    Ok(found)
}

fn is_temporary(path: &Path) -> bool {
    let name = name_of(path);
    name.starts_with("tmp_") || name.starts_with(".tmp")
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    match list(folder) {
        // Somebody's temporary folder that is gone meanwhile.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(vec![]),
        listing => listing.map_err(StoreError::io(Action::Read, folder)),
    }
}

/// How long ago a file was written. A time in the future is as far away as it looks: the clock was moved since.
fn age_of(metadata: &Metadata, now: SystemTime) -> Duration {
    metadata.modified().map_or(Duration::ZERO, |time| distance(time, now))
}

/// How long ago a file was written or renamed, whichever is later.
fn age_of_name(metadata: &Metadata, now: SystemTime) -> Duration {
    #[cfg(unix)]
    let named = {
        use std::os::unix::fs::MetadataExt as _;
        let seconds = u64::try_from(metadata.ctime()).unwrap_or_default();
        distance(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds), now)
    };
    #[cfg(not(unix))]
    let named = Duration::MAX;
    age_of(metadata, now).min(named)
}

fn distance(time: SystemTime, now: SystemTime) -> Duration {
    now.duration_since(time).unwrap_or_else(|error| error.duration())
}

/// Makes a folder for a repository that is being created in `parent`, after removing those whose makers have
/// died. Whoever makes one holds a lock on it, which is the second thing returned, and nobody else looks at it
/// until then: that is what the lock on `parent` is for.
pub(crate) fn nursery(parent: &Path) -> Result<(TempDir, Option<File>), StoreError> {
    let alone = lock_folder(parent);
    if alone.is_some() {
        remove_dead_nurseries(parent)?;
    }
    let nursery = tempfile::Builder::new().prefix(NURSERY).tempdir_in(parent);
    let nursery = nursery.map_err(StoreError::io(Action::CreateIn, parent))?;
    let alive = lock_folder(nursery.path());
    Ok((nursery, alive))
}

/// `None` where folders cannot be locked, or when somebody else keeps it locked: then nothing is cleared.
fn lock_folder(path: &Path) -> Option<File> {
    let folder = File::open(path).ok()?;
    for _ in 0..20 {
        match folder.try_lock() {
            Ok(()) => return Some(folder),
            Err(TryLockError::WouldBlock) => std::thread::sleep(MOMENT / 20),
            Err(TryLockError::Error(_)) => break,
        }
    }
    None
}

/// The caller holds the lock on `parent`.
fn remove_dead_nurseries(parent: &Path) -> Result<(), StoreError> {
    for path in entries(parent)? {
        let is_nursery = name_of(&path).starts_with(NURSERY) && path.is_dir();
        if is_nursery && File::open(&path).is_ok_and(|folder| folder.try_lock().is_ok()) {
            fs::remove_dir_all(&path).map_err(StoreError::io(Action::Remove, &path))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Makes files in a folder like a repository's; those whose names end with `/` are folders.
    fn with_files(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("objects/pack")).unwrap();
        for file in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            if file.ends_with('/') {
                fs::create_dir_all(path).unwrap();
            } else {
                fs::write(path, "").unwrap();
            }
        }
        folder
    }

    /// Which of these files would be removed after so many seconds.
    fn removed(files: &[&str], is_orphaned: bool, seconds: u64) -> Vec<String> {
        let folder = with_files(files);
        let now = SystemTime::now() + Duration::from_secs(seconds);
        let found = leftovers(folder.path(), is_orphaned, now).unwrap();
        let is_there =
            |name: &&&str| found.contains(&folder.path().join(name.trim_end_matches('/')));
        files.iter().filter(is_there).map(|name| (*name).to_owned()).collect()
    }

    const SHARED: [&str; 2] = ["refs/heads/main.lock", "packed-refs.lock"];
    const OF_GIT: [&str; 2] = ["HEAD.lock", "config.lock"];
    const HALVES: [&str; 3] =
        ["objects/pack/pack-1.pack", "objects/pack/pack-2.idx", "objects/pack/pack-3.rev"];
    const CLUTTER: [&str; 5] = [
        "objects/pack/tmp_pack_a1b2c3",
        "objects/pack/.tmp-17-pack-0123.pack",
        "objects/tmp_objdir-incoming-a1b2c3/",
        "objects/.tmpa1b2c3",
        "objects/4b/tmp_obj_a1b2c3",
    ];

    #[test]
    fn locks_of_a_dead_writer_go_after_a_moment_and_of_others_when_stale() {
        assert_eq!(removed(&SHARED, true, 2), SHARED);
        assert_eq!(removed(&SHARED, false, 2), [""; 0]);
        assert_eq!(removed(&SHARED, false, 61), SHARED);
        assert_eq!(removed(&OF_GIT, true, 2), [""; 0]);
        assert_eq!(removed(&OF_GIT, false, 61), OF_GIT);
    }

    #[test]
    fn a_lock_taken_this_moment_is_nobodys_leftover() {
        assert_eq!(removed(&SHARED, true, 0), [""; 0]);
    }

    #[test]
    fn halves_of_packs_go_when_stale_and_whole_ones_stay() {
        assert_eq!(removed(&HALVES, true, 2), [""; 0]);
        assert_eq!(removed(&HALVES, false, 61), HALVES);
        let whole =
            ["objects/pack/pack-1.pack", "objects/pack/pack-1.idx", "objects/pack/pack-1.rev"];
        assert_eq!(removed(&whole, true, 1_000_000), [""; 0]);
    }

    #[test]
    fn what_a_slow_push_may_be_writing_stays_for_a_day() {
        assert_eq!(removed(&CLUTTER, true, 3600), [""; 0]);
        assert_eq!(removed(&CLUTTER, false, 90_000), CLUTTER);
        let others = ["objects/4b/825dc642cb6eb9a060e54bf8d69288fbee4904", "objects/info/packs"];
        assert_eq!(removed(&others, true, 90_000), [""; 0]);
    }

    #[test]
    fn what_is_ours_alone_goes_at_once() {
        let ours = pack::UNFINISHED.map(|name| format!("objects/pack/{name}"));
        let ours: Vec<&str> = ours.iter().map(String::as_str).collect();
        assert_eq!(removed(&ours, false, 0), ours);
    }

    #[test]
    fn the_folder_of_branches_is_made_again() {
        let folder = with_files(&["refs/heads/main.lock"]);
        let lock = folder.path().join("refs/heads/main.lock");
        fs::remove_dir_all(folder.path().join("refs/heads")).unwrap();
        tidy(folder.path(), false).unwrap();
        assert!(!lock.exists() && folder.path().join("refs/heads").is_dir());
    }

    #[cfg(unix)]
    #[test]
    fn a_nursery_is_left_alone_while_its_maker_lives() {
        let folder = with_files(&[".pony-new-dead/x", "other/x"]);
        let alive = nursery(folder.path()).unwrap();
        let another = nursery(folder.path()).unwrap();
        assert!(alive.0.path().exists() && another.0.path().exists());
        let left = |name: &str| folder.path().join(name).exists();
        assert_eq!(["other/x", ".pony-new-dead"].map(left), [true, false]);
    }
}
