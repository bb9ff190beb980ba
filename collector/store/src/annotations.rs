//! What people say of results afterwards: files in the folder `annotations`, in the root of the tree. Results stay
//! as they are. What the files mean is for whoever shows results.

use crate::layout::ANNOTATIONS;
use crate::objects::Objects;
use crate::{Snapshot, StoreError};

/// Files that are read: more are for no page.
const FILES_MAX: usize = 1_000;

/// Bytes of all of them together.
const BYTES_MAX: usize = 4 * 1024 * 1024;

/// A file of annotations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnnotationFile {
    /// From the root of the tree: `annotations/known.toml`.
    pub path: String,
    /// What is in it; or why it was not read.
    pub content: Result<Vec<u8>, String>,
}

impl Snapshot {
    /// The files that lie in `annotations/` and are called `….toml`, by name. Of a file that cannot be read, or is beyond what is read (a thousand files,
    /// 4 MiB), the reason is returned.
    ///
    /// # Errors
    /// When the repository cannot be read.
    pub fn annotations(&self) -> Result<Vec<AnnotationFile>, StoreError> {
        let repo = self.repository();
        let objects = Objects::new(&repo);
        let folder = objects.find(self.tree(), ANNOTATIONS)?.filter(|entry| entry.is_folder);
        let Some(folder) = folder else { return Ok(vec![]) };
        let (mut files, mut bytes) = (Vec::new(), 0);
        for entry in objects.folder(folder.id)? {
            if entry.is_folder || !entry.name.ends_with(".toml") {
                continue;
            }
            let content = if files.len() >= FILES_MAX || bytes > BYTES_MAX {
                Err("not read: there are too many annotations".to_owned())
            } else {
                let read = objects.file(entry.id);
                read.map_err(|error| error.in_subject(&entry.name).to_string())
            };
            bytes += content.as_ref().map_or(0, Vec::len);
            let is_last = files.len() >= FILES_MAX;
            files.push(AnnotationFile { path: format!("{ANNOTATIONS}/{}", entry.name), content });
            if is_last {
                break;
            }
        }
        Ok(files)
    }
}
