//! [`Snapshot`]: one commit to read from.

use std::sync::Arc;

use gix::ObjectId;
use gix::odb::pack::cache::lru::MemoryCappedHashmap;
use pony_formats::names::tree_component;
use pony_formats::record::{self, Files, RecordError, Summary};
use pony_formats::{ResultKey, TestResult};

use crate::layout::{ARTIFACTS, FORMAT_FILE, key_folder, result_folder};
use crate::objects::{Entry, Objects, Unreadable};
use crate::packages::{Packages, damage, keys};
use crate::result_files::{check_identity, read_files, subject};
use crate::{Artifact, CommitId, Cut, Growth, StoreError, changes, format, growth};

/// Bytes of what was made of deltas that a reader keeps.
const DELTA_BASE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// One commit of a results repository. Stays as it is while others write.
///
/// Can be used from many threads.
#[derive(Debug, Clone)]
pub struct Snapshot {
    repo: gix::ThreadSafeRepository,
    packages: Arc<Packages>,
    commit: ObjectId,
    commit_id: CommitId,
    tree: ObjectId,
}

/// A result that is new or has more than before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The package of the result.
    pub package: String,
    /// The result.
    pub key: ResultKey,
    /// The first commit that added to it.
    pub commit_id: CommitId,
}

impl Snapshot {
    pub(crate) fn new(
        repo: gix::ThreadSafeRepository,
        packages: Arc<Packages>,
        commit: ObjectId,
        tree: ObjectId,
    ) -> Self {
        Self { repo, packages, commit, commit_id: CommitId::new(commit), tree }
    }

    /// The true name of the package of a top folder; `None` when the folder is no package's.
    pub(crate) fn package_in(&self, folder: &Entry) -> Result<Option<String>, StoreError> {
        let repo = self.repo.to_thread_local();
        self.packages.name_of(&Objects::new(&repo), folder)
    }

    /// The commit.
    pub fn commit_id(&self) -> &CommitId {
        &self.commit_id
    }

    /// To read much from in this thread: what was made of deltas is kept for a while, as others are made
    /// of it.
    pub(crate) fn repository(&self) -> gix::Repository {
        let mut repo = self.repo.to_thread_local();
        repo.objects.set_pack_cache(|| Box::new(MemoryCappedHashmap::new(DELTA_BASE_BYTES_MAX)));
        repo
    }

    pub(crate) fn commit(&self) -> ObjectId {
        self.commit
    }

    pub(crate) fn tree(&self) -> ObjectId {
        self.tree
    }

    /// The true names of all packages, sorted. Without those that [`Snapshot::damage`] has left no result.
    ///
    /// # Errors
    /// When the repository cannot be read.
    pub fn packages(&self) -> Result<Vec<String>, StoreError> {
        let repo = self.repo.to_thread_local();
        self.packages.all(&Objects::new(&repo), self.tree)
    }

    /// The keys of a package's results, oldest first. Empty for an unknown package. A folder that cannot be
    /// read is passed over, see [`Snapshot::damage`].
    ///
    /// # Errors
    /// When the repository cannot be read.
    pub fn results(&self, package: &str) -> Result<Vec<ResultKey>, StoreError> {
        let repo = self.repo.to_thread_local();
        let objects = Objects::new(&repo);
        match objects.find(self.tree, &tree_component(package))? {
            Some(entry) if entry.is_folder => Ok(keys(&objects, entry.id)?),
            _ => Ok(vec![]),
        }
    }

    /// What was moved into other repositories, the earliest first. Those results are not in this snapshot.
    ///
    /// # Errors
    /// When `format.json` cannot be read.
    pub fn cuts(&self) -> Result<Vec<Cut>, StoreError> {
        let repo = self.repo.to_thread_local();
        let text = read_format(&Objects::new(&repo), self.tree)?;
        format::read_cuts(&text).map_err(damaged_format)
    }

