//! Whatever happens to a repository between two builds, the site is that of a single build.

use jiff::{SignedDuration, Timestamp};
use pony_formats::{ClientInfo, Outcome, ResultKey, Step, Submission, Tagset, TestCase};
use proptest::prelude::*;

use crate::place::Place;

/// What may happen to a repository.
#[derive(Debug, Clone)]
enum Event {
    /// A result, so many minutes after the one before it, or before that.
    Result(Made),
    /// The site is built.
    Build,
    /// A file is attached to one of the results.
    Attach(usize),
    /// The results of another repository arrive.
    Merge(Vec<Made>),
    /// The newest commit is taken back.
    Rewind,
    /// Somebody breaks a file of a result.
    Break(usize),
    /// Somebody writes annotations: of tests that may fail, and of results and machines.
    Annotate(usize),
}

/// A result, made of small numbers.
#[derive(Debug, Clone)]
struct Made {
    minutes: i64,
    package: usize,
    host: usize,
    commit: u8,
    branch: usize,
    outcomes: Vec<usize>,
}

fn made() -> impl Strategy<Value = Made> {
    let outcomes = prop::collection::vec(0..4usize, 0..4);
    let minutes = prop_oneof![4 => 1..90i64, 1 => -300..0i64];
    (minutes, 0..2usize, 0..3usize, 0..6u8, 0..8usize, outcomes).prop_map(
        |(minutes, package, host, commit, branch, outcomes)| Made {
            minutes,
            package,
            host,
            commit,
            branch,
            outcomes,
        },
    )
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        12 => made().prop_map(Event::Result),
        5 => Just(Event::Build),
        2 => (0..99usize).prop_map(Event::Attach),
        1 => prop::collection::vec(made(), 1..4).prop_map(Event::Merge),
        1 => Just(Event::Rewind),
        1 => (0..99usize).prop_map(Event::Break),
        3 => (0..99usize).prop_map(Event::Annotate),
    ]
}

fn submission(made: &Made) -> Submission {
    let tagset = Tagset {
        package: ["cart", "a/b"][made.package].into(),
        host: ["x", "y", "z"][made.host].into(),
        arch: "any".into(),
        tags: [].into(),
    };
    let letters = ['P', 'F', 'S', 'R'];
    let tests: Vec<_> = made
        .outcomes
        .iter()
        .zip(["t", "u", "v", "w"])
        .map(|(letter, id)| TestCase::new(id, Outcome::from_letter(letters[*letter]).unwrap()))
        .collect();
    let success = !tests.iter().any(|test| test.outcome.is_bad());
    let branch = ["main", "main", "main", "main", "", "fix", "2.x", "master"][made.branch];
    let client_info = ClientInfo::new(&tagset, success)
        .and_then(|info| info.with("commit", format!("{:07x}", made.commit)))
        .and_then(|info| info.with("branch", branch))
        .and_then(|info| info.with("duration", made.minutes.unsigned_abs() as f64))
        .unwrap();
    Submission { client_info, results_list: vec![Step::default().with_tests(tests)] }
}

/// The same clock for all results of a case.
fn dated(made: &Made, clock: &mut Timestamp) -> (Submission, Timestamp) {
    let time = *clock + SignedDuration::from_mins(made.minutes);
    *clock = time.max(*clock);
    (submission(made), time)
}

/// All results with their packages.
fn results(place: &Place) -> Vec<(String, ResultKey)> {
    let snapshot = place.store.snapshot().unwrap();
    let packages = snapshot.packages().unwrap().into_iter();
    let of = |package: String| {
        let keys = snapshot.results(&package).unwrap();
        keys.into_iter().map(move |key| (package.clone(), key))
    };
    packages.flat_map(of).collect()
}

/// Another file for every number: some excuses, which overlap, and notes.
fn annotations(number: usize, results: &[(String, ResultKey)]) -> String {
    let mut text = String::new();
    for number in number..=number + number % 4 {
        let (kind, package) =
            (["known", "quarantine"][number % 2], ["cart", "a/b", "gone"][number / 2 % 3]);
        let (test, host) = (["t", "*"][number / 4 % 2], ["x", "y", "z"][number % 3]);
        text.push_str(&format!(
            "[[{kind}]]\npackage = \"{package}\"\ntest = \"{test}\"\nreason = \"{number}\"\n\
             expires = 2026-03-0{}\n",
            number % 3 + 1
        ));
        if number.is_multiple_of(5) {
            text.push_str(&format!("host = \"{host}\"\n"));
        }
        text.push_str(&format!("[[note]]\nmachine = \"{host}\"\ntext = \"{number}\"\n"));
        if let Some((_, key)) = results.get(number % results.len().max(1)) {
            text.push_str(&format!("[[note]]\nresult = \"{key}\"\ntext = \"{number}\"\n"));
        }
    }
    if number.is_multiple_of(7) {
        text.push_str("oops");
    }
    text
}

fn apply(place: &Place, events: &[Event]) {
    let mut clock: Timestamp = "2026-03-01T00:00:00Z".parse().unwrap();
    for (number, event) in events.iter().enumerate() {
        match event {
            Event::Result(made) => drop(place.append(&[dated(made, &mut clock)])),
            Event::Build => drop(place.build("site")),
            Event::Rewind => place.rewind(),
            Event::Merge(all) => {
                let other = Place::new();
                let results: Vec<_> = all.iter().map(|made| dated(made, &mut clock)).collect();
                other.append(&results);
                place.merge(&other);
            }
            Event::Annotate(at) => {
                let text = annotations(*at, &results(place));
                place.meddle("annotations/all.toml", Some(&text));
            }
            Event::Attach(at) | Event::Break(at) => {
                let results = results(place);
                let Some((package, key)) = results.get(at % results.len().max(1)) else { continue };
                if matches!(event, Event::Attach(_)) {
                    let artifact = pony_store::Artifact {
                        filename: format!("log-{number}.txt"),
                        description: String::new(),
                        size: 1,
                        sha256: [1; 32].into(),
                        visible: true,
                    };
                    // Refused when the result was broken.
                    let _ = place.writer().attach(package, *key, &artifact);
                } else {
                    let folder = pony_formats::names::tree_component(package);
                    let day = key.time().strftime("%Y/%m/%d");
                    let file = ["receipt.json", "results_list.json"][at % 2];
                    place.meddle(&format!("{folder}/{day}/{key}/{file}"), Some("{ not json"));
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_site_does_not_depend_on_the_builds_before(events in prop::collection::vec(event(), 5..40)) {
        let place = Place::new();
        apply(&place, &events);
        place.build("site");
        place.build("new");
        let (site, new) = (place.files("site"), place.files("new"));
        prop_assert_eq!(site.keys().collect::<Vec<_>>(), new.keys().collect::<Vec<_>>());
        for (name, content) in site {
            prop_assert!(new[&name] == content, "{} differs", name);
        }
    }
}
