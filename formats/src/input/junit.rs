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
//! - Output and properties of a whole suite, which surefire, nose and others write, become a [`Suite`].
//! - Files that output names, `[[ATTACHMENT|path]]`, are listed as `attachments` in [`TestCase::extra`]; the output
//!   stays what it is.
//!
//! Other attributes (`assertions`, `timestamp`, `hostname`, …) are ignored.

mod attachments;
mod audit;
mod case;
mod dialect;
mod finding;
mod group;

use std::borrow::Cow;
use std::io::BufRead;

use super::{Entry, Format, ParseError, ReadError, Report, Summary};
use crate::limits::Limits;
#[cfg(doc)]
use crate::model::{Suite, TestCase};
use crate::xml::{self, Event, Leniency, Pieces, Reader, Tag, Whole, shown};

pub use dialect::dialect;

use case::Case;
use finding::{Finding, Stream};
use group::Group;

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
    let (mut tests, mut suites) = (Vec::new(), Vec::new());
    let (text, _) = xml::decode(input, Leniency::Report, limits)?;
    let Summary { format, unnamed, sanitised } =
        read_pieces(Whole::new(&text), limits, &mut |entry| match entry {
            Entry::Test(test) => tests.push(test),
            Entry::Suite(suite) => suites.push(suite),
        })?;
    let oddities = audit::audit(&text, limits);
    Ok(Report { format, tests, suites, unnamed, sanitised, oddities })
}

/// Reads one document as it comes.
pub(super) fn read<R: BufRead>(
    input: R,
    limits: &Limits,
    visit: &mut dyn FnMut(Entry),
) -> Result<Summary, ReadError> {
    match xml::open(input, limits)? {
        xml::Document::Stream(stream) => read_pieces(*stream, limits, visit),
        xml::Document::Text(text) => read_pieces(Whole::new(&text), limits, visit),
    }
}

fn read_pieces(
    pieces: impl Pieces,
    limits: &Limits,
    visit: &mut dyn FnMut(Entry),
) -> Result<Summary, ReadError> {
    let mut reader = Reader::new(pieces, Leniency::Report, limits);
    let mut document = Document::new(limits, visit);
    while let Some(event) = reader.next()? {
        let accepted = match event {
            Event::Start => document.start(reader.tag()),
            Event::Text(text) => {
                document.text(text);
                Ok(())
            }
            Event::End => document.end(),
        };
        accepted.map_err(|message| ParseError { position: reader.position(), message })?;
    }
    let sanitised = reader.sanitised();
    Ok(Summary { format: Format::Junit, unnamed: Default::default(), sanitised })
}

/// What an open element means.
enum Open {
    Group,
    Case,
    Finding,
    Stream,
    Ignored,
}

/// A document on the way in. One entry of `open` for each open element; the things that are being
/// read wait in the other fields until their element ends.
struct Document<'v> {
    visit: &'v mut dyn FnMut(Entry),
    limits: &'v Limits,
    tests_visited: usize,
    suites_visited: usize,
    open: Vec<Open>,
    groups: Vec<Group>,
    cases: Vec<Case>,
    finding: Option<Finding>,
    stream: Option<(Stream, String)>,
}

impl<'v> Document<'v> {
    fn new(limits: &'v Limits, visit: &'v mut dyn FnMut(Entry)) -> Self {
        Self {
            visit,
            limits,
            tests_visited: 0,
            suites_visited: 0,
            open: Vec::new(),
            groups: Vec::new(),
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
                self.groups.push(Group::new(tag));
                Open::Group
            }
            "testcase" => {
                if self.tests_visited + self.cases.len() >= self.limits.tests_max {
                    return Err(format!("over the limit of {} tests", self.limits.tests_max));
                }
                self.cases.push(Case::new(tag, name_of(&self.groups)));
                Open::Case
            }
            _ => self.start_inside(tag),
        };
        self.open.push(open);
        Ok(())
    }

    /// An element that belongs to a test or to a suite.
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
        match Stream::new(tag) {
            Some(stream) => {
                self.stream = Some((stream, String::new()));
                Open::Stream
            }
            None => Open::Ignored,
        }
    }

    fn text(&mut self, text: Cow<'_, str>) {
        let whole = match (&mut self.stream, &mut self.finding) {
            (Some((_, captured)), _) => captured,
            (None, Some(finding)) => &mut finding.text,
            (None, None) => return,
        };
        // Of a long text there must be no second copy.
        match whole.is_empty() {
            true => *whole = text.into_owned(),
            false => whole.push_str(&text),
        }
    }

    /// The error is what is wrong with the element that ends.
    fn end(&mut self) -> Result<(), String> {
        match self.open.pop() {
            Some(Open::Group) => return self.end_group(),
            Some(Open::Case) => {
                self.cases.last_mut().into_iter().for_each(Case::settle);
                if let Some(case) = self.cases.pop() {
                    self.tests_visited += 1;
                    (self.visit)(Entry::Test(case.test));
                }
            }
            Some(Open::Finding) => self.end_finding(),
            Some(Open::Stream) => self.end_stream(),
            Some(Open::Ignored) | None => {}
        }
        Ok(())
    }

    fn end_group(&mut self) -> Result<(), String> {
        let name = name_of(&self.groups).map(str::to_owned);
        let Some(group) = self.groups.pop() else { return Ok(()) };
        let (test, suite) = group.into_parts(name.unwrap_or_default());
        if let Some(test) = test {
            self.tests_visited += 1;
            (self.visit)(Entry::Test(test));
        }
        if !suite.is_plain() {
            self.suites_visited += 1;
            if self.suites_visited > self.limits.suites_max {
                let max = self.limits.suites_max;
                return Err(format!("over the limit of {max} suites with output or properties"));
            }
            (self.visit)(Entry::Suite(suite));
        }
        Ok(())
    }

    fn end_finding(&mut self) {
        let Some(finding) = self.finding.take() else { return };
        if let Some(case) = self.cases.last_mut() {
            case.conclude(finding);
        } else if let Some(group) = self.groups.last_mut() {
            group.conclude(finding);
        }
    }

    fn end_stream(&mut self) {
        let Some((stream, text)) = self.stream.take() else { return };
        match (&mut self.finding, self.cases.last_mut(), self.groups.last_mut()) {
            (Some(finding), ..) => finding.add(stream, text),
            (None, Some(case), _) => case.add(stream, text),
            (None, None, Some(group)) => group.add(stream, text),
            (None, None, None) => {}
        }
    }
}

/// The name of the innermost suite that has one.
fn name_of(groups: &[Group]) -> Option<&str> {
    groups.iter().rev().find_map(|group| group.name.as_deref())
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
