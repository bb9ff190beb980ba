//! Every trap of the JUnit dialects, as small as it can be shown.

use proptest::prelude::*;

use super::*;
use crate::model::{Outcome, Suite, Tally, TestCase};
use crate::value::{Bag, Value};

fn read(text: &str) -> Result<Report, String> {
    parse(text.as_bytes(), &Limits::DEFAULT).map_err(|error| error.to_string())
}

fn tests(text: &str) -> Vec<TestCase> {
    read(text).unwrap().tests
}

/// The only test of a suite `s` that holds `case`.
fn only(case: &str) -> TestCase {
    let mut tests = tests(&format!("<testsuite name='s'>{case}</testsuite>"));
    assert_eq!(tests.len(), 1);
    tests.remove(0)
}

fn outcome(children: &str) -> Outcome {
    only(&format!("<testcase name='t'>{children}</testcase>")).outcome
}

fn ids(text: &str) -> Vec<String> {
    tests(text).into_iter().map(|test| test.id).collect()
}

#[test]
fn a_document_in_the_dialect_of_pytest() {
    let text = r#"<?xml version="1.0" encoding="utf-8"?>
<testsuites name="pytest tests"><testsuite name="pytest" errors="0" failures="7" tests="1" time="9">
  <testcase classname="tests.test_x.TestY" name="test_a[1-x]" file="tests/test_x.py" line="12" time="0.25">
    <failure message="assert 1 &lt; 0&#10; +  where 1">def test_a():
&gt;   assert 1 &lt; 0
E   assert 1 &lt; 0
</failure>
    <system-out>one
</system-out>
    <system-out>two
</system-out>
    <system-err>three</system-err>
  </testcase>
</testsuite></testsuites>"#;
    let report = read(text).unwrap();
    assert!(!report.sanitised);
    let test = &report.tests[0];
    assert_eq!(test.id, "tests.test_x.TestY::test_a[1-x]");
    assert_eq!((test.outcome, test.duration), (Outcome::Failed, Some(0.25)));
    assert_eq!((test.file.as_deref(), test.line), (Some("tests/test_x.py"), Some(12)));
    let evidence = &test.evidence;
    assert_eq!(evidence.message.as_deref(), Some("assert 1 < 0\n +  where 1"));
    assert_eq!(
        evidence.details.as_deref(),
        Some("def test_a():\n>   assert 1 < 0\nE   assert 1 < 0")
    );
    assert_eq!(evidence.output.as_deref(), Some("one\ntwo\n"));
    assert_eq!(evidence.errout.as_deref(), Some("three"));
}

#[test]
fn elements_are_counted_and_not_attributes() {
    let text = "<testsuites tests='9'><testsuite tests='5' failures='3'>
        <testcase name='a'/><testsuite><testsuite><testcase name='b'><skipped/></testcase></testsuite>
        <group><testcase name='c'><error/></testcase></group></testsuite></testsuite>
        <testcase name='d'><failure/></testcase></testsuites>";
    let tally = Tally { total: 4, passed: 1, failed: 1, errored: 1, skipped: 1 };
    assert_eq!(read(text).unwrap().tally(), tally);
    assert_eq!(tests(" \n<testsuite/>\n"), []);
}

#[test]
fn the_suite_stands_in_for_a_missing_class() {
    let text = "<testsuites name='all'><testsuite name='s'>
        <testcase classname='c' name='1'/><testcase name='2'/><testcase classname='' name='3'/>
        <testcase class='d' name='4'/><testcase/><testcase classname='c'/>
        <testsuite><testcase name='5'/></testsuite></testsuite>
        <testcase name='6'/></testsuites>";
    assert_eq!(ids(text), ["c::1", "s::2", "3", "d::4", "s", "c", "s::5", "all::6"]);
    let text = "<testsuite><testcase name='1'/><testcase/><testcase name=''/></testsuite>";
    assert_eq!(ids(text), ["1", "(unnamed)", "(unnamed)"]);
}

