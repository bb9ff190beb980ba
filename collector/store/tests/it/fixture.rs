//! A repository in a temporary folder, submissions to put into it, and git to look at it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use jiff::Timestamp;
use pony_formats::{ClientInfo, Outcome, ResultKey, Step, Submission, Tagset, TestCase};
use pony_store::{Appended, Arrival, Store, Writer};
use tempfile::TempDir;

/// A results repository that goes away with the test.
pub(crate) struct Fixture {
    pub(crate) folder: TempDir,
    pub(crate) store: Store,
}

impl Fixture {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create(&folder.path().join("results.git")).unwrap();
        Self { folder, store }
    }

    pub(crate) fn path(&self) -> &Path {
        self.store.path()
    }

    pub(crate) fn writer(&self) -> Writer {
        self.store.writer(Duration::ZERO).unwrap()
    }

    /// Appends one result for each package.
    pub(crate) fn fill(&self, packages: &[&str]) -> Vec<ResultKey> {
        let mut writer = self.writer();
        packages.iter().map(|package| append(&mut writer, package).receipt.key).collect()
    }

    /// Runs git in the repository; it must succeed. Returns what it printed.
    pub(crate) fn git(&self, args: &[&str]) -> String {
        git(self.path(), args)
    }

    /// What git says of the whole repository: nothing.
    pub(crate) fn fsck(&self) {
        assert_eq!(self.git(&["fsck", "--full", "--strict", "--no-dangling"]), "");
    }

    /// A clone with a working tree, for strangers to commit in.
    pub(crate) fn clone_of(&self) -> PathBuf {
        let clone = self.folder.path().join("clone");
        self.git(&["clone", "--quiet", ".", clone.to_str().unwrap()]);
        clone
    }
}

pub(crate) fn append(writer: &mut Writer, package: &str) -> Appended {
    writer.append(&submission(package), &Arrival::at(Timestamp::now())).unwrap()
}

/// One step with three tests, one of which failed.
pub(crate) fn submission(package: &str) -> Submission {
    let mut failed = TestCase::new("suite::third", Outcome::Failed);
    failed.evidence.message = Some("expected 3, found 4".to_owned());
    let tests = vec![
        TestCase::new("suite::first", Outcome::Passed),
        TestCase::new("suite::second", Outcome::Passed),
        failed,
    ];
    let step = Step::default()
        .with("type", "test")
        .with("name", "unit tests")
        .with("output", "running 3 tests\n\u{1b}[31mFAIL\u{1b}[0m\n")
        .with_tests(tests);
    Submission { client_info: client_info(package), results_list: vec![step] }
}

pub(crate) fn client_info(package: &str) -> ClientInfo {
    let tagset = Tagset {
        package: package.to_owned(),
        host: "shed".to_owned(),
        arch: "linux-x86_64".to_owned(),
        tags: ["stable".to_owned()].into(),
    };
    ClientInfo::new(&tagset, false).unwrap()
}

pub(crate) fn git(folder: &Path, args: &[&str]) -> String {
    let output = git_output(folder, args);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {args:?}: {stderr}");
    String::from_utf8(output.stdout).unwrap()
}

/// Runs git with no configuration but the repository's own.
pub(crate) fn git_output(folder: &Path, args: &[&str]) -> Output {
    let identity = ["-c", "user.name=Stranger", "-c", "user.email=stranger@localhost"];
    Command::new("git")
        .args(identity)
        .args(args)
        .current_dir(folder)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", folder.join("no-such-file"))
        .env("LC_ALL", "C")
        .env_remove("GIT_DIR")
        .output()
        .unwrap()
}

/// The message and its causes, as a program prints them.
pub(crate) fn sentence(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    assert!(!text.contains('\n'), "{text}");
    text
}
