//! [`RollUp`]: joins small packs into larger ones.
//!
//! Every append makes a pack, and every look-up of an object tries every pack: left alone, a
//! repository would grow slow, and after a few thousand packs unreadable. git cannot help: where objects
//! are precious it refuses to delete packs. So a writer joins its own packs whenever there are too many,
//! as git's geometric repack chooses them: each that stays is at least twice as large as all
//! smaller ones together, so that a byte is copied only a few times in its life.
//!
//! Entries are copied as they stand, each checked against the checksum in its index. A joined pack is on
//! disk before the packs in it go.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use gix::ObjectId;
use gix::odb::pack::index;

use crate::StoreError;
use crate::disk::Disk;
use crate::pack::PackWriter;

/// Packs are joined when there are this many.
const PACKS_MAX: usize = 32;

/// Bytes of a pack that is left as it is: joining larger ones would keep submissions waiting.
const PACK_BYTES_MAX: u64 = 512 * 1024 * 1024;

/// Types of entries from here on are deltas or unknown: they need other entries near them.
const FIRST_DELTA_TYPE: u8 = 5;

/// Joins packs, and remembers which ones are not ours to join.
#[derive(Debug, Default)]
pub(crate) struct RollUp {
    foreign: BTreeSet<PathBuf>,
}

/// A pack of ours.
#[derive(Debug)]
struct Pack {
    /// Its index; the pack is beside it.
    index: PathBuf,
    bytes: u64,
}

/// An object in a pack: `offset..end` is its entry.
struct Span {
    id: ObjectId,
    crc32: u32,
    offset: u64,
    end: u64,
}

impl RollUp {
    /// Joins packs if there are too many. Failing is no error: everything stays where it is, and the next
    /// append tries again. A failed sync is remembered by `disk`.
    pub(crate) fn run(&mut self, folder: &Path, hash: gix::hash::Kind, disk: &mut Disk) {
        let Ok(packs) = self.own_packs(folder) else { return };
        if packs.len() < PACKS_MAX {
            return;
        }
        let joined = choose(packs);
        if let Err(Failure::Foreign(index)) = join(&joined, folder, hash, disk) {
            self.foreign.insert(index);
        }
    }

    /// Packs that no program but a writer of ours has touched: git adds more files to those it makes or
    /// keeps. None at all when there is a multi-pack-index, which must not lose a pack it lists.
    fn own_packs(&self, folder: &Path) -> io::Result<Vec<Pack>> {
        let mut names = BTreeSet::new();
        for entry in std::fs::read_dir(folder)? {
            names.insert(entry?.path());
        }
        if names.contains(&folder.join("multi-pack-index")) {
            return Ok(vec![]);
        }
        let mut packs = Vec::new();
        for index in names.iter().filter(|path| path.extension().is_some_and(|end| end == "idx")) {
            let pack = index.with_extension("pack");
            let siblings = names.iter().filter(|path| path.file_stem() == index.file_stem());
            if siblings.count() != 2 || !names.contains(&pack) || self.foreign.contains(index) {
                continue;
            }
            let bytes = pack.metadata()?.len();
            if bytes <= PACK_BYTES_MAX {
                packs.push(Pack { index: index.clone(), bytes });
            }
        }
        Ok(packs)
    }
}

/// The smaller packs, up to the first that is twice as large as all before it together.
fn choose(mut packs: Vec<Pack>) -> Vec<Pack> {
    packs.sort_by_key(|pack| pack.bytes);
    let mut together = 0;
    let mut end = 0;
    for (position, pack) in packs.iter().enumerate() {
        if position >= 2 && pack.bytes >= 2 * together && is_geometric(&packs[position..]) {
            break;
        }
        together += pack.bytes;
        end = position + 1;
    }
    packs.truncate(end);
    packs
}

fn is_geometric(packs: &[Pack]) -> bool {
    packs.is_sorted_by(|small, large| large.bytes >= 2 * small.bytes)
}

/// Why packs were not joined.
enum Failure {
    /// This one holds deltas: git made it.
    Foreign(PathBuf),
    /// Something could not be read or written, or is damaged.
    Failed,
}

