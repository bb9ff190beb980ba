//! What the reader of pytest text makes of small outputs.

use proptest::prelude::*;

use super::super::answers::tests;
use super::*;

fn read(text: &str) -> Report {
    parse(text.as_bytes(), &Limits::DEFAULT).unwrap()
}

const REPORTS: &str = "
=================================== ERRORS ====================================
_____________________ ERROR at teardown of TestBarn.test_b _____________________

    def teardown(self):
>       raise OSError('no door')
E       OSError: no door

tests/test_barn.py:20: OSError
=================================== FAILURES ===================================
________________________________ TestBarn.test_b _______________________________

    def test_b(self):
>       assert 1 == 2, 'hay'
E       AssertionError: hay
E       assert 1 == 2

tests/test_barn.py:12: AssertionError
----------------------------- Captured stdout call -----------------------------
out
=== 9 passed in 0.01s ===
----------------------------- Captured stderr call -----------------------------
err
=========================== short test summary info ============================
FAILED tests/test_barn.py::TestBarn::test_b - AssertionError: hay
ERROR tests/test_barn.py::TestBarn::test_b - OSError: no door
";

const LAST: &str =
    "==== 1 failed, 2 passed, 1 skipped, 1 xfailed, 1 xpassed, 1 warning, 1 error in 0.02s ====\n";

const START: &str = "============================= test session starts ==============================\n\
                     platform linux -- Python 3.12.1, pytest-8.4.2, pluggy-1.7.0\ncollected 6 items\n\n";

fn verbose() -> String {
    format!(
        "{START}tests/test_barn.py::TestBarn::test_a[x y] PASSED           [ 16%]\n\
         tests/test_barn.py::TestBarn::test_b FAILED           [ 33%]\n\
         tests/test_barn.py::TestBarn::test_b ERROR            [ 33%]\n\
         tests/test_barn.py::test_c out\nPASSED                [ 50%]\n\
         tests/test_barn.py::test_d SKIPPED (PASSED last time) [ 66%]\n\
         tests/test_barn.py::test_e XFAIL                      [ 83%]\n\
         tests/test_barn.py::test_f XPASS                      [100%]\n{REPORTS}{LAST}"
    )
}

#[test]
fn verbose_lines_give_names_and_reports_give_reasons() {
    let report = read(&verbose());
    assert_eq!(
        tests(&report),
        [
            "tests.test_barn.TestBarn::test_a[x y] P",
            "tests.test_barn.TestBarn::test_b F",
            "tests.test_barn.TestBarn::test_b E",
            "tests.test_barn::test_c P",
            "tests.test_barn::test_d S",
            "tests.test_barn::test_e x",
            "tests.test_barn::test_f P"
        ]
    );
    assert_eq!(report.unnamed, Tally::default());
    let (failed, errored) = (&report.tests[1], &report.tests[2]);
    assert_eq!(failed.evidence.message.as_deref(), Some("AssertionError: hay"));
    assert_eq!(failed.evidence.kind.as_deref(), Some("AssertionError"));
    assert_eq!(failed.evidence.output.as_deref(), Some("out\n=== 9 passed in 0.01s ==="));
    assert_eq!(failed.evidence.errout.as_deref(), Some("err"));
    assert_eq!((failed.file.as_deref(), failed.line), (Some("tests/test_barn.py"), Some(12)));
    assert_eq!(
        (errored.evidence.message.as_deref(), errored.line),
        (Some("OSError: no door"), Some(20))
    );
    assert_eq!(detect(&Screen::of(verbose().as_bytes())), Some(0));
}

#[test]
fn letters_leave_only_failures_with_a_name() {
    let terse = format!("{START}tests/test_barn.py .FE.sxX        [100%]\n{REPORTS}{LAST}");
    let quiet =
        format!(".FE.sxX        [100%]\n{REPORTS}{}\n", LAST.trim_matches(['=', ' ', '\n']));
    for text in [terse, quiet] {
        let report = read(&text);
        let bad = ["tests.test_barn.TestBarn::test_b F", "tests.test_barn.TestBarn::test_b E"];
        assert_eq!(tests(&report), bad);
        assert_eq!((report.unnamed.passed, report.unnamed.skipped), (3, 2));
    }
}

#[test]
fn pytest_inside_a_test_is_not_counted() {
    let inner = format!("{START}t.py::a PASSED\n=== 1 passed in 0.01s ===\n");
    let text = verbose().replace("out\n===", &format!("{inner}==="));
    assert_eq!(read(&text).tally(), read(&verbose()).tally());
}

#[test]
fn counts_that_a_test_printed_are_not_those_of_the_session() {
    let printed = verbose().replace("test_c out\n", "test_c out\n=== 9 passed in 0.01s ===\n");
    assert_eq!(read(&printed), read(&verbose()));
    // Where no others come they are taken: what was collected need not be what ran.
    let alone = format!("{START}t.py ..  [100%]\n\n=== 2 passed in 0.01s ===\n");
    assert_eq!(read(&alone).tally().total, 2);
}

