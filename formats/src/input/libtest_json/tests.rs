//! What the reader of libtest's JSON makes of small streams.

use proptest::prelude::*;

use super::super::answers::{message, tests};
use super::*;
use crate::model::{Outcome, Tally};

fn parse(input: &[u8], limits: &Limits) -> Result<Report, ParseError> {
    crate::parse(Format::LibtestJson, input, limits)
}

fn read(text: &str) -> Report {
    parse(text.as_bytes(), &Limits::DEFAULT).unwrap()
}

fn error(text: &str) -> String {
    parse(text.as_bytes(), &Limits::DEFAULT).unwrap_err().to_string()
}

fn begin(tests: u64) -> String {
    format!("{{ \"type\": \"suite\", \"event\": \"started\", \"test_count\": {tests} }}\n")
}

fn end(passed: u64, failed: u64, ignored: u64) -> String {
    format!(
        "{{ \"type\": \"suite\", \"event\": \"ok\", \"passed\": {passed}, \"failed\": {failed}, \
         \"ignored\": {ignored}, \"measured\": 0, \"filtered_out\": 0, \"exec_time\": 0.1 }}\n"
    )
}

fn start(name: &str) -> String {
    format!("{{ \"type\": \"test\", \"event\": \"started\", \"name\": \"{name}\" }}\n")
}

fn finish(name: &str, event: &str) -> String {
    format!("{{ \"type\": \"test\", \"name\": \"{name}\", \"event\": \"{event}\" }}\n")
}

/// A test that does nothing in between.
fn test(name: &str, event: &str) -> String {
    start(name) + &finish(name, event)
}

fn running(target: &str) -> String {
    format!("     Running tests/{target}.rs (target/debug/deps/{target}-0123456789abcdef)\n")
}

/// Printed by cargo and libtest 1.95, backtrace and summary of cargo left out.
const BOTH_STREAMS: &str = r#"    Finished `test` profile [unoptimized + debuginfo] target(s) in 0.00s
     Running unittests src/lib.rs (target/debug/deps/hay_loft-99b16f51d592aeb5)
{ "type": "suite", "event": "started", "test_count": 5 }
{ "type": "test", "event": "started", "name": "tests::calm" }
{ "type": "test", "event": "started", "name": "tests::falls" }
{ "type": "test", "name": "tests::calm", "event": "failed", "message": "test did not panic as expected at src/lib.rs:14:32" }
{ "type": "test", "event": "started", "name": "tests::later" }
{ "type": "test", "name": "tests::later", "event": "ignored", "message": "no barn" }
{ "type": "test", "event": "started", "name": "tests::returns" }
{ "type": "test", "name": "tests::returns", "event": "failed", "stdout": "Error: \"no hay\"\n" }
{ "type": "test", "event": "started", "name": "tests::stacks" }
{ "type": "test", "name": "tests::stacks", "event": "ok", "exec_time": 0.25 }
{ "type": "test", "name": "tests::falls", "event": "failed", "stdout": "bale\n\nthread 'tests::falls' (31135) panicked at src/lib.rs:13:44:\nassertion `left == right` failed: sum\n  left: 2\n right: 3\n" }
{ "type": "suite", "event": "failed", "passed": 1, "failed": 3, "ignored": 1, "measured": 0, "filtered_out": 0, "exec_time": 0.067041046 }
error: test failed, to rerun pass `--lib`
     Running tests/it.rs (target/debug/deps/it-105bb5151e481cd7)
{ "type": "suite", "event": "started", "test_count": 5 }
{ "type": "test", "event": "started", "name": "aborts" }
{ "type": "test", "event": "started", "name": "fails" }
{ "type": "test", "name": "fails", "event": "ok" }
error: test failed, to rerun pass `--test it`

