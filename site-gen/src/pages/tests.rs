//! What the pages of a small, made-up history look like, without what every page has in common.

use jiff::Timestamp;
use pony_formats::{
    Attempt, ClientInfo, Evidence, Outcome, Receipt, Step, Submission, Tagset, Tally, TestCase,
    TestResult, Value,
};
use pony_store::{Artifact, Cut};

use super::*;
use crate::analysis::{
    LineHistory, PackageHistory, Repository, ResultNotes, Revision, Trunk, line_of_results,
};
use crate::annotations::Annotations;
use crate::history::tests::row;
use crate::history::{Row, Unreadable};
use crate::view::{ResultView, TestPages};

fn now() -> Timestamp {
    "2026-03-02T12:00:00Z".parse().unwrap()
}

fn main_of(page: &str) -> &str {
    let start = page.find("<main id=\"content\">").unwrap();
    page[start..page.find("</main>").unwrap()].trim()
}

/// With a revision whose commit is made of `digits`.
fn of(digits: &str, row: Row) -> Row {
    Row { tested: Revision { commit: digits.repeat(8), ..revision() }, ..row }
}

fn packages() -> Vec<Package> {
    let package = crate::history::tests::package;
    let unreadable = Unreadable {
        key: row(5, "x", true).key,
        commit: "f00d".repeat(10),
        reason: "cut off".into(),
    };
    let mut lost = package("lost", vec![]);
    lost.add_unreadable(unreadable);
    vec![
        package("calm", vec![row(30, "a", true)]),
        lost,
        package(
            "red & <b>",
            vec![
                of("11", row(1, "a", true)),
                of("22", row(2, "b", false)),
                of("22", row(31, "a", true)),
            ],
        ),
    ]
}

#[test]
fn index_shows_failing_packages_first() {
    let packages = packages();
    let history = history();
    let known: Vec<_> = packages.iter().map(|package| (package, &history)).collect();
    let page = index(&known[2..], &[], &Annotations::default(), &"c0de".repeat(10), now()).unwrap();
    insta::assert_snapshot!("attention", main_of(&page));
    let calm = PackageHistory::default();
    let known: Vec<_> = packages.iter().map(|package| (package, &calm)).collect();
    let page = index(&known, &[], &Annotations::default(), &"c0de".repeat(10), now()).unwrap();
    insta::assert_snapshot!(main_of(&page));
}

#[test]
fn index_of_an_empty_repository_says_so() {
    let page = index(&[], &[], &Annotations::default(), &"c0de".repeat(10), now()).unwrap();
    assert!(main_of(&page).contains("No results yet"));
    assert!(main_of(&page).contains("0 packages"));
}

#[test]
fn what_was_moved_elsewhere_is_named_where_somebody_would_look_for_it() {
    let cut = |url: &str| Cut {
        name: "2025".into(),
        url: url.into(),
        before: "2026-01-01".parse().unwrap(),
        commit: "a5".repeat(20).parse().unwrap(),
        results: 1234,
        next_number: None,
        history: None,
    };
    let cuts = [cut("https://ci.example/2025.git"), cut("javascript:alert(1)")];
    for page in [
        index(&[], &cuts, &Annotations::default(), "", now()).unwrap(),
        not_found(None, &cuts).unwrap(),
    ] {
        let link = "<a href=\"https://ci.example/2025.git\">";
        assert!(page.contains("results received before 2026-01-01 are in 2025: "), "{page}");
        assert!(page.contains(link) && !page.contains("href=\"javascript"), "{page}");
        assert!(page.contains("<code>javascript:alert(1)</code>"));
    }
    assert!(!not_found(None, &[]).unwrap().contains("archive"));
}

#[test]
fn a_shortened_stream_leads_to_the_whole() {
    let mut result = one_result();
    result.submission.results_list[0] =
        result.submission.results_list[0].clone().with("output", "a\n[pony left out 9 bytes]\nb");
    let artifact = |filename: &str| Artifact {
        filename: filename.into(),
        description: String::new(),
        size: 1,
        sha256: [0; 32].into(),
        visible: true,
    };
    let page = |name: &str, links: bool| {
        let (view, _) = ResultView::new(&result, &[artifact(name)], links, &revision(), None);
        super::result(&view, "", false).unwrap()
    };
    let link = "<a href=\"files/steps-00-output.txt\">The whole as a file</a>";
    assert!(
        page("steps-00-output.txt", true).contains(link),
        "{}",
        page("steps-00-output.txt", true)
    );
    assert!(!page("steps-00-output.txt", false).contains("The whole as a file"));
    assert!(!page("steps-07-output.txt", true).contains("The whole as a file"));
}

