//! [`Maintenance`]: makes a repository as small as git can, while it is written to.
//!
//! A writer stores what arrives at once and in full, and only joins packs by copying. Behind it, from time
//! to time, the packs that have come since are made anew by `git pack-objects`, which stores most folders and
//! many files as the difference to others. `git repack` and `git gc` refuse to replace packs where objects
//! are precious, and rightly so: they delete what no branch needs, which may be what a writer is about to
//! need. Here nothing is deleted that is not in the new pack:
//!
//! 1. Packs are chosen (`choice`) and reserved, so that the writer does not join them meanwhile.
//! 2. git makes one pack of all objects in them, in a folder of its own (`crate::git`), and checks it.
//! 3. Every object that an old index lists must be in the new one.
//! 4. The new pack is synced, renamed into place, the folder synced. Only then do the old packs go.
//!
//! Killed anywhere, everything is in the old packs, in the new one, or in both. Readers that have opened
//! an old index look again when its pack has gone.

pub(crate) mod choice;
pub(crate) mod swap;

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::disk::Disk;
use crate::git::{self, Git};
use crate::listing::list;
use crate::reserved::Reserved;
use crate::roll_up::RollUp;
use crate::{Action, Store, StoreError};
use choice::Choice;

/// Which packs are made anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PackScope {
    /// Those that were never maintained, and of the others as many of the smaller ones as it takes for each
    /// to hold at least twice the objects of all smaller ones: so a large old pack is hardly ever read.
    Recent,
    /// All of them, into one.
    All,
}

/// What made the new pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tool {
    /// git, which also wrote the commit-graph.
    Git,
    /// Ourselves, because there is no git on this machine: packs were joined, but not made smaller.
    Joining,
}

/// The packs of a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packs {
    /// How many.
    pub count: usize,
    /// Bytes of packs and indexes.
    pub bytes: u64,
}

/// What maintenance did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Maintained {
    /// By what.
    pub tool: Tool,
    /// What there was.
    pub before: Packs,
    /// What there is now; a writer may have added to it.
    pub after: Packs,
}

/// Maintains a repository beside its writer, from any thread.
#[derive(Debug, Clone)]
pub struct Maintenance {
    git_dir: PathBuf,
    hash: gix::hash::Kind,
    reserved: Reserved,
}

impl Store {
    /// Maintains a repository that nobody writes to: takes the write lock, waiting as long as `patience`.
    ///
    /// # Errors
    /// [`StoreError::Locked`] names the process that writes, a collector for example: it does this by
    /// itself. Otherwise as [`Maintenance::run`] and [`Store::writer`].
    pub fn maintain(&self, patience: Duration, scope: PackScope) -> Result<Maintained, StoreError> {
        self.writer(patience)?.maintenance().run(scope)
    }
}

impl Maintenance {
    pub(crate) fn new(repo: &gix::Repository, reserved: Reserved) -> Self {
        let git_dir = repo.common_dir().to_owned();
        // git is started elsewhere, and gets paths.
        let git_dir = std::path::absolute(&git_dir).unwrap_or(git_dir);
        Self { git_dir, hash: repo.object_hash(), reserved }
    }

    /// Whether enough has come for maintenance to be worth it. Cheap: looks at the list of packs.
    ///
    /// # Errors
    /// When the folder of packs cannot be read.
    pub fn is_due(&self) -> Result<bool, StoreError> {
        choice::is_due(&self.packs()).map_err(StoreError::io(Action::Read, &self.packs()))
    }

    /// Makes packs smaller, and has git write the commit-graph, by which it walks the history faster. The
    /// writer goes on meanwhile. What an earlier run has left behind that was killed is removed.
    ///
    /// Calls for one repository must not overlap.
    ///
    /// # Errors
    /// Nothing is lost when this fails, and nothing is removed that is not stored elsewhere. After
    /// [`StoreError::DiskLost`] the disk should be checked.
    pub fn run(&self, scope: PackScope) -> Result<Maintained, StoreError> {
        let folder = self.packs();
        git::remove_leftovers(&self.git_dir)?;
        let before = size(&folder)?;
        let mut disk = Disk::default();
        let tool = match Git::find() {
            Some(git) => {
                self.repack(&git, scope, &mut disk)?;
                git.write_commit_graph(&self.git_dir)?;
                Tool::Git
            }
            None => {
                RollUp::new(self.reserved.clone()).run_now(&folder, &mut disk);
                disk.check(&folder)?;
                Tool::Joining
            }
        };
        Ok(Maintained { tool, before, after: size(&folder)? })
    }

    fn repack(&self, git: &Git, scope: PackScope, disk: &mut Disk) -> Result<(), StoreError> {
        let folder = self.packs();
        // The writer's joining waits for this, or this for it.
        let mut held = self.reserved.hold();
        let choice = Choice::of(&folder, scope, &held);
        let choice = choice.map_err(StoreError::io(Action::Read, &folder))?;
        let Some(choice) = choice else { return Ok(()) };
        let reservation = self.reserved.reserve(&mut held, choice.indexes());
        drop(held);
        let made = git.pack(&self.git_dir, choice.indexes(), scope)?;
        swap::check(&made, choice.indexes(), self.hash)?;
        let index = swap::install(&made, &folder, disk)?;
        choice::note_maintained(&folder, &index)?;
        swap::remove_old(&folder, choice.indexes().filter(|old| *old != index))?;
        drop(reservation);
        git::remove_leftovers(&self.git_dir)
    }

    fn packs(&self) -> PathBuf {
        self.git_dir.join("objects/pack")
    }
}

/// How many packs there are, and how large they are.
fn size(folder: &Path) -> Result<Packs, StoreError> {
    let mut packs = Packs { count: 0, bytes: 0 };
    for path in list(folder).map_err(StoreError::io(Action::Read, folder))? {
        // One that the writer has just removed counts for nothing.
        packs.bytes += path.metadata().map_or(0, |metadata| metadata.len());
        packs.count += usize::from(path.extension().is_some_and(|kind| kind == "pack"));
    }
    Ok(packs)
}