Caused by:
  process didn't exit successfully: `it-105bb5151e481cd7 --format json` (signal: 6, SIGABRT: process abort signal)
   Doc-tests hay_loft
{ "type": "suite", "event": "started", "test_count": 1 }
{ "type": "test", "event": "started", "name": "src/lib.rs - add (line 3)" }
{ "type": "test", "name": "src/lib.rs - add (line 3)", "event": "ok" }
{ "type": "suite", "event": "ok", "passed": 1, "failed": 0, "ignored": 0, "measured": 0, "filtered_out": 0, "exec_time": 0.065801854 }
{ "type": "report", "total_time": 0.27056853, "compilation_time": 0.200378812 }
error: 2 targets failed:
"#;

#[test]
fn tests_are_named_by_target_and_path() {
    let report = read(BOTH_STREAMS);
    assert_eq!(
        tests(&report),
        [
            "hay_loft::tests::calm F",
            "hay_loft::tests::falls F",
            "hay_loft::tests::later S",
            "hay_loft::tests::returns F",
            "hay_loft::tests::stacks P",
            "it::aborts E",
            "it::fails P",
            "hay_loft::doc::src/lib.rs - add (line 3) P",
        ]
    );
    assert_eq!(report.unnamed, Tally::default());
    assert_eq!(detect(&Screen::of(BOTH_STREAMS.as_bytes())), BOTH_STREAMS.find("     Running"));
}

#[test]
fn a_failure_is_its_message_and_place() {
    let report = read(BOTH_STREAMS);
    let falls = &report.tests[1];
    assert_eq!(
        falls.evidence.message.as_deref(),
        Some("assertion `left == right` failed: sum left: 2 right: 3")
    );
    assert_eq!((falls.file.as_deref(), falls.line), (Some("src/lib.rs"), Some(13)));
    assert!(falls.evidence.output.as_ref().unwrap().starts_with("bale\n"));
    assert_eq!(message(&report, "hay_loft::tests::calm"), "test did not panic as expected");
    assert_eq!(report.tests[0].line, Some(14));
    assert_eq!(message(&report, "hay_loft::tests::later"), "no barn");
    assert_eq!(message(&report, "hay_loft::tests::returns"), "Error: \"no hay\"");
    assert_eq!(report.tests[4].duration, Some(0.25));
    assert_eq!(
        message(&report, "it::aborts"),
        "started, but never finished: signal: 6, SIGABRT: process abort signal"
    );
}

#[test]
fn without_the_lines_of_cargo_names_repeat() {
    let suite = begin(1) + &test("a", "ok") + &end(1, 0, 0);
    assert_eq!(tests(&read(&suite.repeat(2))), ["a P", "a P"]);
}

#[test]
fn what_tests_print_may_stand_around_an_event() {
    let text = begin(2)
        + &start("a")
        + &start("b")
        + "no newline"
        + finish("a", "ok").trim_end()
        + "{ \"type\": 1"
        + &finish("b", "failed")
        + "{\"type\":\"boat\"}\n{ \"type\": \"suite\" }\n{\n"
        + &end(1, 1, 0);
    assert_eq!(tests(&read(&text)), ["a P", "b F"]);
}

#[test]
fn members_may_be_missing_or_strange() {
    let text = "{\"type\":\"test\",\"event\":\"started\",\"name\":7}\n\
                {\"type\":\"test\",\"event\":\"ok\",\"name\":\"a\",\"exec_time\":\"0.5s\",\"stdout\":[]}\n\
                {\"type\":\"test\",\"event\":\"ok\",\"name\":\"b\",\"exec_time\":-1,\"new\":{}}\n\
                {\"type\":\"bench\",\"name\":\"c\",\"median\":3,\"deviation\":1}\n\
                {\"type\":\"test\",\"event\":\"timeout\",\"name\":\"b\"}\n\
                {\"type\":\"suite\",\"event\":\"ok\",\"passed\":\"many\",\"filtered_out\":18446744073709551615}\n";
    let report = read(text);
    assert_eq!(tests(&report), ["a P", "b P", "c P"]);
    assert_eq!((report.tests[0].duration, report.tests[1].duration), (Some(0.5), None));
}

