//! What annotations change of a site that is brought up to date.

use std::collections::BTreeSet;

use pony_formats::names;
use pony_store::Snapshot;

use crate::SiteError;
use crate::annotations::{Annotations, Noted};
use crate::folder::SiteFolder;
use crate::history::Package;
use crate::load::{self, Plan};
use crate::published;

/// The annotations of a site.
#[derive(Debug, Default)]
pub(super) struct Annotated {
    pub(super) all: Annotations,
    /// Those with which the site was built last.
    earlier: Annotations,
    /// Machines that have other notes than then.
    pub(super) machines: BTreeSet<String>,
}

impl Annotated {
    /// Whether other failures of a package are no news than when it was `known` last: the annotations are others,
    /// or the day is.
    pub(super) fn excuse_otherwise(&self, known: Option<&Package>, package: &Package) -> bool {
        known.is_some_and(|known| self.all.of(package).hold_otherwise_than(&self.earlier.of(known)))
    }
}

/// Reads the annotations, and adds to the plan what has others than when the site was built last. What came of them
/// then is beside the pages; when it cannot be read, everything is built from scratch.
pub(super) fn annotate(
    plan: &mut Plan,
    snapshot: &Snapshot,
    folder: &SiteFolder,
) -> Result<Annotated, SiteError> {
    let packages = plan.packages.iter().map(|work| work.name.as_str());
    let all = Annotations::read(snapshot.annotations()?, packages);
    let mut found = Annotated { all, ..Annotated::default() };
    if plan.from_scratch {
        return Ok(found);
    }
    let earlier = folder.read(published::ANNOTATIONS);
    let Some(earlier) = earlier.and_then(|text| published::read_annotations(&text)) else {
        plan.packages = load::anew(snapshot)?;
        plan.from_scratch = true;
        return Ok(found);
    };
    for work in &mut plan.packages {
        work.reannotated = found.all.differ_for(&work.name, &earlier);
    }
    for it in found.all.notes.others_than(&earlier.notes) {
        match it {
            Noted::Machine(host) => drop(found.machines.insert(host.clone())),
            // Two packages may have results with the same key. A note on what is nowhere is on no page.
            Noted::Result(key) => {
                for work in &mut plan.packages {
                    let page = format!("p/{}/{key}/index.html", names::url_component(&work.name));
                    if folder.has(&page)
                        && !work.added.contains(key)
                        && let Err(place) = work.attached.binary_search(key)
                    {
                        work.attached.insert(place, *key);
                    }
                }
            }
        }
    }
    found.earlier = earlier;
    Ok(found)
}
