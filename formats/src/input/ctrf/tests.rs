//! The CTRF reader, key by key.

use proptest::prelude::*;

use super::*;
use crate::value::Value;

fn read(tests: &str) -> Report {
    read_with(tests, "{}")
}

fn read_with(tests: &str, summary: &str) -> Report {
    let text = format!(r#"{{"results": {{"summary": {summary}, "tests": {tests}}}}}"#);
    parse(text.as_bytes(), &Limits::DEFAULT).unwrap()
}

fn outcomes(report: &Report) -> Vec<(&str, Outcome)> {
    report.tests.iter().map(|test| (test.id.as_str(), test.outcome)).collect()
}

#[test]
fn a_document_reads() {
    let report = parse(include_bytes!("fixtures/barn.json"), &Limits::DEFAULT).unwrap();
    insta::assert_debug_snapshot!(report);
}

#[test]
fn suites_give_one_id_as_text_and_as_list() {
    let report = read(
        r#"[{"name": "x", "status": "passed", "suite": "barn.js > hay"},
            {"name": "x", "status": "passed", "suite": ["barn.js", "hay"]},
            {"name": "x", "status": "passed", "suite": ""},
            {"status": "passed"}]"#,
    );
    let ids: Vec<&str> = report.tests.iter().map(|test| test.id.as_str()).collect();
    assert_eq!(ids, ["barn.js::hay::x", "barn.js::hay::x", "x", "test 4"]);
}

#[test]
fn what_came_to_no_verdict_did_not_pass() {
    let report = read(
        r#"[{"name": "a", "status": "other", "rawStatus": "todo"},
            {"name": "b", "status": "other", "rawStatus": "odd"},
            {"name": "c", "status": "pending"},
            {"name": "d", "status": "failed", "rawStatus": "timedOut"},
            {"name": "e", "status": "failed", "rawStatus": "unexpected-pass"},
            {"name": "f", "status": "passed", "rawStatus": "errored"},
            {"name": "g"}]"#,
    );
    let expected = [
        ("a", Outcome::Skipped),
        ("b", Outcome::Errored),
        ("c", Outcome::Skipped),
        ("d", Outcome::Errored),
        ("e", Outcome::UnexpectedPass),
        ("f", Outcome::Passed),
        ("g", Outcome::Errored),
    ];
    assert_eq!(outcomes(&report), expected);
    let messages = [1, 6].map(|at| report.tests[at].evidence.message.as_deref());
    assert_eq!(messages, [Some("status `other` (`odd`)"), Some("no status")]);
    assert_eq!(report.tests[0].extra["rawStatus"], Value::from("todo"));
}

#[test]
fn the_last_attempt_is_the_test_itself() {
    let attempts = r#"[{"attempt": 1, "status": "failed", "message": "wet"},
                       {"attempt": 2, "status": "passed", "stdout": ["dry"]}]"#;
    let report = read(&format!(
        r#"[{{"name": "a", "status": "passed", "retries": 1, "retryAttempts": {attempts}}},
            {{"name": "b", "status": "passed", "retryAttempts": {attempts}}},
            {{"name": "c", "status": "passed", "retries": 2, "retryAttempts": {attempts}}},
            {{"name": "d", "status": "passed", "retries": 2}},
            {{"name": "e", "status": "passed", "retries": 2, "flaky": false}}]"#
    ));
    let seen: Vec<(usize, Outcome)> =
        report.tests.iter().map(|test| (test.attempts.len(), test.outcome)).collect();
    use Outcome::{Flaky, Passed};
    assert_eq!(seen, [(1, Flaky), (1, Flaky), (2, Flaky), (0, Flaky), (0, Passed)]);
    assert_eq!(report.tests[0].evidence.output.as_deref(), Some("dry"));
    assert_eq!(report.tests[0].attempts[0].evidence.message.as_deref(), Some("wet"));
}

#[test]
fn a_message_of_many_lines_is_told_in_one() {
    let report = read(
        r#"[{"name": "a", "status": "failed", "message": "\nwet\n  hay\n", "trace": "at barn"},
            {"name": "b", "status": "failed", "message": "wet\nhay", "trace": "wet\nhay\n at barn"}]"#,
    );
    let told = |at: usize| {
        let evidence = &report.tests[at].evidence;
        (evidence.message.as_deref().unwrap(), evidence.details.as_deref().unwrap())
    };
    assert_eq!(told(0), ("wet", "\nwet\n  hay\n\nat barn"));
    assert_eq!(told(1), ("wet", "wet\nhay\n at barn"));
}

