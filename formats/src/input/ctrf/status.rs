//! The five statuses of CTRF and the outcomes that they stand for.

use crate::model::{Evidence, Outcome};

/// What `rawStatus` says of a test that was not run; letters only, in lower case.
const NOT_RUN: [&str; 10] = [
    "todo",
    "skip",
    "skipped",
    "pending",
    "disabled",
    "ignored",
    "notrun",
    "notexecuted",
    "inconclusive",
    "didnotrun",
];

/// What `rawStatus` says of a test that something else broke.
const BROKEN: [&str; 12] = [
    "error",
    "errored",
    "broken",
    "crash",
    "crashed",
    "timeout",
    "timedout",
    "interrupted",
    "aborted",
    "cancelled",
    "canceled",
    "fatal",
];

/// The status that an outcome has in CTRF, folded as in [`Tally`].
pub(crate) fn status_of(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Passed | Outcome::Flaky => "passed",
        Outcome::Skipped | Outcome::ExpectedFailure => "skipped",
        Outcome::Failed | Outcome::UnexpectedPass | Outcome::Errored => "failed",
    }
}

/// The outcome of a status, and of the word that the tool itself had for it.
pub(super) fn outcome(status: Option<&str>, raw: Option<&str>) -> Outcome {
    let own = raw.and_then(Outcome::from_word);
    if let Some(own) = own.filter(|own| Some(status_of(*own)) == status) {
        return own;
    }
    let letters = |text: &str| -> String {
        text.chars().filter(char::is_ascii_alphabetic).map(|c| c.to_ascii_lowercase()).collect()
    };
    let raw = raw.map(letters).unwrap_or_default();
    match status {
        Some("passed") => Outcome::Passed,
        Some("failed") if BROKEN.contains(&raw.as_str()) => Outcome::Errored,
        Some("failed") => Outcome::Failed,
        Some("skipped" | "pending") => Outcome::Skipped,
        _ if NOT_RUN.contains(&raw.as_str()) => Outcome::Skipped,
        _ => Outcome::Errored,
    }
}

/// An errored test without a message says at least what its status was.
pub(super) fn explain(
    evidence: &mut Evidence,
    outcome: Outcome,
    status: Option<&str>,
    raw: Option<&str>,
) {
    if outcome != Outcome::Errored || evidence.message.is_some() || status == Some("failed") {
        return;
    }
    let raw = raw.filter(|raw| Some(*raw) != status).map(|raw| format!(" (`{raw}`)"));
    let status =
        status.map_or_else(|| "no status".to_owned(), |status| format!("status `{status}`"));
    evidence.message = Some(format!("{status}{}", raw.unwrap_or_default()));
}
