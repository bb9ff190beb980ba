//! A state of the disk as real files, and whether a repository in it keeps its promises.

use std::collections::BTreeSet;
use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, ensure};
use pony_formats::ResultKey;
use pony_store::{Arrival, Store};

use super::recording::{Content, Promise, listing};
use crate::census::{Census, MARK};
use crate::collector::submission;

/// How long the power was off. Longer than a lock is given that may be a living push's, much shorter than
/// what makes it stale by itself.
const POWER_OFF: Duration = Duration::from_secs(2);

/// Where states are laid out.
pub(super) struct Bench {
    folder: PathBuf,
    /// Files that are never changed in place, by the hash of their content.
    pool: PathBuf,
    pooled: BTreeSet<u64>,
}

impl Bench {
    pub(super) fn new(folder: &Path) -> anyhow::Result<Self> {
        let pool = folder.join("pool");
        fs::create_dir_all(&pool)?;
        Ok(Self { folder: folder.join("state"), pool, pooled: BTreeSet::new() })
    }

    /// Lays a state out. Returns its folder.
    pub(super) fn lay_out(&mut self, state: &[Content]) -> anyhow::Result<&Path> {
        if self.folder.exists() {
            fs::remove_dir_all(&self.folder)?;
        }
        fs::create_dir(&self.folder)?;
        for (path, content) in listing(state) {
            let target = self.folder.join(&path);
            match content {
                None => fs::create_dir(&target)?,
                Some(bytes) if path.contains("objects/pack/pack-") => {
                    self.link(bytes, &target)?;
                }
                Some(bytes) => {
                    fs::write(&target, bytes)?;
                    if path.ends_with(".lock") {
                        let file = fs::File::options().write(true).open(&target)?;
                        file.set_modified(SystemTime::now() - POWER_OFF)?;
                    }
                }
            }
        }
        Ok(&self.folder)
    }

    /// Packs are only ever read or removed, so all states share them.
    fn link(&mut self, bytes: &[u8], target: &Path) -> anyhow::Result<()> {
        let mut hasher = DefaultHasher::new();
        bytes.hash(&mut hasher);
        let hash = hasher.finish();
        let source = self.pool.join(format!("{hash:016x}"));
        if self.pooled.insert(hash) {
            fs::write(&source, bytes)?;
        }
        fs::hard_link(source, target).context("cannot link")
    }
}

/// Tells states apart.
pub(super) fn fingerprint(state: &[Content]) -> u64 {
    let mut hasher = DefaultHasher::new();
    listing(state).hash(&mut hasher);
    hasher.finish()
}

/// Whether everything that was promised is there, the history is whole, and the next submission works without
/// help.
pub(super) fn check(folder: &Path, promises: &[Promise]) -> anyhow::Result<()> {
    let repository = folder.join("results.git");
    let promised: BTreeSet<ResultKey> = promises
        .iter()
        .filter_map(|promise| match promise {
            Promise::Result(key) => Some(*key),
            Promise::File => None,
        })
        .collect();
    let is_there = repository.exists();
    ensure!(is_there || promises.is_empty(), "the repository is gone");
    let before = if is_there { census(&repository)? } else { Census::default() };
    for key in &promised {
        ensure!(before.keys.contains(key), "result {key} was acknowledged and is gone");
    }
    let files = promises.iter().filter(|promise| **promise == Promise::File).count();
    ensure!(before.files >= files, "{files} files were acknowledged, {} are there", before.files);
    contents_are_whole(&repository)?;

    let store = Store::open_or_create(&repository).context("after the cut")?;
    let mut writer = store.writer(Duration::ZERO).context("after the cut")?;
    let next = submission("hayloft", &format!("{MARK}after"), "x")?;
    let arrival = Arrival::at(jiff::Timestamp::now());
    let appended = writer.append(&next, &arrival).context("the next submission")?;
    drop(writer);
    let after = census(&repository).context("after the next submission")?;
    ensure!(after.keys.contains(&appended.receipt.key), "the next submission is not there");
    ensure!(after.keys.len() == before.keys.len() + 1, "the next submission changed others");
    Ok(())
}

fn census(repository: &Path) -> anyhow::Result<Census> {
    Census::take(repository)
}

/// Every uploaded file that is in its place has the content that its name says.
fn contents_are_whole(repository: &Path) -> anyhow::Result<()> {
    if !repository.exists() {
        return Ok(());
    }
    let snapshot = Store::open(repository)?.snapshot()?;
    for package in snapshot.packages()? {
        for key in snapshot.results(&package)? {
            for artifact in snapshot.artifacts(&package, key)? {
                let hash = artifact.sha256.as_str();
                let path = repository.join("pony/artifacts").join(&hash[..2]).join(hash);
                let content = fs::read(&path).context("content of a recorded file")?;
                let found = {
                    use sha2::Digest as _;
                    pony_store::Sha256Hex::from(<[u8; 32]>::from(sha2::Sha256::digest(&content)))
                };
                ensure!(found == artifact.sha256, "a recorded file has other content");
            }
        }
    }
    Ok(())
}
