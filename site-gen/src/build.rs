//! [`build`]: from a repository to files.

mod badges;
mod gathered;
mod results;

use std::path::Path;

use pony_store::{Snapshot, Store};

use crate::analysis::PackageHistory;
use crate::feeds::{self, Address, Feed, Selection};
use crate::folder::SiteFolder;
use crate::history::Package;
use crate::load::{self, Loaded};
use crate::pages;
use crate::state::State;
use crate::view::TestPages;
use crate::{Options, SiteError, changes, published, search, silent};

/// What a build did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// Files written or replaced.
    pub files_written: usize,
    /// Results that are stored but cannot be read, as `<package> <key>: <reason>`. Each has a page that
    /// says so. Before them the folders of results that cannot be read, and so are not on the site.
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
    let base_url = options.checked_base_url()?;
    options.check_hub()?;
    let snapshot = store.snapshot()?;
    let state = State::unfinished(base_url.as_deref(), options);
    let folder = SiteFolder::open(out, store.path(), state)?;
    let loaded = load::load(&snapshot, &folder)?;
    let mut build = Build {
        snapshot: &snapshot,
        folder,
        options,
        base_url,
        unreadable: Vec::new(),
        from_scratch: false,
    };
    match build.everything(&loaded) {
        Ok(()) => {}
        Err(Halt::Odd) => {
            build.folder.start_over();
            build.unreadable.clear();
            build.everything(&load::load_anew(&snapshot)?).map_err(Halt::into_error)?;
        }
        Err(Halt::Failed(error)) => return Err(error),
    }
    let files_written = build.folder.finish(snapshot.commit_id())?;
    // Folders that hide results altogether come first.
    let hidden = snapshot.damage()?;
    let unreadable = hidden.iter().map(ToString::to_string).chain(build.unreadable).collect();
    Ok(Built { files_written, unreadable })
}

/// Why a build did not come to its end.
enum Halt {
    /// What the last build left is not what it was: everything has to be built from scratch.
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
    unreadable: Vec<String>,
    from_scratch: bool,
}

