//! TRX: the XML of Visual Studio, `mstest` and `vstest.console`, and of `dotnet test --logger trx`, in the
//! namespaces of 2006 and 2010 (the schema is `vstst.xsd`; checked against files of vstest up to 17 and of
//! xunit.v3).
//!
//! - Every element of `Results` is a test. One with `InnerResults` (rows of data, ordered tests) sums
//!   those up, and counts itself only when it is bad and none of them is.
//! - The id is `className::testName` with the class of the definition that `testId` names, without its
//!   assembly; where the test's name begins with the class (xunit), that is taken off. Definitions come
//!   behind the results. Without one the id is the test's name.
//! - A result without `outcome` is an error: vstest leaves the attribute out for its first value, `Error`.
//! - A run that failed although no test of it did, such as one whose test host crashed, gives an
//!   errored test `test run` with what the run says about it, so that it does not look green.
//!
//! Not kept: `TextMessages`, `DebugTrace`, result files, what data collectors say, times of day.

mod result;

use std::collections::HashMap;

use super::oddity::{Oddities, Oddity};
use super::{Format, ParseError, Position, Report, markup};
use crate::limits::Limits;
use crate::model::{Outcome, TestCase};
use crate::xml::{Event, Leniency, Reader, Tag, Whole, decode, shown};

use result::{Definition, Stream, TestResult, outcome};

/// What every namespace of TRX begins with; a year follows.
const NAMESPACE: &str = "http://microsoft.com/schemas/VisualStudio/TeamTest/";

/// The id of what fails when the run failed and no test did.
const RUN: &str = "test run";

/// Whether the root is that of TRX. CppUnit has one of the same name and no namespace.
pub(super) fn detect(input: &[u8]) -> bool {
    markup::root(input)
        .is_some_and(|root| root.name == "TestRun" && root.attributes.contains(NAMESPACE))
}

/// Reads one document.
///
/// # Errors
/// When it is not well-formed, not TRX or beyond the limits.
pub(super) fn parse(input: &[u8], limits: &Limits) -> Result<Report, ParseError> {
    let (text, _) = decode(input, Leniency::Report, limits)?;
    let mut reader = Reader::new(Whole::new(&text), Leniency::Report, limits);
    let mut document = Document::default();
    while let Some(event) = reader.next()? {
        match event {
            Event::Start => document.start(reader.tag(), &|| reader.position(), limits)?,
            Event::Text(text) => document.text(&text),
            Event::End => document.end(),
        }
    }
    let sanitised = reader.sanitised();
    let (tests, oddities) = document.finish(limits);
    let (suites, unnamed) = Default::default();
    Ok(Report { format: Format::Trx, tests, suites, unnamed, sanitised, oddities })
}

/// Finds where the last event began.
type Place<'r> = &'r dyn Fn() -> Position;

/// What an open element means.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    Run,
    /// `Results` or `InnerResults`.
    Results,
    Result,
    Output,
    ErrorInfo,
    /// An element whose text is kept.
    Stream(Stream),
    Definitions,
    Definition,
    Summary,
    RunInfos,
    /// A `RunInfo` that tells of an error.
    RunError,
    Ignored,
}

/// A document on the way in.
#[derive(Default)]
struct Document {
    /// One entry for each open element.
    open: Vec<Open>,
    /// Results that are open, each an inner one of the one before it.
    results: Vec<TestResult>,
    /// Results that have ended, except sums of others.
    ended: Vec<TestResult>,
    /// How many of those were left out.
    sums: usize,
    definitions: HashMap<String, Definition>,
    /// The id of the definition that is open.
    definition: Option<String>,
    /// What the text of the open element comes to.
    text: String,
    run_failed: bool,
    run_errors: String,
    /// How many tests the summary declares, and where. It comes before the results or behind them.
    declared: Option<(usize, Position)>,
    oddities: Oddities,
}

impl Document {
    fn start(&mut self, tag: Tag<'_>, place: Place<'_>, limits: &Limits) -> Result<(), ParseError> {
        let Some(parent) = self.open.last() else {
            require_root(tag, place)?;
            self.open.push(Open::Run);
            return Ok(());
        };
        let open = match (parent, tag.name()) {
            (Open::Run, "Results") | (Open::Result, "InnerResults") => Open::Results,
            (Open::Results, _) => self.start_result(tag, place, limits)?,
            (Open::Result, "Output") => Open::Output,
            (Open::Output, "ErrorInfo") => Open::ErrorInfo,
            (Open::Output, "StdOut") => Open::Stream(Stream::Output),
            (Open::Output, "StdErr") => Open::Stream(Stream::Errout),
            (Open::ErrorInfo, "Message") => Open::Stream(Stream::Message),
            (Open::ErrorInfo, "StackTrace") => Open::Stream(Stream::StackTrace),
            (Open::Run, "TestDefinitions") => Open::Definitions,
            (Open::Definitions, _) => self.start_definition(tag, place, limits)?,
            (Open::Definition, "TestMethod") => self.test_method(tag),
            (Open::Run, "ResultSummary") => self.start_summary(tag),
            (Open::Summary, "Counters") if self.declared.is_none() => {
                let total = tag.attribute("total").and_then(|total| total.trim().parse().ok());
                self.declared = total.map(|total| (total, place()));
                Open::Ignored
            }
            (Open::Summary, "RunInfos") => Open::RunInfos,
            (Open::RunInfos, "RunInfo") if tag.attribute("outcome") == Some("Error") => {
                Open::RunError
            }
            (Open::RunError, "Text") => Open::Stream(Stream::RunError),
            _ => Open::Ignored,
        };
        self.text.clear();
        self.open.push(open);
        Ok(())
    }

