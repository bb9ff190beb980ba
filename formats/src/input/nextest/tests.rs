//! What the reader of nextest's text makes of small outputs.

use proptest::prelude::*;

use super::super::answers::{find, message, tests};
use super::*;
use crate::model::Outcome;

fn read(text: &str) -> Report {
    parse(text.as_bytes(), &Limits::DEFAULT).unwrap()
}

fn error(text: &str) -> String {
    parse(text.as_bytes(), &Limits::DEFAULT).unwrap_err().to_string()
}

const BAR: &str = "────────────\n";

fn starting(tests: u64) -> String {
    format!(
        "{BAR} Nextest run ID 2763e86b with nextest profile: default\n    Starting {tests} tests across 2 binaries\n"
    )
}

fn summary(counts: &str) -> String {
    format!("{BAR}     Summary [   0.735s] {counts}\n")
}

/// Printed by nextest 0.9.143 with two retries and two seconds for each test; libtest's own lines
/// are left out of most outputs.
const RETRIES: &str = "    Finished `test` profile [unoptimized + debuginfo] target(s) in 0.00s
────────────
 Nextest run ID 2763e86b-9bde-4b0d-8d49-1818c160aad4 with nextest profile: default
    Starting 7 tests across 4 binaries (4 tests skipped)
  TRY 1 FAIL [   0.008s] (────) hay-loft tests::calm
  stdout ───

    running 1 test
    test tests::calm - should panic ... FAILED

    failures:

    ---- tests::calm stdout ----
    note: test did not panic as expected at src/lib.rs:14:32

    failures:
        tests::calm

    test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 4 filtered out; finished in 0.00s


  TRY 2 FAIL [   0.011s] ( 1/7) hay-loft tests::calm
  stdout ───

    running 1 test
    test tests::calm - should panic ... FAILED

    failures:

    ---- tests::calm stdout ----
    note: test did not panic as expected at src/lib.rs:14:32

    failures:
        tests::calm

    test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 4 filtered out; finished in 0.01s


        PASS [   0.005s] ( 2/7) hay-loft tests::stacks
  TRY 1 ABRT [   0.007s] (────) hay-loft::it faults
  stdout ───

    running 1 test
  stderr ───
    bye

    (test aborted with signal 6: SIGABRT)

  TRY 2 SEGV [   0.011s] ( 3/7) hay-loft::it faults
  TRY 1 FAIL [   0.284s] (────) hay-loft::it flaky
  stderr ───

    thread 'flaky' (28420) panicked at tests/it.rs:5:5:
    attempt 0

  TRY 2 PASS [   0.006s] ( 4/7) hay-loft::it flaky
        LEAK [   0.113s] ( 5/7) hay-loft::it leaks
        PASS [   0.005s] ( 6/7) hay-loft::bin/rake rakes
        SLOW [>  1.000s] (────) hay-loft::it hangs
 TERMINATING [>  2.000s] (────) hay-loft::it hangs
     TIMEOUT [   2.007s] ( 7/7) hay-loft::it hangs
  stdout ───

    running 1 test

    (test timed out)

────────────
     Summary [   6.322s] 7 tests run: 4 passed (1 flaky, 1 leaky), 2 failed, 1 timed out, 4 skipped
   FLAKY 2/2 [   0.006s] ( 4/7) hay-loft::it flaky
  TRY 2 FAIL [   0.011s] ( 1/7) hay-loft tests::calm
  TRY 2 SEGV [   0.011s] ( 3/7) hay-loft::it faults
     TIMEOUT [   2.007s] ( 7/7) hay-loft::it hangs
error: test run failed
";

