//! [`Census`]: the tests that a text names, held against what its runner says it counted.

use super::oddity::Notes;
use crate::model::{Outcome, Tally, TestCase};

/// Named tests and the counts of one summary line.
#[derive(Debug, Default)]
pub(super) struct Census {
    named: Vec<(TestCase, Certainty)>,
    counts: Vec<(Outcome, u64)>,
}

/// Whether a line was the runner's own word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Certainty {
    /// It has the shape that only the runner writes.
    Sure,
    /// A test may have printed it.
    Doubtful,
}

impl Census {
    /// A test that the text names.
    pub(super) fn name(&mut self, test: TestCase, certainty: Certainty) {
        self.named.push((test, certainty));
    }

    /// How many tests ended so by the summary. Outcomes never counted are taken as zero.
    pub(super) fn count(&mut self, outcome: Outcome, number: u64) {
        self.counts.push((outcome, number));
    }

    /// Notes of which outcome there are more names than tests, at the byte offset of the run.
    pub(super) fn note_surplus(&self, notes: &mut Notes<'_>, offset: usize) {
        if !notes.are_wanted() {
            return;
        }
        for &(outcome, expected) in &self.counts {
            let matches = |entry: &&(TestCase, Certainty)| entry.0.outcome == outcome;
            let named = self.named.iter().filter(matches).count() as u64;
            if named > expected {
                let word = outcome.as_str();
                notes.add(offset, || {
                    format!("the summary counts {expected} {word} and the lines name {named}, the summary is taken")
                });
            }
        }
    }

    /// The tests in their order, and the tally of those without a name.
    ///
    /// The summary is right about how many there are. Where the text names more, the doubtful ones
    /// go first; where even the others are too many, nobody can say which are real, and none of
    /// that outcome keeps its name.
    pub(super) fn settle(self) -> (Vec<TestCase>, Tally) {
        let mut unnamed = Tally::default();
        let mut keep: Vec<(Outcome, Keep)> = Vec::new();
        for &(outcome, expected) in &self.counts {
            let named = |certainty: Option<Certainty>| {
                let matches = |entry: &&(TestCase, Certainty)| {
                    entry.0.outcome == outcome && certainty.is_none_or(|wanted| entry.1 == wanted)
                };
                self.named.iter().filter(matches).count() as u64
            };
            let (all, sure) = (named(None), named(Some(Certainty::Sure)));
            let (kept, number) = match expected {
                _ if all <= expected => (Keep::All, all),
                _ if sure <= expected => (Keep::Sure, sure),
                _ => (Keep::None, 0),
            };
            keep.push((outcome, kept));
            unnamed += many(outcome, expected - number);
        }
        let is_kept = |(test, certainty): &(TestCase, Certainty)| {
            let rule = keep.iter().find(|(outcome, _)| *outcome == test.outcome);
            match rule.map_or(Keep::None, |rule| rule.1) {
                Keep::All => true,
                Keep::Sure => *certainty == Certainty::Sure,
                Keep::None => false,
            }
        };
        let tests = self.named.into_iter().filter(is_kept).map(|(test, _)| test).collect();
        (tests, unnamed)
    }
}

#[derive(Debug, Clone, Copy)]
enum Keep {
    All,
    Sure,
    None,
}

/// The tally of a number of tests that ended alike.
pub(super) fn many(outcome: Outcome, number: u64) -> Tally {
    let one: Tally = std::iter::once(outcome).collect();
    Tally {
        total: number,
        passed: one.passed * number,
        failed: one.failed * number,
        errored: one.errored * number,
        skipped: one.skipped * number,
    }
}

/// The tally of what a line of dots counts beyond the tests that have names.
pub(super) fn beyond<'t>(dots: Tally, named: impl Iterator<Item = &'t TestCase> + Clone) -> Tally {
    let counts = [
        (Outcome::Passed, dots.passed),
        (Outcome::Failed, dots.failed),
        (Outcome::Errored, dots.errored),
        (Outcome::Skipped, dots.skipped),
    ];
    let mut unnamed = Tally::default();
    for (outcome, number) in counts {
        let named = named.clone().filter(|test| test.outcome == outcome).count() as u64;
        unnamed += many(outcome, number.saturating_sub(named));
    }
    unnamed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settle(names: &[(&str, Certainty)], count: u64) -> (Vec<String>, u64) {
        let mut census = Census::default();
        for (name, certainty) in names {
            census.name(TestCase::new(*name, Outcome::Passed), *certainty);
        }
        census.count(Outcome::Passed, count);
        let (tests, unnamed) = census.settle();
        (tests.into_iter().map(|test| test.id).collect(), unnamed.passed)
    }

    #[test]
    fn the_summary_is_right_about_how_many_there_are() {
        use Certainty::{Doubtful, Sure};
        let names = [("a", Sure), ("b", Doubtful), ("c", Sure)];
        assert_eq!(settle(&names, 5), (vec!["a".into(), "b".into(), "c".into()], 2));
        assert_eq!(settle(&names, 3), (vec!["a".into(), "b".into(), "c".into()], 0));
        assert_eq!(settle(&names, 2), (vec!["a".into(), "c".into()], 0));
        assert_eq!(settle(&names, 1), (vec![], 1));
    }

    #[test]
    fn an_outcome_that_the_summary_does_not_know_is_no_test() {
        let mut census = Census::default();
        census.name(TestCase::new("a", Outcome::Failed), Certainty::Sure);
        census.count(Outcome::Passed, 0);
        assert_eq!(census.settle(), (vec![], Tally::default()));
    }
}
