//! `maintain`, and the same behind the answers of a collector.

use std::io::Write;
use std::path::Path;
use std::sync::Weak;
use std::thread;
use std::time::Duration;

use pony_store::{Maintained, Maintenance, PackScope, Packs, Store, StoreError, Tool};

use crate::collector::Collector;
use crate::refresher::full;

/// How long a writer that is about to finish is waited for.
const LOCK_PATIENCE: Duration = Duration::from_secs(2);

/// How often a collector looks whether maintenance is due. That is cheap.
const INTERVAL: Duration = Duration::from_secs(60);

/// How long to leave it alone when it has failed, or there is no git: it would only fail again.
const INTERVAL_AFTER_FAILURE: Duration = Duration::from_secs(3600);

/// Maintains a repository that nobody writes to, and says what came of it.
pub(crate) fn maintain(repo: &Path, all: bool, out: &mut dyn Write) -> anyhow::Result<()> {
    let scope = if all { PackScope::All } else { PackScope::Recent };
    let done = Store::open(repo)?.maintain(LOCK_PATIENCE, scope)?;
    let _ = writeln!(out, "`{}`: {}", repo.display(), sentence(&done));
    Ok(())
}

/// Starts the thread that maintains the repository of a collector whenever there is enough to do. Not
/// joined: it may be cut off at any time.
pub(crate) fn in_background(collector: Weak<Collector>) {
    thread::spawn(move || {
        while let Some(collector) = collector.upgrade() {
            let pause = match run_if_due(&collector.maintenance) {
                Ok(None) => INTERVAL,
                Ok(Some(done)) => {
                    tracing::info!("maintained the repository: {}", sentence(&done));
                    if done.tool == Tool::Git { INTERVAL } else { INTERVAL_AFTER_FAILURE }
                }
                Err(error) => {
                    tracing::warn!(error = full(&error), "repository not maintained");
                    if matches!(error, StoreError::DiskLost { .. }) {
                        collector.lose_disk();
                    }
                    INTERVAL_AFTER_FAILURE
                }
            };
            drop(collector);
            thread::sleep(pause);
        }
    });
}

fn run_if_due(maintenance: &Maintenance) -> Result<Option<Maintained>, StoreError> {
    if maintenance.is_due()? { maintenance.run(PackScope::Recent).map(Some) } else { Ok(None) }
}

fn sentence(done: &Maintained) -> String {
    let words = |packs: Packs| {
        let noun = if packs.count == 1 { "pack" } else { "packs" };
        format!("{} {noun} of {} bytes", packs.count, packs.bytes)
    };
    let (before, after) = (words(done.before), words(done.after));
    let note = match done.tool {
        Tool::Git => "",
        Tool::Joining => "; joined only, because there is no git here: install it to save space",
    };
    if before == after {
        return format!("{after}, nothing to do{note}");
    }
    format!("{before} became {after}{note}")
}