#[test]
fn a_test_that_never_ends_is_errored_and_the_next_binaries_count() {
    let text = begin(3)
        + &start("a")
        + &start("b_aborts")
        + &finish("a", "ok")
        + &begin(2)
        + &test("a", "ok")
        + &start("b_exits")
        + &begin(1)
        + &test("c", "ok")
        + &end(1, 0, 0);
    assert_eq!(tests(&read(&text)), ["a P", "b_aborts E", "a P", "b_exits E", "c P"]);
}

#[test]
fn a_suite_that_never_ends_is_errored_itself_when_nothing_was_running() {
    let report = read(&(running("it") + &begin(2) + &test("a", "ok")));
    assert_eq!(tests(&report), ["it::a P", "it E"]);
    assert_eq!(
        message(&report, "it"),
        "no summary of the test binary: it ended after 1 of 2 tests"
    );
    assert_eq!(tests(&read(&begin(1))), ["test binary 1 E"]);
}

#[test]
fn a_harness_inside_a_test_does_not_count() {
    let inner = begin(2) + &test("x", "ok") + &test("y", "failed") + &end(1, 1, 0);
    let text = begin(1) + &start("a") + &inner + &finish("a", "ok") + &end(1, 0, 0);
    assert_eq!(tests(&read(&text)), ["a P"]);
    // Nor when the binary dies, as far as cargo says where the next one begins.
    let died = running("it") + &begin(1) + &start("a") + &inner + &running("next") + &inner;
    assert_eq!(tests(&read(&died)), ["it::a E", "next::x P", "next::y F"]);
}

#[test]
fn a_summary_that_a_test_prints_is_not_believed() {
    let text = begin(2)
        + &start("a")
        + &end(9, 0, 0)
        + &end(2, 0, 0)
        + &finish("a", "failed")
        + &test("b", "ok")
        + &end(1, 1, 0);
    assert_eq!(tests(&read(&text)), ["a F", "b P"]);
}

#[test]
fn a_test_that_a_test_prints_does_not_count() {
    let text = begin(1) + &start("a") + &finish("fake", "ok") + &finish("a", "ok") + &end(1, 0, 0);
    assert_eq!(tests(&read(&text)), ["a P"]);
}

#[test]
fn an_event_that_was_torn_apart_is_known_from_the_counts() {
    let torn = "{ \"type\": \"test\", \"name\": \"b\"noise, \"event\": \"failed\" }\n";
    let text = begin(2) + &test("a", "ok") + &start("b") + torn + &end(1, 1, 0);
    assert_eq!(tests(&read(&text)), ["a P", "b F"]);
    // Two of them, one of each outcome: nobody can say which is which.
    let text = begin(2) + &start("a") + &start("b") + &end(1, 1, 0);
    let report = read(&text);
    assert_eq!((tests(&report).len(), report.tally().passed, report.tally().failed), (0, 1, 1));
}

#[test]
fn a_suite_that_gave_up_early_keeps_what_it_ran() {
    let text = begin(5) + &test("a", "failed") + &start("b") + &end(0, 1, 0);
    assert_eq!(tests(&read(&text)), ["a F", "b E"]);
}

#[test]
fn of_a_harness_that_prints_text_the_counts_are_taken() {
    let summary =
        "test result: FAILED. 1 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out\n";
    let text = begin(1) + &test("a", "ok") + &end(1, 0, 0) + "\nrunning 3 tests\n" + summary;
    let tally = Tally { total: 4, passed: 2, failed: 1, errored: 0, skipped: 1 };
    assert_eq!(read(&text).tally(), tally);
    let printed = begin(1) + &start("a") + "running 3 tests\n" + summary + &finish("a", "ok");
    assert_eq!(read(&(printed + &end(1, 0, 0))).tally().total, 1);
}

#[test]
fn a_target_that_fails_without_a_failed_test_is_errored() {
    let text = running("it")
        + &begin(0)
        + &end(0, 0, 0)
        + "error: test failed, to rerun pass `--test it`\n";
    assert_eq!(tests(&read(&text)), ["it E"]);
}

