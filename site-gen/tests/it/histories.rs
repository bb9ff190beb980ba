//! Since when a test fails: what pages say of it, and that it does not matter in how many builds they came to
//! be.

use jiff::{SignedDuration, Timestamp};
use pony_formats::{ClientInfo, Step, Submission, Tagset, Value};

use crate::place::{Place, by_letter};

/// A result `hour` hours after the first of March: commit and branch, and tests by name and letter.
fn result(
    hour: i64,
    commit: char,
    branch: &str,
    tests: &[(&str, char)],
) -> (Submission, Timestamp) {
    let start: Timestamp = "2026-03-01T00:00:00Z".parse().unwrap();
    let tests = by_letter(tests);
    let tagset = Tagset {
        package: "cart".into(),
        host: "atlas".into(),
        arch: "linux-x86_64".into(),
        tags: ["py3.14".to_owned()].into(),
    };
    let success = !tests.iter().any(|test| test.outcome.is_bad());
    let client_info = ClientInfo::new(&tagset, success)
        .and_then(|info| info.with("commit", commit.to_string().repeat(40)))
        .and_then(|info| info.with("branch", branch))
        .and_then(|info| info.with("repository", "git@github.com:ox/cart.git"))
        .unwrap();
    let results_list = vec![Step::default().with_tests(tests)];
    (Submission { client_info, results_list }, start + SignedDuration::from_hours(hour))
}

fn history() -> Vec<(Submission, Timestamp)> {
    vec![
        result(1, 'a', "main", &[("t", 'P'), ("u", 'P')]),
        result(2, 'b', "main", &[("t", 'P'), ("u", 'P')]),
        result(3, 'c', "main", &[("t", 'F'), ("u", 'P')]),
        // Another branch, and a late result of an earlier commit: neither begins nor ends anything.
        result(4, 'd', "fix-7", &[("t", 'F'), ("u", 'F')]),
        result(5, 'b', "main", &[("t", 'P'), ("u", 'F')]),
        result(6, 'e', "main", &[("t", 'F'), ("u", 'P')]),
    ]
}

/// What is known of the second commit, in the folder of the package.
const COMMIT: &str = "commit/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb/index.json";

