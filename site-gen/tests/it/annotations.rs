//! What people say of results afterwards, in files of the results repository.

use pony_formats::Step;

use crate::gathered::{json, result, words};
use crate::place::Place;

const FILE: &str = "annotations/known.toml";

/// `t` begins to fail with the second of two commits.
fn place() -> Place {
    let place = Place::new();
    place.append(&[
        result((1, "cart", "atlas", 'a'), 1.0, &[("t", 'P'), ("u", 'P')]),
        result((2, "cart", "atlas", 'b'), 1.0, &[("t", 'F'), ("u", 'P')]),
    ]);
    place.build("site");
    place
}

fn known(expires: &str) -> String {
    format!(
        "[[known]]\npackage = \"cart\"\ntest = \"t\"\nreason = \"wheels come off\"\n\
         link = \"https://example.org/7\"\nexpires = {expires}\n"
    )
}

#[test]
fn a_known_failure_is_no_news_until_it_expires() {
    let place = place();
    assert!(words(&place, "index.html").contains("Newly failing 1 ✗ newly failing cart : t"));
    assert!(place.text("site", "rss2/changes.xml").contains("newly failing:"));

    place.meddle(FILE, Some(&known("2026-03-01")));
    place.build("site");
    let shown = words(&place, "index.html");
    assert!(!shown.contains("Newly failing"), "{shown}");
    let said = "– known cart : t atlas linux-x86_64 (py3.14) since bbbbbbbbbbbb";
    assert!(shown.contains(&format!("Known 1 {said}")), "{shown}");
    assert!(shown.contains("known failure wheels come off ( link ), until 2026-03-01"), "{shown}");
    for page in ["p/cart/index.html", "p/cart/tests/index.html", "p/cart/test/t/index.html"] {
        let shown = words(&place, page);
        assert!(shown.contains("known failure wheels come off"), "{page}: {shown}");
    }
    let of_line = "p/cart/line/py3.14~00~00atlas~00linux-x86_64/changes.xml";
    for feed in ["rss2/changes.xml", "rss2/_generic/cart/changes.xml", of_line] {
        assert!(!place.text("site", feed).contains("<item>"), "{feed}");
    }
    place.assert_like_new();

    // The clock of the results is what counts: with this one it is the second of March, on all build lines.
    place.append(&[result((25, "cart", "barn", 'b'), 1.0, &[("t", 'F'), ("u", 'P')])]);
    place.build("site");
    assert!(place.text("site", of_line).contains("newly failing"));
    place.assert_like_new();
    place.append(&[result((25, "cart", "atlas", 'c'), 1.0, &[("t", 'F'), ("u", 'P')])]);
    place.build("site");
    let shown = words(&place, "index.html");
    assert!(shown.contains("Failing for longer 1") && !shown.contains("Known 1"), "{shown}");
    assert!(shown.contains("Annotations that have expired 1 ! expired cart : t"), "{shown}");
    assert!(shown.contains(&format!("{FILE}:1")), "{shown}");
    assert!(place.text("site", "rss2/changes.xml").contains("newly failing"));
    place.assert_like_new();

    place.meddle(FILE, None);
    place.build("site");
    assert!(!words(&place, "index.html").contains("expired"));
    place.assert_like_new();
}

#[test]
fn results_stay_as_they_are() {
    let place = place();
    let before = place.files("site");
    place.meddle(FILE, Some(&known("2030-01-01")));
    place.build("site");
    let after = place.files("site");
    let is_result = |name: &&String| name.ends_with("result.json") || name.contains("/history/");
    assert!(before.keys().filter(is_result).count() > 2);
    for name in before.keys().filter(is_result) {
        assert_eq!(before[name], after[name], "{name}");
    }
}

#[test]
fn notes_are_shown_on_their_result_and_their_machine() {
    let place = place();
    let key = json(&place, "p/cart/show_all/index.json")["results"][1]["key"].clone();
    let key = key.as_str().unwrap();
    let pages = [format!("p/cart/{key}/index.html"), "machine/atlas/index.html".to_owned()];
    let note = |on: &str, text: &str| format!("[[note]]\n{on}\ntext = \"{text}\"\n");
    let text = note(&format!("result = \"{key}\""), "power cut <b>")
        + &note("machine = \"atlas\"", "new disk")
        + &note("machine = \"nobody\"", "is on no page")
        + &note("result = \"1763899999123456789\"", "neither is this");
    place.meddle("annotations/notes.toml", Some(&text));
    place.build("site");
    for (page, said) in pages.iter().zip(["Notes power cut &#60;b&#62;", "Notes new disk"]) {
        assert!(words(&place, page).contains(said), "{page}: {}", words(&place, page));
    }
    place.assert_like_new();
    place.meddle("annotations/notes.toml", None);
    place.build("site");
    for page in &pages {
        assert!(!words(&place, page).contains("Notes"), "{page}");
    }
    place.assert_like_new();
}

