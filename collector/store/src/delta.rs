//! Deltas between versions of a folder, in the format of git's packs (`gitformat-pack(5)`, "Deltified
//! representation"). Pure.
//!
//! Entries are compared, not bytes: versions of a folder share most of them, in the same order, so one
//! walk along both finds all that can be copied.

use std::cmp::Ordering;

use crate::tree::{MalformedTree, RawEntry, entries};

/// Bytes that one instruction can insert.
const INSERT_MAX: usize = 127;

/// Bytes that one of our instructions copies. The format allows more, but then in two ways.
const COPY_MAX: usize = 0xffff;

/// What makes `target` of `base`.
pub(crate) fn between(base: &[u8], target: &[u8]) -> Result<Vec<u8>, MalformedTree> {
    let mut delta = Delta::new(base.len(), target.len());
    let mut old = entries(base).peekable();
    for entry in entries(target) {
        let entry = entry?;
        while old.next_if(|old| old.is_ok_and(|old| sorts_before(&old, &entry))).is_some() {}
        match old.next_if(|old| old.is_ok_and(|old| old.bytes == entry.bytes)) {
            Some(same) => delta.copy(same?.offset, entry.bytes.len()),
            None => delta.insert(entry.bytes),
        }
    }
    Ok(delta.finish())
}

fn sorts_before(old: &RawEntry<'_>, new: &RawEntry<'_>) -> bool {
    old.order(new.name, new.is_folder) == Ordering::Less
}

/// A delta that is being written.
struct Delta {
    bytes: Vec<u8>,
    /// Where to copy from, and how much, if the last instruction is to copy.
    copied: Option<(usize, usize)>,
    inserted: Vec<u8>,
}

impl Delta {
    fn new(base: usize, target: usize) -> Self {
        let mut bytes = Vec::new();
        for mut size in [base, target] {
            while size > 0x7f {
                bytes.push(size as u8 | 0x80);
                size >>= 7;
            }
            bytes.push(size as u8);
        }
        Self { bytes, copied: None, inserted: Vec::new() }
    }

    fn copy(&mut self, offset: usize, length: usize) {
        self.flush_inserted();
        match &mut self.copied {
            Some((start, copied)) if *start + *copied == offset => *copied += length,
            _ => {
                self.flush_copied();
                self.copied = Some((offset, length));
            }
        }
    }

    fn insert(&mut self, bytes: &[u8]) {
        self.flush_copied();
        self.inserted.extend(bytes);
    }

    fn flush_inserted(&mut self) {
        for piece in std::mem::take(&mut self.inserted).chunks(INSERT_MAX) {
            self.bytes.push(piece.len() as u8);
            self.bytes.extend(piece);
        }
    }

    fn flush_copied(&mut self) {
        let Some((mut offset, mut left)) = self.copied.take() else { return };
        while left > 0 {
            let length = left.min(COPY_MAX);
            let operands = (offset as u32)
                .to_le_bytes()
                .into_iter()
                .chain([length as u8, (length >> 8) as u8]);
            let at = self.bytes.len();
            self.bytes.push(0x80);
            for (bit, byte) in operands.enumerate().filter(|(_, byte)| *byte != 0) {
                self.bytes[at] |= 1 << bit;
                self.bytes.push(byte);
            }
            (offset, left) = (offset + length, left - length);
        }
    }

    fn finish(mut self) -> Vec<u8> {
        self.flush_inserted();
        self.flush_copied();
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn tree(entries: &[(u16, u8)]) -> Vec<u8> {
        let entries: BTreeMap<u16, u8> = entries.iter().copied().collect();
        let entry = |(name, byte)| {
            let name = format!("40000 {name:05}\0").into_bytes();
            [name, vec![byte; 20]].concat()
        };
        entries.into_iter().flat_map(entry).collect()
    }

    /// As git does it.
    fn apply(base: &[u8], delta: &[u8]) -> Vec<u8> {
        let mut delta = delta.iter().copied();
        let mut number = || {
            let mut number = 0;
            for shift in (0..).step_by(7) {
                let byte = delta.next().unwrap();
                number |= usize::from(byte & 0x7f) << shift;
                if byte & 0x80 == 0 {
                    break;
                }
            }
            number
        };
        let (base_size, size) = (number(), number());
        assert_eq!(base_size, base.len());
        let mut target = Vec::new();
        while let Some(instruction) = delta.next() {
            if instruction & 0x80 == 0 {
                assert_ne!(instruction, 0);
                target.extend(delta.by_ref().take(instruction.into()));
                continue;
            }
            let mut operand = |bits: std::ops::Range<u8>| {
                let bytes = bits.clone().filter(|bit| instruction & (1 << bit) != 0);
                bytes
                    .map(|bit| usize::from(delta.next().unwrap()) << (8 * (bit - bits.start)))
                    .sum::<usize>()
            };
            let (offset, length) = (operand(0..4), operand(4..7));
            target.extend(&base[offset..offset + length]);
        }
        assert_eq!(target.len(), size);
        target
    }

    proptest! {
        #[test]
        fn a_delta_makes_the_target_of_the_base(
            base in proptest::collection::vec((0..30_u16, 0..3_u8), 0..40),
            target in proptest::collection::vec((0..30_u16, 0..3_u8), 0..40),
        ) {
            let (base, target) = (tree(&base), tree(&target));
            prop_assert_eq!(apply(&base, &between(&base, &target).unwrap()), target);
        }
    }

    #[test]
    fn an_older_version_of_a_growing_folder_is_a_few_bytes() {
        let entries: Vec<(u16, u8)> = (0..6_000).map(|name| (name, name as u8)).collect();
        let (base, target) = (tree(&entries), tree(&entries[..5_990]));
        let delta = between(&base, &target).unwrap();
        assert!(delta.len() < 40, "{}", delta.len());
        assert_eq!(apply(&base, &delta), target);
    }

    #[test]
    fn what_is_no_folder_has_no_delta() {
        assert_eq!(between(b"", b"nonsense"), Err(MalformedTree));
        assert_eq!(apply(b"nonsense", &between(b"nonsense", b"").unwrap()), b"");
    }
}
