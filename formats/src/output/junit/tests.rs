//! What the writer promises, held against our own reader.

use proptest::prelude::*;

use super::*;
use crate::{Format, Limits, parse};

fn write(inputs: &[(&str, &[TestCase])]) -> String {
    write_all(inputs.iter().map(|(name, tests)| (*name, *tests, &[][..])))
}

fn write_all<'a>(
    inputs: impl IntoIterator<Item = (&'a str, &'a [TestCase], &'a [Suite])>,
) -> String {
    let mut document = Vec::new();
    write_junit(&mut document, "run", inputs).unwrap();
    String::from_utf8(document).unwrap()
}

fn read(document: &str) -> Vec<TestCase> {
    parse(Format::Junit, document.as_bytes(), &Limits::DEFAULT).unwrap().tests
}

#[test]
fn a_document_looks_like_that_of_nextest() {
    let mut test = TestCase::new("crate::tests::adds", Outcome::Failed);
    test.duration = Some(0.25);
    test.evidence.message = Some("1 < 2".to_owned());
    test.evidence.details = Some("at line 3".to_owned());
    let plain = TestCase::new("lonely", Outcome::Passed);
    let expected = r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="run" tests="2" skipped="0" failures="1" errors="0">
    <testsuite name="suite" tests="2" skipped="0" errors="0" failures="1">
        <testcase name="tests::adds" classname="crate" time="0.250">
            <failure message="1 &lt; 2">at line 3</failure>
        </testcase>
        <testcase name="lonely" classname=""/>
    </testsuite>
</testsuites>
"#;
    assert_eq!(write(&[("suite", &[test, plain])]), expected);
}

#[test]
fn a_flaky_test_without_attempts_stays_flaky() {
    let document = write(&[("s", &[TestCase::new("a::b", Outcome::Flaky)])]);
    assert_eq!(read(&document)[0].outcome, Outcome::Flaky);
}

#[test]
fn what_cannot_be_written_is_replaced_or_dropped() {
    let mut test = TestCase::new("a::\u{0}b\u{fffe}", Outcome::Skipped);
    test.duration = Some(f64::MAX);
    test.evidence.message = Some("\u{1b}[31mred\u{1b}[0m\u{ffff}\n2".to_owned());
    test.evidence.output = Some("a\tb\r\nc".to_owned());
    let read = &read(&write(&[("\u{fffe}", &[test])]))[0];
    assert_eq!(read.id, "a::b\u{fffd}");
    assert_eq!(read.duration, None);
    assert_eq!(read.evidence.message.as_deref(), Some("red\u{fffd} 2"));
    assert_eq!(read.evidence.output.as_deref(), Some("ab\nc"));
}

/// A text that survives: no line ends, and no blanks at its ends.
fn any_text() -> impl Strategy<Value = Option<String>> {
    prop::option::of("[!-~é😀&<>]([ -~é&<>]{0,8}[!-~])?")
}

fn any_evidence() -> impl Strategy<Value = Evidence> {
    (any_text(), any_text(), any_text(), any_text(), any_text()).prop_map(
        |(message, kind, details, output, errout)| Evidence {
            message,
            kind,
            details,
            output,
            errout,
        },
    )
}

fn any_attempt() -> impl Strategy<Value = Attempt> {
    let outcome = prop_oneof![Just(Outcome::Failed), Just(Outcome::Errored)];
    (outcome, any_seconds(), any_evidence()).prop_map(|(outcome, duration, evidence)| Attempt {
        outcome,
        duration,
        evidence,
    })
}

fn any_seconds() -> impl Strategy<Value = Option<f64>> {
    prop::option::of((0..10_000_000_u32).prop_map(|millis| f64::from(millis) / 1000.0))
}

/// A test that JUnit can hold: what an outcome has no place for is left out.
fn any_test() -> impl Strategy<Value = TestCase> {
    use Outcome::*;
    let outcome = prop::sample::select(vec![
        Passed,
        Flaky,
        ExpectedFailure,
        Skipped,
        UnexpectedPass,
        Failed,
        Errored,
    ]);
    let attempts = prop::collection::vec(any_attempt(), 1..3);
    let properties = prop::collection::btree_map("[a-z]{1,3}", any_text(), 0..3);
    let parts = (any_evidence(), attempts, properties, any_text(), prop::option::of(1..9_i64));
    ("[!-~é]{1,6}(::[ -~]{0,6})?", outcome, any_seconds(), parts).prop_map(
        |(id, outcome, duration, (evidence, attempts, properties, file, line))| {
            let mut test =
                TestCase { duration, evidence, file, line, ..TestCase::new(id, outcome) };
            match outcome {
                Passed | Flaky => {
                    (test.evidence.message, test.evidence.kind, test.evidence.details) =
                        Default::default();
                }
                ExpectedFailure => test.evidence.kind = Some(EXPECTED_FAILURE.to_owned()),
                UnexpectedPass => test.evidence.kind = Some(UNEXPECTED_PASS.to_owned()),
                _ => {}
            }
            // The text of a skipped test is its message if it has no other.
            if !outcome.is_bad() && test.evidence.message.is_none() {
                test.evidence.details = None;
            }
            if outcome == Flaky || outcome.is_bad() {
                test.attempts = attempts;
            }
            let properties: Bag = properties
                .into_iter()
                .map(|(name, text)| (name, Value::String(text.unwrap_or_default())))
                .collect();
            if !properties.is_empty() {
                test.extra.insert("properties".to_owned(), Value::Struct(properties));
            }
            test
        },
    )
}

/// A suite of which there is something to say.
fn any_suite() -> impl Strategy<Value = Suite> {
    let properties = prop::collection::btree_map("[a-z]{1,3}", "[!-~]{0,4}", 1..3);
    // Without a name of its own, it would have that of the run.
    ("[!-~é]{1,6}", any_text(), any_text(), properties).prop_map(
        |(name, output, errout, properties)| {
            let properties =
                properties.into_iter().map(|(name, text)| (name, Value::String(text))).collect();
            Suite { name, output, errout, properties }
        },
    )
}

proptest! {
    #[test]
    fn suites_read_back(suites in prop::collection::vec(any_suite(), 0..4), test in any_test()) {
        let tests = [test];
        let document = write_all([("input", &tests[..], &suites[..])]);
        let report = parse(Format::Junit, document.as_bytes(), &Limits::DEFAULT).unwrap();
        prop_assert_eq!(report.suites, suites);
        prop_assert_eq!(report.tests, tests);
    }

    #[test]
    fn what_is_written_reads_back(
        tests in prop::collection::vec(any_test(), 0..4),
        others in prop::collection::vec(any_test(), 0..2),
    ) {
        let document = write(&[("suite", &tests), ("", &others)]);
        prop_assert_eq!(read(&document), [tests, others].concat());
    }

    #[test]
    fn what_is_written_is_always_well_formed(
        id in any::<String>(), message in any::<String>(), output in "(.|[\0-\u{1f}\u{80}-\u{9f}\u{fffe}]){0,20}",
    ) {
        let mut test = TestCase::new(id.clone(), Outcome::Errored);
        test.evidence.message = Some(message);
        test.evidence.output = Some(output.clone());
        test.evidence.details = Some(output);
        test.extra.insert("properties".to_owned(), Value::Struct(Bag::from([(id.clone(), id.into())])));
        let document = write(&[("s", &[test])]);
        let report = parse(Format::Junit, document.as_bytes(), &Limits::DEFAULT).unwrap();
        prop_assert_eq!(report.tests.len(), 1);
        prop_assert!(!report.sanitised);
    }
}