#[test]
fn tests_that_only_the_summary_counts_have_no_name() {
    let one = r#"[{"name": "a", "status": "failed"}]"#;
    let summary =
        r#"{"tests": 9, "passed": 4, "failed": 2, "skipped": 1, "pending": 1, "other": 1}"#;
    let unnamed = read_with(one, summary).unnamed;
    assert_eq!(unnamed, Tally { total: 8, passed: 4, failed: 1, errored: 1, skipped: 2 });
    let wrong = r#"{"tests": 1, "passed": 7, "failed": 1e300, "skipped": -3}"#;
    assert_eq!(read_with(one, wrong).unnamed, Tally::default());
}

#[test]
fn what_has_no_meaning_is_kept_but_hides_nothing() {
    let report = read(
        r#"[{"name": "a", "status": "passed", "tags": ["slow"], "browser": null, "labels": {},
             "start": 12, "type": "unit",
             "extra": {"owner": "ann", "outcome": "errored", "message": "no"}}]"#,
    );
    let expected = Bag::from([
        ("owner".to_owned(), "ann".into()),
        ("tags".to_owned(), Value::Array(vec!["slow".into()])),
    ]);
    assert_eq!(report.tests[0].extra, expected);
}

#[test]
fn errors_say_where() {
    let error = |text: &str| parse(text.as_bytes(), &Limits::DEFAULT).unwrap_err().to_string();
    assert_eq!(error("{\n  \"results\": [}"), "2:15: expected value");
    let wrong = "{\"results\": {\"tests\": [\n {\"name\": \"ü\", \"status\": 3}]}}";
    assert_eq!(error(wrong), "2:26: invalid type: integer `3`, expected a string");
    assert_eq!(error("{}"), "1:1: no `results.tests`: expected a CTRF document");
    assert_eq!(error("{\"results\": {\"tests\": ["), "1:23: EOF while parsing a list");
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let deep = format!("{{\"results\": {{\"tests\": [{{\"tags\": {deep}}}]}}}}");
    assert_eq!(error(&deep), "1:156: recursion limit exceeded");
}

#[test]
fn limits_hold() {
    let attempts = r#"{"results": {"tests": [{"retryAttempts": [{}, {}]}, {}]}}"#;
    let limits = Limits { tests_max: 3, ..Limits::DEFAULT };
    let error = parse(attempts.as_bytes(), &limits).unwrap_err().to_string();
    assert_eq!(error, "1:1: 4 tests and attempts, at most 3 are read");
    let limits = Limits { input_bytes_max: 3, ..Limits::DEFAULT };
    let error = parse(b"{ }\n", &limits).unwrap_err().to_string();
    assert_eq!(error, "1:1: 4 bytes of input, at most 3 are read");
}

#[test]
fn a_document_is_known_by_its_name_or_its_shape() {
    for text in [
        r#"{"reportFormat": "CTRF", "results": "cut"#,
        r#" {"results": {"tests": [], "summary": {}}}"#,
        "\u{feff}{\"results\": {\"summary\": {\"tests\": 0}, \"tests\": [{}]}}",
    ] {
        assert!(detect(text.as_bytes()), "{text}");
    }
    for text in [
        r#"{"summary": {}, "tests": []}"#,
        r#"{"results": {"tests": []}}"#,
        r#"[{"results": {"tests": [], "summary": {}}}]"#,
        r#"{"reportFormat": "other", "x": "CTRF"}"#,
        "",
    ] {
        assert!(!detect(text.as_bytes()), "{text}");
    }
}

proptest! {
    #[test]
    fn no_document_makes_it_panic(
        parts in prop::collection::vec(prop::sample::select(vec![
            "{", "}", "[", "]", ",", ":", "\"results\":", "\"tests\":", "\"summary\":", "\"name\":",
            "\"status\":", "\"retryAttempts\":", "\"stdout\":", "\"suite\":", "\"extra\":", "\"passed\"",
            "\"a > b\"", "null", "-1", "1e999", "9e300", "{}", "[]", "[{}]", "\n",
        ]), 0..40),
        noise in any::<Vec<u8>>(),
    ) {
        let tests = format!("{{\"results\":{{\"tests\":[{{{}}}]}}}}", parts.concat());
        for input in [tests.as_bytes(), parts.concat().as_bytes(), &noise] {
            detect(input);
            let _ = parse(input, &Limits::DEFAULT);
        }
    }

    #[test]
    fn a_cut_document_is_refused(cut in 0_usize..1_000) {
        let input = include_bytes!("fixtures/barn.json").trim_ascii_end();
        let error = parse(&input[..input.len().saturating_sub(1 + cut)], &Limits::DEFAULT);
        prop_assert!(error.is_err());
    }
}
