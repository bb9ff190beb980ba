//! [`Section`]: what one test binary prints from `running N tests` to `test result:`.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use super::captured::{Captured, Verdict};
use super::line::{self, Summary};
use super::panic::Complaint;
use crate::input::census::{Census, Certainty, many};
use crate::input::oddity::Notes;
use crate::input::terminal::Line;
use crate::model::{Outcome, Tally, TestCase};

/// One run of libtest, or of something that prints like it.
#[derive(Debug)]
pub(super) struct Section<'t> {
    /// Counts from 1 in the whole text.
    pub(super) ordinal: usize,
    /// The number of tests it was going to run.
    pub(super) announced: u64,
    /// The byte offset of the line that says so.
    pub(super) start: usize,
    /// Its own count, once it came.
    pub(super) summary: Option<Summary>,
    /// Sections that began and ended inside it: a harness run by a test, or, where this one turns
    /// out to have died, the binaries after it.
    pub(super) inner: Vec<Section<'t>>,
    named: Vec<Candidate<'t>>,
    /// The last test that began without ending on the same line.
    started: Option<usize>,
    /// What `-q` printed.
    dots: Summary,
    captured: Option<Captured<'t>>,
    /// A heading that begins the report if a blank line follows.
    heading: Option<Verdict>,
}

/// A test as one line names it.
#[derive(Debug)]
struct Candidate<'t> {
    name: &'t str,
    outcome: Option<Outcome>,
    reason: Option<&'t str>,
    certainty: Certainty,
    /// Where its output is, if it was not captured.
    output: Range<usize>,
}

impl<'t> Section<'t> {
    pub(super) fn new(ordinal: usize, announced: u64, start: usize) -> Self {
        Self {
            ordinal,
            announced,
            start,
            summary: None,
            inner: Vec::new(),
            named: Vec::new(),
            started: None,
            dots: Summary::default(),
            captured: None,
            heading: None,
        }
    }

    /// Whether it prints what its tests wrote, which may look like anything.
    pub(super) fn is_reporting(&self) -> bool {
        self.captured.is_some() && self.summary.is_none()
    }

    /// Whether a summary can be this section's own.
    pub(super) fn accepts(&self, summary: Summary) -> bool {
        self.announced == summary.total()
            && self.captured.as_ref().is_none_or(|captured| captured.accepts(summary))
    }

    /// Whether a test is running whose outcome may come on a line of its own.
    pub(super) fn is_inside_a_test(&self) -> bool {
        let last = self.named.last().filter(|test| test.certainty == Certainty::Doubtful);
        last.is_some() && self.started == self.named.len().checked_sub(1)
    }

    /// How many tests have a name so far.
    pub(super) fn len(&self) -> usize {
        self.named.len()
    }

    /// Takes a line that is neither an announcement nor this section's summary.
    pub(super) fn feed(&mut self, line: Line<'t>) {
        if let Some(captured) = &mut self.captured {
            captured.feed(line);
            return;
        }
        if let Some(about) = self.heading.take().filter(|_| line.is_blank()) {
            let [passed, failed] =
                [Outcome::Passed, Outcome::Failed].map(|outcome| self.names_of(outcome));
            self.captured = Some(Captured::new(about, passed, failed));
            return;
        }
        self.heading = Verdict::heading(line.text);
        if let Some(name) = line::quiet_failure(line.text) {
            self.name(name, Some((Outcome::Failed, None)), Certainty::Sure, line);
        } else if let Some(test) = line::test_line(line.text) {
            self.test_line(&test, line);
        } else if let Some(outcome) = line::bare_outcome(line.text) {
            self.bare_outcome(outcome, line);
        } else if let Some(dots) = line::dots(line.text) {
            self.dots.passed += dots.passed;
            self.dots.failed += dots.failed;
            self.dots.ignored += dots.ignored;
        } else if self.started.is_some_and(|index| index + 1 == self.named.len())
            && let Some(test) = self.named.last_mut()
            && test.certainty == Certainty::Doubtful
            && !line.is_blank()
        {
            // Only the last line before the next test can have the outcome at its end.
            test.outcome = line::stuck_outcome(line.text);
        }
    }

