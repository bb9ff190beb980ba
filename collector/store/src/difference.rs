//! What differs between two trees, result by result. Equal folders are passed over by their ids, so this
//! costs in proportion to what differs.

use std::cmp::Ordering;
use std::ops::Range;
use std::sync::Arc;

use gix::ObjectId;
use pony_formats::ResultKey;

use crate::layout::{FolderName, is_date_part, key_at, package_at};
use crate::objects::{Entry, Objects, Unreadable, plain_name};
use crate::tree;
use crate::uses::Uses;

/// The folders above a result: package, year, month and day.
const DEPTH_OF_RESULTS: usize = 4;

/// The folder of a result that one tree has and the other has not, or has otherwise.
#[derive(Debug)]
pub(crate) struct Difference {
    /// The folder of its package, as the new tree has it, or else the old one.
    pub(crate) package: Entry,
    pub(crate) key: ResultKey,
    /// Its folder in the old tree.
    pub(crate) old: Option<ObjectId>,
    /// Its folder in the new tree.
    pub(crate) new: Option<ObjectId>,
}

impl Difference {
    /// The folder of the result, from the root of the tree.
    pub(crate) fn path(&self) -> String {
        format!("{}/{}", self.package.name, crate::layout::key_folder(self.key))
    }
}

/// A folder of the new tree that cannot be read, and so is taken for empty.
#[derive(Debug)]
pub(crate) struct Hidden {
    /// From the root of the tree.
    pub(crate) path: String,
    pub(crate) error: Unreadable,
}

/// Visits the results that differ, package by package, the oldest first. Returns the folders of `new` that had
/// to be passed over.
///
/// # Errors
/// When `old` cannot be read, or the system refuses; and what `visit` fails with.
pub(crate) fn visit<E: From<Unreadable>>(
    objects: &Objects<'_>,
    old: Option<ObjectId>,
    new: Option<ObjectId>,
    visit: impl FnMut(Difference) -> Result<(), E>,
) -> Result<Vec<Hidden>, E> {
    let mut walk = Walk::new(objects, visit);
    walk.descend(old, new)?;
    Ok(walk.hidden)
}

/// Visits all results below the folder at `path` in a tree: the root for an empty path.
///
/// # Errors
/// As [`visit`].
pub(crate) fn visit_below<E: From<Unreadable>>(
    objects: &Objects<'_>,
    root: ObjectId,
    path: &str,
    visit: impl FnMut(Difference) -> Result<(), E>,
) -> Result<Vec<Hidden>, E> {
    let names: Vec<&str> = path.split('/').filter(|name| !name.is_empty()).collect();
    let mut walk = Walk::new(objects, visit);
    let mut at = root;
    for (depth, name) in names.iter().enumerate() {
        let Some(entry) = objects.find(at, name)?.filter(|entry| entry.is_folder) else {
            return Ok(walk.hidden);
        };
        if depth == DEPTH_OF_RESULTS {
            walk.result(Pair { name: entry.name, old: None, new: Some(entry.id) })?;
            return Ok(walk.hidden);
        }
        at = entry.id;
        walk.enter(entry);
    }
    walk.descend(None, Some(at))?;
    Ok(walk.hidden)
}

struct Walk<'w, 'r, V> {
    objects: &'w Objects<'r>,
    package: Option<Entry>,
    /// The names of the folders on the way from the root to here.
    path: Vec<String>,
    hidden: Vec<Hidden>,
    uses: Uses,
    visit: V,
}

/// Folders of one name that are not the same.
struct Pair {
    name: String,
    old: Option<ObjectId>,
    new: Option<ObjectId>,
}

impl<'w, 'r, V> Walk<'w, 'r, V> {
    /// At the root.
    fn new(objects: &'w Objects<'r>, visit: V) -> Self {
        Self {
            objects,
            package: None,
            path: Vec::new(),
            hidden: Vec::new(),
            uses: Uses::default(),
            visit,
        }
    }

