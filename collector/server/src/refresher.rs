//! Brings the site up to date behind the answers.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use jiff::Timestamp;
use pony_site::Options;
use pony_store::Store;

/// How long the site may be left alone. A refresh that failed is tried again then, and results that have
/// become stale are marked.
const INTERVAL: Duration = Duration::from_secs(10 * 60);

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
        thread::spawn(move || {
            on_request(&waiting, INTERVAL, || render(&store, &site, base_url.as_deref()));
        });
        refresher
    }

    /// Returns at once. What is stored by now will be on the site soon.
    pub(crate) fn refresh(&self) {
        // Full means that a refresh is going to start anyway.
        let _ = self.requests.try_send(());
    }
}

/// Works on every request, and when there was none for the interval, until there can be no more.
fn on_request(requests: &Receiver<()>, interval: Duration, mut work: impl FnMut()) {
    while requests.recv_timeout(interval) != Err(RecvTimeoutError::Disconnected) {
        work();
    }
}

fn render(store: &Store, site: &Path, base_url: Option<&str>) {
    let options = Options {
        base_url: base_url.map(str::to_owned),
        link_artifacts: true,
        live: true,
        clone_url: None,
        hub: None,
        now: Timestamp::now(),
    };
    // A mistake in a page must not keep all later pages from being written.
    match catch_unwind(AssertUnwindSafe(|| pony_site::build(store, site, &options))) {
        Ok(Ok(built)) => tracing::debug!(files = built.files_written, "site refreshed"),
        Ok(Err(error)) => tracing::warn!(error = full(&error), "site not refreshed"),
        Err(_) => tracing::error!("site not refreshed: the renderer panicked"),
    }
}

/// An error with its causes.
pub(crate) fn full(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_site_is_refreshed_also_when_nobody_asks() {
        let (requests, waiting) = sync_channel(1);
        let mut sender = Some(requests);
        let mut refreshes = 0;
        on_request(&waiting, Duration::from_millis(1), || {
            refreshes += 1;
            if refreshes == 3 {
                sender = None;
            }
        });
        assert_eq!(refreshes, 3);
    }

    #[test]
    fn a_request_does_not_wait_for_the_interval() {
        let (requests, waiting) = sync_channel(1);
        requests.send(()).unwrap();
        drop(requests);
        let mut refreshes = 0;
        on_request(&waiting, Duration::MAX, || refreshes += 1);
        assert_eq!(refreshes, 1);
    }
}
