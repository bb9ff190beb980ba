//! Putting new objects and the commit that needs them into a repository, in the order that survives a
//! power cut: objects, their pack, its name, the branch, its name. Only then is anything acknowledged.

use std::fs::File;
use std::path::PathBuf;
use std::time::Duration;

use gix::ObjectId;
use gix::lock::acquire::Fail;
use gix::objs::Kind;
use gix::objs::tree::EntryKind;
use gix::refs::Target;
use gix::refs::transaction::{PreviousValue, RefEdit};

use crate::disk::Disk;
use crate::layout::BRANCH;
use crate::pack::PackWriter;
use crate::{Action, StoreError};

/// How long a push that holds the branch is waited for.
const BRANCH_PATIENCE: Duration = Duration::from_secs(5);

/// A commit to be made.
pub(crate) struct Draft<'d> {
    /// The commit it follows, and its tree.
    pub(crate) parent: Option<(ObjectId, ObjectId)>,
    /// What it adds: path from the root, and content.
    pub(crate) files: Vec<(String, &'d [u8])>,
    pub(crate) message: String,
    /// Seconds since 1970.
    pub(crate) seconds: i64,
}

/// A commit that is on disk.
pub(crate) struct Published {
    pub(crate) commit: ObjectId,
    pub(crate) tree: ObjectId,
}

/// Makes a commit and moves the branch to it. `None` when the branch is no longer at the parent.
///
/// `repo` must have object memory: what is written to it goes there first.
pub(crate) fn publish(
    repo: &gix::Repository,
    disk: &mut Disk,
    draft: &Draft<'_>,
) -> Result<Option<Published>, StoreError> {
    disk.check(repo.git_dir())?;
    // What an attempt that failed has left.
    repo.objects.reset_object_memory();
    let published = build(repo, draft).map_err(StoreError::gix(Action::Update, repo.git_dir()))?;
    write_pack(repo, disk)?;
    let old = draft.parent.map(|(commit, _)| commit);
    let moved = move_branch(repo, disk, published.commit, old, draft.seconds)?;
    Ok(moved.then_some(published))
}

/// Blobs, trees and the commit, in memory.
fn build(repo: &gix::Repository, draft: &Draft<'_>) -> gix::Result<Published> {
    let base = draft.parent.map(|(_, tree)| tree);
    let base = base.unwrap_or_else(|| ObjectId::empty_tree(repo.object_hash()));
    let mut editor = repo.edit_tree(base)?;
    for (path, content) in &draft.files {
        editor.upsert(path.as_str(), EntryKind::Blob, repo.write_blob(content)?)?;
    }
    let tree = editor.write()?.detach();
    let commit = gix::objs::Commit {
        tree,
        parents: draft.parent.iter().map(|(commit, _)| *commit).collect(),
        author: signature(draft.seconds),
        committer: signature(draft.seconds),
        encoding: None,
        message: draft.message.as_str().into(),
        extra_headers: Vec::new(),
    };
    Ok(Published { commit: repo.write_object(&commit)?.detach(), tree })
}

/// Nothing from outside is ever in the headers of a commit.
pub(crate) fn signature(seconds: i64) -> gix::actor::Signature {
    gix::actor::Signature {
        name: "pony".into(),
        email: "pony@localhost".into(),
        time: gix::date::Time { seconds, offset: 0 },
    }
}

pub(crate) fn write_pack(repo: &gix::Repository, disk: &mut Disk) -> Result<(), StoreError> {
    let memory = repo.objects.reset_object_memory().unwrap_or_default();
    let mut objects: Vec<(&ObjectId, &(Kind, Vec<u8>))> = memory.iter().collect();
    // As git does it: what a walk over the history reads lies together.
    objects.sort_by_key(|(id, (kind, _))| {
        let rank = match kind {
            Kind::Commit | Kind::Tag => 0,
            Kind::Tree => 1,
            Kind::Blob => 2,
        };
        (rank, **id)
    });
    let folder = packs(repo);
    let count = u32::try_from(objects.len()).unwrap_or(u32::MAX);
    let mut pack = PackWriter::create(&folder, repo.object_hash(), count)?;
    for (id, (kind, data)) in objects {
        pack.add(*id, *kind, data)?;
    }
    pack.finish(disk)?;
    Ok(())
}

/// The folder of packs.
pub(crate) fn packs(repo: &gix::Repository) -> PathBuf {
    repo.objects.store_ref().path().join("pack")
}

/// Compare-and-swap of the branch. `false` when it was not at `old`.
pub(crate) fn move_branch(
    repo: &gix::Repository,
    disk: &mut Disk,
    new: ObjectId,
    old: Option<ObjectId>,
    seconds: i64,
) -> Result<bool, StoreError> {
    let path = repo.common_dir().join(BRANCH);
    let lock = path.with_extension("lock");
    let expected = match old {
        Some(old) => PreviousValue::MustExistAndMatch(Target::Object(old)),
        None => PreviousValue::MustNotExist,
    };
    let name: gix::refs::FullName =
        BRANCH.try_into().map_err(StoreError::gix(Action::Update, &path))?;
    let patience = Fail::AfterDurationWithBackoff(BRANCH_PATIENCE);
    let edit = RefEdit::update(name, new, expected, "pony: add");
    let transaction = match repo.refs.transaction().prepare([edit], patience, patience) {
        Ok(transaction) => transaction,
        Err(_) if crate::objects::Objects::new(repo).branch(BRANCH)? != old => return Ok(false),
        Err(error) => return Err(StoreError::gix(Action::Lock, &lock)(error)),
    };
    // gix has written the new id there and closed the file, but does not sync it.
    let file =
        File::options().write(true).open(&lock).map_err(StoreError::io(Action::Open, &lock))?;
    disk.sync(&file, &lock)?;
    drop(file);
    let heads = path.parent().unwrap_or(repo.common_dir());
    let opened = disk.open_folder(heads)?;
    let committer = signature(seconds);
    let mut buffer = gix::date::parse::TimeBuf::default();
    transaction
        .commit(committer.to_ref(&mut buffer))
        .map_err(StoreError::gix(Action::Update, &path))?;
    // From here on only a lost disk can keep the commit from counting.
    disk.sync_opened(opened.as_ref(), heads)?;
    Ok(true)
}