#[test]
fn package_shows_the_latest_result_of_each_line() {
    insta::assert_snapshot!(main_of(
        &package(&packages()[2], &PackageHistory::default(), now()).unwrap()
    ));
}

#[test]
fn package_without_readable_results_still_has_a_page() {
    let page = package(&packages()[1], &PackageHistory::default(), now()).unwrap();
    assert!(page.contains("unreadable result <a href=\"1772341200000000007/index.html\">"));
    assert!(!page.contains("latest/index.html"));
}

#[test]
fn result_shows_failures_first_and_everything_once() {
    let result = one_result();
    let artifact = Artifact {
        filename: "wheel 1.whl".into(),
        description: "the wheel".into(),
        size: 12345,
        sha256: [0xab; 32].into(),
        visible: true,
    };
    let hidden = Artifact { filename: "secret".into(), visible: false, ..artifact.clone() };
    let (view, full) =
        ResultView::new(&result, &[artifact, hidden], true, &revision(), Some(&notes(&result)));
    assert!(full.is_empty());
    let page = super::result(&view, &"c0de".repeat(10), false).unwrap();
    insta::assert_snapshot!(main_of(&page));
}

#[test]
fn tests_worth_a_look_are_listed_by_urgency() {
    let (packages, history) = (packages(), history());
    let concerns = history.concerns();
    let page = test_list(&packages[2], &history, &TestPages::of(&concerns)).unwrap();
    insta::assert_snapshot!(main_of(&page));
}

#[test]
fn a_test_has_its_history_on_every_build_line() {
    let (packages, history) = (packages(), history());
    let concerns = history.concerns();
    let page = super::test(&packages[2], &history, &concerns[0]).unwrap();
    insta::assert_snapshot!(main_of(&page));
}

#[test]
fn a_commit_has_its_tests_against_build_lines() {
    use crate::analysis::{Attempted, JoinedCommit};
    let mut joined = JoinedCommit::new("2222222222222222");
    for (hour, host) in [(1, "a"), (2, "<b>"), (3, "a")] {
        let row = of("22", row(hour, host, false));
        joined.take(Attempted::new(&row, Some(&one_result())));
    }
    insta::assert_snapshot!(main_of(&commit("red & <b>", &joined).unwrap()));
}

#[test]
fn a_build_line_has_plots_and_its_tests_against_commits() {
    let mut recent = crate::analysis::Recent::default();
    for hour in 1..4 {
        recent.take(of("22", row(hour, "a", hour < 3)), LINE_RECENT_MAX);
    }
    let history = super::tests::line("a");
    let page = super::line("red & <b>", &history.name, &recent, Some(&history), None).unwrap();
    insta::assert_snapshot!(main_of(&page.unwrap()));
}

#[test]
fn a_machine_has_its_build_lines_with_failing_ones_first() {
    let mut machine = crate::analysis::Machine::new("a");
    for (hour, package, success) in [(1, "calm", true), (2, "red & <b>", false)] {
        let row = row(hour, "a", success);
        let (line, mut recent) = (row.line(), crate::analysis::Recent::default());
        recent.take(row, LINE_RECENT_MAX);
        machine.put(package, &line, &recent);
    }
    insta::assert_snapshot!(main_of(&super::machine(&machine, vec![]).unwrap()));
}

#[test]
fn nothing_to_look_at_is_said() {
    let calm = PackageHistory::default();
    let page = test_list(&packages()[0], &calm, &TestPages::of(&[])).unwrap();
    assert!(page.contains("Every test that is known has always passed"));
}

fn revision() -> Revision {
    let repository = Repository::parse("https://github.com/ox/cart");
    Revision { commit: "2222222222222222".into(), repository, ..Revision::default() }
}

fn line(host: &str) -> LineHistory {
    let bad = if host == "a" { 'F' } else { 'P' };
    line_of_results(
        host,
        &[
            (
                "1111111111111111",
                &[("a::fails", 'P'), ("a::flaky", 'P'), ("gone", 'P'), ("c", 'F')],
            ),
            ("2222222222222222", &[("a::fails", bad), ("a::flaky", 'R'), ("b", 'P'), ("c", 'P')]),
        ],
    )
}

fn history() -> PackageHistory {
    let lines = [line("a"), line("<b>")];
    PackageHistory::of(Trunk::default(), 2, |index| lines.get(index).cloned()).unwrap()
}

