//! Making one pack of several.

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::Path;

use gix::ObjectId;

use super::source::{Entry, Source};
use super::versions::{self, Delta};
use super::{Failure, Pack};
use crate::disk::Disk;
use crate::pack::{Form, PackWriter};

/// The objects of several packs, each once.
pub(super) struct Objects {
    sources: Vec<Source>,
    /// Which source has an object, and where.
    entries: HashMap<ObjectId, (usize, Entry)>,
    /// In the order of the packs.
    order: Vec<ObjectId>,
}

impl Objects {
    fn open(packs: &[Pack]) -> Result<Self, Failure> {
        let sources: Result<Vec<Source>, Failure> = packs.iter().map(Source::open).collect();
        let mut objects = Self { sources: sources?, entries: HashMap::new(), order: Vec::new() };
        for (at, source) in objects.sources.iter().enumerate() {
            for entry in &source.entries {
                objects.entries.entry(entry.id).or_insert_with(|| {
                    objects.order.push(entry.id);
                    (at, entry.clone())
                });
            }
        }
        Ok(objects)
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.order.iter().filter_map(|id| self.get(id))
    }

    pub(super) fn get(&self, id: &ObjectId) -> Option<&Entry> {
        self.entries.get(id).map(|(_, entry)| entry)
    }

    /// What an object that stands by itself holds.
    pub(super) fn inflated(&self, id: &ObjectId) -> Option<Vec<u8>> {
        let (at, entry) = self.entries.get(id)?;
        self.sources.get(*at)?.inflated(entry)
    }

    fn deflated(&self, id: &ObjectId) -> Option<&[u8]> {
        let (at, entry) = self.entries.get(id)?;
        self.sources.get(*at)?.deflated(entry)
    }
}

/// Writes what is in the packs as one, makes that durable, and removes them.
pub(super) fn join(packs: &[Pack], folder: &Path, disk: &mut Disk) -> Result<(), Failure> {
    let objects = Objects::open(packs)?;
    let deltas = versions::deltas(&objects);
    let count = u32::try_from(objects.order.len()).map_err(|_| Failure::Refused)?;
    let mut joined = PackWriter::create(folder, count)?;
    for id in bases_first(&objects, &deltas).ok_or(Failure::Refused)? {
        let (form, size, deflated) = match (deltas.get(&id), objects.get(&id)) {
            (Some(delta), _) => (delta.form(), delta.size, Some(&*delta.deflated)),
            (None, Some(entry)) => (entry.form, entry.size, objects.deflated(&id)),
            (None, None) => return Err(Failure::Refused),
        };
        joined.add(id, form, size, deflated.ok_or(Failure::Refused)?)?;
    }
    let joined = joined.finish(disk)?;
    drop(objects);
    for pack in packs.iter().filter(|pack| pack.index != joined) {
        // Without its index a pack is no longer looked at. If the rest fails, it is a leftover
        // that a later writer removes.
        for path in [&pack.index, &pack.index.with_extension("rev"), &pack.path()] {
            match std::fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(Failure::Refused);
                }
                _ => {}
            }
        }
    }
    Ok(())
}

/// All objects, each base before the deltas that need it. `None` when deltas need one another, or a base that
/// is elsewhere.
fn bases_first(objects: &Objects, deltas: &HashMap<ObjectId, Delta>) -> Option<Vec<ObjectId>> {
    let mut order = Vec::with_capacity(objects.order.len());
    let mut is_there = HashSet::with_capacity(objects.order.len());
    for id in &objects.order {
        let mut chain = vec![*id];
        while let Some(id) = chain.last() {
            let form = deltas.get(id).map(Delta::form).or(objects.get(id).map(|entry| entry.form));
            match form? {
                Form::Delta { base } if !is_there.contains(&base) => chain.push(base),
                _ => {
                    if is_there.insert(*id) {
                        order.push(*id);
                    }
                    chain.pop();
                }
            }
            if chain.len() > objects.order.len() {
                return None;
            }
        }
    }
    Some(order)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pack::Deflater;
    use gix::objs::Kind;

    #[test]
    fn a_commit_that_claims_to_be_huge_takes_no_memory() {
        let folder = tempfile::tempdir().unwrap();
        let mut disk = Disk::default();
        let packs = [1_u8, 2].map(|number| {
            let id = ObjectId::from_bytes_or_panic(&[number; 20]);
            let deflated = Deflater::new().deflate(b"no commit").unwrap();
            let mut pack = PackWriter::create(folder.path(), 1).unwrap();
            pack.add(id, Form::Full(Kind::Commit), 1 << 63, &deflated).unwrap();
            Pack { index: pack.finish(&mut disk).unwrap(), bytes: 0 }
        });
        assert!(join(&packs, folder.path(), &mut disk).is_ok());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
