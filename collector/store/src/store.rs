//! [`Store`]: an opened results repository.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use gix::ObjectId;

use crate::error::one_line;
use crate::format::{self, FORMAT, Version};
use crate::layout::{BRANCH, FORMAT_FILE, RESULT_BYTES_MAX};
use crate::lock::WriteLock;
use crate::objects::Objects;
use crate::packages::Packages;
use crate::{Action, Snapshot, StoreError, Writer, init, tip};

/// How many packs a reader can follow during its life: this many, or twice as many as there are now. The
/// default of gix is a few dozen, after which it no longer finds what is new.
const PACKS: gix::odb::store::init::Slots =
    gix::odb::store::init::Slots::AsNeededByDiskState { multiplier: 2.0, minimum: 4096 };

/// An opened results repository: a bare git repository in format 1.
///
/// Cheap to clone, and to use from many threads.
#[derive(Debug, Clone)]
pub struct Store {
    path: PathBuf,
    repo: gix::ThreadSafeRepository,
    format: Version,
    packages: Arc<Packages>,
}

impl Store {
    /// Creates a bare repository with `README.md` and `format.json` in its first commit. Folders above it
    /// are created as needed. It appears complete, or not at all.
    ///
    /// # Errors
    /// When there is something at `path` already (but for an empty folder), or it cannot be written.
    pub fn create(path: &Path) -> Result<Self, StoreError> {
        init::create(path)?;
        Self::open(path)
    }

    /// Opens a repository. It may also be a clone with a working tree: that can be read.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is nothing at `path`; a refusal when it is something else, or
    /// of a newer major format. A newer minor format can be read.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let not_ours =
            |reason: String| StoreError::NotAResultsRepository { path: path.to_owned(), reason };
        check_folder(path, not_ours)?;
        let repo = open_git(path).map_err(|error| not_ours(not_git(path, &error)))?;
        let local = repo.to_thread_local();
        let objects = Objects::new(&local);
        let Some(tree) = tip::newest_tree(&local)? else {
            let reason = "it is a git repository without a branch `main`: name another path, or remove it if it \
                          is empty";
            return Err(not_ours(reason.to_owned()));
        };
        let format = objects.find(tree, FORMAT_FILE)?.filter(|entry| !entry.is_folder);
        let Some(format) = format else {
            let reason = format!(
                "it is a git repository of something else, without `{FORMAT_FILE}`: name another path"
            );
            return Err(not_ours(reason));
        };
        let format = format::read_version(&objects.file(format.id)?).map_err(not_ours)?;
        if format.major > FORMAT.major {
            return Err(newer(path, format));
        }
        Ok(Self { path: path.to_owned(), repo, format, packages: Arc::default() })
    }

    /// Opens a repository, or creates it when there is nothing at `path` (or an empty folder).
    ///
    /// # Errors
    /// As [`Store::open`] and [`Store::create`].
    pub fn open_or_create(path: &Path) -> Result<Self, StoreError> {
        if init::is_vacant(path)? {
            match Self::create(path) {
                // Somebody else was faster.
                Err(StoreError::Io { source, .. })
                    if source.kind() == io::ErrorKind::AlreadyExists => {}
                created => return created,
            }
        }
        Self::open(path)
    }

    /// The folder of the repository, as it was named.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The newest commit, to read from.
    ///
    /// # Errors
    /// When the branch cannot be read.
    pub fn snapshot(&self) -> Result<Snapshot, StoreError> {
        let local = self.repo.to_thread_local();
        let objects = Objects::new(&local);
        let commit = self.head(&objects)?;
        let tree = objects.commit(commit)?.tree;
        Ok(self.snapshot_of(commit, tree))
    }

    /// Takes the write lock, waiting for another writer for as long as `patience`.
    ///
    /// # Errors
    /// [`StoreError::Locked`] names the other process; [`StoreError::Damaged`] the last whole commit when the
    /// newest one cannot be read. A repository of a newer format, minor ones
    /// included, and a clone with a working tree are refused.
    pub fn writer(&self, patience: Duration) -> Result<Writer, StoreError> {
        if self.format > FORMAT {
            return Err(newer(&self.path, self.format));
        }
        if self.repo.work_tree.is_some() {
            return Err(StoreError::NotAResultsRepository {
                path: self.path.clone(),
                reason: "it is a clone with a working tree, which can only be read: \
                         write to one made with `git clone --bare`"
                    .to_owned(),
            });
        }
        let lock = WriteLock::take(self.repo.refs.git_dir(), patience)?;
        let repo = self.repo.to_thread_local();
        tip::check(&repo)?;
        Writer::new(self.clone(), repo, lock)
    }

    /// Where the [`Index`](crate::Index) of a repository that is written to is kept. One that is only read is
    /// left alone: its index belongs elsewhere.
    pub fn index_path(&self) -> PathBuf {
        self.git_dir().join("pony/index.redb")
    }

    /// Where a collector keeps the content of uploaded files, see [`Sha256Hex::path_in`](crate::Sha256Hex::path_in).
    pub fn artifacts_path(&self) -> PathBuf {
        self.git_dir().join("pony/artifacts")
    }

    pub(crate) fn git_dir(&self) -> &Path {
        self.repo.refs.git_dir()
    }

    /// Says if the format is newer than what is known.
    pub(crate) fn note_format(&self, notes: &mut Vec<String>) {
        if self.format > FORMAT {
            let Version { major, minor } = self.format;
            notes.push(format!(
                "the format is {major}.{minor}: what is newer than this version was not looked at"
            ));
        }
    }

    pub(crate) fn snapshot_of(&self, commit: ObjectId, tree: ObjectId) -> Snapshot {
        Snapshot::new(self.repo.clone(), Arc::clone(&self.packages), commit, tree)
    }

    /// A handle for one thread.
    pub(crate) fn git(&self) -> gix::Repository {
        self.repo.to_thread_local()
    }

    fn head(&self, objects: &Objects<'_>) -> Result<ObjectId, StoreError> {
        objects.branch(BRANCH)?.ok_or_else(|| StoreError::Damaged {
            subject: format!("`{}`", self.path.display()),
            reason: "the branch `main` is gone".to_owned(),
        })
    }
}

