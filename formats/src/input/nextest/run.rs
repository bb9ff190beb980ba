//! [`Run`]: the tests of one run of nextest, from `Starting` to what follows the summary.

use std::collections::{HashMap, HashSet};

use super::line::{Status, Stream, Summary, Verdict, is_crash};
use crate::input::cargo_test::panic::Complaint;
use crate::input::census::{Census, Certainty};
use crate::input::transcript::without_transcript;
use crate::model::{Attempt, Outcome, Tally, TestCase};

/// The id of what goes wrong with a run rather than with a test.
const RUN: &str = "nextest run";

/// One run.
#[derive(Debug, Default)]
pub(super) struct Run<'t> {
    /// How many tests it was going to run, where it said so.
    announced: Option<u64>,
    entries: Vec<Entry>,
    /// Where an instance is in `entries`, by round and name.
    places: HashMap<Instance<'t>, usize>,
    running: HashSet<Instance<'t>>,
    /// The highest number of ended tests so far.
    ended: u64,
    summary: Option<Summary>,
    is_over: bool,
    /// Failures that the summary does not count.
    extra: Vec<TestCase>,
}

/// Round, and binary with test.
pub(super) type Instance<'t> = (&'t str, &'t str);

#[derive(Debug)]
struct Entry {
    test: TestCase,
    attempt: usize,
    certainty: Certainty,
}

impl<'t> Run<'t> {
    pub(super) fn new(announced: Option<u64>) -> Self {
        Self { announced, ..Self::default() }
    }

    /// Whether the summary came.
    pub(super) fn is_over(&self) -> bool {
        self.is_over
    }

    /// Whether a test is running that is known to print what it likes.
    pub(super) fn is_running(&self) -> bool {
        !self.running.is_empty()
    }

    /// How many tests have a name.
    pub(super) fn len(&self) -> usize {
        self.entries.len() + self.running.len() + self.extra.len()
    }

    /// Where the instance is, for its output.
    pub(super) fn place_of(&self, instance: Instance<'t>) -> Option<usize> {
        self.places.get(&instance).copied()
    }

    /// Whether the counter of a status line fits: no test can guess that.
    pub(super) fn is_next(&self, status: &Status<'_>) -> bool {
        status.counter.is_some_and(|(ended, of)| {
            Some(of) == self.announced && (self.is_over || ended > self.ended) && ended <= of
        })
    }

    /// Takes a status line. Gives the place of the test whose output may follow.
    pub(super) fn status(&mut self, status: &Status<'t>, certainty: Certainty) -> Option<usize> {
        let instance = (status.round, status.instance);
        let Verdict::Ended(outcome, kind) = &status.verdict else {
            if !self.is_over {
                self.running.insert(instance);
            }
            return None;
        };
        self.running.remove(&instance);
        if let Some((ended, _)) = status.counter.filter(|_| self.is_next(status)) {
            self.ended = ended;
        }
        let mut test = TestCase::new(format!("{}::{}", status.binary, status.test), *outcome);
        test.duration = status.seconds;
        test.evidence.kind.clone_from(kind);
        let attempt = status.attempt.unwrap_or(1);
        if let Some(index) = self.place_of(instance) {
            let entry = &mut self.entries[index];
            if self.is_over {
                entry.repeat(test);
                return Some(index);
            }
            if attempt.checked_sub(1) == Some(entry.attempt) {
                entry.retry(test);
                entry.attempt = attempt;
                return Some(index);
            }
        }
        if attempt > 1 && *outcome == Outcome::Passed {
            test.outcome = Outcome::Flaky;
        }
        let index = self.entries.len();
        self.entries.push(Entry { test, attempt, certainty });
        self.places.insert(instance, index);
        Some(index)
    }

    /// Takes the output of a test.
    pub(super) fn output(&mut self, place: usize, stream: Stream, text: String) {
        let Some(entry) = self.entries.get_mut(place) else { return };
        let evidence = &mut entry.test.evidence;
        let member = match stream {
            Stream::Stdout => &mut evidence.output,
            Stream::Stderr => &mut evidence.errout,
            Stream::Error => &mut evidence.details,
        };
        *member = Some(text);
    }

    /// Takes what nextest says about how a test ended.
    pub(super) fn note(&mut self, place: usize, note: &str) {
        if let Some(entry) = self.entries.get_mut(place) {
            entry.test.evidence.message = Some(note.to_owned());
        }
    }

    /// A test that passed at last failed all the same.
    pub(super) fn minds_flakiness(&mut self, place: usize, verdict: Verdict) {
        if let (Some(entry), Verdict::Ended(outcome, kind)) = (self.entries.get_mut(place), verdict)
        {
            entry.test.outcome = outcome;
            entry.test.evidence.kind = kind;
        }
    }

    /// A script that was to prepare the run failed.
    pub(super) fn failed_setup(&mut self, script: &str) {
        self.extra
            .push(TestCase::errored(format!("setup script {script}"), "the setup script failed"));
    }

