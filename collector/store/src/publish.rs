//! Putting a batch of commits into a repository, in the order that survives a power cut: objects, their
//! pack, its name, the branch, its name. Only then is anything acknowledged. It takes as many syncs for
//! a hundred commits as for one.

use std::fs::File;
use std::path::PathBuf;
use std::time::Duration;

use gix::ObjectId;
use gix::lock::acquire::Fail;
use gix::refs::Target;
use gix::refs::transaction::{PreviousValue, RefEdit};

use crate::batch::{Batch, Head, signature};
use crate::disk::Disk;
use crate::layout::BRANCH;
use crate::{Action, StoreError, recovery};

/// How long a push that holds the branch is waited for.
const BRANCH_PATIENCE: Duration = Duration::from_secs(5);

/// Makes the commits of a batch part of the history: the branch moves to the last. Returns that as the head
/// to go on from; `None` when the branch is no longer at `old`.
pub(crate) fn publish(
    repo: &gix::Repository,
    disk: &mut Disk,
    mut batch: Batch<'_>,
    old: Option<ObjectId>,
) -> Result<Option<Head>, StoreError> {
    disk.check(repo.git_dir())?;
    let head = batch.head();
    let Some(new) = head.commit.filter(|commit| Some(*commit) != old) else {
        // Nothing was added.
        return Ok(Some(head));
    };
    batch.write(&packs(repo), disk)?;
    let moved = move_branch(repo, disk, new, old, head.seconds)?;
    Ok(moved.then(|| batch.remember()))
}

/// The folder of packs.
pub(crate) fn packs(repo: &gix::Repository) -> PathBuf {
    repo.objects.store_ref().path().join("pack")
}

/// How often the branch is tried to be moved that is where it should be.
const TRIES_MAX: usize = 10;

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
    let prepare = || repo.refs.transaction().prepare([edit.clone()], patience, patience);
    let mut tries = 1;
    let transaction = loop {
        let error = match prepare() {
            Ok(transaction) => break transaction,
            Err(error) => error,
        };
        // A push that died while we were running.
        let is_freed = recovery::remove_stale_locks(repo.common_dir());
        // git may have packed the refs a moment ago, and gix have looked at the list of before: it tells lists
        // apart by their times.
        let _ = repo.refs.force_refresh_packed_buffer();
        if crate::objects::Objects::new(repo).branch(BRANCH)? != old {
            return Ok(false);
        }
        if tries == TRIES_MAX || (lock.exists() && !is_freed) {
            return Err(StoreError::gix(Action::Lock, &lock)(error));
        }
        tries += 1;
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
