//! [`PackWriter`]: a git pack (version 2) and its index (version 2), written whole and made durable.
//!
//! gix can write packs only by reading them back, and has no public writer of indexes; the formats are
//! described in git's `gitformat-pack(5)`. Objects are stored in full, never as deltas: one pack of ours can
//! then be copied into another entry by entry, which [`crate::roll_up`] does.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use flate2::{Compress, Compression, FlushCompress, Status};
use gix::ObjectId;
use gix::objs::Kind;
use gix::odb::pack::data::entry::Header;

use crate::disk::Disk;
use crate::{Action, StoreError};

/// What a pack is called until it is complete. Only the holder of the write lock writes, so fixed names do.
pub(crate) const UNFINISHED: [&str; 2] = ["tmp_pony_pack", "tmp_pony_idx"];

/// Offsets from here on need the index's table of large offsets.
const LARGE_OFFSET: u64 = 1 << 31;

/// A pack that is being written.
pub(crate) struct PackWriter {
    folder: PathBuf,
    path: PathBuf,
    out: BufWriter<File>,
    hasher: gix::hash::Hasher,
    hash: gix::hash::Kind,
    offset: u64,
    entries: Vec<Entry>,
    deflate: Compress,
    buffer: Vec<u8>,
}

/// What the index says of an object.
struct Entry {
    id: ObjectId,
    crc32: u32,
    offset: u64,
}

impl PackWriter {
    /// Starts a pack of exactly `count` objects in the folder `objects/pack`.
    pub(crate) fn create(
        folder: &Path,
        hash: gix::hash::Kind,
        count: u32,
    ) -> Result<Self, StoreError> {
        let path = folder.join(UNFINISHED[0]);
        let file = File::create(&path).map_err(StoreError::io(Action::Create, &path))?;
        let mut writer = Self {
            folder: folder.to_owned(),
            path,
            out: BufWriter::new(file),
            hasher: gix::hash::hasher(hash),
            hash,
            offset: 0,
            entries: Vec::new(),
            // The fastest level: about a third more bytes than the default in half the time, and a
            // later `git repack` may still choose another.
            deflate: Compress::new(Compression::fast(), true),
            buffer: Vec::new(),
        };
        let header = [*b"PACK", 2_u32.to_be_bytes(), count.to_be_bytes()].concat();
        writer.write(&header)?;
        Ok(writer)
    }

    /// Adds an object.
    pub(crate) fn add(&mut self, id: ObjectId, kind: Kind, data: &[u8]) -> Result<(), StoreError> {
        let header = match kind {
            Kind::Blob => Header::Blob,
            Kind::Tree => Header::Tree,
            Kind::Commit => Header::Commit,
            Kind::Tag => Header::Tag,
        };
        let mut entry = std::mem::take(&mut self.buffer);
        entry.clear();
        header
            .write_to(data.len() as u64, &mut entry)
            .and_then(|_| deflate_into(&mut self.deflate, data, &mut entry))
            .map_err(StoreError::io(Action::Write, &self.path))?;
        self.add_raw(id, crc32fast::hash(&entry), &entry)?;
        self.buffer = entry;
        Ok(())
    }

    /// Adds an object as it stands in another pack, header and all. It must not be a delta.
    pub(crate) fn add_raw(
        &mut self,
        id: ObjectId,
        crc32: u32,
        entry: &[u8],
    ) -> Result<(), StoreError> {
        self.entries.push(Entry { id, crc32, offset: self.offset });
        self.write(entry)
    }

    /// Makes the pack durable, and visible: git and gix look at a pack only when it has an index.
    /// Returns the path of the index.
    pub(crate) fn finish(mut self, disk: &mut Disk) -> Result<PathBuf, StoreError> {
        let checksum = self.hasher.clone().try_finalize();
        let checksum = checksum.map_err(StoreError::gix(Action::Hash, &self.path))?;
        self.write(checksum.as_slice())?;
        let file = self.out.into_inner().map_err(|error| error.into_error());
        disk.sync(&file.map_err(StoreError::io(Action::Write, &self.path))?, &self.path)?;

        let index_path = self.folder.join(UNFINISHED[1]);
        let index = index(self.entries, checksum, self.hash);
        disk.write(&index_path, &index.map_err(StoreError::gix(Action::Hash, &index_path))?)?;

        let name = self.folder.join(format!("pack-{checksum}"));
        rename(&self.path, &name.with_extension("pack"))?;
        rename(&index_path, &name.with_extension("idx"))?;
        disk.sync_folder(&self.folder)?;
        Ok(name.with_extension("idx"))
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.hasher.update(bytes);
        self.offset += bytes.len() as u64;
        self.out.write_all(bytes).map_err(StoreError::io(Action::Write, &self.path))
    }
}

fn rename(from: &Path, to: &Path) -> Result<(), StoreError> {
    std::fs::rename(from, to).map_err(StoreError::io(Action::Create, to))
}

fn deflate_into(deflate: &mut Compress, mut data: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
    deflate.reset();
    loop {
        out.reserve(data.len() / 2 + 64);
        let before = deflate.total_in();
        let status = deflate.compress_vec(data, out, FlushCompress::Finish)?;
        if status == Status::StreamEnd {
            return Ok(());
        }
        data = &data[(deflate.total_in() - before) as usize..];
    }
}

/// The index of a pack: a fan-out table, then ids, checksums and offsets in the order of ids.
fn index(
    mut entries: Vec<Entry>,
    pack_checksum: ObjectId,
    hash: gix::hash::Kind,
) -> gix::Result<Vec<u8>> {
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
    let mut hasher = gix::hash::hasher(hash);
    hasher.update(&index);
    index.extend(hasher.try_finalize()?.as_slice());
    Ok(index)
}
