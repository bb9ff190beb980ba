//! What is new since a commit: a walk along first parents, comparing each commit's folders with those
//! before it. Trailers are for people; only the folders say what a commit really added.

use std::collections::BTreeMap;

use gix::ObjectId;
use pony_formats::ResultKey;

use crate::layout::{is_date_part, key_at};
use crate::objects::{Entry, Objects, Unreadable};
use crate::packages::Packages;
use crate::{Action, Change, CommitId, StoreError};

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
        for (folder, key) in changed_results(&objects, parent_tree, tree)? {
            if let Some(package) = packages.name_of(&objects, &folder)? {
                changes.push(Change { package, key, commit_id: CommitId::new(commit) });
            }
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

/// The results whose folder `new` has and `old` has not, or has otherwise; each with its top folder.
fn changed_results(
    objects: &Objects<'_>,
    old: Option<ObjectId>,
    new: ObjectId,
) -> Result<Vec<(Entry, ResultKey)>, Unreadable> {
    let mut results = Vec::new();
    for package in changed_folders(objects, old, new)? {
        for year in dates(objects, &package, 4)? {
            for month in dates(objects, &year, 2)? {
                for day in dates(objects, &month, 2)? {
                    for result in changed_folders(objects, day.old, day.new.id)? {
                        let names = [&year, &month, &day, &result].map(|part| &*part.new.name);
                        results
                            .extend(key_at(&names.join("/")).map(|key| (package.new.clone(), key)));
                    }
                }
            }
        }
    }
    Ok(results)
}

/// A folder that is new, or not what it was.
struct ChangedFolder {
    old: Option<ObjectId>,
    new: Entry,
}

fn dates(
    objects: &Objects<'_>,
    parent: &ChangedFolder,
    digits: usize,
) -> Result<Vec<ChangedFolder>, Unreadable> {
    let mut folders = changed_folders(objects, parent.old, parent.new.id)?;
    folders.retain(|folder| is_date_part(&folder.new.name, digits));
    Ok(folders)
}

fn changed_folders(
    objects: &Objects<'_>,
    old: Option<ObjectId>,
    new: ObjectId,
) -> Result<Vec<ChangedFolder>, Unreadable> {
    if old == Some(new) {
        return Ok(vec![]);
    }
    let folders = |id| -> Result<_, Unreadable> {
        Ok(objects.folder(id)?.into_iter().filter(|entry| entry.is_folder))
    };
    let before: BTreeMap<String, ObjectId> = match old {
        Some(old) => folders(old)?.map(|entry| (entry.name, entry.id)).collect(),
        None => BTreeMap::new(),
    };
    let after = folders(new)?.map(|new| ChangedFolder { old: before.get(&new.name).copied(), new });
    Ok(after.filter(|folder| folder.old != Some(folder.new.id)).collect())
}
