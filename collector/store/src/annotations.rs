//! What people say of results afterwards: files in the folder `annotations`, in the root of the tree. Results stay
//! as they are. What the files mean is for whoever shows results.

use crate::layout::ANNOTATIONS;
use crate::objects::{Entry, Objects, Unreadable};
use crate::{Snapshot, StoreError};

/// Files that are read: more are for no page.
const FILES_MAX: usize = 1_000;

/// Bytes of all of them together.
const BYTES_MAX: u64 = 4 * 1024 * 1024;

/// A file of annotations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnnotationFile {
    /// From the root of the tree: `annotations/known.toml`; `annotations` when the folder itself is damaged.
    pub path: String,
    /// What is in it.
    pub content: Result<Vec<u8>, NotRead>,
}

/// Why a file of annotations was not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotRead {
    /// What was stored cannot be read back.
    #[error("damaged: {0}")]
    Damaged(String),
    /// The files of the folder would be more than 4 MiB with this one.
    #[error(
        "not read: it has {bytes} bytes, and all annotations together may have {}: make it smaller",
        BYTES_MAX
    )]
    TooLarge {
        /// Its size in bytes.
        bytes: u64,
    },
    /// There are a thousand files before it.
    #[error("not read, like all files after it: there are more than {} of them", FILES_MAX)]
    TooMany,
}

impl Snapshot {
    /// The files that lie in `annotations/` and are called `….toml`, by name. Of a file that is damaged, or is beyond
    /// what is read (a thousand files, 4 MiB together), the reason is returned.
    ///
    /// # Errors
    /// When the root of the tree is damaged, or the system refuses to read.
    pub fn annotations(&self) -> Result<Vec<AnnotationFile>, StoreError> {
        let repo = self.repository();
        let objects = Objects::new(&repo);
        let folder = objects.find(self.tree(), ANNOTATIONS)?.filter(|entry| entry.is_folder);
        let Some(folder) = folder else { return Ok(vec![]) };
        let entries = match unless_damaged(objects.folder(folder.id))? {
            Ok(entries) => entries,
            Err(damage) => {
                return Ok(vec![AnnotationFile { path: ANNOTATIONS.into(), content: Err(damage) }]);
            }
        };
        let is_ours = |entry: &Entry| !entry.is_folder && entry.name.ends_with(".toml");
        let (mut files, mut bytes) = (Vec::new(), 0);
        for entry in entries.into_iter().filter(is_ours) {
            let path = format!("{ANNOTATIONS}/{}", entry.name);
            if files.len() == FILES_MAX {
                files.push(AnnotationFile { path, content: Err(NotRead::TooMany) });
                break;
            }
            // Without a header there is nothing to read either, and reading says why.
            let size = repo.find_header(entry.id).map_or(0, |header| header.size());
            let content = match bytes + size > BYTES_MAX {
                true => Err(NotRead::TooLarge { bytes: size }),
                false => unless_damaged(objects.file(entry.id))?,
            };
            bytes += content.as_ref().map_or(0, |content| content.len() as u64);
            files.push(AnnotationFile { path, content });
        }
        Ok(files)
    }
}

/// Damage is told beside what is sound; what may pass is an error.
fn unless_damaged<T>(read: Result<T, Unreadable>) -> Result<Result<T, NotRead>, StoreError> {
    match read {
        Ok(read) => Ok(Ok(read)),
        Err(error) if error.is_damage() => Ok(Err(NotRead::Damaged(error.to_string()))),
        Err(error) => Err(error.into()),
    }
}
