//! Build lines made by hand.

use pony_formats::{ClientInfo, Outcome, Receipt, Step, Submission, Tagset, TestCase};

use super::*;

fn name(host: &str) -> LineName {
    LineName { host: host.into(), arch: "linux-x86_64".into(), tags: ["py3.14".into()].into() }
}

/// The result that arrived `hour` hours after the first of March, of `commit`: tests by name and letter.
pub(crate) fn result(hour: i64, commit: &str, tests: &[(&str, char)]) -> TestResult {
    let start: jiff::Timestamp = "2026-03-01T00:00:00Z".parse().unwrap();
    let received = start + jiff::SignedDuration::from_hours(hour);
    let tests: Vec<_> = tests
        .iter()
        .map(|(id, letter)| TestCase::new(*id, Outcome::from_letter(*letter).unwrap()))
        .collect();
    let success = !tests.iter().any(|test| test.outcome.is_bad());
    let tagset = Tagset {
        package: "p".into(),
        host: "a".into(),
        arch: "linux-x86_64".into(),
        tags: ["py3.14".to_owned()].into(),
    };
    let client_info = ClientInfo::new(&tagset, success).unwrap().with("commit", commit).unwrap();
    TestResult {
        receipt: Receipt {
            key: ResultKey::new(received, 7),
            number: None,
            received,
            submission_id: None,
            sent: None,
            client: None,
            client_ip: None,
            flags: BTreeSet::new(),
        },
        submission: Submission {
            client_info,
            results_list: vec![Step::default().with_tests(tests)],
        },
    }
}

/// A line with a result every hour: commit, and tests by name and letter.
pub(crate) fn line(host: &str, results: &[(&str, &[(&str, char)])]) -> LineHistory {
    let mut line = LineHistory::new(name(host));
    for (hour, (commit, tests)) in (1..).zip(results) {
        let result = result(hour, commit, tests);
        let revision = Revision::of(result.submission.client_info.bag());
        line.observe(&Observed::new(&result, &revision));
    }
    line
}

#[test]
fn first_bad_and_last_good_are_named_by_their_commits() {
    let line = line(
        "a",
        &[
            ("aaaaaaa", &[("t", 'P'), ("u", 'P')]),
            ("bbbbbbb", &[("t", 'P'), ("u", 'P')]),
            ("ccccccc", &[("t", 'F'), ("u", 'P')]),
            ("ddddddd", &[("t", 'F'), ("u", 'P')]),
        ],
    );
    let failing = line.tests["t"].failing(line.newest).unwrap();
    let commit = |at| line.commit(at).unwrap().commit.as_str();
    assert_eq!((commit(failing.first), commit(failing.good.unwrap())), ("ccccccc", "bbbbbbb"));
    assert_eq!(failing.commits, 2);
    assert_eq!(line.whole.failing(line.newest), Some(failing));
}

#[test]
fn results_of_one_commit_are_attempts() {
    let line = line(
        "a",
        &[("aaaaaaa", &[("t", 'P')]), ("bbbbbbb", &[("t", 'F')]), ("bbbbbbb", &[("t", 'P')])],
    );
    assert_eq!(line.newest, 2);
    assert_eq!(line.tests["t"].failing(2), None);
    assert_eq!(line.tests["t"].flaky(2).unwrap().evidence.len(), 1);
}

#[test]
fn a_late_result_of_an_earlier_commit_moves_nothing() {
    let results: [(&str, &[(&str, char)]); 3] =
        [("aaaaaaa", &[("t", 'P')]), ("bbbbbbb", &[("t", 'F')]), ("aaaaaaa", &[("t", 'P')])];
    let line = line("a", &results);
    let failing = line.tests["t"].failing(line.newest).unwrap();
    assert_eq!((line.newest, failing.first, failing.good), (2, 2, Some(1)));
    assert!(line.tests["t"].flaky(2).is_none());
}

#[test]
fn results_without_a_commit_are_each_for_themselves() {
    let line = line("a", &[("", &[("t", 'P')]), ("", &[("t", 'F')])]);
    assert_eq!(line.newest, 2);
    assert_eq!(line.tests["t"].failing(2).unwrap().first, 2);
}

#[test]
fn new_and_vanished_tests_are_counted_and_forgotten_in_time() {
    let mut results: Vec<(&str, &[(&str, char)])> =
        vec![("aaaaaaa", &[("t", 'P'), ("gone", 'P')]), ("bbbbbbb", &[("t", 'P'), ("new", 'P')])];
    let digest = line("a", &results).digest();
    assert_eq!((digest.new, digest.vanished), (vec!["new".to_owned()], vec!["gone".to_owned()]));
    assert_eq!((digest.count, digest.failing), (2, 0));
    let commits: Vec<String> = (0..WINDOW).map(|n| format!("{n:07x}")).collect();
    results.extend(commits.iter().map(|commit| (commit.as_str(), &[("t", 'P')][..])));
    let line = line("a", &results);
    assert!(!line.tests.contains_key("gone"));
    assert_eq!(line.digest().vanished_count, 0);
}

#[test]
fn one_test_twice_in_a_result_is_as_bad_as_its_worst() {
    let line = line(
        "a",
        &[("aaaaaaa", &[("t", 'F'), ("t", 'P')]), ("bbbbbbb", &[("t", 'P'), ("t", 'S')])],
    );
    assert_eq!(line.tests["t"].timeline().len(), 2);
    assert!(line.tests["t"].flaky(2).is_none());
}

#[test]
fn a_file_reads_back_and_forgets_commits_that_nothing_names() {
    let commits: Vec<String> = (0..200).map(|n| format!("{n:07x}")).collect();
    let tests: &[(&str, char)] = &[("t", 'P'), ("u", 'P')];
    let broken: &[(&str, char)] = &[("t", 'F'), ("u", 'P')];
    let results: Vec<_> = commits
        .iter()
        .enumerate()
        .map(|(at, commit)| (commit.as_str(), if at < 20 { tests } else { broken }))
        .collect();
    let text = line("a", &results).into_text();
    let line = LineHistory::from_text(text.as_bytes()).unwrap();
    assert_eq!(line.clone().into_text(), text);
    let kept: Vec<u32> = line.commits.iter().map(|one| one.at).collect();
    assert_eq!(kept[..4], [1, 20, 21, 151]);
    assert_eq!(line.tests["t"].failing(200).unwrap().commits, 180);
    let digest = line.digest();
    assert_eq!(digest.history.tests.keys().collect::<Vec<_>>(), ["t"]);
    let again = serde_json::from_str(&serde_json::to_string(&digest).unwrap());
    assert_eq!(again.ok(), Some(digest));
}

#[test]
fn a_damaged_file_is_odd_and_no_panic() {
    let line = line("a", &[("aaaaaaa", &[("t", 'P')]), ("bbbbbbb", &[("t", 'F')])]);
    let text = line.into_text();
    assert!(
        LineHistory::from_text(text.replace("\"newest\":2", "\"newest\":1").as_bytes()).is_none()
    );
    assert!(LineHistory::from_text(&text.as_bytes()[..text.len() / 2]).is_none());
    assert!(LineHistory::from_text(b"{}").is_none());
}

#[test]
fn files_of_lines_have_names_of_their_own() {
    let named = |tags: &[&str], host: &str| {
        let tags = tags.iter().map(|&tag| tag.to_owned()).collect();
        LineName { host: host.into(), arch: "x".into(), tags }.file()
    };
    let files =
        [named(&["a", "b"], "c"), named(&["a"], "b"), named(&[], "a"), named(&["a b"], "c")];
    assert_eq!(BTreeSet::from(files).len(), 4);
}
