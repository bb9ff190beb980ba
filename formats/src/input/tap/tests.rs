//! The TAP reader, by what producers write.

use proptest::prelude::*;

use super::super::answers;
use super::*;
use crate::model::TestCase;

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
fn node_reads() {
    insta::assert_debug_snapshot!(tests(include_str!("fixtures/node.tap")));
}

#[test]
fn prove_reads() {
    insta::assert_snapshot!(told(include_str!("fixtures/prove.txt")).join("\n"));
}

#[test]
fn what_stands_under_a_failure_is_its_details() {
    let text =
        "TAP version 13\nnot ok 1 wet\n  HayError: wet\n      at barn.js:3\n# tests 1\n1..1\n";
    let test = &tests(text)[0];
    assert_eq!(test.evidence.message.as_deref(), Some("HayError: wet"));
    assert_eq!(test.evidence.details.as_deref(), Some("  HayError: wet\n      at barn.js:3"));
    let text = "1..1\nnot ok 1\n#   Failed test at t/hay.t line 2.\n#   at t/hay.t line 2.\n#  got: 1\n\
                #  expected: 2\n\n# more\n";
    let test = &tests(text)[0];
    assert_eq!(test.evidence.message.as_deref(), Some("expected 2, got 1"));
    assert_eq!((test.file.as_deref(), test.line), (Some("t/hay.t"), Some(2)));
    assert!(!test.evidence.details.as_deref().unwrap().contains("more"));
}

#[test]
fn yaml_names_the_place_in_every_producers_way() {
    for yaml in [
        "file: hay.js\n  line: 3",
        "at:\n    line: 3\n    file: hay.js",
        "at: Test.<anonymous> (hay.js:3:7)",
        "location: 'hay.js:3:7'",
    ] {
        let text =
            format!("1..1\nnot ok 1 hay\n  ---\n  found: 1\n  wanted: \"2\"\n  {yaml}\n  ...\n");
        let test = &tests(&text)[0];
        assert_eq!((test.file.as_deref(), test.line), (Some("hay.js"), Some(3)), "{yaml}");
        assert_eq!(test.evidence.message.as_deref(), Some("expected 2, got 1"));
    }
}

#[test]
fn an_open_yaml_block_ends_with_its_indentation() {
    let text = "1..2\nnot ok 1 hay\n  ---\n  message: 'it''s wet'\n\n    ...\nok 2\n";
    assert_eq!(told(text), ["F hay: it's wet", "P test 2"]);
}

#[test]
fn tests_that_are_missing_are_an_error() {
    assert_eq!(told("1..3\nok\nok\n")[2], "E plan: 1 of 3 planned tests are missing");
    assert_eq!(told("1..1\nok\nok\n")[2], "E plan: 2 tests, but 1 were planned");
    assert_eq!(
        told("1..3\nok 2\nok 4\nok 1\n")[3],
        "E plan: test number 4 is beyond the plan of 3"
    );
    assert_eq!(told("ok 1\n")[1], "E plan: no plan: the output ends early, after 1 tests");
    assert_eq!(told("TAP version 14\n"), ["E plan: no plan: the output ends early, after 0 tests"]);
    assert_eq!(
        told("1..1\n# Subtest: barn\n    1..2\n    ok 1 - door\nok 1 - barn\n"),
        ["P barn::door", "E barn: 1 of 2 planned tests are missing"]
    );
}

#[test]
fn a_plan_of_nothing_is_a_skip() {
    assert_eq!(told("1..0 # SKIP no hay\n"), ["S plan: no hay"]);
    assert_eq!(told("TAP version 14\n1..0\n"), ["S plan"]);
    assert_eq!(told("1..1\n    1..0 # no hay\nok 1 - barn\n"), ["S barn"]);
}

#[test]
fn a_bail_out_ends_it_all() {
    let text = "1..3\n# Subtest: barn\n    ok 1 - door\n    Bail out! fire \\#1\nok 3\n";
    assert_eq!(told(text), ["P barn::door", "E Bail out!: fire #1"]);
    let details = tests(text)[1].evidence.details.clone();
    assert_eq!(details.as_deref(), Some("3 of 3 planned tests are missing"));
}

#[test]
fn the_test_around_subtests_counts_when_it_says_more_than_they_do() {
    let around =
        |inner: &str, outer: &str| told(&format!("1..1\n    1..1\n    {inner}\n{outer}\n"));
    assert_eq!(around("ok 1 - a", "ok 1 - b"), ["P b::a"]);
    assert_eq!(around("not ok 1 - a", "not ok 1 - b"), ["F b::a"]);
    assert_eq!(around("ok 1 - a", "not ok 1 - b"), ["P b::a", "F b"]);
    assert_eq!(around("not ok 1 - a", "not ok 1 - b # todo c"), ["x b::a"]);
    assert_eq!(around("not ok 1 - a", "ok 1 - b"), ["F b::a"]);
}

