//! [`Writer`]: appends results, one commit each.

use std::hash::{BuildHasher, RandomState};

use gix::ObjectId;
use jiff::{SignedDuration, Timestamp};
use pony_formats::record::{self, Files};
use pony_formats::{Receipt, ResultKey, Submission, json};

use crate::disk::Disk;
use crate::layout::{ARTIFACTS, BRANCH, RESULT_BYTES_MAX, artifact_file, result_folder};
use crate::lock::WriteLock;
use crate::objects::Objects;
use crate::packages::newest_key;
use crate::publish::{Draft, packs, publish};
use crate::reserved::Reserved;
use crate::roll_up::RollUp;
use crate::{Action, Artifact, CommitId, Maintenance, StoreError, message};

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

/// The holder of a repository's write lock. Dropping it gives the lock back.
#[derive(Debug)]
pub struct Writer {
    repo: gix::Repository,
    disk: Disk,
    head: Head,
    /// The greatest key of a result that is known to be taken.
    last_key: Option<ResultKey>,
    source: Source,
    roll_up: RollUp,
    reserved: Reserved,
    /// Last, because it is given back last.
    _lock: WriteLock,
}

/// The commit that the next one follows.
#[derive(Debug, Clone, Copy)]
struct Head {
    commit: ObjectId,
    tree: ObjectId,
    /// Committer time, seconds since 1970.
    seconds: i64,
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
    /// `repo` must have object memory.
    pub(crate) fn new(repo: gix::Repository, lock: WriteLock) -> Result<Self, StoreError> {
        let mut disk = Disk::default();
        // A writer that was killed may have left names that others see, but a power cut would undo.
        for folder in [packs(&repo), repo.common_dir().join("refs/heads")] {
            disk.sync_folder(&folder)?;
        }
        let (head, last_key) = read_head(&Objects::new(&repo))?;
        let source = Source::System;
        let reserved = Reserved::default();
        let roll_up = RollUp::new(reserved.clone());
        Ok(Self { repo, disk, head, last_key, source, roll_up, reserved, _lock: lock })
    }

    /// Fixes what else is different in every run: the clock that [`Writer::attach`] reads, and the random
    /// part of keys. The same calls on equal repositories then make commits with equal ids. For tests: two
    /// writers with equal salts may choose equal keys.
    #[must_use = "this returns the writer"]
    pub fn reproducible(mut self, now: Timestamp, salt: u32) -> Self {
        self.source = Source::Fixed { now, salt };
        self
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
        let package = submission.client_info.package();
        // Of years that jiff knows: cannot fail.
        let received = Timestamp::from_millisecond(arrival.time.as_millisecond());
        let received = received.unwrap_or(arrival.time);
        for _ in 0..ATTEMPTS_MAX {
            self.refresh()?;
            let key = self.next_key(arrival.time, self.last_key)?;
            let receipt = Receipt {
                key,
                number: arrival.number,
                received,
                client: arrival.client.clone(),
                client_ip: arrival.client_ip.clone(),
                flags: arrival.flags.clone(),
            };
            let files = record::encode(&receipt, submission);
            check_size(&files)?;
            let folder = result_folder(package, key);
            let paths =
                files.iter().map(|(path, content)| (format!("{folder}/{path}"), &**content));
            let message = message::of_result(key, submission);
            if let Some(commit_id) = self.commit(paths.collect(), message, arrival.time)? {
                self.last_key = Some(key);
                return Ok(Appended { receipt, commit_id });
            }
        }
        Err(self.contended())
    }

    /// Whether a sync has failed, so that every further call returns [`StoreError::DiskLost`]. Joining packs
    /// can fail behind an append that is durable and succeeds: so ask after each.
    pub fn is_poisoned(&self) -> bool {
        self.disk.has_failed()
    }

