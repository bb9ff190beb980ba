//! The JSON beside every page, of which `schema/` says what it looks like. Field names are part of the interface: fields may be added, none
//! changes its meaning while `format` stays the same. Unknown fields are to be ignored.

mod annotations;
mod gathered;
mod result;
mod schemas;

pub(crate) use annotations::{ANNOTATIONS, annotations, read_annotations};
pub(crate) use gathered::{commit, line, machine, read_commit, read_line, read_machine};
pub(crate) use result::{Noted, read_notes, result};
pub(crate) use schemas::SCHEMAS;

use jiff::Timestamp;
use pony_formats::{Tally, json};
use serde::{Deserialize, Serialize};

use crate::analysis::PackageHistory;
use crate::digest::Digest;
use crate::history::{Package, Row, Unreadable};
use crate::pages::Chunk;

/// The version of everything here.
const FORMAT: u32 = 1;

/// `index.json`.
#[derive(Debug, Serialize)]
struct Index {
    /// 1.
    format: u32,
    /// The commit of the results repository that the site shows, hex.
    commit: String,
    /// Sorted by name.
    packages: Vec<IndexPackage>,
}

/// A package in `index.json`.
#[derive(Debug, Serialize)]
struct IndexPackage {
    /// The true name.
    name: String,
    /// The folder of its pages, relative to the root of the site.
    path: String,
    /// `passed`, `failed`, or `unreadable` when no result can be read.
    status: &'static str,
    /// How many build lines it has.
    lines: usize,
    /// How many of them failed when they last ran.
    failing: usize,
    /// How many of them last ran a day ago or earlier, seen from the time of the build.
    stale: usize,
    /// How many of its results cannot be read.
    unreadable: usize,
    /// The counts of the latest results of all build lines together.
    tests: Tally,
    /// When the newest result arrived, RFC 3339 in UTC; null when there is none.
    last_result: Option<String>,
}

/// `p/<package>/index.json`.
#[derive(Debug, Serialize)]
struct PackageIndex<'a> {
    /// 1.
    format: u32,
    /// The true name.
    package: &'a str,
    /// Failing first.
    lines: Vec<LineIndex<'a>>,
    /// How many results of the package cannot be read.
    unreadable: usize,
}

/// A build line in `p/<package>/index.json`.
#[derive(Debug, Serialize)]
struct LineIndex<'a> {
    /// Whether its latest result is a day old or older, seen from the time of the build.
    stale: bool,
    /// Its latest result; the page is in the folder named like its key.
    latest: &'a Row,
    /// How many results it has.
    results: usize,
}

/// `p/<package>/show_all/index.json` and `p/<package>/show_all/<n>/index.json`.
#[derive(Debug, Serialize, Deserialize)]
struct ShowAll {
    /// 1.
    format: u32,
    /// The true name.
    package: String,
    /// On the newest page: how many older pages there are, `1/index.json` being the oldest. On those: 0.
    older_pages: usize,
    /// The results of this page, newest first.
    results: Vec<Row>,
    /// Results that are stored but cannot be read, newest first; on the newest page only.
    #[serde(default)]
    unreadable: Vec<Unreadable>,
}

/// `index.json`.
pub(crate) fn index(packages: &[&Package], commit: &str, now: Timestamp) -> String {
    let packages = packages.iter().map(|package| {
        let digest = Digest::of(package, now);
        IndexPackage {
            name: package.name.clone(),
            path: format!("p/{}/", package.folder()),
            status: digest.status().word(),
            lines: digest.lines,
            failing: digest.failing,
            stale: digest.stale,
            unreadable: package.unreadable.len(),
            tests: digest.tests,
            last_result: package.latest().map(|row| row.received.to_string()),
        }
    });
    text(&Index { format: FORMAT, commit: commit.to_owned(), packages: packages.collect() })
}

/// `p/<package>/index.json`.
pub(crate) fn package(package: &Package, now: Timestamp) -> String {
    let lines = package.lines();
    let lines = lines.iter().map(|line| LineIndex {
        stale: line.latest.is_stale(now),
        latest: line.latest,
        results: line.results(),
    });
    text(&PackageIndex {
        format: FORMAT,
        package: &package.name,
        lines: lines.collect(),
        unreadable: package.unreadable.len(),
    })
}

/// `index.json` of one page of all results.
pub(crate) fn show_all(package: &Package, chunk: &Chunk<'_>) -> String {
    let unreadable = package.unreadable.iter().rev().filter(|_| chunk.number.is_none());
    one_line(&ShowAll {
        format: FORMAT,
        package: package.name.clone(),
        // On an older page this would change with every page that is added.
        older_pages: if chunk.number.is_none() { chunk.older_pages } else { 0 },
        results: chunk.rows.iter().rev().cloned().collect(),
        unreadable: unreadable.cloned().collect(),
    })
}

/// `p/<package>/tests/index.json`: `format` (1), `package`, and
///
/// - `trunk`: the branch that the tests are compared on; empty when no result names one.
/// - `lines`: the build lines with the newest results on it, newest first. Each has `line` (`host`, `arch`,
///   `tags`), `newest` (how many commits it has seen), `commits` (those that anything else names, by their
///   number `at`, with the `key` of their first result), `whole` (the run as a whole) and `tests`: what is
///   known of the tests that are worth a look, those with the same `history` together; their `ids` are names by
///   class. Then the numbers of tests
///   at the newest commit: `count`, `failing`, `new_count`, `vanished_count`, and names of some.
///
/// A `history` is the commit that the test was `first` seen at, the `runs` before the `newest` commit that
/// it was seen at, with the results of that commit in which it was `good` and `bad`, and `evidence` that it is
/// flaky.
///
/// `p/<package>/history/<line>.json` has the same of every test of a build line.
#[derive(Debug, Serialize, Deserialize)]
struct Tests<H> {
    format: u32,
    package: String,
    #[serde(flatten)]
    history: H,
}

/// `p/<package>/tests/index.json`.
pub(crate) fn tests(package: &str, history: &PackageHistory) -> String {
    one_line(&Tests { format: FORMAT, package: package.to_owned(), history })
}

/// Reads back what [`tests`] wrote. `None` when it is odd.
pub(crate) fn read_tests(package: &str, text: &[u8]) -> Option<PackageHistory> {
    let tests: Tests<PackageHistory> = serde_json::from_slice(text).ok()?;
    (tests.format == FORMAT && tests.package == package).then_some(tests.history)
}

/// Reads back the page that [`show_all`] wrote: how many older pages there are, and its results, oldest first.
/// `None` when it is odd.
pub(crate) fn read_show_all(package: &str, text: &[u8]) -> Option<(usize, Vec<Row>)> {
    let page: ShowAll = serde_json::from_slice(text).ok()?;
    let rows: Vec<Row> = page.results.into_iter().rev().collect();
    let rising = rows.iter().zip(rows.iter().skip(1)).all(|(a, b)| a.key < b.key);
    (page.format == FORMAT && page.package == package && rising).then_some((page.older_pages, rows))
}

/// On one line, where there is much of it.
fn one_line(value: &impl Serialize) -> String {
    // Nothing here has a key that is no string, which is the only way for this to fail.
    serde_json::to_string(value).map(|text| text + "\n").unwrap_or_default()
}

/// The canonical layout of the results repository.
fn text(value: &impl Serialize) -> String {
    // Nothing here has a key that is no string, which is the only way for this to fail.
    serde_json::to_value(value).map_or_else(|_| String::new(), |value| json::pretty(&value))
}
