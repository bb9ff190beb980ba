//! [`Census`]: what a repository holds, and whether git finds it whole.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context as _, ensure};
use pony_formats::ResultKey;
use pony_store::{Snapshot, Store};

use crate::place::{Place, said};

/// The start of the tag that tells one submission of a fault test from all others.
pub const MARK: &str = "mark-";

/// Every result of a repository, read in full.
#[derive(Debug, Default)]
pub struct Census {
    /// The keys that each mark has. More than one: it was stored twice.
    pub marks: BTreeMap<String, Vec<ResultKey>>,
    /// The keys of all results.
    pub keys: BTreeSet<ResultKey>,
    /// How many uploaded files are recorded.
    pub files: usize,
}

impl Census {
    /// Reads everything in a repository. Nothing at the path is a repository without results.
    ///
    /// # Errors
    /// Whatever cannot be read.
    pub fn take(repository: &Path) -> anyhow::Result<Self> {
        if !repository.exists() {
            return Ok(Self::default());
        }
        let store = Store::open(repository)?;
        Self::of(&store.snapshot()?)
    }

    /// Reads everything in a snapshot, and walks its history.
    ///
    /// # Errors
    /// Whatever cannot be read.
    pub fn of(snapshot: &Snapshot) -> anyhow::Result<Self> {
        if let Some(error) = snapshot.damage()?.into_iter().next() {
            return Err(error.into());
        }
        let changes = snapshot.changes_since(None)?.context("the history has no beginning")?;
        let added: BTreeSet<ResultKey> = changes.iter().map(|change| change.key).collect();
        let mut census = Self::default();
        for package in snapshot.packages()? {
            for key in snapshot.results(&package)? {
                let result = snapshot.read(&package, key)?;
                let result = result.with_context(|| format!("result {key} is listed but gone"))?;
                let info = &result.submission.client_info;
                ensure!(added.contains(&key), "result {key} is in no commit");
                for mark in info.tags().filter(|tag| tag.starts_with(MARK)) {
                    census.marks.entry(mark.to_owned()).or_default().push(key);
                }
                census.keys.insert(key);
                census.files += snapshot.artifacts(&package, key)?.len();
            }
        }
        Ok(census)
    }

    /// How often a submission is there.
    pub fn count(&self, mark: &str) -> usize {
        self.marks.get(mark).map_or(0, Vec::len)
    }
}

/// Has git check every object, and that nothing is missing.
///
/// # Errors
/// What git found.
pub fn fsck(place: &Place, repository: &Path) -> anyhow::Result<()> {
    let output = place.try_git(repository, &["fsck", "--full", "--strict", "--no-dangling"])?;
    let is_clean = output.status.success() && output.stdout.is_empty();
    ensure!(is_clean, "git fsck: {}", said(&output));
    Ok(())
}
