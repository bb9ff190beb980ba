//! One build line: its new results one after another, in the order of their keys.

use pony_formats::{ResultKey, TestResult};

use super::history_file;
use super::page::Subject;
use crate::analysis::{
    Attempted, Compared, Comparison, LineHistory, LineName, Observed, ResultNotes, Said, Trunk,
};
use crate::build::commit_pages::CommitPages;
use crate::build::{Build, Halt};
use crate::history::{Package, Row};
use crate::pages;
use crate::view::NOTES_MAX;

/// A package whose new results are rendered.
pub(super) struct KnownPackage<'r> {
    /// With its new results.
    pub(super) package: &'r Package,
    /// What was known before them; `None` when it is built from scratch.
    pub(super) known: Option<&'r Package>,
    pub(super) trunk: &'r Trunk,
    pub(super) commits: &'r CommitPages<'r>,
}

/// What the results of a build line brought.
pub(super) struct LineNews {
    /// The newest commit of its main line, by its first result.
    pub(super) main: Option<ResultKey>,
    /// Results that turned out to be unreadable.
    pub(super) unreadable: Vec<String>,
}

impl Build<'_> {
    /// `keys` are the new results of a build line, oldest first: all of them when nothing is known yet.
    pub(super) fn line(
        &self,
        of: &KnownPackage<'_>,
        name: LineName,
        keys: &[ResultKey],
    ) -> Result<LineNews, Halt> {
        let (package, trunk, continues) = (of.package, of.trunk, of.known.is_some());
        let path = history_file(package, &name);
        let is_known = continues && (package.has_main(&name) || self.folder.has(&path));
        let mut recent = self.earlier_line(package, of.known, &name)?;
        let mut line = match is_known {
            true => {
                let text = self.folder.read(&path).unwrap_or_default();
                LineHistory::from_text(&text).filter(|line| line.name == name).ok_or(Halt::Odd)?
            }
            false => LineHistory::new(name),
        };
        let mut before = self.compared(package, recent.main.as_ref())?;
        let (mut unreadable, mut has_news) = (Vec::new(), false);
        for key in keys {
            let commit = self.commits.of(&package.name, continues, *key)?;
            let read = self.read(package, *key)?;
            let result = read.as_ref().ok().map(|(result, _)| result);
            let row = self.row(package, *key, result, &commit)?;
            let is_main = trunk.has(&row.tested);
            // The last one waits for a result that comes with another build.
            let is_compared = before.is_some() || (is_main && keys.last() != Some(key));
            let compared = result.filter(|_| is_compared).map(Compared::new);
            let changes = before.as_ref().zip(compared.as_ref());
            let changes = changes.map(|(before, after)| Comparison::of(before, after));
            let mut notes = None;
            if let Some(result) = result {
                if is_main {
                    line.observe(&Observed::new(result, &row.tested));
                    recent.failing = Said::all(result);
                    recent.main = Some(row.clone());
                    before = compared;
                    has_news = true;
                }
                notes = Some(ResultNotes::new(&line, trunk, result, &row.tested, NOTES_MAX));
            }
            if row.tested.is_exact() {
                of.commits.add(Attempted::new(&row, result))?;
            }
            let subject = Subject {
                key: *key,
                commit: &commit,
                revision: &row.tested,
                notes: notes.as_ref(),
                changes: changes.as_ref(),
            };
            unreadable.extend(self.page(package, &subject, read)?);
            recent.take(row, pages::LINE_RECENT_MAX);
        }
        let main = line.commit(line.newest).map(|commit| commit.key);
        self.line_page(package, &line, &recent)?;
        if has_news {
            self.folder.write(&path, line.into_text())?;
        }
        Ok(LineNews { main, unreadable })
    }

    /// What the next result of the main line is compared with.
    fn compared(&self, package: &Package, row: Option<&Row>) -> Result<Option<Compared>, Halt> {
        let Some(row) = row else { return Ok(None) };
        let (result, _) = self.read(package, row.key)?.map_err(|_| Halt::Odd)?;
        Ok(Some(Compared::new(&result)))
    }

    /// The row of a result whose summary was read before.
    fn row(
        &self,
        package: &Package,
        key: ResultKey,
        result: Option<&TestResult>,
        commit: &str,
    ) -> Result<Row, Halt> {
        let commit = commit.to_owned();
        if let Some(result) = result {
            return Ok(Row::of_result(result, commit));
        }
        let summary = self.snapshot.summary(&package.name, key)?.ok_or(Halt::Odd)?;
        Ok(Row::new(&summary, commit))
    }
}
