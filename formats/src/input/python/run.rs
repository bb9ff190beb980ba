//! [`Run`]: the tests of one run of unittest, nose or nose2, up to its `Ran N tests`.

use std::collections::HashSet;

use super::line::{self, End, Status, TestLine};
use super::name::TestName;
use crate::input::census::{Census, Certainty, beyond};
use crate::input::oddity::Notes;
use crate::input::terminal::Line;
use crate::input::traceback::Traceback;
use crate::model::{Outcome, Tally, TestCase};

/// How many tests a run had, how it ended, and the byte offset of the line that says so.
pub(super) type RunEnd = (u64, Status, usize);

/// What is known so far.
#[derive(Debug, Default)]
pub(super) struct Run<'t> {
    /// What the verbose form says, in its order.
    events: Vec<Event<'t>>,
    /// The last test that began without ending on the same line.
    began: Option<usize>,
    /// Whether its end came, on a line of its own.
    has_ended: bool,
    /// The line before was only a name.
    documented: Option<TestName>,
    /// Outcomes on lines of their own that end no test: of a class, of a tear-down or of a subtest.
    strays: Tally,
    reports: Vec<Report<'t>>,
    /// What the terse form says.
    dots: Tally,
    /// Whether there is anything but dots.
    has_output: bool,
}

#[derive(Debug)]
struct Event<'t> {
    name: TestName,
    outcome: Option<Outcome>,
    reason: Option<&'t str>,
}

/// A failure with its traceback.
#[derive(Debug)]
struct Report<'t> {
    outcome: Outcome,
    name: &'t str,
    /// Where its body is in the text.
    start: usize,
    end: usize,
}

impl<'t> Run<'t> {
    /// How many tests have been named so far.
    pub(super) fn len(&self) -> usize {
        self.events.len() + self.reports.len()
    }

    /// Whether anything is there that only a runner writes.
    pub(super) fn is_certain(&self) -> bool {
        let is_sure = |event: &Event<'_>| event.name.certainty == Certainty::Sure;
        !self.reports.is_empty() || self.events.iter().any(is_sure)
    }

    /// Whether there are lines of the terse form.
    pub(super) fn has_dots(&self) -> bool {
        self.dots.total > 0
    }

    /// Takes a line from before the reports.
    pub(super) fn feed(&mut self, line: Line<'t>) {
        let documented = self.documented.take();
        if let Some(dots) = line::dots(line.text) {
            self.dots += dots.collect::<Tally>();
        } else {
            self.has_output |= !line.is_blank();
        }
        if let Some(end) = line::end(line.text) {
            self.bare_end(end);
            return;
        }
        match TestLine::parse(line.text, documented) {
            Some(TestLine::Ended(name, end)) => self.event(name, Some(end)),
            Some(TestLine::Began(name, tail)) => {
                let stuck = line::stuck_outcome(tail).map(|outcome| (outcome, None));
                self.event(name, stuck);
                self.began = self.events.len().checked_sub(1);
                self.has_ended = false;
            }
            Some(TestLine::Name(name)) => self.documented = Some(name),
            None => self.output(line),
        }
    }

    fn event(&mut self, name: TestName, end: Option<End<'t>>) {
        let (outcome, reason) = end.map_or((None, None), |end| (Some(end.0), end.1));
        // A test whose subtests failed has no outcome of its own.
        let began = self.began.and_then(|index| self.events.get(index));
        self.has_ended |= began.is_some_and(|began| began.name.base == name.base);
        self.events.push(Event { name, outcome, reason });
    }

    /// An outcome on a line of its own ends the test that began.
    fn bare_end(&mut self, end: End<'t>) {
        let last = self.events.len().checked_sub(1);
        let has_end = |index: usize| self.has_ended || self.events[index].outcome.is_some();
        match self.began {
            Some(index) if Some(index) == last || !has_end(index) => {
                // Lines in between that look like tests are its output.
                self.events.truncate(index + 1);
                (self.events[index].outcome, self.events[index].reason) = (Some(end.0), end.1);
                self.has_ended = true;
            }
            _ => self.strays.count(end.0),
        }
    }

    fn output(&mut self, line: Line<'t>) {
        let is_last = self.began.is_some_and(|index| index + 1 == self.events.len());
        if is_last && !self.has_ended && !line.is_blank() {
            // Only the last line before the next test can have the outcome at its end.
            if let Some(event) = self.events.last_mut() {
                event.outcome = line::stuck_outcome(line.text);
            }
        }
    }

    /// Whether a test is running whose end has not come: what looks like the end of the run may be
    /// its output.
    pub(super) fn is_inside_a_test(&self) -> bool {
        let last = self.events.last().filter(|_| self.began == self.events.len().checked_sub(1));
        last.is_some_and(|event| event.outcome.is_none())
    }

    /// Begins a report; its body is set later.
    pub(super) fn report(&mut self, outcome: Outcome, name: &'t str, offset: usize) {
        self.reports.push(Report { outcome, name, start: offset, end: offset });
    }

    /// Moves the beginning of the body of the last report.
    pub(super) fn begin_body(&mut self, offset: usize) {
        if let Some(report) = self.reports.last_mut() {
            (report.start, report.end) = (offset, usize::MAX);
        }
    }

    /// Ends the body of the last report, if it has not ended.
    pub(super) fn end_body(&mut self, offset: usize) {
        if let Some(report) = self.reports.last_mut() {
            report.end = report.end.min(offset);
        }
    }

