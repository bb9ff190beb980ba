//! The pages of results, and the histories of the build lines that they belong to.
//!
//! Line by line, so that the tests of few lines only are in memory, and in the order of arrival: the page of a
//! result says what was known when it arrived.

mod commits;

use std::collections::BTreeMap;

use pony_formats::{ResultKey, TestResult};
use pony_store::{Artifact, StoreError};
use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};

pub(super) use self::commits::Commits;
use super::all_results::AllResults;
use super::commit_pages::CommitPages;
use super::{Build, Halt};
use crate::analysis::{
    Attempted, Compared, Comparison, LINES_MAX, LineHistory, LineName, Observed, PackageHistory,
    ResultNotes, Revision, Said, Trunk,
};
use crate::history::{Package, Row, Unreadable};
use crate::load::{self, Work};
use crate::pages::{self, Place};
use crate::view::{ChangesView, NOTES_MAX, ResultView};
use crate::{SiteError, published};

/// What is stored of a result, or why it cannot be had.
type Read = Result<(TestResult, Vec<Artifact>), String>;

/// What the new results of a package brought.
pub(super) struct News {
    /// What is known of the package with them.
    pub(super) package: Package,
    /// The build lines that they belong to.
    pub(super) lines: Vec<LineName>,
    /// Results that turned out to be unreadable.
    pub(super) unreadable: Vec<String>,
}

/// A package whose new results are rendered.
struct KnownPackage<'r> {
    /// With its new results.
    package: &'r Package,
    /// What was known before them; `None` when it is built from scratch.
    known: Option<&'r Package>,
    trunk: &'r Trunk,
    commits: &'r CommitPages<'r>,
}

/// What the results of a build line brought.
struct LineNews {
    /// The newest commit of its main line, by its first result.
    main: Option<ResultKey>,
    /// Results that turned out to be unreadable.
    unreadable: Vec<String>,
}

/// A result that is rendered.
struct Subject<'r> {
    key: ResultKey,
    /// The commit that added it.
    commit: &'r str,
    revision: &'r Revision,
    notes: Option<&'r ResultNotes>,
    /// What changed since the result before it.
    changes: Option<&'r Comparison>,
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
            self.damaged(&package, result.key, &result.reason, &result.commit, Place::Own)?;
        }
        if package.rows.is_empty() {
            self.folder.keep_only(&format!("p/{}/latest", package.folder()), &[])?;
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

    /// `keys` are the new results of a build line, oldest first: all of them when nothing is known yet.
    fn line(
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
            let compared = result.map(Compared::new);
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
            unreadable.extend(self.pages(package, &subject, read)?);
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

    /// The page of an earlier result that has other files now. What else it says stays: what was known then is
    /// not known any more.
    fn with_files(&self, package: &Package, key: ResultKey) -> Result<Option<String>, Halt> {
        if package.unreadable.iter().any(|result| result.key == key) {
            return Ok(None);
        }
        let read = self.read(package, key)?;
        let Ok((result, _)) = &read else { return Err(Halt::Odd) };
        let revision = Revision::of(result.submission.client_info.bag());
        let text = self.folder.read(&format!("p/{}/{key}/result.json", package.folder()));
        let earlier = text.and_then(|text| published::read_notes(&text));
        let published::Noted { history, changes, commit } = earlier.ok_or(Halt::Odd)?;
        let (notes, changes) = (Some(&history), changes.as_ref());
        let subject = Subject { key, commit: &commit, revision: &revision, notes, changes };
        Ok(self.pages(package, &subject, read)?)
    }

    /// The page of a result, twice when it is the newest of its package: what is beside it stands once. Returns
    /// what is wrong with it.
    fn pages(
        &self,
        package: &Package,
        subject: &Subject<'_>,
        read: Read,
    ) -> Result<Option<String>, SiteError> {
        let Subject { key, commit, revision, notes, changes } = *subject;
        let is_latest = package.latest().is_some_and(|latest| latest.key == key);
        let places = [Place::Own].into_iter().chain(is_latest.then_some(Place::Latest));
        let (result, artifacts) = match read {
            Ok(read) => read,
            Err(reason) => {
                for place in places {
                    self.damaged(package, key, &reason, commit, place)?;
                }
                return Ok(Some(format!("{} {key}: {reason}", package.name)));
            }
        };
        let own = folder_of(package, key, Place::Own);
        let (mut view, full_texts) =
            ResultView::new(&result, &artifacts, self.options.link_artifacts, revision, notes);
        view.changes = changes.map(|changes| ChangesView::new(changes, &view.key));
        for place in places {
            let page = pages::result(&view, commit, place, self.options.live)?;
            let at = folder_of(package, key, place);
            self.folder.write(&format!("{at}/index.html"), page)?;
        }
        for full in full_texts {
            self.folder.write(&format!("{own}/{}", full.file()), full.text)?;
        }
        for portion in view.tests.portions() {
            let page = pages::portion(&view, portion, commit)?;
            self.folder.write(&format!("{own}/{}", portion.file), page)?;
        }
        drop(view);
        let json = published::result(&result, &artifacts, commit, notes, changes);
        self.folder.write(&format!("{own}/result.json"), &json)?;
        Ok(None)
    }

    fn damaged(
        &self,
        package: &Package,
        key: ResultKey,
        reason: &str,
        commit: &str,
        place: Place,
    ) -> Result<(), SiteError> {
        let at = folder_of(package, key, place);
        let page = pages::unreadable(&package.name, key, reason, commit, place)?;
        self.folder.write(&format!("{at}/index.html"), page)?;
        // It may have been readable when the site was built last.
        self.folder.keep_only(&at, &["index.html"])
    }
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
