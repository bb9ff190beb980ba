//! The entries of a pack, as they stand.

use std::collections::HashMap;
use std::ops::Range;

use gix::ObjectId;
use gix::odb::pack::data::entry::Header;
use gix::odb::pack::{data, index};

use super::{Failure, Pack};
use crate::layout::{HASH, RESULT_BYTES_MAX};
use crate::objects::is_refusal;
use crate::pack::Form;

/// An opened pack, every entry of which was found sound.
pub(super) struct Source {
    file: data::File,
    pub(super) entries: Vec<Entry>,
}

/// An entry of a pack. The base of a delta is in the same pack.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) id: ObjectId,
    pub(super) form: Form,
    /// Bytes when inflated.
    pub(super) size: u64,
    /// Where its compressed bytes are.
    deflated: Range<u64>,
}

impl Source {
    /// Opens a pack and checks each entry against the checksum in the index.
    pub(super) fn open(pack: &Pack) -> Result<Self, Failure> {
        let failed = |error: gix::Error| {
            if is_refusal(&error) { Failure::Refused } else { pack.unusable() }
        };
        let index = index::File::at(&pack.index, HASH).map_err(failed)?;
        let file = data::File::at(pack.path(), HASH).map_err(failed)?;
        let mut spans: Vec<index::Entry> = index.iter().collect();
        spans.sort_by_key(|span| span.pack_offset);
        let ids: HashMap<u64, ObjectId> =
            spans.iter().map(|span| (span.pack_offset, span.oid)).collect();
        let ends = spans.iter().skip(1).map(|next| next.pack_offset);
        let ends = ends.chain([file.pack_end() as u64]);
        let entries = spans.iter().zip(ends).map(|(span, end)| read(&file, &ids, span, end));
        let entries: Option<Vec<Entry>> = entries.collect();
        Ok(Self { file, entries: entries.ok_or_else(|| pack.unusable())? })
    }

    /// The compressed bytes of an entry.
    pub(super) fn deflated(&self, entry: &Entry) -> Option<&[u8]> {
        self.file.entry_slice(entry.deflated.clone())
    }

    /// What an entry holds, unless it says that it is too large to be read by anybody.
    pub(super) fn inflated(&self, entry: &Entry) -> Option<Vec<u8>> {
        let size = usize::try_from(entry.size).ok().filter(|size| *size <= RESULT_BYTES_MAX)?;
        let mut content = vec![0; size];
        let mut inflate = gix::zlib::Inflate::default();
        let (status, _, written) = inflate.once(self.deflated(entry)?, &mut content).ok()?;
        let is_whole = status == gix::zlib::Status::StreamEnd && written == content.len();
        is_whole.then_some(content)
    }
}

/// The entry at `span`, if it is what the index says.
fn read(
    file: &data::File,
    ids: &HashMap<u64, ObjectId>,
    span: &index::Entry,
    end: u64,
) -> Option<Entry> {
    let start = span.pack_offset;
    let bytes = file.entry_slice(start..end)?;
    if crc32fast::hash(bytes) != span.crc32? {
        return None;
    }
    let entry = data::Entry::from_bytes(bytes, start, HASH).ok()?;
    let form = match entry.header {
        Header::OfsDelta { base_distance } => {
            let base = ids.get(&start.checked_sub(base_distance)?)?;
            Form::Delta { base: *base }
        }
        Header::RefDelta { base_id } => Form::Delta { base: base_id },
        full => Form::Full(full.as_kind()?),
    };
    let (size, deflated) = (entry.decompressed_size, entry.data_offset..end);
    Some(Entry { id: span.oid, form, size, deflated })
}
