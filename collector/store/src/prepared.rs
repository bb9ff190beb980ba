//! [`Prepared`]: all of a submission's way into git that needs neither the repository nor the clock.

use std::collections::BTreeMap;
use std::path::Path;

use gix::ObjectId;
use gix::objs::Kind;
use gix::objs::tree::EntryKind;
use jiff::Timestamp;
use pony_formats::record::{self, Files};
use pony_formats::{Receipt, ResultKey, Submission};

use crate::error::one_line;
use crate::layout::{ARTIFACTS, HASH, RESULT_BYTES_MAX};
use crate::message::ResultMessage;
use crate::pack::{Deflater, Packed};
use crate::tree;
use crate::{Action, Artifact, StoreError};

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
    /// What was sent, where this is less.
    sent: Option<Identity>,
}

/// Tells the content of a submission from that of any other: the name that git gives to the folder with its files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity(ObjectId);

impl Identity {
    /// That of all of a submission. Blocks only the processor.
    ///
    /// # Errors
    /// None that can be expected.
    pub fn of(submission: &Submission) -> Result<Self, StoreError> {
        let files = record::encode_submission(submission);
        let folder = folder_of(&files, |_, kind, content| object_id(kind, content))?;
        Self::of_folder(&folder)
    }

    /// That of a result, by its folder as git stores it. The receipt does not count, and neither does what was
    /// uploaded, then or later.
    fn of_folder(folder: &[u8]) -> Result<Self, StoreError> {
        let is_submitted =
            |name: &[u8]| name != record::RECEIPT.as_bytes() && name != ARTIFACTS.as_bytes();
        let mut submitted = Vec::with_capacity(folder.len());
        for entry in tree::entries(folder) {
            let entry = entry.map_err(|error| StoreError::Damaged {
                subject: "folder of a result".to_owned(),
                reason: one_line(&error),
            })?;
            if is_submitted(entry.name) {
                submitted.extend_from_slice(entry.bytes);
            }
        }
        object_id(Kind::Tree, &submitted).map(Self)
    }
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
        let folder = folder_of(files, |path, kind, content| {
            let object = Packed::full(deflater, kind, content)?;
            let id = object.id;
            let place = if record::is_often_equal(path) { &mut shared } else { &mut objects };
            place.push(object);
            Ok(id)
        })?;
        let package = submission.client_info.package().to_owned();
        let message = ResultMessage::of(submission);
        Ok(Self { package, message, folder, objects, shared, sent: None })
    }

    /// Records files beside the result, in the same commit. Their content is in [`Contents`](crate::Contents)
    /// already. `time` becomes the name of the records.
    ///
    /// # Errors
    /// None that can be expected.
    #[must_use = "this returns the submission with its files"]
    pub fn with_artifacts(
        mut self,
        time: Timestamp,
        artifacts: &[Artifact],
    ) -> Result<Self, StoreError> {
        if artifacts.is_empty() {
            return Ok(self);
        }
        let mut deflater = Deflater::new();
        let mut folder = Vec::new();
        let mut name = ResultKey::new(time, 0);
        for artifact in artifacts {
            let record = Packed::full(&mut deflater, Kind::Blob, artifact.to_text()?.as_bytes())?;
            set(&mut folder, &format!("{name}.json"), EntryKind::Blob, record.id)?;
            self.objects.push(record);
            name = name.next();
        }
        let folder = Packed::full(&mut deflater, Kind::Tree, &folder)?;
        set(&mut self.folder, ARTIFACTS, EntryKind::Tree, folder.id)?;
        self.objects.push(folder);
        Ok(self)
    }

    /// Says that it stands for more than it holds: for what was sent, before it was shortened. Another that stands
    /// for the same is the same submission, however much of it is stored.
    #[must_use = "this returns the submission"]
    pub fn standing_for(self, sent: Identity) -> Self {
        Self { sent: Some(sent), ..self }
    }

    /// What the receipt has to say of what was sent.
    pub(crate) fn sent(&self) -> Option<String> {
        self.sent.map(|Identity(id)| id.to_string())
    }

    /// Whether it is the same submission as another.
    pub(crate) fn is_same_as(&self, other: &Self) -> Result<bool, StoreError> {
        Ok(self.identity()? == other.identity()?)
    }

    /// Whether a stored result, given its folder as git stores it and what its receipt says of what was sent, is
    /// of the same submission.
    pub(crate) fn is_stored_as(
        &self,
        folder: &[u8],
        sent: Option<&str>,
    ) -> Result<bool, StoreError> {
        let sent = sent.and_then(|name| name.parse().ok()).map(Identity);
        let stored = sent.map_or_else(|| Identity::of_folder(folder), Ok)?;
        Ok(self.identity()? == stored)
    }

    fn identity(&self) -> Result<Identity, StoreError> {
        self.sent.map_or_else(|| Identity::of_folder(&self.folder), Ok)
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

/// The folder of these files, as git stores it. `name` is given the files and the folders in it, each with its path,
/// and says which object it is.
fn folder_of(
    files: &Files,
    mut name: impl FnMut(&str, Kind, &[u8]) -> Result<ObjectId, StoreError>,
) -> Result<Vec<u8>, StoreError> {
    let mut folders = BTreeMap::from([("", Vec::new())]);
    for (path, content) in files {
        put(&mut folders, path, EntryKind::Blob, name(path, Kind::Blob, content)?)?;
    }
    // A folder sorts after the one that it is in, so the result's own comes last.
    while let Some((path, content)) = folders.pop_last() {
        if path.is_empty() {
            return Ok(content);
        }
        put(&mut folders, path, EntryKind::Tree, name(path, Kind::Tree, &content)?)?;
    }
    Ok(Vec::new())
}

fn object_id(kind: Kind, content: &[u8]) -> Result<ObjectId, StoreError> {
    gix::objs::compute_hash(HASH, kind, content)
        .map_err(StoreError::gix(Action::Hash, Path::new("a submission")))
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
