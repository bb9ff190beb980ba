//! [`Objects`]: reading commits, folders and files out of git, whatever strangers have put there.

use std::cell::RefCell;
use std::fmt::Display;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use gix::ObjectId;
use gix::objs::{CommitRef, Kind, TreeRefIter};
use pony_formats::ResultKey;

use crate::cache::Cache;
use crate::error::one_line;
use crate::layout::RESULT_BYTES_MAX;
use crate::{Action, StoreError, message};

/// Reads objects. gix refuses to inflate one larger than [`RESULT_BYTES_MAX`], see `store::open_git`.
pub(crate) struct Objects<'r> {
    repo: &'r gix::Repository,
    /// Where folders are kept that were read.
    cache: Option<RefCell<&'r mut Cache>>,
}

/// A file or a folder. Symbolic links, submodules and names that cannot be ours do not exist here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) is_folder: bool,
    pub(crate) id: ObjectId,
}

/// What matters of a commit.
#[derive(Debug, Clone)]
pub(crate) struct Commit {
    pub(crate) tree: ObjectId,
    /// The first one.
    pub(crate) parent: Option<ObjectId>,
    /// Committer time, seconds since 1970.
    pub(crate) seconds: i64,
    /// The result that it is about, by its own word.
    pub(crate) result: Option<ResultKey>,
}

/// An object that cannot be read.
#[derive(Debug)]
pub(crate) struct Unreadable {
    object: String,
    reason: String,
    /// Where it was looked for, when the object may be sound: the system refused.
    refused_in: Option<PathBuf>,
}

impl Unreadable {
    /// A folder that makes no sense.
    pub(crate) fn folder(id: ObjectId, error: &dyn std::error::Error) -> Self {
        unreadable(Kind::Tree, id, one_line(error))
    }

    /// As an error about what the object belongs to.
    pub(crate) fn in_subject(self, subject: impl Display) -> StoreError {
        if self.refused_in.is_some() {
            return self.into();
        }
        StoreError::Damaged { subject: subject.to_string(), reason: self.to_string() }
    }

    /// Whether the object is to blame, and nothing that may pass.
    pub(crate) fn is_damage(&self) -> bool {
        self.refused_in.is_none()
    }
}

impl std::fmt::Display for Unreadable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.object, self.reason)
    }
}

impl From<Unreadable> for StoreError {
    fn from(error: Unreadable) -> Self {
        let Some(path) = error.refused_in else {
            return Self::Damaged { subject: error.object, reason: error.reason };
        };
        let source = io::Error::other(format!("{}: {}", error.object, error.reason));
        Self::Io { action: Action::Read, path, source }
    }
}

impl<'r> Objects<'r> {
    pub(crate) fn new(repo: &'r gix::Repository) -> Self {
        Self { repo, cache: None }
    }

    /// Keeps the folders that it reads in the cache, and reads none that is there.
    pub(crate) fn keeping(repo: &'r gix::Repository, cache: &'r mut Cache) -> Self {
        Self { repo, cache: Some(RefCell::new(cache)) }
    }

    /// The content of a file.
    pub(crate) fn file(&self, id: ObjectId) -> Result<Vec<u8>, Unreadable> {
        self.read(id, Kind::Blob)
    }

