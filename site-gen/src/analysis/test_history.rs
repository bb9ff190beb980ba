//! [`TestHistory`]: one test on one build line.

use pony_formats::{Outcome, ResultKey, TestCase};
use serde::{Deserialize, Serialize};

use super::{FLIPS_MIN, VERDICTS_MIN, WINDOW};

/// Runs that are remembered of a test. Only a test that changes all the time has more.
const RUNS_MAX: usize = 32;

/// Pieces of evidence that are remembered of a test.
const EVIDENCE_MAX: usize = 5;

/// What one result says of a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verdict {
    /// Nothing: it did not run.
    Skipped,
    /// It did what it should.
    Good,
    /// It was bad first and good then, inside of one run of the tests.
    Retried,
    /// It did not.
    Bad,
}

impl Verdict {
    /// The verdict on a test case. A bad test with a good attempt is evidence too.
    pub(crate) fn of(test: &TestCase) -> Self {
        let attempts = &test.attempts;
        let good = |outcome| matches!(outcome, Outcome::Passed | Outcome::ExpectedFailure);
        match test.outcome {
            Outcome::Skipped => Self::Skipped,
            Outcome::Flaky => Self::Retried,
            outcome if good(outcome) && attempts.iter().any(|one| one.outcome.is_bad()) => {
                Self::Retried
            }
            outcome if good(outcome) => Self::Good,
            _ if attempts.iter().any(|one| good(one.outcome)) => Self::Retried,
            _ => Self::Bad,
        }
    }
}

/// A maximal series of commits with the same verdict; commits that say nothing may lie between.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Run {
    /// Whether the test was bad.
    pub(crate) bad: bool,
    /// The first commit, counted on the build line from 1.
    pub(crate) first: u32,
    /// The last commit so far.
    pub(crate) last: u32,
    /// Commits with this verdict.
    pub(crate) commits: u32,
}

/// What the results of one commit say of a test.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Attempts {
    /// The commit.
    at: u32,
    /// A result in which it was good.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "crate::history::as_optional_text"
    )]
    good: Option<ResultKey>,
    /// A result in which it was bad.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "crate::history::as_optional_text"
    )]
    bad: Option<ResultKey>,
}

impl Attempts {
    /// Adds the commit to the runs before it.
    fn extend(&self, runs: &mut Vec<Run>) {
        let Self { at, good, bad } = *self;
        if good.is_none() && bad.is_none() {
            return;
        }
        let bad = good.is_none();
        match runs.last_mut() {
            Some(run) if run.bad == bad => {
                run.last = at;
                run.commits += 1;
            }
            _ => runs.push(Run { bad, first: at, last: at, commits: 1 }),
        }
        let surplus = runs.len().saturating_sub(RUNS_MAX);
        runs.drain(..surplus);
    }
}

/// A proof that a test is flaky: good and bad at the same commit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Evidence {
    /// The commit, counted on the build line.
    pub(crate) at: u32,
    /// The result in which it was good.
    #[serde(with = "crate::history::as_text")]
    pub(crate) good: ResultKey,
    /// The result in which it was bad: the same one, when attempts inside of it differ.
    #[serde(with = "crate::history::as_text")]
    pub(crate) bad: ResultKey,
}

/// All that is remembered of a test on a build line.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct TestHistory {
    /// The commit at which it was first seen.
    first: u32,
    /// Up to the commit before [`Attempts::at`], oldest first.
    runs: Vec<Run>,
    /// At the commit at which it was last seen.
    newest: Attempts,
    /// Oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    evidence: Vec<Evidence>,
}

/// A test that is bad at the newest commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Failing {
    /// The first bad commit.
    pub(crate) first: u32,
    /// Bad commits since then.
    pub(crate) commits: u32,
    /// The last good commit before it.
    pub(crate) good: Option<u32>,
}

/// Why a test is called flaky.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Flaky<'a> {
    /// Proofs within the window, oldest first.
    pub(crate) evidence: &'a [Evidence],
    /// How often the verdict changed within the window.
    pub(crate) flips: usize,
    /// Verdicts within the window.
    pub(crate) verdicts: u32,
}

impl Flaky<'_> {
    /// Changes of the verdict over opportunities for one, in percent.
    pub(crate) fn flip_rate(&self) -> u32 {
        let opportunities = self.verdicts.saturating_sub(1).max(1);
        (self.flips as u32 * 100 + opportunities / 2) / opportunities
    }
}

impl TestHistory {
    /// A test that is first seen at commit `at`.
    pub(crate) fn new(at: u32) -> Self {
        let newest = Attempts { at, good: None, bad: None };
        Self { first: at, runs: Vec::new(), newest, evidence: Vec::new() }
    }