#[test]
fn subtests_may_stand_anywhere_that_a_producer_puts_them() {
    let twice = "1..1\n        ok 1 - a\n        1..1\n    ok 1 - b\n    1..1\nok 1 - c\n";
    assert_eq!(told(twice), ["P c::b::a"]);
    let braces = "ok 1 - b # time=1.5ms {\n    ok 1 - a {\n        ok 1 - x\n        1..1\n    }\n    1..1\n}\n\
                  ok 2 - c\n1..2\n";
    assert_eq!(told(braces), ["P b::a::x", "P c"]);
    let cut = "1..2\nok 1 - a\n# Subtest: b\n    ok 1 - c\n";
    assert_eq!(told(cut), ["P a", "P b::c", "E plan: 1 of 2 planned tests are missing"]);
    let noise = "1..1\nok 1 - a\n    ok this is output\n   ok neither\n";
    assert_eq!(told(noise), ["P a"]);
}

#[test]
fn one_stream_may_follow_another() {
    let text = "ok 1 - a\n1..1\nok 1 - b\n1..1\n1..2\nok 1 - c\nTAP version 13\n1..1\nok 1 - d\n";
    let plan = "E plan: 1 of 2 planned tests are missing";
    assert_eq!(told(text), ["P a", "P b", "P c", plan, "P d"]);
}

#[test]
fn tap_is_known_by_its_version_or_its_plan() {
    let detect = |text: &str| detect(&Screen::of(text.as_bytes())).is_some();
    for text in ["noise\nTAP version 13\n", "ok 1\n1..1\n", "1..1\nnot ok\n", "1..0 # SKIP x\n"] {
        assert!(detect(text), "{text}");
    }
    for text in ["", "ok 1\nok 2\n", "1..3\n", "test a ... ok\n1..2\n", "TAP version x"] {
        assert!(!detect(text), "{text}");
    }
}

#[test]
fn formats_are_not_mistaken_for_one_another() {
    use crate::{Format, detect};
    let barn = include_bytes!("../ctrf/fixtures/barn.json");
    assert_eq!(detect(barn), Some(Format::Ctrf));
    assert_eq!(detect(include_bytes!("../go_test/fixtures/barn.json")), Some(Format::GoTest));
    assert_eq!(detect(include_bytes!("fixtures/node.tap")), Some(Format::Tap));
    assert_eq!(detect(include_bytes!("fixtures/prove.txt")), Some(Format::Tap));
    let cargo =
        b"running 1 test\ntest a ... ok\n\ntest result: ok. 1 passed; 0 failed; 0 ignored\n";
    assert!(
        ![Some(Format::Tap), Some(Format::GoTest), Some(Format::Ctrf)].contains(&detect(cargo))
    );
}

#[test]
fn what_is_no_tap_is_refused() {
    let error = |text: &[u8], limits: &Limits| parse(text, limits).unwrap_err().to_string();
    assert_eq!(
        error(b"hay\nstraw", &Limits::DEFAULT),
        "2:6: no test results: expected a plan such as `1..3`, and `ok` and `not ok` lines"
    );
    let limits = Limits { tests_max: 2, ..Limits::DEFAULT };
    assert_eq!(error(b"1..3\nok\nok\nok\n", &limits), "4:1: more than 2 tests");
    let limits = Limits { input_bytes_max: 3, ..Limits::DEFAULT };
    assert_eq!(error(b"1..0", &limits), "1:1: 4 bytes of input, at most 3 are read");
}

#[test]
fn depth_has_a_bound() {
    let deep = |levels: usize| format!("{}ok 1 - a\n", " ".repeat(levels * 4));
    let text = format!("1..1\n{}{}ok 1 - b\n", deep(32), deep(1_000_000));
    let ids: Vec<String> = tests(&text).into_iter().map(|test| test.id).collect();
    assert_eq!(ids, ["b::a"]);
}

#[test]
fn a_long_name_around_many_tests_has_a_bound() {
    let text = format!("{}1..1\n# Subtest\nok 1 - {}\n", "    ok\n".repeat(99), "x".repeat(99));
    let limits = Limits { input_bytes_max: 5_000, ..Limits::DEFAULT };
    let error = parse(text.as_bytes(), &limits).unwrap_err().to_string();
    assert_eq!(error, "103:1: the names around the tests make ids longer than 5000 bytes in all");
    assert!(parse(text.as_bytes(), &Limits::DEFAULT).is_ok());
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(
        lines in prop::collection::vec((0_usize..13, prop::sample::select(vec![
            "ok", "not ok", "ok 1 - a", "not ok 2 # todo", "ok # SKIP x", "ok 18446744073709551615",
            "1..0", "1..18446744073709551615", "1..2 # x", "---", "...", "message: |-", "at: (:1:1)", "key",
            "at:", "file: é", "'", "\"", "# Subtest: a", "# Subtest", "#", "{", "ok {", "}", "Bail out!",
            "TAP version 13", "t/a.t .. ", "t/a.t .. skipped: x", "Dubious, test returned 1", "é\\", "",
        ])), 0..40),
        noise in any::<Vec<u8>>(),
    ) {
        let indented = |(indent, text): &(usize, &str)| format!("{}{text}\n", " ".repeat(*indent));
        let text: String = lines.iter().map(indented).collect();
        for input in [text.as_bytes(), &noise] {
            detect(&Screen::of(input));
            let _ = parse(input, &Limits::DEFAULT);
        }
    }

    #[test]
    fn a_text_that_was_cut_is_never_an_empty_pass(cut in 1_usize..2_000) {
        let text = include_str!("fixtures/node.tap");
        if let Ok(report) = parse(&text.as_bytes()[..cut.min(text.len())], &Limits::DEFAULT) {
            prop_assert!(report.tally().bad() > 0);
        }
    }
}