    /// Takes a summary. False when it cannot be this run's.
    pub(super) fn sum(&mut self, summary: Summary) -> bool {
        let fits = self.announced.is_none_or(|announced| announced == summary.initial);
        if !fits || self.is_over {
            return false;
        }
        self.summary = Some(summary);
        self.is_over = true;
        true
    }

    /// Takes the summary of a round of a stress run.
    pub(super) fn add_round(&mut self, round: Summary) {
        let sum = self.summary.get_or_insert_default();
        let members = [
            (&mut sum.initial, round.initial),
            (&mut sum.run, round.run),
            (&mut sum.passed, round.passed),
            (&mut sum.flaky, round.flaky),
            (&mut sum.failed, round.failed),
            (&mut sum.skipped, round.skipped),
        ];
        for (member, number) in members {
            *member = member.saturating_add(number);
        }
    }

    /// Ends a stress run.
    pub(super) fn end_rounds(&mut self) {
        self.is_over = true;
    }

    /// Nextest complains that there was nothing to run.
    pub(super) fn minds_emptiness(&mut self) {
        self.extra.push(TestCase::errored(RUN.to_owned(), "no tests to run"));
    }

    /// What it comes to.
    pub(super) fn finish(mut self) -> (Vec<TestCase>, Tally) {
        let ended = self.entries.len();
        self.entries.iter_mut().for_each(Entry::conclude);
        let summary = self.summary.filter(|_| self.is_over);
        let (mut tests, unnamed) = match summary {
            Some(summary) => settle(self.entries, summary),
            None => (self.entries.into_iter().map(|entry| entry.test).collect(), Tally::default()),
        };
        tests.append(&mut self.extra);
        let tally = tests.iter().map(|test| test.outcome).collect::<Tally>() + unnamed;
        if let Some(summary) = summary {
            if summary.run < summary.initial && tally.bad() == 0 {
                let message = format!("only {} of {} tests were run", summary.run, summary.initial);
                tests.push(TestCase::errored(RUN.to_owned(), &message));
            }
        } else if !self.is_over {
            let mut running: Vec<_> = self.running.into_iter().collect();
            running.sort_unstable();
            for (_, instance) in running {
                let id = instance.replacen(' ', "::", 1);
                tests.push(TestCase::errored(id, "started, but never finished"));
            }
            let of = self.announced.map(|number| format!(" of {number}")).unwrap_or_default();
            let message = format!("no summary of the run: it ended after {ended}{of} tests");
            tests.push(TestCase::errored(RUN.to_owned(), &message));
        }
        (tests, unnamed)
    }
}

/// Holds the tests against the summary, which does not tell crashes from failures.
fn settle(entries: Vec<Entry>, summary: Summary) -> (Vec<TestCase>, Tally) {
    let mut census = Census::default();
    for Entry { mut test, certainty, .. } in entries {
        if test.outcome == Outcome::Errored {
            test.outcome = Outcome::Failed;
        }
        census.name(test, certainty);
    }
    census.count(Outcome::Passed, summary.passed.saturating_sub(summary.flaky));
    census.count(Outcome::Flaky, summary.flaky);
    census.count(Outcome::Failed, summary.failed);
    census.count(Outcome::Skipped, summary.skipped);
    let (mut tests, unnamed) = census.settle();
    for test in tests.iter_mut().filter(|test| test.outcome == Outcome::Failed) {
        if test.evidence.kind.as_deref().is_some_and(is_crash) {
            test.outcome = Outcome::Errored;
        }
    }
    (tests, unnamed)
}

impl Entry {
    /// Takes the next attempt, and keeps the one before it.
    fn retry(&mut self, mut next: TestCase) {
        self.conclude();
        if next.outcome == Outcome::Passed {
            next.outcome = Outcome::Flaky;
        }
        let earlier = std::mem::replace(&mut self.test, next);
        self.test.attempts = earlier.attempts;
        self.test.attempts.push(Attempt {
            outcome: earlier.outcome,
            duration: earlier.duration,
            evidence: earlier.evidence,
        });
    }

    /// Takes a line after the summary, where nextest names tests again.
    fn repeat(&mut self, test: TestCase) {
        if test.outcome == Outcome::Flaky {
            self.test.outcome = Outcome::Flaky;
        } else if test.evidence.kind.as_deref() == Some("flaky") {
            self.test.outcome = test.outcome;
            self.test.evidence.kind = test.evidence.kind;
        }
    }

    /// Finds the message in the output.
    fn conclude(&mut self) {
        let test = &mut self.test;
        if !matches!(test.outcome, Outcome::Failed | Outcome::Errored) {
            return;
        }
        let evidence = &mut test.evidence;
        let stdout = evidence.output.as_deref().map(without_transcript).unwrap_or_default();
        let wrote = format!("{}\n{stdout}", evidence.errout.as_deref().unwrap_or_default());
        let complaint = Complaint::find(&wrote);
        if complaint.file.is_some() || evidence.message.is_none() {
            let first = evidence.details.as_deref().and_then(|error| error.lines().next());
            evidence.message = complaint.message.or(first.map(str::to_owned));
        }
        (test.file, test.line) = (complaint.file, complaint.line);
    }
}
