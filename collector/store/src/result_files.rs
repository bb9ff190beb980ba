//! The files of one result, whatever strangers have put there.

use gix::ObjectId;
use pony_formats::ResultKey;
use pony_formats::record::Files;

use crate::StoreError;
use crate::layout::{ARTIFACTS, RESULT_BYTES_MAX};
use crate::objects::{Objects, Unreadable};

/// How deep files lie in the folder of a result: `steps/00/output.txt`.
const DEPTH_MAX: usize = 3;

/// What errors call a result.
pub(crate) fn subject(key: ResultKey) -> String {
    format!("result {key}")
}

/// Somebody may have copied a result's files elsewhere by hand: it would be shown twice.
pub(crate) fn check_identity(
    package: &str,
    key: ResultKey,
    found_package: &str,
    found_key: ResultKey,
) -> Result<(), StoreError> {
    if (package, key) == (found_package, found_key) {
        return Ok(());
    }
    let reason = format!("its files are those of result {found_key} of package {found_package:?}");
    Err(StoreError::Damaged { subject: subject(key), reason })
}

/// The wanted files of a result's folder. Bounded in depth and size, as folders can hold
/// one another many times.
pub(crate) fn read_files(
    objects: &Objects<'_>,
    folder: ObjectId,
    key: ResultKey,
    wanted: impl Fn(&str) -> bool,
) -> Result<Files, StoreError> {
    let damaged = |error: Unreadable| error.in_subject(subject(key));
    let mut files = Files::new();
    let mut folders = vec![(String::new(), folder, 1)];
    let mut bytes = 0;
    while let Some((prefix, id, depth)) = folders.pop() {
        for entry in objects.folder(id).map_err(damaged)? {
            let path = format!("{prefix}{}", entry.name);
            // Counts what a name costs as well: a folder may hold millions of empty files.
            bytes += path.len();
            if !entry.is_folder && wanted(&path) {
                let content = objects.file(entry.id).map_err(damaged)?;
                bytes += content.len();
                files.insert(path, content);
            } else if entry.is_folder && depth < DEPTH_MAX && path != ARTIFACTS {
                folders.push((format!("{path}/"), entry.id, depth + 1));
            }
            if bytes > RESULT_BYTES_MAX {
                let reason = format!("it is larger than {RESULT_BYTES_MAX} bytes");
                return Err(StoreError::Damaged { subject: subject(key), reason });
            }
        }
    }
    Ok(files)
}
