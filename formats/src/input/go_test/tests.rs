//! The reader of `go test -json`, event by event.

use proptest::prelude::*;

use super::super::answers;
use super::*;

/// One line per event: the action, the test and the output, all but the first optional.
fn stream(events: &[(&str, &str, &str)]) -> String {
    let event = |(action, test, output): &(&str, &str, &str)| {
        serde_json::json!({"Action": action, "Package": "hay", "Test": test, "Output": output})
            .to_string()
    };
    events.iter().map(event).collect::<Vec<_>>().join("\n")
}

fn read(text: &str) -> Report {
    parse(text.as_bytes(), &Limits::DEFAULT).unwrap()
}

fn tests(text: &str) -> Vec<TestCase> {
    read(text).tests
}

fn told(text: &str) -> Vec<String> {
    answers::told(&read(text))
}

#[test]
fn a_stream_reads() {
    insta::assert_debug_snapshot!(tests(include_str!("fixtures/barn.json")));
}

#[test]
fn a_test_that_never_ended_is_an_error() {
    let exit = [("run", "TestExit", ""), ("output", "", "exit status 3\n"), ("fail", "", "")];
    assert_eq!(
        told(&stream(&exit)),
        ["E hay::TestExit: the test never ended, but its package did"]
    );
    let cut = [("run", "TestA", ""), ("pass", "TestA", ""), ("run", "TestB", "")];
    assert_eq!(
        told(&stream(&cut)),
        ["P hay::TestA", "E hay::TestB: the stream ends before the test does"]
    );
    assert_eq!(
        told(&stream(&cut[..2])),
        ["P hay::TestA", "E hay: the stream ends before the package does"]
    );
}

#[test]
fn a_lost_end_in_a_package_that_passed_is_no_failure() {
    let lost = [
        ("run", "BenchmarkHay", ""),
        ("run", "TestA", ""),
        ("run", "TestA/sub", ""),
        ("pass", "TestA", ""),
        ("run", "TestB", ""),
        ("pass", "", ""),
    ];
    let message = "E hay::TestB: the test never ended, but its package did";
    assert_eq!(
        told(&stream(&lost)),
        ["P hay::BenchmarkHay", "P hay::TestA", "P hay::TestA/sub", message]
    );
}

#[test]
fn a_package_that_failed_with_all_its_tests_well_is_an_error() {
    let events = [
        ("run", "TestA", ""),
        ("pass", "TestA", ""),
        ("output", "", "PASS\n"),
        ("output", "", "panic: in TestMain\n"),
        ("fail", "", ""),
    ];
    assert_eq!(told(&stream(&events)), ["P hay::TestA", "E hay: panic: in TestMain"]);
    let silent = [("start", "", ""), ("fail", "", "")];
    assert_eq!(told(&stream(&silent)), ["E hay: the package failed although no test of it did"]);
    let built = "{\"ImportPath\":\"a [a.test]\",\"Action\":\"build-output\",\"Output\":\"a.go:1:2: odd\\n\"}\n\
                 {\"ImportPath\":\"a [a.test]\",\"Action\":\"build-fail\"}";
    assert_eq!(told(built), ["E a: odd"]);
}

#[test]
fn what_many_packages_need_is_told_once() {
    let fail = |package: &str| {
        serde_json::json!({"Action": "fail", "Package": package, "FailedBuild": "dep"}).to_string()
    };
    let output = |package: &str| {
        let text = format!("FAIL\t{package} [build failed]\n");
        serde_json::json!({"Action": "output", "Package": package, "Output": text}).to_string()
    };
    let build = serde_json::json!({"Action": "build-output", "ImportPath": "dep", "Output": "d.go:1:2: odd\n"});
    let text = [build.to_string(), output("a"), fail("a"), output("b"), fail("b")].join("\n");
    assert_eq!(told(&text), ["E a: odd", "E b: the package could not be built"]);
    let details = tests(&text).remove(1).evidence.details;
    assert_eq!(details.as_deref(), Some("`dep` could not be built"));
}

#[test]
fn a_test_that_ran_again_has_attempts() {
    let again = [
        ("run", "TestA", ""),
        ("output", "TestA", "    a_test.go:3: wet\n"),
        ("fail", "TestA", ""),
        ("fail", "", ""),
        ("run", "TestA", ""),
        ("pass", "TestA", ""),
        ("pass", "", ""),
    ];
    let tests = tests(&stream(&again));
    assert_eq!((tests.len(), tests[0].outcome), (1, Outcome::Flaky));
    assert_eq!(tests[0].attempts[0].evidence.message.as_deref(), Some("wet"));
    assert_eq!((&tests[0].evidence.output, &tests[0].file), (&None, &None));
}

