//! What a reporter that was killed leaves in the spool: an entry that was not complete, and files that were to
//! go with it. Nobody was told that these are safe.

use std::fs::{self, File};
use std::path::Path;
use std::time::Duration;

use super::{FILES, PREFIX, SUFFIX, TRIES};

/// From this age on they are nobody's: between the making of a file and its lock lie moments.
const STALE: Duration = Duration::from_secs(600);

/// Removes leftovers, as far as that is possible: they only take room.
pub(super) fn remove(folder: &Path) {
    let Ok(listing) = fs::read_dir(folder) else { return };
    for item in listing.flatten() {
        let path = item.path();
        let name = item.file_name().to_string_lossy().into_owned();
        let age = item.metadata().and_then(|data| data.modified()).map(|time| time.elapsed());
        if !age.is_ok_and(|age| age.is_ok_and(|age| age > STALE)) {
            continue;
        }
        if let Some(stem) = name.strip_suffix(SUFFIX) {
            // Whoever writes it holds the lock.
            if stem.starts_with(PREFIX)
                && File::open(&path).is_ok_and(|file| file.try_lock().is_ok())
            {
                let _ = fs::remove_file(&path);
            }
        } else if let Some((stem, extension)) = name.rsplit_once('.')
            && !has_entry(folder, stem)
        {
            let _ = match extension {
                FILES => fs::remove_dir_all(&path),
                TRIES => fs::remove_file(&path),
                _ => Ok(()),
            };
        }
    }
}

/// Whether files of this name belong to an entry, or to one that is being written. In this order, because the
/// latter becomes the former.
fn has_entry(folder: &Path, stem: &str) -> bool {
    let unfinished = stem.split_once('-').map(|(_, unique)| format!("{PREFIX}{unique}{SUFFIX}"));
    let is_there = |name: String| folder.join(name).exists();
    unfinished.is_some_and(is_there) || is_there(format!("{stem}{SUFFIX}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::SystemTime;

    #[test]
    fn only_what_is_old_and_nobodys_is_removed() {
        let spool = tempfile::tempdir().unwrap();
        let at = |name: &str| spool.path().join(name);
        let old = SystemTime::now() - 2 * STALE;
        let file = |name: &str| {
            let file = File::create(at(name)).unwrap();
            file.set_modified(old).unwrap();
            file
        };
        let files = |name: &str| {
            fs::create_dir(at(name)).unwrap();
            fs::write(at(name).join("steps-00-output.txt"), "x").unwrap();
            File::open(at(name)).unwrap().set_modified(old).unwrap();
        };
        drop(file(".dead.json"));
        files("1-dead.files");
        drop(file("1-dead.tries"));
        drop(file("4-waits.tries"));
        files("2-gone.files");
        let alive = file(".alive.json");
        alive.lock().unwrap();
        files("3-alive.files");
        drop(file("4-waits.json"));
        files("4-waits.files");
        drop(file("other.txt"));
        File::create(at(".young.json")).unwrap();
        remove(spool.path());
        // Its files were looked at before or after it.
        remove(spool.path());
        let mut left: Vec<_> = fs::read_dir(spool.path())
            .unwrap()
            .map(|item| item.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        let expected = [
            ".alive.json",
            ".young.json",
            "3-alive.files",
            "4-waits.files",
            "4-waits.json",
            "4-waits.tries",
            "other.txt",
        ];
        assert_eq!(left, expected);
    }
}
