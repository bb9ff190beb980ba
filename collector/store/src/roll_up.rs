//! [`RollUp`]: joins small packs into larger ones.
//!
//! Every batch makes a pack, and every look-up of an object tries every pack: left alone, a
//! repository would grow slow, and after a few thousand packs unreadable. git cannot help: where objects
//! are precious it refuses to delete packs. So a writer joins packs whenever there are too many,
//! as git's geometric repack chooses them: each that stays is at least twice as large as all
//! smaller ones together, so that a byte is copied only a few times in its life.
//!
//! Entries are copied as they stand, each checked against the checksum in its index (`source`, `join`). But
//! a pack of one commit has the folders that it changed in full; where several versions of a folder come
//! together, only the last stays so, and the older ones become deltas (`versions`). Without that, the bytes
//! of a day would grow with the square of its results.
//!
//! A joined pack is on disk before the packs in it go. What is damaged, or is needed by a
//! multi-pack-index, is left alone.

mod join;
mod source;
mod versions;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use gix::odb::pack::multi_index;

use crate::StoreError;
use crate::disk::Disk;
use crate::layout::RESULT_BYTES_MAX;
use crate::listing::list;
use crate::reserved::Reserved;

/// Packs are joined when there are this many.
const PACKS_MAX: usize = 32;

/// Bytes of a pack from which it is left as it is.
const PACK_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// Bytes that are joined at a time: the submission behind which it happens is waiting. Any two packs fit.
const JOINED_BYTES_MAX: u64 = 2 * PACK_BYTES_MAX;

/// Joins packs, and remembers which ones cannot be joined.
#[derive(Debug, Default)]
pub(crate) struct RollUp {
    unusable: BTreeSet<PathBuf>,
    reserved: Reserved,
}

/// A pack of ours.
#[derive(Debug)]
struct Pack {
    /// Its index; the pack is beside it.
    index: PathBuf,
    bytes: u64,
}

impl RollUp {
    /// Leaves packs alone that are reserved by maintenance.
    pub(crate) fn new(reserved: Reserved) -> Self {
        Self { unusable: BTreeSet::new(), reserved }
    }

    /// Joins packs if there are too many. Failing is no error: everything stays where it is, and the next
    /// append tries again. A failed sync is remembered by `disk`.
    pub(crate) fn run(&mut self, folder: &Path, disk: &mut Disk) {
        self.join_from(PACKS_MAX, folder, disk);
    }

    /// Joins packs if there are any to join.
    pub(crate) fn run_now(&mut self, folder: &Path, disk: &mut Disk) {
        self.join_from(2, folder, disk);
    }

    fn join_from(&mut self, count_min: usize, folder: &Path, disk: &mut Disk) {
        // To the end: what is about to be joined cannot be reserved.
        let reserved = self.reserved.clone();
        let reserved = reserved.hold();
        let Ok(mut packs) = self.own_packs(folder) else { return };
        packs.retain(|pack| !reserved.contains(&pack.index));
        if packs.len() < count_min {
            return;
        }
        let joined = choose(packs);
        if let Err(Failure::Unusable(index)) = join::join(&joined, folder, disk) {
            self.unusable.insert(index);
        }
    }

    /// Packs that may go: no file beside them says that they must stay, no multi-pack-index lists them, and
    /// they were not found unusable. What git has received is among them.
    fn own_packs(&self, folder: &Path) -> io::Result<Vec<Pack>> {
        let mut files: BTreeMap<PathBuf, BTreeSet<PathBuf>> = BTreeMap::new();
        for path in list(folder)? {
            files.entry(path.with_extension("")).or_default().insert(path);
        }
        let Some(listed) = listed_packs(folder) else { return Ok(vec![]) };
        let mut packs = Vec::new();
        for (stem, mut files) in files {
            let (index, pack) = (stem.with_extension("idx"), stem.with_extension("pack"));
            files.remove(&stem.with_extension("rev"));
            let is_listed = index.file_name().is_some_and(|name| listed.contains(Path::new(name)));
            if files.iter().eq([&index, &pack]) && !is_listed && !self.unusable.contains(&index) {
                let bytes = pack.metadata()?.len();
                packs.push(Pack { index, bytes });
            }
        }
        packs.retain(|pack| pack.bytes < PACK_BYTES_MAX);
        Ok(packs)
    }
}

/// The names of the packs that a multi-pack-index needs. `None` when it cannot be read, or is in several
/// files: then it may be any.
fn listed_packs(folder: &Path) -> Option<BTreeSet<PathBuf>> {
    if folder.join("multi-pack-index.d").exists() {
        return None;
    }
    let path = folder.join("multi-pack-index");
    if !path.exists() {
        return Some(BTreeSet::new());
    }
    let listed = multi_index::File::at(&path, Some(RESULT_BYTES_MAX)).ok()?;
    Some(listed.index_names().iter().cloned().collect())
}

/// The smaller packs, up to the first that is twice as large as all before it together, or too much.
fn choose(mut packs: Vec<Pack>) -> Vec<Pack> {
    packs.sort_by_key(|pack| pack.bytes);
    let mut together = 0;
    let mut end = 0;
    for (position, pack) in packs.iter().enumerate() {
        if together + pack.bytes > JOINED_BYTES_MAX {
            break;
        }
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
    /// The pack with this index cannot be read, or is damaged.
    Unusable(PathBuf),
    /// The system did not let us, this time.
    Refused,
}

impl From<StoreError> for Failure {
    fn from(_: StoreError) -> Self {
        Self::Refused
    }
}

impl Pack {
    fn path(&self) -> PathBuf {
        self.index.with_extension("pack")
    }

    fn unusable(&self) -> Failure {
        Failure::Unusable(self.index.clone())
    }
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

    /// Appends packs of so many bytes. Returns how many bytes were copied, most at once, and how many packs
    /// there are.
    fn simulate(count: u64, bytes: u64) -> (u64, u64, usize) {
        let (mut packs, mut done) = (Vec::new(), 0);
        let (mut copied, mut most) = (0, 0);
        for _ in 0..count {
            packs.push(bytes);
            if packs.len() >= PACKS_MAX {
                packs.sort_unstable();
                let joined: u64 = packs.drain(..chosen(&packs)).sum();
                (copied, most) = (copied + joined, most.max(joined));
                packs.push(joined);
            }
            let before = packs.len();
            packs.retain(|bytes| *bytes < PACK_BYTES_MAX);
            done += before - packs.len();
            assert!(packs.len() < PACKS_MAX);
        }
        (copied, most, done + packs.len())
    }

    #[test]
    fn a_byte_is_copied_only_a_few_times() {
        let (copied, ..) = simulate(10_000, 1);
        assert!(copied < 10 * 10_000, "{copied}");
    }

    #[test]
    fn no_submission_waits_for_more_than_the_limit() {
        for bytes in [50_000, 1 << 20, 20 << 20] {
            let (copied, most, packs) = simulate(10_000, bytes);
            assert!(most <= JOINED_BYTES_MAX, "{most}");
            assert!(copied < 10 * 10_000 * bytes, "{copied}");
            let least = usize::try_from(10_000 * bytes / PACK_BYTES_MAX).unwrap();
            assert!(packs < least + PACKS_MAX, "{packs} of {bytes}");
        }
    }
}
