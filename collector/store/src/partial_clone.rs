//! [`PartialClone`]: what is needed of a repository elsewhere to add results to it, and nothing more.
//!
//! The term is git's: a clone that was fetched with a filter. This one has the newest commit, and of its folders
//! those between the root and the days that results are added to, each fetched by its name: about five small
//! objects, however many results there are.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use gix::ObjectId;
use jiff::Timestamp;
use pony_formats::ResultKey;

use crate::batch::{Batch, Head};
use crate::cache::Cache;
use crate::disk::Disk;
use crate::draft::{Draft, Keys, Source};
use crate::format::{self, FORMAT};
use crate::layout::{FORMAT_FILE, HASH, key_at, result_folder};
use crate::objects::Objects;
use crate::store::open_git;
use crate::writer::Write;
use crate::{Action, Arrival, CommitId, Prepared, StoreError, init, publish, tree};

/// A bare git repository that has parts of a results repository.
#[derive(Debug)]
pub struct PartialClone {
    repo: gix::Repository,
    /// What messages call the repository that it is of.
    origin: PathBuf,
}

/// A submission that is to be in a repository elsewhere.
#[derive(Debug, Clone, Copy)]
pub struct Addition<'a> {
    /// The submission.
    pub prepared: &'a Prepared,
    /// What else is known of it.
    pub arrival: &'a Arrival,
    /// Keys under which it may be there: those of pushes of which nobody knows whether they arrived.
    pub earlier: &'a [ResultKey],
}

/// What [`PartialClone::extend`] could do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Extension {
    /// Nothing yet: the objects with these names (hex) must be fetched, then it is to be called again.
    Lacks(Vec<String>),
    /// Commits were made for what is not there.
    Made {
        /// The commit that the branch has to move to; the one it is at when all was there.
        head: CommitId,
        /// The keys of the additions, in their order.
        keys: Vec<ResultKey>,
    },
}

impl PartialClone {
    /// Opens a bare repository. `origin` is what messages call the one it is of.
    ///
    /// # Errors
    /// When git cannot open it.
    pub fn open(git_dir: &Path, origin: &str) -> Result<Self, StoreError> {
        let repo = open_git(git_dir).map_err(StoreError::gix(Action::Open, git_dir))?;
        Ok(Self { repo: repo.to_thread_local(), origin: origin.into() })
    }

