//! [`Batch`]: commits that follow one another, made in memory, with the objects that they need.
//!
//! Each commit replaces the folders on the way to what it adds. A batch has all versions of them, and
//! stores only the last in full: each older one is a delta that makes it of the version after it. So the
//! newest commit, which is read most, is always at hand, and what a commit adds to a pack does not grow with
//! the folders that it changes.

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

use gix::ObjectId;
use gix::hashtable::HashMap;
use gix::objs::tree::EntryKind;
use gix::objs::{Kind, WriteTo};

use crate::cache::Cache;
use crate::disk::Disk;
use crate::error::one_line;
use crate::layout::HASH;
use crate::objects::Objects;
use crate::pack::{DELTAS_MAX, Deflater, Form, PackWriter, Packed};
use crate::tree::{self, MalformedTree};
use crate::{Action, StoreError, delta};

/// The commit that the next one follows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Head {
    /// `None` before the first.
    pub(crate) commit: Option<ObjectId>,
    pub(crate) tree: ObjectId,
    /// Committer time, seconds since 1970.
    pub(crate) seconds: i64,
}

/// Commits that are being made.
pub(crate) struct Batch<'b> {
    repo: &'b gix::Repository,
    cache: &'b mut Cache,
    pub(crate) deflater: Deflater,
    head: Head,
    /// In the order in which they were made.
    objects: Vec<New<'b>>,
    positions: HashMap<ObjectId, usize>,
}

/// An object that the repository does not have yet.
struct New<'b> {
    id: ObjectId,
    form: Form,
    size: u64,
    body: Body<'b>,
    /// How many versions before it are deltas that need it.
    versions: u8,
}

enum Body<'b> {
    /// A folder that may still be replaced.
    Folder(Arc<Vec<u8>>),
    Deflated(Cow<'b, [u8]>),
}

impl<'b> Batch<'b> {
    pub(crate) fn new(repo: &'b gix::Repository, cache: &'b mut Cache, head: Head) -> Self {
        let deflater = Deflater::new();
        Self { repo, cache, deflater, head, objects: Vec::new(), positions: HashMap::default() }
    }

    /// The newest commit.
    pub(crate) fn head(&self) -> Head {
        self.head
    }

    /// What is at a path of the newest commit, and whether it is a folder.
    pub(crate) fn find(&mut self, path: &str) -> Result<Option<(ObjectId, bool)>, StoreError> {
        let (mut id, mut is_folder) = (self.head.tree, true);
        for name in path.split('/') {
            if !is_folder {
                return Ok(None);
            }
            let folder = self.folder(id)?;
            let found = tree::find(&folder, name.as_bytes());
            let Some(entry) = found.map_err(malformed(id))? else { return Ok(None) };
            (id, is_folder) = (entry.id(), entry.is_folder);
        }
        Ok(Some((id, is_folder)))
    }

    /// A folder as git stores it.
    pub(crate) fn folder(&mut self, id: ObjectId) -> Result<Arc<Vec<u8>>, StoreError> {
        if id == ObjectId::empty_tree(HASH) {
            return Ok(Arc::default());
        }
        let made = self.positions.get(&id).and_then(|at| self.objects.get(*at));
        if let Some(New { body: Body::Folder(folder), .. }) = made {
            return Ok(Arc::clone(folder));
        }
        Ok(Objects::keeping(self.repo, self.cache).tree(id)?)
    }

    /// Adds a commit in which `entry` is at `path`. The entry's own objects are added by [`Batch::add`]. When
    /// this fails, nothing is changed.
    pub(crate) fn commit(
        &mut self,
        path: &str,
        entry: (EntryKind, ObjectId),
        message: &str,
        time: i64,
    ) -> Result<ObjectId, StoreError> {
        let replaced = self.replace(path, entry)?;
        self.commit_folders(replaced, message, time)
    }

