//! Copying results, and reading the copy back.

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::io;
use std::path::Path;

use gix::ObjectId;
use gix::objs::tree::EntryKind;
use gix::objs::{Kind, TreeRefIter, Write as _};

use super::{Move, Moved, commit, write_pack};
use crate::error::one_line;
use crate::layout::BRANCH;
use crate::message::{self, ResultMessage};
use crate::objects::Objects;
use crate::publish::move_branch;
use crate::{Action, Contents, Sha256Hex, Snapshot, Store, StoreError};

/// Results in one pack, at most.
const BATCH_RESULTS: usize = 500;

/// Bytes of objects in one pack from which it is written: they are held in memory.
const BATCH_BYTES: usize = 64 * 1024 * 1024;

impl Move<'_> {
    /// Copies what the archive does not have. Returns how many results that were.
    pub(super) fn copy(
        &mut self,
        snapshot: &Snapshot,
        moved: &[Moved],
    ) -> Result<usize, StoreError> {
        let (source, archive) = (self.source.git(), self.archive.git().with_object_memory());
        let mut copied = 0;
        let mut rest = moved;
        while !rest.is_empty() {
            let (results, taken) = self.copy_batch(snapshot, &source, &archive, rest)?;
            copied += results;
            rest = &rest[taken..];
        }
        let mut seen = HashSet::new();
        for result in moved {
            self.copy_contents(snapshot, result, &mut seen)?;
        }
        Ok(copied)
    }

    /// One pack and one move of the branch. Returns how many were copied of how many.
    fn copy_batch(
        &mut self,
        snapshot: &Snapshot,
        source: &gix::Repository,
        archive: &gix::Repository,
        moved: &[Moved],
    ) -> Result<(usize, usize), StoreError> {
        archive.objects.reset_object_memory();
        let objects = Objects::new(archive);
        let old = objects.branch(BRANCH)?;
        let head = old.map(|id| objects.commit(id)).transpose()?;
        let (mut tree, mut seconds) = head.map_or_else(
            || (ObjectId::empty_tree(archive.object_hash()), 0),
            |head| (head.tree, head.seconds),
        );
        let (mut parent, mut bytes, mut copied, mut taken) = (old, 0, 0, 0);
        let failed = |error: gix::Error| StoreError::gix(Action::Update, archive.git_dir())(error);
        for result in moved.iter().take(BATCH_RESULTS) {
            if bytes >= BATCH_BYTES {
                break;
            }
            taken += 1;
            if !is_wanted(source, archive, tree, result)? {
                continue;
            }
            bytes += copy_objects(source, archive, result)?;
            let (message, received) = describe(snapshot, result)?;
            seconds = received.max(seconds);
            let add = || -> gix::Result<(ObjectId, ObjectId)> {
                let mut editor = archive.edit_tree(tree)?;
                editor.upsert(result.path.as_str(), EntryKind::Tree, result.tree)?;
                let tree = editor.write()?.detach();
                Ok((tree, commit(archive, tree, parent, &message, seconds)?))
            };
            let (next_tree, next) = add().map_err(failed)?;
            (tree, parent, copied) = (next_tree, Some(next), copied + 1);
        }
        if let Some(head) = parent.filter(|_| copied > 0) {
            write_pack(archive, &mut self.disk)?;
            if !move_branch(archive, &mut self.disk, head, old, seconds)? {
                let source = io::Error::other("somebody has moved it: try again");
                return Err(StoreError::io(Action::Update, self.archive.path())(source));
            }
        }
        Ok((copied, taken))
    }

    /// Copies the uploaded files of a result that are not in `seen`. Also those that the archive has: a run
    /// that was killed may not have made their names durable.
    fn copy_contents(
        &mut self,
        snapshot: &Snapshot,
        result: &Moved,
        seen: &mut HashSet<Sha256Hex>,
    ) -> Result<(), StoreError> {
        let (ours, theirs) = (Contents::of(self.source.path()), Contents::of(self.archive.path()));
        for artifact in snapshot.artifacts(&result.package, result.key)? {
            if !seen.insert(artifact.sha256.clone()) {
                continue;
            }
            let path = ours.path_of(&artifact.sha256);
            let mut file = match File::open(&path) {
                Ok(file) => file,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    self.done.files_missing += usize::from(!theirs.is_sound(&artifact.sha256)?);
                    continue;
                }
                Err(error) => return Err(StoreError::io(Action::Open, &path)(error)),
            };
            let (_, found) = theirs.store(&mut file)?;
            if found != artifact.sha256 {
                return Err(StoreError::Damaged {
                    subject: format!("file {:?} of result {}", artifact.filename, result.key),
                    reason: format!("its SHA-256 is {found}, not {}", artifact.sha256),
                });
            }
        }
        Ok(())
    }
}

