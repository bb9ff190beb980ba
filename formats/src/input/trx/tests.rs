//! Documents of our own making, after the schema and what vstest and xunit write.

use proptest::prelude::*;

use super::*;
use crate::input::detect as detect_format;

/// What `dotnet test --logger trx` writes of three tests of xunit, shortened.
const LOFT: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<TestRun id="01" name="hand@shed 2026-01-02 03:04:05" xmlns="http://microsoft.com/schemas/VisualStudio/TeamTest/2010">
  <Times creation="2026-01-02T03:04:05.0000000+00:00" start="2026-01-02T03:04:05.0000000+00:00" />
  <Results>
    <UnitTestResult executionId="e1" testId="t1" testName="Hay.LoftTests.Stacks(bales: 3)" computerName="shed" duration="00:00:00.2500000" testType="13cdc9d9" outcome="Passed" />
    <UnitTestResult executionId="e2" testId="t2" testName="Hay.LoftTests.Falls" computerName="shed" duration="00:01:00.5000000" outcome="Failed">
      <Output>
        <StdOut>climbing</StdOut>
        <StdErr>creaking</StdErr>
        <DebugTrace>traced</DebugTrace>
        <ErrorInfo>
          <Message>Assert.Equal() Failure&#xD;
Expected: up</Message>
          <StackTrace>   at Hay.LoftTests.Falls() in /hay/LoftTests.cs:line 7</StackTrace>
        </ErrorInfo>
        <TextMessages><Message>not an error</Message></TextMessages>
      </Output>
      <ResultFiles><ResultFile path="a.png" /></ResultFiles>
    </UnitTestResult>
    <UnitTestResult executionId="e3" testId="t3" testName="a ladder is there" computerName="shed" outcome="NotExecuted" />
  </Results>
  <TestDefinitions>
    <UnitTest name="Hay.LoftTests.Stacks(bales: 3)" storage="hay.dll" id="t1">
      <Execution id="e1" />
      <TestMethod codeBase="Hay.dll" adapterTypeName="executor://xunit" className="Hay.LoftTests" name="Stacks" />
    </UnitTest>
    <UnitTest name="Hay.LoftTests.Falls" storage="hay.dll" id="t2">
      <TestMethod codeBase="Hay.dll" className="Hay.LoftTests, Hay, Version=1.0.0.0" name="Falls" />
    </UnitTest>
    <UnitTest name="a ladder is there" id="t3"><TestMethod className="Hay.LoftTests" name="Ladder" /></UnitTest>
  </TestDefinitions>
  <TestEntries><TestEntry testId="t1" executionId="e1" testListId="l" /></TestEntries>
  <ResultSummary outcome="Failed">
    <Counters total="3" executed="2" passed="1" failed="1" error="0" notExecuted="0" />
    <RunInfos><RunInfo computerName="shed" outcome="Error"><Text>[xUnit.net 00:00:01] Falls [FAIL]</Text></RunInfo></RunInfos>
  </ResultSummary>
</TestRun>"#;

const LIMITS: Limits = Limits { oddities_max: 10, ..Limits::DEFAULT };

fn read(text: &str) -> Result<Report, String> {
    parse(text.as_bytes(), &LIMITS).map_err(|error| error.to_string())
}

/// A document with these results and nothing else.
fn run(results: &str, rest: &str) -> Report {
    read(&format!("<TestRun xmlns='{NAMESPACE}2010'><Results>{results}</Results>{rest}</TestRun>"))
        .unwrap()
}

fn ids(report: &Report) -> Vec<&str> {
    report.tests.iter().map(|test| test.id.as_str()).collect()
}

fn notes(report: &Report) -> Vec<String> {
    let oddities = report.oddities.first().iter();
    oddities.map(|odd| format!("{}: {}", odd.position.line, odd.message)).collect()
}

