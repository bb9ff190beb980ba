//! What the reader of `cargo test` text makes of small outputs.

use proptest::prelude::*;

use super::super::answers::{message, tests};
use super::*;

fn parse(input: &[u8], limits: &Limits) -> Result<Report, ParseError> {
    crate::parse(Format::CargoTest, input, limits)
}

fn read(text: &str) -> Report {
    parse(text.as_bytes(), &Limits::DEFAULT).unwrap()
}

const RUNNING_LIB: &str =
    "     Running unittests src/lib.rs (target/debug/deps/hay_loft-0123456789abcdef)\n";
const RUNNING_IT: &str = "     Running tests/it.rs (target/debug/deps/it-0123456789abcdef)\n";

fn summary(word: &str, passed: u64, failed: u64, ignored: u64) -> String {
    format!(
        "\ntest result: {word}. {passed} passed; {failed} failed; {ignored} ignored; 0 measured; \
         0 filtered out; finished in 0.00s\n\n"
    )
}

#[test]
fn tests_are_named_by_target_and_path() {
    let text = format!(
        "{RUNNING_LIB}\nrunning 3 tests\ntest a::one ... ok\ntest a::two - should panic ... ok\n\
         test three ... ignored, needs a barn\n{}{RUNNING_IT}\nrunning 1 test\ntest one ... ok\n{}   \
         Doc-tests hay_loft\n\nrunning 1 test\ntest src/lib.rs - fill (line 3) - compile fail ... ok\n{}",
        summary("ok", 2, 0, 1),
        summary("ok", 1, 0, 0),
        summary("ok", 1, 0, 0)
    );
    let report = read(&text);
    assert_eq!(
        tests(&report),
        [
            "hay_loft::a::one P",
            "hay_loft::a::two P",
            "hay_loft::three S",
            "it::one P",
            "hay_loft::doc::src/lib.rs - fill (line 3) P"
        ]
    );
    assert_eq!(message(&report, "hay_loft::three"), "needs a barn");
    assert_eq!(report.unnamed, Tally::default());
    assert_eq!(detect(&Screen::of(text.as_bytes())), Some(0));
}

const FAILED: &str = "
running 3 tests
test bad ... FAILED
test good ... ok
test worse ... FAILED

failures:

---- bad stdout ----
test fake ... ok
failures:
    fake

test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s

---- fake stdout ----
running 9 tests
     Running tests/fake.rs (target/debug/deps/fake-0123456789abcdef)

thread 'bad' (7) panicked at src/lib.rs:4:9:
no hay
note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace

---- worse stdout ----
Error: \"empty\"


failures:
    bad
    worse

test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s

error: test failed, to rerun pass `--lib`
";

#[test]
fn what_a_test_printed_is_its_output_whatever_it_looks_like() {
    let report = read(FAILED);
    assert_eq!(tests(&report), ["bad F", "good P", "worse F"]);
    assert_eq!(message(&report, "bad"), "no hay");
    assert_eq!(message(&report, "worse"), "Error: \"empty\"");
    let bad = &report.tests[0];
    assert_eq!((bad.file.as_deref(), bad.line), (Some("src/lib.rs"), Some(4)));
    let output = bad.evidence.output.as_deref().unwrap();
    assert!(output.starts_with("test fake ... ok\n") && output.contains("---- fake stdout ----"));
    assert!(
        !output.contains("Error:")
            && !report.tests[2].evidence.output.clone().unwrap().contains("failures:")
    );
}

#[test]
fn colours_change_nothing() {
    let colour = FAILED
        .replace("... FAILED", "... \x1b[31mFAILED\x1b(B\x1b[m")
        .replace("... ok", "... \x1b[32mok\x1b(B\x1b[m")
        .replace("error:", "\x1b[1m\x1b[91merror\x1b[0m:")
        .replace('\n', "\r\n");
    assert_eq!(read(&colour), read(FAILED));
}

