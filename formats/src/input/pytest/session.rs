//! [`Session`]: one run of pytest, from its heading to its counts.

use std::collections::{HashMap, VecDeque};

use super::line::{self, Listed, TestLine, Totals, Word};
use super::node::Node;
use crate::input::census::{Census, Certainty, beyond};
use crate::input::oddity::Notes;
use crate::input::terminal::Line;
use crate::input::traceback::Traceback;
use crate::model::{Attempt, Evidence, Outcome, Tally, TestCase};

/// What is known so far.
#[derive(Debug, Default)]
pub(super) struct Session<'t> {
    /// Whether it began with a heading.
    pub(super) is_headed: bool,
    /// The byte offset at which it began.
    pub(super) start: usize,
    /// Whether counts that do not add up may be waited out: not inside another session, whose test it is.
    pub(super) may_doubt: bool,
    /// Its own counts, once they came.
    pub(super) totals: Option<Totals>,
    /// Counts that do not add up to the number of tests collected, before the reports: output of a test that
    /// was not captured, if better ones follow.
    doubtful: Option<Totals>,
    /// Sessions that began and ended inside it: output of a test, or, where this one never ends,
    /// the sessions after it.
    pub(super) inner: Vec<Session<'t>>,
    /// What stopped it before its end.
    stop: Option<&'t str>,
    internal_error: Option<&'t str>,
    collected: u64,
    part: Part,
    events: Vec<(Node<'t>, Word)>,
    began: Option<&'t str>,
    listed: Vec<Listed<'t>>,
    reports: Vec<Report<'t>>,
    dots: Tally,
}

/// The parts of a session, each with a heading.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Part {
    #[default]
    Tests,
    /// `FAILURES`, `ERRORS` and `PASSES`, which repeat what tests wrote.
    Reports,
    Summary,
    Other,
}

#[derive(Debug)]
struct Report<'t> {
    title: &'t str,
    start: usize,
    end: usize,
}

impl<'t> Session<'t> {
    pub(super) fn new(is_headed: bool, start: usize) -> Self {
        Self { is_headed, start, ..Self::default() }
    }

    /// How many tests have been named so far.
    pub(super) fn len(&self) -> usize {
        self.events.len() + self.listed.len() + self.reports.len()
    }

    /// Whether there is anything in it.
    pub(super) fn is_certain(&self) -> bool {
        self.is_headed || !self.events.is_empty() || !self.listed.is_empty()
    }

    /// Takes a heading. False when it is output of a test.
    pub(super) fn heading(&mut self, heading: &str, line: Line<'t>) -> bool {
        if let Some(totals) = line::totals(heading) {
            if !self.fits(totals, heading == line.text) {
                match self.part {
                    Part::Reports => return false,
                    Part::Tests if self.may_doubt => {
                        self.doubtful = Some(totals);
                        return false;
                    }
                    _ => {}
                }
            }
            self.end_report(line.start);
            self.totals = Some(totals);
            return true;
        }
        let part = match heading {
            "FAILURES" | "ERRORS" | "PASSES" | "XFAILURES" | "XPASSES" => Part::Reports,
            "short test summary info" => Part::Summary,
            _ if self.part == Part::Reports && heading != "warnings summary" => return false,
            _ => Part::Other,
        };
        self.end_report(line.start);
        self.part = part;
        true
    }

    /// Whether counts among reports, which repeat what tests wrote, can be those at the end. `-q`
    /// prints neither the number of tests collected nor a frame around the counts.
    fn fits(&self, totals: Totals, is_bare: bool) -> bool {
        match (self.is_headed, self.stop, self.collected) {
            (false, ..) => is_bare,
            (true, None, 1..) => {
                totals.at_least() <= self.collected && self.collected <= totals.at_most()
            }
            _ => true,
        }
    }

    /// Takes the counts that did not add up, where no others came.
    pub(super) fn settle_for_doubtful(&mut self) {
        self.totals = self.totals.or(self.doubtful);
    }

    /// Takes any other line.
    pub(super) fn feed(&mut self, line: Line<'t>) {
        if let Some(error) = line.text.strip_prefix("INTERNALERROR>") {
            self.internal_error =
                Some(error.trim()).filter(|error| !error.is_empty()).or(self.internal_error);
            return;
        }
        if let Some(stop) = line::stop(line.text) {
            self.stop = Some(stop);
        }
        match self.part {
            Part::Tests => self.test_line(line),
            Part::Summary => self.listed.extend(line::summary_line(line.text)),
            Part::Reports => {
                if let Some(title) = line::title(line.text) {
                    self.end_report(line.start);
                    self.reports.push(Report { title, start: line.end, end: usize::MAX });
                }
            }
            Part::Other => {}
        }
    }

    fn test_line(&mut self, line: Line<'t>) {
        if let Some(collected) = line::collected(line.text).filter(|_| self.collected == 0) {
            self.collected = collected;
            return;
        }
        match line::test_line(line.text) {
            Some(TestLine::Test(test, word)) => self.events.push((Node::of(test), word)),
            Some(TestLine::Subtest(node, true)) => {
                self.events.push((node, Word::End(Outcome::Failed)));
            }
            Some(TestLine::Subtest(_, false)) => {}
            Some(TestLine::Began(node)) => self.began = Some(node),
            Some(TestLine::Bare(word)) => {
                self.events.extend(self.began.take().map(|test| (Node::of(test), word)));
            }
            None => {
                if let Some(dots) = line::dots(line.text) {
                    self.dots += dots.collect::<Tally>();
                }
            }
        }
    }