impl Build<'_> {
    fn everything(&mut self, loaded: &Loaded) -> Result<(), Halt> {
        self.from_scratch = loaded.from_scratch;
        let mut histories = Vec::new();
        for package in &loaded.packages {
            histories.push(self.package(package, loaded)?);
        }
        self.machines(loaded)?;
        let packages: Vec<_> = loaded.packages.iter().zip(&histories).collect();
        self.root(&loaded.packages, &packages)?;
        if loaded.from_scratch {
            self.folder.prune()?;
        }
        Ok(())
    }

    fn root(
        &mut self,
        packages: &[Package],
        known: &[(&Package, &PackageHistory)],
    ) -> Result<(), SiteError> {
        let (commit, now) = (self.snapshot.commit_id().to_string(), self.options.now);
        let (base_url, options) = (self.base_url.clone(), self.options);
        let address = Address { base_url: base_url.as_deref(), hub: options.hub.as_deref() };
        let cuts = self.snapshot.cuts()?;
        for (path, content) in FIXED {
            self.folder.write(path, content)?;
        }
        self.folder.write("index.html", pages::index(known, &cuts, &commit, now)?)?;
        self.folder.write("index.json", published::index(packages, &commit, now))?;
        self.folder.write("404.html", pages::not_found(base_url.as_deref(), &cuts)?)?;
        let clone_url = options.clone_url.as_deref();
        let about = pages::about(base_url.as_deref(), clone_url)?;
        self.folder.write("about/index.html", about)?;
        self.folder.write("search/index.html", pages::search()?)?;
        self.folder.write("search/packages.js", search::packages(packages))?;
        for selection in [Selection::All, Selection::Failed] {
            let feed = feeds::overall(packages, selection, address)?;
            self.feed(&feed)?;
        }
        self.feed(&changes::overall(known, address)?)?;
        self.feed(&silent::overall(packages, address, now)?)?;
        if let Some(base_url) = &base_url {
            self.folder.write("sitemap.xml", pages::sitemap(base_url, packages)?)?;
        }
        Ok(())
    }

    fn package(&mut self, package: &Package, loaded: &Loaded) -> Result<PackageHistory, Halt> {
        let (now, at) = (self.options.now, format!("p/{}", package.folder()));
        let changed = loaded.changed_of(&package.name);
        let history = if loaded.from_scratch || !changed.is_empty() {
            self.results(package, loaded)?;
            let history = self.put_together(package)?;
            self.lists(package, &history, loaded)?;
            history
        } else {
            let text = self.folder.read(&format!("{at}/tests/index.json"));
            text.and_then(|text| published::read_tests(&package.name, &text)).ok_or(Halt::Odd)?
        };
        self.folder.write(&format!("{at}/index.html"), pages::package(package, &history, now)?)?;
        self.folder.write(&format!("{at}/index.json"), published::package(package, now))?;
        let unreadable = package.unreadable.iter();
        let name = &package.name;
        self.unreadable
            .extend(unreadable.map(|result| format!("{name} {}: {}", result.key, result.reason)));
        Ok(history)
    }

    /// What follows from the results of a package alone, whatever the time.
    fn lists(
        &mut self,
        package: &Package,
        history: &PackageHistory,
        loaded: &Loaded,
    ) -> Result<(), SiteError> {
        let at = format!("p/{}", package.folder());
        let (base_url, options) = (self.base_url.clone(), self.options);
        let address = Address { base_url: base_url.as_deref(), hub: options.hub.as_deref() };
        let changed = loaded.changed_of(&package.name);
        for chunk in pages::chunks(&package.rows) {
            let at = format!("{at}/{}", chunk.folder());
            let is_full = chunk.number.is_some() && chunk.rows.len() == pages::CHUNK;
            let is_old =
                chunk.rows.last().is_some_and(|last| changed.iter().all(|key| *key > last.key));
            if !loaded.from_scratch
                && is_full
                && is_old
                && self.folder.has(&format!("{at}/index.json"))
            {
                continue;
            }
            self.folder.write(
                &format!("{at}/index.html"),
                pages::show_all(package, &chunk, self.options.now)?,
            )?;
            self.folder.write(&format!("{at}/index.json"), published::show_all(package, &chunk))?;
        }
        self.folder.write(&format!("{at}/compare/index.html"), pages::compare(package)?)?;
        let concerns = history.concerns();
        let paged = TestPages::of(&concerns);
        let tests = format!("{at}/tests");
        self.folder
            .write(&format!("{tests}/index.html"), pages::test_list(package, history, &paged)?)?;
        self.folder
            .write(&format!("{tests}/index.json"), published::tests(&package.name, history))?;
        self.search_index(package, &paged)?;
        for (concern, folder) in paged.iter() {
            let page = pages::test(package, history, concern)?;
            self.folder.write(&format!("{at}/test/{folder}/index.html"), page)?;
        }
        let folders: Vec<_> = paged.iter().map(|(_, folder)| folder).collect();
        self.folder.keep_only_folders(&format!("{at}/test"), &folders)?;
        for selection in [Selection::All, Selection::Failed] {
            self.feed(&feeds::of_package(package, selection, address)?)?;
        }
        self.feed(&changes::of_package(package, history, address)?)?;
        self.badges(package)
    }

    /// Writes a feed in all its forms, and as RSS also without an extension: the original collector used none.
    fn feed(&mut self, feed: &Feed) -> Result<(), SiteError> {
        for (extension, text) in feed.forms()? {
            self.folder.write(&format!("{}.{extension}", feed.own), &text)?;
        }
        if feed.own.starts_with("rss2/") {
            self.folder.write(&feed.own, feed.rss()?)?;
        }
        Ok(())
    }
}
