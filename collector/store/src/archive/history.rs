//! Starting the history anew, after the archive has fetched the old one.

use std::fs;
use std::io;
use std::path::Path;

use super::cut::next_commit;
use super::{Move, Stage, write_pack};
use crate::disk::Disk;
use crate::git::{self, Git};
use crate::layout::BRANCH;
use crate::maintain::{choice, swap};
use crate::publish::move_branch;
use crate::{Action, Cut, StoreError};

impl Move<'_> {
    /// Drops the history up to the last cut, unless that was done; and goes on with a run that was killed.
    pub(super) fn drop_history(
        &mut self,
        on_stage: &mut dyn FnMut(Stage),
    ) -> Result<(), StoreError> {
        let snapshot = self.source.snapshot()?;
        let mut cuts = snapshot.cuts()?;
        let Some(last) = cuts.last_mut() else { return Ok(()) };
        let repo = self.source.git().with_object_memory();
        let git_dir = absolute(repo.common_dir())?;
        let git = Git::find().ok_or_else(|| {
            let source = io::Error::other("only git can drop the history: install it");
            StoreError::io(Action::Maintain, &git_dir)(source)
        })?;
        let is_dropped = last.history.is_some();
        if !is_dropped {
            self.check_archive(last)?;
        }
        let old = last.history.get_or_insert_with(|| snapshot.commit_id().clone()).clone();
        if !is_dropped {
            self.keep_history(&git, &git_dir, &old.to_string())?;
            on_stage(Stage::HistoryKept);
            let message = format!(
                "Start the history anew\n\nThe history up to {old} is in the archive {}\n\
                 under the tag {}.\n\nArchive: {}\n",
                last.name,
                tag(&old.to_string()),
                last.url
            );
            let made = next_commit(&repo, snapshot.tree(), None, &[], &cuts, &message)?;
            write_pack(&repo, &mut self.disk)?;
            let head = snapshot.commit_id().to_object_id();
            if !move_branch(&repo, &mut self.disk, made.id, head, made.seconds)? {
                let source = io::Error::other("somebody has moved it: try again");
                return Err(StoreError::io(Action::Update, self.source.path())(source));
            }
            on_stage(Stage::HistoryDropped);
        }
        let is_there = |id: gix::ObjectId| repo.has_object(id);
        if old.to_object_id().is_some_and(is_there) {
            // Its results are not all here any more. It is built again when it is needed.
            swap::remove(&self.source.index_path())?;
            prune(&git, &git_dir, &mut self.disk)?;
            on_stage(Stage::Pruned);
        }
        Ok(())
    }

    /// Refuses an archive that does not have what the last cut took out: readers look there for the history.
    fn check_archive(&self, last: &Cut) -> Result<(), StoreError> {
        let archive = self.archive.git();
        if last.commit.to_object_id().is_some_and(|head| archive.has_object(head)) {
            return Ok(());
        }
        let reason = format!(
            "it does not have commit {}: the results were moved to the archive {} ({}), so name that one",
            last.commit, last.name, last.url
        );
        Err(StoreError::io(Action::Update, self.archive.path())(io::Error::other(reason)))
    }

    /// Has the archive fetch the history, for good.
    fn keep_history(&mut self, git: &Git, source: &Path, head: &str) -> Result<(), StoreError> {
        let archive = absolute(self.archive.git().common_dir())?;
        let reference = format!("refs/tags/{}", tag(head));
        git.fetch(&archive, source, BRANCH, &reference)?;
        // git syncs files, but not the folders that they are in.
        self.disk.sync_all_in(&archive.join("refs"))?;
        for entry in
            fs::read_dir(archive.join("objects")).map_err(StoreError::io(Action::Read, &archive))?
        {
            let path = entry.map_err(StoreError::io(Action::Read, &archive))?.path();
            if path.is_dir() {
                self.disk.sync_folder(&path)?;
            }
        }
        self.disk.sync_folder(&archive.join("objects"))
    }
}

/// What the archive calls a history.
fn tag(head: &str) -> String {
    format!("history-{}", &head[..12.min(head.len())])
}

/// git is started elsewhere.
fn absolute(path: &Path) -> Result<std::path::PathBuf, StoreError> {
    std::path::absolute(path).map_err(StoreError::io(Action::Open, path))
}

/// Removes every object that no branch or tag needs. Only for the holder of the write lock.
fn prune(git: &Git, git_dir: &Path, disk: &mut Disk) -> Result<(), StoreError> {
    git::remove_leftovers(git_dir)?;
    // It names commits of the old history.
    for log in ["logs/HEAD".to_owned(), format!("logs/{BRANCH}")] {
        swap::remove(&git_dir.join(log))?;
    }
    let folder = git_dir.join("objects/pack");
    let references = git.references(git_dir)?;
    let made = git.pack_reachable(git_dir)?;
    let index = swap::install(&made, &folder, disk)?;
    if git.references(git_dir)? != references {
        let source = io::Error::other("somebody has pushed to it: try again");
        return Err(StoreError::io(Action::Update, git_dir)(source));
    }
    choice::note_maintained(&folder, &index)?;
    swap::remove(&git_dir.join("objects/info/commit-graph"))?;
    let others = choice::indexes(&folder).map_err(StoreError::io(Action::Read, &folder))?;
    swap::remove_old(&folder, others.iter().map(|other| &**other).filter(|other| *other != index))?;
    remove_loose(&git_dir.join("objects"))?;
    git.write_commit_graph(git_dir)?;
    git::remove_leftovers(git_dir)
}

/// Removes objects outside packs.
fn remove_loose(objects: &Path) -> Result<(), StoreError> {
    for shard in fs::read_dir(objects).map_err(StoreError::io(Action::Read, objects))? {
        let shard = shard.map_err(StoreError::io(Action::Read, objects))?;
        let name = shard.file_name();
        let name = name.to_string_lossy();
        if name.len() == 2 && name.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            let path = shard.path();
            fs::remove_dir_all(&path).map_err(StoreError::io(Action::Remove, &path))?;
        }
    }
    Ok(())
}
