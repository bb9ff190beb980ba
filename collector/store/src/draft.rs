//! [`Draft`]: what is to be written becomes commits of a batch: keys are given, and what arrived before is
//! recognised.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use gix::objs::Kind;
use gix::objs::tree::EntryKind;
use jiff::{SignedDuration, Timestamp};
use pony_formats::{Receipt, ResultKey, SubmissionId, json};

use crate::batch::Batch;
use crate::layout::{ARTIFACTS, BRANCH, artifact_file, result_folder};
use crate::pack::Packed;
use crate::writer::{Write, Written};
use crate::{Arrival, Artifact, CommitId, IndexEntry, Prepared, StoreError, message, tree};

/// What makes two runs differ.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Source {
    /// The system's clock, and random salts for keys.
    System,
    /// Always the same, for [`Writer::reproducible`].
    Fixed { now: Timestamp, salt: u32 },
}

/// The result of a submission with some id.
pub(crate) enum Known<'w> {
    Stored(IndexEntry),
    /// Of this batch.
    Drafted {
        prepared: &'w Prepared,
        written: Written,
    },
}

/// Where keys come from.
pub(crate) struct Keys {
    pub(crate) source: Source,
    /// The greatest key of a result that is taken.
    pub(crate) last: Option<ResultKey>,
}

impl Keys {
    /// A key for the time, greater than `last`.
    fn next(&self, time: Timestamp, last: Option<ResultKey>) -> Result<ResultKey, StoreError> {
        let salt = match self.source {
            Source::System => random_salt(),
            Source::Fixed { salt, .. } => salt,
        };
        let key = ResultKey::new(time, salt);
        let Some(last) = last.filter(|last| *last >= key) else {
            return Ok(key);
        };
        // The next millisecond rather than the next number: two repositories that continue the same
        // history with a slow clock must not choose the same keys.
        let later = last.time().saturating_add(SignedDuration::from_millis(1));
        let key = ResultKey::new(later.unwrap_or(last.time()), salt);
        if key > last {
            return Ok(key);
        }
        Err(StoreError::Damaged {
            subject: format!("result {last}"),
            reason: "its key is the last there can be: remove the commit that added it".to_owned(),
        })
    }

    fn now(&self) -> Timestamp {
        match self.source {
            Source::System => Timestamp::now(),
            Source::Fixed { now, .. } => now,
        }
    }
}

/// A batch, and the keys that are taken in it.
pub(crate) struct Draft<'b> {
    pub(crate) batch: Batch<'b>,
    pub(crate) keys: Keys,
    pub(crate) known: HashMap<&'b SubmissionId, Known<'b>>,
}

impl<'b> Draft<'b> {
    /// Makes a commit of it.
    pub(crate) fn add(&mut self, write: &Write<'b>) -> Result<Written, StoreError> {
        match write {
            Write::Result { prepared, arrival } => self.add_result(prepared, arrival),
            Write::Artifact { package, key, artifact } => {
                let commit_id = self.add_artifact(package, *key, artifact)?;
                Ok(Written { commit_id, receipt: None })
            }
        }
    }

    fn add_result(
        &mut self,
        prepared: &'b Prepared,
        arrival: &'b Arrival,
    ) -> Result<Written, StoreError> {
        if let Some(written) = self.find_again(prepared, arrival)? {
            return Ok(written);
        }
        // Of years that jiff knows: cannot fail.
        let received = Timestamp::from_millisecond(arrival.time.as_millisecond());
        let key = self.keys.next(arrival.time, self.keys.last)?;
        let receipt = Receipt {
            key,
            number: arrival.number,
            received: received.unwrap_or(arrival.time),
            submission_id: arrival.submission_id.clone(),
            // Nothing else is recognised.
            sent: arrival.submission_id.as_ref().and_then(|_| prepared.sent()),
            client: arrival.client.clone(),
            client_ip: arrival.client_ip.clone(),
            flags: arrival.flags.clone(),
        };
        let [file, folder] = prepared.with_receipt(&receipt, &mut self.batch.deflater)?;
        let path = result_folder(&prepared.package, key);
        let entry = (EntryKind::Tree, folder.id);
        let message = prepared.message.with_key(key);
        let commit = self.batch.commit(&path, entry, &message, arrival.time.as_second())?;
        self.batch.add(Cow::Owned(file));
        self.batch.add(Cow::Owned(folder));
        prepared.objects.iter().for_each(|object| self.batch.add(Cow::Borrowed(object)));
        prepared.shared.iter().for_each(|object| self.batch.add_shared(Cow::Borrowed(object)));
        self.keys.last = Some(key);
        let written = Written { commit_id: CommitId::new(commit), receipt: Some(receipt) };
        if let Some(id) = &arrival.submission_id {
            self.known.insert(id, Known::Drafted { prepared, written: written.clone() });
        }
        Ok(written)
    }

