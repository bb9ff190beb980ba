//! `pony-report validate`: what it says of good, odd and broken inputs, and that it refuses what `submit`
//! refuses, in the same words.

use crate::inputs::{CARGO, JUNIT};
use crate::world::{World, results};

const TRX: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<TestRun id="1" xmlns="http://microsoft.com/schemas/VisualStudio/TeamTest/2010">
  <Results>
    <UnitTestResult testId="t" testName="Hay.Loft.Up" duration="00:00:01.5000000" outcome="Passed" />
    <UnitTestResult testId="u" testName="Down" outcome="Perhaps" />
  </Results>
  <TestDefinitions>
    <UnitTest id="t"><TestMethod className="Hay.Loft" name="Up" /></UnitTest>
  </TestDefinitions>
</TestRun>
"#;

const ODD: &str = "<testsuite name='pytest' tests='3' time='soon'>
<testcase name='a'/>
<testcase name='a'/></testsuite>";

#[test]
fn a_good_input_gets_its_format_and_its_counts() {
    let world = World::new();
    world.file("out.xml", JUNIT);
    world.file("log.txt", CARGO);
    world.run(&["validate", "out.xml", "log.txt"]).ends_with(0).printed(
        "out.xml: junit\n  4 tests: 1 passed, 1 failed, 1 errored, 1 skipped\n\
         log.txt: cargo-test\n  2 tests: 1 passed, 1 failed\n",
    );
}

#[test]
fn what_is_odd_is_noted_by_place_and_accepted() {
    let world = World::new();
    world.file("odd.xml", ODD);
    world.run(&["validate", "odd.xml"]).ends_with(0).printed(
        "odd.xml: junit, dialect: looks like pytest\n  2 tests: 2 passed\n\
         odd.xml:1:1: note: time `soon` is no number of seconds, left out\n\
         odd.xml:3:1: note: another test `pytest::a`, the first is at 2:1\n\
         odd.xml:1:1: note: suite `pytest` declares 3 tests where 2 are\n",
    );
    let many = format!("<testsuite>{}</testsuite>", "<testcase/>".repeat(101));
    world
        .pipe(many, &["validate", "-"])
        .ends_with(0)
        .mentions("-: junit\n  101 tests: 101 passed\n-:1:12: note: a test without a name\n")
        .mentions("\n-: 101 more notes not shown\n");
}

#[test]
fn tests_without_a_name_are_told_from_the_others() {
    let world = World::new();
    let dots = "...\n----------------------------------------------------------------------\n\
                Ran 3 tests in 0.001s\n\nOK\n";
    world
        .pipe(dots, &["validate"])
        .ends_with(0)
        .printed("-: nose\n  3 tests: 3 passed (3 without a name)\n");
}

#[test]
fn what_is_refused_is_refused_as_submit_does_it() {
    let world = World::new();
    world.file("good.xml", JUNIT);
    world.file("cut.xml", &JUNIT[..JUNIT.len() - 30]);
    world.file("poem.txt", "no test in sight\n");
    for (name, status) in [("cut.xml", 65), ("poem.txt", 65), ("gone.xml", 66)] {
        let submitted =
            world.run(&["submit", "--repo", "r.git", "--package", "p", name]).ends_with(status);
        let validated = world.run(&["validate", name]).ends_with(status).printed("");
        assert_eq!(validated.stderr(), submitted.stderr());
    }
    // All are looked at, and the highest status stays.
    world
        .run(&["validate", "gone.xml", "cut.xml", "good.xml"])
        .ends_with(66)
        .complains("error: cannot read gone.xml: ")
        .complains("error: cut.xml:6:")
        .mentions("good.xml: junit\n");
}

#[test]
fn json_has_one_line_for_each_input() {
    let world = World::new();
    world.file("odd.xml", ODD);
    world
        .run(&["validate", "--output", "json", "odd.xml", "gone.xml"])
        .ends_with(66)
        .mentions(concat!(
            r#"{"file":"odd.xml","status":0,"dialect":"pytest","format":"junit","total":2,"passed":2,"#,
            r#""failed":0,"errored":0,"skipped":0,"unnamed":0,"notes":[{"line":1,"column":1,"#
        ))
        .mentions(r#""notes_total":3}"#)
        .mentions("\n{\"file\":\"gone.xml\",\"status\":66,\"error\":\"cannot read gone.xml: ");
}

#[test]
fn a_wrong_guess_is_told_what_the_input_looks_like() {
    let world = World::new();
    let html = "<html><body>502 Bad Gateway</body></html>";
    let nunit = "<?xml version='1.0'?><test-run id='2'/>";
    let cases: [(&str, &[u8], &[&str], &str); 8] = [
        (
            "a",
            JUNIT.as_bytes(),
            &["--from", "nose"],
            "; looks like junit: leave --from out, or use --from junit",
        ),
        ("b", CARGO.as_bytes(), &["--from", "junit"], "; looks like cargo-test: leave --from out"),
        ("c", TRX.as_bytes(), &["--from", "junit"], "not JUnit: root is <TestRun>, expected"),
        (
            "d",
            html.as_bytes(),
            &[],
            "not JUnit: root is <html>, expected <testsuites> or <testsuite>; looks like HTML",
        ),
        ("e", html.as_bytes(), &["--from", "pytest"], "; looks like HTML"),
        ("f", nunit.as_bytes(), &[], "; looks like NUnit XML"),
        ("g", b"[1, 2]", &[], "g:1:1: looks like JSON: expected one of junit, "),
        ("h", b"\x1f\x8b\x08\0\0", &[], "h:1:1: looks like gzip data: expected one of junit, "),
    ];
    for (name, content, flags, message) in cases {
        world.file(name, content);
        world.run(&[&["validate"], flags, &[name]].concat()).ends_with(65).complains(message);
    }
    world
        .run(&["validate", "--from", "junit", "c"])
        .complains("; looks like trx: leave --from out");
}

#[test]
fn trx_is_read_and_submitted() {
    let world = World::new();
    world.file("run.trx", TRX);
    world.run(&["validate", "run.trx"]).ends_with(0).printed(
        "run.trx: trx\n  2 tests: 1 passed, 1 errored\n\
         run.trx:5:5: note: unknown outcome `Perhaps`, counted as errored\n",
    );
    world.run(&["submit", "--repo", "r.git", "--package", "p", "run.trx"]).ends_with(0);
    let [result] = &results(&world.path("r.git"), "p")[..] else { panic!("not one result") };
    let step = &result.submission.results_list[0];
    let ids: Vec<&str> = step.tests().iter().map(|test| test.id.as_str()).collect();
    // A document is no log, so it is not kept as output.
    assert_eq!((ids, step.output()), (vec!["Down", "Hay.Loft::Up"], None));
}
