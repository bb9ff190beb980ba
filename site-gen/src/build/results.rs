//! The pages of results, and the histories of the build lines that they belong to.
//!
//! Line by line, so that the tests of one line only are in memory, and in the order of arrival: the page of a
//! result says what was known when it arrived.

use std::collections::{BTreeMap, BTreeSet};

use pony_formats::{ResultKey, TestResult};
use pony_store::{Artifact, StoreError};

use super::gathered::Commits;
use super::{Build, Halt};
use crate::analysis::{
    Attempted, Compared, Comparison, LINES_MAX, LineHistory, LineName, Observed, PackageHistory,
    ResultNotes, Said, Trunk,
};
use crate::history::{Package, Row};
use crate::load::{self, Loaded};
use crate::pages::{self, Place};
use crate::view::{ChangesView, NOTES_MAX, ResultView};
use crate::{SiteError, published};

/// What is stored of a result, or why it cannot be had.
type Read = Result<(TestResult, Vec<Artifact>), String>;

impl Build<'_> {
    /// Writes the pages of all changed results of a package, and the histories of their build lines.
    pub(super) fn results(&mut self, package: &Package, loaded: &Loaded) -> Result<(), Halt> {
        let changed = loaded.changed_of(&package.name);
        let mut lines: BTreeMap<LineName, Vec<&Row>> = BTreeMap::new();
        for row in package.rows.iter().filter(|row| changed.contains(&row.key)) {
            lines.entry(row.line()).or_default().push(row);
        }
        let trunk = package.trunk();
        let mut commits = Commits::new();
        for (name, rows) in lines {
            self.line(package, name, &rows, &trunk, loaded, &mut commits)?;
        }
        self.commits(package, commits)?;
        for result in package.unreadable.iter().filter(|one| changed.contains(&one.key)) {
            self.damaged(package, result.key, &result.reason, Place::Own)?;
        }
        if package.rows.is_empty() {
            self.folder.keep_only(&format!("p/{}/latest", package.folder()), &[])?;
        }
        Ok(())
    }

    /// Puts the histories of a package's build lines together.
    pub(super) fn put_together(&self, package: &Package) -> Result<PackageHistory, Halt> {
        let trunk = package.trunk();
        let lines = recent_lines(package, &trunk);
        let files: Vec<String> = lines.iter().map(|line| history_file(package, line)).collect();
        let read = |index: usize| LineHistory::from_text(&self.folder.read(files.get(index)?)?);
        PackageHistory::of(trunk, files.len(), read).ok_or(Halt::Odd)
    }

    /// `rows` are the changed results of a build line, oldest first.
    fn line(
        &mut self,
        package: &Package,
        name: LineName,
        rows: &[&Row],
        trunk: &Trunk,
        loaded: &Loaded,
        commits: &mut Commits,
    ) -> Result<(), Halt> {
        let path = history_file(package, &name);
        let is_added = |row: &Row| loaded.is_added(&package.name, row.key);
        let has_earlier = !loaded.from_scratch
            && package
                .rows
                .iter()
                .any(|row| !is_added(row) && trunk.has(&row.tested) && row.line() == name);
        let mut line = match has_earlier {
            true => {
                let text = self.folder.read(&path).unwrap_or_default();
                LineHistory::from_text(&text).filter(|line| line.name == name).ok_or(Halt::Odd)?
            }
            false => LineHistory::new(name),
        };
        let (mut before, mut said) = (None, None);
        for (place, row) in rows.iter().enumerate() {
            let read = self.read(package, row.key)?;
            let result = read.as_ref().ok().map(|(result, _)| result);
            if row.tested.is_exact() {
                let attempt = (Attempted::new(row, result), is_added(row));
                commits.entry(row.tested.commit.clone()).or_default().push(attempt);
            }
            if !loaded.from_scratch {
                before = self.result_before(package, row, &line.name, trunk)?;
            }
            // Only what will be compared with something is taken apart.
            let is_last = !loaded.from_scratch || place + 1 == rows.len();
            let compared = result.filter(|_| before.is_some() || !is_last).map(Compared::new);
            let changes = before.as_ref().zip(compared.as_ref());
            let changes = changes.map(|(before, after)| Comparison::of(before, after));
            let notes = match &read {
                Ok((result, _)) if is_added(row) => {
                    if trunk.has(&row.tested) {
                        line.observe(&Observed::new(result, &row.tested));
                        said = Some(Said::all(result));
                    }
                    Some(ResultNotes::new(&line, trunk, result, &row.tested, NOTES_MAX))
                }
                Ok(_) => Some(self.earlier_notes(package, row.key)?),
                Err(_) => None,
            };
            self.pages(package, row, read, notes.as_ref(), changes.as_ref())?;
            if trunk.has(&row.tested) && compared.is_some() {
                before = compared;
            }
        }
        // Also when none of them can be read: a missing file is the sign of a damaged site.
        let has_news = rows.iter().any(|row| is_added(row) && trunk.has(&row.tested));
        let known = (has_earlier || has_news).then_some(&line);
        let rows: Vec<(&Row, bool)> = rows.iter().map(|row| (*row, is_added(row))).collect();
        self.line_page(package, &line.name, &rows, said, known)?;
        if has_news {
            self.folder.write(&path, line.into_text())?;
        }
        Ok(())
    }

    /// What a result is compared with: the last readable one before it on its build line and the main line.
    fn result_before(
        &self,
        package: &Package,
        row: &Row,
        line: &LineName,
        trunk: &Trunk,
    ) -> Result<Option<Compared>, Halt> {
        let place = package.rows.partition_point(|other| other.key < row.key);
        let earlier = package.rows.iter().take(place).rev();
        for earlier in earlier.filter(|other| trunk.has(&other.tested) && other.line() == *line) {
            if let Ok((result, _)) = self.read(package, earlier.key)? {
                return Ok(Some(Compared::new(&result)));
            }
        }
        Ok(None)
    }

    fn read(&self, package: &Package, key: ResultKey) -> Result<Read, SiteError> {
        let read = self.snapshot.read(&package.name, key).and_then(|result| {
            let artifacts = self.snapshot.artifacts(&package.name, key)?;
            Ok(result.map(|result| (result, artifacts)))
        });
        match read {
            Ok(Some(read)) => Ok(Ok(read)),
            Ok(None) => Ok(Err(load::MISSING.to_owned())),
            Err(StoreError::Damaged { reason, .. }) => Ok(Err(reason)),
            Err(other) => Err(other.into()),
        }
    }

    /// What the page of a result said already: what was known then is not known any more.
    fn earlier_notes(&self, package: &Package, key: ResultKey) -> Result<ResultNotes, Halt> {
        let text = self.folder.read(&format!("p/{}/{key}/result.json", package.folder()));
        text.and_then(|text| published::read_notes(&text)).ok_or(Halt::Odd)
    }

    /// The page of a result, twice when it is the newest of its package.
    fn pages(
        &mut self,
        package: &Package,
        row: &Row,
        read: Read,
        notes: Option<&ResultNotes>,
        changes: Option<&Comparison>,
    ) -> Result<(), SiteError> {
        let is_latest = package.latest().is_some_and(|latest| latest.key == row.key);
        let places = [Place::Own].into_iter().chain(is_latest.then_some(Place::Latest));
        let (result, artifacts) = match read {
            Ok(read) => read,
            Err(reason) => {
                for place in places {
                    self.damaged(package, row.key, &reason, place)?;
                }
                return Ok(());
            }
        };
        let own = folder_of(package, row.key, Place::Own);
        let (mut view, full_texts) =
            ResultView::new(&result, &artifacts, self.options.link_artifacts, &row.tested, notes);
        view.changes = changes.map(|changes| ChangesView::new(changes, &view.key));
        for place in places.clone() {
            let page = pages::result(&view, &row.commit, place, self.options.live)?;
            let at = folder_of(package, row.key, place);
            self.folder.write(&format!("{at}/index.html"), page)?;
        }
        for full in full_texts {
            self.folder.write(&format!("{own}/{}", full.file()), full.text)?;
        }
        drop(view);
        let json = published::result(result, &artifacts, &row.commit, notes, changes);
        for place in places {
            let at = folder_of(package, row.key, place);
            self.folder.write(&format!("{at}/result.json"), &json)?;
        }
        Ok(())
    }

    fn damaged(
        &mut self,
        package: &Package,
        key: ResultKey,
        reason: &str,
        place: Place,
    ) -> Result<(), SiteError> {
        let at = folder_of(package, key, place);
        let commit = package.commit_of(key).unwrap_or_default();
        let known = package.unreadable.iter().any(|result| result.key == key);
        if place == Place::Own && !known {
            self.unreadable.push(format!("{} {key}: {reason}", package.name));
        }
        let page = pages::unreadable(&package.name, key, reason, commit, place)?;
        self.folder.write(&format!("{at}/index.html"), page)?;
        // It may have been readable when the site was built last.
        self.folder.keep_only(&at, &["index.html"])
    }
}

/// The build lines with the newest results of the main line, newest first.
pub(super) fn recent_lines(package: &Package, trunk: &Trunk) -> Vec<LineName> {
    let mut seen = BTreeSet::new();
    let mut lines = Vec::new();
    for row in package.rows.iter().rev().filter(|row| trunk.has(&row.tested)) {
        let line = row.line();
        if seen.insert(line.clone()) {
            lines.push(line);
        }
        if lines.len() == LINES_MAX {
            break;
        }
    }
    lines
}

pub(super) fn history_file(package: &Package, line: &LineName) -> String {
    format!("p/{}/history/{}.json", package.folder(), line.file())
}

fn folder_of(package: &Package, key: ResultKey, place: Place) -> String {
    match place {
        Place::Own => format!("p/{}/{key}", package.folder()),
        Place::Latest => format!("p/{}/latest", package.folder()),
    }
}
