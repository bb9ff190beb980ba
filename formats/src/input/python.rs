//! Reader of the text of unittest (Python 3.8 to 3.14), nose 1.3, pynose 1.5 and nose2 0.15 and on:
//! verbose, or one letter per test.
//!
//! An id is what the runner's JUnit XML says: class, `::`, name. A runner that prints a docstring in
//! place of the name (nose does) leaves nothing but the docstring for an id.
//!
//! `Ran N tests in …` with the `OK` or `FAILED (failures=1, …)` after it is right about how many
//! there were; it counts only below a rule of dashes, where a test that prints such a line does not
//! put it. Failures and errors are events: one test can have several, and `setUpClass` has some of
//! its own, each of them a test case here as in JUnit XML. They come from the reports with their
//! tracebacks, passes and skips from the verbose lines. A run that never says how many tests it ran
//! gives an errored test: the one that was running, otherwise `test run`.

mod line;
mod name;
mod run;

use run::{Run, RunEnd};

use super::oddity::Notes;
use super::quote::quote;
use super::terminal::{Line, Screen};
use super::{Format, ParseError, Report};
use crate::limits::Limits;
use crate::model::{Outcome, Tally, TestCase};

/// The id of what fails when a run does not end.
const RUN: &str = "test run";

/// The byte offset of the first line that only these runners write.
pub(super) fn detect(screen: &Screen<'_>) -> Option<usize> {
    let mut before = "";
    for line in screen.lines() {
        let is_end = line::is_rule(before) && line::ran(line.text).is_some();
        let is_report = line::is_double_rule(before) && line::heading(line.text).is_some();
        let is_test = || match line::TestLine::parse(line.text, None) {
            Some(line::TestLine::Ended(..)) => line
                .text
                .split_once(" ... ")
                .and_then(|(name, _)| name::TestName::parse_method(name)),
            _ => None,
        };
        if is_end || is_report || is_test().is_some() {
            return Some(line.start);
        }
        before = line.text;
    }
    None
}

/// Reads the text.
///
/// # Errors
/// When no test ran, or nothing says so.
pub(super) fn parse(input: &[u8], limits: &Limits) -> Result<Report, ParseError> {
    let screen = Screen::read(input, limits)?;
    let mut reader = Reader::new(&screen, limits.oddities_max);
    screen.each_line(limits, |line| {
        reader.feed(line);
        reader.tests.len().saturating_add(reader.run.len())
    })?;
    reader.end();
    if reader.tests.is_empty() && reader.unnamed.total == 0 {
        let why = if reader.has_finished { "no tests ran" } else { "no test results" };
        return Err(ParseError::at(
            input,
            input.len(),
            format!(
                "{why}: expected `Ran N tests in …` with at least one test, as unittest and nose \
                 print it{}",
                last_words(screen.text())
            ),
        ));
    }
    let report =
        Report { oddities: reader.notes.into_oddities(), ..screen.report(Format::PythonText) };
    Ok(Report { tests: reader.tests, unnamed: reader.unnamed, ..report })
}

/// The last line of a text, for a message.
fn last_words(text: &str) -> String {
    let last = text.lines().rev().find(|line| !line.trim().is_empty());
    last.map(|line| format!("; the text ends with `{}`", quote(line.trim()))).unwrap_or_default()
}

/// Where reading is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Among the tests, verbose or as letters.
    Tests,
    /// Behind the heading of a report.
    Heading,
    /// In the body of a report.
    Body,
    /// Behind `Ran N tests`, before `OK` or `FAILED`.
    Ran(u64),
}

struct Reader<'t> {
    text: &'t str,
    place: Place,
    run: Run<'t>,
    /// The line before, and where it began.
    before: &'t str,
    before_start: usize,
    /// An end of the run that came while a test was running, and the reports before it.
    early_end: Option<(RunEnd, usize)>,
    tests: Vec<TestCase>,
    unnamed: Tally,
    has_finished: bool,
    notes: Notes<'t>,
}

