//! Making one pack of several.

use std::io;
use std::path::Path;

use gix::ObjectId;
use gix::hashtable::HashMap;

use super::source::{Entry, Source};
use super::versions::{self, Delta};
use super::{Failure, Pack};
use crate::disk::Disk;
use crate::pack::{Form, PackWriter};

/// The objects of several packs, each once.
pub(super) struct Objects {
    sources: Vec<Source>,
    /// Source and entry of each object, in the order of the packs.
    places: Vec<(usize, usize)>,
    /// Where in `places` an object is.
    positions: HashMap<ObjectId, usize>,
}

impl Objects {
    fn open(packs: &[Pack]) -> Result<Self, Failure> {
        let sources: Result<Vec<Source>, Failure> = packs.iter().map(Source::open).collect();
        let sources = sources?;
        let count = sources.iter().map(|source| source.entries.len()).sum();
        let mut places = Vec::with_capacity(count);
        let mut positions = HashMap::with_capacity_and_hasher(count, Default::default());
        for (at, source) in sources.iter().enumerate() {
            for (number, entry) in source.entries.iter().enumerate() {
                positions.entry(entry.id).or_insert_with(|| {
                    places.push((at, number));
                    places.len() - 1
                });
            }
        }
        Ok(Self { sources, places, positions })
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Entry> {
        (0..self.places.len()).filter_map(|position| Some(self.at(position)?.1))
    }

    pub(super) fn get(&self, id: &ObjectId) -> Option<&Entry> {
        Some(self.at(*self.positions.get(id)?)?.1)
    }

    /// What an object that stands by itself holds.
    pub(super) fn inflated(&self, id: &ObjectId) -> Option<Vec<u8>> {
        let (source, entry) = self.at(*self.positions.get(id)?)?;
        source.inflated(entry)
    }

    fn at(&self, position: usize) -> Option<(&Source, &Entry)> {
        let (source, number) = self.places.get(position)?;
        let source = self.sources.get(*source)?;
        Some((source, source.entries.get(*number)?))
    }
}

/// Writes what is in the packs as one, makes that durable, and removes them.
pub(super) fn join(packs: &[Pack], folder: &Path, disk: &mut Disk) -> Result<(), Failure> {
    let objects = Objects::open(packs)?;
    let deltas = versions::deltas(&objects);
    let order = bases_first(&objects, &deltas);
    let order =
        order.map_err(|source| packs.get(source).map_or(Failure::Refused, Pack::unusable))?;
    let count = u32::try_from(order.len()).map_err(|_| Failure::Refused)?;
    let mut joined = PackWriter::create(folder, count)?;
    for position in order {
        let (source, entry) = objects.at(position).ok_or(Failure::Refused)?;
        let (form, size, deflated) = match deltas.get(&entry.id) {
            Some(delta) => (delta.form(), delta.size, Some(&*delta.deflated)),
            None => (entry.form, entry.size, source.deflated(entry)),
        };
        joined.add(entry.id, form, size, deflated.ok_or(Failure::Refused)?)?;
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

/// The positions of all objects, each base before the deltas that need it.
///
/// # Errors
/// The number of a source with deltas that need one another, or a base that is elsewhere.
fn bases_first(objects: &Objects, deltas: &HashMap<ObjectId, Delta>) -> Result<Vec<usize>, usize> {
    let count = objects.places.len();
    let mut order = Vec::with_capacity(count);
    let mut is_there = vec![false; count];
    for position in 0..count {
        let mut chain = vec![position];
        while let Some(&position) = chain.last() {
            let (source, number) = objects.places[position];
            let entry = &objects.sources[source].entries[number];
            let base = match deltas.get(&entry.id).map_or(entry.form, Delta::form) {
                Form::Delta { base } => Some(*objects.positions.get(&base).ok_or(source)?),
                Form::Full(_) => None,
            };
            match base.filter(|base| !is_there[*base]) {
                Some(base) => chain.push(base),
                None => {
                    if !std::mem::replace(&mut is_there[position], true) {
                        order.push(position);
                    }
                    chain.pop();
                }
            }
            if chain.len() > count {
                return Err(source);
            }
        }
    }
    Ok(order)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pack::Deflater;
    use gix::objs::Kind;

    #[test]
    fn a_pack_whose_deltas_lead_nowhere_is_to_blame() {
        let folder = tempfile::tempdir().unwrap();
        let mut disk = Disk::default();
        let [base, id] = [1_u8, 2].map(|number| ObjectId::from_bytes_or_panic(&[number; 20]));
        let mut pack = PackWriter::create(folder.path(), 2).unwrap();
        let deflated = Deflater::new().deflate(b"content").unwrap();
        pack.add(base, Form::Full(Kind::Blob), 7, &deflated).unwrap();
        pack.add(id, Form::Delta { base }, 7, &deflated).unwrap();
        let packs = [Pack { index: pack.finish(&mut disk).unwrap(), bytes: 0 }];
        let Ok(mut objects) = Objects::open(&packs) else { panic!("the pack is sound") };
        let none = HashMap::default();
        assert_eq!(bases_first(&objects, &none), Ok(vec![0, 1]));
        // As a stranger may have made it.
        objects.sources[0].entries[0].form = Form::Delta { base: id };
        assert_eq!(bases_first(&objects, &none), Err(0));
        objects.positions.clear();
        assert_eq!(bases_first(&objects, &none), Err(0));
    }

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