    /// Adds a commit of this folder and nothing else.
    pub(crate) fn commit_root(
        &mut self,
        root: Vec<u8>,
        message: &str,
        time: i64,
    ) -> Result<ObjectId, StoreError> {
        let replaced = Replaced { old: self.head.tree, new: id_of(&root)?, folder: root };
        self.commit_folders(vec![replaced], message, time)
    }

    /// `folders` ends with the root.
    fn commit_folders(
        &mut self,
        folders: Vec<Replaced>,
        message: &str,
        time: i64,
    ) -> Result<ObjectId, StoreError> {
        let tree = folders.last().map_or(self.head.tree, |root| root.new);
        // Times of commits never go back, or git would take short cuts past some of them.
        let seconds = time.max(self.head.seconds).max(0);
        let commit = commit_object(self.head.commit, tree, message, seconds);
        let commit = Packed::full(&mut self.deflater, Kind::Commit, &commit?)?;
        for folder in folders {
            self.add_folder(folder)?;
        }
        self.head = Head { commit: Some(commit.id), tree, seconds };
        let id = commit.id;
        self.add_new(Cow::Owned(commit));
        Ok(id)
    }

    /// The folders on the way to `path` with `entry` there, the root last.
    fn replace(
        &mut self,
        path: &str,
        entry: (EntryKind, ObjectId),
    ) -> Result<Vec<Replaced>, StoreError> {
        let mut way = Vec::new();
        let mut at = self.head.tree;
        for name in path.split('/') {
            let folder = self.folder(at)?;
            let found = tree::find(&folder, name.as_bytes()).map_err(malformed(at))?;
            let inner = found.filter(|entry| entry.is_folder).map(|entry| entry.id());
            way.push((name, at, folder));
            at = inner.unwrap_or_else(|| ObjectId::empty_tree(HASH));
        }
        let (mut kind, mut id) = entry;
        let mut replaced = Vec::with_capacity(way.len());
        for (name, old, folder) in way.into_iter().rev() {
            let mut folder = folder.to_vec();
            tree::set(&mut folder, name.as_bytes(), kind, id).map_err(malformed(old))?;
            (kind, id) = (EntryKind::Tree, id_of(&folder)?);
            replaced.push(Replaced { old, new: id, folder });
        }
        Ok(replaced)
    }

    fn add_folder(&mut self, replaced: Replaced) -> Result<(), StoreError> {
        let Replaced { old, new, folder } = replaced;
        // Never as a version of something made later: what is a base must not need what it is a base of.
        if self.positions.contains_key(&new) {
            return Ok(());
        }
        let mut versions = 0;
        if let Some(older) = self.positions.get(&old).and_then(|at| self.objects.get_mut(*at))
            && older.versions < DELTAS_MAX
            && let Body::Folder(content) = &older.body
            && let Ok(delta) = delta::between(&folder, content)
            && delta.len() < content.len() / 2
        {
            versions = older.versions + 1;
            older.form = Form::Delta { base: new };
            older.size = delta.len() as u64;
            older.body = Body::Deflated(self.deflater.deflate(&delta)?.into());
        }
        let form = Form::Full(Kind::Tree);
        let size = folder.len() as u64;
        self.positions.insert(new, self.objects.len());
        self.objects.push(New { id: new, form, size, body: Body::Folder(folder.into()), versions });
        Ok(())
    }

    /// Adds an object, unless it is known that the repository has it.
    pub(crate) fn add(&mut self, object: Cow<'b, Packed>) {
        if !self.cache.is_stored(&object.id) {
            self.add_new(object);
        }
    }

    /// The same, but looks whether the repository has it. That takes longer than to write a small object once
    /// more: of several copies one is left when packs are joined.
    pub(crate) fn add_shared(&mut self, object: Cow<'b, Packed>) {
        let id = object.id;
        if !self.cache.is_stored(&id) && self.repo.objects.exists_without_refresh(&id) {
            self.cache.keep_stored(id);
        }
        self.add(object);
    }

