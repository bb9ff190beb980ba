//! [`Choice`]: which packs are made anew.
//!
//! Packs are counted in objects, not in bytes: a pack as it was written has ten times the bytes that it will
//! have. A list beside the packs names those that were made by maintenance. Losing it costs nothing but a
//! repetition.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::PackScope;
use crate::listing::list;
use crate::{Action, StoreError};

/// The list of packs made by maintenance: names of indexes, one a line.
const LIST: &str = "../info/pony-maintained";

/// Bytes of packs that were never maintained from which it is worth while.
const DUE_BYTES: u64 = 16 * 1024 * 1024;

/// Age from which less is worth while.
const DUE_AGE: Duration = Duration::from_secs(24 * 3600);

/// Each pack that stays has at least so many times the objects of all smaller ones.
const FACTOR: u64 = 2;

/// Where the last number of an index's fan-out table is: how many objects there are (`gitformat-pack(5)`).
const COUNT_AT: u64 = 8 + 255 * 4;

/// A pack that may be replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Pack {
    index: PathBuf,
    objects: u64,
    /// Of the pack without its index.
    bytes: u64,
    maintained: bool,
    age: Duration,
}

/// At least one pack.
#[derive(Debug)]
pub(super) struct Choice {
    packs: Vec<Pack>,
}

/// The indexes of all packs but those that somebody wants kept.
pub(crate) fn indexes(folder: &Path) -> io::Result<Vec<PathBuf>> {
    Ok(packs(folder, &BTreeSet::new())?.into_iter().map(|pack| pack.index).collect())
}

/// Whether enough has come since the last time.
pub(super) fn is_due(folder: &Path) -> io::Result<bool> {
    Ok(is_worth_while(&packs(folder, &BTreeSet::new())?))
}

fn is_worth_while(packs: &[Pack]) -> bool {
    let fresh = || packs.iter().filter(|pack| !pack.maintained);
    let bytes: u64 = fresh().map(|pack| pack.bytes).sum();
    bytes >= DUE_BYTES || fresh().any(|pack| pack.age >= DUE_AGE)
}

impl Choice {
    /// `None` when nothing would become better.
    pub(super) fn of(
        folder: &Path,
        scope: PackScope,
        reserved: &BTreeSet<PathBuf>,
    ) -> io::Result<Option<Self>> {
        let packs = choose(packs(folder, reserved)?, scope);
        Ok((!packs.is_empty()).then_some(Self { packs }))
    }

    /// The indexes of the packs.
    pub(super) fn indexes(&self) -> impl Iterator<Item = &Path> {
        self.packs.iter().map(|pack| &*pack.index)
    }
}

/// Notes that the pack with this index need not be made again.
pub(crate) fn note_maintained(folder: &Path, index: &Path) -> Result<(), StoreError> {
    let path = folder.join(LIST);
    let mut names = listed(folder);
    // Those that are gone by now, or will be.
    names.retain(|name| folder.join(name).exists());
    names.extend(index.file_name().map(|name| name.to_string_lossy().into_owned()));
    let text: String = names.iter().map(|name| format!("{name}\n")).collect();
    let written = path.with_extension("new");
    fs::create_dir_all(path.parent().unwrap_or(folder))
        .and_then(|()| fs::write(&written, text))
        .and_then(|()| fs::rename(&written, &path))
        .map_err(StoreError::io(Action::Write, &path))
}

