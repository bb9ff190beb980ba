//! Putting a new pack in the place of those that it replaces.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use gix::odb::pack::index;

use crate::disk::Disk;
use crate::{Action, StoreError};

/// Refuses a pack that lacks an object of those that it is to replace. Takes paths of indexes.
pub(crate) fn check<'p>(
    new: &Path,
    old: impl Iterator<Item = &'p Path>,
    hash: gix::hash::Kind,
) -> Result<(), StoreError> {
    let open =
        |path: &Path| index::File::at(path, hash).map_err(StoreError::gix(Action::Open, path));
    let made = open(new)?;
    for path in old {
        for entry in open(path)?.iter() {
            if made.lookup(entry.oid).is_none() {
                return Err(StoreError::Damaged {
                    subject: format!("pack `{}`", new.display()),
                    reason: format!("git left out object {}: the old packs stay", entry.oid),
                });
            }
        }
    }
    Ok(())
}

/// Makes a pack durable, then visible. Returns its index in the new place.
pub(crate) fn install(made: &Path, folder: &Path, disk: &mut Disk) -> Result<PathBuf, StoreError> {
    let index = folder.join(made.file_name().unwrap_or_default());
    let kinds = ["pack", "rev", "idx"];
    for path in kinds.map(|kind| made.with_extension(kind)).iter().filter(|path| path.exists()) {
        // Windows syncs only what is open for writing, but git makes packs read-only.
        let file = File::options().read(true).write(cfg!(windows)).open(path);
        disk.sync(&file.map_err(StoreError::io(Action::Open, path))?, path)?;
    }
    // The index last: without it nobody looks at a pack.
    for kind in kinds {
        let (from, to) = (made.with_extension(kind), index.with_extension(kind));
        match fs::rename(&from, &to) {
            Err(error) if kind == "rev" && error.kind() == io::ErrorKind::NotFound => {}
            renamed => renamed.map_err(StoreError::io(Action::Create, &to))?,
        }
    }
    disk.sync_folder(folder)?;
    Ok(index)
}

/// Removes packs whose objects are stored elsewhere by now.
pub(crate) fn remove_old<'p>(
    folder: &Path,
    old: impl Iterator<Item = &'p Path>,
) -> Result<(), StoreError> {
    // Somebody's list of what is in which pack would be wrong. git and gix do without.
    remove(&folder.join("multi-pack-index"))?;
    match fs::remove_dir_all(folder.join("multi-pack-index.d")) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(StoreError::io(Action::Remove, folder)(error));
        }
        _ => {}
    }
    for index in old {
        // Without its index a pack is no longer looked at, and a later writer removes the rest.
        for kind in ["idx", "rev", "bitmap", "pack"] {
            remove(&index.with_extension(kind))?;
        }
    }
    Ok(())
}

pub(crate) fn remove(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(StoreError::io(Action::Remove, path)(error))
        }
        _ => Ok(()),
    }
}
