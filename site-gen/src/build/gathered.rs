//! The pages that put several results together: of build lines and machines, and what is searched.
//!
//! Each page's JSON is the state from which the next build goes on, so that a page costs the same however many
//! results there are.

use std::collections::BTreeMap;

use pony_formats::names;
use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};

use super::results::history_file;
use super::{Build, Finished, Halt};
use crate::analysis::{
    LINES_MAX, LineHistory, LineName, LineTests, Machine, PackageHistory, Recent,
};
use crate::annotations::Noted;
use crate::badges::Badge;
use crate::history::Package;
use crate::load::Work;
use crate::view::{LineView, RemarkView, TestPages};
use crate::{SiteError, changes, pages, published, search};

impl Build<'_> {
    /// The page of a build line, of which `recent` is known besides its history.
    pub(super) fn line_page(
        &self,
        package: &Package,
        line: &LineHistory,
        recent: &Recent,
    ) -> Result<(), Halt> {
        let (name, history) = (&line.name, (line.newest > 0).then_some(line));
        let at = format!("p/{}/line/{}", package.folder(), name.file());
        let repository = recent.rows.iter().rev().find_map(|row| row.tested.repository.clone());
        let page = pages::line(&package.name, name, recent, history, repository.as_ref())?;
        if let Some(page) = page {
            self.folder.write(&format!("{at}/index.html"), page)?;
        }
        self.line_feed(package, name, history)?;
        if let Some(page) = pages::line_latest(name, recent)? {
            self.folder.write(&format!("{at}/latest/index.html"), page)?;
        }
        let label = format!("{} {}", package.name, LineView::machine(name));
        self.badge(&format!("{at}/badge"), &Badge::new(&label, recent.latest().into_iter()))?;
        let json = published::line(&package.name, name, recent);
        Ok(self.folder.write(&format!("{at}/index.json"), json)?)
    }

    /// What changed on a build line, whose `history` has a commit.
    fn line_feed(
        &self,
        package: &Package,
        name: &LineName,
        history: Option<&LineHistory>,
    ) -> Result<(), SiteError> {
        let lines = history.map(LineHistory::digest).into_iter().collect();
        let excuses = self.annotated.all.of(package);
        let alone = PackageHistory { lines, excuses, ..PackageHistory::default() };
        self.feed(&changes::of_line(package, name, &alone, self.address())?)
    }

    /// Writes the feeds of the build lines of a package once more, without the `written` ones.
    pub(super) fn line_feeds(&self, package: &Package, written: &[LineName]) -> Result<(), Halt> {
        for name in package.main_lines().into_iter().filter(|name| !written.contains(name)) {
            let text = self.folder.read(&history_file(package, name));
            let line = text.and_then(|text| LineHistory::from_text(&text)).ok_or(Halt::Odd)?;
            self.line_feed(package, name, Some(&line).filter(|line| line.newest > 0))?;
        }
        Ok(())
    }

    /// What is known of a build line before its new results.
    pub(super) fn earlier_line(
        &self,
        package: &Package,
        known: Option<&Package>,
        line: &LineName,
    ) -> Result<Recent, Halt> {
        let Some(known) = known else { return Ok(Recent::default()) };
        match self.read_line(package, line)? {
            None if known.has_line(line) => Err(Halt::Odd),
            recent => Ok(recent.unwrap_or_default()),
        }
    }

    /// What is on the page of a build line.
    fn read_line(&self, package: &Package, line: &LineName) -> Result<Option<Recent>, Halt> {
        let path = format!("p/{}/line/{}/index.json", package.folder(), line.file());
        let Some(text) = self.folder.read(&path) else { return Ok(None) };
        published::read_line(&package.name, line, &text).map(Some).ok_or(Halt::Odd)
    }

    /// What is on the pages of the build lines with the newest results of the main line, newest first.
    pub(super) fn main_lines(&self, package: &Package) -> Result<Vec<(LineName, Recent)>, Halt> {
        let lines = package.main_lines().into_iter().take(LINES_MAX);
        lines
            .map(|line| {
                let recent = self.read_line(package, line)?.ok_or(Halt::Odd)?;
                Ok((line.clone(), recent))
            })
            .collect()
    }

    /// What `site.js` searches of a package.
    pub(super) fn search_index(
        &self,
        package: &Package,
        lines: Vec<(LineName, Recent)>,
        pages: &TestPages<'_>,
    ) -> Result<(), Halt> {
        let mut names = search::Names::default();
        for (line, recent) in lines {
            let history = self.folder.read(&history_file(package, &line));
            let tests = history.and_then(|text| LineTests::from_text(&text));
            names.add(tests.ok_or(Halt::Odd)?, recent.failing);
        }
        let at = format!("p/{}/search", package.folder());
        let mut files = Vec::new();
        for (number, part) in names.parts(&package.folder(), pages).enumerate() {
            files.push(format!("{number}.js"));
            self.folder.write(&format!("{at}/{number}.js"), part)?;
        }
        let files: Vec<&str> = files.iter().map(String::as_str).collect();
        Ok(self.folder.keep_only(&at, &files)?)
    }

    /// The pages of machines with new results, when those of packages are written.
    ///
    /// [`Halt::Odd`] when a page is not what the last build left: the lines of a machine are not all known
    /// otherwise.
    pub(super) fn machines(
        &self,
        packages: &[Work],
        finished: &[Finished],
        from_scratch: bool,
    ) -> Result<(), Halt> {
        let mut machines: BTreeMap<&str, Vec<(&Package, &LineName)>> = BTreeMap::new();
        for host in &self.annotated.machines {
            if !from_scratch && self.folder.has(&format!("{}/index.json", machine_folder(host))) {
                machines.entry(host).or_default();
            }
        }
        for one in finished {
            for line in &one.lines {
                machines.entry(&line.host).or_default().push((&one.package, line));
            }
        }
        machines.into_par_iter().try_for_each(|(host, lines)| {
            let at = machine_folder(host);
            let known = || packages.iter().filter_map(|work| work.known.as_ref());
            let text = match from_scratch {
                true => None,
                false => self.folder.read(&format!("{at}/index.json")),
            };
            let mut machine = match text {
                Some(text) => published::read_machine(host, &text).ok_or(Halt::Odd)?,
                None if known().any(|package| package.has_host(host)) => return Err(Halt::Odd),
                None => Machine::new(host),
            };
            for (package, line) in lines {
                let recent = self.read_line(package, line)?.ok_or(Halt::Odd)?;
                machine.put(&package.name, line, &recent);
            }
            let on = Noted::Machine(host.to_owned());
            let remarks = RemarkView::all(self.annotated.all.notes.on(&on));
            let page = pages::machine(&machine, remarks)?;
            self.folder.write(&format!("{at}/index.html"), page)?;
            Ok(self.folder.write(&format!("{at}/index.json"), published::machine(&machine))?)
        })
    }
}

fn machine_folder(host: &str) -> String {
    format!("machine/{}", names::url_component(host))
}