#[test]
fn what_cannot_be_compiled_is_errored() {
    let text = "error[E0425]: cannot find value `hay`\n --> src/lib.rs:3:5\n\
                error: could not compile `loft` (lib test) due to 1 previous error\n";
    let report = read(text);
    assert_eq!(tests(&report), ["loft E"]);
    assert_eq!(message(&report, "loft"), "error[E0425]: cannot find value `hay`");
}

#[test]
fn nothing_is_an_error_and_never_an_empty_pass() {
    assert!(error("").starts_with("1:1: no test results: expected lines like"));
    assert!(error("error: no such command\n").ends_with("; cargo says: error: no such command"));
    let listed = "{ \"type\": \"suite\", \"event\": \"discovery\" }\n\
                  { \"type\": \"test\", \"event\": \"discovered\", \"name\": \"a\" }\n";
    assert!(error(listed).contains("no test results"));
}

#[test]
fn more_tests_than_the_limit_are_refused() {
    let limits = Limits { tests_max: 2, ..Limits::DEFAULT };
    let text = begin(2) + &test("a", "ok") + &test("b", "ok");
    let error = parse(text.as_bytes(), &limits).unwrap_err();
    assert_eq!(error.to_string(), "4:1: more than 2 tests");
}

#[test]
fn text_with_events_in_it_is_another_format() {
    let events = begin(1) + &test("a", "ok") + &end(1, 0, 0);
    let is_json = |text: &str| detect(&Screen::of(text.as_bytes())).is_some();
    assert!(is_json(&events));
    assert!(is_json(&format!("{events}running 1 test\ntest a ... ok\n")));
    let text =
        format!("running 1 test\n{events}test a ... ok\ntest result: ok. 1 passed; 0 failed\n");
    assert!(!is_json(&text));
    let heading = "    Starting 1 test across 1 binary\n";
    assert!(!is_json(&format!("{heading}{events}")));
    assert!(is_json(&format!("{heading}{}", begin(1) + &start("p::b$a"))));
}

/// Printed by nextest 0.9.143 as `libtest-json-plus`, with two retries; output left out.
const NEXTEST: &str = r#"{"type":"suite","event":"started","test_count":3,"nextest":{"crate":"hay-loft","test_binary":"hay_loft","kind":"lib"}}
{"type":"test","event":"started","name":"hay-loft::hay_loft$tests::later"}
{"type":"test","event":"started","name":"hay-loft::hay_loft$tests::falls"}
{"type":"test","event":"started","name":"hay-loft::hay_loft$tests::r#async"}
{"type":"test","event":"ignored","name":"hay-loft::hay_loft$tests::later"}
{"type":"suite","event":"started","test_count":2,"nextest":{"crate":"hay-loft","test_binary":"idle","kind":"test"}}
{"type":"test","event":"started","name":"hay-loft::idle$one"}
{"type":"test","event":"started","name":"hay-loft::idle$two"}
{"type":"test","event":"ok","name":"hay-loft::hay_loft$tests::r#async","exec_time":0.013607798}
{"type":"suite","event":"ok","passed":1,"failed":0,"ignored":1,"measured":0,"filtered_out":0,"exec_time":0.024097619,"nextest":{"crate":"hay-loft","test_binary":"hay_loft","kind":"lib"}}
{"type":"suite","event":"started","test_count":3,"nextest":{"crate":"hay-loft","test_binary":"hay_loft","kind":"lib"}}
{"type":"test","event":"failed","name":"hay-loft::hay_loft$tests::falls#3","exec_time":0.297749399,"stdout":"test tests::falls ... FAILED\n\nfailures:\n\nfailures:\n    tests::falls\n\ntest result: FAILED. 0 passed; 1 failed\n\nthread 'tests::falls' (28372) panicked at src/lib.rs:13:44:\nsum\n"}
{"type":"suite","event":"started","test_count":2,"nextest":{"crate":"hay-loft","test_binary":"it","kind":"test"}}
{"type":"test","event":"started","name":"hay-loft::it$flaky"}
{"type":"test","event":"started","name":"hay-loft::it$hangs"}
{"type":"test","event":"ok","name":"hay-loft::it$flaky#3","exec_time":0.014351688}
{"type":"suite","event":"started","test_count":2,"nextest":{"crate":"hay-loft","test_binary":"rake","kind":"bin"}}
{"type":"test","event":"started","name":"hay-loft::rake$sleeps"}
{"type":"suite","event":"ok","passed":0,"failed":0,"ignored":1,"measured":0,"filtered_out":0,"exec_time":0,"nextest":{"crate":"hay-loft","test_binary":"rake","kind":"bin"}}
{"type":"suite","event":"started","test_count":2,"nextest":{"crate":"hay-loft","test_binary":"rake","kind":"bin"}}
{"type":"test","event":"started","name":"hay-loft::rake$rakes"}
{"type":"test","event":"ok","name":"hay-loft::rake$rakes","exec_time":0.012995092}
{"type":"suite","event":"ok","passed":1,"failed":0,"ignored":1,"measured":0,"filtered_out":0,"exec_time":0.012995092,"nextest":{"crate":"hay-loft","test_binary":"rake","kind":"bin"}}
{"type":"test","event":"failed","name":"hay-loft::it$hangs#3","exec_time":2.003734082,"reason":"time limit exceeded"}
{"type":"suite","event":"failed","passed":1,"failed":1,"ignored":0,"measured":0,"filtered_out":0,"exec_time":2.313469683,"nextest":{"crate":"hay-loft","test_binary":"it","kind":"test"}}
{"type":"suite","event":"failed","passed":0,"failed":1,"ignored":1,"measured":0,"filtered_out":3,"exec_time":0.297749399,"nextest":{"crate":"hay-loft","test_binary":"hay_loft","kind":"lib"}}
{"type":"suite","event":"ok","passed":0,"failed":0,"ignored":2,"measured":0,"filtered_out":18446744073709551614,"exec_time":0,"nextest":{"crate":"hay-loft","test_binary":"idle","kind":"test"}}
"#;