/// Whether the archive has to get a result. It may have it from a run that was killed, and perhaps without
/// files that were added since. Whatever else it has must not go.
fn is_wanted(
    source: &gix::Repository,
    archive: &gix::Repository,
    tree: ObjectId,
    result: &Moved,
) -> Result<bool, StoreError> {
    let there = Objects::new(archive).find(tree, &result.path)?;
    let Some(there) = there else { return Ok(true) };
    if there.id == result.tree {
        return Ok(false);
    }
    let (ours, theirs) = (files(source, result.tree)?, files(archive, there.id)?);
    if theirs.iter().all(|(path, id)| ours.get(path) == Some(id)) {
        return Ok(true);
    }
    Err(StoreError::Damaged {
        subject: format!("result {}", result.key),
        reason: "the archive has another of this key: name another archive".to_owned(),
    })
}

/// The files below a folder: path and id.
fn files(
    repo: &gix::Repository,
    folder: ObjectId,
) -> Result<BTreeMap<String, ObjectId>, StoreError> {
    let objects = Objects::new(repo);
    let mut files = BTreeMap::new();
    let mut folders = vec![(String::new(), folder)];
    while let Some((prefix, id)) = folders.pop() {
        for entry in objects.folder(id)? {
            let path = format!("{prefix}{}", entry.name);
            if entry.is_folder {
                folders.push((format!("{path}/"), entry.id));
            } else {
                files.insert(path, entry.id);
            }
        }
    }
    Ok(files)
}

/// Copies the objects of a result to the memory of the archive. Returns how many bytes they have.
fn copy_objects(
    source: &gix::Repository,
    archive: &gix::Repository,
    result: &Moved,
) -> Result<usize, StoreError> {
    let mut bytes = 0;
    visit_objects(source, result, &mut HashSet::new(), |id, kind, data| {
        bytes += data.len();
        if archive.has_object(id) {
            return Ok(());
        }
        let written = archive.objects.write_buf(kind, data);
        let written = written.map_err(StoreError::gix(Action::Update, archive.git_dir()))?;
        if written == id { Ok(()) } else { Err(altered(id, kind, result)) }
    })?;
    Ok(bytes)
}

/// Reads results back from the disk, and compares all of their bytes with what their ids promise.
pub(super) fn verify(archive: &Path, moved: &[Moved]) -> Result<(), StoreError> {
    // Opened anew: nothing may come from memory.
    let repo = Store::open(archive)?.git();
    let objects = Objects::new(&repo);
    let head = objects.branch(BRANCH)?.map(|head| objects.commit(head)).transpose()?;
    let mut seen = HashSet::new();
    for result in moved {
        let found = head.as_ref().map(|head| objects.find(head.tree, &result.path)).transpose()?;
        if found.flatten().is_none_or(|entry| entry.id != result.tree) {
            return Err(StoreError::Damaged {
                subject: format!("result {}", result.key),
                reason: "the archive does not have it as it is: nothing was removed".to_owned(),
            });
        }
        visit_objects(&repo, result, &mut seen, |id, kind, data| {
            let hash = gix::objs::compute_hash(repo.object_hash(), kind, data);
            match hash {
                Ok(hash) if hash == id => Ok(()),
                _ => Err(altered(id, kind, result)),
            }
        })?;
    }
    Ok(())
}

fn altered(id: ObjectId, kind: Kind, result: &Moved) -> StoreError {
    StoreError::Damaged {
        subject: format!("result {}", result.key),
        reason: format!("the content of {kind} {id} is not what it was: nothing was removed"),
    }
}

/// Visits every object of a result that is not in `seen`.
fn visit_objects(
    repo: &gix::Repository,
    result: &Moved,
    seen: &mut HashSet<ObjectId>,
    mut visit: impl FnMut(ObjectId, Kind, &[u8]) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let objects = Objects::new(repo);
    let subject = || format!("result {}", result.key);
    let mut waiting = vec![(result.tree, Kind::Tree)];
    while let Some((id, kind)) = waiting.pop() {
        if !seen.insert(id) {
            continue;
        }
        let data = objects.read(id, kind).map_err(|error| error.in_subject(subject()))?;
        visit(id, kind, &data)?;
        if kind != Kind::Tree {
            continue;
        }
        for entry in TreeRefIter::from_bytes(&data, id.kind()) {
            let entry = entry.map_err(|error| StoreError::Damaged {
                subject: subject(),
                reason: format!("tree {id}: {}", one_line(&error)),
            })?;
            // The commit of a submodule is in another repository.
            if !entry.mode.is_commit() {
                let kind = if entry.mode.is_tree() { Kind::Tree } else { Kind::Blob };
                waiting.push((entry.oid.to_owned(), kind));
            }
        }
    }
    Ok(())
}

/// The message of the commit, and when the result was received, in seconds since 1970.
fn describe(snapshot: &Snapshot, result: &Moved) -> Result<(String, i64), StoreError> {
    match snapshot.read(&result.package, result.key) {
        Ok(Some(read)) => {
            let seconds = read.receipt.received.as_second();
            Ok((ResultMessage::of(&read.submission).with_key(result.key), seconds))
        }
        // It is moved as it is.
        Ok(None) | Err(StoreError::Damaged { .. }) => {
            let message = message::of_unreadable(&result.package, result.key);
            Ok((message, result.key.time().as_second()))
        }
        Err(error) => Err(error),
    }
}
