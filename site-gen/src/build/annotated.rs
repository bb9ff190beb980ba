//! What annotations change of a site that is brought up to date.

use std::collections::BTreeSet;

use pony_store::{Snapshot, StoreError};

use crate::SiteError;
use crate::annotations::{Annotations, Noted};
use crate::folder::SiteFolder;
use crate::load::{self, Plan};
use crate::published;

/// The annotations of a site.
#[derive(Debug, Default)]
pub(super) struct Annotated {
    pub(super) all: Annotations,
    /// Machines that have other notes than when the site was built last.
    pub(super) machines: BTreeSet<String>,
}

/// Reads the annotations, and adds to the plan what has others than when the site was built last. What came of them
/// then is beside the pages; when it cannot be read, everything is built from scratch.
pub(super) fn annotate(
    plan: &mut Plan,
    snapshot: &Snapshot,
    folder: &SiteFolder,
) -> Result<Annotated, SiteError> {
    let mut found =
        Annotated { all: Annotations::read(snapshot.annotations()?), ..Annotated::default() };
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
    let mut machines = BTreeSet::new();
    for it in found.all.noted_otherwise(&earlier) {
        let key = match it {
            Noted::Machine(host) => {
                machines.insert(host.clone());
                continue;
            }
            Noted::Result(key) => *key,
        };
        let package = match snapshot.package_of(key) {
            // A note on what cannot be found is on no page.
            Err(StoreError::Damaged { .. }) => None,
            found => found?,
        };
        let works = plan.packages.iter_mut();
        let work = works.into_iter().find(|work| Some(&work.name) == package.as_ref());
        if let Some(work) = work
            && !work.added.contains(&key)
            && let Err(place) = work.attached.binary_search(&key)
        {
            work.attached.insert(place, key);
        }
    }
    found.machines = machines;
    Ok(found)
}