    /// What is in a folder, in git's order: by name, so that dates and keys come oldest first.
    pub(crate) fn folder(&self, id: ObjectId) -> Result<Vec<Entry>, Unreadable> {
        let data = self.tree(id)?;
        let entries = TreeRefIter::from_bytes(&data, id.kind());
        let mut ours = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|error| unreadable(Kind::Tree, id, one_line(&error)))?;
            ours.extend(known_entry(&entry));
        }
        Ok(ours)
    }

    /// A folder as git stores it.
    pub(crate) fn tree(&self, id: ObjectId) -> Result<Arc<Vec<u8>>, Unreadable> {
        let kept = self.cache.as_ref().and_then(|cache| cache.borrow_mut().folder(id));
        if let Some(folder) = kept {
            return Ok(folder);
        }
        let folder = Arc::new(self.read(id, Kind::Tree)?);
        if let Some(cache) = &self.cache {
            cache.borrow_mut().keep_folder(id, Arc::clone(&folder));
        }
        Ok(folder)
    }

    /// An object of any kind, as git stores it.
    pub(crate) fn raw(&self, id: ObjectId, kind: Kind) -> Result<Vec<u8>, Unreadable> {
        self.read(id, kind)
    }

    /// As [`Objects::folder`], but a damaged one is noted and taken for empty: it must not hide the others.
    pub(crate) fn folder_or_note(
        &self,
        id: ObjectId,
        damage: &mut Vec<Unreadable>,
    ) -> Result<Vec<Entry>, Unreadable> {
        self.folder(id).or_else(|error| {
            if !error.is_damage() {
                return Err(error);
            }
            damage.push(error);
            Ok(vec![])
        })
    }

    /// The entry at a path below a folder, components joined with `/`. `None` when it is not there.
    pub(crate) fn find(&self, folder: ObjectId, path: &str) -> Result<Option<Entry>, Unreadable> {
        let mut at = Entry { name: String::new(), is_folder: true, id: folder };
        for component in path.split('/') {
            if !at.is_folder {
                return Ok(None);
            }
            let data = self.tree(at.id)?;
            let mut entries = TreeRefIter::from_bytes(&data, at.id.kind());
            let found = entries.find_map(|entry| match entry {
                Ok(entry) if entry.filename == component.as_bytes() => Some(Ok(entry)),
                Ok(_) => None,
                Err(error) => Some(Err(unreadable(Kind::Tree, at.id, one_line(&error)))),
            });
            let Some(next) = found.transpose()?.as_ref().and_then(known_entry) else {
                return Ok(None);
            };
            at = next;
        }
        Ok(Some(at))
    }

    /// What matters of a commit.
    pub(crate) fn commit(&self, id: ObjectId) -> Result<Commit, Unreadable> {
        let data = self.read(id, Kind::Commit)?;
        let broken = |error| unreadable(Kind::Commit, id, one_line(&error));
        let commit = CommitRef::from_bytes(&data, id.kind()).map_err(broken)?;
        // A stranger's time may be nonsense; it only ever bounds our own from below.
        let seconds = commit.committer().and_then(|committer| committer.time());
        let seconds = seconds.map_or(0, |time| time.seconds);
        let result = message::result_in(commit.message);
        Ok(Commit { tree: commit.tree(), parent: commit.parents().next(), seconds, result })
    }

    /// The commit that `branch` is at; `None` when there is no such branch.
    pub(crate) fn branch(&self, branch: &str) -> Result<Option<ObjectId>, Unreadable> {
        let broken =
            |reason| Unreadable { object: format!("branch {branch}"), reason, refused_in: None };
        let reference = self.repo.try_find_reference(branch).map_err(|error| Unreadable {
            refused_in: is_refusal(&error).then(|| self.repo.common_dir().join(branch)),
            ..broken(one_line(&error))
        })?;
        let Some(reference) = reference else {
            return Ok(None);
        };
        match reference.try_id() {
            Some(id) => Ok(Some(id.detach())),
            None => Err(broken("is symbolic: it must name a commit".to_owned())),
        }
    }

    /// The bytes of an object of this kind.
    pub(crate) fn read(&self, id: ObjectId, kind: Kind) -> Result<Vec<u8>, Unreadable> {
        let object = self.repo.try_find_object(id);
        let object = object.map_err(|error| Unreadable {
            refused_in: is_refusal(&error).then(|| self.repo.objects.store_ref().path().to_owned()),
            ..unreadable(kind, id, one_line(&error))
        })?;
        let Some(object) = object else {
            // Older versions of git note a clone with a filter in the first place, newer ones in the second.
            let config = self.repo.config_snapshot();
            let notes = ["extensions.partialClone", "remote.origin.promisor"];
            let is_partial = notes.iter().any(|key| config.string(*key).is_some());
            let hint = if is_partial { ": make a clone without a filter" } else { "" };
            return Err(unreadable(kind, id, format!("is missing{hint}")));
        };
        if object.kind != kind {
            return Err(unreadable(kind, id, format!("is a {}", object.kind)));
        }
        // gix bounds what it allocates, but not what was small when packed.
        if object.data.len() > RESULT_BYTES_MAX {
            return Err(unreadable(kind, id, format!("is larger than {RESULT_BYTES_MAX} bytes")));
        }
        Ok(object.detach().data)
    }
}

fn unreadable(kind: Kind, id: ObjectId, reason: impl Into<String>) -> Unreadable {
    Unreadable { object: format!("{kind} {id}"), reason: reason.into(), refused_in: None }
}

/// Whether an error is the system's or the process's, such as too many open files, so that it says nothing
/// of what was to be read.
pub(crate) fn is_refusal(error: &gix::Error) -> bool {
    let is_system = |error: &io::Error| {
        error.raw_os_error().is_some() && error.kind() != io::ErrorKind::NotFound
    };
    // What gix says when there are more packs than it has made room for.
    let has_too_many_packs = error.metadata().any(|values| values.contains_key("needed"));
    has_too_many_packs
        || error.iter_errors().any(|error| error.downcast_ref().is_some_and(is_system))
}

fn known_entry(entry: &gix::objs::tree::EntryRef<'_>) -> Option<Entry> {
    let is_folder = entry.mode.is_tree();
    let name = plain_name(entry.filename)?;
    (is_folder || entry.mode.is_blob()).then(|| Entry {
        name: name.to_owned(),
        is_folder,
        id: entry.oid.to_owned(),
    })
}

/// A name that leads nowhere else.
pub(crate) fn plain_name(name: &[u8]) -> Option<&str> {
    let name = std::str::from_utf8(name).ok()?;
    let is_plain = !matches!(name, "" | "." | "..") && !name.contains(['/', '\\', '\0']);
    is_plain.then_some(name)
}
