//! What is written is read back; what is damaged is named.

use proptest::prelude::*;

use super::*;
use crate::json::tests::any_value;
use crate::model::{Attempt, Evidence, Outcome, ResultKey, Step, Submission, Tagset, TestCase};
use crate::value::{Bag, Value};

fn receipt() -> Receipt {
    let received: jiff::Timestamp = "2026-01-02T03:04:05.678Z".parse().unwrap();
    Receipt {
        key: ResultKey::new(received, 42),
        number: Some(7),
        received,
        submission_id: None,
        sent: None,
        client: Some("shed".into()),
        client_ip: None,
        flags: ["sanitised".to_owned()].into(),
    }
}

fn client_info() -> ClientInfo {
    let tagset = Tagset {
        package: "hayloft".into(),
        host: "shed".into(),
        arch: "linux-x86_64".into(),
        tags: ["nightly".to_owned()].into(),
    };
    ClientInfo::new(&tagset, false).unwrap().with("duration", 12.5).unwrap()
}

fn submission() -> Submission {
    let mut failed = TestCase::new("tests.test_hay::test_stack[a\nb]", Outcome::Failed);
    failed.duration = Some(0.0123456);
    failed.evidence.message = Some("assert 3 == 4".into());
    failed.attempts.push(Attempt {
        outcome: Outcome::Errored,
        duration: Some(1.0),
        evidence: Evidence { errout: Some("boom\0".into()), ..Evidence::default() },
    });
    failed.extra.insert("colour".into(), "red".into());
    let mut quick = TestCase::new("tests.test_hay::test_fork", Outcome::Passed);
    quick.duration = Some(0.0);
    let skipped = TestCase::new("tests.test_hay::test_\\barn", Outcome::Skipped);
    let step = Step::default()
        .with("type", "test")
        .with("name", "pytest")
        .with("status", 1)
        .with("output", "F.s\n")
        .with("errout", "")
        .with_tests(vec![failed, quick, skipped]);
    Submission {
        client_info: client_info(),
        results_list: vec![Step::default().with("type", "setup"), step],
    }
}