    /// Maintenance that can go on beside this writer. It must end before the writer is dropped.
    pub fn maintenance(&self) -> Maintenance {
        Maintenance::new(&self.repo, self.reserved.clone())
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
        let now = match self.source {
            Source::System => Timestamp::now(),
            Source::Fixed { now, .. } => now,
        };
        let content = serde_json::to_value(artifact).map_err(|error| StoreError::Damaged {
            subject: format!("artifact of result {key}"),
            reason: error.to_string(),
        })?;
        let content = json::pretty(&content);
        for _ in 0..ATTEMPTS_MAX {
            self.refresh()?;
            let folder = result_folder(package, key);
            let found = Objects::new(&self.repo).find(self.head.tree, &folder)?;
            if !found.is_some_and(|entry| entry.is_folder) {
                return Err(StoreError::NoSuchResult { package: package.to_owned(), key });
            }
            let name = self.next_key(now, self.last_artifact(package, key)?)?;
            let file = (artifact_file(package, key, name), content.as_bytes());
            let message = message::of_artifact(package, key, artifact);
            if let Some(commit_id) = self.commit(vec![file], message, now)? {
                return Ok(commit_id);
            }
        }
        Err(self.contended())
    }

    /// Looks whether somebody pushed.
    fn refresh(&mut self) -> Result<(), StoreError> {
        let objects = Objects::new(&self.repo);
        if objects.branch(BRANCH)? != Some(self.head.commit) {
            let (head, key) = read_head(&objects)?;
            self.head = head;
            self.last_key = self.last_key.max(key);
        }
        Ok(())
    }

    /// The greatest name of the files that are recorded beside a result.
    fn last_artifact(
        &self,
        package: &str,
        key: ResultKey,
    ) -> Result<Option<ResultKey>, StoreError> {
        let objects = Objects::new(&self.repo);
        let path = format!("{}/{ARTIFACTS}", result_folder(package, key));
        let Some(folder) = objects.find(self.head.tree, &path)?.filter(|entry| entry.is_folder)
        else {
            return Ok(None);
        };
        let entries = objects.folder(folder.id)?;
        Ok(entries.iter().filter_map(|entry| entry.name.strip_suffix(".json")?.parse().ok()).max())
    }

    /// A key for the time, greater than `last`.
    fn next_key(&self, time: Timestamp, last: Option<ResultKey>) -> Result<ResultKey, StoreError> {
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

    /// `None` when the branch has moved meanwhile.
    fn commit(
        &mut self,
        files: Vec<(String, &[u8])>,
        message: String,
        time: Timestamp,
    ) -> Result<Option<CommitId>, StoreError> {
        // Times of commits never go back, or git would take short cuts past some of them.
        let seconds = time.as_second().max(self.head.seconds).max(0);
        let parent = Some((self.head.commit, self.head.tree));
        let draft = Draft { parent, files, message, seconds };
        let Some(published) = publish(&self.repo, &mut self.disk, &draft)? else {
            return Ok(None);
        };
        self.head = Head { commit: published.commit, tree: published.tree, seconds };
        self.roll_up.run(&packs(&self.repo), self.repo.object_hash(), &mut self.disk);
        Ok(Some(CommitId::new(published.commit)))
    }

    fn contended(&self) -> StoreError {
        let reason =
            format!("others moved it {ATTEMPTS_MAX} times while it was written to: try again");
        let path = self.repo.common_dir().join(BRANCH);
        StoreError::io(Action::Update, &path)(std::io::Error::other(reason))
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
    Ok((Head { commit, tree: found.tree, seconds: found.seconds }, last_key))
}

fn check_size(files: &Files) -> Result<(), StoreError> {
    let bytes: usize = files.iter().map(|(path, content)| path.len() + content.len()).sum();
    if bytes > RESULT_BYTES_MAX {
        return Err(StoreError::TooLarge { bytes, max: RESULT_BYTES_MAX });
    }
    Ok(())
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
        assert_eq!(store.snapshot().unwrap().results("hayloft").unwrap(), [key]);
    }
}
