//! The pages that put several results together: of commits, build lines and machines.
//!
//! Each page's JSON is the state from which the next build goes on, so that a page costs the same however many
//! results there are.

use std::collections::BTreeMap;

use pony_formats::names;

use super::results::{history_file, recent_lines};
use super::{Build, Halt};
use crate::analysis::{
    Attempted, JoinedCommit, LineHistory, LineName, Machine, PackageHistory, Recent, Said, Trunk,
};
use crate::badges::Badge;
use crate::feeds::Address;
use crate::history::{Package, Row};
use crate::load::Loaded;
use crate::view::{LineView, TestPages};
use crate::{SiteError, changes, pages, published, search};

/// The changed results of a package's commits, each with whether it is new.
pub(super) type Commits = BTreeMap<String, Vec<(Attempted, bool)>>;

impl Build<'_> {
    /// The pages of commits with changed results.
    pub(super) fn commits(&mut self, package: &Package, commits: Commits) -> Result<(), Halt> {
        for (commit, results) in commits {
            let at = format!("p/{}/commit/{}", package.folder(), names::url_component(&commit));
            let mut joined = match self.earlier(&format!("{at}/index.json")) {
                Some(text) => {
                    published::read_commit(&package.name, &commit, &text).ok_or(Halt::Odd)?
                }
                None => JoinedCommit::new(&commit),
            };
            for (result, is_new) in results {
                joined.take(result, is_new);
            }
            let page = pages::commit(&package.name, &joined)?;
            self.folder.write(&format!("{at}/index.html"), page)?;
            let json = published::commit(&package.name, &joined);
            self.folder.write(&format!("{at}/index.json"), json)?;
        }
        Ok(())
    }

    /// The page of a build line with changed results, each with whether it is new. `said` is what the newest of
    /// them said of its failing tests, `history` that of all results on the main line, if there are any.
    pub(super) fn line_page(
        &mut self,
        package: &Package,
        name: &LineName,
        rows: &[(&Row, bool)],
        said: Option<Vec<Said>>,
        history: Option<&LineHistory>,
    ) -> Result<(), Halt> {
        let at = format!("p/{}/line/{}", package.folder(), name.file());
        let mut recent = match self.earlier(&format!("{at}/index.json")) {
            Some(text) => published::read_line(&package.name, name, &text).ok_or(Halt::Odd)?,
            None => Recent::default(),
        };
        for (row, is_new) in rows {
            recent.take(row, *is_new, pages::LINE_RECENT_MAX);
        }
        recent.failing = said.unwrap_or(recent.failing);
        let repository = recent.rows.iter().rev().find_map(|row| row.tested.repository.clone());
        let page = pages::line(&package.name, name, &recent, history, repository.as_ref())?;
        if let Some(page) = page {
            self.folder.write(&format!("{at}/index.html"), page)?;
        }
        let lines = history.map(LineHistory::digest).into_iter().collect();
        let alone = PackageHistory { trunk: Trunk::default(), lines };
        let (base_url, options) = (self.base_url.clone(), self.options);
        let address = Address { base_url: base_url.as_deref(), hub: options.hub.as_deref() };
        self.feed(&changes::of_line(package, name, &alone, address)?)?;
        if let Some(page) = pages::line_latest(name, &recent)? {
            self.folder.write(&format!("{at}/latest/index.html"), page)?;
        }
        let label = format!("{} {}", package.name, LineView::machine(name));
        self.badge(&format!("{at}/badge"), &Badge::new(&label, recent.latest().into_iter()))?;
        let json = published::line(&package.name, name, &recent);
        self.folder.write(&format!("{at}/index.json"), json)?;
        Ok(())
    }

    /// What `site.js` searches of a package.
    pub(super) fn search_index(
        &mut self,
        package: &Package,
        pages: &TestPages<'_>,
    ) -> Result<(), SiteError> {
        let mut names = search::Names::default();
        for line in recent_lines(package, &package.trunk()) {
            let history = self.folder.read(&history_file(package, &line));
            let Some(history) = history.and_then(|text| LineHistory::from_text(&text)) else {
                continue;
            };
            let at = format!("p/{}/line/{}/index.json", package.folder(), line.file());
            let recent = self.folder.read(&at);
            let recent = recent.and_then(|text| published::read_line(&package.name, &line, &text));
            names.add(history, recent.unwrap_or_default().failing);
        }
        let at = format!("p/{}/search", package.folder());
        let mut files = Vec::new();
        for (number, part) in names.parts(&package.folder(), pages).iter().enumerate() {
            files.push(format!("{number}.js"));
            self.folder.write(&format!("{at}/{number}.js"), part)?;
        }
        let files: Vec<&str> = files.iter().map(String::as_str).collect();
        self.folder.keep_only(&at, &files)
    }

    /// The pages of machines with changed results.
    pub(super) fn machines(&mut self, loaded: &Loaded) -> Result<(), Halt> {
        let mut machines: BTreeMap<&str, Vec<(&Package, &Row)>> = BTreeMap::new();
        for package in &loaded.packages {
            let changed = loaded.changed_of(&package.name);
            for row in package.rows.iter().filter(|row| changed.contains(&row.key)) {
                machines.entry(&row.host).or_default().push((package, row));
            }
        }
        for (host, rows) in machines {
            let at = format!("machine/{}", names::url_component(host));
            let mut machine = match self.earlier(&format!("{at}/index.json")) {
                Some(text) => published::read_machine(host, &text).ok_or(Halt::Odd)?,
                None => Machine { host: host.to_owned(), lines: BTreeMap::new() },
            };
            for (package, row) in rows {
                let line = machine.lines.entry((package.name.clone(), row.line())).or_default();
                let is_new = loaded.is_added(&package.name, row.key);
                line.take(row, is_new, pages::MACHINE_RECENT_MAX);
            }
            self.folder.write(&format!("{at}/index.html"), pages::machine(&machine)?)?;
            self.folder.write(&format!("{at}/index.json"), published::machine(&machine))?;
        }
        Ok(())
    }

    /// A file of the last build, which a build from scratch does not look at.
    fn earlier(&self, path: &str) -> Option<Vec<u8>> {
        if self.from_scratch { None } else { self.folder.read(path) }
    }
}
