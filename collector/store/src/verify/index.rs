//! Whether the index is what a new one would be.

use super::Findings;
use crate::objects::Objects;
use crate::{Index, Snapshot, Store, StoreError};

pub(super) fn check(
    store: &Store,
    snapshot: &Snapshot,
    findings: &mut Findings,
) -> Result<(), StoreError> {
    let path = store.index_path();
    let subject = format!("index `{}`", path.display());
    let opened = Index::inspect(&path).and_then(|index| match index {
        Some(index) => Ok(index.commit_id()?.map(|commit| (index, commit))),
        None => Ok(None),
    });
    let (index, commit) = match opened {
        Ok(Some(found)) => found,
        Ok(None) => return Ok(()),
        Err(StoreError::IndexInUse { .. }) => {
            findings.note(format!("{subject} was not looked at: another process has it open"));
            return Ok(());
        }
        Err(error) => return findings.found(error),
    };
    // It may be of an earlier commit, and is brought up to date when it is used.
    let repo = snapshot.repository();
    let tree = commit.to_object_id().map(|id| (id, Objects::new(&repo).commit(id)));
    let Some((id, Ok(found))) = tree else {
        findings.note(format!(
            "{subject} was not looked at: it is of commit {commit}, which is not here"
        ));
        return Ok(());
    };
    let rebuilt = Index::in_memory(&store.snapshot_of(id, found.tree))?;
    let (mut is, mut should_be) = (Vec::new(), Vec::new());
    if let Err(error) = index.dump(&mut is) {
        return findings.found(error);
    }
    rebuilt.dump(&mut should_be)?;
    findings.checked.index = true;
    if is != should_be {
        let line = first_difference(&is, &should_be);
        findings.damaged(subject, format!("{line}: remove it, it is built again"));
    }
    Ok(())
}

fn first_difference(is: &[u8], should_be: &[u8]) -> String {
    let (mut is, mut should_be) = (is.split(|b| *b == b'\n'), should_be.split(|b| *b == b'\n'));
    loop {
        let show = |line: Option<&[u8]>| {
            line.filter(|line| !line.is_empty())
                .map_or("nothing".to_owned(), |line| format!("`{}`", String::from_utf8_lossy(line)))
        };
        match (is.next(), should_be.next()) {
            (None, None) => return "it is not what it was".to_owned(),
            (left, right) if left == right => {}
            (left, right) => {
                return format!("it has {} in the place of {}", show(left), show(right));
            }
        }
    }
}