    /// Takes in what the result `key` says at the newest commit of the line.
    pub(crate) fn observe(&mut self, at: u32, verdict: Verdict, key: ResultKey) {
        if self.newest.at != at {
            self.newest.extend(&mut self.runs);
            self.newest = Attempts { at, good: None, bad: None };
        }
        match verdict {
            Verdict::Skipped => {}
            Verdict::Good => self.newest.good = self.newest.good.or(Some(key)),
            Verdict::Bad => self.newest.bad = self.newest.bad.or(Some(key)),
            Verdict::Retried => {
                self.newest.good = self.newest.good.or(Some(key));
                self.prove(Evidence { at, good: key, bad: key });
            }
        }
        if let (Some(good), Some(bad)) = (self.newest.good, self.newest.bad) {
            self.prove(Evidence { at, good, bad });
        }
    }

    /// Takes in what the result `key` says of an earlier commit, whose first result was `then`. It changes no
    /// run, but it may prove that the test is flaky.
    pub(crate) fn observe_again(
        &mut self,
        at: u32,
        then: ResultKey,
        verdict: Verdict,
        key: ResultKey,
    ) {
        match (self.verdict_at(at), verdict) {
            (_, Verdict::Retried) => self.prove(Evidence { at, good: key, bad: key }),
            (Some(false), Verdict::Bad) => self.prove(Evidence { at, good: then, bad: key }),
            (Some(true), Verdict::Good) => self.prove(Evidence { at, good: key, bad: then }),
            _ => {}
        }
    }

    /// One proof for each commit is enough.
    fn prove(&mut self, proof: Evidence) {
        if self.evidence.iter().any(|known| known.at == proof.at) {
            return;
        }
        self.evidence.push(proof);
        self.evidence.sort_by_key(|proof| proof.at);
        let surplus = self.evidence.len().saturating_sub(EVIDENCE_MAX);
        self.evidence.drain(..surplus);
    }

    /// Whether it was bad at a commit, where the runs say so beyond doubt: a run with gaps says nothing of
    /// commits in its middle.
    fn verdict_at(&self, at: u32) -> Option<bool> {
        let timeline = self.timeline();
        let run = timeline.iter().find(|run| (run.first..=run.last).contains(&at))?;
        let certain =
            at == run.first || at == run.last || run.commits > run.last.saturating_sub(run.first);
        certain.then_some(run.bad)
    }

    /// All runs, oldest first.
    pub(crate) fn timeline(&self) -> Vec<Run> {
        let mut runs = self.runs.clone();
        self.newest.extend(&mut runs);
        runs
    }

    /// The commit at which it was first seen.
    pub(crate) fn first(&self) -> u32 {
        self.first
    }

    /// The commit at which it was last seen.
    pub(crate) fn last(&self) -> u32 {
        self.newest.at
    }

    /// Whether it was bad when it was last seen; `None` when it was skipped then.
    pub(crate) fn is_bad(&self) -> Option<bool> {
        match (self.newest.good, self.newest.bad) {
            (Some(_), _) => Some(false),
            (None, Some(_)) => Some(true),
            (None, None) => None,
        }
    }

    /// How it fails, when it is bad at the commit `newest` of its line.
    pub(crate) fn failing(&self, newest: u32) -> Option<Failing> {
        if self.newest.at != newest || self.is_bad() != Some(true) {
            return None;
        }
        let timeline = self.timeline();
        let run = timeline.last()?;
        let before = timeline.len().checked_sub(2).and_then(|at| timeline.get(at));
        Some(Failing { first: run.first, commits: run.commits, good: before.map(|run| run.last) })
    }

    /// Why it is flaky, seen from the commit `newest` of its line.
    pub(crate) fn flaky(&self, newest: u32) -> Option<Flaky<'_>> {
        let oldest = newest.saturating_sub(WINDOW - 1);
        let fresh = self.evidence.partition_point(|proof| proof.at < oldest);
        let evidence = self.evidence.get(fresh..).unwrap_or_default();
        let timeline = self.timeline();
        let flips = timeline.iter().skip(1).filter(|run| run.first >= oldest).count();
        let inside = timeline.iter().filter(|run| run.last >= oldest);
        // A run that began before the window has at most as many commits as it reaches into it.
        let reach = |run: &Run| run.last.saturating_sub(run.first.max(oldest)).saturating_add(1);
        let verdicts = inside.map(|run| run.commits.min(reach(run))).sum();
        let suspicious = flips >= FLIPS_MIN && verdicts >= VERDICTS_MIN;
        (suspicious || !evidence.is_empty()).then_some(Flaky { evidence, flips, verdicts })
    }

    /// Whether there is more to say than that it always passed.
    pub(crate) fn is_remarkable(&self) -> bool {
        let always_good = match self.runs.as_slice() {
            [] => self.is_bad() != Some(true),
            [run] => !run.bad && self.is_bad() != Some(true),
            _ => false,
        };
        !always_good || !self.evidence.is_empty()
    }

    /// The commits that it names.
    pub(crate) fn named(&self) -> impl Iterator<Item = u32> {
        let runs = self.runs.iter().flat_map(|run| [run.first, run.last]);
        let proofs = self.evidence.iter().map(|proof| proof.at);
        runs.chain(proofs).chain([self.first, self.newest.at])
    }
}

#[cfg(test)]
mod tests;
