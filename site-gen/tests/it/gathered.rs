//! The pages that put several results together: of commits, build lines and machines; and what changed from
//! one result to the next.

use jiff::{SignedDuration, Timestamp};
use pony_formats::{ClientInfo, Step, Submission, Tagset};
use pony_site::Options;

use crate::place::{Place, by_letter, options};

/// A result of `host` that arrived `hour` hours after the first of March: commit, seconds it took, and tests by
/// name and letter.
pub(crate) fn result(
    (hour, package, host, commit): (i64, &str, &str, char),
    seconds: f64,
    tests: &[(&str, char)],
) -> (Submission, Timestamp) {
    let start: Timestamp = "2026-03-01T00:00:00Z".parse().unwrap();
    let tests = by_letter(tests);
    let tagset = Tagset {
        package: package.into(),
        host: host.into(),
        arch: "linux-x86_64".into(),
        tags: ["py3.14".to_owned()].into(),
    };
    let success = !tests.iter().any(|test| test.outcome.is_bad());
    let client_info = ClientInfo::new(&tagset, success)
        .and_then(|info| info.with("commit", commit.to_string().repeat(40)))
        .and_then(|info| info.with("branch", "main"))
        .and_then(|info| info.with("duration", seconds))
        .unwrap();
    let results_list = vec![Step::default().with_tests(tests)];
    (Submission { client_info, results_list }, start + SignedDuration::from_hours(hour))
}

pub(crate) fn json(place: &Place, path: &str) -> serde_json::Value {
    serde_json::from_str(&place.text("site", path)).unwrap()
}

/// The text of a page, without its markup.
pub(crate) fn words(place: &Place, path: &str) -> String {
    let page = place.text("site", path);
    let parts = page.split('<').filter_map(|part| Some(part.split_once('>')?.1));
    parts.collect::<Vec<_>>().join(" ").split_whitespace().collect::<Vec<_>>().join(" ")
}

const LINE: &str = "py3.14~00~00atlas~00linux-x86_64";

#[test]
fn a_commit_has_all_machines_side_by_side_and_reruns_are_attempts() {
    let place = Place::new();
    place.append(&[
        result(
            (1, "cart", "atlas", 'a'),
            1.0,
            &[("everywhere", 'F'), ("flaky", 'F'), ("fine", 'P')],
        ),
        result(
            (2, "cart", "mini", 'a'),
            1.0,
            &[("everywhere", 'F'), ("flaky", 'P'), ("fine", 'P')],
        ),
    ]);
    place.build("site");
    let page = format!("p/cart/commit/{}/index.html", "a".repeat(40));
    assert!(words(&place, &page).contains("flaky fails on 1 of 2 build lines"));
    // One more attempt of one of them, into the same site: only what is new is looked at.
    std::fs::write(place.path("site/p/left-over.html"), "would go when all is built again")
        .unwrap();
    place.append(&[result(
        (3, "cart", "atlas", 'a'),
        1.0,
        &[("everywhere", 'F'), ("flaky", 'P'), ("fine", 'P')],
    )]);
    place.build("site");
    assert!(place.path("site/p/left-over.html").exists());
    let shown = words(&place, &page);
    assert!(shown.contains("everywhere fails on 2 of 2 build lines"), "{shown}");
    assert!(shown.contains("flaky flaky on 1 of 2 build lines"), "{shown}");
    assert!(shown.contains("attempt 2 of 2"), "{shown}");
    assert!(!shown.contains("fine fails"), "{shown}");
    let found = json(&place, &format!("p/cart/commit/{}/index.json", "a".repeat(40)));
    assert_eq!(found["results"].as_array().unwrap().len(), 3);
    assert_eq!(found["results"][0]["failing"], serde_json::json!(["everywhere", "flaky"]));
}

#[test]
fn a_build_line_has_its_tests_against_commits_and_steps_in_its_duration() {
    let place = Place::new();
    let history: Vec<_> = ('a'..='t')
        .enumerate()
        .map(|(at, commit)| {
            let seconds = if at < 12 { 60.0 } else { 95.0 };
            let breaks = if at < 18 { 'P' } else { 'F' };
            result(
                (at as i64, "cart", "atlas", commit),
                seconds,
                &[("breaks", breaks), ("calm", 'P')],
            )
        })
        .collect();
    place.append(&history);
    place.build("site");
    let page = format!("p/cart/line/{LINE}/index.html");
    let shown = words(&place, &page);
    assert!(shown.contains("1.6 times as long 1 min 0 s → 1 min 35 s since"), "{shown}");
    assert!(shown.contains("Always passed 1 calm"), "{shown}");
    let text = place.text("site", &page);
    assert!(text.contains("<tr data-kind=\"failing\"><th scope=\"row\" class=\"id\">breaks</th>"));
    assert!(
        text.contains(
            "20 results, oldest first: 2 to 2 tests; 2 with failing tests, 1 in the newest"
        )
    );
    assert_eq!(json(&place, &format!("p/cart/line/{LINE}/index.json"))["results"], 20);
    let feed = place.text("site", &format!("p/cart/line/{LINE}/changes.xml"));
    assert!(feed.contains("cart: breaks newly failing on atlas"), "{feed}");
}