    fn end_report(&mut self, offset: usize) {
        if let Some(report) = self.reports.last_mut() {
            report.end = report.end.min(offset);
        }
    }

    /// What went wrong with the session itself.
    pub(super) fn complaint(&self) -> Option<String> {
        if let Some(error) = self.internal_error {
            return Some(format!("pytest itself failed: {error}"));
        }
        let totals = self.totals?;
        let stop = self.stop.filter(|_| totals.failed == 0 && totals.errors == 0);
        stop.map(|stop| format!("the session was stopped: {stop}"))
    }

    /// The tests of a session that ended, and the tally of those without a name.
    pub(super) fn finish(
        self,
        text: &str,
        totals: Totals,
        notes: &mut Notes<'_>,
    ) -> (Vec<TestCase>, Tally) {
        let start = self.start;
        let inner = self.inner.iter().map(|inner| inner.start);
        notes.add_inner(inner, "sessions");
        let reruns = self.reruns();
        let mut census = Census::default();
        census.count(Outcome::Passed, totals.passed);
        census.count(Outcome::Failed, totals.failed);
        census.count(Outcome::Errored, totals.errors);
        census.count(Outcome::Skipped, totals.skipped);
        census.count(Outcome::ExpectedFailure, totals.xfailed);
        for test in self.cases(text) {
            census.name(test, Certainty::Sure);
        }
        census.note_surplus(notes, start);
        let (mut tests, unnamed) = census.settle();
        for test in &mut tests {
            let failed = reruns.get(&test.id).copied().unwrap_or(0);
            let attempt =
                Attempt { outcome: Outcome::Failed, duration: None, evidence: Evidence::default() };
            test.attempts = vec![attempt; failed];
            if failed > 0 && test.outcome == Outcome::Passed {
                test.outcome = Outcome::Flaky;
            }
        }
        (tests, unnamed)
    }

    /// How many times each test was run again.
    fn reruns(&self) -> HashMap<String, usize> {
        let mut reruns = HashMap::new();
        for (node, _) in self.events.iter().filter(|(_, word)| *word == Word::Rerun) {
            *reruns.entry(node.id()).or_default() += 1;
        }
        reruns
    }

    /// What is known of a session that never ended: its tests, the tally of those without a name
    /// and the id of the test that was running.
    pub(super) fn abandon(self, text: &str) -> (Vec<TestCase>, Tally, Option<String>) {
        let running =
            self.began.filter(|_| self.part == Part::Tests).map(|test| Node::of(test).id());
        let dots = if self.events.is_empty() { self.dots } else { Tally::default() };
        let tests = self.cases(text);
        let unnamed = beyond(dots, tests.iter());
        (tests, unnamed, running)
    }

    /// The named tests with all that is said about them: the verbose lines, then what only the
    /// short summary names.
    fn cases(self, text: &str) -> Vec<TestCase> {
        let mut reports = Reports::new(self.reports, text);
        let mut messages: HashMap<(Outcome, String), VecDeque<Option<&str>>> = HashMap::new();
        for Listed { outcome, node, message } in &self.listed {
            messages.entry((*outcome, node.id())).or_default().push_back(*message);
        }
        let mut cases = Vec::new();
        for (node, word) in self.events {
            let Word::End(outcome) = word else { continue };
            // Most tests pass, and are not listed then.
            let listed = match messages.is_empty() {
                true => None,
                false => messages.get_mut(&(outcome, node.id())),
            };
            let message = listed.and_then(VecDeque::pop_front).flatten();
            cases.push(reports.case(node, outcome, message));
        }
        for Listed { outcome, node, .. } in self.listed {
            let listed = messages.get_mut(&(outcome, node.id()));
            if let Some(message) = listed.and_then(VecDeque::pop_front) {
                cases.push(reports.case(node, outcome, message));
            }
        }
        cases
    }
}

/// The reports of failures, by title.
struct Reports<'t> {
    by_title: HashMap<&'t str, VecDeque<&'t str>>,
}

impl<'t> Reports<'t> {
    fn new(reports: Vec<Report<'t>>, text: &'t str) -> Self {
        let mut by_title: HashMap<&str, VecDeque<&str>> = HashMap::new();
        for report in reports {
            let body = text.get(report.start..report.end.min(text.len())).unwrap_or_default();
            by_title.entry(report.title).or_default().push_back(body);
        }
        Self { by_title }
    }

    /// A test with what its report says. Tests of one title have their reports in their own order.
    fn case(&mut self, node: Node<'_>, outcome: Outcome, message: Option<&str>) -> TestCase {
        let mut case = TestCase::new(node.id(), outcome);
        if let Some(body) = self.take(node, outcome) {
            let report = Traceback::parse_pytest(body);
            case.evidence = report.evidence;
            case.file = report.file;
            case.line = report.line;
        }
        if case.evidence.message.is_none() {
            case.evidence.message = message.map(str::to_owned);
        }
        case
    }

    fn take(&mut self, node: Node<'_>, outcome: Outcome) -> Option<&'t str> {
        let title = node.title();
        let titles = match outcome {
            Outcome::Failed => vec![title],
            Outcome::Errored => vec![
                format!("ERROR at setup of {title}"),
                format!("ERROR at teardown of {title}"),
                format!("ERROR collecting {}", node.test),
            ],
            _ => return None,
        };
        titles.iter().find_map(|title| self.by_title.get_mut(title.as_str())?.pop_front())
    }
}
