//! [`Store::archive`]: moves the results of the past into another results repository.
//!
//! 1. The results are copied (`copy`): a commit for each, as a writer makes them, with the same keys, files
//!    and messages; and the uploaded files that belong to them.
//! 2. The copy is read back from the disk and compared (`copy::verify`).
//! 3. One commit takes the folders out of the source, and names the archive in `format.json` (`cut`).
//! 4. Uploaded files that no remaining result needs are removed from the source.
//!
//! git's history still holds what a commit took out, so this bounds what is read, not what is stored. For
//! that there is a second, explicit step (`history`): the archive fetches the whole history and keeps it under
//! a tag; then the branch of the source starts anew, with one commit of what remains; then what no branch
//! or tag needs any more is removed.
//!
//! Each step is durable before the next begins, and finds out by itself what is left to do. So a run that was
//! killed is simply started again, and each result is in at least one of the two at any moment.

mod copy;
mod cut;
mod history;
mod selection;

use std::path::{Path, PathBuf};
use std::time::Duration;

use gix::ObjectId;
use gix::objs::Kind;
use jiff::civil::Date;

use crate::batch::commit_of;
use crate::disk::Disk;
use crate::error::one_line;
use crate::pack::{Deflater, Form, PackWriter};
use crate::publish::packs;
use crate::{Action, Contents, PackScope, Store, StoreError, git, init};
use selection::Moved;

/// How long another writer is waited for.
const LOCK_PATIENCE: Duration = Duration::from_secs(2);

/// How often everything is looked at again because somebody pushed meanwhile.
const ATTEMPTS_MAX: usize = 10;

/// What to move, and where to.
#[derive(Debug, Clone)]
pub struct ArchivePlan {
    /// The archive: a results repository, or nothing yet.
    pub to: PathBuf,
    /// Results that were received on earlier days (UTC) are moved.
    pub before: Date,
    /// What the archive is called.
    pub name: String,
    /// Where readers find it.
    pub url: String,
    /// Whether the source's history starts anew afterwards.
    pub drop_history: bool,
}

/// What has been done, and is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stage {
    /// The archive has so many results that it had not.
    Copied(usize),
    /// So many results in the archive were compared with the source.
    Verified(usize),
    /// The source has given up so many results.
    Cut(usize),
    /// The source has given up so many uploaded files.
    Freed(usize),
    /// The archive has the history.
    HistoryKept,
    /// The source's history has started anew.
    HistoryDropped,
    /// What only the old history needed is gone.
    Pruned,
}

/// What [`Store::archive`] has moved.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Archived {
    /// Results.
    pub results: usize,
    /// Uploaded files that are recorded, but whose content is not in the source: a clone has none.
    pub files_missing: usize,
    /// Why the archive could not be maintained behind that: everything is in it, but takes more room.
    pub not_maintained: Option<String>,
}

/// The two repositories, while both are locked.
struct Move<'a> {
    source: &'a Store,
    archive: &'a Store,
    plan: &'a ArchivePlan,
    disk: Disk,
    done: Archived,
}

impl Store {
    /// Moves results into another repository. Calls `on_stage` after each stage. Started again after it was
    /// killed, it goes on; when there is nothing to move, it changes nothing.
    ///
    /// With [`ArchivePlan::drop_history`], nobody may push to the repository meanwhile.
    ///
    /// # Errors
    /// Each result is in one of the two at least, whatever happens. [`StoreError::Locked`] when somebody
    /// writes to one of them. [`StoreError::Damaged`] when a result cannot be copied as it is: nothing is
    /// taken out then.
    pub fn archive(
        &self,
        plan: &ArchivePlan,
        on_stage: &mut dyn FnMut(Stage),
    ) -> Result<Archived, StoreError> {
        let _source_lock = self.writer(LOCK_PATIENCE)?;
        git::remove_leftovers(self.git().common_dir())?;
        if init::is_vacant(&plan.to)? && self.is_idle(plan)? {
            return Ok(Archived::default());
        }
        let archive = Self::open_or_create(&plan.to)?;
        if is_same(self.path(), archive.path()) {
            let source = std::io::Error::other("it is the repository itself: name another");
            return Err(StoreError::io(Action::Update, &plan.to)(source));
        }
        let archive_lock = archive.writer(LOCK_PATIENCE)?;
        // A run that was killed may have begun a file. Where there is no folder, `verify` expects no files.
        let contents = Contents::of(archive.path());
        if contents.folder().is_dir() {
            contents.prepare()?;
        }
        let (disk, done) = (Disk::default(), Archived::default());
        let mut task = Move { source: self, archive: &archive, plan, disk, done };
        task.move_results(on_stage)?;
        let freed = task.free_contents()?;
        if freed > 0 {
            on_stage(Stage::Freed(freed));
        }
        if plan.drop_history {
            task.drop_history(on_stage)?;
        }
        match archive_lock.maintenance().run(PackScope::Recent) {
            Err(error @ StoreError::DiskLost { .. }) => return Err(error),
            Err(error) => task.done.not_maintained = Some(one_line(&error)),
            Ok(_) => {}
        }
        Ok(task.done)
    }