#[test]
fn a_machine_has_all_its_packages() {
    let place = Place::new();
    place.append(&[
        result((1, "cart", "atlas", 'a'), 1.0, &[("t", 'P')]),
        result((2, "plough", "atlas", 'a'), 1.0, &[("t", 'F')]),
        result((3, "cart", "mini", 'a'), 1.0, &[("t", 'P')]),
    ]);
    place.build("site");
    let shown = words(&place, "machine/atlas/index.html");
    assert!(shown.contains("2 build lines, 1 failing, last seen 2026-03-01 02:00 UTC"), "{shown}");
    assert!(shown.find("plough") < shown.find("cart"), "failing first: {shown}");
    assert!(!words(&place, "machine/mini/index.html").contains("plough"));
}

#[test]
fn a_result_says_what_changed_since_the_one_before_it() {
    let place = Place::new();
    let keys = place.append(&[
        result((1, "cart", "atlas", 'a'), 1.0, &[("t", 'P'), ("u", 'F'), ("gone", 'P')]),
        result((2, "cart", "mini", 'a'), 1.0, &[("t", 'F'), ("u", 'F')]),
        result((3, "cart", "atlas", 'b'), 1.0, &[("t", 'F'), ("u", 'P'), ("came", 'P')]),
    ]);
    place.build("site");
    let changes = &json(&place, &format!("p/cart/{}/result.json", keys[2]))["changes"];
    assert_eq!(changes["before"], keys[0].to_string());
    for (kind, id) in
        [("newly_failing", "t"), ("fixed", "u"), ("new", "came"), ("vanished", "gone")]
    {
        assert_eq!(changes[kind]["tests"], serde_json::json!([id]), "{kind}");
    }
    let first = json(&place, &format!("p/cart/{}/result.json", keys[0]));
    assert!(first.get("changes").is_none(), "there is nothing before it");
    let shown = words(&place, &format!("p/cart/{}/index.html", keys[2]));
    assert!(shown.contains("Changed since the result before"), "{shown}");
}

#[test]
fn a_build_line_that_was_forgotten_goes_on_where_it_was() {
    let place = Place::new();
    let host = |at: usize| format!("runner-{at}");
    let of = |hour: i64, at: usize, letter| {
        result((hour, "cart", &host(at), 'a'), 1.0, &[("t", letter), ("u", 'P')])
    };
    let first: Vec<_> = (0..203).map(|at| of(at as i64, at, 'P')).collect();
    place.append(&first[..150]);
    place.build("site");
    place.append(&first[150..]);
    place.build("site");
    // Only the newest 200 are remembered by then.
    let left_over = place.path("site/p/cart/left-over.html");
    std::fs::write(&left_over, "would go when the package is built again").unwrap();
    let keys = place.append(&[of(300, 0, 'F'), of(301, 1, 'F')]);
    place.build("site");
    std::fs::remove_file(left_over).unwrap();
    let changes = &json(&place, &format!("p/cart/{}/result.json", keys[0]))["changes"];
    assert_eq!(changes["newly_failing"]["tests"], serde_json::json!(["t"]));
    assert_eq!(json(&place, "machine/runner-0/index.json")["lines"][0]["results"], 2);
    place.assert_like_new();
}

#[test]
fn the_page_about_the_site_says_where_to_clone_from() {
    let place = Place::new();
    place.build("site");
    assert!(words(&place, "about/index.html").contains("git clone ADDRESS results.git"));
    let url = Some("https://ci.example/results.git".to_owned());
    place.build_with("site", &Options { clone_url: url, ..options() }).unwrap();
    let shown = words(&place, "about/index.html");
    assert!(shown.contains("git clone https://ci.example/results.git results.git"), "{shown}");
}

#[test]
fn the_search_index_has_every_test_and_what_failing_ones_said() {
    let place = Place::new();
    let mut failing = result((2, "cart", "atlas", 'b'), 1.0, &[("t", 'F'), ("calm", 'P')]);
    let step = &mut failing.0.results_list[0];
    let mut tests = step.tests().to_vec();
    let bad = tests.iter_mut().find(|test| test.outcome.is_bad()).unwrap();
    bad.evidence.message = Some("expected 3 horses\nfound 2".into());
    *step = Step::default().with_tests(tests);
    place.append(&[result((1, "cart", "atlas", 'a'), 1.0, &[("t", 'P'), ("calm", 'P')]), failing]);
    place.build("site");
    assert_eq!(place.text("site", "search/packages.js"), "pony.packages([[\"cart\",\"cart\"]]);\n");
    assert_eq!(
        place.text("site", "p/cart/search/0.js"),
        format!(
            "pony.tests(\"cart\",[[\"t\",\"newly failing\",\"test/t/index.html\",\"expected 3 horses\"],\
             [\"\",0,[\"calm\"]]],false,[\"line/{LINE}/index.html\"]);\n"
        )
    );
}
