//! Whether every object that the history needs is there, and is what its name says. git names objects by
//! the hash of their content, but gix does not calculate it when it reads.

use std::collections::HashSet;

use gix::ObjectId;
use gix::objs::{CommitRefIter, Kind, TreeRefIter};

use super::Findings;
use crate::error::one_line;
use crate::objects::{Objects, is_refusal};
use crate::{Action, Snapshot, StoreError};

pub(super) fn check(snapshot: &Snapshot, findings: &mut Findings) -> Result<(), StoreError> {
    let repo = snapshot.repository();
    note_replacements(&repo, findings)?;
    let cut = repo.shallow_commits().map_err(StoreError::gix(Action::Read, repo.git_dir()))?;
    let cut: HashSet<ObjectId> = cut.iter().flat_map(|commits| commits.iter().copied()).collect();
    if !cut.is_empty() {
        findings.note("the history is cut off: this is a shallow clone");
    }
    let mut seen = HashSet::new();
    let mut commits = vec![snapshot.commit()];
    while let Some(id) = commits.pop() {
        if !seen.insert(id) {
            continue;
        }
        findings.checked.commits += 1;
        let Some(data) = read(&repo, id, Kind::Commit, findings)? else { continue };
        let mut parts = CommitRefIter::from_bytes(&data, id.kind());
        if !cut.contains(&id) {
            commits.extend(parts.parent_ids());
        }
        match parts.tree_id() {
            Ok(tree) => check_folders(&repo, tree, &mut seen, findings)?,
            Err(error) => findings.damaged(format!("commit {id}"), one_line(&error)),
        }
    }
    Ok(())
}

/// Those that were not seen before: most of a tree is also that of the next commit.
fn check_folders(
    repo: &gix::Repository,
    root: ObjectId,
    seen: &mut HashSet<ObjectId>,
    findings: &mut Findings,
) -> Result<(), StoreError> {
    let mut waiting = vec![(root, Kind::Tree)];
    while let Some((id, kind)) = waiting.pop() {
        if !seen.insert(id) {
            continue;
        }
        let Some(data) = read(repo, id, kind, findings)? else { continue };
        if kind != Kind::Tree {
            continue;
        }
        for entry in TreeRefIter::from_bytes(&data, id.kind()) {
            match entry {
                Ok(entry) if entry.mode.is_tree() => waiting.push((entry.oid.into(), Kind::Tree)),
                // A submodule is not here.
                Ok(entry) if entry.mode.is_commit() => {}
                Ok(entry) => waiting.push((entry.oid.into(), Kind::Blob)),
                Err(error) => findings.damaged(format!("tree {id}"), one_line(&error)),
            }
        }
    }
    Ok(())
}

/// The content of an object, if it is sound.
fn read(
    repo: &gix::Repository,
    id: ObjectId,
    kind: Kind,
    findings: &mut Findings,
) -> Result<Option<Vec<u8>>, StoreError> {
    findings.checked.objects += 1;
    let data = match Objects::new(repo).raw(id, kind) {
        Ok(data) => data,
        Err(error) if error.is_damage() => {
            findings.damage.push(super::one_line(&error.to_string()));
            return Ok(None);
        }
        Err(error) => return Err(error.into()),
    };
    match gix::objs::compute_hash(id.kind(), kind, &data) {
        Ok(hash) if hash == id => Ok(Some(data)),
        Ok(hash) => {
            findings.damaged(format!("{kind} {id}"), format!("its content is that of {hash}"));
            Ok(None)
        }
        Err(error) => {
            findings.damaged(format!("{kind} {id}"), one_line(&error));
            Ok(None)
        }
    }
}

/// git shows other objects in the place of those that are replaced; what we read and check are the originals.
fn note_replacements(repo: &gix::Repository, findings: &mut Findings) -> Result<(), StoreError> {
    let failed = |error: gix::Error| StoreError::gix(Action::Read, repo.git_dir())(error);
    let references = repo.references().map_err(failed)?;
    for reference in references.prefixed("refs/replace/").map_err(failed)? {
        match reference {
            Ok(reference) => {
                let name = reference.name().as_bstr().to_string();
                findings.note(format!("{name} is ignored: objects are read as they were written"));
            }
            Err(error) if is_refusal(&error) => return Err(failed(error)),
            Err(error) => {
                findings.note(format!("a reference cannot be read: {}", one_line(&error)))
            }
        }
    }
    Ok(())
}
