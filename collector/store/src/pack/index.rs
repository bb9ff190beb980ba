//! The index of a pack (version 2): a fan-out table, then ids, checksums and offsets in the order of ids.

use gix::ObjectId;

use crate::layout::HASH;

/// Offsets from here on need the table of large offsets.
const LARGE_OFFSET: u64 = 1 << 31;

/// What the index says of an object.
pub(super) struct Entry {
    pub(super) id: ObjectId,
    pub(super) crc32: u32,
    pub(super) offset: u64,
}

pub(super) fn encode(mut entries: Vec<Entry>, pack_checksum: ObjectId) -> gix::Result<Vec<u8>> {
    entries.sort_unstable_by_key(|entry| entry.id);
    let mut index = b"\xfftOc\0\0\0\x02".to_vec();
    for first in 0..=u8::MAX {
        let upto = entries.partition_point(|entry| entry.id.first_byte() <= first);
        index.extend((upto as u32).to_be_bytes());
    }
    entries.iter().for_each(|entry| index.extend(entry.id.as_slice()));
    entries.iter().for_each(|entry| index.extend(entry.crc32.to_be_bytes()));
    let mut large = Vec::new();
    for entry in &entries {
        let offset = if entry.offset < LARGE_OFFSET {
            entry.offset
        } else {
            large.push(entry.offset);
            LARGE_OFFSET | (large.len() as u64 - 1)
        };
        index.extend((offset as u32).to_be_bytes());
    }
    large.iter().for_each(|offset| index.extend(offset.to_be_bytes()));
    index.extend(pack_checksum.as_slice());
    let mut hasher = gix::hash::hasher(HASH);
    hasher.update(&index);
    index.extend(hasher.try_finalize()?.as_slice());
    Ok(index)
}
