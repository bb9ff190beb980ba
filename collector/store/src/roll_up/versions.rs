//! Which folders are versions of one another, and the deltas between them.
//!
//! Every commit tells which folder is at which path. Those that are here in full are put in the order of their
//! commits, path by path; each becomes a delta that makes it of the next, so that the newest stays in full.

use std::collections::BTreeMap;

use gix::ObjectId;
use gix::hashtable::{HashMap, HashSet};
use gix::objs::{CommitRef, Kind};

use super::join::Objects;
use crate::delta;
use crate::layout::{HASH, RESULT_DEPTH};
use crate::pack::{DELTAS_MAX, Deflater, Form};
use crate::tree;

/// Bytes of all folders that are looked at. Those of strangers may be huge when inflated.
const FOLDER_BYTES_MAX: u64 = 128 * 1024 * 1024;

/// How often a folder is met, at most. One that strangers made may be in itself many times.
const FOLDERS_MAX: usize = 1_000_000;

/// What an object is to be instead of full.
pub(super) struct Delta {
    base: ObjectId,
    pub(super) size: u64,
    pub(super) deflated: Vec<u8>,
    /// How many deltas there are from here to what is full.
    depth: u8,
}

impl Delta {
    pub(super) fn form(&self) -> Form {
        Form::Delta { base: self.base }
    }
}

/// The folders that are better stored as deltas. Nothing is worse for one that is not found, or cannot be
/// read: it stays as it is.
pub(super) fn deltas(objects: &Objects) -> HashMap<ObjectId, Delta> {
    let mut folders = Folders { objects, contents: HashMap::default(), bytes: 0, met: 0 };
    let mut versions = BTreeMap::new();
    for root in roots(objects) {
        folders.note(root, &mut versions);
    }
    let bases = objects.iter().filter_map(|entry| match entry.form {
        Form::Delta { base } => Some(base),
        Form::Full(_) => None,
    });
    let mut plan = Plan {
        folders,
        bases: bases.collect(),
        deflater: Deflater::new(),
        deltas: HashMap::default(),
    };
    for versions in versions.values() {
        plan.chain(versions);
    }
    plan.deltas
}

/// The root folders of all commits, oldest first.
fn roots(objects: &Objects) -> Vec<ObjectId> {
    let mut commits = HashMap::default();
    for entry in objects.iter().filter(|entry| entry.form == Form::Full(Kind::Commit)) {
        let content = objects.inflated(&entry.id).unwrap_or_default();
        if let Ok(commit) = CommitRef::from_bytes(&content, HASH) {
            let seconds = commit.committer().and_then(|committer| committer.time());
            let seconds = seconds.map_or(0, |time| time.seconds);
            commits.insert(entry.id, (seconds, commit.parents().next(), commit.tree()));
        }
    }
    // Many commits have the same second: then it is their ancestors that count.
    let mut ages: HashMap<ObjectId, usize> = HashMap::default();
    for id in commits.keys() {
        let mut line = Vec::new();
        let mut at = Some(*id);
        while let Some(id) = at.filter(|id| !ages.contains_key(id))
            && let Some((_, parent, _)) = commits.get(&id)
        {
            line.push(id);
            at = *parent;
        }
        let mut age = at.and_then(|id| ages.get(&id)).copied().unwrap_or_default();
        for id in line.into_iter().rev() {
            age += 1;
            ages.insert(id, age);
        }
    }
    let mut order: Vec<_> = commits
        .iter()
        .map(|(id, (seconds, _, tree))| (*seconds, ages.get(id), *id, *tree))
        .collect();
    order.sort_unstable();
    order.into_iter().map(|(.., tree)| tree).collect()
}

/// The contents of folders.
struct Folders<'o> {
    objects: &'o Objects,
    contents: HashMap<ObjectId, Vec<u8>>,
    bytes: u64,
    met: usize,
}

impl Folders<'_> {
    /// Notes a root, and what is in it, after those that came before it at the same path.
    fn note(&mut self, root: ObjectId, versions: &mut BTreeMap<Vec<u8>, Vec<ObjectId>>) {
        let mut waiting = vec![(Vec::new(), root, 0)];
        while let Some((path, id, depth)) = waiting.pop() {
            let earlier = versions.get(&path).and_then(|versions| versions.last());
            if earlier == Some(&id) || !self.load(id) {
                continue;
            }
            if depth < RESULT_DEPTH {
                let content = self.contents.get(&id).map_or(&[][..], |content| content);
                for entry in tree::entries(content).flatten().filter(|entry| entry.is_folder) {
                    let inner = entry.id();
                    if self.met < FOLDERS_MAX && self.objects.get(&inner).is_some() {
                        self.met += 1;
                        waiting.push(([&path, &b"/"[..], entry.name].concat(), inner, depth + 1));
                    }
                }
            }
            versions.entry(path).or_default().push(id);
        }
    }

    /// Whether it is here in full, and not too large.
    fn load(&mut self, id: ObjectId) -> bool {
        if self.contents.contains_key(&id) {
            return true;
        }
        let entry = self.objects.get(&id).filter(|entry| entry.form == Form::Full(Kind::Tree));
        let Some(entry) = entry.filter(|entry| entry.size <= FOLDER_BYTES_MAX - self.bytes) else {
            return false;
        };
        self.bytes += entry.size;
        let content = self.objects.inflated(&id);
        content.is_some_and(|content| self.contents.insert(id, content).is_none())
    }
}

/// Deltas that are being chosen.
struct Plan<'o> {
    folders: Folders<'o>,
    /// What existing deltas need.
    bases: HashSet<ObjectId>,
    deflater: Deflater,
    deltas: HashMap<ObjectId, Delta>,
}

impl Plan<'_> {
    /// Makes each version a delta of the next. `versions` are of one folder, oldest first.
    fn chain(&mut self, versions: &[ObjectId]) {
        let Some((newest, older)) = versions.split_last() else { return };
        let mut next = *newest;
        for id in older.iter().rev() {
            let depth = self.deltas.get(&next).map_or(0, |delta| delta.depth);
            // One that others need is itself the end of a long chain.
            let is_deep = depth >= DELTAS_MAX || self.bases.contains(id);
            let base = if is_deep { *newest } else { next };
            if let Some(delta) = self.delta(*id, base) {
                self.deltas.insert(*id, delta);
            }
            next = *id;
        }
    }

    /// `None` when it is not worth it.
    fn delta(&mut self, id: ObjectId, base: ObjectId) -> Option<Delta> {
        if self.deltas.contains_key(&id) || self.needs(base, id) {
            return None;
        }
        let (content, new) = (self.folders.contents.get(&id)?, self.folders.contents.get(&base)?);
        let delta = delta::between(new, content).ok()?;
        if delta.len() >= content.len() / 2 {
            return None;
        }
        let depth = self.deltas.get(&base).map_or(0, |delta| delta.depth) + 1;
        let deflated = self.deflater.deflate(&delta).ok()?;
        Some(Delta { base, size: delta.len() as u64, deflated, depth })
    }

    /// Whether `id` is, or is made of, `base`.
    fn needs(&self, id: ObjectId, base: ObjectId) -> bool {
        let mut chain = std::iter::successors(Some(id), |id| Some(self.deltas.get(id)?.base));
        chain.any(|id| id == base)
    }
}
