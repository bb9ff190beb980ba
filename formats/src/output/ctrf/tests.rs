//! The CTRF writer: what it writes, and that it reads back.

use proptest::prelude::*;

use super::*;
use crate::limits::Limits;
use crate::model::Tally;
use crate::value::{Bag, Value};
use crate::{Format, detect, parse};

fn written<'a>(tests: impl IntoIterator<Item = &'a TestCase>) -> Vec<u8> {
    let start: jiff::Timestamp = "2026-01-02T03:04:05.678Z".parse().unwrap();
    let mut bytes = Vec::new();
    write_ctrf(&mut bytes, tests, start, start + jiff::SignedDuration::from_secs(2)).unwrap();
    bytes
}

fn full() -> TestCase {
    TestCase {
        id: "hay_loft::stack::holds[a::b]".to_owned(),
        outcome: Outcome::Flaky,
        duration: Some(1.25),
        evidence: Evidence {
            message: Some("it fell over".to_owned()),
            kind: Some("HayError".to_owned()),
            details: Some("at stack.rs\nat barn.rs".to_owned()),
            output: Some("one\n\ntwo\n".to_owned()),
            errout: Some("creak".to_owned()),
        },
        file: Some("src/stack.rs".to_owned()),
        line: Some(7),
        attempts: vec![Attempt {
            outcome: Outcome::Errored,
            duration: Some(0.5),
            evidence: Evidence { kind: Some("crash".to_owned()), ..Evidence::default() },
        }],
        extra: Bag::from([("owner".to_owned(), Value::from("ann"))]),
    }
}

#[test]
fn a_document_is_golden() {
    let tests = [full(), TestCase::new("bare", Outcome::ExpectedFailure)];
    let json: Json = serde_json::from_slice(&written(&tests)).unwrap();
    let mut shown = crate::json::pretty(&json);
    let version = format!("\"version\": \"{}\"", env!("CARGO_PKG_VERSION"));
    assert!(shown.contains(&version));
    shown = shown.replace(&version, "\"version\": \"[version]\"");
    insta::assert_snapshot!(shown);
}

#[test]
fn nothing_is_lost_of_a_test_with_everything() {
    let report = parse(Format::Ctrf, &written([&full()]), &Limits::DEFAULT).unwrap();
    assert_eq!(report.tests, [full()]);
}

#[test]
fn what_cannot_be_a_name_gets_one() {
    for (id, suite, name) in [
        ("", vec![], "unnamed"),
        ("a::", vec![], "a::"),
        ("::a", vec![""], "a"),
        ("a::b::c", vec!["a", "b"], "c"),
        ("a::b[c::d]", vec!["a"], "b[c::d]"),
    ] {
        assert_eq!(split(id), (suite, name), "{id}");
    }
}

fn any_outcome() -> impl Strategy<Value = Outcome> {
    prop::sample::select(vec![
        Outcome::Passed,
        Outcome::Flaky,
        Outcome::ExpectedFailure,
        Outcome::Skipped,
        Outcome::UnexpectedPass,
        Outcome::Failed,
        Outcome::Errored,
    ])
}

/// An outcome, whole milliseconds, and evidence without empty texts, its message on one line.
fn any_end() -> impl Strategy<Value = (Outcome, Option<f64>, Evidence)> {
    let text = || prop::option::of("[^\\s](\\PC|\n){0,12}");
    let evidence = (prop::option::of("[^\\s]\\PC{0,12}"), text(), text(), text(), text());
    let evidence = evidence.prop_map(|(message, kind, details, output, errout)| Evidence {
        message,
        kind,
        details,
        output,
        errout,
    });
    let seconds = prop::option::of((0_u32..10_000_000).prop_map(|ms| f64::from(ms) / 1000.0));
    (any_outcome(), seconds, evidence)
}

fn any_test() -> impl Strategy<Value = TestCase> {
    let id = prop_oneof!["\\PC{1,12}", "[a-c:\\[(]{1,12}"];
    let place = prop::option::of(("[a-z/.]{1,12}", 1_i64..100_000));
    let attempts = prop::collection::vec(any_end(), 0..3);
    (id, any_end(), place, attempts).prop_map(|(id, end, place, attempts)| {
        let mut test = TestCase::new(id, end.0);
        (test.duration, test.evidence) = (Some(end.1.unwrap_or(0.0)), end.2);
        (test.file, test.line) = place.unzip();
        let attempt = |(outcome, duration, evidence)| Attempt { outcome, duration, evidence };
        test.attempts = attempts.into_iter().map(attempt).collect();
        test
    })
}

proptest! {
    #[test]
    fn what_is_written_reads_back(tests in prop::collection::vec(any_test(), 0..5)) {
        let bytes = written(&tests);
        prop_assert_eq!(detect(&bytes), Some(Format::Ctrf));
        let report = parse(Format::Ctrf, &bytes, &Limits::DEFAULT).unwrap();
        prop_assert_eq!(&report.tests, &tests);
        prop_assert_eq!(report.unnamed, Tally::default());
    }

    #[test]
    fn the_summary_adds_up(tests in prop::collection::vec(any_test(), 0..5)) {
        let json: Json = serde_json::from_slice(&written(&tests)).unwrap();
        let summary = &json["results"]["summary"];
        let tally: Tally = tests.iter().map(|test| test.outcome).collect();
        prop_assert_eq!(&summary["tests"], tally.total);
        prop_assert_eq!(&summary["passed"], tally.passed);
        prop_assert_eq!(&summary["failed"], tally.bad());
        prop_assert_eq!(&summary["skipped"], tally.skipped);
    }
}
