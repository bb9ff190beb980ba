//! A made-up history for the browser: three machines, a dozen commits, and something of everything.

use std::path::Path;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use pony_formats::{
    Attempt, ClientInfo, Evidence, Outcome, ResultKey, Step, Submission, Tagset, TestCase, Value,
};
use pony_store::{Arrival, Store};

/// When the history ends.
pub(super) const END: &str = "2026-03-07T12:00:00Z";

/// Commits of the history.
const COMMITS: i64 = 12;

const MACHINES: [(&str, &str); 3] =
    [("atlas", "linux-x86_64"), ("mini", "macos-aarch64"), ("win-arm", "windows-aarch64")];

/// Fills a new repository; returns the keys of the results of `atlas`, oldest first.
pub(super) fn tell(repository: &Path) -> Vec<ResultKey> {
    let store = Store::create(repository).unwrap();
    let mut writer = store.writer(Duration::from_secs(5)).unwrap();
    let start: Timestamp = "2026-03-01T06:00:00Z".parse().unwrap();
    let mut keys = Vec::new();
    for commit in 0..COMMITS {
        for (index, (host, arch)) in MACHINES.into_iter().enumerate() {
            let received = start + SignedDuration::from_mins(commit * 600 + 20 * index as i64);
            let submission = submission("hayloft", host, arch, commit);
            let stored = writer.append(&submission, &Arrival::at(received)).unwrap();
            if host == "atlas" {
                keys.push(stored.receipt.key);
            }
        }
        let received = start + SignedDuration::from_mins(commit * 600 + 90);
        let calm = submission("grepper", "atlas", "linux-x86_64", -1);
        writer.append(&calm, &Arrival::at(received)).unwrap();
    }
    keys
}

/// The id of a commit.
pub(super) fn commit_id(commit: i64) -> String {
    format!("{:02x}", commit + 17).repeat(20)
}

fn submission(package: &str, host: &str, arch: &str, commit: i64) -> Submission {
    let tests: Vec<_> = (0..40).filter_map(|index| test(package, host, index, commit)).collect();
    let success = !tests.iter().any(|test| test.outcome.is_bad());
    let tagset = Tagset {
        package: package.into(),
        host: host.into(),
        arch: arch.into(),
        tags: ["nightly".to_owned()].into(),
    };
    let seconds = if commit < 8 { 61.0 } else { 96.0 } + (commit % 3) as f64;
    let client_info = ClientInfo::new(&tagset, success)
        .and_then(|info| info.with("commit", commit_id(commit.max(0))))
        .and_then(|info| info.with("branch", "main"))
        .and_then(|info| info.with("duration", seconds))
        .and_then(|info| info.with("repository", "https://github.com/ox/cart.git"))
        .unwrap();
    let step = Step::default()
        .with("type", "test")
        .with("name", "tests")
        .with("command", "python -m pytest")
        .with("status", Value::Int((!success).into()))
        .with("output", "\u{1b}[1mcollected 40 items\u{1b}[0m\n\u{1b}[31mF\u{1b}[0m...\n")
        .with_tests(tests);
    Submission { client_info, results_list: vec![step] }
}

fn test(package: &str, host: &str, index: i64, commit: i64) -> Option<TestCase> {
    if index == 30 && commit == COMMITS - 1 {
        return None;
    }
    let outcome = match index {
        3 if commit >= 9 => Outcome::Failed,
        5 if commit == COMMITS - 1 && host != "win-arm" => Outcome::Errored,
        7 if (3..6).contains(&commit) => Outcome::Failed,
        9 if commit >= 0 && commit % 4 == 1 => Outcome::Flaky,
        11 => Outcome::Skipped,
        _ => Outcome::Passed,
    };
    let module = ["fork", "tines", "handle"][index as usize % 3];
    let mut test = TestCase::new(format!("{package}.{module}::test_{index:02}"), outcome);
    test.duration = Some(if index == 20 && commit >= 8 { 2.5 } else { 0.01 * index as f64 });
    if outcome.is_bad() || outcome == Outcome::Flaky {
        test.evidence = Evidence {
            message: Some(format!("expected {index} horses, found none")),
            kind: Some("AssertionError".into()),
            details: Some("\u{1b}[31m>   assert horses == 3\u{1b}[0m\nE   assert 0 == 3".into()),
            ..Evidence::default()
        };
    }
    if outcome == Outcome::Flaky {
        let evidence = test.evidence.clone();
        test.attempts = vec![Attempt { outcome: Outcome::Failed, duration: None, evidence }];
    }
    Some(test)
}
