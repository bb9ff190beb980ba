//! [`build`]: from a repository to files.

mod all_results;
mod annotated;
mod badges;
mod commit_pages;
mod gathered;
mod results;

use std::path::Path;

use pony_store::{Snapshot, Store};
use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};

use self::annotated::{Annotated, annotate};
use self::results::{Commits, News};
use crate::analysis::{LineName, PackageHistory};
use crate::feeds::{self, Address, Feed, Selection};
use crate::folder::SiteFolder;
use crate::history::Package;
use crate::load::{self, Work};
use crate::pages;
use crate::progress::{Counter, Progress};
use crate::state::State;
use crate::view::TestPages;
use crate::{Options, SiteError, changes, published, search, silent};

/// What a build did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// Files written or replaced.
    pub files_written: usize,
    /// How large they are together.
    pub bytes_written: u64,
    /// Results that are stored but cannot be read, as `<package> <key>: <reason>`. Each has a page that
    /// says so. Before them the folders of results that cannot be read, and so are not on the site; after them
    /// damaged files of annotations.
    pub unreadable: Vec<String>,
}

/// Files that are the same on every site.
const FIXED: [(&str, &str); 4] = [
    ("site.js", include_str!("../templates/site.js")),
    ("style.css", include_str!("../templates/style.css")),
    ("favicon.svg", include_str!("../templates/favicon.svg")),
    // GitHub Pages leaves out folders like `_generic` otherwise.
    (".nojekyll", ""),
];

/// Brings the site in `out` up to date with the newest commit of `store`.
///
/// When the site was built by the same version with the same options from an ancestor of that commit, only
/// the pages of changed results are rendered, and the lists that they appear in. A result
/// that cannot be read gets a page that says so, and the build goes on.
///
/// # Errors
/// When the repository cannot be read, or the site cannot be written. [`SiteError::Foreign`] when `out` is
/// neither empty nor a site; nothing is touched then.
pub fn build(store: &Store, out: &Path, options: &Options) -> Result<Built, SiteError> {
    build_watched(store, out, options, &|_| {})
}

/// [`build`], and tells `watcher` of every result whose page is written, from many threads.
///
/// # Errors
/// As [`build`].
pub fn build_watched(
    store: &Store,
    out: &Path,
    options: &Options,
    watcher: &(dyn Fn(Progress) + Sync),
) -> Result<Built, SiteError> {
    let base_url = options.checked_base_url()?;
    options.check_hub()?;
    let snapshot = store.snapshot()?;
    let state = State::unfinished(base_url.as_deref(), options);
    let folder = SiteFolder::open(out, store.path(), state)?;
    let mut plan = load::plan(&snapshot, &folder)?;
    let annotated = annotate(&mut plan, &snapshot, &folder)?;
    let commits = Commits::new(&snapshot, plan.commits);
    let progress = Counter::new(watcher);
    let build =
        Build { snapshot: &snapshot, folder, options, base_url, commits, annotated, progress };
    let unreadable = match build.everything(&plan.packages, plan.from_scratch) {
        Err(Halt::Odd) => {
            build.folder.start_all_over();
            build.everything(&load::anew(&snapshot)?, true).map_err(Halt::into_error)?
        }
        done => done.map_err(Halt::into_error)?,
    };
    // What is hidden would have had everything built from scratch.
    let may_hide = plan.from_scratch || build.folder.had_damage();
    let hidden = if may_hide { snapshot.damage()? } else { vec![] };
    let damage = build.annotated.all.damage;
    let (files_written, bytes_written) =
        build.folder.finish(snapshot.commit_id(), !hidden.is_empty())?;
    // Folders that hide results altogether come first.
    let hidden = hidden.iter().map(ToString::to_string);
    let unreadable = hidden.chain(unreadable).chain(damage).collect();
    Ok(Built { files_written, bytes_written, unreadable })
}

/// Why a build did not come to its end.
enum Halt {
    /// What the last build left is not what it was, or what is new does not just follow: the package has to be
    /// built from scratch, or the site.
    Odd,
    /// Something that building from scratch will not help.
    Failed(SiteError),
}

impl<E: Into<SiteError>> From<E> for Halt {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl Halt {
    /// What to report of a build from scratch, which reads back only what it wrote.
    fn into_error(self) -> SiteError {
        match self {
            Self::Odd => SiteError::Changed,
            Self::Failed(error) => error,
        }
    }
}

struct Build<'a> {
    snapshot: &'a Snapshot,
    folder: SiteFolder,
    options: &'a Options,
    base_url: Option<String>,
    commits: Commits<'a>,
    annotated: Annotated,
    progress: Counter<'a>,
}

/// A package whose pages are written.
struct Finished {
    package: Package,
    history: PackageHistory,
    /// The build lines with new results.
    lines: Vec<LineName>,
    /// See [`Built::unreadable`].
    unreadable: Vec<String>,
}

