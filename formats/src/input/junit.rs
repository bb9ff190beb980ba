//! JUnit XML, the format that nearly every test runner writes, in any of its dialects.
//!
//! There is no standard, so what counts are the elements: every `testcase`, wherever it stands, is
//! one test, and its children say how it ended. Totals in attributes are ignored, because they
//! disagree with the elements too often.
//!
//! - The id is `classname::name`; without a `classname` the name of the suite takes its place. An
//!   empty `classname` is no part of the id: pytest writes one where there is none.
//! - Of several results on one test the worst decides, and the messages of all are kept.
//! - `flakyFailure` and `flakyError` (surefire, nextest) without a result make a test flaky;
//!   `rerunFailure` and `rerunError` are kept as attempts beside the failure.
//! - `skipped` of type `pytest.xfail` is an expected failure; `status="notrun"`,
//!   `status="disabled"` and `result="suppressed"` without a child (googletest) are skipped.
//! - A `failure` or `error` directly in a suite, where a class failed to load, becomes a test of
//!   its own, `suite::(suite)`, so that the run does not look green.
//! - Properties of a test are kept as `properties` in [`TestCase::extra`].
//!
//! Not kept, for want of a test they belong to: output and properties of a whole suite. Other
//! attributes (`assertions`, `timestamp`, `hostname`, …) are ignored.

mod audit;
mod case;
mod dialect;
mod finding;

use super::{Format, ParseError, Report};
use crate::limits::Limits;
use crate::model::TestCase;
use crate::xml::{Event, Reader, decode, shown};

pub use dialect::dialect;

use case::{Case, Suite};
use finding::{Finding, Stream};

/// The `type` of a `skipped` test that failed as it was marked to do.
pub(crate) const EXPECTED_FAILURE: &str = "pytest.xfail";

/// The `type` of a `failure` that is a pass against expectation. Our own: no runner has one.
pub(crate) const UNEXPECTED_PASS: &str = "unexpected-pass";

/// Whether this looks like any XML: the first character that is no blank is `<`.
pub(super) fn detect(input: &[u8]) -> bool {
    let marks: [&[u8]; 3] = [b"\xEF\xBB\xBF", b"\xFF\xFE", b"\xFE\xFF"];
    let rest = marks.iter().find_map(|mark| input.strip_prefix(*mark)).unwrap_or(input);
    // Half of the bytes of `<` in UTF-16 are NUL.
    rest.iter().find(|byte| !b" \t\r\n\0".contains(byte)) == Some(&b'<')
}

/// Reads one document.
pub(super) fn parse(input: &[u8], limits: &Limits) -> Result<Report, ParseError> {
    let text = decode(input, limits)?;
    let mut reader = Reader::new(&text, limits);
    let mut document = Document::default();
    while let Some(event) = reader.next()? {
        match event {
            Event::Start(name) => document.start(name, &mut reader, limits)?,
            Event::Text(text) => document.text(&text),
            Event::End => document.end(),
        }
    }
    let sanitised = reader.sanitised();
    Ok(Report {
        format: Format::Junit,
        tests: document.tests,
        unnamed: Default::default(),
        sanitised,
        oddities: audit::audit(input, limits),
    })
}

/// What an open element means.
enum Open {
    Suite,
    Case,
    Finding,
    Stream,
    Ignored,
}

/// A document on the way in. One entry of `open` for each open element; the things that are being
/// read wait in the other fields until their element ends.
#[derive(Default)]
struct Document {
    tests: Vec<TestCase>,
    open: Vec<Open>,
    suites: Vec<Suite>,
    cases: Vec<Case>,
    finding: Option<Finding>,
    stream: Option<(Stream, String)>,
}

impl Document {
    fn start(
        &mut self,
        name: &str,
        reader: &mut Reader<'_>,
        limits: &Limits,
    ) -> Result<(), ParseError> {
        if self.open.is_empty() {
            require_root(name, reader)?;
        }
        let open = match name {
            "testsuite" | "testsuites" => {
                self.suites.push(Suite::new(reader.attributes()));
                Open::Suite
            }
            "testcase" => {
                if self.tests.len() + self.cases.len() >= limits.tests_max {
                    let message = format!("over the limit of {} tests", limits.tests_max);
                    return Err(ParseError { position: reader.position(), message });
                }
                let suite = self.suites.iter().rev().find_map(|suite| suite.name.as_deref());
                self.cases.push(Case::new(reader.attributes(), suite));
                Open::Case
            }
            _ => self.start_inside(name, reader),
        };
        self.open.push(open);
        Ok(())
    }

    /// An element that belongs to a test or, if it is a result, to a suite.
    fn start_inside(&mut self, name: &str, reader: &mut Reader<'_>) -> Open {
        if self.stream.is_some() {
            return Open::Ignored;
        }
        if self.finding.is_none()
            && let Some(finding) = Finding::new(name)
        {
            self.finding = Some(finding.with(reader.attributes()));
            return Open::Finding;
        }
        let belongs = !self.cases.is_empty() || self.finding.is_some();
        match Stream::new(name, reader.attributes()).filter(|_| belongs) {
            Some(stream) => {
                self.stream = Some((stream, String::new()));
                Open::Stream
            }
            None => Open::Ignored,
        }
    }

    fn text(&mut self, text: &str) {
        if let Some((_, captured)) = &mut self.stream {
            captured.push_str(text);
        } else if let Some(finding) = &mut self.finding {
            finding.text.push_str(text);
        }
    }

    fn end(&mut self) {
        match self.open.pop() {
            Some(Open::Suite) => {
                self.tests.extend(self.suites.pop().and_then(Suite::into_test));
            }
            Some(Open::Case) => self.tests.extend(self.cases.pop().map(Case::into_test)),
            Some(Open::Finding) => self.end_finding(),
            Some(Open::Stream) => self.end_stream(),
            Some(Open::Ignored) | None => {}
        }
    }

    fn end_finding(&mut self) {
        let Some(finding) = self.finding.take() else { return };
        if let Some(case) = self.cases.last_mut() {
            case.findings.push(finding);
        } else if let Some(suite) = self.suites.last_mut() {
            suite.findings.push(finding);
        }
    }

    fn end_stream(&mut self) {
        let Some((stream, text)) = self.stream.take() else { return };
        match (&mut self.finding, self.cases.last_mut()) {
            (Some(finding), _) => finding.add(stream, text),
            (None, Some(case)) => case.add(stream, text),
            (None, None) => {}
        }
    }
}

/// Other formats use the same element names: Check's `testsuites` has a namespace, JUnit has none.
fn require_root(name: &str, reader: &mut Reader<'_>) -> Result<(), ParseError> {
    let position = reader.position();
    let expected = "expected <testsuites> or <testsuite>";
    if !matches!(name, "testsuites" | "testsuite") {
        let message = format!("not JUnit: root is <{}>, {expected}", shown(name));
        return Err(ParseError { position, message });
    }
    match reader.attribute("xmlns") {
        Some(namespace) if !namespace.is_empty() => {
            let namespace = shown(namespace);
            let message =
                format!("not JUnit: root is <{name}> of {namespace}, {expected} without namespace");
            Err(ParseError { position, message })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