    /// What [`Snapshot::packages`] and [`Snapshot::results`] pass over: one [`StoreError::Damaged`] for each
    /// folder of results that cannot be read. Looks at all of them.
    ///
    /// # Errors
    /// When the repository cannot be read.
    pub fn damage(&self) -> Result<Vec<StoreError>, StoreError> {
        let repo = self.repo.to_thread_local();
        Ok(damage(&Objects::new(&repo), self.tree)?)
    }

    /// The package of a result, when only its key is known.
    ///
    /// # Errors
    /// When the repository cannot be read. When a part is damaged and no other has the result.
    pub fn package_of(&self, key: ResultKey) -> Result<Option<String>, StoreError> {
        let repo = self.repo.to_thread_local();
        let objects = Objects::new(&repo);
        let path = key_folder(key);
        let mut damage = None;
        for entry in objects.folder(self.tree)?.into_iter().filter(|entry| entry.is_folder) {
            match objects.find(entry.id, &path) {
                Ok(Some(result)) if result.is_folder => {
                    if let Some(name) = self.packages.name_of(&objects, &entry)? {
                        return Ok(Some(name));
                    }
                }
                Ok(_) => {}
                Err(error) => damage = damage.or(Some(error)),
            }
        }
        damage.map_or(Ok(None), |error| Err(error.in_subject(subject(key))))
    }

    /// A triple, exactly as it was submitted. `None` when there is no such result.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] names the result when it cannot be read back.
    pub fn read(&self, package: &str, key: ResultKey) -> Result<Option<TestResult>, StoreError> {
        let Some(result) = self.decode(package, key, |_| true, record::decode)? else {
            return Ok(None);
        };
        check_identity(package, key, result.submission.client_info.package(), result.receipt.key)?;
        Ok(Some(result))
    }

    /// What a list shows of a result; much cheaper than [`Snapshot::read`].
    ///
    /// # Errors
    /// As [`Snapshot::read`].
    pub fn summary(&self, package: &str, key: ResultKey) -> Result<Option<Summary>, StoreError> {
        let wanted = record::is_summary_file;
        let Some(summary) = self.decode(package, key, wanted, record::decode_summary)? else {
            return Ok(None);
        };
        check_identity(package, key, summary.client_info.package(), summary.receipt.key)?;
        Ok(Some(summary))
    }

    /// What a step (counted from 0) wrote to one stream, `output` or `errout`; `None` when there is no such result,
    /// step or stream. Nothing else of the result is read, and at most
    /// [`pony_formats::Limits::stream_bytes_max`] bytes of what pony has stored.
    ///
    /// # Errors
    /// As [`Snapshot::read`].
    pub fn stream(
        &self,
        package: &str,
        key: ResultKey,
        step: usize,
        stream: &str,
    ) -> Result<Option<String>, StoreError> {
        if !matches!(stream, "output" | "errout") {
            return Ok(None);
        }
        if let Some(file) = record::stream_file(step, stream)
            && let Some(text) = self.text(package, key, &file)?
        {
            return Ok(Some(text));
        }
        // What is empty or comes late is kept in the bag of the step.
        let result = self.read(package, key)?;
        let step = result.as_ref().and_then(|result| result.submission.results_list.get(step));
        let text = step.and_then(|step| match stream {
            "output" => step.output(),
            _ => step.errout(),
        });
        Ok(text.map(str::to_owned))
    }

    /// The files that were uploaded for a result, in the order in which they came.
    ///
    /// # Errors
    /// As [`Snapshot::read`].
    pub fn artifacts(&self, package: &str, key: ResultKey) -> Result<Vec<Artifact>, StoreError> {
        let repo = self.repo.to_thread_local();
        let objects = Objects::new(&repo);
        let path = format!("{}/{ARTIFACTS}", result_folder(package, key));
        let damaged = |error: Unreadable| error.in_subject(subject(key));
        let folder = match objects.find(self.tree, &path).map_err(damaged)? {
            Some(folder) if folder.is_folder => folder.id,
            _ => return Ok(vec![]),
        };
        let mut artifacts = Vec::new();
        for entry in objects.folder(folder).map_err(damaged)? {
            if entry.is_folder || !entry.name.ends_with(".json") {
                continue;
            }
            let text = objects.file(entry.id).map_err(damaged)?;
            let artifact = serde_json::from_slice(&text).map_err(|error| StoreError::Damaged {
                subject: subject(key),
                reason: format!("{ARTIFACTS}/{}: {error}", entry.name),
            })?;
            artifacts.push(artifact);
        }
        Ok(artifacts)
    }

