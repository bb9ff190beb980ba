//! Walking the folders of packages: which packages there are, and which results each has.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::{Mutex, PoisonError};

use gix::ObjectId;
use pony_formats::ResultKey;
use pony_formats::names::tree_component;
use serde::Deserialize;

use crate::StoreError;
use crate::layout::{FolderName, is_date_part, key_at, package_at};
use crate::objects::{Entry, Objects, Unreadable};
use crate::uses::Uses;

/// The true names behind folders whose names had to be shortened. They never change, so one look is enough
/// for the life of a store.
#[derive(Debug, Default)]
pub(crate) struct Packages {
    shortened: Mutex<BTreeMap<String, String>>,
}

/// What is needed of `client_info.json`.
#[derive(Deserialize)]
struct PackageName {
    package: String,
}

impl Packages {
    /// The true names of all packages that have a result, sorted.
    pub(crate) fn all(
        &self,
        objects: &Objects<'_>,
        root: ObjectId,
    ) -> Result<Vec<String>, StoreError> {
        let mut names = Vec::new();
        for entry in objects.folder(root)? {
            if newest_key(objects, &entry)?.is_some()
                && let Some(name) = self.name_of(objects, &entry)?
            {
                names.push(name);
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    /// The true name of the package of a top folder; `None` when the folder is no package's.
    pub(crate) fn name_of(
        &self,
        objects: &Objects<'_>,
        entry: &Entry,
    ) -> Result<Option<String>, StoreError> {
        match package_at(&entry.name) {
            FolderName::Package(name) => return Ok(Some(name)),
            FolderName::Foreign => return Ok(None),
            FolderName::Shortened => {}
        }
        let known = |packages: &Self| {
            let names = packages.shortened.lock().unwrap_or_else(PoisonError::into_inner);
            names.get(&entry.name).cloned()
        };
        if let Some(name) = known(self) {
            return Ok(Some(name));
        }
        let name = name_in_results(objects, entry)?;
        if let Some(name) = &name {
            let mut names = self.shortened.lock().unwrap_or_else(PoisonError::into_inner);
            names.insert(entry.name.clone(), name.clone());
        }
        Ok(name)
    }
}

/// Looks at the results, newest first, until one knows the name.
fn name_in_results(objects: &Objects<'_>, package: &Entry) -> Result<Option<String>, StoreError> {
    let mut found = None;
    visit_results(objects, package.id, |_, folder| {
        let client_info = match objects.find(folder, "client_info.json") {
            Ok(Some(entry)) if !entry.is_folder => objects.file(entry.id).ok(),
            _ => None,
        };
        found = client_info
            .and_then(|text| serde_json::from_slice(&text).ok())
            .map(|PackageName { package }| package)
            .filter(|name| tree_component(name) == package.name);
        if found.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    Ok(found)
}

/// The newest result in a top folder; `None` when there is none.
pub(crate) fn newest_key(
    objects: &Objects<'_>,
    package: &Entry,
) -> Result<Option<ResultKey>, Unreadable> {
    let mut newest = None;
    if package.is_folder {
        visit_results(objects, package.id, |key, _| {
            newest = Some(key);
            ControlFlow::Break(())
        })?;
    }
    Ok(newest)
}

/// The keys of all results of a package, oldest first.
pub(crate) fn keys(objects: &Objects<'_>, package: ObjectId) -> Result<Vec<ResultKey>, Unreadable> {
    let mut keys = Vec::new();
    visit_results(objects, package, |key, _| {
        keys.push(key);
        ControlFlow::Continue(())
    })?;
    keys.reverse();
    Ok(keys)
}

/// The folders of packages, years, months and days that cannot be read, one error each.
pub(crate) fn damage(objects: &Objects<'_>, root: ObjectId) -> Result<Vec<StoreError>, Unreadable> {
    let mut damage = Vec::new();
    for entry in objects.folder(root)? {
        if entry.is_folder && !matches!(package_at(&entry.name), FolderName::Foreign) {
            let found = visit_results(objects, entry.id, |_, _| ControlFlow::Continue(()))?;
            let subject = format!("folder `{}`", entry.name);
            damage.extend(found.into_iter().map(|error| error.in_subject(&subject)));
        }
    }
    Ok(damage)
}

/// Visits the folders of a package's results, newest first. Returns the folders that it had to pass over.
pub(crate) fn visit_results(
    objects: &Objects<'_>,
    package: ObjectId,
    mut visit: impl FnMut(ResultKey, ObjectId) -> ControlFlow<()>,
) -> Result<Vec<Unreadable>, Unreadable> {
    let (mut damage, mut uses) = (Vec::new(), Uses::default());
    for year in dates(objects, package, 4, &mut damage, &mut uses)? {
        for month in dates(objects, year.id, 2, &mut damage, &mut uses)? {
            for day in dates(objects, month.id, 2, &mut damage, &mut uses)? {
                let results = objects.folder_or_note(day.id, &mut damage)?;
                for result in results.into_iter().rev().filter(|entry| entry.is_folder) {
                    let path = [&*year.name, &*month.name, &*day.name, &*result.name].join("/");
                    if let Some(key) = key_at(&path)
                        && visit(key, result.id).is_break()
                    {
                        return Ok(damage);
                    }
                }
            }
        }
    }
    Ok(damage)
}

/// The folders that are a year's, month's or day's, newest first.
fn dates(
    objects: &Objects<'_>,
    id: ObjectId,
    digits: usize,
    damage: &mut Vec<Unreadable>,
    uses: &mut Uses,
) -> Result<Vec<Entry>, Unreadable> {
    let mut entries = objects.folder_or_note(id, damage)?;
    entries.reverse();
    entries.retain(|entry| {
        entry.is_folder
            && is_date_part(&entry.name, digits)
            && uses.allow(entry.id, |error| damage.push(error))
    });
    Ok(entries)
}
