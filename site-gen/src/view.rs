//! What pages show, ready to be shown: every text is fit for display, every link is relative to its
//! page. Views are pure functions of rows and results, and know nothing of folders or git.

mod annotation;
mod archive;
mod attention;
mod changes;
mod concern;
mod grid;
mod line;
mod matrix;
mod names;
mod plot;
mod result;
mod row;
mod runs;
mod since;
mod step;
mod stream;
mod test;

pub(crate) use annotation::{ExcuseView, ProblemView, RemarkView};
pub(crate) use archive::ArchiveView;
pub(crate) use attention::Attention;
pub(crate) use changes::ChangesView;
pub(crate) use concern::{ConcernView, StandingView, TestPages, concern_words};
pub(crate) use grid::Grid;
pub(crate) use line::LineView;
pub(crate) use matrix::Matrix;
pub(crate) use names::Portion;
pub(crate) use plot::Plot;
pub(crate) use result::ResultView;
pub(crate) use row::{RowView, Strip, TestsView};
pub(crate) use runs::Runs;
pub(crate) use since::CommitView;
pub(crate) use stream::Listed;
pub(crate) use test::NOTES_MAX;

/// How something ended, as a shape, a word and a colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    /// It did what it should.
    Passed,
    /// It did not.
    Failed,
    /// It did not run, or nobody said how it ended.
    Unknown,
    /// It needs attention, for example because it cannot be read.
    Warning,
    /// It did and it did not.
    Flaky,
}

impl Status {
    /// The status of a result, by the client's word.
    pub(crate) fn of_success(success: bool) -> Self {
        if success { Self::Passed } else { Self::Failed }
    }

    /// The class in the style sheet.
    pub(crate) fn class(self) -> &'static str {
        match self {
            Self::Passed => "ok",
            Self::Failed => "bad",
            Self::Unknown => "none",
            Self::Warning | Self::Flaky => "warn",
        }
    }

    /// The shape that stands beside the colour.
    pub(crate) fn glyph(self) -> &'static str {
        match self {
            Self::Passed => "✓",
            Self::Failed => "✗",
            Self::Unknown => "–",
            Self::Warning => "!",
            Self::Flaky => "≈",
        }
    }

    /// The word that stands beside the shape.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Unknown => "no status",
            Self::Warning => "unreadable",
            Self::Flaky => "flaky",
        }
    }
}