#[test]
fn a_subtest_that_failed_is_a_test() {
    let text = |tests: &str, listed: &str, last: &str| {
        format!(
            "{}{tests}\n=================== FAILURES ===================\n\
             ____________ test_f [even] (i=1) ____________\n\n    def test_f(subtests):\n\
             E   assert (1 % 2) == 0\n\nt.py:4: AssertionError\n\
             =========== short test summary info ===========\n{listed}\n{last}",
            START.replace("collected 6 items", "collected 1 item")
        )
    };
    let pytest_9 = text(
        "t.py::test_f SUBPASSED[even] (i=0)  [100%]\nt.py::test_f SUBFAILED[even] (i=1)  [100%]\n\
         t.py::test_f FAILED                 [100%]\n",
        "SUBFAILED[even] (i=1) t.py::test_f - assert (1 % 2) == 0\n\
         FAILED t.py::test_f - contains 1 failed subtest",
        "========== 2 failed, 1 subtests passed in 0.07s ==========\n",
    );
    let plugin = text(
        "t.py ,u. [100%]\n",
        "[even] (i=1) SUBFAIL t.py::test_f - assert (1 % 2) == 0",
        "========== 1 failed, 1 passed, 1 subtests passed in 0.02s ==========\n",
    );
    let report = read(&pytest_9);
    assert_eq!(tests(&report), ["t::test_f [even] (i=1) F", "t::test_f F"]);
    let first = &report.tests[0];
    assert_eq!(first.evidence.message.as_deref(), Some("assert (1 % 2) == 0"));
    assert_eq!((first.file.as_deref(), first.line), (Some("t.py"), Some(4)));
    let report = read(&plugin);
    assert_eq!(tests(&report), ["t::test_f [even] (i=1) F"]);
    assert_eq!((report.unnamed.total, report.unnamed.passed), (1, 1));
}

#[test]
fn workers_print_the_outcome_first() {
    let text = format!(
        "{START}t.py::a[x y] \n[gw0] [ 50%] PASSED t.py::a[x y] \nt.py::b \n[gw1] [100%] SKIPPED t.py::b \n\n\
         === 1 passed, 1 skipped in 0.10s ===\n"
    );
    assert_eq!(tests(&read(&text)), ["t::a[x y] P", "t::b S"]);
}

#[test]
fn a_test_that_passed_when_run_again_is_flaky() {
    let text = format!(
        "{START}t.py::a RERUN\nt.py::a RERUN\nt.py::a PASSED\n=== 1 passed, 2 rerun in 0.1s ===\n"
    );
    let report = read(&text);
    assert_eq!((tests(&report), report.tests[0].attempts.len()), (vec!["t::a R".to_owned()], 2));
    assert_eq!(report.tally().passed, 1);
}

#[test]
fn a_session_that_never_ends_is_an_errored_test() {
    let report = read(&format!("{START}t.py::a PASSED\nt.py::b \n"));
    assert_eq!(tests(&report), ["t::a P", "t::b E"]);
    let report = read(&format!("{START}t.py ..F\n"));
    assert_eq!((tests(&report), report.tally().failed), (vec!["test run E".to_owned()], 1));
    let after = format!("{START}t.py .\n{START}t.py .\n=== 1 passed in 0.1s ===\n");
    assert_eq!((read(&after).tally().errored, read(&after).tally().passed), (1, 2));
}

#[test]
fn what_stops_pytest_is_an_errored_test() {
    for (line, says) in [
        ("!!!!!!!!!! KeyboardInterrupt !!!!!!!!!!", "stopped: KeyboardInterrupt"),
        ("INTERNALERROR> ValueError: no hay", "pytest itself failed: ValueError: no hay"),
    ] {
        let report = read(&format!("{START}t.py .\n{line}\n=== 1 passed in 0.1s ===\n"));
        assert_eq!((tests(&report), report.tally().passed), (vec!["test run E".to_owned()], 1));
        assert!(
            report.tests[0].evidence.message.as_deref().is_some_and(|text| text.contains(says))
        );
    }
}

#[test]
fn no_test_at_all_is_refused() {
    for text in
        ["", "ERROR: file not found: x\n", &format!("{START}=== no tests ran in 0.1s ===\n")]
    {
        let error = parse(text.as_bytes(), &Limits::DEFAULT).unwrap_err().to_string();
        assert!(error.contains("expected a last line such as"), "{error}");
    }
}

fn any_lines() -> impl Strategy<Value = String> {
    let text = verbose()
        + "=== 18446744073709551615 passed, 3 failed in 1s ===\n2 passed in 1s\n!!! x !!!\nPASSED\n";
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    prop::collection::vec(prop::sample::select(lines), 0..60).prop_map(|lines| lines.join("\n"))
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
