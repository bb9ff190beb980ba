//! Names that survive a power cut, and what happens when the disk does not keep them.

use std::fs::File;
use std::io;
use std::path::Path;

use tokio::sync::watch;

/// Told once when a sync has failed. Nothing may be acknowledged after that: the system may have dropped
/// what it could not write, and reports success when asked again.
#[derive(Debug)]
pub(crate) struct DiskLost(watch::Sender<bool>);

impl Default for DiskLost {
    fn default() -> Self {
        Self(watch::Sender::new(false))
    }
}

impl DiskLost {
    pub(crate) fn raise(&self) {
        self.0.send_replace(true);
    }

    pub(crate) fn is_raised(&self) -> bool {
        *self.0.borrow()
    }

    /// Resolves when it is raised, at once if it was.
    pub(crate) async fn raised(&self) {
        // Fails only without a sender, which is here.
        let _ = self.0.subscribe().wait_for(|lost| *lost).await;
    }
}

/// Makes the names in a folder durable. Only Unix can.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}
