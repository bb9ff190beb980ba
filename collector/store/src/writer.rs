//! [`Writer`]: appends results, one commit each, as many at a time as are there.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use pony_formats::{Receipt, ResultKey, Submission, SubmissionId};

use crate::batch::{Batch, Head};
use crate::cache::Cache;
use crate::disk::Disk;
use crate::draft::{Draft, Keys, Known, Source, gone};
use crate::layout::BRANCH;
use crate::lock::WriteLock;
use crate::objects::Objects;
use crate::packages::newest_key;
use crate::publish::{packs, publish};
use crate::reserved::Reserved;
use crate::roll_up::RollUp;
use crate::{Action, Artifact, CommitId, Index, Maintenance, Prepared, Store, StoreError};

/// How often a commit is made anew because somebody pushed meanwhile.
const ATTEMPTS_MAX: usize = 10;

/// What is known of a submission besides its content.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// When it arrived, by the receiver's clock.
    pub time: Timestamp,
    /// The number that a collector gave it.
    pub number: Option<u32>,
    /// What the client calls it, if it does: under one id only one submission is stored.
    pub submission_id: Option<SubmissionId>,
    /// The authenticated name of the client, if it had one.
    pub client: Option<String>,
    /// The client's address; `None` unless configured to be kept.
    pub client_ip: Option<String>,
    /// What was done to it on the way in.
    pub flags: std::collections::BTreeSet<String>,
}

impl Arrival {
    /// An arrival without a name, an address or flags.
    pub fn at(time: Timestamp) -> Self {
        Self {
            time,
            number: None,
            submission_id: None,
            client: None,
            client_ip: None,
            flags: Default::default(),
        }
    }
}

/// A result that is stored for good.
#[derive(Debug, Clone, PartialEq)]
pub struct Appended {
    /// The third bag of the triple.
    pub receipt: Receipt,
    /// A commit that holds it: the one that added it, or a later one when it was there before.
    pub commit_id: CommitId,
}

/// What is to be written: becomes one commit.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Write<'w> {
    Result { prepared: &'w Prepared, arrival: &'w Arrival },
    Artifact { package: &'w str, key: ResultKey, artifact: &'w Artifact },
}

impl<'w> Write<'w> {
    fn submission_id(&self) -> Option<&'w SubmissionId> {
        match self {
            Self::Result { arrival, .. } => arrival.submission_id.as_ref(),
            Self::Artifact { .. } => None,
        }
    }
}

/// What has become of a [`Write`].
#[derive(Debug, Clone)]
pub(crate) struct Written {
    pub(crate) commit_id: CommitId,
    /// That of the result.
    pub(crate) receipt: Option<Receipt>,
}

/// The holder of a repository's write lock. Dropping it gives the lock back.
#[derive(Debug)]
pub struct Writer {
    store: Store,
    repo: gix::Repository,
    disk: Disk,
    head: Head,
    cache: Cache,
    /// The greatest key of a result that is known to be taken.
    last_key: Option<ResultKey>,
    source: Source,
    roll_up: RollUp,
    reserved: Reserved,
    /// Opened when it is needed.
    index: Option<Arc<Index>>,
    /// Last, because it is given back last.
    _lock: WriteLock,
}

impl Writer {
    pub(crate) fn new(
        store: Store,
        repo: gix::Repository,
        lock: WriteLock,
    ) -> Result<Self, StoreError> {
        let mut disk = Disk::default();
        // A writer that was killed may have left names that others see, but a power cut would undo.
        for folder in [packs(&repo), repo.common_dir().join("refs/heads")] {
            disk.sync_folder(&folder)?;
        }
        let mut cache = Cache::new();
        let (head, last_key) = read_head(&Objects::keeping(&repo, &mut cache))?;
        let reserved = Reserved::default();
        let roll_up = RollUp::new(reserved.clone());
        let source = Source::System;
        Ok(Self {
            store,
            repo,
            disk,
            head,
            cache,
            last_key,
            source,
            roll_up,
            reserved,
            index: None,
            _lock: lock,
        })
    }