fn notes(result: &TestResult) -> ResultNotes {
    ResultNotes::new(&line("a"), &Trunk::default(), result, &revision(), 100)
}

#[test]
fn ten_thousand_tests_stay_manageable() {
    let outcome = |index: usize| match index % 20 {
        0 => Outcome::Failed,
        _ => Outcome::Passed,
    };
    let tests = (0..10_000).map(|index| {
        let mut test =
            TestCase::new(format!("module::sub::test_number_{index:05}"), outcome(index));
        test.duration = Some(0.001);
        test.evidence.details = Some("trace\n".repeat(1_000));
        test
    });
    let mut result = one_result();
    result.submission.results_list = vec![Step::default().with_tests(tests.collect())];
    let (view, _) = ResultView::new(&result, &[], false, &revision(), None);
    let page = super::result(&view, "c0de", false).unwrap();
    assert!(page.contains("Failing tests <span class=\"count\">500</span>"));
    assert!(page.len() < 1024 * 1024, "{} bytes", page.len());
    assert!(page.contains("passed-2.html"));
    let names: String =
        view.tests.portions().map(|one| portion(&view, one, "c0de").unwrap()).collect();
    assert!(names.contains("test_number_09999"), "every test is named");
}

#[test]
fn long_output_is_cut_and_kept_beside_the_page() {
    let mut result = one_result();
    let long = "x".repeat(10 * 1024 * 1024);
    result.submission.results_list =
        vec![Step::default(), Step::default().with("output", long.as_str())];
    let (view, full) = ResultView::new(&result, &[], false, &revision(), None);
    let page = super::result(&view, "c0de", false).unwrap();
    assert_eq!((full.len(), full[0].file().as_str()), (1, "step-2-output.txt"));
    assert_eq!(full[0].text, long);
    assert!(page.contains("Showing 262,144 of 10,485,760 bytes"));
    assert!(page.contains("href=\"step-2-output.txt\""));
    assert!(page.len() < 300 * 1024, "{} bytes", page.len());
}

fn one_result() -> TestResult {
    let row = row(1, "atlas", false);
    let tagset = Tagset {
        package: "demo".into(),
        host: "atlas".into(),
        arch: "linux-x86_64".into(),
        tags: ["py3.14".to_owned()].into(),
    };
    let client_info = ClientInfo::new(&tagset, false)
        .and_then(|info| info.with("duration", 75.0))
        .and_then(|info| info.with("commit", "0123abcd"))
        .and_then(|info| info.with("optional", Value::Array(vec!["six".into(), Value::Nil])))
        .unwrap();
    let test = |id: &str, outcome| TestCase::new(id, outcome);
    let failed = TestCase {
        duration: Some(0.25),
        file: Some("tests/test_a.py".into()),
        line: Some(3),
        evidence: Evidence {
            message: Some("1 != 2".into()),
            kind: Some("AssertionError".into()),
            details: Some("Traceback\n  1 != 2".into()),
            output: Some("\u{1b}[31mhello\u{1b}[0m".into()),
            errout: None,
        },
        ..test("a::fails", Outcome::Failed)
    };
    let attempt = Attempt {
        outcome: Outcome::Failed,
        duration: Some(1.0),
        evidence: failed.evidence.clone(),
    };
    let flaky = TestCase { attempts: vec![attempt], ..test("a::flaky", Outcome::Flaky) };
    let skipped = TestCase {
        evidence: Evidence { message: Some("needs a GPU".into()), ..Evidence::default() },
        ..test("a::skipped", Outcome::Skipped)
    };
    let tests = vec![
        failed,
        flaky,
        skipped,
        test("a::passes", Outcome::Passed),
        test("b", Outcome::ExpectedFailure),
    ];
    let checkout = Step::default().with("name", "checkout").with("out", "").with("depth", 1i64);
    let run = Step::default()
        .with("type", "test")
        .with("name", "tests")
        .with("command", Value::Array(vec!["make".into(), "test".into()]))
        .with("status", Value::Int(2))
        .with("output", "1 failed\n")
        .with_unnamed_tests(Tally { passed: 2, total: 2, ..Tally::default() })
        .with_tests(tests);
    let receipt = Receipt {
        key: row.key,
        number: None,
        received: row.received,
        submission_id: None,
        sent: None,
        client: Some("ci".into()),
        client_ip: Some("192.0.2.1".into()),
        flags: ["sanitised".to_owned()].into(),
    };
    TestResult {
        receipt,
        submission: Submission { client_info, results_list: vec![checkout, run] },
    }
}