    fn add_new(&mut self, object: Cow<'b, Packed>) {
        if self.positions.contains_key(&object.id) {
            return;
        }
        self.positions.insert(object.id, self.objects.len());
        let (id, form, size) = (object.id, object.form, object.size);
        let deflated = match object {
            Cow::Borrowed(object) => Cow::Borrowed(&*object.deflated),
            Cow::Owned(object) => Cow::Owned(object.deflated),
        };
        self.objects.push(New { id, form, size, body: Body::Deflated(deflated), versions: 0 });
    }

    /// Writes the objects as a pack, and makes it durable.
    pub(crate) fn write(&mut self, packs: &Path, disk: &mut Disk) -> Result<(), StoreError> {
        let mut objects: Vec<&New<'_>> = self.objects.iter().rev().collect();
        // As git does it: what a walk over the history reads lies together. Newest first, so that bases come
        // before their deltas.
        objects.sort_by_key(|object| match object.form {
            Form::Full(Kind::Commit | Kind::Tag) => 0,
            Form::Full(Kind::Tree) | Form::Delta { .. } => 1,
            Form::Full(Kind::Blob) => 2,
        });
        let count = u32::try_from(objects.len()).unwrap_or(u32::MAX);
        let mut pack = PackWriter::create(packs, count)?;
        for New { id, form, size, body, .. } in objects {
            match body {
                Body::Folder(folder) => {
                    pack.add(*id, *form, *size, &self.deflater.deflate(folder)?)?;
                }
                Body::Deflated(deflated) => pack.add(*id, *form, *size, deflated)?,
            }
        }
        pack.finish(disk)?;
        Ok(())
    }

    /// Remembers what is now part of the history.
    pub(crate) fn remember(self) -> Head {
        for New { id, form, body, .. } in self.objects {
            match body {
                Body::Folder(folder) => self.cache.keep_folder(id, folder),
                Body::Deflated(_) if form != Form::Full(Kind::Commit) => {
                    self.cache.keep_stored(id);
                }
                Body::Deflated(_) => {}
            }
        }
        self.head
    }
}

/// A folder that takes the place of another.
struct Replaced {
    old: ObjectId,
    new: ObjectId,
    folder: Vec<u8>,
}

fn id_of(folder: &[u8]) -> Result<ObjectId, StoreError> {
    gix::objs::compute_hash(HASH, Kind::Tree, folder)
        .map_err(StoreError::gix(Action::Hash, Path::new("a folder")))
}

fn malformed(id: ObjectId) -> impl FnOnce(MalformedTree) -> StoreError {
    move |error| StoreError::Damaged { subject: format!("tree {id}"), reason: one_line(&error) }
}

/// A commit as git stores it.
fn commit_object(
    parent: Option<ObjectId>,
    tree: ObjectId,
    message: &str,
    seconds: i64,
) -> Result<Vec<u8>, StoreError> {
    let commit = commit_of(parent, tree, message, seconds);
    let mut bytes = Vec::new();
    commit.write_to(&mut bytes).map_err(StoreError::io(Action::Create, Path::new("a commit")))?;
    Ok(bytes)
}

/// A commit of ours.
pub(crate) fn commit_of(
    parent: Option<ObjectId>,
    tree: ObjectId,
    message: &str,
    seconds: i64,
) -> gix::objs::Commit {
    gix::objs::Commit {
        tree,
        parents: parent.into_iter().collect(),
        author: signature(seconds),
        committer: signature(seconds),
        encoding: None,
        message: message.into(),
        extra_headers: Vec::new(),
    }
}

/// Nothing from outside is ever in the headers of a commit.
pub(crate) fn signature(seconds: i64) -> gix::actor::Signature {
    gix::actor::Signature {
        name: "pony".into(),
        email: "pony@localhost".into(),
        time: gix::date::Time { seconds, offset: 0 },
    }
}
