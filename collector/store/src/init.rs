//! Creating a results repository: all of it, or nothing.

use std::borrow::Cow;
use std::io;
use std::path::Path;

use gix::ObjectId;
use gix::objs::Kind;
use gix::objs::tree::EntryKind;

use crate::batch::{Batch, Head};
use crate::cache::Cache;
use crate::disk::Disk;
use crate::layout::{BRANCH, FORMAT_FILE, HASH};
use crate::lock::LOCK_FILE;
use crate::pack::Packed;
use crate::publish::publish;
use crate::store::{git_options, open_git};
use crate::{Action, StoreError, recovery, tree};

/// The git configuration of a results repository.
const CONFIG: &str = include_str!("init/config");

/// These do not shrink by being compared with others of their kind, but trying takes git most of the time
/// of a clone or of maintenance. Small JSON does shrink.
const ATTRIBUTES: &str = "durations.txt -delta\nfailures.json -delta\n";

/// What tells a stranger what the repository is.
const README: &str = include_str!("init/README.md");

/// What tells a program.
const FORMAT: &str = include_str!("init/format.json");

/// The time of every first commit, seconds since 1970: before any result key. With this, all repositories
/// begin with the same commit, and git can merge any two of them.
pub(crate) const FIRST_SECOND: i64 = 1_000_000_000;

/// Creates a repository at `path`, where there is nothing or an empty folder. It appears there complete,
/// or not at all.
pub(crate) fn create(path: &Path) -> Result<(), StoreError> {
    let path = std::path::absolute(path).map_err(StoreError::io(Action::Create, path))?;
    // An empty folder may be there by way of a symbolic link.
    let path = path.canonicalize().unwrap_or(path);
    if !is_vacant(&path)? {
        return Err(occupied(&path));
    }
    let parent = path.parent().unwrap_or(&path);
    let mut disk = Disk::default();
    disk.create_folder(parent)?;
    let (nursery, _alive) = recovery::nursery(parent)?;
    // One level down, because the temporary folder itself is closed to other users.
    let new = nursery.path().join("repository");
    build(&new, &mut disk)?;
    disk.sync_all_in(&new)?;
    std::fs::rename(&new, &path).map_err(|error| match error.kind() {
        io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists => occupied(&path),
        _ => StoreError::io(Action::Create, &path)(error),
    })?;
    disk.sync_folder(parent)
}

/// Whether there is nothing at `path`, or an empty folder.
pub(crate) fn is_vacant(path: &Path) -> Result<bool, StoreError> {
    match std::fs::read_dir(path) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => match path.symlink_metadata()
        {
            Ok(_) => Ok(false),
            Err(error) => Err(StoreError::io(Action::Create, path)(error)),
        },
        Err(error) => Err(StoreError::io(Action::Read, path)(error)),
    }
}

fn occupied(path: &Path) -> StoreError {
    let reason = "there is something already: name a new or an empty folder";
    StoreError::io(Action::Create, path)(io::Error::new(io::ErrorKind::AlreadyExists, reason))
}

fn build(path: &Path, disk: &mut Disk) -> Result<(), StoreError> {
    let kind = gix::create::Kind::Bare;
    gix::ThreadSafeRepository::init_opts(path, kind, Default::default(), git_options())
        .map_err(StoreError::gix(Action::Create, path))?;
    disk.write(&path.join("HEAD"), format!("ref: {BRANCH}\n").as_bytes())?;
    disk.write(&path.join("config"), CONFIG.as_bytes())?;
    disk.write(&path.join("info/attributes"), ATTRIBUTES.as_bytes())?;
    // As a writer that died would leave it: the first one to come then looks what is left of us.
    disk.write(&path.join(LOCK_FILE), std::process::id().to_string().as_bytes())?;
    disk.write(&path.join("description"), b"Test results collected by pony\n")?;
    // Samples of hooks: nothing here runs any.
    let hooks = path.join("hooks");
    std::fs::remove_dir_all(&hooks)
        .and_then(|()| std::fs::create_dir(&hooks))
        .map_err(StoreError::io(Action::Create, &hooks))?;
    for folder in ["objects/pack", "refs/heads", "refs/tags"].map(|folder| path.join(folder)) {
        std::fs::create_dir_all(&folder).map_err(StoreError::io(Action::Create, &folder))?;
    }
    let repo = open_git(path).map_err(StoreError::gix(Action::Open, path))?.to_thread_local();
    let mut cache = Cache::new();
    let head = Head { commit: None, tree: ObjectId::empty_tree(HASH), seconds: FIRST_SECOND };
    let mut batch = Batch::new(&repo, &mut cache, head);
    first_commit(&mut batch)?;
    publish(&repo, disk, batch, None)?;
    Ok(())
}

/// Adds the commit that every results repository begins with.
pub(crate) fn first_commit(batch: &mut Batch<'_>) -> Result<(), StoreError> {
    let mut root = Vec::new();
    for (name, content) in [("README.md", README), (FORMAT_FILE, FORMAT)] {
        let file = Packed::full(&mut batch.deflater, Kind::Blob, content.as_bytes())?;
        tree::set(&mut root, name.as_bytes(), EntryKind::Blob, file.id)
            .map_err(StoreError::gix(Action::Create, Path::new("the first folder")))?;
        batch.add(Cow::Owned(file));
    }
    batch.commit_root(root, "Start a results repository\n", FIRST_SECOND)?;
    Ok(())
}
