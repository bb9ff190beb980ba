//! What is new since a commit: the folders say which results differ, the commits between say since which of
//! them.
//!
//! The trees at both ends are compared, so what lies between costs no more than to read the commits, which
//! has to be done to know that one end is an ancestor of the other. A commit that names a result of the
//! difference in its trailer is taken at its word; every other is compared with its parent.

use std::collections::HashMap;

use gix::ObjectId;
use pony_formats::ResultKey;

use crate::difference::{self, Difference};
use crate::objects::Objects;
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
    let Some(way) = walk(repo, &objects, head, base)? else {
        return Ok(None);
    };
    let mut found = Found::between(&objects, &way)?;
    found.attribute(&objects, &way, true)?;
    // A commit may have added more than it says.
    found.attribute(&objects, &way, false)?;
    let mut changes = Vec::with_capacity(found.results.len());
    found.results.sort_by_key(|(_, position)| *position);
    for (result, position) in found.results {
        if let Some(step) = position.and_then(|position| way.steps.get(position))
            && let Some(package) = packages.name_of(&objects, &result.package)?
        {
            let commit_id = CommitId::new(step.commit);
            changes.push(Change { package, key: result.key, commit_id });
        }
    }
    Ok(Some(changes))
}

/// The commits from one to another.
struct Way {
    /// The tree of the commit before the first.
    base_tree: Option<ObjectId>,
    /// Oldest first.
    steps: Vec<Step>,
}

struct Step {
    commit: ObjectId,
    tree: ObjectId,
    /// The result that it is about, by its own word.
    result: Option<ResultKey>,
}

impl Way {
    /// The tree before a step.
    fn tree_before(&self, position: usize) -> Option<ObjectId> {
        match position.checked_sub(1) {
            Some(before) => self.steps.get(before).map(|step| step.tree),
            None => self.base_tree,
        }
    }
}

/// Results that differ, each with the position of the first step that changed it, once that is known.
struct Found {
    results: Vec<(Difference, Option<usize>)>,
    by_key: HashMap<ResultKey, Vec<usize>>,
    unknown: usize,
}

impl Found {
    fn between(objects: &Objects<'_>, way: &Way) -> Result<Self, StoreError> {
        let mut found = Self { results: Vec::new(), by_key: HashMap::new(), unknown: 0 };
        let Some(last) = way.steps.last() else { return Ok(found) };
        visit(objects, way.base_tree, last.tree, |result| {
            found.by_key.entry(result.key).or_default().push(found.results.len());
            found.results.push((result, None));
            found.unknown += 1;
        })?;
        Ok(found)
    }

    /// Looks for the first step of each, oldest first.
    fn attribute(
        &mut self,
        objects: &Objects<'_>,
        way: &Way,
        trust: bool,
    ) -> Result<(), StoreError> {
        for (position, step) in way.steps.iter().enumerate() {
            if self.unknown == 0 {
                break;
            }
            let named = step.result.filter(|_| trust).and_then(|key| self.by_key.get(&key));
            // Somebody may have copied a result to another package.
            if let Some(&[only]) = named.map(Vec::as_slice) {
                self.note(only, position);
                continue;
            }
            visit(objects, way.tree_before(position), step.tree, |result| {
                let same_key = self.by_key.get(&result.key).map_or(&[][..], Vec::as_slice);
                let same = same_key.iter().copied().find(|index| {
                    let known = self.results.get(*index);
                    known.is_some_and(|(known, _)| known.package.name == result.package.name)
                });
                if let Some(index) = same {
                    self.note(index, position);
                }
            })?;
        }
        Ok(())
    }

    fn note(&mut self, index: usize, position: usize) {
        if let Some((_, first @ None)) = self.results.get_mut(index) {
            *first = Some(position);
            self.unknown -= 1;
        }
    }
}

/// Visits the results that a tree has otherwise than an older one.
fn visit(
    objects: &Objects<'_>,
    old: Option<ObjectId>,
    new: ObjectId,
    mut take: impl FnMut(Difference),
) -> Result<(), StoreError> {
    let hidden = difference::visit(objects, old, Some(new), |result| {
        if result.new.is_some() {
            take(result);
        }
        Ok::<(), StoreError>(())
    })?;
    // What is hidden may have changed.
    hidden.into_iter().next().map_or(Ok(()), |folder| Err(folder.error.into()))
}

/// The commits after `base`; `None` when `base` is not among them.
fn walk(
    repo: &gix::Repository,
    objects: &Objects<'_>,
    head: ObjectId,
    base: Option<ObjectId>,
) -> Result<Option<Way>, StoreError> {
    let cut = repo.shallow_commits().map_err(StoreError::gix(Action::Read, repo.git_dir()))?;
    // The history of a shallow clone ends where it was cut off.
    let is_cut = |id: &ObjectId| cut.as_ref().is_some_and(|commits| commits.contains(id));
    let mut way = Way { base_tree: None, steps: Vec::new() };
    let mut next = Some(head);
    while next != base {
        let Some(id) = next else { return Ok(None) };
        let commit = objects.commit(id)?;
        way.steps.push(Step { commit: id, tree: commit.tree, result: commit.result });
        next = commit.parent.filter(|_| !is_cut(&id));
    }
    way.base_tree = next.map(|id| objects.commit(id)).transpose()?.map(|commit| commit.tree);
    way.steps.reverse();
    Ok(Some(way))
}
