//! Whether one commit only adds to another, and what: for whoever keeps something that follows from all results
//! and wants to go on from there.

use std::collections::BTreeMap;

use gix::ObjectId;
use pony_formats::ResultKey;

use crate::layout::ARTIFACTS;
use crate::objects::{Objects, Unreadable};
use crate::packages::Packages;
use crate::{StoreError, difference};

/// What a commit has that another one has not. See [`crate::Snapshot::growth_since`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Growth {
    /// Results that were not there, by package, oldest first.
    pub added: BTreeMap<String, Vec<ResultKey>>,
    /// Results that were there, and have other uploaded files now.
    pub attached: BTreeMap<String, Vec<ResultKey>>,
}

/// See [`crate::Snapshot::growth_since`].
pub(crate) fn since(
    repo: &gix::Repository,
    packages: &Packages,
    old: ObjectId,
    new: ObjectId,
) -> Result<Option<Growth>, StoreError> {
    let objects = Objects::new(repo);
    let mut growth = Growth::default();
    let mut only_grew = true;
    let visited = difference::visit(&objects, Some(old), Some(new), |result| {
        let package = packages.name_of(&objects, &result.package)?;
        match (result.old, result.new, package) {
            (None, Some(_), Some(package)) => {
                growth.added.entry(package).or_default().push(result.key);
            }
            (Some(old), Some(new), Some(package)) if same_but_files(&objects, old, new)? => {
                growth.attached.entry(package).or_default().push(result.key);
            }
            _ => only_grew = false,
        }
        Ok::<(), StoreError>(())
    });
    match visited {
        Ok(hidden) => Ok(Some(growth).filter(|_| only_grew && hidden.is_empty())),
        // What was there before cannot be told any more.
        Err(StoreError::Damaged { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether the folders of a result differ in nothing but uploaded files.
fn same_but_files(objects: &Objects<'_>, old: ObjectId, new: ObjectId) -> Result<bool, Unreadable> {
    let own = |id| -> Result<Vec<(String, ObjectId)>, Unreadable> {
        let entries = objects.folder(id)?.into_iter();
        let own = entries.filter(|entry| entry.name != ARTIFACTS);
        Ok(own.map(|entry| (entry.name, entry.id)).collect())
    };
    Ok(own(old)? == own(new)?)
}
