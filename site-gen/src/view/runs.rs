//! The verdicts on a test over the commits of a build line, as a picture and in words.

use super::Status;
use super::since::CommitView;
use crate::analysis::{LineHistory, Repository, Run, TestHistory, WINDOW};
use crate::text;

/// Runs that are listed in words.
const LISTED_MAX: usize = 8;

/// The width of one commit in the picture.
const COMMIT: u32 = 20;

/// The runs of a test.
#[derive(Debug, Clone)]
pub(crate) struct Runs {
    /// What the picture shows, in words.
    pub(crate) label: String,
    /// How wide the picture is.
    pub(crate) width: u32,
    /// The runs of the newest commits, oldest first. Where a run is broken, its parts are one.
    pub(crate) parts: Vec<Part>,
    /// The newest runs in words, the newest first.
    pub(crate) listed: Vec<RunView>,
}

/// A run in the picture.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub(crate) class: &'static str,
    pub(crate) x: u32,
    pub(crate) width: u32,
    /// Failures are taller, so that colour is not needed to see them.
    pub(crate) y: u32,
}

/// A run in words.
#[derive(Debug, Clone)]
pub(crate) struct RunView {
    pub(crate) status: Status,
    /// `3 commits`.
    pub(crate) commits: String,
    pub(crate) first: Option<CommitView>,
    pub(crate) last: Option<CommitView>,
}

impl Runs {
    pub(crate) fn new(
        test: &TestHistory,
        line: &LineHistory,
        repository: Option<&Repository>,
        to_package: &str,
    ) -> Self {
        let timeline = test.timeline();
        let commits = line.newest.min(WINDOW);
        let oldest = line.newest - commits + 1;
        let inside = timeline.iter().filter(|run| run.last >= oldest);
        let parts = inside.clone().map(|run| {
            let first = run.first.max(oldest);
            Part {
                class: if run.bad { "bad" } else { "ok" },
                x: (first - oldest) * COMMIT,
                width: (run.last.saturating_sub(first) + 1) * COMMIT - 4,
                y: if run.bad { 0 } else { 8 },
            }
        });
        let words = inside.map(|run| {
            let word = if run.bad { "failed" } else { "passed" };
            format!("{word} {} times", text::count(run.commits))
        });
        let commit = |at| line.commit(at).map(|one| CommitView::new(one, repository, to_package));
        let listed = timeline.iter().rev().take(LISTED_MAX).map(|run: &Run| RunView {
            status: if run.bad { Status::Failed } else { Status::Passed },
            commits: text::counted(run.commits as usize, "commit"),
            first: commit(run.first),
            last: commit(run.last).filter(|_| run.last != run.first),
        });
        Self {
            label: format!(
                "last {}, oldest first: {}",
                text::counted(commits as usize, "commit"),
                words.collect::<Vec<_>>().join(", ")
            ),
            width: WINDOW * COMMIT,
            parts: parts.collect(),
            listed: listed.collect(),
        }
    }
}