    /// Whether there is nothing to move, and no history to drop.
    fn is_idle(&self, plan: &ArchivePlan) -> Result<bool, StoreError> {
        let snapshot = self.snapshot()?;
        let keeps_history = !plan.drop_history || snapshot.cuts()?.is_empty();
        Ok(keeps_history && selection::before(&snapshot, &self.git(), plan.before)?.is_empty())
    }
}

impl Move<'_> {
    fn move_results(&mut self, on_stage: &mut dyn FnMut(Stage)) -> Result<(), StoreError> {
        for _ in 0..ATTEMPTS_MAX {
            let snapshot = self.source.snapshot()?;
            let moved = selection::before(&snapshot, &self.source.git(), self.plan.before)?;
            if moved.is_empty() {
                return Ok(());
            }
            let copied = self.copy(&snapshot, &moved)?;
            on_stage(Stage::Copied(copied));
            copy::verify(self.archive.path(), &moved)?;
            on_stage(Stage::Verified(moved.len()));
            if self.cut(&snapshot, &moved)? {
                self.done.results += moved.len();
                on_stage(Stage::Cut(moved.len()));
                return Ok(());
            }
        }
        let source = std::io::Error::other("others moved it again and again: try again");
        Err(StoreError::io(Action::Update, self.source.path())(source))
    }

    /// Removes content that the archive has and no result of the source needs. Looks at everything only when
    /// there is something.
    fn free_contents(&self) -> Result<usize, StoreError> {
        let (ours, theirs) = (Contents::of(self.source.path()), Contents::of(self.archive.path()));
        let mut spare = theirs.all()?;
        spare.retain(|sha256| ours.path_of(sha256).exists());
        if spare.is_empty() {
            return Ok(0);
        }
        let snapshot = self.source.snapshot()?;
        for package in snapshot.packages()? {
            for key in snapshot.results(&package)? {
                let needed = snapshot.artifacts(&package, key)?;
                spare.retain(|sha256| needed.iter().all(|artifact| artifact.sha256 != *sha256));
            }
        }
        let mut freed = 0;
        for sha256 in &spare {
            if theirs.is_sound(sha256)? {
                let path = ours.path_of(sha256);
                std::fs::remove_file(&path).map_err(StoreError::io(Action::Remove, &path))?;
                freed += 1;
            }
        }
        Ok(freed)
    }
}

fn is_same(one: &Path, other: &Path) -> bool {
    matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}

/// Writes a commit to memory.
fn commit(
    repo: &gix::Repository,
    tree: ObjectId,
    parent: Option<ObjectId>,
    message: &str,
    seconds: i64,
) -> gix::Result<ObjectId> {
    Ok(repo.write_object(commit_of(parent, tree, message, seconds))?.detach())
}

/// Makes a pack of what was written to memory, and makes it durable.
fn write_pack(repo: &gix::Repository, disk: &mut Disk) -> Result<(), StoreError> {
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
    let mut deflater = Deflater::new();
    let count = u32::try_from(objects.len()).unwrap_or(u32::MAX);
    let mut pack = PackWriter::create(&packs(repo), count)?;
    for (id, (kind, data)) in objects {
        pack.add(*id, Form::Full(*kind), data.len() as u64, &deflater.deflate(data)?)?;
    }
    pack.finish(disk).map(drop)
}
