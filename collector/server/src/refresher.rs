//! Brings the site up to date behind the answers.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use jiff::Timestamp;
use pony_site::Options;
use pony_store::Store;

/// Asks for a refresh. Many requests in a row are one refresh.
pub(crate) struct Refresher {
    requests: SyncSender<()>,
}

impl Refresher {
    /// Starts the thread that renders, and a first refresh.
    pub(crate) fn start(store: Store, site: PathBuf, base_url: Option<String>) -> Self {
        let (requests, waiting) = sync_channel(1);
        let refresher = Self { requests };
        refresher.refresh();
        // Not joined: what is being rendered may be cut off at any time, and is done again.
        thread::spawn(move || render_on_request(&waiting, &store, &site, base_url.as_deref()));
        refresher
    }

    /// Returns at once. What is stored by now will be on the site soon.
    pub(crate) fn refresh(&self) {
        // Full means that a refresh is going to start anyway.
        let _ = self.requests.try_send(());
    }
}

fn render_on_request(
    requests: &Receiver<()>,
    store: &Store,
    site: &std::path::Path,
    base_url: Option<&str>,
) {
    while requests.recv().is_ok() {
        let options = Options {
            base_url: base_url.map(str::to_owned),
            link_artifacts: true,
            now: Timestamp::now(),
        };
        // A mistake in a page must not keep all later pages from being written.
        match catch_unwind(AssertUnwindSafe(|| pony_site::build(store, site, &options))) {
            Ok(Ok(built)) => tracing::debug!(files = built.files_written, "site refreshed"),
            Ok(Err(error)) => tracing::warn!(error = full(&error), "site not refreshed"),
            Err(_) => tracing::error!("site not refreshed: the renderer panicked"),
        }
    }
}

/// An error with its causes.
pub(crate) fn full(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