    /// The results that are new since `base` or have more than they had then, in the order of the commits that
    /// added to them; all results for `None`. Returns `Ok(None)` when `base` is not an ancestor of this snapshot.
    ///
    /// Only first parents are followed, so a merge adds all that it brought at once. Which commit added a result
    /// is its own word, in the trailer `Result-Key`, where there is one. Costs in proportion to what is new.
    ///
    /// # Errors
    /// When the repository cannot be read.
    pub fn changes_since(
        &self,
        base: Option<&CommitId>,
    ) -> Result<Option<Vec<Change>>, StoreError> {
        let repo = self.repository();
        changes::since(&repo, &self.packages, self.commit, base)
    }

    /// What is here and was not at the commit `base`, if that is the only difference: `None` when a result of
    /// `base` is gone or has become another one, when a folder with something new cannot be read, or when `base` is
    /// no commit of this repository. Compares folders, whatever lies between, and costs in proportion to what
    /// differs.
    ///
    /// # Errors
    /// When the repository cannot be read.
    pub fn growth_since(&self, base: &CommitId) -> Result<Option<Growth>, StoreError> {
        let repo = self.repo.to_thread_local();
        let Some(base) = base.to_object_id() else { return Ok(None) };
        let old = match Objects::new(&repo).commit(base) {
            Ok(commit) => commit.tree,
            Err(error) if error.is_damage() => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        growth::since(&repo, &self.packages, old, self.tree)
    }

    /// The text of one file of a result.
    fn text(
        &self,
        package: &str,
        key: ResultKey,
        file: &str,
    ) -> Result<Option<String>, StoreError> {
        let repo = self.repo.to_thread_local();
        let objects = Objects::new(&repo);
        let damaged = |error: Unreadable| error.in_subject(subject(key));
        let path = format!("{}/{file}", result_folder(package, key));
        let found = objects.find(self.tree, &path).map_err(damaged)?;
        let Some(found) = found.filter(|entry| !entry.is_folder) else { return Ok(None) };
        let text = objects.file(found.id).map_err(damaged)?;
        String::from_utf8(text).map(Some).map_err(|error| StoreError::Damaged {
            subject: subject(key),
            reason: format!("{file}: {error}"),
        })
    }

    /// Reads the wanted files of a result and makes something of them.
    fn decode<T>(
        &self,
        package: &str,
        key: ResultKey,
        wanted: impl Fn(&str) -> bool,
        decode: impl Fn(&Files) -> Result<T, RecordError>,
    ) -> Result<Option<T>, StoreError> {
        let repo = self.repo.to_thread_local();
        let objects = Objects::new(&repo);
        let damaged = |error: Unreadable| error.in_subject(subject(key));
        let folder = objects.find(self.tree, &result_folder(package, key)).map_err(damaged)?;
        let Some(folder) = folder.filter(|entry| entry.is_folder) else {
            return Ok(None);
        };
        let files = read_files(&objects, folder.id, key, wanted)?;
        decode(&files).map(Some).map_err(|error| StoreError::Damaged {
            subject: subject(key),
            reason: error.to_string(),
        })
    }
}

/// The text of `format.json`.
pub(crate) fn read_format(objects: &Objects<'_>, tree: ObjectId) -> Result<Vec<u8>, StoreError> {
    let found = objects.find(tree, FORMAT_FILE)?.filter(|entry| !entry.is_folder);
    let found = found.ok_or_else(|| damaged_format("it is gone".to_owned()))?;
    Ok(objects.file(found.id)?)
}

pub(crate) fn damaged_format(reason: String) -> StoreError {
    StoreError::Damaged { subject: format!("`{FORMAT_FILE}`"), reason }
}