    fn start_result(
        &mut self,
        tag: Tag<'_>,
        place: Place<'_>,
        limits: &Limits,
    ) -> Result<Open, ParseError> {
        if self.ended.len() + self.results.len() >= limits.tests_max {
            let message = format!("over the limit of {} tests", limits.tests_max);
            return Err(ParseError { position: place(), message });
        }
        let word = tag.attribute("outcome");
        let outcome = word.map_or(Some(Outcome::Errored), outcome);
        if outcome.is_none() {
            self.note(place, limits, || {
                let word = shown(word.unwrap_or_default());
                format!("unknown outcome `{word}`, counted as errored")
            });
        }
        let result = TestResult::new(outcome.unwrap_or(Outcome::Errored), tag);
        if tag.attribute("duration").is_some() && result.test.duration.is_none() {
            self.note(place, limits, || {
                let duration = shown(tag.attribute("duration").unwrap_or_default());
                format!("duration `{duration}` is no `hh:mm:ss.fffffff`, left out")
            });
        }
        self.results.push(result);
        Ok(Open::Result)
    }

    fn start_definition(
        &mut self,
        tag: Tag<'_>,
        place: Place<'_>,
        limits: &Limits,
    ) -> Result<Open, ParseError> {
        if self.definitions.len() >= limits.tests_max {
            let message = format!("over the limit of {} test definitions", limits.tests_max);
            return Err(ParseError { position: place(), message });
        }
        self.definition = tag.attribute("id").map(str::to_owned);
        Ok(Open::Definition)
    }

    fn test_method(&mut self, tag: Tag<'_>) -> Open {
        if let (Some(id), Some(class)) = (self.definition.take(), tag.attribute("className")) {
            let method = tag.attribute("name").unwrap_or_default();
            self.definitions.insert(id, Definition::new(class, method));
        }
        Open::Ignored
    }

    fn start_summary(&mut self, tag: Tag<'_>) -> Open {
        // `Completed` and `Warning` are what green runs say.
        self.run_failed |=
            tag.attribute("outcome").and_then(outcome).is_some_and(|outcome| outcome.is_bad());
        Open::Summary
    }

    /// The summary counts every result, but runners disagree about rows of data and their sum.
    fn check_total(&mut self, limits: &Limits) {
        let found = self.ended.len();
        let all = found + self.sums;
        if let Some((declared, position)) = self.declared.take()
            && !(found..=all).contains(&declared)
        {
            let message = || format!("the summary declares {declared} tests, {found} are here");
            self.oddities.add(limits.oddities_max, || Oddity { position, message: message() });
        }
    }

    fn note(&mut self, place: Place<'_>, limits: &Limits, message: impl FnOnce() -> String) {
        self.oddities.add(limits.oddities_max, || Oddity { position: place(), message: message() });
    }

    fn text(&mut self, text: &str) {
        if let Some(Open::Stream(_)) = self.open.last() {
            self.text.push_str(text);
        }
    }

    fn end(&mut self) {
        match self.open.pop() {
            Some(Open::Result) => self.end_result(),
            Some(Open::Definition) => self.definition = None,
            Some(Open::Stream(Stream::RunError)) => {
                let text = std::mem::take(&mut self.text);
                if !self.run_errors.is_empty() {
                    self.run_errors.push('\n');
                }
                self.run_errors.push_str(text.trim());
            }
            Some(Open::Stream(stream)) => {
                let text = std::mem::take(&mut self.text);
                if let Some(result) = self.results.last_mut() {
                    result.add(stream, text);
                }
            }
            _ => {}
        }
    }

    fn end_result(&mut self) {
        let Some(result) = self.results.pop() else { return };
        let is_bad = result.test.outcome.is_bad();
        if let Some(outer) = self.results.last_mut() {
            outer.has_inner = true;
            outer.has_bad_inner |= is_bad || result.has_bad_inner;
        }
        let explains_itself = is_bad && !result.has_bad_inner;
        if !result.has_inner || explains_itself {
            self.ended.push(result);
        } else {
            self.sums += 1;
        }
    }

    fn finish(mut self, limits: &Limits) -> (Vec<TestCase>, Oddities) {
        self.check_total(limits);
        let is_red = self.ended.iter().any(|result| result.test.outcome.is_bad());
        let definitions = self.definitions;
        let mut tests: Vec<TestCase> =
            self.ended.into_iter().map(|result| result.into_test(&definitions)).collect();
        if self.run_failed && !is_red {
            let mut test = TestCase::new(RUN, Outcome::Errored);
            let reason = "the run failed although no test of it did";
            test.evidence.message = Some(reason.to_owned());
            test.evidence.details = Some(self.run_errors).filter(|errors| !errors.is_empty());
            tests.push(test);
        }
        (tests, self.oddities)
    }
}

fn require_root(tag: Tag<'_>, place: Place<'_>) -> Result<(), ParseError> {
    let (name, namespace) = (tag.name(), tag.attribute("xmlns").unwrap_or_default());
    if name == "TestRun" && namespace.starts_with(NAMESPACE) {
        return Ok(());
    }
    let of = match namespace {
        "" => String::new(),
        namespace => format!(" of {}", shown(namespace)),
    };
    let message =
        format!("not TRX: root is <{}>{of}, expected <TestRun> of {NAMESPACE}2010", shown(name));
    Err(ParseError { position: place(), message })
}

#[cfg(test)]
mod tests;
