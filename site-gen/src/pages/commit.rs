//! `p/<package>/commit/<commit>/index.html`: all results of one commit, joined.

use askama::Template;
use jiff::Timestamp;

use super::Frame;
use crate::analysis::{Attempted, JoinedCommit, Joint, LineName};
use crate::text::{self, When};
use crate::view::{CommitView, LineView, RowView, Status};

/// Tests that the page has room for.
const TESTS_MAX: usize = 500;

/// Build lines that have a column of their own.
const COLUMNS_MAX: usize = 40;

#[derive(Template)]
#[template(path = "commit.html", whitespace = "minimize")]
struct CommitPage {
    frame: Frame,
    package: String,
    commit: String,
    /// Its page at the host of the repository.
    source: Option<String>,
    branches: String,
    status: Status,
    lead: String,
    /// When the first result arrived.
    first: Option<When>,
    columns: Vec<Column>,
    tests: Vec<TestRow>,
    more: Option<String>,
    /// Failing tests of some results are not all named.
    is_partial: bool,
    results: Vec<AttemptRow>,
    earlier: Option<String>,
}

/// A build line.
struct Column {
    href: String,
    host: String,
    arch: String,
    tags: Vec<String>,
}

/// A test that was bad somewhere.
struct TestRow {
    id: String,
    /// `fails on 2 of 3 build lines`.
    words: String,
    cells: Vec<Cell>,
}

/// How it ended on a build line.
struct Cell {
    status: Option<Status>,
    /// The result that shows it.
    href: String,
    word: &'static str,
}

/// A result.
struct AttemptRow {
    row: RowView,
    /// `attempt 2 of 3`; nothing when there is but one.
    attempt: Option<String>,
}

/// The page.
pub(crate) fn commit(package: &str, joined: &JoinedCommit) -> Result<String, askama::Error> {
    let name = text::name(package);
    let shown = CommitView::short(&joined.commit);
    let newest = joined.results.last().map(|result| &result.row);
    let mut frame = Frame::new(format!("{shown} · {name}"), 4)
        .crumb(name.clone(), Some("../../index.html"))
        .crumb(format!("Commit {shown}"), None);
    frame.commit = newest.map(|row| row.commit.clone());
    let lines = joined.lines();
    let tests = JoinedCommit::tests(&lines);
    let attempts: Vec<&Vec<&Attempted>> = lines.values().take(COLUMNS_MAX).collect();
    let rows = tests.iter().take(TESTS_MAX).map(|(id, cells)| TestRow::new(id, cells, &attempts));
    let failing = lines.values().filter(|attempts| ends_badly(attempts)).count();
    let source = joined
        .results
        .iter()
        .rev()
        .find_map(|result| result.row.tested.repository.as_ref()?.commit(&joined.commit));
    let lead = match (lines.len(), failing) {
        (all, 0) => format!("{}, none failing", text::counted(all, "build line")),
        (all, bad) => format!("{}, {} failing", text::counted(all, "build line"), text::count(bad)),
    };
    frame.description = Some(format!("{name}: {lead}"));
    let page = CommitPage {
        frame,
        package: name,
        commit: text::name(&joined.commit),
        source,
        branches: branches(joined),
        status: Status::of_success(failing == 0),
        lead,
        first: joined.results.first().map(|result| When::of(result.row.received)),
        columns: lines.keys().take(COLUMNS_MAX).map(Column::new).collect(),
        tests: rows.collect(),
        more: (tests.len() > TESTS_MAX).then(|| text::count(tests.len() - TESTS_MAX)),
        is_partial: joined.results.iter().any(|result| result.unnamed > 0),
        results: lines.values().flat_map(|attempts| AttemptRow::all(attempts)).collect(),
        earlier: (joined.earlier > 0).then(|| text::count(joined.earlier)),
    };
    page.render()
}

/// Whether no attempt was successful.
fn ends_badly(attempts: &[&Attempted]) -> bool {
    !attempts.iter().any(|attempt| attempt.row.success)
}

fn branches(joined: &JoinedCommit) -> String {
    let named = joined.results.iter().map(|result| result.row.tested.branch.as_str());
    let mut named: Vec<_> = named.filter(|branch| !branch.is_empty()).map(text::name).collect();
    named.sort_unstable();
    named.dedup();
    named.truncate(10);
    named.join(", ")
}

impl Column {
    fn new(line: &LineName) -> Self {
        Self {
            href: format!("../../{}", LineView::page(line)),
            host: LineView::host(line),
            arch: text::name(&line.arch),
            tags: LineView::tags(line),
        }
    }
}

impl TestRow {
    fn new(id: &str, cells: &[Option<Joint>], lines: &[&Vec<&Attempted>]) -> Self {
        let count = |wanted| cells.iter().filter(|cell| **cell == Some(wanted)).count();
        let (failing, flaky) = (count(Joint::Failing), count(Joint::Flaky));
        let of = text::counted(cells.len(), "build line");
        let words = match (failing, flaky) {
            (0, flaky) => format!("flaky on {} of {of}", text::count(flaky)),
            (failing, 0) => format!("fails on {} of {of}", text::count(failing)),
            (failing, flaky) => {
                format!(
                    "fails on {}, flaky on {} of {of}",
                    text::count(failing),
                    text::count(flaky)
                )
            }
        };
        let cell = |(cell, attempts): (&Option<Joint>, &&Vec<&Attempted>)| {
            let (status, word) = match cell {
                Some(Joint::Failing) => (Some(Status::Failed), "failed"),
                Some(Joint::Flaky) => (Some(Status::Flaky), "failed and passed"),
                None => (None, "did not fail"),
            };
            // The newest result in which it was bad.
            let was_bad = |attempt: &&&Attempted| {
                let mut named = attempt.failing.iter().chain(&attempt.flaky);
                named.any(|other| other == id)
            };
            let shown = attempts.iter().rev().find(was_bad).or(attempts.last());
            let key = shown.map(|attempt| attempt.row.key.to_string()).unwrap_or_default();
            Cell { status, href: format!("../../{key}/index.html"), word }
        };
        let cells = cells.iter().zip(lines).map(cell).collect();
        Self { id: text::name(id), words, cells }
    }
}

impl AttemptRow {
    /// Of one build line, the newest first.
    fn all(attempts: &[&Attempted]) -> Vec<Self> {
        let all = attempts.len();
        let numbered = attempts.iter().enumerate().rev();
        let row = |(at, attempt): (usize, &&Attempted)| Self {
            row: RowView::new(&attempt.row, "../../", Timestamp::MIN),
            attempt: (all > 1)
                .then(|| format!("attempt {} of {}", text::count(at + 1), text::count(all))),
        };
        numbered.map(row).collect()
    }
}
