//! Build lines against recent commits.

use std::collections::BTreeMap;

use super::row::shown_tags;
use super::since::page_of;
use super::{LineView, Status};
use crate::analysis::{LineName, Trunk};
use crate::history::{Package, Row};
use crate::text::{self, When};

/// Commits that are shown.
const COMMITS_MAX: usize = 12;

/// Build lines that are shown.
const LINES_MAX: usize = 50;

/// Digits of a commit id at the head of a column.
const SHORT: usize = 7;

/// The results of the newest commits of the main line, on all build lines.
#[derive(Debug, Clone)]
pub(crate) struct Matrix {
    /// The newest first.
    pub(crate) commits: Vec<Column>,
    pub(crate) lines: Vec<Line>,
}

/// A commit.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    pub(crate) label: String,
    /// When its first result arrived.
    pub(crate) seen: When,
    /// Its page.
    pub(crate) href: String,
}

/// A build line.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    /// Its page.
    pub(crate) href: String,
    pub(crate) host: String,
    pub(crate) arch: String,
    pub(crate) tags: Vec<String>,
    /// One for each commit; `None` where it has no result.
    pub(crate) cells: Vec<Option<Cell>>,
}

/// The results of a commit on a build line.
#[derive(Debug, Clone)]
pub(crate) struct Cell {
    pub(crate) status: Status,
    /// How many tests failed; empty when none did.
    pub(crate) note: String,
    /// The newest of the results.
    pub(crate) href: String,
    pub(crate) title: String,
}

impl Matrix {
    /// For the page of the package. Only results that name their commit have a place in it.
    pub(crate) fn new(package: &Package, trunk: &Trunk) -> Self {
        let is_named = |row: &&Row| row.tested.is_exact() && trunk.has(&row.tested);
        // A commit is as old as its first result, which may be older than those that are remembered: then it
        // has dropped out, mostly.
        let mut first: BTreeMap<&str, usize> = BTreeMap::new();
        let rows: Vec<&Row> = package.rows.iter().filter(is_named).collect();
        for (place, row) in rows.iter().enumerate() {
            first.entry(&row.tested.commit).or_insert(place);
        }
        let mut places: Vec<usize> = first.into_values().collect();
        places.sort_unstable_by(|a, b| b.cmp(a));
        places.truncate(COMMITS_MAX);
        let commits: Vec<&Row> =
            places.iter().filter_map(|place| rows.get(*place).copied()).collect();
        let mut lines: BTreeMap<LineName, Vec<Vec<&Row>>> = BTreeMap::new();
        let column: BTreeMap<&str, usize> =
            commits.iter().enumerate().map(|(at, row)| (row.tested.commit.as_str(), at)).collect();
        for row in &rows {
            if let Some(at) = column.get(row.tested.commit.as_str()) {
                let cells =
                    lines.entry(row.line()).or_insert_with(|| vec![Vec::new(); commits.len()]);
                cells[*at].push(row);
            }
        }
        let lines = lines.into_iter().take(LINES_MAX).map(|(name, cells)| Line {
            href: LineView::page(&name),
            host: LineView::host(&name),
            arch: text::name(&name.arch),
            tags: shown_tags(name.tags.iter().map(String::as_str)),
            cells: cells.iter().map(|rows| Cell::new(rows)).collect(),
        });
        Self {
            lines: lines.collect(),
            commits: commits.iter().map(|row| Column::new(row)).collect(),
        }
    }

    /// Nothing to see in it before there are two commits.
    pub(crate) fn is_empty(&self) -> bool {
        self.commits.len() < 2
    }
}

impl Column {
    fn new(row: &Row) -> Self {
        let commit = &row.tested.commit;
        let is_id = row.tested.commit.bytes().all(|byte| byte.is_ascii_hexdigit());
        let label = commit.get(..SHORT).filter(|_| is_id);
        Self {
            label: label.map_or_else(
                || text::name(&text::Excerpt::of(commit.clone(), 12).head),
                str::to_owned,
            ),
            seen: When::of(row.received),
            href: page_of(commit),
        }
    }
}

impl Cell {
    /// Of all results of one commit, oldest first.
    fn new(rows: &[&Row]) -> Option<Self> {
        let newest = rows.last()?;
        let passed = rows.iter().filter(|row| row.success).count();
        let status = match passed {
            0 => Status::Failed,
            all if all == rows.len() => Status::Passed,
            _ => Status::Flaky,
        };
        let bad = rows.iter().map(|row| row.tests.bad()).max().unwrap_or_default();
        let word = match status {
            Status::Flaky => "passed and failed",
            other => other.word(),
        };
        Some(Self {
            status,
            note: if bad > 0 { text::count(bad) } else { String::new() },
            href: format!("{}/index.html", newest.key),
            title: format!(
                "{word}, {}, {} UTC",
                text::counted(rows.len(), "result"),
                When::of(newest.received).text
            ),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::tests::row;

    fn of(hour: i64, host: &str, commit: &str, success: bool) -> Row {
        let mut row = row(hour, host, success);
        row.tested.commit = commit.to_owned();
        row
    }

    #[test]
    fn commits_are_columns_in_the_order_of_their_first_results() {
        let rows = vec![
            of(1, "a", "aaaaaaaaa", true),
            of(2, "a", "bbbbbbbbb", false),
            of(3, "b", "aaaaaaaaa", true),
            of(4, "b", "bbbbbbbbb", true),
            of(5, "a", "bbbbbbbbb", true),
            of(6, "a", "", true),
        ];
        let package = crate::history::tests::package("p", rows);
        let matrix = Matrix::new(&package, &Trunk::default());
        let labels: Vec<_> = matrix.commits.iter().map(|one| one.label.as_str()).collect();
        assert_eq!(labels, ["bbbbbbb", "aaaaaaa"]);
        let seen: Vec<Vec<_>> = matrix
            .lines
            .iter()
            .map(|line| {
                line.cells.iter().map(|cell| cell.as_ref().map(|cell| cell.status)).collect()
            })
            .collect();
        let passed = Some(Status::Passed);
        assert_eq!(seen, [vec![Some(Status::Flaky), passed], vec![passed, passed]]);
    }
}