    /// Fixes what else is different in every run: the clock that [`Writer::attach`] reads, and the random
    /// part of keys. The same calls on equal repositories then make commits with equal ids. For tests: two
    /// writers with equal salts may choose equal keys.
    #[must_use = "this returns the writer"]
    pub fn reproducible(mut self, now: Timestamp, salt: u32) -> Self {
        self.source = Source::Fixed { now, salt };
        self
    }

    /// Maintenance that can go on beside this writer.
    pub fn maintenance(&self) -> Maintenance {
        Maintenance::new(&self.repo, self.reserved.clone())
    }

    /// Stores a submission as one commit. When this returns, the result survives a power cut.
    ///
    /// A submission whose id is that of a stored result is not stored again: its receipt is that of the
    /// result. Without an id each is a result of its own.
    ///
    /// Its key is made from the time of arrival, but is always greater than every key before it: when
    /// the clock goes back, keys run ahead of it. The receipt has the time as it was told, in
    /// milliseconds.
    ///
    /// # Errors
    /// [`StoreError::SubmissionIdTaken`] when the result with its id has other content.
    /// Nothing is stored when this fails, with one exception: after [`StoreError::DiskLost`] it may or may
    /// not be stored.
    /// After any failed sync the writer refuses everything, see [`Writer::is_poisoned`].
    pub fn append(
        &mut self,
        submission: &Submission,
        arrival: &Arrival,
    ) -> Result<Appended, StoreError> {
        let prepared = Prepared::new(submission)?;
        self.append_prepared(&prepared, arrival)
    }

    /// [`Writer::append`] for a submission that was made ready before: the lock is then held for as
    /// short as can be.
    ///
    /// # Errors
    /// As [`Writer::append`].
    pub fn append_prepared(
        &mut self,
        prepared: &Prepared,
        arrival: &Arrival,
    ) -> Result<Appended, StoreError> {
        self.write_one(Write::Result { prepared, arrival })?.into_appended()
    }

    /// Stores many submissions, one commit each in the order in which they are given, and makes them durable
    /// together: that takes as long as it does for one. Returns what has become of each, in the same order.
    ///
    /// All of it is in memory at once, so thousands of submissions should come in several batches.
    ///
    /// # Errors
    /// Of each submission as [`Writer::append`]. One that is refused keeps none of the others from being
    /// stored; what goes wrong with the disk or the branch fails all.
    pub fn append_all(
        &mut self,
        batch: &[(Prepared, Arrival)],
    ) -> Vec<Result<Appended, StoreError>> {
        let writes = batch.iter().map(|(prepared, arrival)| Write::Result { prepared, arrival });
        let outcomes = self.write_all(&writes.collect::<Vec<_>>());
        self.tidy();
        outcomes.into_iter().map(|written| written?.into_appended()).collect()
    }

    /// The index of this repository, brought up to the newest commit: at [`Store::index_path`], or in memory
    /// where no file can be kept. From now on the writer keeps it so, one batch behind.
    ///
    /// # Errors
    /// When the repository cannot be read.
    pub fn index(&mut self) -> Result<Arc<Index>, StoreError> {
        self.refresh()?;
        self.index_at_head()
    }

    fn index_at_head(&mut self) -> Result<Arc<Index>, StoreError> {
        let commit = self.head.commit.ok_or_else(gone)?;
        let snapshot = self.store.snapshot_of(commit, self.head.tree);
        if let Some(index) = &self.index {
            index.update(&snapshot)?;
            return Ok(Arc::clone(index));
        }
        let place = self.store.index_path();
        let folder = place.parent().unwrap_or(&place);
        // Not synced: what is lost of an index is made anew.
        let opened = std::fs::create_dir_all(folder)
            .map_err(StoreError::io(Action::Create, folder))
            .and_then(|()| Index::open(&place, &snapshot));
        let index = match opened {
            Err(StoreError::IndexInUse { .. } | StoreError::Io { .. }) => {
                Index::in_memory(&snapshot)?
            }
            opened => opened?,
        };
        Ok(Arc::clone(self.index.insert(Arc::new(index))))
    }

