//! Which results are moved.

use std::ops::ControlFlow;

use gix::ObjectId;
use jiff::civil::Date;
use jiff::tz::Offset;
use pony_formats::ResultKey;

use crate::layout::{FolderName, key_folder, package_at};
use crate::objects::Objects;
use crate::packages::visit_results;
use crate::{Snapshot, StoreError};

/// A result that is moved.
#[derive(Debug, Clone)]
pub(super) struct Moved {
    pub(super) package: String,
    pub(super) key: ResultKey,
    /// Of its folder, from the root.
    pub(super) path: String,
    /// Its folder.
    pub(super) tree: ObjectId,
}

/// The results of earlier days, the oldest first.
pub(super) fn before(
    snapshot: &Snapshot,
    repo: &gix::Repository,
    before: Date,
) -> Result<Vec<Moved>, StoreError> {
    let objects = Objects::new(repo);
    let mut moved = Vec::new();
    for entry in objects.folder(snapshot.tree())? {
        if !entry.is_folder || matches!(package_at(&entry.name), FolderName::Foreign) {
            continue;
        }
        let mut found = Vec::new();
        let damage = visit_results(&objects, entry.id, |key, folder| {
            if Offset::UTC.to_datetime(key.time()).date() < before {
                found.push((key, folder));
            }
            ControlFlow::Continue(())
        })?;
        let subject = format!("folder `{}`", entry.name);
        if let Some(error) = damage.into_iter().next() {
            return Err(error.in_subject(subject));
        }
        if found.is_empty() {
            continue;
        }
        let package = snapshot.package_in(&entry)?.ok_or_else(|| StoreError::Damaged {
            subject,
            reason: "no result in it tells its package".to_owned(),
        })?;
        moved.extend(found.into_iter().map(|(key, tree)| {
            let path = format!("{}/{}", entry.name, key_folder(key));
            Moved { package: package.clone(), key, path, tree }
        }));
    }
    moved.sort_by_key(|result| result.key);
    Ok(moved)
}
