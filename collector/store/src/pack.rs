//! [`PackWriter`]: a git pack (version 2) and its index (version 2), written whole and made durable.
//!
//! gix can write packs only by reading them back, and has no public writer of indexes; the formats are
//! described in git's `gitformat-pack(5)`. A pack is complete in itself: the base of each delta in
//! it is in it, before the delta.

mod deflate;
mod index;

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use gix::ObjectId;
use gix::hashtable::HashMap;
use gix::objs::Kind;
use gix::odb::pack::data::entry::Header;

use crate::disk::Disk;
use crate::layout::HASH;
use crate::{Action, StoreError};

pub(crate) use deflate::Deflater;

/// What a pack is called until it is complete. Only the holder of the write lock writes, so fixed names do.
pub(crate) const UNFINISHED: [&str; 2] = ["tmp_pony_pack", "tmp_pony_idx"];

/// Entries after one another to the base of all, at most. Git's own limit is 50.
pub(crate) const DELTAS_MAX: u8 = 40;

/// How an object stands in a pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// By itself.
    Full(Kind),
    /// As what makes it of another.
    Delta { base: ObjectId },
}

/// An object as it stands in a pack, but for where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Packed {
    pub(crate) id: ObjectId,
    pub(crate) form: Form,
    /// Bytes before they were deflated.
    pub(crate) size: u64,
    pub(crate) deflated: Vec<u8>,
}

impl Packed {
    /// An object in full.
    pub(crate) fn full(
        deflater: &mut Deflater,
        kind: Kind,
        data: &[u8],
    ) -> Result<Self, StoreError> {
        let id = gix::objs::compute_hash(HASH, kind, data)
            .map_err(StoreError::gix(Action::Hash, Path::new("an object")))?;
        let (form, size) = (Form::Full(kind), data.len() as u64);
        Ok(Self { id, form, size, deflated: deflater.deflate(data)? })
    }
}

/// A pack that is being written.
pub(crate) struct PackWriter {
    folder: PathBuf,
    path: PathBuf,
    out: BufWriter<File>,
    hasher: gix::hash::Hasher,
    offset: u64,
    entries: Vec<index::Entry>,
    offsets: HashMap<ObjectId, u64>,
}

impl PackWriter {
    /// Starts a pack of exactly `count` objects in the folder `objects/pack`.
    pub(crate) fn create(folder: &Path, count: u32) -> Result<Self, StoreError> {
        let path = folder.join(UNFINISHED[0]);
        let file = File::create(&path).map_err(StoreError::io(Action::Create, &path))?;
        let mut writer = Self {
            folder: folder.to_owned(),
            path,
            out: BufWriter::new(file),
            hasher: gix::hash::hasher(HASH),
            offset: 0,
            entries: Vec::new(),
            offsets: HashMap::default(),
        };
        let header = [*b"PACK", 2_u32.to_be_bytes(), count.to_be_bytes()].concat();
        writer.write(&header)?;
        Ok(writer)
    }

    /// Adds an object. The base of a delta must be there already.
    pub(crate) fn add(
        &mut self,
        id: ObjectId,
        form: Form,
        size: u64,
        deflated: &[u8],
    ) -> Result<(), StoreError> {
        let header = match form {
            Form::Full(Kind::Blob) => Header::Blob,
            Form::Full(Kind::Tree) => Header::Tree,
            Form::Full(Kind::Commit) => Header::Commit,
            Form::Full(Kind::Tag) => Header::Tag,
            Form::Delta { base } => {
                let base_offset = self.offsets.get(&base).ok_or_else(|| StoreError::Damaged {
                    subject: format!("object {id}"),
                    reason: format!("its base {base} is not before it"),
                })?;
                Header::OfsDelta { base_distance: self.offset - base_offset }
            }
        };
        let mut start = Vec::with_capacity(16);
        header.write_to(size, &mut start).map_err(StoreError::io(Action::Write, &self.path))?;
        let mut crc32 = crc32fast::Hasher::new();
        crc32.update(&start);
        crc32.update(deflated);
        self.offsets.insert(id, self.offset);
        self.entries.push(index::Entry { id, crc32: crc32.finalize(), offset: self.offset });
        self.write(&start)?;
        self.write(deflated)
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
        let index = index::encode(self.entries, checksum);
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
