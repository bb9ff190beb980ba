//! Repositories to start from, and what git says of one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use pony_store::{Arrival, PackScope, Prepared, Store};

use crate::{Failure, data};

/// The random part of all keys.
pub(crate) const SALT: u32 = 123_456;

/// Results in a batch when a repository is filled: as a busy collector writes them.
const FILL_BATCH: u64 = 100;

/// A repository with so many results in the folder, made if it is not there.
pub(crate) fn base(folder: &Path, results: u64) -> Result<PathBuf, Failure> {
    let path = folder.join(format!("maintained-{results}.git"));
    if !path.exists() {
        let growing = folder.join("growing.git");
        if growing.exists() {
            fs::remove_dir_all(&growing)?;
        }
        fill(&growing, 0..results)?;
        Store::open(&growing)?.maintain(Default::default(), PackScope::All)?;
        fs::rename(growing, &path)?;
    }
    Ok(path)
}

/// Creates a repository if there is none, and appends these results.
pub(crate) fn fill(path: &Path, numbers: std::ops::Range<u64>) -> Result<(), Failure> {
    let store = Store::open_or_create(path)?;
    let mut writer = store.writer(Default::default())?.reproducible(data::arrival(0)?, SALT);
    let mut start = numbers.start;
    while start < numbers.end {
        let end = numbers.end.min(start + FILL_BATCH);
        let prepared = (start..end).map(|number| {
            Ok((Prepared::new(&data::submission(number)?)?, Arrival::at(data::arrival(number)?)))
        });
        let batch = prepared.collect::<Result<Vec<_>, Failure>>()?;
        writer.append_all(&batch).into_iter().collect::<Result<Vec<_>, _>>()?;
        start = end;
    }
    Ok(())
}

/// A copy to write to. Packs are the same files under a second name: nobody changes one.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (old, new) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type()?.is_dir() {
            copy(&old, &new)?;
        } else if old.extension().is_some_and(|end| end == "pack" || end == "idx") {
            fs::hard_link(&old, &new)?;
        } else {
            fs::copy(&old, &new)?;
        }
    }
    Ok(())
}

/// Runs git in a repository. Returns what it printed.
pub(crate) fn git(repo: &Path, arguments: &[&str]) -> Result<String, Failure> {
    let output = Command::new("git")
        .args(arguments)
        .current_dir(repo)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", repo.join("no-such-file"))
        .stdin(Stdio::null())
        .output()?;
    if !output.status.success() {
        let reason = String::from_utf8_lossy(&output.stderr);
        return Err(format!("git {arguments:?}: {reason}").into());
    }
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}
