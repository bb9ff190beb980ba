//! Tests against the commits of a build line: those that changed, as strips; the others by name.

use super::Runs;
use crate::analysis::{Kind, LineHistory, Repository, Standing, WINDOW};
use crate::text;
use crate::view::since::CommitView;

/// Tests that have a strip.
const ROWS_MAX: usize = 500;

/// Tests that always passed and are named.
const CALM_MAX: usize = 1_000;

/// The tests of a build line.
#[derive(Debug, Clone)]
pub(crate) struct Grid {
    /// One for each column of the strips, oldest first; the last ones are empty on a young line.
    pub(crate) commits: Vec<CommitView>,
    pub(crate) rows: Vec<GridRow>,
    /// How many tests changed that have no strip.
    pub(crate) more: Option<String>,
    /// Tests that always passed.
    pub(crate) calm: Vec<String>,
    pub(crate) calm_count: String,
    pub(crate) calm_more: Option<String>,
}

/// A test.
#[derive(Debug, Clone)]
pub(crate) struct GridRow {
    pub(crate) id: String,
    pub(crate) status: super::Status,
    pub(crate) word: &'static str,
    /// Why it is here, for filters: `failing`, `flaky`, `other`.
    pub(crate) kind: &'static str,
    pub(crate) runs: Runs,
}

impl Grid {
    /// For the page of the line, two folders below its package's.
    pub(crate) fn new(line: &LineHistory, repository: Option<&Repository>) -> Self {
        let oldest = line.newest.saturating_sub(WINDOW - 1).max(1);
        let commits = (oldest..=line.newest).filter_map(|at| line.commit(at));
        let commits = commits.map(|one| CommitView::new(one, repository, "../../")).collect();
        let (mut changed, calm): (Vec<_>, Vec<_>) =
            line.tests.iter().partition(|(_, test)| test.is_remarkable());
        changed.sort_by_key(|(id, test)| {
            let kind = Standing::kind_of(test, line.newest);
            let last = test.timeline().last().map(|run| run.first);
            (kind, std::cmp::Reverse(last), *id)
        });
        let more = changed.len().saturating_sub(ROWS_MAX);
        let rows = changed.iter().take(ROWS_MAX).map(|(id, test)| {
            let kind = Standing::kind_of(test, line.newest);
            let (status, word) = super::concern::words(kind);
            let (status, word) = match test.last() < line.newest {
                true => (super::Status::Unknown, "vanished"),
                false => (status, word),
            };
            GridRow {
                id: text::name(id),
                status,
                word,
                kind: match kind {
                    Kind::NewlyFailing | Kind::Failing => "failing",
                    Kind::Flaky => "flaky",
                    Kind::Fixed | Kind::Calm => "other",
                },
                runs: Runs::new(test, line, repository, "../../"),
            }
        });
        Self {
            commits,
            rows: rows.collect(),
            more: (more > 0).then(|| text::count(more)),
            calm_count: text::count(calm.len()),
            calm_more: (calm.len() > CALM_MAX).then(|| text::count(calm.len() - CALM_MAX)),
            calm: calm.iter().take(CALM_MAX).map(|(id, _)| text::name(id)).collect(),
        }
    }
}
