//! [`Suite`]: what one test binary reports between `started` and `ok` or `failed`.

use std::collections::HashMap;

use super::event::{Counts, TIMEOUT, TestEnd};
use crate::input::census::{Census, Certainty};
use crate::model::{Outcome, Tally, TestCase};

/// How a binary is called that nothing names, before its number in the input.
const UNKNOWN_BINARY: &str = "test binary ";

/// Where a suite belongs.
#[derive(Debug, Clone, Default)]
pub(super) struct Place {
    /// How many binaries cargo had announced, this one included.
    pub(super) target: usize,
    /// The first part of the ids of its tests, as far as cargo said.
    pub(super) id: Option<String>,
    /// Whether it is documentation, which is run by several binaries.
    pub(super) is_doc: bool,
}

impl Place {
    /// Whether every suite here comes from the same process.
    pub(super) fn is_one_binary(&self) -> bool {
        self.id.is_some() && !self.is_doc
    }
}

/// One run of libtest, or of something that reports like it.
#[derive(Debug)]
pub(super) struct Suite {
    pub(super) place: Place,
    /// Counts from 1 in the whole input. `None` where the `started` event is missing.
    ordinal: Option<usize>,
    /// The number of tests it was going to run.
    announced: Option<u64>,
    /// Its own word, once it came. Not final while a test is running: that test may have printed it.
    end: Option<Option<Counts>>,
    tests: Vec<Slot>,
    /// Indices into `tests`, by name.
    running: HashMap<String, Vec<usize>>,
    /// Suites that began and ended inside this one: a harness run by a test, or, where this one
    /// turns out to have died, the binaries after it.
    pub(super) inner: Vec<Suite>,
}

#[derive(Debug)]
struct Slot {
    test: TestCase,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Running,
    Ended(Certainty),
}

/// What a suite comes to.
#[derive(Debug, Default)]
pub(super) struct Finished {
    pub(super) tests: Vec<TestCase>,
    pub(super) unnamed: Tally,
}

impl Suite {
    pub(super) fn new(place: Place, ordinal: Option<usize>, announced: Option<u64>) -> Self {
        Self {
            place,
            ordinal,
            announced,
            end: None,
            tests: Vec::new(),
            running: HashMap::new(),
            inner: Vec::new(),
        }
    }

    pub(super) fn start_test(&mut self, name: String) {
        let test = TestCase::new(self.id_of(&name), Outcome::Errored);
        self.running.entry(name).or_default().push(self.tests.len());
        self.tests.push(Slot { test, state: State::Running });
    }

    pub(super) fn is_running(&self, name: &str) -> bool {
        self.running.contains_key(name)
    }

    pub(super) fn end_test(&mut self, end: TestEnd) {
        let id = self.id_of(&end.name);
        let running = self.take_running(&end.name);
        let test = end.into_test(id);
        match running {
            Some(index) => {
                self.tests[index] = Slot { test, state: State::Ended(Certainty::Sure) };
                // What seemed to be the end of this suite was printed by the test.
                self.end = None;
            }
            None => self.tests.push(Slot { test, state: State::Ended(Certainty::Doubtful) }),
        }
    }

    fn take_running(&mut self, name: &str) -> Option<usize> {
        let indices = self.running.get_mut(name)?;
        let index = indices.pop();
        if indices.is_empty() {
            self.running.remove(name);
        }
        index
    }

    fn id_of(&self, name: &str) -> String {
        match &self.place.id {
            Some(target) => format!("{target}::{name}"),
            None => name.to_owned(),
        }
    }

    /// Whether these can be its own counts.
    pub(super) fn accepts(&self, counts: Option<Counts>) -> bool {
        let total = counts.map(Counts::total);
        total.is_none() || self.announced.is_none() || total == self.announced
    }

    /// Whether these can be its own counts if it gave up early (`--fail-fast`).
    pub(super) fn accepts_fewer(&self, counts: Option<Counts>) -> bool {
        counts.map(Counts::total) < self.announced
    }

    /// Takes its counts. What began inside it was then output of its tests.
    pub(super) fn settle(&mut self, counts: Option<Counts>) {
        self.end = Some(counts);
        self.inner.clear();
    }

    pub(super) fn is_settled(&self) -> bool {
        self.end.is_some()
    }