#[test]
fn a_document_of_dotnet_test() {
    let report = read(LOFT).unwrap();
    assert_eq!(detect_format(LOFT.as_bytes()), Some(Format::Trx));
    assert_eq!(
        ids(&report),
        [
            "Hay.LoftTests::Stacks(bales: 3)",
            "Hay.LoftTests::Falls",
            "Hay.LoftTests::a ladder is there"
        ]
    );
    let outcomes: Vec<Outcome> = report.tests.iter().map(|test| test.outcome).collect();
    assert_eq!(outcomes, [Outcome::Passed, Outcome::Failed, Outcome::Skipped]);
    let durations: Vec<Option<f64>> = report.tests.iter().map(|test| test.duration).collect();
    assert_eq!(durations, [Some(0.25), Some(60.5), None]);
    let evidence = &report.tests[1].evidence;
    assert_eq!(evidence.message.as_deref(), Some("Assert.Equal() Failure\r\nExpected: up"));
    assert_eq!(
        evidence.details.as_deref(),
        Some("   at Hay.LoftTests.Falls() in /hay/LoftTests.cs:line 7")
    );
    assert_eq!(evidence.output.as_deref(), Some("climbing"));
    assert_eq!(evidence.errout.as_deref(), Some("creaking"));
    assert!(!report.sanitised);
    assert_eq!(notes(&report), [""; 0]);
}

#[test]
fn every_outcome_of_the_schema_is_known() {
    let cases = [
        ("outcome='Passed'", Outcome::Passed),
        ("outcome='PassedButRunAborted'", Outcome::Passed),
        ("outcome='Warning'", Outcome::Passed),
        ("outcome='Completed'", Outcome::Passed),
        ("outcome='Failed'", Outcome::Failed),
        ("outcome='Error'", Outcome::Errored),
        ("outcome='Timeout'", Outcome::Errored),
        ("outcome='Aborted'", Outcome::Errored),
        ("outcome='Disconnected'", Outcome::Errored),
        ("outcome='InProgress'", Outcome::Errored),
        ("outcome='NotExecuted'", Outcome::Skipped),
        ("outcome='NotRunnable'", Outcome::Skipped),
        ("outcome='Inconclusive'", Outcome::Skipped),
        ("outcome='Pending'", Outcome::Skipped),
        ("", Outcome::Errored),
    ];
    for (attribute, outcome) in cases {
        let report = run(&format!("<UnitTestResult testName='t' {attribute}/>"), "");
        assert_eq!(report.tests[0].outcome, outcome, "{attribute}");
        assert_eq!(notes(&report), [""; 0], "{attribute}");
    }
    let report = run("<UnitTestResult testName='t' outcome='Perhaps'/>", "");
    assert_eq!(report.tests[0].outcome, Outcome::Errored);
    assert_eq!(notes(&report), ["1: unknown outcome `Perhaps`, counted as errored"]);
}

#[test]
fn rows_of_data_count_and_their_sum_does_not() {
    let rows =
        "<UnitTestResult testId='t' testName='Sum' outcome='Failed' resultType='DataDrivenTest'>
        <Output><StdOut>of the sum</StdOut></Output><InnerResults>
        <UnitTestResult testId='t' testName='Sum (Data Row 0)' outcome='Passed'/>
        <UnitTestResult testId='t' testName='Sum (Data Row 1)' outcome='Failed'/>
        </InnerResults></UnitTestResult>";
    let definitions = "<TestDefinitions><UnitTest id='t'><TestMethod className='C' name='Sum'/>
        </UnitTest></TestDefinitions>";
    for total in [2, 3] {
        let summary = format!("<ResultSummary><Counters total='{total}'/></ResultSummary>");
        let report = run(rows, &format!("{definitions}{summary}"));
        assert_eq!(ids(&report), ["C::Sum (Data Row 0)", "C::Sum (Data Row 1)"]);
        assert_eq!(notes(&report), [""; 0], "{total}");
    }
    let report = run(rows, "<ResultSummary><Counters total='4'/></ResultSummary>");
    assert_eq!(notes(&report), ["5: the summary declares 4 tests, 2 are here"]);
}

#[test]
fn a_sum_that_failed_by_itself_is_a_test() {
    let inner = "<InnerResults><GenericTestResult testName='a' outcome='Passed'/></InnerResults>";
    let aggregation = |outcome| {
        run(
            &format!(
                "<TestResultAggregation testName='all' outcome='{outcome}'>{inner}</TestResultAggregation>"
            ),
            "",
        )
    };
    assert_eq!(ids(&aggregation("Passed")), ["a"]);
    assert_eq!(ids(&aggregation("Timeout")), ["a", "all"]);
}