fn listed(folder: &Path) -> BTreeSet<String> {
    let text = fs::read_to_string(folder.join(LIST)).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

/// All packs but those that somebody wants kept, or is working on.
fn packs(folder: &Path, reserved: &BTreeSet<PathBuf>) -> io::Result<Vec<Pack>> {
    let listed = listed(folder);
    let mut packs = Vec::new();
    for index in list(folder)? {
        let is_kept =
            ["keep", "promisor", "mtimes"].iter().any(|kind| index.with_extension(kind).exists());
        if index.extension().is_none_or(|kind| kind != "idx")
            || is_kept
            || reserved.contains(&index)
        {
            continue;
        }
        // The writer may have joined it just now.
        let Ok(metadata) = index.with_extension("pack").metadata() else { continue };
        let Ok(objects) = count(&index) else { continue };
        let age = metadata.modified()?.elapsed().unwrap_or_default();
        let name = index.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let maintained = listed.contains(&name);
        packs.push(Pack { index, objects, bytes: metadata.len(), maintained, age });
    }
    Ok(packs)
}

/// How many objects an index (version 2) lists.
fn count(index: &Path) -> io::Result<u64> {
    let mut file = File::open(index)?;
    file.seek(SeekFrom::Start(COUNT_AT))?;
    let mut count = [0; 4];
    file.read_exact(&mut count)?;
    Ok(u32::from_be_bytes(count).into())
}

fn choose(packs: Vec<Pack>, scope: PackScope) -> Vec<Pack> {
    let (mut chosen, mut old): (Vec<_>, Vec<_>) =
        packs.into_iter().partition(|pack| !pack.maintained);
    let mut together: u64 = chosen.iter().map(|pack| pack.objects).sum();
    old.sort_by_key(|pack| pack.objects);
    // Up to the last pack that is too small for what is below it.
    let mut upto = if scope == PackScope::All { old.len() } else { 0 };
    for (position, pack) in old.iter().enumerate().skip(upto) {
        if pack.objects < FACTOR * together {
            upto = position + 1;
        }
        together += pack.objects;
    }
    chosen.extend(old.drain(..upto));
    // One that was made before would only be made again.
    let is_done = chosen.len() == 1 && chosen.iter().all(|pack| pack.maintained);
    if is_done { Vec::new() } else { chosen }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pack(objects: u64, maintained: bool) -> Pack {
        Pack { index: PathBuf::new(), objects, bytes: 1, maintained, age: Duration::ZERO }
    }

    /// The numbers of objects of the chosen packs.
    fn chosen(fresh: &[u64], maintained: &[u64], scope: PackScope) -> Vec<u64> {
        let fresh = fresh.iter().map(|objects| pack(*objects, false));
        let maintained = maintained.iter().map(|objects| pack(*objects, true));
        choose(fresh.chain(maintained).collect(), scope).iter().map(|pack| pack.objects).collect()
    }

    #[test]
    fn a_large_old_pack_stays_while_little_comes() {
        assert_eq!(chosen(&[3, 1, 2], &[1000], PackScope::Recent), [3, 1, 2]);
        assert_eq!(chosen(&[3, 1, 2], &[1000, 10], PackScope::Recent), [3, 1, 2, 10]);
        assert_eq!(chosen(&[30, 70], &[1000, 150, 2500], PackScope::Recent), [30, 70, 150]);
        assert_eq!(chosen(&[600], &[1000], PackScope::Recent), [600, 1000]);
    }

    #[test]
    fn what_was_maintained_is_not_done_again() {
        assert_eq!(chosen(&[], &[1000], PackScope::Recent), [0_u64; 0]);
        assert_eq!(chosen(&[], &[1000, 100], PackScope::Recent), [0_u64; 0]);
        assert_eq!(chosen(&[], &[1000], PackScope::All), [0_u64; 0]);
        assert_eq!(chosen(&[], &[1000, 100], PackScope::All), [100, 1000]);
        assert_eq!(chosen(&[5], &[], PackScope::Recent), [5]);
    }

    #[test]
    fn much_at_once_is_worth_while_and_little_after_a_day() {
        let fresh = |bytes, age| Pack { bytes, age, ..pack(1, false) };
        let hour = Duration::from_secs(3600);
        assert!(!is_worth_while(&[]));
        assert!(!is_worth_while(&[fresh(DUE_BYTES - 1, hour)]));
        assert!(is_worth_while(&[fresh(DUE_BYTES / 2, hour), fresh(DUE_BYTES / 2, hour)]));
        assert!(is_worth_while(&[fresh(1, hour), fresh(1, 24 * hour)]));
        let old = Pack { bytes: 100 * DUE_BYTES, age: 1000 * hour, ..pack(1, true) };
        assert!(!is_worth_while(&[old, fresh(1, hour)]));
    }

    #[test]
    fn an_object_is_made_anew_only_a_few_times() {
        let (mut maintained, mut work) = (Vec::new(), 0);
        for _ in 0..1000 {
            let fresh = pack(10, false);
            let all = maintained.iter().map(|objects| pack(*objects, true));
            let made: u64 = {
                let chosen = choose(all.chain([fresh]).collect(), PackScope::Recent);
                for pack in chosen.iter().filter(|pack| pack.maintained) {
                    let at = maintained.iter().position(|objects| *objects == pack.objects);
                    maintained.remove(at.unwrap());
                }
                chosen.iter().map(|pack| pack.objects).sum()
            };
            work += made;
            maintained.push(made);
            assert!(maintained.len() < 12, "{maintained:?}");
        }
        assert!(work < 10 * 1000 * 10, "{work}");
    }
}