    fn names_of(&self, outcome: Outcome) -> HashSet<&'t str> {
        let tests = self.named.iter().filter(|test| test.outcome == Some(outcome));
        tests.map(|test| test.name).collect()
    }

    fn test_line(&mut self, test: &line::TestLine<'t>, line: Line<'t>) {
        let is_odd = test.is_stuck || !line::looks_like_a_test(test.name);
        let certainty = if is_odd { Certainty::Doubtful } else { Certainty::Sure };
        if test.end.is_some() {
            self.name(test.name, test.end, certainty, line);
        } else {
            let end = line::stuck_outcome(test.tail).map(|outcome| (outcome, None));
            self.started = Some(self.named.len());
            self.name(test.name, end, Certainty::Doubtful, line);
            if let Some(test_now) = self.named.last_mut() {
                test_now.output = line.start + line.text.len() - test.tail.len()..line.end;
            }
        }
    }

    fn name(
        &mut self,
        name: &'t str,
        end: Option<(Outcome, Option<&'t str>)>,
        certainty: Certainty,
        line: Line<'t>,
    ) {
        let (outcome, reason) = end.map_or((None, None), |end| (Some(end.0), end.1));
        let output = line.end..line.end;
        self.named.push(Candidate { name, outcome, reason, certainty, output });
    }

    /// The last such line before the next test is the outcome of the test that was started; lines
    /// in between that look like other tests are its output.
    fn bare_outcome(&mut self, outcome: Outcome, line: Line<'t>) {
        let Some(index) = self.started else { return };
        self.named.truncate(index + 1);
        if let Some(test) = self.named.last_mut() {
            test.outcome = Some(outcome);
            test.certainty = Certainty::Sure;
            test.output.end = line.start;
        }
    }

    /// Takes over the lines of a section that turned out to be output of this one's tests.
    pub(super) fn absorb(&mut self, other: Self) {
        self.started = other.started.map(|index| index + self.named.len()).or(self.started);
        self.named.extend(other.named);
        self.heading = other.heading;
        self.captured = self.captured.take().or(other.captured);
    }

    /// Takes its own summary, which is the last that fits.
    pub(super) fn settle(&mut self, summary: Summary, line: Line<'t>) {
        if let Some(captured) = &mut self.captured {
            captured.end(line.start);
        }
        self.summary = Some(summary);
    }

    /// The tests of a section that ended, and the tally of those without a name.
    pub(super) fn finish(
        self,
        text: &str,
        prefix: &str,
        summary: Summary,
        notes: &mut Notes<'_>,
    ) -> (Vec<TestCase>, Tally) {
        let start = self.start;
        let inner = self.inner.iter().map(|inner| inner.start);
        notes.add_inner(inner, "test runs");
        let mut census = Census::default();
        census.count(Outcome::Passed, summary.passed);
        census.count(Outcome::Failed, summary.failed);
        census.count(Outcome::Skipped, summary.ignored);
        for (test, certainty) in self.cases(text, prefix, Some(summary)) {
            census.name(test, certainty);
        }
        census.note_surplus(notes, start);
        census.settle()
    }

    /// What is known of a section that never ended: its tests, the tally of those without a name
    /// and the id of the test that was running.
    pub(super) fn abandon(
        self,
        text: &str,
        prefix: &str,
    ) -> (Vec<TestCase>, Tally, Option<String>) {
        let running = self.started.and_then(|index| self.named.get(index));
        let running = running.filter(|test| test.outcome.is_none());
        let running = running.map(|test| format!("{prefix}{}", test.name));
        let dots = self.dots;
        let named = self.cases(text, prefix, None);
        let unnamed = many(Outcome::Passed, dots.passed)
            + many(Outcome::Failed, dots.failed)
            + many(Outcome::Skipped, dots.ignored);
        (named.into_iter().map(|(test, _)| test).collect(), unnamed, running)
    }

    /// The named tests with all that is said about them.
    fn cases(
        self,
        text: &str,
        prefix: &str,
        summary: Option<Summary>,
    ) -> Vec<(TestCase, Certainty)> {
        let failures = summary.and_then(|summary| self.list(Verdict::Failure, summary.failed));
        let successes = summary.and_then(|summary| self.list(Verdict::Success, summary.passed));
        let mut cases = Vec::new();
        let has_lists = failures.is_some() || successes.is_some();
        let mut seen = HashSet::new();
        let mut case =
            |name: &str, outcome, certainty, reason: Option<&str>, output: Range<usize>| {
                let mut case = TestCase::new([prefix, name].concat(), outcome);
                case.evidence.message = reason.map(str::to_owned);
                if outcome == Outcome::Failed {
                    set_output(&mut case, text.get(output).unwrap_or_default());
                }
                cases.push((case, certainty));
            };
        for test in self.named {
            let listed = if failures.as_ref().is_some_and(|names| names.contains(test.name)) {
                Some(Outcome::Failed)
            } else if successes.as_ref().is_some_and(|names| names.contains(test.name)) {
                Some(Outcome::Passed)
            } else {
                // A list is complete: who ended so but is not on it was never a test.
                test.outcome.filter(|outcome| match outcome {
                    Outcome::Failed => failures.is_none(),
                    Outcome::Passed => successes.is_none(),
                    _ => true,
                })
            };
            let Some(outcome) = listed else { continue };
            let certainty = if listed == test.outcome { test.certainty } else { Certainty::Sure };
            if has_lists {
                seen.insert(test.name);
            }
            case(test.name, outcome, certainty, test.reason, test.output);
        }
        for (names, outcome) in [(&failures, Outcome::Failed), (&successes, Outcome::Passed)] {
            let mut missing: Vec<_> =
                names.iter().flatten().filter(|name| !seen.contains(*name)).collect();
            missing.sort_unstable();
            for name in missing {
                case(name, outcome, Certainty::Sure, None, 0..0);
            }
        }
        if let Some(captured) = &self.captured {
            attach_output(&mut cases, captured, text, prefix);
        }
        cases
    }

    /// The names that ended so, if the report lists them all.
    fn list(&self, verdict: Verdict, count: u64) -> Option<HashSet<&'t str>> {
        let names = self.captured.as_ref()?.names(verdict);
        (names.len() as u64 == count).then(|| names.iter().copied().collect())
    }
}

fn attach_output(
    cases: &mut [(TestCase, Certainty)],
    captured: &Captured<'_>,
    text: &str,
    prefix: &str,
) {
    let places: HashMap<String, usize> =
        cases.iter().enumerate().map(|(index, case)| (case.0.id.clone(), index)).collect();
    for block in captured.blocks() {
        let output = text.get(block.start..block.end.min(text.len())).unwrap_or_default();
        if let Some(&index) = places.get(&format!("{prefix}{}", block.name)) {
            set_output(&mut cases[index].0, output);
        }
    }
}

fn set_output(case: &mut TestCase, output: &str) {
    let output = output.trim_matches('\n');
    if output.trim().is_empty() {
        return;
    }
    case.evidence.output = Some(output.to_owned());
    if case.outcome == Outcome::Failed {
        let complaint = Complaint::find(output);
        case.evidence.message = complaint.message;
        case.file = complaint.file;
        case.line = complaint.line;
    }
}