#[test]
fn nextest_is_read_by_its_names() {
    let report = read(NEXTEST);
    assert_eq!(
        tests(&report),
        [
            "hay-loft::tests::later S",
            "hay-loft::tests::falls F",
            "hay-loft::tests::r#async P",
            "hay-loft::idle::one S",
            "hay-loft::idle::two S",
            "hay-loft::it::flaky R",
            "hay-loft::it::hangs E",
            "hay-loft::bin/rake::sleeps S",
            "hay-loft::bin/rake::rakes P",
        ]
    );
    assert_eq!(report.unnamed, Tally::default());
    assert_eq!(message(&report, "hay-loft::tests::falls"), "sum");
    assert_eq!(message(&report, "hay-loft::it::hangs"), "time limit exceeded");
    let attempts: Vec<Outcome> = report.tests[5].attempts.iter().map(|a| a.outcome).collect();
    assert_eq!(attempts, [Outcome::Failed, Outcome::Failed]);
}

/// The same without the `nextest` members: every suite is then in one piece.
#[test]
fn nextest_without_kinds_is_read_alike() {
    let block = |test: &str, event: &str, ignored: u64| {
        let suite = format!(
            "{{\"type\":\"suite\",\"event\":\"started\",\"test_count\":2}}\n{}",
            start("hay-loft::it$later")
        );
        let (passed, failed) = (u64::from(event == "ok"), u64::from(event == "failed"));
        suite + &start(test) + &finish(test, event) + &end(passed, failed, ignored)
    };
    let text = block("hay-loft::it$a", "failed", 1) + &block("hay-loft::hay_loft$b", "ok", 0);
    let report = read(&text.replacen(&start("hay-loft::it$later"), "", 2));
    assert_eq!(tests(&report), ["hay-loft::it::a F", "hay-loft::b P"]);
    // One ignored test has no event at all.
    assert_eq!(report.unnamed, Tally { total: 1, skipped: 1, ..Tally::default() });
    assert_eq!(
        tests(&read(&block("hay-loft::it$a", "ok", 1))),
        ["hay-loft::it::later S", "hay-loft::it::a P"]
    );
}