impl Build<'_> {
    /// Returns the results that cannot be read.
    fn everything(&self, packages: &[Work], from_scratch: bool) -> Result<Vec<String>, Halt> {
        self.progress.expect(packages.iter().map(|work| work.added.len()).sum());
        let finished = packages.par_iter().map(|work| self.package(work, from_scratch));
        let finished: Vec<Finished> = finished.collect::<Result<_, _>>()?;
        self.machines(packages, &finished, from_scratch)?;
        let known: Vec<_> = finished.iter().map(|one| (&one.package, &one.history)).collect();
        self.root(&known)?;
        if from_scratch {
            self.folder.prune()?;
        }
        Ok(finished.into_iter().flat_map(|one| one.unreadable).collect())
    }

    /// A package, from what is known of it or else from scratch.
    fn package(&self, work: &Work, prunes_all: bool) -> Result<Finished, SiteError> {
        let part = format!("p/{}", pony_formats::names::url_component(&work.name));
        let anew;
        let whole = if work.known.is_some() {
            match self.pages_of(work) {
                Err(Halt::Odd) => self.folder.start_over(&part),
                Err(Halt::Failed(error)) => return Err(error),
                Ok(finished) => return Ok(finished),
            }
            anew = Work::anew(self.snapshot, work.name.clone())?;
            self.progress.expect(anew.added.len());
            &anew
        } else {
            work
        };
        let finished = self.pages_of(whole).map_err(Halt::into_error)?;
        if !prunes_all {
            self.folder.prune_below(&part)?;
        }
        Ok(finished)
    }

    fn root(&self, known: &[(&Package, &PackageHistory)]) -> Result<(), SiteError> {
        let packages: Vec<&Package> = known.iter().map(|(package, _)| *package).collect();
        let (commit, now) = (self.snapshot.commit_id().to_string(), self.options.now);
        let (base_url, options, address) = (self.base_url.as_deref(), self.options, self.address());
        let cuts = self.snapshot.cuts()?;
        let annotations = &self.annotated.all;
        self.folder.write(published::ANNOTATIONS, published::annotations(annotations))?;
        for (path, content) in FIXED.into_iter().chain(published::SCHEMAS) {
            self.folder.write(path, content)?;
        }
        self.folder.write("index.html", pages::index(known, &cuts, annotations, &commit, now)?)?;
        self.folder.write("index.json", published::index(&packages, &commit, now))?;
        self.folder.write("404.html", pages::not_found(base_url, &cuts)?)?;
        let about = pages::about(base_url, options.clone_url.as_deref())?;
        self.folder.write("about/index.html", about)?;
        self.folder.write("search/index.html", pages::search()?)?;
        self.folder.write("search/packages.js", search::packages(&packages))?;
        for selection in [Selection::All, Selection::Failed] {
            self.feed(&feeds::overall(&packages, selection, address)?)?;
        }
        self.feed(&changes::overall(known, address)?)?;
        self.feed(&silent::overall(&packages, address, now)?)?;
        if let Some(base_url) = base_url {
            self.folder.write("sitemap.xml", pages::sitemap(base_url, &packages)?)?;
        }
        Ok(())
    }

    /// Where the site is.
    fn address(&self) -> Address<'_> {
        Address { base_url: self.base_url.as_deref(), hub: self.options.hub.as_deref() }
    }

    fn pages_of(&self, work: &Work) -> Result<Finished, Halt> {
        let (now, at) =
            (self.options.now, format!("p/{}", pony_formats::names::url_component(&work.name)));
        let (package, history, lines, mut unreadable) = if work.has_news() {
            let News { package, lines, unreadable } = self.results(work)?;
            let mut history = self.put_together(&package)?;
            history.excuses = self.annotated.all.of(&package);
            if self.annotated.excuse_otherwise(work.known.as_ref(), &package) {
                self.line_feeds(&package, &lines)?;
            }
            self.lists(&package, &history)?;
            self.folder.write(&load::state_file(&package.folder()), package.to_text())?;
            (package, history, lines, unreadable)
        } else {
            let text = self.folder.read(&format!("{at}/tests/index.json"));
            let history = text.and_then(|text| published::read_tests(&work.name, &text));
            let package = work.known.clone().ok_or(Halt::Odd)?;
            let mut history = history.ok_or(Halt::Odd)?;
            history.excuses = self.annotated.all.of(&package);
            (package, history, vec![], vec![])
        };
        self.folder.write(&format!("{at}/index.html"), pages::package(&package, &history, now)?)?;
        self.folder.write(&format!("{at}/index.json"), published::package(&package, now))?;
        let name = &package.name;
        let known = package.unreadable.iter();
        unreadable.extend(known.map(|result| format!("{name} {}: {}", result.key, result.reason)));
        Ok(Finished { package, history, lines, unreadable })
    }

    /// What follows from the results of a package alone, whatever the time.
    fn lists(&self, package: &Package, history: &PackageHistory) -> Result<(), Halt> {
        let at = format!("p/{}", package.folder());
        let address = self.address();
        self.folder.write(&format!("{at}/compare/index.html"), pages::compare(package)?)?;
        let concerns = history.concerns();
        let paged = TestPages::of(&concerns);
        let tests = format!("{at}/tests");
        self.folder
            .write(&format!("{tests}/index.html"), pages::test_list(package, history, &paged)?)?;
        self.folder
            .write(&format!("{tests}/index.json"), published::tests(&package.name, history))?;
        let main_lines = self.main_lines(package)?;
        self.badges(package, &main_lines)?;
        self.search_index(package, main_lines, &paged)?;
        for (concern, folder) in paged.iter() {
            let page = pages::test(package, history, concern)?;
            self.folder.write(&format!("{at}/test/{folder}/index.html"), page)?;
        }
        let folders: Vec<_> = paged.iter().map(|(_, folder)| folder).collect();
        self.folder.keep_only_folders(&format!("{at}/test"), &folders)?;
        for selection in [Selection::All, Selection::Failed] {
            self.feed(&feeds::of_package(package, selection, address)?)?;
        }
        Ok(self.feed(&changes::of_package(package, history, address)?)?)
    }

    /// Writes a feed in all its forms, and as RSS also without an extension: the original collector used none.
    fn feed(&self, feed: &Feed) -> Result<(), SiteError> {
        for (extension, text) in feed.forms()? {
            self.folder.write(&format!("{}.{extension}", feed.own), &text)?;
        }
        if feed.own.starts_with("rss2/") {
            self.folder.write(&feed.own, feed.rss()?)?;
        }
        Ok(())
    }
}
