//! The commit that the branch names: [`check`] whether it is whole, and what to go back to if it is not.
//!
//! A disk may lose what it had once. Then nothing is repaired and nothing is added on top: whoever runs the
//! repository is told the last commit whose history can be read, which the reflog knows, or else a search
//! through all commits finds.

use std::collections::HashSet;
use std::fs;

use gix::ObjectId;
use gix::objs::Kind;

use crate::layout::{BRANCH, FORMAT_FILE};
use crate::objects::{Objects, Unreadable};
use crate::{Action, StoreError};

/// The tree of the newest commit; `None` when there is no branch, and no commit of ours either.
pub(crate) fn newest_tree(repo: &gix::Repository) -> Result<Option<ObjectId>, StoreError> {
    let objects = Objects::new(repo);
    let read = || -> Result<Option<ObjectId>, StoreError> {
        let Some(head) = objects.branch(BRANCH)? else { return Ok(None) };
        let tree = objects.commit(head)?.tree;
        objects.folder(tree)?;
        Ok(Some(tree))
    };
    match read() {
        Ok(None) => match last_whole_commit(repo) {
            Some(commit) => {
                let gone = "it is gone".to_owned();
                Err(damaged(repo, format!("branch {BRANCH}"), gone, Some(commit)))
            }
            None => Ok(None),
        },
        read => read.map_err(|error| with_advice(repo, error)),
    }
}

/// Refuses a branch whose newest commit cannot be read, with everything that it added.
pub(crate) fn check(repo: &gix::Repository) -> Result<(), StoreError> {
    let objects = Objects::new(repo);
    let read = || -> Result<(), StoreError> {
        let Some(head) = objects.branch(BRANCH)? else { return Ok(()) };
        let commit = objects.commit(head)?;
        let parent = commit.parent.map(|id| objects.commit(id)).transpose()?;
        Ok(read_new(&objects, commit.tree, parent.map(|parent| parent.tree))?)
    };
    read().map_err(|error| with_advice(repo, error))
}

/// Reads everything in a folder that is not the same in an older one.
fn read_new(objects: &Objects<'_>, new: ObjectId, old: Option<ObjectId>) -> Result<(), Unreadable> {
    let mut pairs = vec![(new, old)];
    // A stranger may have put the same folder in many places.
    let mut seen = HashSet::new();
    while let Some((new, old)) = pairs.pop() {
        if !seen.insert((new, old)) {
            continue;
        }
        let before = old.map(|id| objects.folder(id)).transpose()?.unwrap_or_default();
        for entry in objects.folder(new)? {
            let same_name = before.iter().find(|other| other.name == entry.name);
            match same_name.filter(|other| other.is_folder == entry.is_folder) {
                Some(other) if other.id == entry.id => {}
                other if entry.is_folder => pairs.push((entry.id, other.map(|other| other.id))),
                _ => drop(objects.file(entry.id)?),
            }
        }
    }
    Ok(())
}

/// Says what to do about damage; other errors stay as they are.
fn with_advice(repo: &gix::Repository, error: StoreError) -> StoreError {
    match error {
        StoreError::Damaged { subject, reason } => {
            let last = last_whole_commit(repo);
            damaged(repo, subject, reason, last)
        }
        other => other,
    }
}

fn damaged(
    repo: &gix::Repository,
    subject: String,
    reason: String,
    last: Option<ObjectId>,
) -> StoreError {
    let advice = match last {
        Some(id) => format!(
            "the last whole commit is {id}: fetch what is missing from a clone, or go back with \
             `echo {id} > '{}'`",
            repo.common_dir().join(BRANCH).display()
        ),
        None => "no whole commit is left: restore it from a clone".to_owned(),
    };
    StoreError::Damaged { subject, reason: format!("{reason}; {advice}") }
}

/// The newest commit of which every file, and every commit before it, can be read.
fn last_whole_commit(repo: &gix::Repository) -> Option<ObjectId> {
    let objects = Objects::new(repo);
    let whole = |id: &ObjectId| last_whole_at_or_before(&objects, *id);
    if let Some(id) = logged(repo).iter().rev().find_map(whole) {
        return Some(id);
    }
    all_commits(repo).ok()?.iter().find_map(whole)
}

/// Goes from the first commit towards `newest` for as long as everything can be read. `None` also when it is
/// none of ours.
fn last_whole_at_or_before(objects: &Objects<'_>, newest: ObjectId) -> Option<ObjectId> {
    let mut history = Vec::new();
    let mut next = Some(newest);
    while let Some(id) = next {
        let commit = objects.commit(id).ok()?;
        history.push((id, commit.tree));
        next = commit.parent;
    }
    let mut whole = None;
    for (id, tree) in history.into_iter().rev() {
        if read_new(objects, tree, whole.map(|(_, tree)| tree)).is_err() {
            break;
        }
        whole = Some((id, tree));
    }
    let (id, tree) = whole?;
    objects.find(tree, FORMAT_FILE).ok()??;
    Some(id)
}

/// Where the branch has been, by git's own log of it; oldest first.
fn logged(repo: &gix::Repository) -> Vec<ObjectId> {
    let text = fs::read(repo.common_dir().join("logs").join(BRANCH)).unwrap_or_default();
    let new_id = |line: &[u8]| ObjectId::from_hex(line.split(|byte| *byte == b' ').nth(1)?).ok();
    text.split(|byte| *byte == b'\n').filter_map(new_id).collect()
}

/// All commits there are: first those that none follows, then the others, the newest first.
fn all_commits(repo: &gix::Repository) -> Result<Vec<ObjectId>, StoreError> {
    let folder = repo.objects.store_ref().path();
    let objects = Objects::new(repo);
    let mut commits = Vec::new();
    let mut followed = HashSet::new();
    for id in repo.objects.iter().map_err(StoreError::gix(Action::Read, folder))? {
        let Ok(id) = id else { continue };
        let is_commit = repo.find_header(id).is_ok_and(|header| header.kind() == Kind::Commit);
        if is_commit && let Ok(commit) = objects.commit(id) {
            commits.push((commit.seconds, id));
            followed.extend(commit.parent);
        }
    }
    commits.sort_unstable_by_key(|(seconds, id)| (!followed.contains(id), *seconds, *id));
    Ok(commits.into_iter().rev().map(|(_, id)| id).collect())
}