#[test]
fn the_message_is_the_first_line_that_says_something() {
    let message = |output: &str| {
        let events =
            [("run", "T", ""), ("output", "T", output), ("fail", "T", ""), ("fail", "", "")];
        let test = tests(&stream(&events)).remove(0);
        (test.evidence.message.unwrap_or_default(), test.line)
    };
    assert_eq!(message("log\n    a_test.go:3: wet\n    b.go:4: dry\n"), ("wet".into(), Some(3)));
    let testify = "    a_test.go:3: \n  \tError Trace:\ta_test.go:3\n  \tError:  \tNot equal\n";
    assert_eq!(message(testify), ("Not equal".into(), Some(3)));
    assert_eq!(message("    a_test.go:3: \n  Error:\n  No hay\n"), ("No hay".into(), Some(3)));
    assert_eq!(message("got:\nx\nwant:\ny\n"), ("got: x want: y".into(), None));
    assert_eq!(message("\nwet\n"), ("wet".into(), None));
    assert_eq!(message(""), (String::new(), None));
}

#[test]
fn lines_that_are_no_events_are_passed_over() {
    let text = format!(
        "go: downloading hay\n{}\n{{\"Action\":\n{{\"level\":\"info\"}}\n{}",
        stream(&[("run", "T", "")]),
        stream(&[("attr", "T", ""), ("pass", "T", ""), ("pass", "", "")])
    );
    assert_eq!(told(&text), ["P hay::T"]);
    assert_eq!(told("{\"Action\":\"pass\",\"Test\":\"T\"}\n{\"Action\":\"pass\"}"), ["P T"]);
}

#[test]
fn events_are_known_by_their_action() {
    let detect = |text: &str| detect(&Screen::of(text.as_bytes()));
    assert_eq!(
        detect("noise\n{\"Time\":\"x\",\"Action\":\"start\",\"Package\":\"hay\"}\r\n"),
        Some(6)
    );
    for text in [
        "",
        "Action",
        "{\"type\":\"suite\",\"event\":\"started\",\"test_count\":1}",
        "{\"Action\":\"dance\"}",
        "{\"Action\":1}",
        "[{\"Action\":\"run\"}]",
    ] {
        assert_eq!(detect(text), None, "{text}");
    }
}

#[test]
fn what_has_no_events_is_refused() {
    let error =
        |text: &str, limits: &Limits| parse(text.as_bytes(), limits).unwrap_err().to_string();
    let expected = "no events: expected lines as `go test -json` prints them";
    assert_eq!(error("hay", &Limits::DEFAULT), format!("1:4: {expected}"));
    assert_eq!(
        error("hay\n{\"Action\":]", &Limits::DEFAULT),
        format!("2:11: {expected}; the first one is broken: expected value")
    );
    let limits = Limits { tests_max: 1, ..Limits::DEFAULT };
    let two = stream(&[("run", "A", ""), ("run", "B", "")]);
    assert_eq!(error(&two, &limits), "2:1: more than 1 tests");
    let again = stream(&[("pass", "A", ""), ("run", "A", "")]);
    assert_eq!(error(&again, &limits), "2:1: more than 1 tests");
    let limits = Limits { input_bytes_max: 3, ..Limits::DEFAULT };
    assert_eq!(error("four", &limits), "1:1: 4 bytes of input, at most 3 are read");
}

proptest! {
    #[test]
    fn no_stream_makes_it_panic(
        events in prop::collection::vec((
            prop::sample::select(vec![
                "start", "run", "pause", "cont", "pass", "bench", "fail", "output", "skip", "build-output",
                "build-fail", "attr",
            ]),
            prop::sample::select(vec!["", "A", "A/b", "BenchmarkA", "é"]),
            prop::sample::select(vec![
                "", "é", ".go:", "a.go:9:é", "=== é", "--- é", "panic: x", "Error:", "got:",
                "FAIL\tx [build failed]", "# é",
            ]),
        ), 0..40),
        loose in prop::collection::vec("(# |FAIL\t?|\\{)\\PC{0,8}( \\[build failed\\])?", 0..8),
        noise in any::<Vec<u8>>(),
    ) {
        let text = format!("{}\n{}\n{}", loose.join("\n"), stream(&events), loose.join("\n"));
        for input in [text.as_bytes(), &noise] {
            detect(&Screen::of(input));
            let _ = parse(input, &Limits::DEFAULT);
        }
    }

    #[test]
    fn a_stream_that_was_cut_says_so(cut in 200_usize..1_600) {
        let text = include_str!("fixtures/barn.json");
        let cut = &text.as_bytes()[..cut];
        if let Ok(report) = parse(cut, &Limits::DEFAULT) {
            prop_assert!(report.tally().bad() > 0);
        }
    }
}
