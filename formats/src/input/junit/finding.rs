//! What the elements inside a `testcase` say.

use super::{EXPECTED_FAILURE, UNEXPECTED_PASS};
use crate::model::{Attempt, Evidence, Outcome};
use crate::xml::Tag;

/// How pytest begins the message of a strict expected failure that passed.
const STRICT_PASS: &str = "[XPASS(strict)]";

/// A child element that says how a test, or one attempt at it, ended.
pub(super) struct Finding {
    pub(super) outcome: Outcome,
    /// Whether it speaks of an earlier attempt and not of the test.
    pub(super) is_attempt: bool,
    duration: Option<f64>,
    evidence: Evidence,
    /// The element's own text.
    pub(super) text: String,
}

impl Finding {
    /// `None` if the element is no result.
    pub(super) fn new(tag: Tag<'_>) -> Option<Self> {
        let (outcome, is_attempt) = match tag.name() {
            "failure" => (Outcome::Failed, false),
            "error" => (Outcome::Errored, false),
            "skipped" => (Outcome::Skipped, false),
            "flakyFailure" | "rerunFailure" => (Outcome::Failed, true),
            "flakyError" | "rerunError" => (Outcome::Errored, true),
            _ => return None,
        };
        let (mut duration, mut evidence) = (None, Evidence::default());
        for (key, value) in tag.attributes() {
            match key {
                "message" => evidence.message = non_empty(value),
                "type" => evidence.kind = non_empty(value),
                "time" => duration = seconds(value),
                _ => {}
            }
        }
        Some(Self { outcome, is_attempt, duration, evidence, text: String::new() })
    }

    /// Takes what a child element held.
    pub(super) fn add(&mut self, stream: Stream, text: String) {
        match stream {
            Stream::Output => append(&mut self.evidence.output, text, ""),
            Stream::Errout => append(&mut self.evidence.errout, text, ""),
            Stream::StackTrace => append(&mut self.evidence.details, text, "\n"),
            Stream::Time => self.duration = self.duration.or_else(|| seconds(&text)),
            Stream::Property { .. } => {}
        }
    }

    pub(super) fn into_attempt(self) -> Attempt {
        let Self { outcome, duration, mut evidence, text, .. } = self;
        let stack_trace = evidence.details.take();
        let text = without_margin(text);
        if outcome == Outcome::Skipped && evidence.message.is_none() && is_line(&text) {
            evidence.message = Some(text.trim_start().to_owned());
        } else {
            append(&mut evidence.details, text, "");
        }
        stack_trace.into_iter().for_each(|text| append(&mut evidence.details, text, "\n"));
        let strict_pass = evidence.message.as_ref().is_some_and(|m| m.starts_with(STRICT_PASS));
        let outcome = match (outcome, evidence.kind.as_deref()) {
            (Outcome::Skipped, Some(EXPECTED_FAILURE)) => Outcome::ExpectedFailure,
            (Outcome::Failed, Some(UNEXPECTED_PASS)) => Outcome::UnexpectedPass,
            (Outcome::Failed, _) if strict_pass => Outcome::UnexpectedPass,
            (outcome, _) => outcome,
        };
        Attempt { outcome, duration, evidence }
    }
}

/// A child element whose text is a thing of its own.
pub(super) enum Stream {
    Output,
    Errout,
    /// surefire's `stackTrace` inside an attempt.
    StackTrace,
    /// AntUnit's `time` element.
    Time,
    /// A `property`; its value is an attribute or the text.
    Property {
        name: String,
        value: Option<String>,
    },
}

impl Stream {
    /// `None` if the element is none of these.
    pub(super) fn new(tag: Tag<'_>) -> Option<Self> {
        Some(match tag.name() {
            "system-out" => Self::Output,
            "system-err" => Self::Errout,
            "stackTrace" => Self::StackTrace,
            "time" => Self::Time,
            "property" => Self::Property {
                name: tag.attribute("name").unwrap_or_default().to_owned(),
                value: tag.attribute("value").map(str::to_owned),
            },
            _ => return None,
        })
    }
}

/// Seconds. Some runners group digits, so `2,503.1` is 2503.1; any other comma could as well be a
/// decimal point, and is no number.
pub(super) fn seconds(text: &str) -> Option<f64> {
    let text = text.trim();
    let seconds = text.parse().ok().or_else(|| ungrouped(text)?.parse().ok());
    // Adding makes 0 of -0.
    seconds
        .filter(|seconds: &f64| seconds.is_finite() && *seconds >= 0.0)
        .map(|seconds| seconds + 0.0)
}

/// Removes separators between groups of three digits.
#[cold]
fn ungrouped(text: &str) -> Option<String> {
    let whole = text.split('.').next().unwrap_or_default();
    let mut groups = whole.split(',');
    let first = groups.next()?;
    let grouped = (1..=3).contains(&first.len()) && first != "0" && groups.all(|g| g.len() == 3);
    grouped.then(|| text.replace(',', ""))
}

pub(super) fn non_empty(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// Whether this is exactly one line.
fn is_line(text: &str) -> bool {
    !text.is_empty() && !text.contains('\n')
}

/// Text without the blank lines before it and the blanks behind it, which come from indenting.
fn without_margin(mut text: String) -> String {
    text.truncate(text.trim_end().len());
    let indent = text.len() - text.trim_start().len();
    let margin = text[..indent].rfind('\n').map_or(0, |at| at + 1);
    text.drain(..margin);
    text
}

/// Adds text that is more than blanks.
pub(super) fn append(whole: &mut Option<String>, text: String, separator: &str) {
    if text.trim().is_empty() {
        return;
    }
    match whole {
        None => *whole = Some(text),
        Some(whole) => {
            whole.push_str(separator);
            whole.push_str(&text);
        }
    }
}