#[test]
fn what_bypasses_the_capture_may_tear_any_line() {
    let text = format!(
        "\nrunning 5 tests\ntest a ... ignored, needs, a database ... ok\nno newline at endtest b ... FAILED\n\
         raw \u{fffd}\u{1}\ntest c ... ok\nrunning 9 testtest tests::r#async ... ok\n\
         test tests::ünïcode_näme ... ok\n\nfailures:\n\n---- b stdout ----\nError: \"x\"\n\n\n\
         failures:\n    b\n{}",
        summary("FAILED", 3, 1, 1)
    );
    let report = read(&text);
    assert_eq!(tests(&report), ["a S", "b F", "c P", "tests::r#async P", "tests::ünïcode_näme P"]);
    assert_eq!(message(&report, "a"), "needs, a database ... ok");
    assert_eq!(report.unnamed, Tally::default());
}

#[test]
fn a_harness_inside_a_test_whose_summary_is_torn_changes_no_count() {
    // Both write at once: the outer `running` line falls into the inner summary.
    let inner = "\nrunning 3 tests\ntest x ... ok\ntest y ... ok\ntest z ... ok\n\ntest result: ok";
    let text = format!(
        "{RUNNING_IT}\nrunning 2 tests\n{inner}\nrunning 1 test\n. 3 passed; 0 failed; 0 ignored\n\n\
         test a ... ok\ntest w ... ok\n{}test b ... ok\n{}",
        summary("ok", 1, 0, 0),
        summary("ok", 2, 0, 0)
    );
    let report = read(&text);
    assert_eq!((report.tally().total, report.tally().passed), (2, 2), "{report:?}");
}

#[test]
fn a_binary_that_exits_with_success_is_no_pass() {
    // Cargo believes it: nothing but the missing summary tells.
    let text = format!(
        "{RUNNING_LIB}\nrunning 1 test\ntest a ... ok\n{}{RUNNING_IT}\nrunning 2 tests\ntest a ... ok\n   \
         Doc-tests hay_loft\n\nrunning 0 tests\n{}",
        summary("ok", 1, 0, 0),
        summary("ok", 0, 0, 0)
    );
    let report = read(&text);
    assert_eq!(tests(&report), ["hay_loft::a P", "it::a P", "it E"]);
    assert!(message(&report, "it").contains("it ended after 1 of 2 tests"));
}

#[test]
fn quiet_output_names_only_failures_and_counts_the_rest() {
    let text = format!(
        "\nrunning 5 tests\n..\nbad --- FAILED\ni. 5/5\nfailures:\n\n---- bad stdout ----\n\
         thread 'bad' (7) panicked at src/lib.rs:4:9:\nno hay\n\n\nfailures:\n    bad\n{}",
        summary("FAILED", 3, 1, 1)
    );
    let report = read(&text);
    assert_eq!(tests(&report), ["bad F"]);
    assert_eq!((report.unnamed.passed, report.unnamed.skipped, report.unnamed.total), (3, 1, 4));
    assert_eq!(message(&report, "bad"), "no hay");
}

#[test]
fn output_that_is_not_captured_moves_the_outcome() {
    let text = format!(
        "\nrunning 4 tests\ntest a ... hello\nok\nok\ntest b ... no line endok\ntest c ... test fake ... ok\n\
         running 7 tests\ntest fake_too ... ok\n\
         test result: ok. 7 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\
         thread 'c' (7) panicked at src/lib.rs:9:9:\nbad\nFAILED\ntest d ... ok\n\nfailures:\n\nfailures:\n    c\n{}",
        summary("FAILED", 3, 1, 0)
    );
    let report = read(&text);
    assert_eq!(tests(&report), ["a P", "b P", "c F", "d P"]);
    assert_eq!((message(&report, "c").as_str(), report.tests[2].line), ("bad", Some(9)));
}

#[test]
fn shown_output_belongs_to_the_tests_that_passed() {
    let text = format!(
        "\nrunning 2 tests\ntest a ... ok\ntest b ... ok\n\nsuccesses:\n\n---- a stdout ----\nhello\n\
         test b ... FAILED\n\n\nsuccesses:\n    a\n    b\n{}",
        summary("ok", 2, 0, 0)
    );
    let report = read(&text);
    assert_eq!(tests(&report), ["a P", "b P"]);
    assert_eq!(report.tests[0].evidence.output.as_deref(), Some("hello\ntest b ... FAILED"));
}

