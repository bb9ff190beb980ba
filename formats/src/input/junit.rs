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

use std::io::BufRead;

use super::{Format, ParseError, ReadError, Report, Summary};
use crate::limits::Limits;
use crate::model::TestCase;
use crate::xml::{self, Event, Leniency, Pieces, Reader, Tag, Whole, shown};

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

/// Reads one document that is in memory and keeps all of it.
pub(super) fn parse(input: &[u8], limits: &Limits) -> Result<Report, ParseError> {
    let mut tests = Vec::new();
    let (text, _) = xml::decode(input, Leniency::Report, limits)?;
    let Summary { format, unnamed, sanitised } =
        read_pieces(Whole::new(&text), limits, &mut |test| tests.push(test))?;
    let oddities = audit::audit(&text, limits);
    Ok(Report { format, tests, unnamed, sanitised, oddities })
}

/// Reads one document as it comes.
pub(super) fn read<R: BufRead>(
    input: R,
    limits: &Limits,
    visit: &mut dyn FnMut(TestCase),
) -> Result<Summary, ReadError> {
    match xml::open(input, limits)? {
        xml::Document::Stream(stream) => read_pieces(stream, limits, visit),
        xml::Document::Text(text) => read_pieces(Whole::new(&text), limits, visit),
    }
}

fn read_pieces(
    pieces: impl Pieces,
    limits: &Limits,
    visit: &mut dyn FnMut(TestCase),
) -> Result<Summary, ReadError> {
    let mut reader = Reader::new(pieces, Leniency::Report, limits);
    let mut document = Document::new(limits, visit);
    while let Some(event) = reader.next()? {
        let accepted = match event {
            Event::Start => document.start(reader.tag()),
            Event::Text(text) => {
                document.text(&text);
                Ok(())
            }
            Event::End => {
                document.end();
                Ok(())
            }
        };
        accepted.map_err(|message| ParseError { position: reader.position(), message })?;
    }
    let sanitised = reader.sanitised();
    Ok(Summary { format: Format::Junit, unnamed: Default::default(), sanitised })
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
struct Document<'v> {
    visit: &'v mut dyn FnMut(TestCase),
    tests_max: usize,
    tests_visited: usize,
    open: Vec<Open>,
    suites: Vec<Suite>,
    cases: Vec<Case>,
    finding: Option<Finding>,
    stream: Option<(Stream, String)>,
}

impl<'v> Document<'v> {
    fn new(limits: &Limits, visit: &'v mut dyn FnMut(TestCase)) -> Self {
        Self {
            visit,
            tests_max: limits.tests_max,
            tests_visited: 0,
            open: Vec::new(),
            suites: Vec::new(),
            cases: Vec::new(),
            finding: None,
            stream: None,
        }
    }

    /// The error is what is wrong with the tag.
    fn start(&mut self, tag: Tag<'_>) -> Result<(), String> {
        if self.open.is_empty() {
            require_root(tag)?;
        }
        let open = match tag.name() {
            "testsuite" | "testsuites" => {
                self.suites.push(Suite::new(tag));
                Open::Suite
            }
            "testcase" => {
                if self.tests_visited + self.cases.len() >= self.tests_max {
                    return Err(format!("over the limit of {} tests", self.tests_max));
                }
                let suite = self.suites.iter().rev().find_map(|suite| suite.name.as_deref());
                self.cases.push(Case::new(tag, suite));
                Open::Case
            }
            _ => self.start_inside(tag),
        };
        self.open.push(open);
        Ok(())
    }

    /// An element that belongs to a test or, if it is a result, to a suite.
    fn start_inside(&mut self, tag: Tag<'_>) -> Open {
        if self.stream.is_some() {
            return Open::Ignored;
        }
        if self.finding.is_none()
            && let Some(finding) = Finding::new(tag)
        {
            self.finding = Some(finding);
            return Open::Finding;
        }
        let belongs = !self.cases.is_empty() || self.finding.is_some();
        match Stream::new(tag).filter(|_| belongs) {
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
                let test = self.suites.pop().and_then(Suite::into_test);
                self.hand_over(test);
            }
            Some(Open::Case) => {
                let test = self.cases.pop().map(Case::into_test);
                self.hand_over(test);
            }
            Some(Open::Finding) => self.end_finding(),
            Some(Open::Stream) => self.end_stream(),
            Some(Open::Ignored) | None => {}
        }
    }

    fn hand_over(&mut self, test: Option<TestCase>) {
        if let Some(test) = test {
            self.tests_visited += 1;
            (self.visit)(test);
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
fn require_root(tag: Tag<'_>) -> Result<(), String> {
    let name = tag.name();
    let expected = "expected <testsuites> or <testsuite>";
    if !matches!(name, "testsuites" | "testsuite") {
        return Err(format!("not JUnit: root is <{}>, {expected}", shown(name)));
    }
    match tag.attribute("xmlns").filter(|namespace| !namespace.is_empty()) {
        None => Ok(()),
        Some(namespace) => {
            let namespace = shown(namespace);
            Err(format!("not JUnit: root is <{name}> of {namespace}, {expected} without namespace"))
        }
    }
}

#[cfg(test)]
mod tests;
