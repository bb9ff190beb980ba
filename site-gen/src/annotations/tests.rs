//! What files say, and what counts.

use pony_store::AnnotationFile;

use super::*;
use crate::history::tests::{package, row};

fn read(content: &str) -> Annotations {
    let content = Ok(content.as_bytes().to_vec());
    Annotations::read(vec![AnnotationFile { path: "annotations/a.toml".into(), content }])
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
    let excuse = then.on("tests.a::stack", &line("shed")).unwrap();
    assert_eq!((excuse.reason.as_str(), excuse.place.as_str()), ("wet", "annotations/a.toml:2"));
    assert!(then.on("tests.a::stack", &line("barn")).is_none());
    assert!(then.on("other::stack", &line("shed")).is_none());
    let later = all.of(&package("hay", vec![row(23, "x", true), row(24, "x", true)]));
    assert!(later.on("tests.a::stack", &line("shed")).is_none());
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
    assert_eq!(all.notes[0].on, Noted::Machine("shed".into()));
    let all = read("[[note]]\nresult = \"1763899999123456789\"\ntext = \"power cut\"\n");
    let key = Noted::Result("1763899999123456789".parse().unwrap());
    assert_eq!(all.notes_on(&key).count(), 1);
    let none = Annotations::default();
    let changed: Vec<_> = all.noted_otherwise(&none).collect();
    assert_eq!(changed, [&key]);
    assert_eq!(all.noted_otherwise(&all.clone()).count(), 0);
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
    let files = vec![AnnotationFile {
        path: "annotations/b.toml".into(),
        content: Ok(vec![b'#', b'\n', 0xff]),
    }];
    assert_eq!(Annotations::read(files).problems[0].place, "annotations/b.toml:2");
}

#[test]
fn annotations_read_back_as_they_were_published() {
    let all = read(&format!("{KNOWN}[[note]]\nmachine = \"shed\"\ntext = \"new disk\"\n"));
    let text = serde_json::to_string(&all).unwrap();
    assert_eq!(serde_json::from_str::<Annotations>(&text).unwrap(), all, "{text}");
}
