//! [`JunitFiles`]: which JUnit files a command wrote.
//!
//! A file counts when it is new or has changed since before the command, so that a report left by
//! an earlier run is never taken for one of this run. Comparing a file with itself works where
//! the clocks of this machine and of a file server differ.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hasher as _};
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::glob;
use crate::input::{InputError, Source};

/// Options that name a JUnit file, after `=` or as the next word: pytest, pytest, nose2, nose
/// and pynose, unittest-xml-reporting's and CTest's relatives.
const OPTIONS: [&str; 5] =
    ["--junitxml", "--junit-xml", "--junit-xml-path", "--xunit-file", "--xml"];

/// Bytes of a file that are compared; more are not read in any case.
const COMPARED_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// A file as it was at one moment.
#[derive(Debug, PartialEq, Eq)]
struct Stamp {
    bytes: u64,
    modified: Option<SystemTime>,
    /// Of the content: clocks of file systems may stand still for seconds.
    hash: Option<u64>,
}

/// The patterns of JUnit files and what they matched before the command.
#[derive(Debug)]
pub(super) struct JunitFiles {
    /// By the person, who wants to know when such a file is missing.
    named: Vec<String>,
    /// By the command's own words, which may mean something else.
    deduced: Vec<String>,
    before: BTreeMap<PathBuf, Stamp>,
}

impl JunitFiles {
    /// Looks at what is there before the command runs. `writes` are patterns of what it writes by itself.
    pub(super) fn before(named: Vec<String>, command: &[OsString], writes: &[&str]) -> Self {
        let mut deduced = if named.is_empty() { named_in(command) } else { Vec::new() };
        deduced.extend(writes.iter().map(|pattern| (*pattern).to_owned()));
        let paths = named.iter().chain(&deduced).flat_map(|pattern| glob::files(pattern));
        let before = paths.filter_map(|path| Some((path.clone(), stamp(&path)?))).collect();
        Self { named, deduced, before }
    }

    /// The files that the command wrote, and the first pattern that should have matched one and
    /// did not.
    pub(super) fn written(&self) -> (Vec<Source>, Option<InputError>) {
        let mut written = Vec::new();
        let mut missing = None;
        for pattern in &self.named {
            let fresh = self.fresh(pattern);
            if fresh.is_empty() && missing.is_none() {
                missing = Some(InputError::NotWritten { pattern: pattern.clone() });
            }
            written.extend(fresh);
        }
        written.extend(self.deduced.iter().flat_map(|pattern| self.fresh(pattern)));
        written.sort();
        written.dedup();
        (written.into_iter().map(Source::File).collect(), missing)
    }

    fn fresh(&self, pattern: &str) -> Vec<PathBuf> {
        let mut files = glob::files(pattern);
        files.retain(|path| stamp(path).is_some_and(|now| self.before.get(path) != Some(&now)));
        files
    }
}

fn stamp(path: &Path) -> Option<Stamp> {
    let metadata = fs::metadata(path).ok().filter(fs::Metadata::is_file)?;
    let (bytes, modified) = (metadata.len(), metadata.modified().ok());
    Some(Stamp { bytes, modified, hash: hash(path).ok() })
}

fn hash(path: &Path) -> io::Result<u64> {
    let mut content = BufReader::new(File::open(path)?.take(COMPARED_BYTES_MAX));
    let mut hasher = DefaultHasher::new();
    loop {
        let bytes = content.fill_buf()?;
        if bytes.is_empty() {
            return Ok(hasher.finish());
        }
        hasher.write(bytes);
        let length = bytes.len();
        content.consume(length);
    }
}

/// The files that the command's own words name.
pub(super) fn named_in(command: &[OsString]) -> Vec<String> {
    let words: Vec<&str> = command.iter().skip(1).filter_map(|word| word.to_str()).collect();
    let mut named = Vec::new();
    for (index, word) in words.iter().enumerate() {
        let (option, value) = match word.split_once('=') {
            Some((option, value)) => (option, Some(value)),
            None => (*word, words.get(index + 1).copied()),
        };
        if OPTIONS.contains(&option)
            && let Some(value) = value.filter(|value| !value.is_empty() && !value.starts_with('-'))
        {
            named.push(value.to_owned());
        }
    }
    named
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(command: &str) -> Vec<String> {
        named_in(&command.split(' ').map(OsString::from).collect::<Vec<_>>())
    }

    #[test]
    fn commands_name_their_files() {
        assert_eq!(named("pytest --junitxml=a.xml -q"), ["a.xml"]);
        assert_eq!(named("pytest --junit-xml out/a.xml"), ["out/a.xml"]);
        assert_eq!(named("nosetests --with-xunit --xunit-file=n.xml"), ["n.xml"]);
        assert_eq!(named("nose2 --junit-xml --junit-xml-path x.xml"), ["x.xml"]);
        assert!(named("pytest --junitxml= --xml -v").is_empty());
        assert!(named("--xml=x").is_empty());
    }

    #[test]
    fn clocks_do_not_matter() {
        let home = tempfile::tempdir().unwrap();
        let path = |name: &str| home.path().join(name).to_str().unwrap().to_owned();
        let tomorrow = SystemTime::now() + std::time::Duration::from_secs(86_400);
        let write = |name: &str, content: &str| {
            fs::write(path(name), content).unwrap();
            File::options().append(true).open(path(name)).unwrap().set_modified(tomorrow).unwrap();
        };
        write("stale.xml", "1");
        write("changed.xml", "1");
        let files = JunitFiles::before(vec![path("*.xml")], &[], &[]);
        write("changed.xml", "2");
        let (written, missing) = files.written();
        assert_eq!(written, [Source::File(path("changed.xml").into())]);
        assert!(missing.is_none());
    }

    #[test]
    fn a_report_of_an_earlier_run_does_not_count() {
        let home = tempfile::tempdir().unwrap();
        let path = |name: &str| home.path().join(name).to_str().unwrap().to_owned();
        let old = SystemTime::now() - std::time::Duration::from_secs(3600);
        for name in ["stale.xml", "changed.xml"] {
            let file = fs::File::create(path(name)).unwrap();
            file.set_modified(old).unwrap();
        }
        let files = JunitFiles::before(vec![path("*.xml"), path("gone.xml")], &[], &[]);
        fs::write(path("new.xml"), "").unwrap();
        fs::write(path("changed.xml"), "more").unwrap();
        let (written, missing) = files.written();
        assert_eq!(written, [path("changed.xml"), path("new.xml")].map(|p| Source::File(p.into())));
        assert!(missing.unwrap().to_string().starts_with(&path("gone.xml")));
    }
}