#[test]
fn what_is_wrong_with_a_file_is_shown_and_nothing_breaks() {
    let place = place();
    place.meddle("annotations/odd.toml", Some("# Hm.\n[[known]]\ntest = 7\n"));
    place.meddle("annotations/notes.txt", Some("no annotations"));
    place.meddle(FILE, Some(&known("2026-03-01")));
    place.build("site");
    let shown = words(&place, "index.html");
    let said = "Annotations that do not count 1 annotations/odd.toml:3 : invalid type: integer";
    assert!(shown.contains(said) && shown.contains("Known 1"), "{shown}");
    assert_eq!(json(&place, "annotations.json")["problems"][0]["place"], "annotations/odd.toml:3");
    place.assert_like_new();
}

#[test]
fn a_package_may_be_called_like_the_folder_of_annotations() {
    let place = Place::new();
    let of = |hour, commit, letter| {
        result((hour, "annotations", "atlas", commit), 1.0, &[("t", letter)])
    };
    place.append(&[of(1, 'a', 'P')]);
    place.meddle(FILE, Some(&known("2030-01-01").replace("cart", "annotations")));
    place.build("site");
    place.append(&[of(2, 'b', 'F')]);
    place.build("site");
    let shown = words(&place, "p/~61nnotations/index.html");
    assert!(shown.contains("Known 1"), "{shown}");
    place.assert_like_new();
}

#[test]
fn damaged_annotations_are_told_and_everything_else_is_shown() {
    let place = place();
    place.meddle(FILE, Some(&known("2026-03-01")));
    place.append(&[result((3, "cart", "barn", 'b'), 1.0, &[("u", 'P')])]);
    place.lose("annotations");
    for _ in 0..2 {
        let built = place.build("site");
        let [told] = built.unreadable.as_slice() else { panic!("{:?}", built.unreadable) };
        assert!(told.starts_with("annotations: damaged: tree "), "{told}");
        let shown = words(&place, "index.html");
        assert!(shown.contains("Annotations that do not count 1 annotations : damaged"), "{shown}");
        assert!(shown.contains("Newly failing 1"), "{shown}");
        place.append(&[result((4, "cart", "barn", 'b'), 1.0, &[("u", 'P')])]);
    }
    place.build("site");
    place.assert_like_new();
}

#[test]
fn a_note_is_on_the_results_of_all_packages_that_have_its_key() {
    let place = Place::new();
    let key = place.append(&[result((1, "cart", "atlas", 'a'), 1.0, &[("t", 'P')])])[0];
    // Keys are drawn: somebody copies a result.
    let at = format!("cart/{}/{key}", key.time().strftime("%Y/%m/%d"));
    for file in ["client_info.json", "receipt.json", "results_list.json"] {
        let path = format!("{at}/{file}");
        let content = place.stored(&path).replace("\"cart\"", "\"wagon\"");
        place.meddle(&path.replace("cart", "wagon"), Some(&content));
    }
    place.build("site");
    let note = format!("[[note]]\nresult = \"{key}\"\ntext = \"power\\ncut\"\n");
    place.meddle(FILE, Some(&note));
    place.build("site");
    for package in ["cart", "wagon"] {
        let page = place.text("site", &format!("p/{package}/{key}/index.html"));
        assert!(page.contains("<li>power<br>cut</li>"), "{package}");
    }
    place.assert_like_new();
}

#[test]
fn of_several_reasons_each_is_on_the_page_of_the_test_and_a_list_says_that_there_are_more() {
    let place = place();
    place.append(&[
        result((3, "cart", "barn", 'a'), 1.0, &[("t", 'P')]),
        result((4, "cart", "barn", 'b'), 1.0, &[("t", 'F')]),
    ]);
    let on = |host: &str, reason: &str| {
        let host = format!("reason = \"{reason}\"\nhost = \"{host}\"");
        known("2026-03-01").replace("reason = \"wheels come off\"", &host)
    };
    place.meddle(FILE, Some(&format!("{}{}", on("barn", "too wet"), on("atlas", "too dry"))));
    place.build("site");
    let shown = words(&place, "p/cart/tests/index.html");
    assert!(shown.contains("and 1 other reason on other build lines"), "{shown}");
    let shown = words(&place, "p/cart/test/t/index.html");
    assert!(shown.contains("too wet") && shown.contains("too dry"), "{shown}");
}

#[test]
fn a_run_that_fails_for_more_than_what_is_known_is_news() {
    let (place, mut broken) = (Place::new(), result((2, "cart", "atlas", 'b'), 1.0, &[("t", 'F')]));
    place.append(&[result((1, "cart", "atlas", 'a'), 1.0, &[("t", 'P')])]);
    broken.0.results_list.push(Step::default().with("name", "lint").with("status", 1));
    place.append(&[broken]);
    place.meddle(FILE, Some(&known("2026-03-02")));
    place.build("site");
    let said = "Runs that fail for another reason than a test 1 ✗ failing cart : atlas";
    assert!(words(&place, "index.html").contains(said), "{}", words(&place, "index.html"));
    let feed = place.text("site", "rss2/changes.xml");
    assert!(feed.contains("the run fails, though no test does newly"), "{feed}");
    place.append(&[result((3, "cart", "atlas", 'c'), 1.0, &[("t", 'F')])]);
    place.build("site");
    assert!(!words(&place, "index.html").contains("Runs that fail"));
    place.assert_like_new();
}