    /// As deep as the layout, so the recursion is bounded.
    fn descend<E>(&mut self, old: Option<ObjectId>, new: Option<ObjectId>) -> Result<(), E>
    where
        E: From<Unreadable>,
        V: FnMut(Difference) -> Result<(), E>,
    {
        for pair in self.pairs(old, new)? {
            if self.path.len() == DEPTH_OF_RESULTS {
                self.result(pair)?;
                continue;
            }
            let is_ours = match self.path.len() {
                0 => !matches!(package_at(&pair.name), FolderName::Foreign),
                1 => is_date_part(&pair.name, 4),
                _ => is_date_part(&pair.name, 2),
            };
            if let Some(id) = pair.new.or(pair.old).filter(|_| is_ours) {
                self.enter(Entry { name: pair.name, is_folder: true, id });
                self.descend(pair.old, pair.new)?;
                self.path.pop();
            }
        }
        Ok(())
    }

    fn enter(&mut self, folder: Entry) {
        self.path.push(folder.name.clone());
        if self.path.len() == 1 {
            self.package = Some(folder);
        }
    }

    fn result<E>(&mut self, pair: Pair) -> Result<(), E>
    where
        V: FnMut(Difference) -> Result<(), E>,
    {
        let [_, date @ ..] = &self.path[..] else { return Ok(()) };
        let path = format!("{}/{}", date.join("/"), pair.name);
        match (key_at(&path), &self.package) {
            (Some(key), Some(package)) => {
                let Pair { old, new, .. } = pair;
                (self.visit)(Difference { package: package.clone(), key, old, new })
            }
            _ => Ok(()),
        }
    }

    fn pairs(
        &mut self,
        old: Option<ObjectId>,
        new: Option<ObjectId>,
    ) -> Result<Vec<Pair>, Unreadable> {
        if old == new {
            return Ok(vec![]);
        }
        let Self { path, hidden, uses, .. } = self;
        let mut hide = |error| hidden.push(Hidden { path: path.join("/"), error });
        if new.or(old).is_some_and(|id| !uses.allow(id, &mut hide)) {
            return Ok(vec![]);
        }
        let after = match new.map(|id| Folders::read(self.objects, id)).transpose() {
            Ok(after) => after.unwrap_or_default(),
            Err(error) if error.is_damage() => {
                hide(error);
                Folders::default()
            }
            Err(error) => return Err(error),
        };
        let before = old.map(|id| Folders::read(self.objects, id)).transpose()?;
        Ok(pairs(&before.unwrap_or_default(), &after))
    }
}

/// The folders in a folder, sorted by name.
#[derive(Default)]
struct Folders {
    data: Arc<Vec<u8>>,
    /// Where their names are, and their ids.
    entries: Vec<(Range<usize>, ObjectId)>,
}

impl Folders {
    fn read(objects: &Objects<'_>, id: ObjectId) -> Result<Self, Unreadable> {
        let data = objects.tree(id)?;
        let mut entries = Vec::new();
        for entry in tree::entries(&data) {
            let entry = entry.map_err(|error| Unreadable::folder(id, &error))?;
            if entry.is_folder {
                let end = entry.offset + entry.bytes.len() - id.as_slice().len() - 1;
                entries.push((end - entry.name.len()..end, entry.id()));
            }
        }
        let name = |(name, _): &(Range<usize>, ObjectId)| data.get(name.clone());
        // They are sorted as if each name ended in `/`, if nobody has made them by hand.
        if !entries.is_sorted_by_key(name) {
            entries.sort_by(|one, other| name(one).cmp(&name(other)));
        }
        Ok(Self { data, entries })
    }

    fn get(&self, position: usize) -> Option<(&[u8], ObjectId)> {
        let (name, id) = self.entries.get(position)?;
        Some((self.data.get(name.clone())?, *id))
    }
}

/// What is not the same in both, or not there in one.
fn pairs(before: &Folders, after: &Folders) -> Vec<Pair> {
    let mut pairs = Vec::new();
    let (mut at, mut upto) = (0, 0);
    loop {
        let (old, new) = (before.get(at), after.get(upto));
        let order = match (old, new) {
            (Some((old, _)), Some((new, _))) => old.cmp(new),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => return pairs,
        };
        let (old, new) =
            (old.filter(|_| order != Ordering::Greater), new.filter(|_| order != Ordering::Less));
        at += usize::from(old.is_some());
        upto += usize::from(new.is_some());
        if old != new
            && let Some(name) = new.or(old).and_then(|(name, _)| plain_name(name))
        {
            let (old, new) = (old.map(|(_, id)| id), new.map(|(_, id)| id));
            pairs.push(Pair { name: name.to_owned(), old, new });
        }
    }
}