    /// What has become of a submission that arrived before.
    fn find_again(
        &mut self,
        prepared: &Prepared,
        arrival: &Arrival,
    ) -> Result<Option<Written>, StoreError> {
        let Some(id) = &arrival.submission_id else { return Ok(None) };
        let (written, is_same) = match self.known.get(id) {
            None => return Ok(None),
            Some(Known::Drafted { prepared: earlier, written }) => {
                (written.clone(), prepared.is_same_as(earlier)?)
            }
            Some(Known::Stored(entry)) => {
                let commit_id = CommitId::new(self.batch.head().commit.ok_or_else(gone)?);
                let receipt = Some(entry.receipt.clone());
                let path = result_folder(entry.package(), entry.key());
                let (folder, _) = self.batch.find(&path)?.ok_or_else(gone)?;
                let stored = self.batch.folder(folder)?;
                let is_same = prepared.is_stored_as(&stored, entry.receipt.sent.as_deref())?;
                (Written { commit_id, receipt }, is_same)
            }
        };
        match &written.receipt {
            // The receipt is of whoever submitted it, and gives the right to add files.
            Some(receipt) if !is_same || receipt.client != arrival.client => {
                Err(StoreError::SubmissionIdTaken { id: id.clone(), key: receipt.key })
            }
            _ => Ok(Some(written)),
        }
    }

    fn add_artifact(
        &mut self,
        package: &str,
        key: ResultKey,
        artifact: &Artifact,
    ) -> Result<CommitId, StoreError> {
        let content = serde_json::to_value(artifact).map_err(|error| StoreError::Damaged {
            subject: format!("artifact of result {key}"),
            reason: error.to_string(),
        })?;
        let file = json::pretty(&content);
        let file = Packed::full(&mut self.batch.deflater, Kind::Blob, file.as_bytes())?;
        let found = self.batch.find(&result_folder(package, key))?;
        if !found.is_some_and(|(_, is_folder)| is_folder) {
            return Err(StoreError::NoSuchResult { package: package.to_owned(), key });
        }
        let now = self.keys.now();
        let last = self.last_artifact(package, key)?;
        let name = self.keys.next(now, last)?;
        let path = artifact_file(package, key, name);
        let message = message::of_artifact(package, key, artifact);
        let entry = (EntryKind::Blob, file.id);
        let commit = self.batch.commit(&path, entry, &message, now.as_second())?;
        self.batch.add(Cow::Owned(file));
        Ok(CommitId::new(commit))
    }

    /// The greatest name of the files that are recorded beside a result.
    fn last_artifact(
        &mut self,
        package: &str,
        key: ResultKey,
    ) -> Result<Option<ResultKey>, StoreError> {
        let path = format!("{}/{ARTIFACTS}", result_folder(package, key));
        let Some((id, true)) = self.batch.find(&path)? else { return Ok(None) };
        let folder = self.batch.folder(id)?;
        let names = tree::entries(&folder).flatten().map(|entry| entry.name);
        let names = names.filter_map(|name| std::str::from_utf8(name).ok());
        Ok(names.filter_map(|name| name.strip_suffix(".json")?.parse().ok()).max())
    }
}

pub(crate) fn gone() -> StoreError {
    StoreError::Damaged { subject: format!("branch {BRANCH}"), reason: "it is gone".to_owned() }
}

/// The standard library seeds its hash maps from the system's random numbers: enough to keep apart keys
/// of one millisecond, and nothing secret depends on it.
fn random_salt() -> u32 {
    RandomState::new().hash_one(()) as u32
}