#[test]
fn a_killed_nextest_is_no_pass() {
    let suite = NEXTEST.lines().next().unwrap().to_owned() + "\n";
    let name = "hay-loft::hay_loft$a";
    assert_eq!(tests(&read(&(suite.clone() + &start(name)))), ["hay-loft::a E"]);
    assert_eq!(tests(&read(&(suite + &test(name, "ok")))), ["hay-loft::a P", "hay-loft E"]);
}

#[test]
fn what_tests_print_under_nextest_does_not_count() {
    let suite = NEXTEST.lines().next().unwrap().to_owned() + "\n";
    let printed = begin(1) + &test("x", "failed") + &end(0, 1, 0);
    let text = suite.clone() + &start("hay-loft::hay_loft$a") + &printed;
    let end =
        suite.replace("started", "ok").replace("\"test_count\":3", "\"passed\":1,\"failed\":0");
    let text = text + &finish("hay-loft::hay_loft$a", "ok") + &end;
    assert_eq!(tests(&read(&text)), ["hay-loft::a P"]);
}

#[test]
fn stress_runs_repeat_a_test() {
    let suite = |round: &str| {
        let name = format!("hay-loft::it@stress-{round}$a");
        begin(1) + &test(&name, "ok") + &end(1, 0, 0)
    };
    let report = read(&(suite("0") + &suite("1")));
    assert_eq!(tests(&report), ["hay-loft::it::a P", "hay-loft::it::a P"]);
}

/// Anything that could be in a stream, in any order.
fn fragment() -> impl Strategy<Value = String> {
    const NAMES: &[&str] =
        &["a", "b", "p::b$a", "p::b$a#3", "p::b@stress-1$b#99999999999", "p::p$"];
    let name = proptest::sample::select(NAMES);
    let event = proptest::sample::select(&["ok", "failed", "ignored", "timeout"][..]);
    let plus = NEXTEST.lines().map(|line| format!("{line}\n")).collect::<Vec<_>>();
    let text = BOTH_STREAMS.lines().map(|line| format!("{line}\n")).collect::<Vec<_>>();
    prop_oneof![
        name.clone().prop_map(start),
        (name, event).prop_map(|(name, event)| finish(name, event)),
        (0..4u64).prop_map(begin),
        (any::<u64>(), 0..2u64, 0..2u64).prop_map(|(p, f, i)| end(p % 3, f, i)),
        any::<[u64; 3]>().prop_map(|[p, f, i]| end(p, f, i)),
        proptest::sample::select(plus),
        proptest::sample::select(text),
        Just("running 2 tests\n".to_owned()),
        Just("test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured\n".to_owned()),
        "\\PC{0,9}",
    ]
}

proptest! {
    #[test]
    fn no_stream_makes_it_panic(fragments in proptest::collection::vec(fragment(), 0..40)) {
        let text = fragments.concat();
        let _ = detect(&Screen::of(text.as_bytes()));
        let _ = parse(text.as_bytes(), &Limits::DEFAULT);
    }

    #[test]
    fn no_bytes_make_it_panic(input in any::<Vec<u8>>()) {
        let _ = detect(&Screen::of(&input));
        let _ = parse(&input, &Limits::DEFAULT);
    }

    #[test]
    fn every_test_of_a_clean_stream_counts_once(
        outcomes in proptest::collection::vec(proptest::sample::select(&["ok", "failed", "ignored"][..]), 0..20),
        noise in "[a-z {}:\"]{0,12}",
    ) {
        let count = |event: &str| outcomes.iter().filter(|outcome| **outcome == event).count() as u64;
        let mut text = begin(outcomes.len() as u64);
        for (index, outcome) in outcomes.iter().enumerate() {
            text += &start(&format!("t{index}"));
            text += &noise;
            text += &finish(&format!("t{index}"), outcome);
        }
        text += &end(count("ok"), count("failed"), count("ignored"));
        let report = read(&text);
        prop_assert_eq!(report.tests.len(), outcomes.len());
        let tally = report.tally();
        prop_assert_eq!([tally.passed, tally.failed, tally.skipped], ["ok", "failed", "ignored"].map(count));
    }
}
