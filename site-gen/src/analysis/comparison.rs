//! [`Comparison`]: what changed from one result to another, test by test.

use pony_formats::{ResultKey, TestResult};
use serde::{Deserialize, Serialize};

use super::Verdict;

/// Tests of one kind that are named.
const NAMES_MAX: usize = 100;

/// A test is *slower* when it takes at least so many times as long,
const SLOWER_TIMES: f64 = 2.0;

/// and at least so many seconds longer: below that, most of it is noise.
const SLOWER_SECONDS: f64 = 0.1;

/// What is compared of a result.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Compared {
    pub(crate) key: ResultKey,
    /// Sorted by id.
    tests: Vec<Seen>,
}

/// A test in one of the results.
#[derive(Debug, Clone, PartialEq)]
struct Seen {
    id: String,
    verdict: Verdict,
    duration: Option<f64>,
}

impl Compared {
    /// Of several tests with the same id, the worst counts, and the longest.
    pub(crate) fn new(result: &TestResult) -> Self {
        let tests = result.submission.results_list.iter().flat_map(|step| step.tests());
        let mut tests: Vec<Seen> = tests
            .map(|test| Seen {
                id: test.id.clone(),
                verdict: Verdict::of(test),
                duration: test.duration,
            })
            .collect();
        // Those of a step are sorted already, which costs a look at each.
        tests.sort_by(|a, b| a.id.cmp(&b.id));
        tests.dedup_by(|later, first| {
            let is_same = later.id == first.id;
            if is_same {
                first.verdict = first.verdict.max(later.verdict);
                first.duration = first.duration.into_iter().chain(later.duration).reduce(f64::max);
            }
            is_same
        });
        Self { key: result.receipt.key, tests }
    }
}

/// Some tests by name, and how many there are.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Named<T> {
    /// All of them.
    pub(crate) count: usize,
    /// The first hundred.
    pub(crate) tests: Vec<T>,
}

impl<T> Named<T> {
    fn push(&mut self, test: impl FnOnce() -> T) {
        self.count += 1;
        if self.tests.len() < NAMES_MAX {
            self.tests.push(test());
        }
    }
}

/// A test that takes longer than it did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Slower {
    pub(crate) id: String,
    /// Seconds before.
    pub(crate) before: f64,
    /// Seconds after.
    pub(crate) after: f64,
}

/// What changed between two results: transitions only.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Comparison {
    /// The earlier result.
    #[serde(with = "crate::history::as_text")]
    pub(crate) before: ResultKey,
    /// Bad now, and not before; also tests that were not there before.
    pub(crate) newly_failing: Named<String>,
    /// Bad before, and good now.
    pub(crate) fixed: Named<String>,
    /// Not there before, and not bad now.
    pub(crate) new: Named<String>,
    /// Not there any more.
    pub(crate) vanished: Named<String>,
    /// Good in both, and now at least twice as long and a tenth of a second longer.
    pub(crate) slower: Named<Slower>,
    /// How many are bad in both.
    pub(crate) still_failing: usize,
}

impl Comparison {
    pub(crate) fn of(before: &Compared, after: &Compared) -> Self {
        let mut found = Self {
            before: before.key,
            newly_failing: Named::default(),
            fixed: Named::default(),
            new: Named::default(),
            vanished: Named::default(),
            slower: Named { count: 0, tests: Vec::new() },
            still_failing: 0,
        };
        let mut earlier = before.tests.iter().peekable();
        for test in &after.tests {
            while let Some(gone) = earlier.next_if(|before| before.id < test.id) {
                found.vanished.push(|| gone.id.clone());
            }
            found.note(earlier.next_if(|before| before.id == test.id), test);
        }
        for gone in earlier {
            found.vanished.push(|| gone.id.clone());
        }
        found
    }