#[test]
fn tests_are_named_by_binary_and_path() {
    let report = read(RETRIES);
    assert_eq!(
        tests(&report),
        [
            "hay-loft::tests::calm F",
            "hay-loft::tests::stacks P",
            "hay-loft::it::faults E",
            "hay-loft::it::flaky R",
            "hay-loft::it::leaks P",
            "hay-loft::bin/rake::rakes P",
            "hay-loft::it::hangs E",
        ]
    );
    assert_eq!(report.unnamed, Tally { total: 4, skipped: 4, ..Tally::default() });
    assert_eq!(find(&report, "hay-loft::it::leaks").duration, Some(0.113));
    assert_eq!(detect(&Screen::of(RETRIES.as_bytes())), RETRIES.find(" Nextest run"));
}

#[test]
fn attempts_are_kept_in_their_order() {
    let report = read(RETRIES);
    let attempts = |id: &str| -> Vec<(Outcome, Option<String>)> {
        let attempts = find(&report, id).attempts.iter();
        attempts.map(|attempt| (attempt.outcome, attempt.evidence.message.clone())).collect()
    };
    assert_eq!(attempts("hay-loft::it::flaky"), [(Outcome::Failed, Some("attempt 0".to_owned()))]);
    assert_eq!(
        attempts("hay-loft::it::faults"),
        [(Outcome::Errored, Some("test aborted with signal 6: SIGABRT".to_owned()))]
    );
    assert_eq!(attempts("hay-loft::tests::calm").len(), 1);
    assert_eq!(find(&report, "hay-loft::it::faults").evidence.kind.as_deref(), Some("SIGSEGV"));
}

#[test]
fn a_failure_is_its_message_and_place() {
    let report = read(RETRIES);
    let calm = find(&report, "hay-loft::tests::calm");
    assert_eq!(calm.evidence.message.as_deref(), Some("test did not panic as expected"));
    assert_eq!((calm.file.as_deref(), calm.line), (Some("src/lib.rs"), Some(14)));
    assert!(calm.evidence.output.as_ref().unwrap().starts_with("running 1 test\ntest tests::calm"));
    let hangs = find(&report, "hay-loft::it::hangs");
    assert_eq!(hangs.evidence.message.as_deref(), Some("test timed out"));
    assert_eq!(hangs.evidence.kind.as_deref(), Some("timeout"));
}

#[test]
fn colours_and_the_lack_of_indentation_change_nothing() {
    let text = starting(2)
        + "\x1b[31;1m        FAIL\x1b[0m [   0.004s] (1/2) \x1b[35;1mp\x1b[0m \x1b[36ma\x1b[0m\n\
           \x1b[31;1m──\x1b[0m \x1b[31;1mstdout\x1b[0m \x1b[31;1m──\x1b[0m\n\n\
           running 1 test\nbale\n        PASS [   0.001s] (9/9) p fake\n\n\
           ── stderr ──\n\x1b[31;1mthread 'a' (7) panicked at src/lib.rs:4:9:\x1b[0m\nno hay\n\n\
           \x1b[32;1m        PASS\x1b[0m [   0.004s] (2/2) p b\n"
        + &summary("2 tests run: 1 passed, 1 failed, 0 skipped");
    let report = read(&text);
    assert_eq!(tests(&report), ["p::a F", "p::b P"]);
    assert_eq!(message(&report, "p::a"), "no hay");
    assert!(find(&report, "p::a").evidence.output.as_ref().unwrap().contains("bale"));
}

#[test]
fn the_headers_of_older_versions_name_the_test() {
    let text = "    Starting 2 tests across 1 binary\n        FAIL [   0.004s] p::it a\n\n\
                --- STDOUT:              p::it a ---\n\nrunning 1 test\n\n\
                --- STDERR:              p::it a ---\nthread 'a' panicked at 'no hay', src/lib.rs:4:9\n\n\
                \x20       PASS [   0.004s] p::it b\n------------\n\
                \x20    Summary [   0.01s] 2 tests run: 1 passed, 1 failed, 0 skipped\n\n\
                ──── STDERR:             p::it a\nthread 'a' panicked at 'hay', src/lib.rs:5:9\n";
    let report = read(text);
    assert_eq!(tests(&report), ["p::it::a F", "p::it::b P"]);
    assert_eq!((message(&report, "p::it::a"), report.tests[0].line), ("hay".to_owned(), Some(5)));
}

