//! What files say, and what counts.

use pony_store::AnnotationFile;

use super::*;
use crate::history::tests::{package, row};

fn read(content: &str) -> Annotations {
    read_bytes(content.as_bytes())
}

fn read_bytes(content: &[u8]) -> Annotations {
    let content = Ok(content.to_vec());
    let file = AnnotationFile { path: "annotations/a.toml".into(), content };
    Annotations::read(vec![file], ["hay"].into_iter())
}

fn problem(content: &str) -> String {
    let all = read(content);
    let [problem] = all.problems.as_slice() else { panic!("{all:?}") };
    format!("{}: {}", problem.place, problem.message)
}

const KNOWN: &str = r#"# Hay is wet.
[[known]]
package = "hay"
test = "tests.*::stack"
host = "shed"
reason = "wet"
link = "https://example.org/1"
expires = 2026-03-01
"#;

#[test]
fn an_excuse_holds_for_its_tests_on_its_machine_until_its_last_day() {
    let all = read(KNOWN);
    assert!(all.problems.is_empty(), "{all:?}");
    let line = |host: &str| row(0, host, true).line();
    // Results arrive on the first of March, and one on the second.
    let then = all.of(&package("hay", vec![row(23, "x", true)]));
    let excuse = then.on("tests.a::stack", &line("shed"), Kind::Failing).unwrap();
    assert_eq!((excuse.reason.as_str(), excuse.place.as_str()), ("wet", "annotations/a.toml:2"));
    assert!(then.on("tests.a::stack", &line("barn"), Kind::Failing).is_none());
    assert!(then.on("other::stack", &line("shed"), Kind::Failing).is_none());
    let later = all.of(&package("hay", vec![row(23, "x", true), row(24, "x", true)]));
    assert!(later.on("tests.a::stack", &line("shed"), Kind::Failing).is_none());
    assert_eq!(later.expired.len(), 1);
    assert!(all.of(&package("straw", vec![])).expired.is_empty());
}

#[test]
fn a_known_failure_may_fail_and_a_test_in_quarantine_do_what_it_likes() {
    let kinds = [Kind::NewlyFailing, Kind::Failing, Kind::Flaky, Kind::Fixed, Kind::Calm];
    let covered = |text: &str| {
        let all = read(text);
        let excuse = all.excuses["hay"][0].clone();
        kinds.map(|kind| excuse.covers(kind))
    };
    assert_eq!(covered(KNOWN), [true, true, false, false, false]);
    assert_eq!(covered(&KNOWN.replace("known", "quarantine")), [true, true, true, true, false]);
}

#[test]
fn notes_are_on_one_result_or_one_machine() {
    let all = read("[[note]]\nmachine = \"shed\"\ntext = \"new disk\"\n");
    assert_eq!(all.notes.on(&Noted::Machine("shed".into()))[0].text, "new disk");
    let all = read("[[note]]\nresult = \"1763899999123456789\"\ntext = \"power cut\"\n");
    let key = Noted::Result("1763899999123456789".parse().unwrap());
    assert_eq!(all.notes.on(&key).len(), 1);
    let none = Annotations::default();
    for (new, old) in [(&all, &none), (&none, &all)] {
        assert_eq!(new.notes.others_than(&old.notes).collect::<Vec<_>>(), [&key]);
    }
    assert_eq!(all.notes.others_than(&all.notes.clone()).count(), 0);
}

#[test]
fn what_is_wrong_is_named_with_file_and_line_and_the_rest_counts() {
    let problems = [
        problem("[[known]\n"),
        problem(&KNOWN.replace("reason", "raeson")),
        problem(&KNOWN.replace("reason = \"wet\"\n", "")),
        problem(&KNOWN.replace("2026-03-01", "\"soon\"")),
        problem(&KNOWN.replace("2026-03-01", "2026-03-01T10:00:00Z")),
        problem(&KNOWN.replace("https:", "javascript:")),
        problem("[[note]]\ntext = \"on nothing\"\n"),
        problem("[[note]]\nresult = \"7\"\ntext = \"\"\n"),
    ];
    insta::assert_snapshot!(problems.join("\n"));
    let both = format!("{KNOWN}[[note]]\ntext = \"on nothing\"\n");
    assert_eq!(read(&both).excuses["hay"].len(), 1);
    assert_eq!(read_bytes(b"#\n\xff").problems[0].place, "annotations/a.toml:2");
}

#[test]
fn what_is_wrong_with_one_entry_leaves_the_others() {
    let odd = KNOWN.replace("reason", "raeson");
    let late = KNOWN.replace("2026-03-01", "2026-02-30");
    let note = "[[note]]\nmachine = \"shed\"\ntext = \"new disk\"\n";
    let text =
        format!("{odd}{KNOWN}{late}{KNOWN}{note}{}[[knwon]]\n", note.replace("text", "txet"));
    let all = read(&text);
    assert_eq!((all.excuses["hay"].len(), Vec::from(all.notes.clone()).len()), (2, 1));
    let places: Vec<_> = all.problems.iter().map(|problem| problem.place.as_str()).collect();
    let lines = [6, 24, 38, 39].map(|line| format!("annotations/a.toml:{line}"));
    assert_eq!(places, lines, "{:?}", all.problems);
    assert_eq!(all.excuses["hay"][1].place, "annotations/a.toml:26");
}

#[test]
fn of_two_excuses_the_one_counts_that_covers_what_the_test_does() {
    let quarantine = KNOWN.replace("known", "quarantine").replace("wet", "odd");
    let all = read(&format!("{KNOWN}{quarantine}"));
    let line = row(0, "shed", true).line();
    let then = all.of(&package("hay", vec![row(23, "x", true)]));
    let reason = |kind| then.on("tests.a::stack", &line, kind).unwrap().reason.as_str();
    assert_eq!(
        [Kind::Failing, Kind::Flaky, Kind::Fixed, Kind::Calm].map(reason),
        ["wet", "odd", "odd", "wet"]
    );
}

#[test]
fn an_excuse_that_fits_no_package_is_a_problem() {
    let said = problem(&KNOWN.replace("\"hay\"", "\"hya\""));
    assert_eq!(said, "annotations/a.toml:2: there is no package `hya`");
}

#[test]
fn of_many_problems_the_first_are_told_and_the_others_counted() {
    let all = read(&"[[note]]\n".repeat(60_000));
    assert_eq!((all.problems.len(), all.more_problems), (PROBLEMS_MAX, 59_900));
    assert_eq!(all.problems[99].place, "annotations/a.toml:100");
}

#[test]
fn damage_is_a_problem_and_told_to_whoever_builds() {
    let file = |reason| AnnotationFile { path: "annotations/a.toml".into(), content: Err(reason) };
    let damaged = NotRead::Damaged("blob 1 is missing".into());
    let files = vec![file(damaged), file(NotRead::TooLarge { bytes: 7 })];
    let all = Annotations::read(files, [].into_iter());
    assert_eq!(all.problems.len(), 2);
    assert_eq!(all.damage, ["annotations/a.toml: damaged: blob 1 is missing"]);
}

#[test]
fn annotations_read_back_as_they_were_published() {
    let all = read(&format!("{KNOWN}[[note]]\nmachine = \"shed\"\ntext = \"new disk\"\n"));
    let text = serde_json::to_string(&all).unwrap();
    assert_eq!(serde_json::from_str::<Annotations>(&text).unwrap(), all, "{text}");
}