#[test]
fn a_run_that_failed_without_a_failed_test_is_not_green() {
    let summary = "<ResultSummary outcome='Failed'><RunInfos><RunInfo outcome='Error'>
        <Text>test host crashed</Text></RunInfo><RunInfo outcome='Warning'><Text>w</Text></RunInfo>
        </RunInfos></ResultSummary>";
    let report = run("<UnitTestResult testName='a' outcome='Passed'/>", summary);
    assert_eq!(ids(&report), ["a", "test run"]);
    assert_eq!(report.tests[1].outcome, Outcome::Errored);
    assert_eq!(report.tests[1].evidence.details.as_deref(), Some("test host crashed"));
    let report = run("<UnitTestResult testName='a' outcome='Failed'/>", summary);
    assert_eq!(ids(&report), ["a"]);
    let report = run("", "<ResultSummary outcome='Completed'/>");
    assert_eq!(ids(&report), [""; 0]);
}

#[test]
fn ids_make_do_with_what_is_there() {
    let report = run(
        "<UnitTestResult testId='t1' testName='N.C.M' outcome='Passed'/>
         <UnitTestResult testId='t2' testName='' outcome='Passed'/>
         <UnitTestResult testId='t3' outcome='Passed'/><UnitTestResult outcome='Passed'/>
         <UnitTestResult testId='t4' testName='N.C.' outcome='Passed' duration='soon'/>",
        "<TestDefinitions><UnitTest id='t2'><TestMethod className='N.C' name='N.C.M2'/></UnitTest>
         <UnitTest id='t3'><TestMethod className='' name='M3'/></UnitTest>
         <UnitTest id='t4'><TestMethod className='N.C' name='M4'/></UnitTest><UnitTest/>
         <OrderedTest id='t5'/></TestDefinitions>",
    );
    assert_eq!(ids(&report), ["N.C.M", "N.C::M2", "M3", "(unnamed)", "N.C::N.C."]);
    assert_eq!(notes(&report), ["4: duration `soon` is no `hh:mm:ss.fffffff`, left out"]);
}

#[test]
fn the_namespace_decides() {
    assert!(read(&format!("<TestRun xmlns='{NAMESPACE}2006'/>")).is_ok());
    let cases = [
        ("<TestRun/>", "1:1: not TRX: root is <TestRun>, expected "),
        ("<TestRun xmlns='urn:x'/>", "1:1: not TRX: root is <TestRun> of urn:x, expected "),
        ("<testsuites/>", "1:1: not TRX: root is <testsuites>, expected "),
    ];
    for (text, message) in cases {
        let error = read(text).unwrap_err();
        assert!(error.starts_with(message), "{error}");
        assert_eq!(detect_format(text.as_bytes()), Some(Format::Junit));
    }
    let utf_16: Vec<u8> = format!("\u{feff}<TestRun xmlns='{NAMESPACE}2010'/>")
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    assert_eq!(detect_format(&utf_16), Some(Format::Trx));
    assert!(parse(&utf_16, &Limits::DEFAULT).is_ok());
}

#[test]
fn tests_and_definitions_are_limited() {
    let limits = Limits { tests_max: 1, ..Limits::DEFAULT };
    let read = |inside: &str| {
        let text = format!("<TestRun xmlns='{NAMESPACE}2010'>\n{inside}</TestRun>");
        parse(text.as_bytes(), &limits).map_err(|error| error.to_string())
    };
    let report = read("<Results><UnitTestResult outcome='?'/></Results>").unwrap();
    assert_eq!(report.oddities.total(), 0);
    let error = read("<Results><UnitTestResult/><UnitTestResult/></Results>").unwrap_err();
    assert_eq!(error, "2:27: over the limit of 1 tests");
    let unit = |id| format!("<UnitTest id='{id}'><TestMethod className='C' name='m'/></UnitTest>");
    let definitions = format!("<TestDefinitions>{}{}</TestDefinitions>", unit("a"), unit("b"));
    assert!(read(&definitions).unwrap_err().ends_with("over the limit of 1 test definitions"));
}

proptest! {
    #[test]
    fn mutated_documents_never_panic(
        edits in prop::collection::vec((0..LOFT.len(), 0..40_usize, "[ -~]{0,12}|</?(UnitTestResult|InnerResults|Output|TestMethod)>"), 1..5),
    ) {
        let mut text = LOFT.to_owned();
        for (at, length, new) in edits {
            let at = at.min(text.len());
            text.replace_range(at..(at + length).min(text.len()), &new);
        }
        let _ = read(&text);
    }
}
