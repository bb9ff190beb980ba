//! Writers that are killed in the middle of it.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{ChildStdout, Command, Stdio};
use std::thread;
use std::time::Duration;

use pony_formats::ResultKey;
use pony_store::Store;

use crate::fixture::{Fixture, append};

/// What tells the test binary to be a writer instead of a test.
const REPOSITORY: &str = "PONY_TEST_WRITER_REPOSITORY";
const COUNT: &str = "PONY_TEST_WRITER_COUNT";

/// A process that appends and says so.
pub(crate) struct Child {
    process: std::process::Child,
    output: BufReader<ChildStdout>,
}

impl Child {
    pub(crate) fn appending(repository: &Path, count: usize) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "crash::the_writer_process", "--nocapture", "--test-threads=1"])
            .env(REPOSITORY, repository)
            .env(COUNT, count.to_string())
            // What git would obey must not matter.
            .env("GIT_DIR", "/nonsense")
            .env("GIT_OBJECT_DIRECTORY", "/nonsense")
            .env("GIT_COMMITTER_NAME", "Somebody")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        Self { process, output }
    }

    /// The next key that was acknowledged; `None` at the end.
    fn next_key(&mut self) -> Option<ResultKey> {
        let mut line = String::new();
        while self.output.read_line(&mut line).unwrap() > 0 {
            // Cut off in the middle when it was killed: then it is no acknowledgement.
            if let Some(key) = line.strip_prefix("stored ").and_then(|rest| rest.strip_suffix('\n'))
            {
                return Some(key.parse().unwrap());
            }
            line.clear();
        }
        None
    }

    /// Waits for it; returns the keys that it acknowledged.
    pub(crate) fn finish(mut self) -> Vec<ResultKey> {
        let keys = std::iter::from_fn(|| self.next_key()).collect();
        assert!(self.process.wait().unwrap().success());
        keys
    }
}

/// Does nothing, unless [`Child`] runs it.
#[test]
fn the_writer_process() {
    let Ok(repository) = std::env::var(REPOSITORY) else { return };
    let count: usize = std::env::var(COUNT).unwrap().parse().unwrap();
    let store = Store::open(Path::new(&repository)).unwrap();
    // The harness has begun a line of its own.
    println!();
    for _ in 0..count {
        let mut writer = store.writer(Duration::from_secs(60)).unwrap();
        println!("stored {}", append(&mut writer, "hayloft").receipt.key);
    }
}

#[test]
fn a_killed_writer_loses_nothing_that_it_acknowledged() {
    let fixture = Fixture::new();
    let mut acknowledged = Vec::new();
    for round in 0..20_u64 {
        let mut child = Child::appending(fixture.path(), 1_000);
        acknowledged.extend((0..=round % 3).filter_map(|_| child.next_key()));
        // Somewhere in the next append or two.
        thread::sleep(Duration::from_micros(round * 613));
        child.process.kill().unwrap();
        child.process.wait().unwrap();
        acknowledged.extend(std::iter::from_fn(|| child.next_key()));
        // Whoever comes next is not kept waiting by what it left behind.
        acknowledged.push(append(&mut fixture.writer(), "hayloft").receipt.key);
    }
    fixture.fsck();
    let snapshot = Store::open(fixture.path()).unwrap().snapshot().unwrap();
    let stored = snapshot.results("hayloft").unwrap();
    for key in &acknowledged {
        assert!(snapshot.read("hayloft", *key).unwrap().is_some(), "{key} is lost");
    }
    // At most one more for each that was killed: stored, but not yet acknowledged.
    assert!(stored.len() >= acknowledged.len() && stored.len() <= acknowledged.len() + 20);
    assert!(acknowledged.is_sorted());
}
