//! The pages of results, and the histories of the build lines that they belong to.
//!
//! Line by line, so that the tests of few lines only are in memory, and in the order of arrival: the page of a
//! result says what was known when it arrived.

mod commits;
mod line;
mod page;

use std::collections::BTreeMap;

use pony_formats::ResultKey;
use pony_store::StoreError;
use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};

pub(super) use self::commits::Commits;
use self::line::{KnownPackage, LineNews};
use super::all_results::AllResults;
use super::commit_pages::CommitPages;
use super::{Build, Halt};
use crate::analysis::{LINES_MAX, LineHistory, LineName, PackageHistory};
use crate::history::{Package, Row, Unreadable};
use crate::load::{self, Work};
use crate::pages;

/// What the new results of a package brought.
pub(super) struct News {
    /// What is known of the package with them.
    pub(super) package: Package,
    /// The build lines that they belong to.
    pub(super) lines: Vec<LineName>,
    /// Results that turned out to be unreadable.
    pub(super) unreadable: Vec<String>,
}

impl Build<'_> {
    /// Writes the pages of all changed results of a package, and the histories of their build lines. Returns
    /// what they brought.
    pub(super) fn results(&self, work: &Work) -> Result<News, Halt> {
        let (mut package, lines) = self.take_in(work)?;
        let trunk = package.trunk();
        if work.known.as_ref().is_some_and(|known| known.results > 0 && known.trunk() != trunk) {
            // What counts as the main line is decided for all results at once.
            return Err(Halt::Odd);
        }
        let lines: Vec<(LineName, Vec<ResultKey>)> = lines.into_iter().collect();
        let known = work.known.as_ref();
        let commits = CommitPages::new(self, &package, known);
        let news = lines.par_iter().map(|(name, keys)| {
            let line = KnownPackage { package: &package, known, trunk: &trunk, commits: &commits };
            self.line(&line, name.clone(), keys).map(|news| (name, news))
        });
        let news: Vec<(&LineName, LineNews)> = news.collect::<Result<_, _>>()?;
        commits.finish()?;
        let mut unreadable = Vec::new();
        for (name, line) in news {
            package.note_main(name, line.main);
            unreadable.extend(line.unreadable);
        }
        for key in &work.attached {
            unreadable.extend(self.with_files(&package, *key)?);
        }
        let added = |one: &&Unreadable| work.added.binary_search(&one.key).is_ok();
        for result in package.unreadable.iter().filter(added) {
            self.damaged(&package, result.key, &result.reason, &result.commit)?;
        }
        let latest = format!("p/{}/latest", package.folder());
        match pages::package_latest(&package)? {
            Some(page) => self.folder.write(&format!("{latest}/index.html"), page)?,
            None => self.folder.keep_only(&latest, &[])?,
        }
        let lines = lines.into_iter().map(|(name, _)| name).collect();
        Ok(News { package, lines, unreadable })
    }

    /// Adds new results to what is known of a package, and to the pages that list all of them. Returns the new
    /// results of each build line, oldest first.
    fn take_in(&self, work: &Work) -> Result<(Package, BTreeMap<LineName, Vec<ResultKey>>), Halt> {
        let (mut package, mut all) = match &work.known {
            Some(known) => (known.clone(), AllResults::read_back(self, known).ok_or(Halt::Odd)?),
            None => (Package::new(&work.name), AllResults::default()),
        };
        let mut lines: BTreeMap<LineName, Vec<ResultKey>> = BTreeMap::new();
        for key in &work.added {
            let commit = self.commits.of(&work.name, work.known.is_some(), *key)?;
            let reason = match self.snapshot.summary(&package.name, *key) {
                Ok(Some(summary)) => {
                    let row = Row::new(&summary, commit);
                    if !package.continues_with(&row) {
                        return Err(Halt::Odd);
                    }
                    lines.entry(row.line()).or_default().push(*key);
                    all.add(self, &package, row.clone())?;
                    package.add(row);
                    continue;
                }
                Ok(None) => load::MISSING.to_owned(),
                Err(StoreError::Damaged { reason, .. }) => reason,
                Err(other) => return Err(other.into()),
            };
            package.add_unreadable(Unreadable { key: *key, commit, reason });
        }
        package.settle();
        all.finish(self, &package)?;
        Ok((package, lines))
    }

    /// Puts the histories of a package's build lines together.
    pub(super) fn put_together(&self, package: &Package) -> Result<PackageHistory, Halt> {
        let recent = package.main_lines().into_iter().take(LINES_MAX);
        let files: Vec<String> = recent.map(|line| history_file(package, line)).collect();
        let read = |index: usize| LineHistory::from_text(&self.folder.read(files.get(index)?)?);
        PackageHistory::of(package.trunk(), files.len(), read).ok_or(Halt::Odd)
    }
}

pub(super) fn history_file(package: &Package, line: &LineName) -> String {
    format!("p/{}/history/{}.json", package.folder(), line.file())
}
