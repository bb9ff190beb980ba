//! Reader of TAP, the Test Anything Protocol: versions 13 and 14 of <https://testanything.org>,
//! and version 12 without a version line, which Perl still writes. Written against the output of
//! Perl's Test::More 1.3 and prove, node 20, node-tap 15, tape 5 and mocha 11.
//!
//! Only the test points without subtests are tests, and an id is the names from the outside to the
//! inside, joined with `::`. The point that ends a subtest sums it up: it is a test of its own only
//! when it says something that none inside does, namely that it failed although none inside did,
//! or, in node's words, for a reason of its own. So the count is that of the tests at the leaves;
//! node counts a test with subtests as one more, and prove counts only the outermost points.
//!
//! | TAP | outcome |
//! | --- | --- |
//! | `ok`, also with `# todo` | passed |
//! | `not ok` | failed; errored when node says it is no assertion that failed |
//! | `not ok # todo` | expected failure, also all failures inside |
//! | `# SKIP`, and a plan of `1..0` with nothing after it | skipped |
//! | `Bail out!` | errored, with the id `Bail out!`; what follows is not read |
//! | no plan, or more or fewer tests than planned | errored, with the id `plan` |
//!
//! Several streams in one text, such as `prove -v` writes, are read one after the other; prove's
//! file names become the first part of the ids. Text that is no TAP is passed over, but for
//! comments and indented lines right under a test point that failed: those are its details.

mod diagnostic;
mod level;
mod line;
mod prove;
mod stream;

use super::terminal::Screen;
use super::{Format, ParseError, Report};
use crate::limits::Limits;
use line::TapLine;
use stream::Reader;

/// The byte offset of the first line of TAP, when there is a version line, or a plan together
/// with a test point or a reason to skip all.
pub(super) fn detect(screen: &Screen<'_>) -> Option<usize> {
    let (mut plan, mut point) = (None, None);
    for line in screen.lines() {
        match TapLine::read(line.text) {
            TapLine::Version => return plan.or(point).or(Some(line.start)),
            TapLine::Plan(skip) if skip.count == 0 && !skip.reason.is_empty() => {
                return point.or(Some(line.start));
            }
            TapLine::Plan(_) => plan = plan.or(Some(line.start)),
            TapLine::Point(_) => point = point.or(Some(line.start)),
            _ => {}
        }
        if let Some((plan, point)) = plan.zip(point) {
            return Some(plan.min(point));
        }
    }
    None
}

/// Reads the text.
///
/// # Errors
/// When there is neither a version, nor a plan, nor a test point.
pub(super) fn parse(input: &[u8], limits: &Limits) -> Result<Report, ParseError> {
    let screen = Screen::read(input, limits)?;
    let refuse =
        |offset: usize, message: String| ParseError { position: screen.position(offset), message };
    let mut reader = Reader::new(limits.input_bytes_max);
    for line in screen.lines() {
        reader.feed(line.text);
        if reader.points() > limits.tests_max {
            return Err(ParseError::too_many_tests(screen.position(line.start), limits));
        }
        if reader.has_bailed_out() || reader.has_spent_ids() {
            break;
        }
    }
    reader.end();
    if reader.has_spent_ids() {
        let most = limits.input_bytes_max;
        let message =
            format!("the names around the tests make ids longer than {most} bytes in all");
        return Err(refuse(screen.text().len(), message));
    }
    let tests = reader.into_tests();
    if tests.is_empty() {
        let message =
            "no test results: expected a plan such as `1..3`, and `ok` and `not ok` lines";
        return Err(refuse(screen.text().len(), message.to_owned()));
    }
    Ok(Report { tests, ..screen.report(Format::Tap) })
}

/// Milliseconds as seconds, with the digits that they had.
fn seconds(milliseconds: f64) -> Option<f64> {
    let seconds = (milliseconds * 1e6).round() / 1e9;
    (seconds.is_finite() && seconds >= 0.0).then_some(seconds)
}

#[cfg(test)]
mod tests;
