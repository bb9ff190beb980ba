//! `git fast-import`: one process that is told of all commits.

use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use super::{BATCH, BRANCH, Item, Opened};
use crate::Failure;

/// Without any sync.
pub(super) fn careless(repo: &Path) -> Opened {
    open(repo, &["core.fsync=none"], usize::MAX)
}

/// The same at the level of compression that we use.
pub(super) fn careless_level_1(repo: &Path) -> Opened {
    open(repo, &["core.fsync=none", "core.compression=1", "pack.compression=1"], usize::MAX)
}

/// With a checkpoint after each batch: packs and the branch are synced then, their folders are not.
pub(super) fn durable(repo: &Path) -> Opened {
    open(repo, &["core.fsync=all"], BATCH)
}

fn open(repo: &Path, settings: &'static [&'static str], checkpoint: usize) -> Opened {
    let repo = repo.to_owned();
    Ok(Box::new(move |items| import(&repo, items, settings, checkpoint)))
}

fn import(
    repo: &Path,
    items: &[Item],
    settings: &[&str],
    checkpoint: usize,
) -> Result<(), Failure> {
    let mut command = Command::new("git");
    for setting in settings {
        command.args(["-c", setting]);
    }
    let mut git =
        command.args(["fast-import", "--quiet"]).current_dir(repo).stdin(Stdio::piped()).spawn()?;
    let stdin = git.stdin.take().ok_or("no standard input")?;
    let mut out = BufWriter::with_capacity(64 * 1024, stdin);
    for (index, item) in items.iter().enumerate() {
        write!(
            out,
            "commit {BRANCH}\ncommitter pony <pony@localhost> {} +0000\ndata {}\n{}\n",
            item.time.as_second(),
            item.message.len(),
            item.message
        )?;
        if index == 0 {
            writeln!(out, "from {BRANCH}^0")?;
        }
        for (path, content) in &item.files {
            write!(out, "M 100644 inline {}/{path}\ndata {}\n", item.folder, content.len())?;
            out.write_all(content)?;
            out.write_all(b"\n")?;
        }
        if (index + 1) % checkpoint == 0 {
            write!(out, "checkpoint\n\n")?;
        }
    }
    out.flush()?;
    drop(out);
    let status = git.wait()?;
    if status.success() { Ok(()) } else { Err(format!("git fast-import: {status}").into()) }
}
