//! What people say of results afterwards, made fit to be shown.

use crate::annotations::{Excuse, ExcuseKind, Note, Problem};
use crate::text;

/// Why a failure is no news.
#[derive(Debug, Clone)]
pub(crate) struct ExcuseView {
    /// `known failure`.
    pub(crate) word: &'static str,
    /// The tests: an id, or a pattern.
    pub(crate) test: String,
    /// ` on shed`, where it is not for all machines.
    pub(crate) on: String,
    /// Lines.
    pub(crate) reason: Vec<String>,
    pub(crate) link: Option<String>,
    /// The last day on which it holds: `2026-12-31`.
    pub(crate) until: String,
    /// The file and line that say so.
    pub(crate) place: String,
}

impl ExcuseView {
    pub(crate) fn new(excuse: &Excuse) -> Self {
        Self {
            word: match excuse.kind {
                ExcuseKind::Known => "known failure",
                ExcuseKind::Quarantine => "in quarantine",
            },
            test: text::name(&excuse.test),
            on: excuse.host.as_ref().map_or(String::new(), |it| format!(" on {}", text::name(it))),
            reason: text::lines(&excuse.reason),
            link: excuse.link.clone(),
            until: excuse.expires.to_string(),
            place: text::name(&excuse.place),
        }
    }
}

/// A note on a result or a machine.
#[derive(Debug, Clone)]
pub(crate) struct RemarkView {
    /// Lines.
    pub(crate) text: Vec<String>,
    pub(crate) link: Option<String>,
}

impl RemarkView {
    pub(crate) fn all(notes: &[Note]) -> Vec<Self> {
        let view = |note: &Note| Self { text: text::lines(&note.text), link: note.link.clone() };
        notes.iter().map(view).collect()
    }
}

/// What is wrong with a file of annotations.
#[derive(Debug, Clone)]
pub(crate) struct ProblemView {
    /// The file and line.
    pub(crate) place: String,
    pub(crate) message: String,
}

impl ProblemView {
    pub(crate) fn new(problem: &Problem) -> Self {
        let Problem { place, message } = problem;
        Self { place: text::name(place), message: text::name(message) }
    }
}
