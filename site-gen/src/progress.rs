//! [`Progress`]: how far a build is, for whoever waits for it.

use std::sync::atomic::{AtomicUsize, Ordering};

/// How far a build is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Results whose page is written.
    pub done: usize,
    /// Results that need a page. Grows when a package turns out to need building from scratch.
    pub all: usize,
}

/// Counts results, and tells of each.
pub(crate) struct Counter<'w> {
    watcher: &'w (dyn Fn(Progress) + Sync),
    done: AtomicUsize,
    all: AtomicUsize,
}

impl<'w> Counter<'w> {
    pub(crate) fn new(watcher: &'w (dyn Fn(Progress) + Sync)) -> Self {
        Self { watcher, done: AtomicUsize::new(0), all: AtomicUsize::new(0) }
    }

    /// So many results need a page, besides those that are known.
    pub(crate) fn expect(&self, results: usize) {
        self.all.fetch_add(results, Ordering::Relaxed);
    }

    /// The page of one more is written.
    pub(crate) fn count(&self) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        (self.watcher)(Progress { done, all: self.all.load(Ordering::Relaxed) });
    }
}