    /// Forgets the first reports, which turned out to be output of a test.
    pub(super) fn forget_reports(&mut self, number: usize) {
        self.reports.drain(..number.min(self.reports.len()));
    }

    /// How many reports there are.
    pub(super) fn reports(&self) -> usize {
        self.reports.len()
    }

    /// The tests of a run that said how many there were, and the tally of those without a name.
    pub(super) fn finish(
        mut self,
        text: &str,
        (ran, status, offset): RunEnd,
        notes: &mut Notes<'_>,
    ) -> (Vec<TestCase>, Tally) {
        if (self.events.len() as u64).saturating_mul(2) < ran {
            // The verbose form has a line for every test: these few were written by tests.
            self.events.clear();
        }
        let mut census = Census::default();
        census.count(Outcome::Passed, self.passed(ran, status));
        for (outcome, number) in counts(status) {
            census.count(outcome, number);
        }
        for (test, certainty) in self.cases(text) {
            census.name(test, certainty);
        }
        census.note_surplus(notes, offset);
        census.settle()
    }

    /// How many passed. Failures and errors are events, of which a test can have several and
    /// fixtures some too, so they cannot simply be taken off the number of tests.
    fn passed(&self, ran: u64, status: Status) -> u64 {
        let mut known = HashSet::new();
        let mut others: u64 = 0;
        for (outcome, number) in counts(status) {
            let reported = self.reports.iter().filter(|report| report.outcome == outcome);
            let mut names: Vec<TestName> =
                reported.map(|report| TestName::of(report.name)).collect();
            if names.is_empty() {
                let events = self.events.iter().filter(|event| event.outcome == Some(outcome));
                names = events.map(|event| event.name.clone()).collect();
            }
            // In the verbose form every test has a name, so strays are none.
            let strays = if outcome == Outcome::Skipped { self.strays.skipped } else { 0 };
            let named = (names.len() as u64).saturating_add(strays);
            others = others.saturating_add(number.saturating_sub(named));
            for name in names.into_iter().filter(|name| !name.is_fixture) {
                match name.certainty {
                    Certainty::Sure if name.id == IMPORT_FAILURE => {
                        others = others.saturating_add(1)
                    }
                    Certainty::Sure => _ = known.insert(name.base),
                    Certainty::Doubtful => others = others.saturating_add(1),
                }
            }
        }
        let at_most = ran.saturating_sub(known.len() as u64);
        let at_least = at_most.saturating_sub(others);
        // The others may be no tests, such as a class that was skipped. Dots know.
        let skipped = status.skipped.saturating_add(status.expected_failures);
        let is_clean = !self.has_output && self.dots.skipped == skipped;
        // Python 3.12.0 to 3.12.2 do not count tests that a decorator skips as tests that ran.
        let at_most = at_most.saturating_add(status.skipped);
        let named = self.events.iter().filter(|event| event.outcome == Some(Outcome::Passed));
        let named = named.count() as u64;
        if is_clean {
            self.dots.passed.clamp(at_least, at_most)
        } else if (at_least..=at_most).contains(&named) {
            named
        } else {
            at_least
        }
    }

    /// What is known of a run that never said how many there were: its tests, the tally of those
    /// without a name and the id of the test that was running.
    pub(super) fn abandon(self, text: &str) -> (Vec<TestCase>, Tally, Option<String>) {
        let running = self.is_inside_a_test();
        let running = self.events.last().filter(|_| running).map(|event| event.name.id.clone());
        let dots = if self.events.is_empty() { self.dots } else { Tally::default() };
        let cases = self.cases(text);
        let unnamed = beyond(dots, cases.iter().map(|(test, _)| test));
        (cases.into_iter().map(|(test, _)| test).collect(), unnamed, running)
    }

    /// The named tests. Reports say all there is to say about a failure; the verbose line of a
    /// failure counts only where it has no report.
    fn cases(self, text: &str) -> Vec<(TestCase, Certainty)> {
        let mut reported: HashSet<(String, Outcome)> = HashSet::new();
        let mut reports = Vec::new();
        for report in self.reports {
            let name = TestName::of(report.name);
            let body = text.get(report.start..report.end.min(text.len())).unwrap_or_default();
            let traceback = Traceback::parse(body);
            let mut test = TestCase::new(name.id.as_str(), report.outcome);
            test.evidence = traceback.evidence;
            test.file = traceback.file;
            test.line = traceback.line;
            reported.insert((name.id, report.outcome));
            reports.push((test, Certainty::Sure));
        }
        let mut cases = Vec::new();
        for event in self.events {
            let Some(outcome) = event.outcome else { continue };
            let mut certainty = event.name.certainty;
            if outcome.is_bad() {
                if reported.contains(&(event.name.id.clone(), outcome)) {
                    continue;
                }
                certainty = Certainty::Doubtful;
            }
            let mut test = TestCase::new(event.name.id, outcome);
            test.evidence.message = event.reason.map(str::to_owned);
            cases.push((test, certainty));
        }
        cases.extend(reports);
        cases
    }
}

/// The id of every module that nose cannot import, each of which it counts as a test.
const IMPORT_FAILURE: &str = "nose.failure.Failure::runTest";

fn counts(status: Status) -> [(Outcome, u64); 5] {
    [
        (Outcome::Failed, status.failures),
        (Outcome::Errored, status.errors),
        (Outcome::Skipped, status.skipped),
        (Outcome::ExpectedFailure, status.expected_failures),
        (Outcome::UnexpectedPass, status.unexpected_successes),
    ]
}