#[test]
fn what_a_test_prints_does_not_count() {
    let inner = starting(2)
        + "        PASS [   0.001s] (1/2) p x\n        FAIL [   0.001s] (2/2) p y\n"
        + &summary("2 tests run: 1 passed, 1 failed, 0 skipped");
    let indented: String = inner.lines().map(|line| format!("    {line}\n")).collect();
    let text = starting(2)
        + "        FAIL [   0.004s] (1/2) p a\n  stdout ───\n\n    x\n\n"
        + &indented
        + "        FAIL [   0.001s] (2/3) p fake\n\n        FAIL [   0.001s] (1/2) p fake\n\n"
        + "        PASS [   0.004s] (2/2) p b\n"
        + &summary("2 tests run: 1 passed, 1 failed, 0 skipped");
    assert_eq!(tests(&read(&text)), ["p::a F", "p::b P"]);
    // Not captured at all: between the start and the end of a test.
    let text = starting(1)
        + "       START [         ] (1/1) p a\n"
        + &inner
        + "        PASS [   0.004s] (1/1) p a\n"
        + &summary("1 test run: 1 passed, 0 skipped");
    assert_eq!(tests(&read(&text)), ["p::a P"]);
}

#[test]
fn tests_that_the_text_does_not_name_are_counted() {
    let text = starting(5)
        + "        FAIL [   0.004s] (4/5) p a\n"
        + &summary("5 tests run: 3 passed (1 flaky), 1 failed, 1 exec failed, 2 skipped")
        + "        SKIP [         ] (───) p later\n   FLAKY 2/3 [   0.004s] (2/5) p b\n"
        + "        FAIL [   0.004s] (4/5) p a\n        PASS [   0.004s] (5/5) p::it a\n";
    let report = read(&text);
    assert_eq!(tests(&report), ["p::a F", "p::later S", "p::b R", "p::it::a P"]);
    let unnamed = Tally { total: 3, passed: 1, failed: 1, skipped: 1, errored: 0 };
    assert_eq!(report.unnamed, unnamed);
}

#[test]
fn a_test_that_may_not_be_flaky_fails() {
    let text = starting(1)
        + "  TRY 1 FAIL [   0.004s] (───) p a\n  TRY 2 PASS [   0.004s] (1/1) p a\n"
        + "           - test configured to fail if flaky\n"
        + &summary("1 test run: 0 passed, 1 failed, 0 skipped")
        + " FLKY-FL 2/2 [   0.004s] (1/1) p a\n";
    let report = read(&text);
    assert_eq!(tests(&report), ["p::a F"]);
    assert_eq!(report.tests[0].attempts.len(), 1);
}

#[test]
fn several_runs_add_up() {
    let run = starting(1)
        + "        PASS [   0.004s] (1/1) p a\n"
        + &summary("1 test run: 1 passed, 0 skipped");
    assert_eq!(tests(&read(&run.repeat(2))), ["p::a P", "p::a P"]);
}

#[test]
fn rounds_of_a_stress_run_add_up() {
    let round = |number: u64| {
        format!(
            "        PASS [   0.001s] [{number}/2] (1/1) p a\n Stress test [   0.002s] iteration \
             {number}/2: 1 test run: 1 passed, 1 skipped\n"
        )
    };
    let end = format!("{BAR}     Summary [   0.010s] 2/2 stress run iterations: 2 passed\n");
    let report = read(&(starting(1) + &round(1) + &round(2) + &end));
    assert_eq!(tests(&report), ["p::a P", "p::a P"]);
    assert_eq!(report.unnamed.skipped, 2);
}

