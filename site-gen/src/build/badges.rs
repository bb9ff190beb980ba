//! The badges of a package: of its main line, of its branches, of its build lines.

use std::collections::BTreeMap;

use pony_formats::names;

use super::Build;
use crate::SiteError;
use crate::analysis::LineName;
use crate::badges::Badge;
use crate::history::{Package, Row};

/// Results that are looked back on for branches: a branch without news among them has no badge any more.
const RECENT_MAX: usize = 1_000;

impl Build<'_> {
    /// The badges of a package with changed results, but for those of its build lines.
    pub(super) fn badges(&mut self, package: &Package) -> Result<(), SiteError> {
        let at = format!("p/{}", package.folder());
        let trunk = package.trunk();
        let newest_first = || package.rows.iter().rev();
        let main = latest(newest_first().filter(|row| trunk.has(&row.tested)));
        self.badge(&format!("{at}/badge"), &Badge::new(&package.name, main.into_values()))?;
        let mut branches: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
        for row in newest_first().take(RECENT_MAX) {
            let branch = row.tested.branch.as_str();
            if !branch.is_empty() && !row.tested.change_request {
                branches.entry(branch).or_default().push(row);
            }
        }
        let mut files = Vec::new();
        for (branch, rows) in branches {
            let name = names::url_component(branch);
            let label = format!("{} {branch}", package.name);
            let badge = Badge::new(&label, latest(rows.into_iter()).into_values());
            self.badge(&format!("{at}/badge/{name}"), &badge)?;
            files.extend([format!("{name}.svg"), format!("{name}.json")]);
        }
        let files: Vec<&str> = files.iter().map(String::as_str).collect();
        self.folder.keep_only(&format!("{at}/badge"), &files)
    }

    /// A badge as picture and as JSON.
    pub(super) fn badge(&mut self, path: &str, badge: &Badge) -> Result<(), SiteError> {
        self.folder.write(&format!("{path}.svg"), badge.svg()?)?;
        self.folder.write(&format!("{path}.json"), badge.json())
    }
}

/// The newest result of every build line.
fn latest<'a>(newest_first: impl Iterator<Item = &'a Row>) -> BTreeMap<LineName, &'a Row> {
    let mut latest = BTreeMap::new();
    for row in newest_first {
        latest.entry(row.line()).or_insert(row);
    }
    latest
}
