//! [`Load`]: clients that submit to a collector for as long as it answers, and remember what it acknowledged.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use anyhow::ensure;
use pony_formats::ResultKey;

use crate::census::{Census, MARK};
use crate::collector::{Client, submission};

/// What clients have sent, over any number of lives of a collector.
#[derive(Debug, Default)]
pub struct Load {
    acknowledged: Mutex<BTreeMap<String, ResultKey>>,
    /// Sent, and never answered: it may be stored or not.
    unknown: Mutex<Vec<String>>,
    sent: AtomicUsize,
    stopped: AtomicBool,
}

impl Load {
    /// How many submissions were acknowledged so far.
    pub fn acknowledged(&self) -> usize {
        self.acknowledged.lock().map_or(0, |found| found.len())
    }

    /// Has every client end after its next answer.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    /// One client: submits one result after the other until there is no answer, until it is stopped, or until
    /// `enough` were sent by all clients together. Packages differ, as they do.
    ///
    /// # Errors
    /// When a submission cannot be made.
    pub fn client(&self, url: &str, number: usize, enough: usize) -> anyhow::Result<()> {
        let client = Client::new(url);
        let package = format!("package-{number}");
        while !self.stopped.load(Ordering::Relaxed) {
            let index = self.sent.fetch_add(1, Ordering::Relaxed);
            if index >= enough {
                break;
            }
            let mark = format!("{MARK}{index}");
            let output = format!("{index} passed\n").repeat(1 + index % 50);
            match client.submit(&submission(&package, &mark, &output)?) {
                Ok(receipt) => {
                    if let Ok(mut found) = self.acknowledged.lock() {
                        found.insert(mark, receipt.key);
                    }
                }
                Err(_) => {
                    if let Ok(mut unknown) = self.unknown.lock() {
                        unknown.push(mark);
                    }
                    break;
                }
            }
        }
        Ok(())
    }

    /// Everything acknowledged is there under the key that was given, once; everything else at most once.
    ///
    /// # Errors
    /// The first that is not.
    pub fn check(&self, repository: &Path) -> anyhow::Result<()> {
        let census = Census::take(repository)?;
        let Ok(acknowledged) = self.acknowledged.lock() else {
            anyhow::bail!("a client ended early");
        };
        for (mark, key) in acknowledged.iter() {
            let found = census.marks.get(mark).map_or(&[][..], Vec::as_slice);
            ensure!(found == [*key], "{mark} was acknowledged as {key} and is there as {found:?}");
        }
        for (mark, keys) in &census.marks {
            ensure!(keys.len() == 1, "{mark} is there {} times", keys.len());
        }
        let most = acknowledged.len() + self.unknown.lock().map_or(0, |unknown| unknown.len());
        ensure!(census.keys.len() <= most, "{} results of {most} sent", census.keys.len());
        Ok(())
    }
}