#[test]
fn a_run_that_was_cut_short_is_no_pass() {
    let begun = starting(3) + "        PASS [   0.004s] (1/3) p a\n";
    let cut = begun.clone() + "        SLOW [> 60.000s] (───) p b\n";
    let report = read(&cut);
    assert_eq!(tests(&report), ["p::a P", "p::b E", "nextest run E"]);
    assert_eq!(
        message(&report, "nextest run"),
        "no summary of the run: it ended after 1 of 3 tests"
    );
    let report = read(&(begun.clone() + &summary("1/3 tests run: 1 passed, 0 skipped")));
    assert_eq!(tests(&report), ["p::a P", "nextest run E"]);
    assert_eq!(message(&report, "nextest run"), "only 1 of 3 tests were run");
    // Red already: nextest stopped because of it.
    let failed = begun + "        FAIL [   0.004s] (2/3) p b\n";
    let report = read(&(failed + &summary("2/3 tests run: 1 passed, 1 failed, 0 skipped")));
    assert_eq!(tests(&report), ["p::a P", "p::b F"]);
}

#[test]
fn a_run_of_nothing_is_a_failure_if_nextest_minds() {
    let text = starting(0) + &summary("0 tests run: 0 passed, 3 skipped");
    let report = read(&(text.clone() + "warning: no tests to run\n"));
    assert_eq!(report.tally(), Tally { total: 3, skipped: 3, ..Tally::default() });
    let report = read(&(text + "error: no tests to run\n"));
    assert_eq!(tests(&report), ["nextest run E"]);
}

#[test]
fn a_failed_setup_script_is_errored() {
    let text = starting(1)
        + "  SETUP PASS [   0.001s] good: true\n  SETUP FAIL [   0.001s] db: ./start --now\n"
        + &summary("0/1 tests run: 0 passed, 0 skipped");
    assert_eq!(tests(&read(&text)), ["setup script db E"]);
}

#[test]
fn what_cannot_be_compiled_is_errored() {
    let text = "error[E0425]: cannot find value `hay`\n --> src/lib.rs:3:5\n\
                error: could not compile `loft` (lib test) due to 1 previous error\n\
                error: command `/bin/cargo test --no-run --message-format json-render-diagnostics` \
                exited with code 101\n";
    assert_eq!(tests(&read(text)), ["loft E"]);
    assert_eq!(detect(&Screen::of(text.as_bytes())), text.find("error: could not"));
    let cargo = text.lines().take(3).collect::<Vec<_>>().join("\n");
    assert_eq!(detect(&Screen::of(cargo.as_bytes())), None);
}

#[test]
fn nothing_is_an_error() {
    assert!(error("").starts_with("1:1: no test results: expected `Starting N tests`"));
    assert!(error("error: no such command\n").ends_with("; cargo says: error: no such command"));
}

#[test]
fn more_tests_than_the_limit_are_refused() {
    let limits = Limits { tests_max: 1, ..Limits::DEFAULT };
    let text = "        PASS [   0.001s] p a\n".to_owned() + "        PASS [   0.001s] p b\n";
    let error = parse(text.as_bytes(), &limits).unwrap_err();
    assert_eq!(error.to_string(), "2:1: more than 1 tests");
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(
        lines in proptest::collection::vec(
            prop_oneof![
                proptest::sample::select(RETRIES.lines().collect::<Vec<_>>()).prop_map(str::to_owned),
                any::<[u64; 3]>().prop_map(|[a, b, c]| summary(&format!("{a}/{b} tests run: {c} passed ({a} flaky), {b} failed"))),
                (0..9u64).prop_map(starting),
                "[ 0-9A-Z()\\[\\]./s>─-]{0,40}",
                Just(String::new()),
            ],
            0..60,
        )
    ) {
        let text = lines.join("\n");
        let _ = detect(&Screen::of(text.as_bytes()));
        let _ = parse(text.as_bytes(), &Limits::DEFAULT);
    }

    #[test]
    fn no_bytes_make_it_panic(input in any::<Vec<u8>>()) {
        let _ = detect(&Screen::of(&input));
        let _ = parse(&input, &Limits::DEFAULT);
    }
}
