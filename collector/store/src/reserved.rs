//! [`Reserved`]: packs that are about to be replaced, so that two threads never join the same ones.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The indexes of packs that maintenance works on. Shared by a writer and its maintenance, which are of
/// one process, because whoever has the write lock has both.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reserved(Arc<Mutex<BTreeSet<PathBuf>>>);

impl Reserved {
    /// Nobody reserves or releases packs while this is held.
    pub(crate) fn hold(&self) -> MutexGuard<'_, BTreeSet<PathBuf>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reserves packs, given what [`Reserved::hold`] returned, until the reservation is dropped.
    pub(crate) fn reserve<'p>(
        &self,
        held: &mut BTreeSet<PathBuf>,
        packs: impl Iterator<Item = &'p Path>,
    ) -> Reservation {
        let packs: Vec<PathBuf> = packs.map(Path::to_owned).collect();
        held.extend(packs.iter().cloned());
        Reservation { of: self.clone(), packs }
    }
}

/// Packs that nobody else touches while this exists.
#[derive(Debug)]
pub(crate) struct Reservation {
    of: Reserved,
    packs: Vec<PathBuf>,
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let mut reserved = self.of.hold();
        for pack in &self.packs {
            reserved.remove(pack);
        }
    }
}
