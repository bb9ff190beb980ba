//! What is new since a commit: a walk along first parents, comparing each commit's folders with those
//! before it. Trailers are for people; only the folders say what a commit really added.

use gix::ObjectId;

use crate::objects::Objects;
use crate::packages::Packages;
use crate::{Action, Change, CommitId, StoreError, difference};

/// See [`crate::Snapshot::changes_since`].
pub(crate) fn since(
    repo: &gix::Repository,
    packages: &Packages,
    head: ObjectId,
    base: Option<&CommitId>,
) -> Result<Option<Vec<Change>>, StoreError> {
    let objects = Objects::new(repo);
    // What is no id of this repository's kind cannot be an ancestor.
    let base = match base.map(CommitId::to_object_id) {
        Some(None) => return Ok(None),
        Some(known) => known,
        None => None,
    };
    let Some(commits) = walk(repo, &objects, head, base)? else {
        return Ok(None);
    };
    let mut changes = Vec::new();
    for Step { commit, tree, parent_tree } in commits.into_iter().rev() {
        let hidden = difference::visit(&objects, parent_tree, Some(tree), |result| {
            if result.new.is_some()
                && let Some(package) = packages.name_of(&objects, &result.package)?
            {
                changes.push(Change { package, key: result.key, commit_id: CommitId::new(commit) });
            }
            Ok::<(), StoreError>(())
        })?;
        // What is hidden may have changed.
        if let Some(folder) = hidden.into_iter().next() {
            return Err(folder.error.into());
        }
    }
    Ok(Some(changes))
}

/// A commit on the way, and the folders before and after it.
struct Step {
    commit: ObjectId,
    tree: ObjectId,
    parent_tree: Option<ObjectId>,
}

/// The commits after `base`, newest first; `None` when `base` is not among them.
fn walk(
    repo: &gix::Repository,
    objects: &Objects<'_>,
    head: ObjectId,
    base: Option<ObjectId>,
) -> Result<Option<Vec<Step>>, StoreError> {
    let cut = repo.shallow_commits().map_err(StoreError::gix(Action::Read, repo.git_dir()))?;
    // The history of a shallow clone ends where it was cut off.
    let is_cut = |id: &ObjectId| cut.as_ref().is_some_and(|commits| commits.contains(id));
    if base == Some(head) {
        return Ok(Some(vec![]));
    }
    let mut steps = Vec::new();
    let mut id = head;
    let mut commit = objects.commit(id)?;
    loop {
        let parent_id = commit.parent.filter(|_| !is_cut(&id));
        let parent = parent_id.map(|id| objects.commit(id)).transpose()?;
        let parent_tree = parent.as_ref().map(|parent| parent.tree);
        steps.push(Step { commit: id, tree: commit.tree, parent_tree });
        let (Some(next_id), Some(next)) = (parent_id, parent) else {
            return Ok(base.is_none().then_some(steps));
        };
        if base == Some(next_id) {
            return Ok(Some(steps));
        }
        (id, commit) = (next_id, next);
    }
}
