//! What the reader of unittest and nose text makes of small outputs.

use proptest::prelude::*;

use super::super::answers::{message, tests};
use super::*;

fn read(text: &str) -> Report {
    parse(text.as_bytes(), &Limits::DEFAULT).unwrap()
}

const RULE: &str = "----------------------------------------------------------------------";
const DOUBLE_RULE: &str = "======================================================================";

fn end(ran: u64, status: &str) -> String {
    format!("\n{RULE}\nRan {ran} tests in 0.001s\n\n{status}\n")
}

fn report(heading: &str, exception: &str) -> String {
    format!(
        "\n{DOUBLE_RULE}\n{heading}\n{RULE}\nTraceback (most recent call last):\n  \
         File \"/hay/test_barn.py\", line 7, in test_b\n    self.fail()\n{exception}\n"
    )
}

#[test]
fn verbose_lines_give_names_and_reports_give_reasons() {
    let text = format!(
        "test_a (barn.Barn.test_a) ... ok\ntest_b (barn.Barn.test_b) ... FAIL\n\
         test_c (barn.Barn.test_c)\nThe barn is red. ... ok\ntest_d (barn.Barn) ... skipped 'no ... ok'\n\
         test_e (barn.Barn.test_e) ... expected failure\ntest_f (barn.Barn.test_f) ... unexpected success\n\
         setUpClass (barn.Shed) ... ERROR\n{}{}{}",
        report("ERROR: setUpClass (barn.Shed)", "OSError: no shed"),
        report("FAIL: test_b (barn.Barn.test_b)", "AssertionError: 1 != 2\n- 1\n+ 2"),
        end(
            6,
            "FAILED (failures=1, errors=1, skipped=1, expected failures=1, unexpected successes=1)"
        )
    );
    let report = read(&text);
    assert_eq!(
        tests(&report),
        [
            "barn.Barn::test_a P",
            "barn.Barn::test_c P",
            "barn.Barn::test_d S",
            "barn.Barn::test_e x",
            "barn.Barn::test_f X",
            "setUpClass (barn.Shed) E",
            "barn.Barn::test_b F"
        ]
    );
    assert_eq!(report.unnamed, Tally::default());
    assert_eq!(message(&report, "barn.Barn::test_d"), "no ... ok");
    assert_eq!(message(&report, "barn.Barn::test_b"), "AssertionError: 1 != 2");
    let failed = report.tests.last().unwrap();
    assert_eq!(failed.evidence.kind.as_deref(), Some("AssertionError"));
    assert_eq!((failed.file.as_deref(), failed.line), (Some("/hay/test_barn.py"), Some(7)));
    assert_eq!(detect(&Screen::of(text.as_bytes())), Some(0));
}

#[test]
fn letters_leave_only_failures_with_a_name() {
    let text = format!(
        "..out\n.Fs\n{}{}",
        report("FAIL: test_b (barn.Barn)", "AssertionError"),
        end(5, "FAILED (failures=1, skipped=1)")
    );
    let report = read(&text);
    assert_eq!(tests(&report), ["barn.Barn::test_b F"]);
    assert_eq!((report.unnamed.passed, report.unnamed.skipped, report.unnamed.total), (3, 1, 4));
}

#[test]
fn nose_names_functions_doctests_and_docstrings() {
    let text = format!(
        "barn.tests.test_f ... ok\nbarn.tests.test_gen(1, 'x y') ... ok\nDoctest: barn.loft.fill ... ok\n\
         The barn is red. ... ok\nFailure: ImportError (no hay) ... ERROR\n\
         test_s (barn.Barn) ... SKIP: two\nlines\n{}{}",
        report("ERROR: Failure: ImportError (no hay)", "ImportError: no hay"),
        end(6, "FAILED (SKIP=1, errors=1)").replace(RULE, &RULE[..40])
    );
    let report = read(&text);
    assert_eq!(
        tests(&report),
        [
            "barn.tests::test_f P",
            "barn.tests::test_gen(1, 'x y') P",
            "barn.loft::fill P",
            "The barn is red. P",
            "barn.Barn::test_s S",
            "nose.failure.Failure::runTest E"
        ]
    );
}

#[test]
fn output_of_a_test_is_no_result() {
    let text = format!(
        "test_a (barn.Barn) ... test_ghost (barn.Barn) ... ok\n\nRan 77 tests in 0.001s\n\nOK\nok\n\
         test_b (barn.Barn) ... danglingok\ntest_c (barn.Barn) ... Trying:\nok\nok\n{}",
        end(3, "OK")
    );
    assert_eq!(
        tests(&read(&text)),
        ["barn.Barn::test_a P", "barn.Barn::test_b P", "barn.Barn::test_c P"]
    );
    let letters = format!(".test_ghost (barn.Barn) ... ok\n...{}", end(4, "OK"));
    let report = read(&letters);
    assert_eq!((tests(&report).len(), report.unnamed.passed), (0, 4));
}

#[test]
fn a_runner_inside_a_test_is_not_counted() {
    let inner =
        report("FAIL: test_inner (m.Inner)", "AssertionError") + &end(1, "FAILED (failures=1)");
    let text =
        format!("test_a (barn.Barn) ... {inner}ok\ntest_b (barn.Barn) ... ok\n{}", end(2, "OK"));
    let report = read(&text);
    assert_eq!(tests(&report), ["barn.Barn::test_a P", "barn.Barn::test_b P"]);
}

