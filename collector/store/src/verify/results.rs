//! Whether every result can be read, is where it belongs, and has a key of its own.

use std::collections::HashMap;

use pony_formats::ResultKey;

use super::Findings;
use crate::layout::{FolderName, key_at, package_at};
use crate::objects::{Entry, Objects};
use crate::{Snapshot, StoreError};

/// The folders below that of a package: year, month, day and the result.
const DEPTH_MAX: usize = 4;

pub(super) fn check(snapshot: &Snapshot, findings: &mut Findings) -> Result<(), StoreError> {
    let mut packages: HashMap<ResultKey, String> = HashMap::new();
    for package in snapshot.packages()? {
        for key in snapshot.results(&package)? {
            findings.checked.results += 1;
            match snapshot.read(&package, key) {
                Ok(Some(_)) => {}
                Ok(None) => findings.damaged(format!("result {key}"), "listed, but not there"),
                Err(error) => findings.found(error)?,
            }
            if let Some(other) = packages.insert(key, package.clone()) {
                let reason = format!("packages {other:?} and {package:?} both have it");
                findings.damaged(format!("result {key}"), reason);
            }
        }
    }
    let repo = snapshot.repository();
    let objects = Objects::new(&repo);
    for entry in objects.folder(snapshot.tree())? {
        if entry.is_folder && !matches!(package_at(&entry.name), FolderName::Foreign) {
            find_misplaced(&objects, entry, findings)?;
        }
    }
    Ok(())
}

/// Receipts in folders that are no result's: nobody finds them there.
fn find_misplaced(
    objects: &Objects<'_>,
    package: Entry,
    findings: &mut Findings,
) -> Result<(), StoreError> {
    let mut waiting = vec![(package.name.clone(), String::new(), package.id, 0)];
    while let Some((path, below, id, depth)) = waiting.pop() {
        let entries = match objects.folder(id) {
            Ok(entries) => entries,
            // Found damaged already.
            Err(error) if error.is_damage() => continue,
            Err(error) => return Err(error.into()),
        };
        let is_result = key_at(&below).is_some();
        let has_receipt = entries.iter().any(|entry| entry.name == pony_formats::record::RECEIPT);
        if has_receipt && !is_result {
            findings.damaged(format!("folder `{path}`"), "holds a result that is not of there");
        }
        if depth == DEPTH_MAX {
            continue;
        }
        for entry in entries.into_iter().filter(|entry| entry.is_folder) {
            let below = if below.is_empty() {
                entry.name.clone()
            } else {
                format!("{below}/{}", entry.name)
            };
            waiting.push((format!("{path}/{}", entry.name), below, entry.id, depth + 1));
        }
    }
    Ok(())
}
