//! libgit2: loose objects, a move of the branch for each commit, everything synced by itself.

use std::path::Path;

use git2::{Oid, Repository, Signature, Time, Tree};

use super::{BRANCH, Item, Opened};
use crate::Failure;

pub(super) fn open(repo: &Path) -> Opened {
    // SAFETY: sets a flag of the library, before anything else uses it.
    let set = unsafe {
        libgit2_sys::git_libgit2_init();
        libgit2_sys::git_libgit2_opts(libgit2_sys::GIT_OPT_ENABLE_FSYNC_GITDIR as _, 1)
    };
    if set < 0 {
        return Err("libgit2 does not sync".into());
    }
    let repo = Repository::open_bare(repo)?;
    Ok(Box::new(move |items| write(&repo, items)))
}

fn write(repo: &Repository, items: &[Item]) -> Result<(), Failure> {
    for item in items {
        let head = repo.find_reference(BRANCH)?.peel_to_commit()?;
        let root = add(repo, Some(head.tree()?), &item.folder, item)?;
        let time = Time::new(item.time.as_second(), 0);
        let signature = Signature::new("pony", "pony@localhost", &time)?;
        let tree = repo.find_tree(root)?;
        repo.commit(Some(BRANCH), &signature, &signature, &item.message, &tree, &[&head])?;
    }
    Ok(())
}

/// The folder with the result below `path` in it.
fn add(
    repo: &Repository,
    folder: Option<Tree<'_>>,
    path: &str,
    item: &Item,
) -> Result<Oid, Failure> {
    let (name, rest) = path.split_once('/').unwrap_or((path, ""));
    let inner = folder.as_ref().and_then(|folder| folder.get_name(name)?.to_object(repo).ok());
    let inner = inner.and_then(|object| object.into_tree().ok());
    let id = if rest.is_empty() { result(repo, "", item)? } else { add(repo, inner, rest, item)? };
    let mut builder = repo.treebuilder(folder.as_ref())?;
    builder.insert(name, id, 0o040_000)?;
    Ok(builder.write()?)
}

/// The folder of a result, or one in it.
fn result(repo: &Repository, prefix: &str, item: &Item) -> Result<Oid, Failure> {
    let mut builder = repo.treebuilder(None)?;
    let mut last = "";
    for (path, content) in &item.files {
        let Some(rest) = path.strip_prefix(prefix) else { continue };
        match rest.split_once('/') {
            None => drop(builder.insert(rest, repo.blob(content)?, 0o100_644)?),
            Some((name, _)) if name == last => {}
            Some((name, _)) => {
                last = name;
                let inner = result(repo, &format!("{prefix}{name}/"), item)?;
                builder.insert(name, inner, 0o040_000)?;
            }
        }
    }
    Ok(builder.write()?)
}