#[test]
fn one_test_can_have_several_failures() {
    let text = format!(
        "test_a (barn.Barn.test_a) ... \n  test_a (barn.Barn.test_a) (i=1) ... FAIL\n  \
         test_a (barn.Barn.test_a) (i=2) ... FAIL\ntest_b (barn.Barn.test_b) ... FAIL\nERROR\n\
         test_c (barn.Barn.test_c) ... ok\n{}{}{}{}{}",
        report("ERROR: test_b (barn.Barn.test_b)", "OSError: tear-down"),
        report("FAIL: test_a (barn.Barn.test_a) (i=1)", "AssertionError"),
        report("FAIL: test_a (barn.Barn.test_a) (i=2)", "AssertionError"),
        report("FAIL: test_b (barn.Barn.test_b)", "AssertionError"),
        end(3, "FAILED (failures=3, errors=1)")
    );
    let report = read(&text);
    assert_eq!(
        tests(&report),
        [
            "barn.Barn::test_c P",
            "barn.Barn::test_b E",
            "barn.Barn::test_a (i=1) F",
            "barn.Barn::test_a (i=2) F",
            "barn.Barn::test_b F"
        ]
    );
    assert_eq!((report.tally().passed, report.unnamed.total), (1, 0));
}

#[test]
fn a_class_that_is_skipped_is_no_test() {
    let verbose = format!(
        "test_a (barn.Barn) ... ok\nSKIP: no shed\ntest_b (barn.Barn) ... ok\n{}",
        end(2, "OK (SKIP=1)")
    );
    let report = read(&verbose);
    assert_eq!(tests(&report), ["barn.Barn::test_a P", "barn.Barn::test_b P"]);
    assert_eq!((report.unnamed.total, report.unnamed.skipped), (1, 1));
    let letters = read(&format!(".s.{}", end(2, "OK (skipped=1)")));
    assert_eq!((letters.unnamed.passed, letters.unnamed.skipped), (2, 1));
}

#[test]
fn skipped_tests_need_not_be_among_those_that_ran() {
    // As Python 3.12.1 counts.
    let verbose = format!(
        "test_a (barn.Barn.test_a) ... ok\ntest_b (barn.Barn.test_b) ... skipped 'no hay'\n\
         test_c (barn.Barn.test_c) ... skipped 'no oats'\ntest_d (barn.Barn.test_d) ... ok\n{}",
        end(2, "OK (skipped=2)")
    );
    for text in [verbose, format!(".ss.{}", end(2, "OK (skipped=2)"))] {
        let tally = read(&text).tally();
        assert_eq!((tally.total, tally.passed, tally.skipped), (4, 2, 2), "{text}");
    }
}

#[test]
fn several_runs_in_one_text_add_up() {
    let text = format!(".{}..{}", end(1, "OK"), end(2, "OK (skipped=1)"));
    assert_eq!((read(&text).tally().passed, read(&text).tally().skipped), (2, 1));
}

#[test]
fn a_run_that_never_ends_is_an_errored_test() {
    let report = read("test_a (barn.Barn) ... ok\ntest_b (barn.Barn) ... Killed\n");
    assert_eq!(tests(&report), ["barn.Barn::test_a P", "barn.Barn::test_b E"]);
    assert!(message(&report, "barn.Barn::test_b").contains("Ran N tests"));
    let report = read("..F.\n");
    assert_eq!((tests(&report), report.unnamed.failed), (vec!["test run E".to_owned()], 1));
    let report = read(&format!("..\n{RULE}\nRan 2 tests in 0.001s\n"));
    assert_eq!(report.tally().errored, 1);
}

#[test]
fn a_failed_run_without_a_failure_is_an_errored_test() {
    assert_eq!(tests(&read(&format!(".{}", end(1, "FAILED")))), ["test run E"]);
}

#[test]
fn no_test_at_all_is_refused() {
    for (text, says) in [
        (String::new(), "1:1: no test results: expected `Ran N tests in …`"),
        (end(0, "OK"), "no tests ran"),
        (end(0, "NO TESTS RAN"), "no tests ran"),
        (
            "Traceback (most recent call last):\nImportError: no hay\n".to_owned(),
            "`ImportError: no hay`",
        ),
    ] {
        let error = parse(text.as_bytes(), &Limits::DEFAULT).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
}

fn any_lines() -> impl Strategy<Value = String> {
    let lines = [
        "test_a (barn.Barn.test_a) ... ok",
        "test_a (barn.Barn.test_a) ... ",
        "test_a (barn.Barn)",
        "  test_a (barn.Barn) (i=1) ... FAIL",
        "A docstring ... ERROR",
        "ok",
        "FAIL",
        "skipped x",
        "..FEsxu",
        RULE,
        DOUBLE_RULE,
        "FAIL: test_a (barn.Barn)",
        "ERROR: setUpClass (barn.Barn)",
        "UNEXPECTED SUCCESS: test_a (barn.Barn)",
        "  File \"/x.py\", line 99999999999999999999, in y",
        "AssertionError: x",
        "Ran 18446744073709551615 tests in 0.1s",
        "Ran 2 tests in 0.1s",
        "",
        "OK",
        "FAILED (failures=18446744073709551615, errors=18446744073709551615, skipped=1)",
    ];
    prop::collection::vec(prop::sample::select(lines.to_vec()), 0..60)
        .prop_map(|lines| lines.join("\n"))
}

proptest! {
    #[test]
    fn no_text_is_too_odd(text in any_lines(), bytes in any::<Vec<u8>>()) {
        for input in [text.as_bytes(), &bytes] {
            if let Ok(report) = parse(input, &Limits::DEFAULT) {
                prop_assert!(report.tally().total > 0);
            }
            let _ = detect(&Screen::of(input));
        }
    }
}
