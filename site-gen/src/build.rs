//! [`build`]: from a repository to files.

use std::path::Path;

use pony_formats::ResultKey;
use pony_store::{Snapshot, Store, StoreError};

use crate::feeds::{self, Selection};
use crate::folder::SiteFolder;
use crate::history::Package;
use crate::load::{self, Loaded};
use crate::pages::{self, Place};
use crate::state::State;
use crate::view::ResultView;
use crate::{Options, SiteError, published};

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
const FIXED: [(&str, &str); 3] = [
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
    let snapshot = store.snapshot()?;
    let state = State::unfinished(base_url.as_deref(), options);
    let folder = SiteFolder::open(out, store.path(), state)?;
    let loaded = load::load(&snapshot, &folder)?;
    // Folders that hide results altogether.
    let unreadable = snapshot.damage()?.iter().map(ToString::to_string).collect();
    let mut build = Build { snapshot: &snapshot, folder, options, base_url, unreadable };
    for package in &loaded.packages {
        build.package(package, &loaded)?;
    }
    build.root(&loaded.packages)?;
    if loaded.from_scratch {
        build.folder.prune()?;
    }
    let files_written = build.folder.finish(snapshot.commit_id())?;
    Ok(Built { files_written, unreadable: build.unreadable })
}

struct Build<'a> {
    snapshot: &'a Snapshot,
    folder: SiteFolder,
    options: &'a Options,
    base_url: Option<String>,
    unreadable: Vec<String>,
}

impl Build<'_> {
    fn root(&mut self, packages: &[Package]) -> Result<(), SiteError> {
        let (commit, now) = (self.snapshot.commit_id().to_string(), self.options.now);
        let cuts = self.snapshot.cuts()?;
        for (path, content) in FIXED {
            self.folder.write(path, content)?;
        }
        self.folder.write("index.html", pages::index(packages, &cuts, &commit, now)?)?;
        self.folder.write("index.json", published::index(packages, &commit, now))?;
        self.folder.write("404.html", pages::not_found(self.base_url.as_deref(), &cuts)?)?;
        for selection in [Selection::All, Selection::Failed] {
            let feed = feeds::overall(packages, selection, self.base_url.as_deref())?;
            self.feed("rss2", selection, &feed)?;
        }
        Ok(())
    }

    fn package(&mut self, package: &Package, loaded: &Loaded) -> Result<(), SiteError> {
        let (name, now) = (&package.name, self.options.now);
        let at = format!("p/{}", package.folder());
        for key in package.keys().filter(|key| loaded.changed.contains(&(name.clone(), *key))) {
            self.result(package, key, Place::Own)?;
        }
        match package.latest() {
            Some(latest) => self.result(package, latest.key, Place::Latest)?,
            None => self.folder.keep_only(&format!("{at}/latest"), &[])?,
        }
        self.folder.write(&format!("{at}/index.html"), pages::package(package, now)?)?;
        self.folder.write(&format!("{at}/index.json"), published::package(package, now))?;
        for chunk in pages::chunks(&package.rows) {
            let at = format!("{at}/{}", chunk.folder());
            self.folder
                .write(&format!("{at}/index.html"), pages::show_all(package, &chunk, now)?)?;
            self.folder.write(&format!("{at}/index.json"), published::show_all(package, &chunk))?;
        }
        for selection in [Selection::All, Selection::Failed] {
            let feed = feeds::of_package(package, selection, self.base_url.as_deref())?;
            self.feed(&format!("rss2/_generic/{}", package.folder()), selection, &feed)?;
        }
        let unreadable = package.unreadable.iter();
        self.unreadable
            .extend(unreadable.map(|result| format!("{name} {}: {}", result.key, result.reason)));
        Ok(())
    }

    fn result(&mut self, package: &Package, key: ResultKey, place: Place) -> Result<(), SiteError> {
        let at = match place {
            Place::Own => format!("p/{}/{key}", package.folder()),
            Place::Latest => format!("p/{}/latest", package.folder()),
        };
        let commit = package.commit_of(key).unwrap_or_default();
        let read = self.snapshot.read(&package.name, key).and_then(|result| {
            let artifacts = self.snapshot.artifacts(&package.name, key)?;
            Ok(result.map(|result| (result, artifacts)))
        });
        let (result, artifacts) = match read {
            Ok(Some(read)) => read,
            Ok(None) => return self.damaged(package, key, load::MISSING, place, &at),
            Err(StoreError::Damaged { reason, .. }) => {
                return self.damaged(package, key, &reason, place, &at);
            }
            Err(other) => return Err(other.into()),
        };
        let (view, full_texts) = ResultView::new(&result, &artifacts, self.options.link_artifacts);
        self.folder.write(
            &format!("{at}/index.html"),
            pages::result(&view, commit, place, self.options.live)?,
        )?;
        if place == Place::Own {
            for full in full_texts {
                self.folder.write(&format!("{at}/{}", full.file()), full.text)?;
            }
        }
        let json = published::result(result, &artifacts, commit);
        self.folder.write(&format!("{at}/result.json"), json)
    }

    fn damaged(
        &mut self,
        package: &Package,
        key: ResultKey,
        reason: &str,
        place: Place,
        at: &str,
    ) -> Result<(), SiteError> {
        let commit = package.commit_of(key).unwrap_or_default();
        let known = package.unreadable.iter().any(|result| result.key == key);
        if place == Place::Own && !known {
            self.unreadable.push(format!("{} {key}: {reason}", package.name));
        }
        let page = pages::unreadable(&package.name, key, reason, commit, place)?;
        self.folder.write(&format!("{at}/index.html"), page)?;
        // It may have been readable when the site was built last.
        self.folder.keep_only(at, &["index.html"])
    }

    /// Writes a feed at its own address and at that of the original collector.
    fn feed(&mut self, at: &str, selection: Selection, feed: &str) -> Result<(), SiteError> {
        let name = selection.name();
        self.folder.write(&format!("{at}/{name}.xml"), feed)?;
        self.folder.write(&format!("{at}/{name}"), feed)
    }
}