#[test]
fn a_harness_inside_a_test_is_not_counted() {
    let inner = format!("\nrunning 1 test\ntest inner ... ok\n{}", summary("ok", 1, 0, 0));
    let outer = summary("ok", 2, 0, 0);
    let text = format!("\nrunning 2 tests\n{inner}test a ... ok\n{inner}test b ... ok\n{outer}");
    for text in [text.clone(), format!("{RUNNING_IT}{text}")] {
        assert_eq!(read(&text).tally().total, 2, "{text}");
    }
}

#[test]
fn where_lines_and_summary_disagree_the_summary_is_right() {
    let text = |lines: &str, summary: &str| format!("\nrunning 2 tests\n{lines}{summary}");
    let report = read(&text("test a ... ok\n", &summary("ok", 2, 0, 0)));
    assert_eq!((tests(&report), report.unnamed.passed), (vec!["a P".to_owned()], 1));
    let lines = "test a ... ok\ntest ui/one.rs ... ok\ntest b ... ok\n";
    assert_eq!(tests(&read(&text(lines, &summary("ok", 2, 0, 0)))), ["a P", "b P"]);
    let lines = "garbagetest a ... ok\ntest b ... ok\n";
    assert_eq!(tests(&read(&text(lines, &summary("ok", 2, 0, 0)))), ["a P", "b P"]);
}

#[test]
fn a_binary_that_dies_is_an_errored_test() {
    let text = format!(
        "{RUNNING_LIB}\nrunning 3 tests\ntest a ... ok\nerror: test failed, to rerun pass `--lib`\n\n\
         Caused by:\n  process didn't exit successfully: `target/debug/deps/hay_loft-0123456789abcdef` \
         (signal: 6, SIGABRT: process abort signal)\n{RUNNING_IT}\nrunning 2 tests\n\
         test exits ...      Running tests/z.rs (target/debug/deps/z-0123456789abcdef)\n\n\
         running 1 test\ntest z ... ok\n{}",
        summary("ok", 1, 0, 0)
    );
    let report = read(&text);
    assert_eq!(tests(&report), ["hay_loft::a P", "hay_loft E", "it::exits E", "z::z P"]);
    assert_eq!(
        message(&report, "hay_loft"),
        "no summary of the test binary: it ended after 1 of 3 tests: signal: 6, SIGABRT: process \
         abort signal"
    );
}

#[test]
fn a_binary_that_dies_unannounced_does_not_hide_the_next() {
    let text = format!(
        "\nrunning 3 tests\n..error: test failed, to rerun pass `--test it`\n\nrunning 2 tests\n.\n\
         running 2 tests\n..{}",
        summary("ok", 2, 0, 0)
    );
    let report = read(&text);
    assert_eq!(tests(&report), ["it E", "test binary 2 E"]);
    assert_eq!(report.unnamed.passed, 5);
}

#[test]
fn truncated_text_is_no_pass() {
    let report = read("\nrunning 2 tests\ntest a ... ok\n");
    assert_eq!(tests(&report), ["a P", "test binary 1 E"]);
}

#[test]
fn a_target_that_fails_for_no_reason_of_its_tests_is_an_errored_test() {
    let text = format!(
        "{RUNNING_LIB}\nrunning 1 test\ntest a ... ok\n{}error: test failed, to rerun pass `--lib`\n\n\
         Caused by:\n  process didn't exit successfully: `x` (exit status: 23)\n",
        summary("ok", 1, 0, 0)
    );
    let report = read(&text);
    assert_eq!(tests(&report), ["hay_loft::a P", "hay_loft E"]);
    assert_eq!(
        message(&report, "hay_loft"),
        "the target failed although no test of it did: exit status: 23"
    );
}

