//! [`Writer`]: appends results, one commit each, as many at a time as are there.

use std::borrow::Cow;
use std::hash::{BuildHasher, RandomState};
use std::path::Path;

use gix::objs::Kind;
use gix::objs::tree::EntryKind;
use jiff::{SignedDuration, Timestamp};
use pony_formats::{Receipt, ResultKey, Submission};

use crate::batch::{Batch, Head};
use crate::cache::Cache;
use crate::disk::Disk;
use crate::layout::{ARTIFACTS, BRANCH, artifact_file, result_folder};
use crate::lock::WriteLock;
use crate::objects::Objects;
use crate::pack::Packed;
use crate::packages::newest_key;
use crate::publish::{packs, publish};
use crate::reserved::Reserved;
use crate::roll_up::RollUp;
use crate::{Action, Artifact, CommitId, Maintenance, Prepared, StoreError, message, tree};

/// How often a commit is made anew because somebody pushed meanwhile.
const ATTEMPTS_MAX: usize = 10;

/// What is known of a submission besides its content.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// When it arrived, by the receiver's clock.
    pub time: Timestamp,
    /// The number that a collector gave it.
    pub number: Option<u32>,
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
        Self { time, number: None, client: None, client_ip: None, flags: Default::default() }
    }
}

/// A result that is stored for good.
#[derive(Debug, Clone, PartialEq)]
pub struct Appended {
    /// The third bag of the triple.
    pub receipt: Receipt,
    /// The commit that holds it.
    pub commit_id: CommitId,
}

/// What is to be written: becomes one commit.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Write<'w> {
    Result { prepared: &'w Prepared, arrival: &'w Arrival },
    Artifact { package: &'w str, key: ResultKey, artifact: &'w Artifact },
}

/// What has become of a [`Write`].
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) commit_id: CommitId,
    /// That of the result.
    pub(crate) receipt: Option<Receipt>,
}

/// The holder of a repository's write lock. Dropping it gives the lock back.
#[derive(Debug)]
pub struct Writer {
    repo: gix::Repository,
    disk: Disk,
    head: Head,
    cache: Cache,
    /// The greatest key of a result that is known to be taken.
    last_key: Option<ResultKey>,
    source: Source,
    roll_up: RollUp,
    reserved: Reserved,
    /// Last, because it is given back last.
    _lock: WriteLock,
}

/// What makes two runs differ.
#[derive(Debug, Clone, Copy)]
enum Source {
    /// The system's clock, and random salts for keys.
    System,
    /// Always the same, for [`Writer::reproducible`].
    Fixed { now: Timestamp, salt: u32 },
}

impl Writer {
    pub(crate) fn new(repo: gix::Repository, lock: WriteLock) -> Result<Self, StoreError> {
        let mut disk = Disk::default();
        // A writer that was killed may have left names that others see, but a power cut would undo.
        for folder in [packs(&repo), repo.common_dir().join("refs/heads")] {
            disk.sync_folder(&folder)?;
        }
        let (head, last_key) = read_head(&Objects::new(&repo))?;
        let reserved = Reserved::default();
        let (cache, roll_up) = (Cache::new(), RollUp::new(reserved.clone()));
        Ok(Self {
            repo,
            disk,
            head,
            cache,
            last_key,
            source: Source::System,
            roll_up,
            reserved,
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
    /// Its key is made from the time of arrival, but is always greater than every key before it: when
    /// the clock goes back, keys run ahead of it. The receipt has the time as it was told, in
    /// milliseconds.
    ///
    /// # Errors
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
        let batch = Batch::new(&self.repo, &mut self.cache, self.head);
        let mut draft = Draft { batch, keys };
        let written = writes.iter().map(|write| draft.add(write)).collect();
        let Draft { batch, keys } = draft;
        let Some(head) = publish(&self.repo, &mut self.disk, batch, old)? else {
            return Ok(None);
        };
        (self.head, self.last_key) = (head, keys.last);
        Ok(Some(written))
    }

    /// Looks whether somebody pushed.
    fn refresh(&mut self) -> Result<(), StoreError> {
        let objects = Objects::new(&self.repo);
        if objects.branch(BRANCH)? != self.head.commit {
            let (head, key) = read_head(&objects)?;
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

/// Where keys come from.
struct Keys {
    source: Source,
    /// The greatest key of a result that is taken.
    last: Option<ResultKey>,
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
struct Draft<'b> {
    batch: Batch<'b>,
    keys: Keys,
}

impl<'b> Draft<'b> {
    fn add(&mut self, write: &Write<'b>) -> Result<Written, StoreError> {
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
        arrival: &Arrival,
    ) -> Result<Written, StoreError> {
        // Of years that jiff knows: cannot fail.
        let received = Timestamp::from_millisecond(arrival.time.as_millisecond());
        let key = self.keys.next(arrival.time, self.keys.last)?;
        let receipt = Receipt {
            key,
            number: arrival.number,
            received: received.unwrap_or(arrival.time),
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
        self.keys.last = Some(key);
        Ok(Written { commit_id: CommitId::new(commit), receipt: Some(receipt) })
    }

    fn add_artifact(
        &mut self,
        package: &str,
        key: ResultKey,
        artifact: &Artifact,
    ) -> Result<CommitId, StoreError> {
        let file = artifact.to_text()?;
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

/// The newest commit, and the greatest key in it. Looks at the folders, because a commit that is not ours
/// may have brought keys greater than that of the last commit.
fn read_head(objects: &Objects<'_>) -> Result<(Head, Option<ResultKey>), StoreError> {
    let commit = objects.branch(BRANCH)?.ok_or_else(|| StoreError::Damaged {
        subject: format!("branch {BRANCH}"),
        reason: "it is gone".to_owned(),
    })?;
    let found = objects.commit(commit)?;
    let mut last_key = None;
    for entry in objects.folder(found.tree)? {
        last_key = last_key.max(newest_key(objects, &entry)?);
    }
    let head = Head { commit: Some(commit), tree: found.tree, seconds: found.seconds };
    Ok((head, last_key))
}

/// The standard library seeds its hash maps from the system's random numbers: enough to keep apart keys
/// of one millisecond, and nothing secret depends on it.
fn random_salt() -> u32 {
    RandomState::new().hash_one(()) as u32
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