    /// Notes what changed of a test.
    fn note(&mut self, before: Option<&Seen>, after: &Seen) {
        let Seen { id, verdict, duration } = after;
        let is_bad = *verdict == Verdict::Bad;
        let was_bad = before.is_some_and(|before| before.verdict == Verdict::Bad);
        match before {
            Some(_) if was_bad && is_bad => self.still_failing += 1,
            _ if is_bad => self.newly_failing.push(|| id.clone()),
            None => self.new.push(|| id.clone()),
            Some(_) if was_bad && *verdict != Verdict::Skipped => self.fixed.push(|| id.clone()),
            Some(Seen { verdict: earlier, duration: then, .. }) => {
                let ran = |verdict| verdict >= Verdict::Good;
                if let (Some(before), Some(after)) = (*then, *duration)
                    && ran(*earlier)
                    && ran(*verdict)
                    && after >= before * SLOWER_TIMES
                    && after - before >= SLOWER_SECONDS
                {
                    self.slower.push(|| Slower { id: id.clone(), before, after });
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::line_history::tests::result;
    use super::*;

    fn is_empty(found: &Comparison) -> bool {
        let Comparison { newly_failing, fixed, new, vanished, slower, .. } = found;
        newly_failing.count + fixed.count + new.count + vanished.count + slower.count == 0
    }

    fn compared(hour: i64, tests: &[(&str, char)]) -> Compared {
        Compared::new(&result(hour, "aaaaaaa", tests))
    }

    #[test]
    fn only_transitions_are_named() {
        let before = compared(
            1,
            &[("breaks", 'P'), ("mended", 'F'), ("gone", 'P'), ("old", 'F'), ("calm", 'P')],
        );
        let after = compared(
            2,
            &[
                ("breaks", 'F'),
                ("mended", 'P'),
                ("old", 'F'),
                ("calm", 'P'),
                ("came", 'P'),
                ("came bad", 'F'),
            ],
        );
        let found = Comparison::of(&before, &after);
        assert_eq!(found.newly_failing.tests, ["breaks", "came bad"]);
        assert_eq!(found.fixed.tests, ["mended"]);
        assert_eq!(found.new.tests, ["came"]);
        assert_eq!(found.vanished.tests, ["gone"]);
        assert_eq!((found.still_failing, found.before), (1, before.key));
        assert!(!is_empty(&found) && is_empty(&Comparison::of(&before, &before)));
    }

    #[test]
    fn a_test_that_is_skipped_is_neither_fixed_nor_failing() {
        let bad = compared(1, &[("t", 'F')]);
        let skipped = compared(2, &[("t", 'S')]);
        assert!(is_empty(&Comparison::of(&bad, &skipped)));
        assert_eq!(Comparison::of(&skipped, &bad).newly_failing.tests, ["t"]);
    }

    #[test]
    fn slower_takes_twice_as_long_and_long_enough_to_notice() {
        let with = |seconds: f64| {
            let mut result = result(1, "aaaaaaa", &[]);
            let mut test = pony_formats::TestCase::new("t", pony_formats::Outcome::Passed);
            test.duration = Some(seconds);
            result.submission.results_list =
                vec![pony_formats::Step::default().with_tests(vec![test])];
            Compared::new(&result)
        };
        let slower = |before, after| Comparison::of(&with(before), &with(after)).slower.count == 1;
        assert!(slower(0.1, 0.2) && slower(0.0, 0.1));
        assert!(!slower(0.01, 0.05) && !slower(1.0, 1.9) && !slower(2.0, 1.0));
    }

    #[test]
    fn names_are_few_and_counts_are_whole() {
        let names: Vec<String> = (0..NAMES_MAX + 7).map(|at| format!("t{at}")).collect();
        let tests: Vec<(&str, char)> = names.iter().map(|name| (name.as_str(), 'F')).collect();
        let found = Comparison::of(&compared(1, &[]), &compared(2, &tests));
        assert_eq!((found.newly_failing.count, found.newly_failing.tests.len()), (107, 100));
    }
}