/// The text of a page, without its markup.
fn words(place: &Place, path: &str) -> String {
    let page = place.text("site", path);
    let text: String = page
        .split('<')
        .filter_map(|part| Some(part.split_once('>')?.1))
        .collect::<Vec<_>>()
        .concat();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn pages_name_the_first_bad_and_the_last_good_commit() {
    let place = Place::new();
    let keys = place.append(&history());
    place.build("site");
    let page = |at: usize| words(&place, &format!("p/cart/{}/index.html", keys[at]));
    let since = "Failing since cccccccccccc (2 commits), last good bbbbbbbbbbbb, compare";
    assert!(page(5).contains(since), "{}", page(5));
    let bisect = format!("git bisect start {} {}", "c".repeat(40), "b".repeat(40));
    assert!(page(5).contains(&bisect));
    assert!(page(2).contains("Failing since cccccccccccc (1 commit)"), "as it was known then");
    assert!(page(3).contains("On main it fails too, since cccccccccccc"), "{}", page(3));
    assert!(page(3).contains("On main it passes: the failure is new here."));
    assert!(page(4).contains("At one commit it failed and passed"), "{}", page(4));
    let test = place.text("site", "p/cart/test/t/index.html");
    let range =
        format!("https://github.com/ox/cart/compare/{}...{}", "b".repeat(40), "c".repeat(40));
    assert!(test.contains(&range), "{test}");
    let index = words(&place, "index.html");
    assert!(index.contains("Failing for longer 1 ✗ failing cart: t"), "{index}");
    assert!(index.contains("Flaky 1 ≈ flaky cart: u"), "{index}");
}

#[test]
fn the_feed_of_changes_has_changes_only_and_keeps_their_names() {
    let place = Place::new();
    let keys = place.append(&history()[..3]);
    place.build("site");
    let feed = place.text("site", "rss2/changes.xml");
    let guid = format!("<guid isPermaLink=\"false\">pony-change-{}</guid>", keys[2]);
    assert!(feed.contains(&guid) && feed.matches("<item>").count() == 1, "{feed}");
    place.append(&history()[3..]);
    place.append(&[result(7, 'f', "main", &[("t", 'P'), ("u", 'P')])]);
    place.build("site");
    let feed = place.text("site", "rss2/changes.xml");
    assert!(feed.contains(&guid) && feed.matches("<item>").count() == 2, "{feed}");
    assert!(feed.contains("cart: t fixed on atlas linux-x86_64 (py3.14)"));
}

#[test]
fn one_result_at_a_time_is_like_all_at_once() {
    let place = Place::new();
    for one in history() {
        place.append(&[one]);
        place.build("site");
    }
    place.assert_like_new();
}

#[test]
fn a_result_from_the_past_is_put_in_its_place() {
    let place = Place::new();
    let mut history = history();
    let late = history.remove(1);
    place.append(&history);
    place.build("site");
    place.append(&[late]);
    place.build("site");
    place.assert_like_new();
}

#[test]
fn another_main_branch_makes_everything_another() {
    let place = Place::new();
    place.append(&[result(1, 'a', "fix-7", &[("t", 'P')]), result(2, 'b', "fix-7", &[("t", 'F')])]);
    place.build("site");
    assert!(words(&place, "index.html").contains("Newly failing 1"));
    place.append(&[result(3, 'c', "main", &[("t", 'P')])]);
    place.build("site");
    assert!(words(&place, "index.html").contains("Nothing: on the main line no test fails"));
    place.assert_like_new();
}

#[test]
fn change_requests_are_not_the_main_line_whatever_their_branch_is_called() {
    let place = Place::new();
    let (mut submission, time) = result(2, 'b', "main", &[("t", 'F')]);
    submission.client_info =
        submission.client_info.with("change_request", Value::from("12")).unwrap();
    place.append(&[result(1, 'a', "main", &[("t", 'P')]), (submission, time)]);
    place.build("site");
    assert!(words(&place, "index.html").contains("Nothing: on the main line no test fails"));
}

#[test]
fn histories_that_are_lost_or_damaged_are_made_again() {
    for (path, content) in [
        ("history/py3.14~00~00atlas~00linux-x86_64.json", None),
        ("history/py3.14~00~00atlas~00linux-x86_64.json", Some("{\"line\":")),
        ("tests/index.json", None),
        ("line/py3.14~00~00atlas~00linux-x86_64/index.json", None),
        ("line/py3.14~00~00atlas~00linux-x86_64/index.json", Some("{")),
        ("../../machine/atlas/index.json", None),
        ("../../machine/atlas/index.json", Some("{")),
        (COMMIT, None),
        (COMMIT, Some("{")),
    ] {
        let place = Place::new();
        place.append(&history()[..4]);
        place.build("site");
        let file = place.path("site").join("p/cart").join(path);
        match content {
            None => std::fs::remove_file(&file).unwrap(),
            Some(content) => std::fs::write(&file, content).unwrap(),
        }
        // Without and with something new.
        place.build("site");
        place.append(&history()[4..]);
        place.build("site");
        place.assert_like_new();
    }
}

#[test]
fn a_test_that_is_called_like_a_file_of_the_site_is_in_nobodys_way() {
    let place = Place::new();
    for letter in ['P', 'F'] {
        let tests = [("index.html", letter), ("files", letter), ("..", letter), ("", letter)];
        let hour = if letter == 'P' { 1 } else { 2 };
        place.append(&[result(hour, if letter == 'P' { 'a' } else { 'b' }, "main", &tests)]);
        place.build("site");
    }
    for folder in ["index.html", "files", "~2e~2e", "~"] {
        assert!(place.path("site").join(format!("p/cart/test/{folder}/index.html")).is_file());
    }
    place.assert_like_new();
}

#[test]
fn the_page_of_a_result_says_the_same_after_a_file_was_attached() {
    let place = Place::new();
    let keys = place.append(&history());
    place.build("site");
    let artifact = pony_store::Artifact {
        filename: "log.txt".into(),
        description: String::new(),
        size: 1,
        sha256: [1; 32].into(),
        visible: true,
    };
    place.writer().attach("cart", keys[2], &artifact).unwrap();
    place.build("site");
    let page = words(&place, &format!("p/cart/{}/index.html", keys[2]));
    assert!(page.contains("(1 commit), last good") && page.contains("log.txt"), "{page}");
    place.assert_like_new();
}