#[test]
fn the_worst_of_several_results_decides() {
    assert_eq!(outcome(""), Outcome::Passed);
    assert_eq!(outcome("<skipped/><failure/>"), Outcome::Failed);
    assert_eq!(outcome("<failure/><error/><failure/>"), Outcome::Errored);
    let test = only(
        "<testcase name='t'><failure message='m1' type='F'>d1</failure>
         <error message='m2' type='E'>d2</error></testcase>",
    );
    assert_eq!(test.evidence.message.as_deref(), Some("m1\nm2"));
    assert_eq!(test.evidence.kind.as_deref(), Some("E"));
    assert_eq!(test.evidence.details.as_deref(), Some("d1\n\nd2"));
}

#[test]
fn marks_of_a_dialect_refine_the_outcome() {
    assert_eq!(outcome("<skipped type='pytest.skip'/>"), Outcome::Skipped);
    assert_eq!(outcome("<skipped type='pytest.xfail'/>"), Outcome::ExpectedFailure);
    assert_eq!(outcome("<failure message='[XPASS(strict)] why'/>"), Outcome::UnexpectedPass);
    assert_eq!(only("<testcase name='t' status='notrun'/>").outcome, Outcome::Skipped);
    assert_eq!(only("<testcase name='t' status='disabled'/>").outcome, Outcome::Skipped);
    assert_eq!(only("<testcase name='t' result='suppressed'/>").outcome, Outcome::Skipped);
    assert_eq!(
        only("<testcase name='t' status='run' result='completed'/>").outcome,
        Outcome::Passed
    );
    let text = "<testcase name='t' status='disabled'><error/></testcase>";
    assert_eq!(only(text).outcome, Outcome::Errored);
}

#[test]
fn reruns_are_attempts() {
    let test = only(
        "<testcase name='t'><flakyFailure message='m' type='T' time='0.5'>first
           <stackTrace>at x</stackTrace><system-out>out</system-out><system-err>err</system-err>
         </flakyFailure><flakyError/></testcase>",
    );
    assert_eq!(test.outcome, Outcome::Flaky);
    let attempt = &test.attempts[0];
    assert_eq!((attempt.outcome, attempt.duration), (Outcome::Failed, Some(0.5)));
    assert_eq!(attempt.evidence.details.as_deref(), Some("first\nat x"));
    assert_eq!(attempt.evidence.output.as_deref(), Some("out"));
    assert_eq!(attempt.evidence.errout.as_deref(), Some("err"));
    assert_eq!(test.attempts[1].outcome, Outcome::Errored);
    assert_eq!(test.evidence, Default::default());

    let test = only("<testcase name='t'><failure/><rerunError/></testcase>");
    assert_eq!((test.outcome, test.attempts.len()), (Outcome::Failed, 1));
}

#[test]
fn times_are_read_as_they_are_written() {
    let cases = [
        ("0.25", Some(0.25)),
        (" 1 ", Some(1.0)),
        ("2,503.1", Some(2503.1)),
        ("1,234,567", Some(1_234_567.0)),
        ("1e-3", Some(0.001)),
        ("-0", Some(0.0)),
        ("", None),
        ("0,25", None),
        ("0,250", None),
        ("12,34.5", None),
        ("1 s", None),
        ("-1", None),
        ("nan", None),
        ("inf", None),
        ("1e999", None),
    ];
    for (time, seconds) in cases {
        let test = only(&format!("<testcase name='t' time='{time}'/>"));
        assert_eq!(test.duration, seconds, "{time:?}");
    }
    let test = only("<testcase name='t'><time>0.378</time></testcase>");
    assert_eq!(test.duration, Some(0.378));
}

#[test]
fn text_loses_the_margin_of_its_markup_only() {
    let case = "<testcase name='t'><failure>\n   <![CDATA[\n  first\n    second  ]]>\n   </failure>
        <system-out>\n  </system-out></testcase>";
    let test = only(case);
    assert_eq!(test.evidence.details.as_deref(), Some("  first\n    second"));
    assert_eq!(test.evidence.output, None);
    let case = "<testcase name='t'><failure><m>a</m> <![CDATA[<b>]]>&amp;c</failure></testcase>";
    assert_eq!(only(case).evidence.details.as_deref(), Some("a <b>&c"));
}

