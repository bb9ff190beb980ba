//! [`JoinedCommit`]: the results of one commit on all build lines, put together.

use std::collections::{BTreeMap, BTreeSet};

use pony_formats::TestResult;
use serde::{Deserialize, Serialize};

use super::{LineName, Verdict};
use crate::history::Row;

/// Results of a commit that are remembered: the newest ones.
const RESULTS_MAX: usize = 200;

/// Tests that are named of each result.
const NAMES_MAX: usize = 200;

/// One result of a commit: an attempt at it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Attempted {
    #[serde(flatten)]
    pub(crate) row: Row,
    /// Tests that were bad, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) failing: Vec<String>,
    /// Tests that were bad and good inside of it, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) flaky: Vec<String>,
    /// How many are not named.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) unnamed: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

impl Attempted {
    /// Without its tests, when `result` cannot be read.
    pub(crate) fn new(row: &Row, result: Option<&TestResult>) -> Self {
        let steps = result.map(|result| result.submission.results_list.as_slice());
        let tests = steps.unwrap_or_default().iter().flat_map(|step| step.tests());
        let (mut failing, mut flaky) = (BTreeSet::new(), BTreeSet::new());
        for test in tests {
            match Verdict::of(test) {
                Verdict::Bad => failing.insert(test.id.as_str()),
                Verdict::Retried => flaky.insert(test.id.as_str()),
                Verdict::Good | Verdict::Skipped => continue,
            };
        }
        // Of several tests with the same id the worst counts.
        flaky.retain(|id| !failing.contains(id));
        let all = failing.len() + flaky.len();
        let named = |ids: BTreeSet<&str>| -> Vec<String> {
            ids.into_iter().take(NAMES_MAX).map(str::to_owned).collect()
        };
        let (failing, flaky) = (named(failing), named(flaky));
        Self { row: row.clone(), unnamed: all - failing.len() - flaky.len(), failing, flaky }
    }
}

/// How a test ended at a commit on one build line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Joint {
    /// Bad in every attempt.
    Failing,
    /// Bad and good at the same commit.
    Flaky,
}

/// All results of a commit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct JoinedCommit {
    /// What clients call it.
    pub(crate) commit: String,
    /// How many older results are not in `results`.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) earlier: usize,
    /// Oldest first.
    pub(crate) results: Vec<Attempted>,
}

impl JoinedCommit {
    pub(crate) fn new(commit: &str) -> Self {
        Self { commit: commit.to_owned(), earlier: 0, results: Vec::new() }
    }

    /// Takes in a new result. It does not matter in which order they come.
    pub(crate) fn take(&mut self, result: Attempted) {
        let place = self.results.partition_point(|known| known.row.key < result.row.key);
        self.results.insert(place, result);
        let surplus = self.results.len().saturating_sub(RESULTS_MAX);
        self.results.drain(..surplus);
        self.earlier += surplus;
    }

    /// The attempts on each build line, oldest first.
    pub(crate) fn lines(&self) -> BTreeMap<LineName, Vec<&Attempted>> {
        let mut lines: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for result in &self.results {
            lines.entry(result.row.line()).or_default().push(result);
        }
        lines
    }

    /// The tests that were bad in any result, with how they ended on each of `lines`: the ones that fail on
    /// most lines first. `None` where a test was not bad.
    pub(crate) fn tests<'a>(
        lines: &BTreeMap<LineName, Vec<&'a Attempted>>,
    ) -> Vec<(&'a str, Vec<Option<Joint>>)> {
        let mut tests: BTreeMap<&str, Vec<Option<Joint>>> = BTreeMap::new();
        for (place, attempts) in lines.values().enumerate() {
            let mut counts: BTreeMap<&str, (usize, bool)> = BTreeMap::new();
            for attempt in attempts {
                for id in &attempt.failing {
                    counts.entry(id).or_default().0 += 1;
                }
                for id in &attempt.flaky {
                    counts.entry(id).or_default().1 = true;
                }
            }
            for (id, (bad, retried)) in counts {
                let joint = match bad == attempts.len() && !retried {
                    true => Joint::Failing,
                    false => Joint::Flaky,
                };
                let cells = tests.entry(id).or_insert_with(|| vec![None; lines.len()]);
                if let Some(cell) = cells.get_mut(place) {
                    *cell = Some(joint);
                }
            }
        }
        let mut tests: Vec<_> = tests.into_iter().collect();
        let count = |cells: &[Option<Joint>], wanted| {
            cells.iter().filter(|cell| **cell == Some(wanted)).count()
        };
        tests.sort_by_key(|(id, cells)| {
            let (failing, flaky) = (count(cells, Joint::Failing), count(cells, Joint::Flaky));
            (std::cmp::Reverse((failing, flaky)), *id)
        });
        tests
    }
}

#[cfg(test)]
mod tests {
    use super::super::line_history::tests::result;
    use super::*;
    use crate::history::tests::row;

    fn attempt(hour: i64, host: &str, tests: &[(&str, char)]) -> Attempted {
        Attempted::new(&row(hour, host, false), Some(&result(hour, "aaaaaaa", tests)))
    }

    #[test]
    fn platforms_are_joined_and_reruns_are_attempts() {
        let mut commit = JoinedCommit::new("aaaaaaa");
        for one in [
            attempt(1, "a", &[("everywhere", 'F'), ("sometimes", 'F'), ("fine", 'P')]),
            attempt(2, "a", &[("everywhere", 'F'), ("sometimes", 'P'), ("fine", 'P')]),
            attempt(3, "b", &[("everywhere", 'F'), ("retried", 'R'), ("fine", 'P')]),
        ] {
            commit.take(one);
        }
        let lines = commit.lines();
        let (failing, flaky) = (Some(Joint::Failing), Some(Joint::Flaky));
        assert_eq!(
            JoinedCommit::tests(&lines),
            [
                ("everywhere", vec![failing, failing]),
                ("retried", vec![None, flaky]),
                ("sometimes", vec![flaky, None]),
            ]
        );
    }

    #[test]
    fn many_results_of_one_commit_are_counted_and_the_newest_kept() {
        let mut commit = JoinedCommit::new("aaaaaaa");
        // The oldest one comes last.
        for hour in (0..RESULTS_MAX as i64 + 5).map(|hour| hour + 1).chain([0]) {
            commit.take(attempt(hour, "a", &[]));
        }
        assert_eq!((commit.earlier, commit.results.len()), (6, RESULTS_MAX));
        assert_eq!(commit.results[0].row.key, row(6, "a", true).key);
    }

    #[test]
    fn a_result_with_thousands_of_failures_names_some_and_counts_the_rest() {
        let names: Vec<String> = (0..NAMES_MAX + 7).map(|at| format!("t{at}")).collect();
        let tests: Vec<(&str, char)> = names.iter().map(|name| (name.as_str(), 'F')).collect();
        let one = attempt(1, "a", &tests);
        assert_eq!((one.failing.len(), one.unnamed), (NAMES_MAX, 7));
    }
}
