//! [`Cache`]: what a writer remembers of the repository from one batch to the next, so that it hardly
//! ever has to look there.

use std::collections::hash_map::RandomState;
use std::num::NonZeroUsize;
use std::sync::Arc;

use clru::{CLruCache, CLruCacheConfig, WeightScale};
use gix::ObjectId;

/// Bytes of folders that are remembered.
const FOLDER_BYTES_MAX: NonZeroUsize = NonZeroUsize::new(32 * 1024 * 1024).unwrap();

/// Objects that are remembered to be stored.
const STORED_MAX: NonZeroUsize = NonZeroUsize::new(64 * 1024).unwrap();

/// Folders by their ids, which say all of them, so that nothing here is ever out of date; and the ids of
/// files that the history needs and has.
#[derive(Debug)]
pub(crate) struct Cache {
    folders: CLruCache<ObjectId, Arc<Vec<u8>>, RandomState, ByBytes>,
    stored: CLruCache<ObjectId, ()>,
}

#[derive(Debug)]
struct ByBytes;

impl WeightScale<ObjectId, Arc<Vec<u8>>> for ByBytes {
    fn weight(&self, _: &ObjectId, folder: &Arc<Vec<u8>>) -> usize {
        folder.len()
    }
}

impl Cache {
    pub(crate) fn new() -> Self {
        let folders = CLruCacheConfig::new(FOLDER_BYTES_MAX).with_scale(ByBytes);
        Self { folders: CLruCache::with_config(folders), stored: CLruCache::new(STORED_MAX) }
    }

    pub(crate) fn folder(&mut self, id: ObjectId) -> Option<Arc<Vec<u8>>> {
        self.folders.get(&id).cloned()
    }

    pub(crate) fn keep_folder(&mut self, id: ObjectId, folder: Arc<Vec<u8>>) {
        // One that is larger than the whole cache is not kept.
        let _ = self.folders.put_with_weight(id, folder);
    }

    pub(crate) fn is_stored(&mut self, id: &ObjectId) -> bool {
        self.stored.get(id).is_some()
    }

    pub(crate) fn keep_stored(&mut self, id: ObjectId) {
        self.stored.put(id, ());
    }

    /// What was part of one history may be missing in another.
    pub(crate) fn forget_stored(&mut self) {
        self.stored.clear();
    }
}
