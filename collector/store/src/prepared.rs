//! [`Prepared`]: all of a submission's way into git that needs neither the repository nor the clock.

use std::collections::BTreeMap;

use gix::ObjectId;
use gix::objs::Kind;
use gix::objs::tree::EntryKind;
use pony_formats::record::{self, Files};
use pony_formats::{Receipt, Submission};

use crate::StoreError;
use crate::error::one_line;
use crate::layout::{ARTIFACTS, RESULT_BYTES_MAX};
use crate::message::ResultMessage;
use crate::pack::{Deflater, Packed};
use crate::tree;

/// A submission made ready to be appended: written out, compressed and named, but for its receipt.
///
/// Making it is most of the work of storing a result and touches nothing that is shared, so threads that
/// receive submissions do it at the same time, before they wait for the [`Writer`](crate::Writer).
#[derive(Debug, Clone)]
pub struct Prepared {
    pub(crate) package: String,
    pub(crate) message: ResultMessage,
    /// The folder of the result, as git stores it, without the receipt.
    pub(crate) folder: Vec<u8>,
    /// Its files and the folders in it.
    pub(crate) objects: Vec<Packed>,
    /// Those of its files that other results are likely to have as well.
    pub(crate) shared: Vec<Packed>,
}

impl Prepared {
    /// Makes a submission ready. Blocks only the processor.
    ///
    /// # Errors
    /// [`StoreError::TooLarge`] for one that is never stored.
    pub fn new(submission: &Submission) -> Result<Self, StoreError> {
        Self::of_files(submission, &record::encode_submission(submission))
    }

    /// The same when the files that the submission becomes are at hand:
    /// what [`record::encode_submission`] makes of it.
    ///
    /// # Errors
    /// [`StoreError::TooLarge`].
    pub fn of_files(submission: &Submission, files: &Files) -> Result<Self, StoreError> {
        let bytes = files.iter().map(|(path, content)| path.len() + content.len()).sum();
        if bytes > RESULT_BYTES_MAX {
            return Err(StoreError::TooLarge { bytes, max: RESULT_BYTES_MAX });
        }
        Deflater::with(|deflater| Self::of_checked(submission, files, deflater))
    }

    fn of_checked(
        submission: &Submission,
        files: &Files,
        deflater: &mut Deflater,
    ) -> Result<Self, StoreError> {
        let (mut objects, mut shared) = (Vec::with_capacity(files.len() + 2), Vec::new());
        let mut folders = BTreeMap::from([("", Vec::new())]);
        for (path, content) in files {
            let blob = Packed::full(deflater, Kind::Blob, content)?;
            put(&mut folders, path, EntryKind::Blob, blob.id)?;
            let place = if record::is_often_equal(path) { &mut shared } else { &mut objects };
            place.push(blob);
        }
        let mut folder = Vec::new();
        // A folder sorts after the one that it is in, so the result's own comes last.
        while let Some((path, content)) = folders.pop_last() {
            if path.is_empty() {
                folder = content;
                break;
            }
            let inner = Packed::full(deflater, Kind::Tree, &content)?;
            put(&mut folders, path, EntryKind::Tree, inner.id)?;
            objects.push(inner);
        }
        let package = submission.client_info.package().to_owned();
        Ok(Self { package, message: ResultMessage::of(submission), folder, objects, shared })
    }

    /// Whether a stored result, given its folder as git stores it, is of the same submission. What was
    /// uploaded later does not count.
    pub(crate) fn is_stored_as(&self, folder: &[u8]) -> bool {
        let is_submitted =
            |name: &[u8]| name != record::RECEIPT.as_bytes() && name != ARTIFACTS.as_bytes();
        let stored = tree::entries(folder)
            .filter(|entry| entry.is_err() || entry.is_ok_and(|entry| is_submitted(entry.name)))
            .map(|entry| entry.map(|entry| entry.bytes));
        stored.eq(tree::entries(&self.folder).map(|entry| entry.map(|entry| entry.bytes)))
    }

    /// Bytes that it takes in a pack.
    pub(crate) fn packed_bytes(&self) -> usize {
        self.objects.iter().chain(&self.shared).map(|object| object.deflated.len()).sum()
    }

    /// The receipt's object, and the folder of the result with it.
    pub(crate) fn with_receipt(
        &self,
        receipt: &Receipt,
        deflater: &mut Deflater,
    ) -> Result<[Packed; 2], StoreError> {
        let (name, content) = record::encode_receipt(receipt);
        let receipt = Packed::full(deflater, Kind::Blob, &content)?;
        let mut folder = self.folder.clone();
        set(&mut folder, name, EntryKind::Blob, receipt.id)?;
        Ok([receipt, Packed::full(deflater, Kind::Tree, &folder)?])
    }
}

/// Puts an entry into the folder that its path names.
fn put<'p>(
    folders: &mut BTreeMap<&'p str, Vec<u8>>,
    path: &'p str,
    kind: EntryKind,
    id: ObjectId,
) -> Result<(), StoreError> {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    // Also those above it.
    let mut above = folder;
    while let Some((upper, _)) = above.rsplit_once('/') {
        folders.entry(upper).or_default();
        above = upper;
    }
    set(folders.entry(folder).or_default(), name, kind, id)
}

fn set(tree: &mut Vec<u8>, name: &str, kind: EntryKind, id: ObjectId) -> Result<(), StoreError> {
    tree::set(tree, name.as_bytes(), kind, id).map_err(|error| StoreError::Damaged {
        subject: format!("folder with `{name}`"),
        reason: one_line(&error),
    })
}