impl From<io::Error> for Failure {
    fn from(_: io::Error) -> Self {
        Self::Failed
    }
}

impl From<StoreError> for Failure {
    fn from(_: StoreError) -> Self {
        Self::Failed
    }
}

fn join(
    packs: &[Pack],
    folder: &Path,
    hash: gix::hash::Kind,
    disk: &mut Disk,
) -> Result<(), Failure> {
    let mut seen = BTreeSet::new();
    let mut contents = Vec::new();
    for pack in packs {
        let mut spans = spans(pack, hash)?;
        spans.retain(|span| seen.insert(span.id));
        contents.push(spans);
    }
    let count = u32::try_from(seen.len()).map_err(|_| Failure::Failed)?;
    let mut joined = PackWriter::create(folder, hash, count)?;
    for (pack, spans) in packs.iter().zip(&contents) {
        copy(pack, spans, &mut joined)?;
    }
    let joined = joined.finish(disk)?;
    for pack in packs.iter().filter(|pack| pack.index != joined) {
        // Without its index a pack is no longer looked at. If the rest fails, it is a leftover
        // that the next writer removes.
        std::fs::remove_file(&pack.index)?;
        std::fs::remove_file(pack.index.with_extension("pack"))?;
    }
    Ok(())
}

/// Where the objects are, in the order of the file.
fn spans(pack: &Pack, hash: gix::hash::Kind) -> Result<Vec<Span>, Failure> {
    let index = index::File::at(&pack.index, hash).map_err(|_| Failure::Failed)?;
    let mut spans = Vec::new();
    for entry in index.iter() {
        let crc32 = entry.crc32.ok_or(Failure::Failed)?;
        spans.push(Span { id: entry.oid, crc32, offset: entry.pack_offset, end: 0 });
    }
    spans.sort_by_key(|span| span.offset);
    let mut end = pack.bytes.saturating_sub(hash.len_in_bytes() as u64);
    for span in spans.iter_mut().rev() {
        span.end = end;
        end = span.offset;
    }
    Ok(spans)
}

fn copy(pack: &Pack, spans: &[Span], joined: &mut PackWriter) -> Result<(), Failure> {
    let mut file = BufReader::new(File::open(pack.index.with_extension("pack"))?);
    let mut at = 0;
    let mut entry = Vec::new();
    for span in spans {
        if span.offset != at {
            file.seek(SeekFrom::Start(span.offset))?;
        }
        at = span.end;
        let length = span.end.checked_sub(span.offset).ok_or(Failure::Failed)?;
        entry.clear();
        file.by_ref().take(length).read_to_end(&mut entry)?;
        if crc32fast::hash(&entry) != span.crc32 {
            return Err(Failure::Failed);
        }
        if entry.first().is_none_or(|byte| (byte >> 4) & 7 >= FIRST_DELTA_TYPE) {
            return Err(Failure::Foreign(pack.index.clone()));
        }
        joined.add_raw(span.id, span.crc32, &entry)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(sizes: &[u64]) -> usize {
        let packs = sizes.iter().map(|bytes| Pack { index: PathBuf::new(), bytes: *bytes });
        choose(packs.collect()).len()
    }

    #[test]
    fn small_packs_are_joined_and_much_larger_ones_stay() {
        assert_eq!(chosen(&[1; 32]), 32);
        assert_eq!(chosen(&[1, 1, 1, 100, 200]), 3);
        assert_eq!(chosen(&[1, 1, 1, 5, 200]), 4);
        assert_eq!(chosen(&[1, 1, 1, 100, 150]), 5);
    }

    #[test]
    fn a_byte_is_copied_only_a_few_times() {
        let (mut packs, mut copied) = (Vec::new(), 0);
        for _ in 0..10_000 {
            packs.extend([1]);
            if packs.len() >= PACKS_MAX {
                packs.sort_unstable();
                let joined: u64 = packs.drain(..chosen(&packs)).sum();
                copied += joined;
                packs.push(joined);
            }
        }
        assert!(packs.len() < PACKS_MAX);
        assert!(copied < 10 * 10_000, "{copied}");
    }
}