#[test]
fn the_files_of_a_result_are_golden() {
    let files = encode(&receipt(), &submission());
    let mut shown = String::new();
    for (path, bytes) in &files {
        shown.push_str(&format!("--- {path}\n{}", String::from_utf8_lossy(bytes)));
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn what_was_sent_is_read_back() {
    let sent = Some("4b825dc642cb6eb9a060e54bf8d69288fbee4904".to_owned());
    let receipt = Receipt { submission_id: "8e03978e~1".parse().ok(), sent, ..receipt() };
    assert_eq!(decode(&encode(&receipt, &submission())).unwrap().receipt, receipt);
}

#[test]
fn the_receipt_of_a_named_submission_is_golden() {
    let receipt = Receipt { submission_id: "8e03978e~1".parse().ok(), ..receipt() };
    let (_, text) = encode_receipt(&receipt);
    insta::assert_snapshot!(String::from_utf8_lossy(&text), @r#"
    {
      "client": "shed",
      "flags": [
        "sanitised"
      ],
      "format": "1.1",
      "number": 7,
      "received": "2026-01-02T03:04:05.678Z",
      "result_key": "1767323045678000042",
      "submission_id": "8e03978e~1"
    }
    "#);
    let read = decode(&encode(&receipt, &submission())).unwrap();
    assert_eq!(read.receipt, receipt);
}

#[test]
fn a_damaged_submission_id_is_not_taken_for_none() {
    for damaged in ["\"\"", "\"a b\"", "7", "null"] {
        let mut files = encode(&receipt(), &submission());
        let (name, text) = encode_receipt(&receipt());
        let text = String::from_utf8(text).unwrap();
        let text = text.replacen('{', &format!("{{\"submission_id\": {damaged},"), 1);
        files.insert(name.to_owned(), text.into_bytes());
        let error = decode(&files).unwrap_err().to_string();
        assert!(error.contains("`submission_id` cannot be read"), "{damaged}: {error}");
    }
}

#[test]
fn a_result_reads_back_but_for_rounded_durations() {
    let mut expected = submission();
    let mut tests = expected.results_list[1].tests().to_vec();
    tests
        .iter_mut()
        .filter(|t| t.duration == Some(0.0123456))
        .for_each(|t| t.duration = Some(0.0123));
    expected.results_list[1] = expected.results_list[1].clone().with_tests(tests);
    let read = decode(&encode(&receipt(), &submission())).unwrap();
    assert_eq!(read.receipt, receipt());
    assert_eq!(read.submission, expected);
}

#[test]
fn a_summary_needs_only_the_summary_files() {
    let mut files = encode(&receipt(), &submission());
    files.retain(|path, _| is_summary_file(path));
    let summary = decode_summary(&files).unwrap();
    assert_eq!(summary.tally, submission().tally());
    assert_eq!(summary.client_info, client_info());
    assert!(!files.keys().any(|path| path.ends_with("tests.txt")));
}

#[test]
fn steps_beyond_the_folders_stay_whole() {
    let step =
        Step::default().with("output", "x").with_tests(vec![TestCase::new("a", Outcome::Failed)]);
    let many =
        Submission { client_info: client_info(), results_list: vec![step; STEP_FOLDERS_MAX + 1] };
    let files = encode(&receipt(), &many);
    assert!(!files.contains_key("steps/1000/output.txt"));
    assert_eq!(decode(&files).unwrap().submission, many);
    assert_eq!(decode_summary(&files).unwrap().tally, many.tally());
}

#[test]
fn damage_is_named() {
    let broken = |path: &str, content: Option<&str>| {
        let mut files = encode(&receipt(), &submission());
        match content {
            Some(content) => files.insert(path.into(), content.into()),
            None => files.remove(path),
        };
        decode(&files).unwrap_err().to_string()
    };
    assert_eq!(broken("receipt.json", None), "receipt.json: missing");
    assert_eq!(broken("steps/01/tests.txt", None), "steps/01/outcomes.txt: tests.txt is missing");
    assert!(broken("receipt.json", Some("{\"format\": \"2.0\"}")).contains("update pony"));
    assert!(
        broken("client_info.json", Some("{}")).starts_with("client_info.json: client_info.package")
    );
    assert!(broken("results_list.json", Some("[")).contains("line 1"));
    assert_eq!(
        broken("steps/01/outcomes.txt", Some("PP\n")),
        "steps/01/outcomes.txt: 2 entries for the 3 tests of tests.txt"
    );
    assert_eq!(
        broken("steps/01/outcomes.txt", Some("P?S\n")),
        "steps/01/outcomes.txt: letter 2: no outcome `?`"
    );
    assert_eq!(
        broken("steps/01/durations.txt", Some("1\nx\n\n")),
        "steps/01/durations.txt: line 2: no number"
    );
    assert!(
        broken("steps/01/failures.json", Some("[{\"index\": 9}]")).contains("no valid `index`")
    );
    assert!(
        broken("steps/01/failures.json", Some("[{\"index\": 0, \"id\": \"x\"}]"))
            .contains("another test")
    );
}

#[test]
fn milliseconds_have_three_significant_digits() {
    let mut tests = Vec::new();
    for seconds in [0.0, 0.000_000_4, 0.000_012_34, 0.001, 1.234_567, 98_765.4, 0.999_96] {
        let mut test = TestCase::new("t", Outcome::Passed);
        test.duration = Some(seconds);
        tests.push(test);
    }
    let mut durations = String::new();
    tests_files::encode(tests, |file, bytes| {
        if file == tests_files::DURATIONS {
            durations = String::from_utf8(bytes).unwrap();
        }
    });
    assert_eq!(durations, "0\n0\n0.012\n1\n1230\n98800000\n1000\n");
}

#[test]
fn a_duration_beyond_all_milliseconds_reads_back() {
    for seconds in [1e306, f64::MAX] {
        let mut test = TestCase::new("a", Outcome::Passed);
        test.duration = Some(seconds);
        let step = Step::default().with_tests(vec![test, TestCase::new("b", Outcome::Passed)]);
        let submission = Submission { client_info: client_info(), results_list: vec![step] };
        let read = decode(&encode(&receipt(), &submission)).unwrap();
        assert_eq!(read.submission, submission);
    }
}

fn any_step() -> impl Strategy<Value = Step> {
    let key = prop_oneof![
        any::<String>(),
        Just("output".to_owned()),
        Just("tests".to_owned()),
        Just("unnamed_tests".to_owned())
    ];
    let bag = prop::collection::btree_map(key, any_value(), 0..4);
    let outcome = prop::sample::select(vec![Outcome::Passed, Outcome::Flaky, Outcome::Errored]);
    let evidence =
        prop::collection::btree_map("[a-z]{1,8}|message|line|attempts|duration", any_value(), 0..3);
    let test =
        (any::<String>(), outcome, evidence).prop_map(|(id, outcome, mut bag): (_, _, Bag)| {
            // A number would be taken for a duration and rounded, which is not what this tests.
            bag.retain(|key, value| key != "duration" || value.as_f64().is_none());
            bag.insert("id".into(), Value::String(id));
            bag.insert("outcome".into(), outcome.as_str().into());
            TestCase::from_bag(bag).unwrap()
        });
    (bag, prop::collection::vec(test, 0..4)).prop_map(|(bag, tests)| {
        let step = Step::from_bag(bag);
        if tests.is_empty() { step } else { step.with_tests(tests) }
    })
}

proptest! {
    #[test]
    fn any_submission_reads_back(steps in prop::collection::vec(any_step(), 0..3), extra in any_value()) {
        let client_info = client_info().with("extra", extra).unwrap();
        let submission = Submission { client_info, results_list: steps };
        let files = encode(&receipt(), &submission);
        prop_assert_eq!(&decode(&files).unwrap().submission, &submission);
        prop_assert_eq!(decode_summary(&files).unwrap().tally, submission.tally());
    }

    #[test]
    fn any_duration_reads_back_but_for_rounding(seconds in prop_oneof![prop::num::f64::ANY, 0.0..1e4], late in any::<bool>()) {
        let mut test = TestCase::new("a", Outcome::Passed);
        test.duration = Some(seconds);
        let tests = if late { vec![TestCase::new("0", Outcome::Passed), test] } else { vec![test] };
        let step = Step::default().with_tests(tests);
        let submission = Submission { client_info: client_info(), results_list: vec![step] };
        let read = decode(&encode(&receipt(), &submission)).unwrap().submission;
        let test = read.results_list[0].tests().last().unwrap();
        if seconds.is_finite() && seconds >= 0.0 {
            let found = test.duration.unwrap();
            prop_assert!((found - seconds).abs() <= seconds / 100.0 + 1e-6, "{} became {}", seconds, found);
        } else {
            prop_assert_eq!(test.duration, None);
            prop_assert!(test.extra.contains_key("duration"));
        }
    }
}