    /// Makes the commits that add submissions on top of `tip`, or of the first commit of every results
    /// repository when there is no branch yet: the same commits as a [`Writer`](crate::Writer) makes, but that
    /// a key is greater only than those of its package and day. Moves no branch.
    ///
    /// What is found under one of its earlier keys, with the same content, is not added again.
    ///
    /// # Errors
    /// [`StoreError::NotAResultsRepository`] and [`StoreError::NewerFormat`] by what `tip` holds;
    /// [`StoreError::Damaged`] when that cannot be made sense of.
    pub fn extend(
        &self,
        tip: Option<&CommitId>,
        additions: &[Addition<'_>],
    ) -> Result<Extension, StoreError> {
        let mut view = View { repo: &self.repo, root: None, lacks: BTreeSet::new() };
        let start = tip.map(|tip| self.head(tip, &mut view)).transpose()?.flatten();
        let found = additions.iter().map(|addition| view.find(addition));
        let found = found.collect::<Result<Vec<_>, _>>()?;
        if !view.lacks.is_empty() {
            let names = view.lacks.iter().map(ToString::to_string);
            return Ok(Extension::Lacks(names.collect()));
        }
        self.make(start, additions, &found)
    }

    /// The commit to go on from, once it is known to be of a results repository.
    fn head(&self, tip: &CommitId, view: &mut View<'_>) -> Result<Option<Head>, StoreError> {
        let damaged = |reason: &str| StoreError::Damaged {
            subject: format!("commit {tip}"),
            reason: reason.to_owned(),
        };
        let id = tip.to_object_id().ok_or_else(|| damaged("is of an unknown kind"))?;
        let commit = Objects::new(&self.repo).commit(id)?;
        view.root = Some(commit.tree);
        match view.look(FORMAT_FILE)? {
            Seen::Unknown => {}
            Seen::There(file) if view.has(file) => self.check_format(file)?,
            Seen::There(_) => {}
            Seen::Absent => {
                let reason = format!("its branch has no `{FORMAT_FILE}`: name another branch");
                return Err(self.not_ours(reason));
            }
        }
        Ok(Some(Head { commit: Some(id), tree: commit.tree, seconds: commit.seconds }))
    }

    fn check_format(&self, file: ObjectId) -> Result<(), StoreError> {
        let text = Objects::new(&self.repo).file(file)?;
        let found = format::read_version(&text).map_err(|reason| self.not_ours(reason))?;
        if found > FORMAT {
            let (found, known) = (found.to_string(), FORMAT.to_string());
            return Err(StoreError::NewerFormat { path: self.origin.clone(), found, known });
        }
        Ok(())
    }

    fn not_ours(&self, reason: String) -> StoreError {
        StoreError::NotAResultsRepository { path: self.origin.clone(), reason }
    }

    fn make(
        &self,
        start: Option<Head>,
        additions: &[Addition<'_>],
        found: &[Place],
    ) -> Result<Extension, StoreError> {
        let mut cache = Cache::new();
        let empty =
            Head { commit: None, tree: ObjectId::empty_tree(HASH), seconds: init::FIRST_SECOND };
        let mut batch = Batch::new(&self.repo, &mut cache, start.unwrap_or(empty));
        if start.is_none() {
            init::first_commit(&mut batch)?;
        }
        let keys = Keys { source: Source::System, last: None };
        let mut draft = Draft { batch, keys, known: HashMap::new() };
        let mut given = Vec::with_capacity(additions.len());
        for (addition, place) in additions.iter().zip(found) {
            given.push(match place {
                Place::There(key) => *key,
                Place::After(last) => {
                    draft.keys.last = draft.keys.last.max(*last);
                    let Addition { prepared, arrival, .. } = *addition;
                    let written = draft.add(&Write::Result { prepared, arrival })?;
                    written.into_appended()?.receipt.key
                }
            });
        }
        let mut batch = draft.batch;
        let head = batch.head().commit.ok_or_else(crate::draft::gone)?;
        if start.is_none_or(|start| start.commit != Some(head)) {
            batch.write(&publish::packs(&self.repo), &mut Disk::default())?;
        }
        Ok(Extension::Made { head: CommitId::new(head), keys: given })
    }
}

/// Where a submission is, or has its place.
enum Place {
    There(ResultKey),
    /// After this key, the greatest of its package and day.
    After(Option<ResultKey>),
}

/// What is at a path.
enum Seen {
    There(ObjectId),
    Absent,
    /// A folder on the way is not here.
    Unknown,
}

/// A tree of which not everything is here.
struct View<'r> {
    repo: &'r gix::Repository,
    /// `None` when there is nothing at all.
    root: Option<ObjectId>,
    lacks: BTreeSet<ObjectId>,
}

impl View<'_> {
    /// Whether an object is here; if not, takes note of it.
    fn has(&mut self, id: ObjectId) -> bool {
        let has = id == ObjectId::empty_tree(HASH) || self.repo.has_object(id);
        if !has {
            self.lacks.insert(id);
        }
        has
    }

    /// What is at a path, as far as it can be told.
    fn look(&mut self, path: &str) -> Result<Seen, StoreError> {
        let Some(mut at) = self.root else { return Ok(Seen::Absent) };
        for name in path.split('/') {
            if !self.has(at) {
                return Ok(Seen::Unknown);
            }
            match Objects::new(self.repo).find(at, name)? {
                Some(entry) => at = entry.id,
                None => return Ok(Seen::Absent),
            }
        }
        Ok(Seen::There(at))
    }

    fn find(&mut self, addition: &Addition<'_>) -> Result<Place, StoreError> {
        let Addition { prepared, arrival, earlier } = addition;
        for key in *earlier {
            if let Seen::There(folder) = self.look(&result_folder(&prepared.package, *key))?
                && self.has(folder)
                && prepared.is_stored_as(&Objects::new(self.repo).tree(folder)?, None)?
            {
                return Ok(Place::There(*key));
            }
        }
        let last = self.last_of_day(&prepared.package, arrival.time)?;
        // The day after, if the last key of this one is at its end.
        let next = last.map_or(arrival.time, |last| last.next().time().max(arrival.time));
        self.last_of_day(&prepared.package, next)?;
        Ok(Place::After(last))
    }

    /// The greatest key of a package's day.
    fn last_of_day(
        &mut self,
        package: &str,
        time: Timestamp,
    ) -> Result<Option<ResultKey>, StoreError> {
        let path = result_folder(package, ResultKey::new(time, 0));
        let day = path.rsplit_once('/').map_or("", |(day, _)| day);
        let Seen::There(folder) = self.look(day)? else { return Ok(None) };
        if !self.has(folder) {
            return Ok(None);
        }
        let folder = Objects::new(self.repo).tree(folder)?;
        let (_, date) = day.split_once('/').unwrap_or_default();
        let names = tree::entries(&folder).flatten().map(|entry| entry.name);
        let names = names.filter_map(|name| std::str::from_utf8(name).ok());
        Ok(names.filter_map(|name| key_at(&format!("{date}/{name}"))).max())
    }
}
