//! The badges of a package: of its main line and of its branches.

use std::collections::BTreeMap;

use pony_formats::names;

use super::Build;
use crate::SiteError;
use crate::analysis::{LineName, Recent};
use crate::badges::Badge;
use crate::history::{Package, Row};

impl Build<'_> {
    /// The badges of a package with new results, but for those of its build lines. Branches without a result
    /// among those that are remembered have none any more.
    pub(super) fn badges(
        &self,
        package: &Package,
        main_lines: &[(LineName, Recent)],
    ) -> Result<(), SiteError> {
        let at = format!("p/{}", package.folder());
        let main = main_lines.iter().filter_map(|(_, recent)| recent.main.as_ref());
        self.badge(&format!("{at}/badge"), &Badge::new(&package.name, main))?;
        // The newest result of every build line, by branch.
        let mut branches: BTreeMap<&str, BTreeMap<LineName, &Row>> = BTreeMap::new();
        for row in &package.rows {
            let branch = row.tested.branch.as_str();
            if !branch.is_empty() && !row.tested.change_request {
                branches.entry(branch).or_default().insert(row.line(), row);
            }
        }
        let mut files = Vec::new();
        for (branch, latest) in branches {
            let name = names::url_component(branch);
            let label = format!("{} {branch}", package.name);
            let badge = Badge::new(&label, latest.into_values());
            self.badge(&format!("{at}/badge/{name}"), &badge)?;
            files.extend([format!("{name}.svg"), format!("{name}.json")]);
        }
        let files: Vec<&str> = files.iter().map(String::as_str).collect();
        self.folder.keep_only(&format!("{at}/badge"), &files)
    }

    /// A badge as picture and as JSON.
    pub(super) fn badge(&self, path: &str, badge: &Badge) -> Result<(), SiteError> {
        self.folder.write(&format!("{path}.svg"), badge.svg()?)?;
        self.folder.write(&format!("{path}.json"), badge.json())
    }
}
