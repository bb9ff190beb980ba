//! Taking results out of the source, and saying where they are.

use gix::ObjectId;
use gix::objs::tree::EntryKind;

use super::{Move, Moved, commit, write_pack};
use crate::layout::{BRANCH, FORMAT_FILE};
use crate::objects::Objects;
use crate::publish::move_branch;
use crate::snapshot::{damaged_format, read_format};
use crate::{Action, CommitId, Cut, Snapshot, StoreError, format};

impl Move<'_> {
    /// One commit without the results, with a new `format.json`. `false` when the branch has moved since
    /// the snapshot.
    pub(super) fn cut(&mut self, snapshot: &Snapshot, moved: &[Moved]) -> Result<bool, StoreError> {
        let repo = self.source.git().with_object_memory();
        let mut cuts = snapshot.cuts()?;
        cuts.push(self.describe(snapshot, moved)?);
        let message = format!(
            "Move {} results received before {} to the archive {}\n\nArchive: {}\n",
            moved.len(),
            self.plan.before,
            self.plan.name,
            self.plan.url
        );
        let paths: Vec<&str> = moved.iter().map(|result| &*result.path).collect();
        let head = snapshot.commit_id().to_object_id();
        let made = next_commit(&repo, snapshot.tree(), head, &paths, &cuts, &message)?;
        write_pack(&repo, &mut self.disk)?;
        move_branch(&repo, &mut self.disk, made.id, head, made.seconds)
    }

    fn describe(&self, snapshot: &Snapshot, moved: &[Moved]) -> Result<Cut, StoreError> {
        let mut next_number = None;
        for result in moved {
            let summary = match snapshot.summary(&result.package, result.key) {
                Err(StoreError::Damaged { .. }) => None,
                read => read?,
            };
            let number = summary.and_then(|summary| summary.receipt.number);
            next_number = next_number.max(number.map(|number| number.saturating_add(1)));
        }
        let repo = self.archive.git();
        let head = Objects::new(&repo).branch(BRANCH)?.ok_or_else(|| StoreError::Damaged {
            subject: format!("`{}`", self.archive.path().display()),
            reason: "the branch `main` is gone".to_owned(),
        })?;
        Ok(Cut {
            name: self.plan.name.clone(),
            url: self.plan.url.clone(),
            before: self.plan.before,
            commit: CommitId::new(head),
            results: moved.len() as u64,
            next_number,
            history: None,
        })
    }
}

/// A commit in memory.
pub(super) struct Made {
    pub(super) id: ObjectId,
    pub(super) seconds: i64,
}

/// Makes a commit with the folders `without` some paths and these cuts in `format.json`. It follows `parent`,
/// or nothing.
pub(super) fn next_commit(
    repo: &gix::Repository,
    tree: ObjectId,
    parent: Option<ObjectId>,
    without: &[&str],
    cuts: &[Cut],
    message: &str,
) -> Result<Made, StoreError> {
    let objects = Objects::new(repo);
    let text = read_format(&objects, tree)?;
    let text = format::with_cuts(&text, cuts).map_err(damaged_format)?;
    // Times of commits never go back, or git would take short cuts past some of them.
    let before = parent.map(|parent| objects.commit(parent)).transpose()?;
    let seconds = before.map_or(0, |commit| commit.seconds).max(jiff::Timestamp::now().as_second());
    let make = || -> gix::Result<ObjectId> {
        let mut editor = repo.edit_tree(tree)?;
        for path in without {
            editor.remove(*path)?;
        }
        let blob = repo.write_blob(text.as_bytes())?;
        editor.upsert(FORMAT_FILE, EntryKind::Blob, blob)?;
        let tree = editor.write()?.detach();
        commit(repo, tree, parent, message, seconds)
    };
    let id = make().map_err(StoreError::gix(Action::Update, repo.git_dir()))?;
    Ok(Made { id, seconds })
}
