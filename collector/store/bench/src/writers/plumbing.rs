//! git's own commands, about twenty processes for each result: what a shell script would do.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use super::{BRANCH, Item, Opened};
use crate::Failure;

pub(super) fn open(repo: &Path) -> Opened {
    let repo = repo.to_owned();
    Ok(Box::new(move |items| write(&repo, items)))
}

fn write(repo: &Path, items: &[Item]) -> Result<(), Failure> {
    for item in items {
        let head = git(repo, &["rev-parse", BRANCH], b"", item)?;
        let mut id = result(repo, "", item)?;
        let mut path = item.folder.as_str();
        while !path.is_empty() {
            let (above, name) = path.rsplit_once('/').unwrap_or(("", path));
            let list = git(repo, &["ls-tree", &format!("{head}:{above}")], b"", item);
            // There is no such folder yet.
            let list = list.unwrap_or_default();
            let others = list.lines().filter(|line| !line.ends_with(&format!("\t{name}")));
            let mut tree: String = others.map(|line| format!("{line}\n")).collect();
            tree.push_str(&format!("040000 tree {id}\t{name}\n"));
            id = git(repo, &["mktree"], tree.as_bytes(), item)?;
            path = above;
        }
        let commit = ["commit-tree", &id, "-p", &head];
        let commit = git(repo, &commit, item.message.as_bytes(), item)?;
        git(repo, &["update-ref", BRANCH, &commit, &head], b"", item)?;
    }
    Ok(())
}

/// The folder of a result, or one in it.
fn result(repo: &Path, prefix: &str, item: &Item) -> Result<String, Failure> {
    let (mut tree, mut last) = (String::new(), "");
    for (path, content) in &item.files {
        let Some(rest) = path.strip_prefix(prefix) else { continue };
        match rest.split_once('/') {
            None => {
                let blob = git(repo, &["hash-object", "-w", "--stdin"], content, item)?;
                tree.push_str(&format!("100644 blob {blob}\t{rest}\n"));
            }
            Some((name, _)) if name == last => {}
            Some((name, _)) => {
                last = name;
                let inner = result(repo, &format!("{prefix}{name}/"), item)?;
                tree.push_str(&format!("040000 tree {inner}\t{name}\n"));
            }
        }
    }
    git(repo, &["mktree"], tree.as_bytes(), item)
}

fn git(repo: &Path, arguments: &[&str], input: &[u8], item: &Item) -> Result<String, Failure> {
    let date = format!("{} +0000", item.time.as_second());
    let mut git = Command::new("git")
        .args(["-c", "core.fsync=all"])
        .args(arguments)
        .current_dir(repo)
        .envs([("GIT_AUTHOR_NAME", "pony"), ("GIT_AUTHOR_EMAIL", "pony@localhost")])
        .envs([("GIT_COMMITTER_NAME", "pony"), ("GIT_COMMITTER_EMAIL", "pony@localhost")])
        .envs([("GIT_AUTHOR_DATE", &date), ("GIT_COMMITTER_DATE", &date)])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    git.stdin.take().ok_or("no standard input")?.write_all(input)?;
    let output = git.wait_with_output()?;
    if !output.status.success() {
        return Err(format!("git {arguments:?}: {}", output.status).into());
    }
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}