    /// The git folder of the repository.
    pub(crate) fn path(&self) -> &Path {
        self.repo.git_dir()
    }

    /// What it says to everybody once a sync has failed.
    pub(crate) fn lost(&self) -> StoreError {
        StoreError::lost_earlier(self.path())
    }

    /// Whether a sync has failed, so that every further call returns [`StoreError::DiskLost`]. Joining packs
    /// can fail behind an append that is durable and succeeds: so ask after each.
    pub fn is_poisoned(&self) -> bool {
        self.disk.has_failed()
    }

    /// Records an uploaded file beside a stored result, as one commit, durable as [`Writer::append`].
    ///
    /// # Errors
    /// [`StoreError::NoSuchResult`] when there is nothing to record it beside; otherwise as
    /// [`Writer::append`].
    pub fn attach(
        &mut self,
        package: &str,
        key: ResultKey,
        artifact: &Artifact,
    ) -> Result<CommitId, StoreError> {
        Ok(self.write_one(Write::Artifact { package, key, artifact })?.commit_id)
    }

    fn write_one(&mut self, write: Write<'_>) -> Result<Written, StoreError> {
        let written = self.write_all(&[write]).pop();
        self.tidy();
        written.unwrap_or_else(|| Err(self.contended()))
    }

    /// Makes a commit of each, and all of them durable. Returns what has become of each.
    pub(crate) fn write_all(&mut self, writes: &[Write<'_>]) -> Vec<Result<Written, StoreError>> {
        let mut outcome = Ok(None);
        for _ in 0..ATTEMPTS_MAX {
            outcome = self.try_write(writes);
            if !matches!(outcome, Ok(None)) {
                break;
            }
        }
        match outcome {
            Ok(Some(written)) => written,
            Ok(None) => writes.iter().map(|_| Err(self.contended())).collect(),
            Err(error) => writes.iter().map(|_| Err(error.again())).collect(),
        }
    }

    /// Joins packs if there are too many. Behind what was written, and nobody has to wait for it.
    pub(crate) fn tidy(&mut self) {
        self.roll_up.run(&packs(&self.repo), &mut self.disk);
    }

    /// `None` when the branch has moved meanwhile.
    fn try_write(
        &mut self,
        writes: &[Write<'_>],
    ) -> Result<Option<Vec<Result<Written, StoreError>>>, StoreError> {
        self.disk.check(self.repo.git_dir())?;
        self.refresh()?;
        let old = self.head.commit;
        let keys = Keys { source: self.source, last: self.last_key };
        let known = self.known(writes)?;
        let batch = Batch::new(&self.repo, &mut self.cache, self.head);
        let mut draft = Draft { batch, keys, known };
        let written = writes.iter().map(|write| draft.add(write)).collect();
        let Draft { batch, keys, .. } = draft;
        let Some(head) = publish(&self.repo, &mut self.disk, batch, old)? else {
            return Ok(None);
        };
        (self.head, self.last_key) = (head, keys.last);
        Ok(Some(written))
    }

    /// The results that have the ids of what is to be written.
    fn known<'w>(
        &mut self,
        writes: &[Write<'w>],
    ) -> Result<HashMap<&'w SubmissionId, Known<'w>>, StoreError> {
        let ids: Vec<&SubmissionId> = writes.iter().filter_map(Write::submission_id).collect();
        let mut known = HashMap::new();
        if ids.is_empty() {
            // Whoever has the index wants it kept up. Nothing that is stored now depends on it.
            if self.index.is_some() {
                let _ = self.index_at_head();
            }
            return Ok(known);
        }
        let index = self.index_at_head()?;
        for id in ids {
            let found = match index.submission(id) {
                // That is noticed when it is read; brought to the head again, it is built anew.
                Err(StoreError::Damaged { .. }) => self.index_at_head()?.submission(id)?,
                found => found?,
            };
            if let Some(entry) = found {
                known.insert(id, Known::Stored(entry));
            }
        }
        Ok(known)
    }

    /// Looks whether somebody pushed.
    fn refresh(&mut self) -> Result<(), StoreError> {
        if Objects::new(&self.repo).branch(BRANCH)? != self.head.commit {
            let (head, key) = read_head(&Objects::keeping(&self.repo, &mut self.cache))?;
            self.cache.forget_stored();
            self.head = head;
            self.last_key = self.last_key.max(key);
        }
        Ok(())
    }

    fn contended(&self) -> StoreError {
        let reason =
            format!("others moved it {ATTEMPTS_MAX} times while it was written to: try again");
        let path = self.repo.common_dir().join(BRANCH);
        StoreError::io(Action::Update, &path)(std::io::Error::other(reason))
    }
}

impl Written {
    pub(crate) fn into_appended(self) -> Result<Appended, StoreError> {
        let Self { commit_id, receipt } = self;
        let receipt = receipt.ok_or_else(|| StoreError::Damaged {
            subject: format!("commit {commit_id}"),
            reason: "it adds no result".to_owned(),
        })?;
        Ok(Appended { receipt, commit_id })
    }
}

/// The newest commit, and the greatest key in it. Looks at the folders, because a commit that is not ours
/// may have brought keys greater than that of the last commit. These are also the folders that what comes next
/// changes, so they are worth keeping.
fn read_head(objects: &Objects<'_>) -> Result<(Head, Option<ResultKey>), StoreError> {
    let commit = objects.branch(BRANCH)?.ok_or_else(gone)?;
    let found = objects.commit(commit)?;
    let mut last_key = None;
    for entry in objects.folder(found.tree)? {
        last_key = last_key.max(newest_key(objects, &entry)?);
    }
    let head = Head { commit: Some(commit), tree: found.tree, seconds: found.seconds };
    Ok((head, last_key))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use crate::{Sha256Hex, Store};
    use pony_formats::{ClientInfo, Tagset};

    #[test]
    fn after_a_failed_sync_everything_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create(&folder.path().join("results.git")).unwrap();
        let tagset = Tagset {
            package: "hayloft".to_owned(),
            host: "shed".to_owned(),
            arch: "linux-x86_64".to_owned(),
            tags: Default::default(),
        };
        let client_info = ClientInfo::new(&tagset, true).unwrap();
        let submission = Submission { client_info, results_list: vec![] };
        let arrival = Arrival::at(Timestamp::now());
        let mut writer = store.writer(Default::default()).unwrap();
        let key = writer.append(&submission, &arrival).unwrap().receipt.key;
        assert!(!writer.is_poisoned());
        // As behind an append, when packs are joined.
        crate::disk::tests::lose(&mut writer.disk);
        assert!(writer.is_poisoned());
        let is_lost = |error: StoreError| matches!(error, StoreError::DiskLost { .. });
        assert!(is_lost(writer.append(&submission, &arrival).unwrap_err()));
        let artifact = Artifact {
            filename: String::new(),
            description: String::new(),
            size: 0,
            sha256: Sha256Hex::from([0; 32]),
            visible: true,
        };
        assert!(is_lost(writer.attach("hayloft", key, &artifact).unwrap_err()));
        let prepared = Prepared::new(&submission).unwrap();
        let batch = writer.append_all(&vec![(prepared, arrival); 3]);
        assert!(batch.into_iter().all(|outcome| is_lost(outcome.unwrap_err())));
        assert_eq!(store.snapshot().unwrap().results("hayloft").unwrap(), [key]);
    }
}
