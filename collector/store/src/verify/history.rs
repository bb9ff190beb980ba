//! Whether the history is one of results that were added.
//!
//! There is one more reason for a result to be gone than damage: the period it is of was moved to an archive, and
//! the commit that did so says it in `format.json`: a [`Cut`].

use gix::ObjectId;
use jiff::tz::Offset;

use super::Findings;
use crate::difference::{self, Difference};
use crate::objects::{Commit, Objects};
use crate::snapshot::read_format;
use crate::{Action, CommitId, Cut, Snapshot, StoreError, format};

pub(super) fn check(
    snapshot: &Snapshot,
    since: Option<&CommitId>,
    findings: &mut Findings,
) -> Result<(), StoreError> {
    let repo = snapshot.repository();
    let objects = Objects::new(&repo);
    let cut = repo.shallow_commits().map_err(StoreError::gix(Action::Read, repo.git_dir()))?;
    let is_cut = |id: &ObjectId| cut.as_ref().is_some_and(|commits| commits.contains(id));
    let mut is_found = since.is_none();
    let mut at = Some(snapshot.commit());
    while let Some(id) = at {
        is_found |= since.is_some_and(|since| *since == CommitId::new(id));
        let Some(commit) = commit_of(&objects, id)? else { break };
        at = commit.parent.filter(|_| !is_cut(&id));
        let Some(parent) = at.map(|id| commit_of(&objects, id)).transpose()?.flatten() else {
            continue;
        };
        check_step(&objects, (id, &commit), &parent, findings)?;
    }
    if let Some(since) = since.filter(|_| !is_found) {
        missed(since, snapshot, findings);
    }
    Ok(())
}

/// The commit is not in the history. The last one of a history that was dropped is no loss: it says so.
fn missed(since: &CommitId, snapshot: &Snapshot, findings: &mut Findings) {
    let cuts = snapshot.cuts().unwrap_or_default();
    let Some(dropped) = cuts.iter().rev().find(|cut| cut.history.is_some()) else {
        let reason = format!("the branch was rewritten, and is at {} now", snapshot.commit_id());
        return findings.damaged(format!("head {since} is not an ancestor"), reason);
    };
    let Cut { name, url, history, .. } = dropped;
    if history.as_ref() == Some(since) {
        return findings
            .note(format!("the history up to {since} was moved to the archive {name}: {url}"));
    }
    findings.damaged(
        format!("head {since} is not an ancestor"),
        format!("an older history was moved to the archive {name}, look for it there: {url}"),
    );
}

/// `None` for one that was found damaged already.
fn commit_of(objects: &Objects<'_>, id: ObjectId) -> Result<Option<Commit>, StoreError> {
    match objects.commit(id) {
        Ok(commit) => Ok(Some(commit)),
        Err(error) if error.is_damage() => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// What a commit did to the results of its parent.
fn check_step(
    objects: &Objects<'_>,
    (id, commit): (ObjectId, &Commit),
    parent: &Commit,
    findings: &mut Findings,
) -> Result<(), StoreError> {
    let cuts = new_cuts(objects, commit, parent);
    let visited =
        difference::visit(objects, Some(parent.tree), Some(commit.tree), |result: Difference| {
            match (result.old, result.new) {
                (Some(_), None) if !is_archived(&cuts, &result) => {
                    let reason = format!("removes result {}", result.path());
                    findings.damaged(format!("commit {id}"), reason);
                }
                (Some(old), Some(new)) => {
                    if let Some(file) = changed_file(objects, old, new) {
                        let reason = format!("changes `{file}` of result {}", result.path());
                        findings.damaged(format!("commit {id}"), reason);
                    }
                }
                (_, None) | (None, _) => {}
            }
            Ok::<(), StoreError>(())
        });
    match visited {
        // Damage was found by reading the objects.
        Ok(_) | Err(StoreError::Damaged { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

/// What this commit says that it moved elsewhere.
fn new_cuts(objects: &Objects<'_>, commit: &Commit, parent: &Commit) -> Vec<Cut> {
    let cuts = |tree| {
        let text = read_format(objects, tree).ok()?;
        // One that cannot be read explains nothing.
        format::read_cuts(&text).ok()
    };
    let mut new = cuts(commit.tree).unwrap_or_default();
    let known = cuts(parent.tree).unwrap_or_default();
    new.retain(|cut| !known.contains(cut));
    new
}

fn is_archived(cuts: &[Cut], result: &Difference) -> bool {
    let day = Offset::UTC.to_datetime(result.key.time()).date();
    cuts.iter().any(|cut| day < cut.before)
}

/// A file or folder of a result that is not what it was. Records of uploads may come, and nothing else.
fn changed_file(objects: &Objects<'_>, old: ObjectId, new: ObjectId) -> Option<String> {
    // What cannot be read was found damaged already.
    let (before, after) = (objects.folder(old).ok()?, objects.folder(new).ok()?);
    for entry in before {
        let now = after.iter().find(|other| other.name == entry.name);
        match now {
            Some(now) if now.id == entry.id => {}
            Some(now)
                if entry.name == crate::layout::ARTIFACTS && entry.is_folder && now.is_folder =>
            {
                if let Some(record) = changed_file(objects, entry.id, now.id) {
                    return Some(format!("{}/{record}", entry.name));
                }
            }
            _ => return Some(entry.name),
        }
    }
    None
}
