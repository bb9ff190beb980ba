//! One level of subtests: its plan, what was seen of it, and how it folds into the level outside.

use super::line::{Directive, Plan, Point};
use super::seconds;
use crate::model::{Outcome, TestCase};

#[derive(Default)]
pub(super) struct Level<'t> {
    pub(super) plan: Option<Plan<'t>>,
    pub(super) points: u64,
    /// The largest number that a test point gave itself.
    pub(super) number_max: u64,
    pub(super) tests: Vec<TestCase>,
    /// The name that a comment gave the subtest that comes next.
    pub(super) subtest: Option<&'t str>,
}

impl Level<'_> {
    /// What is wrong with the number of tests, if there was a plan.
    pub(super) fn count_complaint(&self) -> Option<String> {
        let (planned, points) = (self.plan.as_ref()?.count, self.points);
        if points < planned {
            let missing = planned - points;
            return Some(format!("{missing} of {planned} planned tests are missing"));
        }
        if points > planned {
            return Some(format!("{points} tests, but {planned} were planned"));
        }
        let number = self.number_max;
        (number > planned).then(|| format!("test number {number} is beyond the plan of {planned}"))
    }

    /// The tests of a subtest, and the one that sums it up where it says more than they do.
    pub(super) fn under(self, mut test: TestCase, has_own_reason: bool) -> Vec<TestCase> {
        let is_excused = matches!(test.outcome, Outcome::ExpectedFailure | Outcome::Skipped);
        let complaint = self.count_complaint();
        if self.tests.is_empty() && self.points == 0 && complaint.is_none() {
            if test.outcome == Outcome::Passed && self.plan.is_some() {
                test.outcome = Outcome::Skipped;
            }
            return vec![test];
        }
        let mut tests = self.tests;
        for inner in &mut tests {
            if is_excused && inner.outcome.is_bad() {
                inner.outcome = test.outcome;
            }
        }
        let is_red = tests.iter().any(|inner| inner.outcome.is_bad());
        if let Some(complaint) = complaint.filter(|_| !is_excused) {
            test.outcome = Outcome::Errored;
            test.evidence.message = Some(complaint);
            tests.push(test);
        } else if test.outcome.is_bad() && (!is_red || has_own_reason) {
            tests.push(test);
        }
        tests
    }
}

/// Takes over the outcome and the reason of a test point.
pub(super) fn judge(test: &mut TestCase, point: &Point<'_>) {
    let reason = match &point.directive {
        Directive::Skip(reason) => {
            test.outcome = Outcome::Skipped;
            Some(reason)
        }
        Directive::Todo(reason) if !point.is_ok => {
            test.outcome = Outcome::ExpectedFailure;
            Some(reason)
        }
        Directive::Time(milliseconds) => {
            test.duration = seconds(*milliseconds);
            None
        }
        _ => None,
    };
    let is_excused = matches!(test.outcome, Outcome::Skipped | Outcome::ExpectedFailure);
    if !point.is_ok && !is_excused {
        test.outcome = Outcome::Failed;
    }
    test.evidence.message =
        reason.filter(|reason| !reason.is_empty()).map(|reason| reason.clone().into_owned());
}