#[test]
fn a_reason_for_skipping_may_be_text() {
    let test = only("<testcase name='t'><skipped> no database </skipped></testcase>");
    assert_eq!(test.evidence.message.as_deref(), Some("no database"));
    assert_eq!(test.evidence.details, None);
}

#[test]
fn properties_of_a_test_are_kept() {
    let test = only(
        "<properties><property name='of' value='the suite'/></properties>
         <testcase name='t'><properties><property name='a' value='1'/><property name='b'>2</property>
         <property name='a' value='3'/></properties></testcase>",
    );
    let values = Value::Array(vec!["1".into(), "3".into()]);
    let properties = Bag::from([("a".into(), values), ("b".into(), "2".into())]);
    assert_eq!(test.extra, Bag::from([("properties".into(), Value::Struct(properties))]));
}

#[test]
fn a_suite_that_failed_itself_is_a_test() {
    let text = "<testsuite name='s'><testcase name='t'/><error message='m'/>
        <system-out>of the suite</system-out></testsuite>";
    let tests = tests(text);
    assert_eq!(tests.len(), 2);
    assert_eq!((tests[1].id.as_str(), tests[1].outcome), ("s::(suite)", Outcome::Errored));
    assert_eq!(tests[1].evidence.message.as_deref(), Some("m"));
    assert_eq!(ids("<testsuite name='s'><skipped/></testsuite>"), [""; 0]);
}

#[test]
fn what_is_said_of_a_suite_is_kept_beside_its_tests() {
    let text = "<testsuites name='all'><testsuite name='plain'><testcase name='t'/></testsuite>
        <testsuite name='loud'><properties><property name='a' value='1'/><property name='a'>2
        </property></properties><testcase name='t'><system-out>of the test</system-out></testcase>
        <system-out>one\r\n</system-out><system-out>two</system-out><system-err>bad</system-err>
        <testsuite><system-out>inside</system-out></testsuite></testsuite>
        <system-out> </system-out><group><system-err>of all</system-err></group></testsuites>";
    let suite = |name: &str, output: Option<&str>, errout: Option<&str>| Suite {
        name: name.to_owned(),
        output: output.map(str::to_owned),
        errout: errout.map(str::to_owned),
        properties: Bag::new(),
    };
    let values = Value::Array(vec!["1".into(), "2\n        ".into()]);
    let loud = Suite {
        properties: Bag::from([("a".into(), values)]),
        ..suite("loud", Some("one\ntwo"), Some("bad"))
    };
    let report = read(text).unwrap();
    let inside = suite("loud", Some("inside"), None);
    assert_eq!(report.suites, [inside, loud, suite("all", None, Some("of all"))]);
    assert_eq!(report.tests[1].evidence.output.as_deref(), Some("of the test"));
}

#[test]
fn suites_are_limited() {
    let limits = Limits { suites_max: 1, ..Limits::DEFAULT };
    let loud = "<testsuite><system-out>x</system-out></testsuite>";
    let read = |inside: &str| {
        let text = format!("<testsuites>{inside}<testsuite/></testsuites>");
        parse(text.as_bytes(), &limits).map_err(|error| error.to_string())
    };
    assert!(read(loud).is_ok());
    let message = "1:99: over the limit of 1 suites with output or properties";
    assert_eq!(read(&loud.repeat(2)), Err(message.to_owned()));
}

#[test]
fn forbidden_characters_are_kept_visible() {
    let text =
        "<testsuite><testcase name='a\u{1b}[1m'><failure message='&#0;'/></testcase></testsuite>";
    let report = read(text).unwrap();
    assert!(report.sanitised);
    assert_eq!(report.tests[0].id, r"a\x1b[1m");
    assert_eq!(report.tests[0].evidence.message.as_deref(), Some(r"\x00"));
}

