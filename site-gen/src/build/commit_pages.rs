//! [`CommitPages`]: the pages of commits, which the results of several build lines are on.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Mutex, PoisonError};

use pony_formats::names;

use super::{Build, Halt};
use crate::analysis::{Attempted, JoinedCommit};
use crate::history::Package;
use crate::{pages, published};

/// Results that may wait for the pages of their commits to be written.
const WAITING_MAX: usize = 10_000;

/// The pages of a package's commits with new results. Its build lines, which are worked on at the same time,
/// add results in any order: a page does not depend on it.
pub(super) struct CommitPages<'r> {
    build: &'r Build<'r>,
    package: &'r Package,
    /// What was known before; `None` when the package is built from scratch.
    known: Option<&'r Package>,
    waiting: Mutex<Waiting>,
}

/// What is not on its page yet.
#[derive(Default)]
struct Waiting {
    count: usize,
    by_commit: BTreeMap<String, Vec<Attempted>>,
    /// Commits whose page was written by this build.
    written: HashSet<String>,
}

impl<'r> CommitPages<'r> {
    pub(super) fn new(
        build: &'r Build<'r>,
        package: &'r Package,
        known: Option<&'r Package>,
    ) -> Self {
        Self { build, package, known, waiting: Mutex::default() }
    }

    /// Adds a result.
    pub(super) fn add(&self, result: Attempted) -> Result<(), Halt> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let commit = result.row.tested.commit.clone();
        waiting.by_commit.entry(commit).or_default().push(result);
        waiting.count += 1;
        if waiting.count < WAITING_MAX { Ok(()) } else { self.write(&mut waiting) }
    }

    /// Writes what is left to write.
    pub(super) fn finish(self) -> Result<(), Halt> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        self.write(&mut waiting)
    }

    fn write(&self, waiting: &mut Waiting) -> Result<(), Halt> {
        let Self { build, package, .. } = self;
        waiting.count = 0;
        for (commit, results) in std::mem::take(&mut waiting.by_commit) {
            let at = format!("p/{}/commit/{}", package.folder(), names::url_component(&commit));
            let has_page = !waiting.written.insert(commit.clone());
            let mut joined = self.earlier(&commit, &format!("{at}/index.json"), has_page)?;
            results.into_iter().for_each(|result| joined.take(result));
            let page = pages::commit(&package.name, &joined)?;
            build.folder.write(&format!("{at}/index.html"), page)?;
            let json = published::commit(&package.name, &joined);
            build.folder.write(&format!("{at}/index.json"), json)?;
        }
        Ok(())
    }

    /// What is on the page of a commit already. [`Halt::Odd`] when it is known to have a page, and has none.
    fn earlier(&self, commit: &str, path: &str, has_page: bool) -> Result<JoinedCommit, Halt> {
        if !has_page && self.known.is_none() {
            return Ok(JoinedCommit::new(commit));
        }
        let is_of = |known: &Package| {
            known.rows.iter().any(|row| row.tested.is_exact() && row.tested.commit == commit)
        };
        match self.build.folder.read(path) {
            Some(text) => {
                published::read_commit(&self.package.name, commit, &text).ok_or(Halt::Odd)
            }
            None if has_page || self.known.is_some_and(is_of) => Err(Halt::Odd),
            None => Ok(JoinedCommit::new(commit)),
        }
    }
}