    /// Whether all that began has ended, so that nothing can take the end back.
    pub(super) fn is_idle(&self) -> bool {
        self.running.is_empty()
    }

    /// What it comes to. `cause` is what cargo says about how the binary ended.
    pub(super) fn finish(self, cause: Option<&str>) -> Finished {
        let mut finished = match self.end {
            Some(Some(counts)) => self.count(counts),
            Some(None) | None => self.list(cause),
        };
        for test in &mut finished.tests {
            // The counts know failures only.
            if test.evidence.kind.as_deref() == Some(TIMEOUT) {
                test.outcome = Outcome::Errored;
            }
        }
        finished
    }

    /// Holds the tests against the counts.
    fn count(self, counts: Counts) -> Finished {
        let limits = [
            (Outcome::Passed, counts.passed),
            (Outcome::Failed, counts.failed),
            (Outcome::Skipped, counts.ignored),
        ];
        let is_complete = self.announced.is_none_or(|announced| announced == counts.total());
        let lost = self.lost_outcome(&limits);
        let mut census = Census::default();
        let mut unfinished = Vec::new();
        for Slot { mut test, state } in self.tests {
            match (state, lost) {
                (State::Ended(certainty), _) => census.name(test, certainty),
                (State::Running, Some(outcome)) => {
                    test.outcome = outcome;
                    census.name(test, Certainty::Doubtful);
                }
                // It is among the counts, but nobody can say where.
                (State::Running, None) if is_complete => {}
                (State::Running, None) => unfinished.push(not_finished(test, None)),
            }
        }
        for (outcome, number) in limits {
            census.count(outcome, number);
        }
        let (mut tests, unnamed) = census.settle();
        tests.extend(unfinished);
        Finished { tests, unnamed }
    }

    /// How the tests without an end ended, if the counts leave only one way: what a test prints can
    /// fall into the middle of an event.
    fn lost_outcome(&self, limits: &[(Outcome, u64)]) -> Option<Outcome> {
        let (mut named, mut running) = ([0_u64; 3], 0);
        for slot in &self.tests {
            let index = limits.iter().position(|(outcome, _)| *outcome == slot.test.outcome);
            match (slot.state, index) {
                (State::Ended(_), Some(index)) => named[index] += 1,
                (State::Ended(_), None) => {}
                (State::Running, _) => running += 1,
            }
        }
        let missing = limits.iter().zip(named).filter(|((_, number), named)| named < number);
        let mut missing = missing.map(|(&(outcome, number), named)| (outcome, number - named));
        let (outcome, number) = missing.next()?;
        (missing.next().is_none() && number == running).then_some(outcome)
    }

    /// Takes the tests as they are. If the suite never ended, who was running is to blame, and if
    /// nobody was, the binary itself.
    fn list(self, cause: Option<&str>) -> Finished {
        let blames_binary = self.end.is_none() && self.is_idle();
        let ended = self.tests.iter().filter(|slot| slot.state != State::Running).count();
        let tests = self.tests.into_iter().map(|slot| match slot.state {
            State::Running => not_finished(slot.test, cause),
            State::Ended(_) => slot.test,
        });
        let mut tests: Vec<TestCase> = tests.collect();
        if let Some(ordinal) = self.ordinal.filter(|_| blames_binary) {
            let id = self.place.id.unwrap_or_else(|| format!("{UNKNOWN_BINARY}{ordinal}"));
            let of = self.announced.map(|number| format!(" of {number}")).unwrap_or_default();
            let message =
                format!("no summary of the test binary: it ended after {ended}{of} tests");
            tests.push(errored(TestCase::new(id, Outcome::Errored), message, cause));
        }
        Finished { tests, unnamed: Tally::default() }
    }
}

/// A test that began, in a binary of which nothing more was heard.
pub(super) fn not_finished(test: TestCase, cause: Option<&str>) -> TestCase {
    errored(test, "started, but never finished".to_owned(), cause)
}

fn errored(mut test: TestCase, message: String, cause: Option<&str>) -> TestCase {
    test.outcome = Outcome::Errored;
    test.evidence.message = Some(match cause {
        Some(cause) => format!("{message}: {cause}"),
        None => message,
    });
    test
}