#[test]
fn other_formats_are_refused_by_their_root() {
    let cases = [
        (
            "\n<html><testcase/></html>",
            "2:1: not JUnit: root is <html>, expected <testsuites> or <testsuite>",
        ),
        (
            "<test-run id='2'/>",
            "1:1: not JUnit: root is <test-run>, expected <testsuites> or <testsuite>",
        ),
        (
            "<testsuites xmlns='urn:x'><suite/></testsuites>",
            "1:1: not JUnit: root is <testsuites> of urn:x, \
             expected <testsuites> or <testsuite> without namespace",
        ),
        ("", "1:1: the input is empty, expected a root element"),
    ];
    for (text, message) in cases {
        assert_eq!(read(text), Err(message.to_owned()), "{text:?}");
    }
    assert!(read("<testsuites xmlns:xs='urn:x' xmlns=''/>").is_ok());
}

#[test]
fn tests_are_limited() {
    let limits = Limits { tests_max: 1, ..Limits::DEFAULT };
    let read = |text: &str| parse(text.as_bytes(), &limits).map_err(|error| error.to_string());
    assert!(read("<testsuite><testcase/></testsuite>").is_ok());
    let text = "<testsuite><testcase/><testcase/></testsuite>";
    assert_eq!(read(text), Err("1:23: over the limit of 1 tests".to_owned()));
}

#[test]
fn xml_is_detected_behind_marks_and_blanks() {
    let cases: [(&[u8], bool); 7] = [
        (b"<a/>", true),
        (b" \r\n\t<a/>", true),
        (b"\xef\xbb\xbf\n<a/>", true),
        (b"\xff\xfe\n\0<\0", true),
        (b"\xfe\xff\0<", true),
        (b"running 1 test <", false),
        (b"", false),
    ];
    for (input, is_xml) in cases {
        assert_eq!(detect(input), is_xml, "{input:?}");
    }
}

/// A document that uses most of what there is.
const RICH: &str = "<?xml version='1.0'?><testsuites><testsuite name='s'><properties>\
    <property name='p'/></properties><testcase classname='c' name='&amp;' time='1'><failure \
    message='m'>t<![CDATA[<]]></failure><rerunFailure><stackTrace>x</stackTrace></rerunFailure>\
    <system-out>&#65;</system-out></testcase><error/></testsuite></testsuites>";

proptest! {
    #[test]
    fn bytes_never_panic(input in any::<Vec<u8>>()) {
        let _ = parse(&input, &Limits::DEFAULT);
        let _ = detect(&input);
    }

    #[test]
    fn mutated_documents_never_panic(
        edits in prop::collection::vec((0..RICH.len(), 0..40_usize, "[ -~]{0,12}|</?(testcase|failure|system-out|testsuite)>"), 1..5),
    ) {
        let mut text = RICH.to_owned();
        for (at, length, new) in edits {
            let at = at.min(text.len());
            text.replace_range(at..(at + length).min(text.len()), &new);
        }
        if let Ok(report) = read(&text) {
            prop_assert!(report.tests.len() <= text.matches("<test").count());
        }
    }
}

#[test]
fn files_that_output_names_are_listed() {
    let text = "<testcase name='t'><failure/><system-out>x [[ATTACHMENT|a.png]]\n</system-out>\
                <system-err>[[ATTACHMENT|/tmp/trace.zip]]</system-err></testcase><testcase name='u'/>";
    let tests = tests(&format!("<testsuite>{text}</testsuite>"));
    let paths = Value::Array(vec!["a.png".into(), "/tmp/trace.zip".into()]);
    assert_eq!(tests[0].extra, Bag::from([("attachments".to_owned(), paths)]));
    assert_eq!(tests[0].evidence.output.as_deref(), Some("x [[ATTACHMENT|a.png]]\n"));
    assert!(tests[1].extra.is_empty());
}
