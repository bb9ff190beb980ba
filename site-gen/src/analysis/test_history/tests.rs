//! Histories made by hand: one letter for each commit, `P` good, `F` bad, `S` skipped, `R` good at the second
//! attempt, `M` bad and then good in two results, `-` absent.

use super::*;

fn key(number: u32) -> ResultKey {
    let start: jiff::Timestamp = "2026-03-01T00:00:00Z".parse().unwrap();
    ResultKey::new(start + jiff::SignedDuration::from_hours(number.into()), 0)
}

fn history(letters: &str) -> TestHistory {
    let mut history: Option<TestHistory> = None;
    for (at, letter) in (1..).zip(letters.chars()) {
        let verdicts: &[Verdict] = match letter {
            'P' => &[Verdict::Good],
            'F' => &[Verdict::Bad],
            'S' => &[Verdict::Skipped],
            'R' => &[Verdict::Retried],
            'M' => &[Verdict::Bad, Verdict::Good],
            _ => &[],
        };
        for verdict in verdicts {
            history.get_or_insert_with(|| TestHistory::new(at)).observe(at, *verdict, key(at));
        }
    }
    history.unwrap()
}

/// First bad, bad commits, last good.
fn failing(letters: &str) -> Option<(u32, u32, Option<u32>)> {
    let failing = history(letters).failing(letters.len() as u32)?;
    Some((failing.first, failing.commits, failing.good))
}

fn is_flaky(letters: &str) -> bool {
    history(letters).flaky(letters.len() as u32).is_some()
}

#[test]
fn failing_since_the_first_bad_commit_after_the_last_good_one() {
    assert_eq!(failing("PPPF"), Some((4, 1, Some(3))));
    assert_eq!(failing("PPFFF"), Some((3, 3, Some(2))));
    assert_eq!(failing("PFPFF"), Some((4, 2, Some(3))));
    assert_eq!(failing("FF"), Some((1, 2, None)), "bad from the start");
    assert_eq!(failing("PPFP"), None);
}

#[test]
fn what_did_not_run_neither_begins_nor_ends_a_run() {
    assert_eq!(failing("PSF-F"), Some((3, 2, Some(1))));
    assert_eq!(failing("PFS"), None, "skipped now");
    assert_eq!(failing("PF-"), None, "absent now");
    assert_eq!(failing("S-SF"), Some((4, 1, None)));
}

#[test]
fn good_at_the_second_try_is_no_regression_but_flaky() {
    assert_eq!(failing("PPM"), None);
    assert_eq!(failing("PPR"), None);
    assert!(is_flaky("PPM") && is_flaky("PPR"));
    let history = history("PM");
    assert_eq!(history.flaky(2).unwrap().evidence, [Evidence { at: 2, good: key(2), bad: key(2) }]);
}

#[test]
fn a_regression_and_its_repair_are_not_flaky() {
    assert!(!is_flaky("PPPPPPFFFFPPPPPP"));
    assert!(!is_flaky("PFPFP"), "too few verdicts to tell");
    assert!(is_flaky("PPPPPPFPPPFPPP"));
    let history = history("PPPPPPFPPPFPPP");
    let flaky = history.flaky(14).unwrap();
    assert_eq!((flaky.flips, flaky.verdicts, flaky.flip_rate()), (4, 14, 31));
}

#[test]
fn a_repaired_test_is_flaky_no_longer_after_a_window_of_calm() {
    let after = |calm: u32| is_flaky(&format!("PPR{}", "P".repeat(calm as usize)));
    assert!(after(WINDOW - 1));
    assert!(!after(WINDOW));
}

#[test]
fn another_result_of_an_earlier_commit_proves_but_does_not_move_anything() {
    let mut history = history("PPF");
    history.observe_again(2, key(2), Verdict::Good, key(9));
    assert!(history.flaky(3).is_none());
    history.observe_again(2, key(2), Verdict::Bad, key(10));
    assert_eq!(history.failing(3), Some(Failing { first: 3, commits: 1, good: Some(2) }));
    let proof = Evidence { at: 2, good: key(2), bad: key(10) };
    assert_eq!(history.flaky(3).unwrap().evidence, [proof]);
}

#[test]
fn a_gap_proves_nothing() {
    let mut history = history("P-P");
    history.observe_again(2, key(2), Verdict::Bad, key(9));
    assert!(history.flaky(3).is_none());
}

#[test]
fn only_tests_that_always_passed_are_unremarkable() {
    for dull in ["P", "PPPP", "S", "PSP-P"] {
        assert!(!history(dull).is_remarkable(), "{dull}");
    }
    for remarkable in ["F", "FP", "PF", "R", "PM"] {
        assert!(history(remarkable).is_remarkable(), "{remarkable}");
    }
}

#[test]
fn memory_is_bounded_and_the_newest_is_kept() {
    let letters = "PF".repeat(500);
    let history = history(&letters);
    assert_eq!(history.timeline().len(), RUNS_MAX);
    assert_eq!(failing(&letters), Some((1000, 1, Some(999))));
    let retried = (1..100).fold(TestHistory::new(1), |mut history, at| {
        history.observe(at, Verdict::Retried, key(at));
        history
    });
    assert_eq!(retried.evidence.len(), EVIDENCE_MAX);
    assert_eq!(retried.evidence.last().unwrap().at, 99);
}

#[test]
fn verdicts_follow_outcomes_and_attempts() {
    let with = |outcome, attempts: &[Outcome]| {
        let attempt = |outcome: &Outcome| pony_formats::Attempt {
            outcome: *outcome,
            duration: None,
            evidence: pony_formats::Evidence::default(),
        };
        let attempts = attempts.iter().map(attempt).collect();
        Verdict::of(&TestCase { attempts, ..TestCase::new("a", outcome) })
    };
    assert_eq!(with(Outcome::Passed, &[]), Verdict::Good);
    assert_eq!(with(Outcome::ExpectedFailure, &[]), Verdict::Good);
    assert_eq!(with(Outcome::UnexpectedPass, &[]), Verdict::Bad);
    assert_eq!(with(Outcome::Errored, &[Outcome::Failed]), Verdict::Bad);
    assert_eq!(with(Outcome::Flaky, &[]), Verdict::Retried);
    assert_eq!(with(Outcome::Failed, &[Outcome::Passed]), Verdict::Retried);
    assert_eq!(with(Outcome::Skipped, &[]), Verdict::Skipped);
}
