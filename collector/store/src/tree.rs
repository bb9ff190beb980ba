//! Folders as git stores them: bytes in, bytes out. Pure.
//!
//! A folder is a list of entries, each `<mode> <name>\0<id>`, in the order of names, where the name of a
//! folder counts as if it ended in `/`. It is changed in place, so that entries of strangers stay
//! as they are.

use std::cmp::Ordering;

use gix::ObjectId;
use gix::objs::tree::EntryKind;

use crate::layout::HASH;

/// The bytes of a folder end within an entry, or hold none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("its entries cannot be told apart")]
pub(crate) struct MalformedTree;

/// An entry, and where it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RawEntry<'t> {
    pub(crate) name: &'t [u8],
    pub(crate) is_folder: bool,
    /// The whole entry.
    pub(crate) bytes: &'t [u8],
    /// Where it begins, from the beginning of the folder.
    pub(crate) offset: usize,
}

impl RawEntry<'_> {
    /// What the entry names.
    pub(crate) fn id(&self) -> ObjectId {
        let id = &self.bytes[self.bytes.len() - HASH.len_in_bytes()..];
        // Of the right length, so it cannot fail.
        ObjectId::try_from(id).unwrap_or_else(|_| ObjectId::null(HASH))
    }

    /// How git sorts it among the others.
    pub(crate) fn order(&self, name: &[u8], is_folder: bool) -> Ordering {
        let end = |is_folder: bool| is_folder.then_some(&b'/').into_iter();
        self.name.iter().chain(end(self.is_folder)).cmp(name.iter().chain(end(is_folder)))
    }
}

/// The entries of a folder. Ends after the first that is malformed.
pub(crate) fn entries(tree: &[u8]) -> impl Iterator<Item = Result<RawEntry<'_>, MalformedTree>> {
    let mut offset = 0;
    std::iter::from_fn(move || {
        let rest = tree.get(offset..).filter(|rest| !rest.is_empty())?;
        let entry = first_entry(rest, offset).ok_or(MalformedTree);
        offset = entry.map_or(tree.len(), |entry| offset + entry.bytes.len());
        Some(entry)
    })
}

fn first_entry(rest: &[u8], offset: usize) -> Option<RawEntry<'_>> {
    let space = rest.iter().take(8).position(|byte| *byte == b' ')?;
    let name = &rest[space + 1..];
    let name = &name[..name.iter().position(|byte| *byte == 0)?];
    let bytes = rest.get(..space + name.len() + 2 + HASH.len_in_bytes())?;
    let is_folder = matches!(&rest[..space], b"40000" | b"040000");
    Some(RawEntry { name, is_folder, bytes, offset })
}

/// The entry with a name.
pub(crate) fn find<'t>(tree: &'t [u8], name: &[u8]) -> Result<Option<RawEntry<'t>>, MalformedTree> {
    entries(tree).find(|entry| entry.map_or(true, |entry| entry.name == name)).transpose()
}

/// Puts an entry where it belongs, in place of the one with that name.
pub(crate) fn set(
    tree: &mut Vec<u8>,
    name: &[u8],
    kind: EntryKind,
    id: ObjectId,
) -> Result<(), MalformedTree> {
    if let Some(old) = find(tree, name)? {
        let range = old.offset..old.offset + old.bytes.len();
        tree.drain(range);
    }
    let is_folder = kind == EntryKind::Tree;
    let after = entries(tree).find(|entry| {
        entry.map_or(true, |entry| entry.order(name, is_folder) == Ordering::Greater)
    });
    let offset = after.transpose()?.map_or(tree.len(), |entry| entry.offset);
    let mode: &[u8] = if is_folder { b"40000 " } else { b"100644 " };
    let entry = [mode, name, b"\0", id.as_slice()].concat();
    tree.splice(offset..offset, entry);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use gix::objs::TreeRefIter;
    use proptest::prelude::*;

    fn id(byte: u8) -> ObjectId {
        ObjectId::try_from(&[byte; 20][..]).unwrap()
    }

    proptest! {
        #[test]
        fn entries_come_in_gits_order_whatever_is_put_first(
            names in proptest::collection::vec(("[a-c./-]{1,3}", any::<bool>(), any::<u8>()), 0..12)
        ) {
            let mut tree = Vec::new();
            let mut model = std::collections::BTreeMap::new();
            for (name, is_folder, byte) in names {
                let name = name.replace('/', "_");
                let kind = if is_folder { EntryKind::Tree } else { EntryKind::Blob };
                set(&mut tree, name.as_bytes(), kind, id(byte)).unwrap();
                model.insert(name, (kind, id(byte)));
            }
            let read: Vec<_> = TreeRefIter::from_bytes(&tree, HASH).map(Result::unwrap).collect();
            prop_assert!(read.is_sorted());
            prop_assert_eq!(read.len(), model.len());
            for entry in read {
                let name = std::str::from_utf8(entry.filename).unwrap();
                prop_assert_eq!(model[name], (entry.mode.kind(), entry.oid.to_owned()));
                let found = find(&tree, name.as_bytes()).unwrap().unwrap();
                prop_assert_eq!((found.id(), found.is_folder), (entry.oid.to_owned(), entry.mode.is_tree()));
            }
        }

        #[test]
        fn any_bytes_are_a_folder_or_malformed(bytes in any::<Vec<u8>>()) {
            let mut tree = bytes.clone();
            let whole: usize = entries(&bytes).flatten().map(|entry| entry.bytes.len()).sum();
            let is_whole = entries(&bytes).all(|entry| entry.is_ok());
            prop_assert_eq!(is_whole, whole == bytes.len());
            prop_assert!(is_whole || set(&mut tree, b"\xff\xff", EntryKind::Blob, id(1)).is_err());
        }
    }

    #[test]
    fn an_entry_takes_the_place_of_the_one_with_its_name() {
        let mut tree = Vec::new();
        set(&mut tree, b"a", EntryKind::Blob, id(1)).unwrap();
        set(&mut tree, b"a.b", EntryKind::Blob, id(2)).unwrap();
        set(&mut tree, b"a", EntryKind::Tree, id(3)).unwrap();
        let names: Vec<_> = entries(&tree).map(|entry| entry.unwrap().name.to_owned()).collect();
        assert_eq!(names, [&b"a.b"[..], b"a"]);
        assert_eq!(find(&tree, b"a").unwrap().unwrap().id(), id(3));
        assert!(find(&tree, b"b").unwrap().is_none());
    }
}