#[test]
fn a_package_that_does_not_compile_is_an_errored_test() {
    let text = "   Compiling hay-loft v0.1.0 (/hay)\nerror[E0308]: mismatched types\n --> src/lib.rs:3:5\n  |\n\
                error: aborting due to 1 previous error\n\n\
                error: could not compile `hay-loft` (lib) due to 1 previous error\n\
                warning: build failed, waiting for other jobs to finish...\n\
                error: could not compile `hay-loft` (lib test) due to 1 previous error\n";
    let report = read(text);
    assert_eq!(tests(&report), ["hay-loft E"]);
    assert_eq!(message(&report, "hay-loft"), "error[E0308]: mismatched types");
    assert_eq!(report.tests[0].line, Some(3));
    assert!(detect(&Screen::of(text.as_bytes())).is_some());
}

#[test]
fn text_without_a_test_is_refused() {
    for (text, says) in [
        ("", "1:1: no test results: expected `running N tests`"),
        ("hello\nok\n", "3:1: no test results"),
        ("error: no such command: `tset`\n", "cargo says: error: no such command: `tset`"),
    ] {
        let error = parse(text.as_bytes(), &Limits::DEFAULT).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
}

#[test]
fn zero_tests_are_a_result() {
    let report = read(&format!("\nrunning 0 tests\n{}", summary("ok", 0, 0, 0)));
    assert_eq!(report.tally(), Tally::default());
}

#[test]
fn more_tests_than_allowed_are_refused() {
    let limits = Limits { tests_max: 2, ..Limits::DEFAULT };
    let error = parse(b"\nrunning 2 tests\ntest a ... ok\ntest b ... ok\n", &limits).unwrap_err();
    assert_eq!(error.to_string(), "4:1: more than 2 tests");
}

#[test]
fn bytes_that_are_no_text_are_replaced() {
    let text =
        b"\nrunning 1 test\nhay \xff\ntest a ... ok\n\ntest result: ok. 1 passed; 0 failed\n";
    let report = parse(text, &Limits::DEFAULT).unwrap();
    assert!(report.sanitised && report.tally().passed == 1);
}

/// Lines of every kind, in any order.
fn any_lines() -> impl Strategy<Value = String> {
    let lines: Vec<String> = FAILED
        .lines()
        .map(str::to_owned)
        .chain([
            RUNNING_LIB.trim_end().to_owned(),
            "   Doc-tests hay".to_owned(),
            "running 1 test".to_owned(),
            "running 18446744073709551615 tests".to_owned(),
            "test result: ok. 18446744073709551615 passed; 3 failed".to_owned(),
            "successes:".to_owned(),
            "test a ... out".to_owned(),
            "ok".to_owned(),
            "..i.F 5/9".to_owned(),
            "..error: doctest failed, to rerun pass `--doc`".to_owned(),
            "  process didn't exit successfully: `x` (signal: 6)".to_owned(),
            "error: could not compile `a` (lib)".to_owned(),
        ])
        .collect();
    prop::collection::vec(prop::sample::select(lines), 0..60).prop_map(|lines| lines.join("\n"))
}

proptest! {
    #[test]
    fn no_text_is_too_odd(text in any_lines(), bytes in any::<Vec<u8>>()) {
        for input in [text.as_bytes(), &bytes] {
            let _ = parse(input, &Limits::DEFAULT);
            let _ = detect(&Screen::of(input));
        }
    }

    #[test]
    fn a_run_cut_short_is_never_a_clean_pass(at in 0..1000_usize) {
        let text = format!(
            "{RUNNING_LIB}\nrunning 2 tests\ntest a ... ok\ntest b ... ok\n{}",
            summary("ok", 2, 0, 0).trim_end()
        );
        let begins = text.find("running").unwrap_or_default() + "running 2 tests\n".len();
        // Behind `0 failed` there is nothing left to lose.
        let at = begins + at % (text.find(" ignored").unwrap_or_default() - 3 - begins);
        prop_assert!(read(&text[..at]).tally().bad() > 0, "{}", &text[..at]);
    }
}