impl<'t> Reader<'t> {
    fn new(screen: &'t Screen<'t>, notes_max: usize) -> Self {
        Self {
            text: screen.text(),
            place: Place::Tests,
            run: Run::default(),
            before: "",
            before_start: 0,
            early_end: None,
            tests: Vec::new(),
            unnamed: Tally::default(),
            has_finished: false,
            notes: Notes::new(screen, notes_max),
        }
    }

    fn feed(&mut self, line: Line<'t>) {
        if let Place::Ran(number) = self.place {
            match line::status(line.text) {
                Some(status) => self.end_run((number, status, line.start)),
                None if line.is_blank() => {}
                None => self.place = Place::Tests,
            }
        } else if let Some(number) = line::ran(line.text).filter(|_| line::is_rule(self.before)) {
            self.run.end_body(self.before_start);
            self.place = Place::Ran(number);
        } else if let Some((outcome, name)) = line::heading(line.text)
            && (line::is_double_rule(self.before) || self.is_second_unexpected(outcome))
        {
            self.run.end_body(self.before_start);
            self.run.report(outcome, name, line.end);
            self.place = Place::Heading;
        } else {
            self.feed_text(line);
        }
        (self.before, self.before_start) = (line.text, line.start);
    }

    /// unittest lists all unexpected successes below one rule.
    fn is_second_unexpected(&self, outcome: Outcome) -> bool {
        outcome == Outcome::UnexpectedPass && self.place == Place::Heading
    }

    fn feed_text(&mut self, line: Line<'t>) {
        match self.place {
            Place::Heading if line::is_rule(line.text) => {
                self.run.begin_body(line.end);
                self.place = Place::Body;
            }
            Place::Body if line::is_rule(line.text) => self.run.end_body(line.start),
            Place::Tests if !line::is_rule(line.text) && !line::is_double_rule(line.text) => {
                self.run.feed(line);
            }
            _ => {}
        }
    }

    fn end_run(&mut self, end: RunEnd) {
        self.place = Place::Tests;
        if let Some(((_, _, offset), reports)) = self.early_end.take() {
            let odd = "output of a test that looks like the end of a run, not counted";
            self.notes.add(offset, || odd.to_owned());
            self.run.forget_reports(reports);
        }
        if self.run.is_inside_a_test() {
            self.early_end = Some((end, self.run.reports()));
            return;
        }
        self.finish_run(end);
    }

    fn finish_run(&mut self, end: RunEnd) {
        let run = std::mem::take(&mut self.run);
        let (tests, unnamed) = run.finish(self.text, end, &mut self.notes);
        let is_red = unnamed.bad() > 0 || tests.iter().any(|test| test.outcome.is_bad());
        self.tests.extend(tests);
        self.unnamed += unnamed;
        self.has_finished = true;
        if end.1.is_failed && !is_red {
            self.add_errored(
                RUN.to_owned(),
                "the run failed although no test of it did".to_owned(),
            );
        }
    }

    /// Takes what is left at the end of the text.
    fn end(&mut self) {
        if let Some((end, _)) = self.early_end.take() {
            return self.finish_run(end);
        }
        let is_left = self.run.is_certain() || !self.has_finished && self.run.has_dots();
        if !is_left && !matches!(self.place, Place::Ran(_)) {
            return;
        }
        let (tests, unnamed, running) = std::mem::take(&mut self.run).abandon(self.text);
        self.tests.extend(tests);
        self.unnamed += unnamed;
        let message = format!(
            "the run did not get to its end, `Ran N tests` and `OK` or `FAILED`{}",
            last_words(self.text)
        );
        self.notes.add(self.text.len(), || format!("{message}, counted as one errored test"));
        self.add_errored(running.unwrap_or_else(|| RUN.to_owned()), message);
    }

    fn add_errored(&mut self, id: String, message: String) {
        self.tests.push(TestCase::errored(id, message));
    }
}

#[cfg(test)]
mod tests;