/// How gix opens repositories here: neither the environment nor the configuration of the user or the
/// machine change what is read, and nothing a stranger pushed does.
pub(crate) fn git_options() -> gix::open::Options {
    let overrides = [
        format!("gitoxide.objects.allocLimit={RESULT_BYTES_MAX}"),
        "core.useReplaceRefs=false".to_owned(),
    ];
    gix::open::Options::isolated().object_store_slots(PACKS).config_overrides(overrides)
}

/// Opens the git repository at a path.
pub(crate) fn open_git(path: &Path) -> gix::Result<gix::ThreadSafeRepository> {
    gix::ThreadSafeRepository::open_opts(path, git_options())
}

fn check_folder(path: &Path, not_ours: impl Fn(String) -> StoreError) -> Result<(), StoreError> {
    match path.metadata() {
        Ok(metadata) if metadata.is_dir() => {}
        Ok(_) => return Err(not_ours("it is a file: name a folder".to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(StoreError::NotFound { path: path.to_owned() });
        }
        Err(error) => return Err(StoreError::io(Action::Open, path)(error)),
    }
    let mut entries = std::fs::read_dir(path).map_err(StoreError::io(Action::Read, path))?;
    if entries.next().is_none() {
        return Err(not_ours("it is an empty folder".to_owned()));
    }
    Ok(())
}

fn not_git(path: &Path, error: &gix::Error) -> String {
    if path.join("HEAD").exists() || path.join(".git").exists() {
        format!("git cannot open it: {}", one_line(error))
    } else {
        "it is a folder without a git repository: name another path".to_owned()
    }
}

fn newer(path: &Path, found: Version) -> StoreError {
    let (found, known) = (found.to_string(), FORMAT.to_string());
    StoreError::NewerFormat { path: path.to_owned(), found, known }
}
