//! What a build writes, and that bringing a site up to date is as good as building it again.

use pony_formats::ResultKey;
use pony_site::Options;
use pony_store::Artifact;

use crate::place::{Place, options};
use crate::sample;

fn artifact(name: &str) -> Artifact {
    Artifact {
        filename: name.to_owned(),
        description: "built".to_owned(),
        size: 5,
        sha256: [0xab; 32].into(),
        visible: true,
    }
}

/// Where the repository keeps a result.
fn stored_at(package: &str, key: ResultKey) -> String {
    format!("{package}/{}/{key}", key.time().strftime("%Y/%m/%d"))
}

#[track_caller]
fn assert_same_site(place: &Place, one: &str, other: &str) {
    let (one, other) = (place.files(one), place.files(other));
    let names = |files: &std::collections::BTreeMap<String, Vec<u8>>| -> Vec<String> {
        files.keys().cloned().collect()
    };
    assert_eq!(names(&one), names(&other));
    for (name, content) in one {
        assert!(other[&name] == content, "{name} differs");
    }
}

#[test]
fn an_empty_repository_gives_an_empty_site() {
    let place = Place::new();
    place.build("site");
    assert!(place.text("site", "index.html").contains("No results yet"));
    assert!(place.text("site", "rss2/all.xml").contains("<title>pony-build feed</title>"));
    assert!(place.text("site", "404.html").contains("Not found"));
}

#[test]
fn every_result_has_a_page_and_every_list_names_it() {
    let place = Place::new();
    let keys = place.append(&sample::history()[..20]);
    place.build("site");
    let lists = place.files("site").into_iter().filter(|(name, _)| name.contains("/show_all/"));
    let all: String = lists.map(|(_, page)| String::from_utf8(page).unwrap()).collect();
    let files = place.files("site");
    for key in keys {
        assert!(all.contains(&format!("../{key}/index.html")), "{key}");
        let name = format!("/{key}/index.html");
        assert!(files.keys().any(|path| path.ends_with(&name)), "{key}");
    }
}

#[test]
fn a_site_that_is_brought_up_to_date_is_like_a_new_one() {
    let place = Place::new();
    let history = sample::history();
    let keys = place.append(&history[..30]);
    place.build("site");
    for (part, key) in history[30..].chunks(7).zip(&keys) {
        place.append(part);
        // The history begins with a package that few machines test.
        let package = history[keys.iter().position(|k| k == key).unwrap()].0.client_info.package();
        place.writer().attach(package, *key, &artifact("log.txt")).unwrap();
        let later = options().now + jiff::SignedDuration::from_hours(7);
        place.build_with("site", &Options { now: later, ..options() }).unwrap();
    }
    place.build("site");
    place.build("new");
    assert_same_site(&place, "site", "new");
}

#[test]
fn pages_of_earlier_results_do_not_change() {
    let place = Place::new();
    let history = sample::history();
    place.append(&history[..30]);
    place.build("site");
    let before = place.files("site");
    place.append(&history[30..]);
    place.build("site");
    let after = place.files("site");
    let of_results =
        before.iter().filter(|(name, _)| name.contains("/177") && !name.contains("latest"));
    assert!(of_results.clone().count() >= 60);
    for (name, content) in of_results {
        assert!(&after[name] == content, "{name} changed");
    }
}

#[test]
fn nothing_new_means_nothing_written() {
    let place = Place::with_history();
    assert!(place.build("site").files_written > 120);
    assert_eq!(place.build("site").files_written, 0);
}

#[test]
fn another_address_or_version_means_building_from_scratch() {
    let place = Place::with_history();
    let with_url = Options { base_url: Some("https://ci.example.org/x/".into()), ..options() };
    place.build("site");
    place.build_with("site", &with_url).unwrap();
    place.build_with("new", &with_url).unwrap();
    assert_same_site(&place, "site", "new");
    assert!(place.text("site", "rss2/all.xml").contains("<link>https://ci.example.org/x/p/"));
    assert!(place.text("site", "404.html").contains("href=\"https://ci.example.org/x/style.css\""));
    let older =
        place.text("site", ".pony-site.json").replace("\"generator\": \"", "\"generator\": \"0.");
    std::fs::write(place.path("site/.pony-site.json"), older).unwrap();
    std::fs::write(place.path("site/p/left-over.html"), "from then").unwrap();
    place.build_with("site", &with_url).unwrap();
    assert_same_site(&place, "site", "new");
}

#[test]
fn a_damaged_site_is_built_from_scratch() {
    let place = Place::with_history();
    place.build("site");
    place.build("new");
    for broken in ["p/ndarray/state.json", "index.json", ".pony-site.json"] {
        std::fs::write(place.path("site").join(broken), "{").unwrap();
        place.build("site");
        assert_same_site(&place, "site", "new");
    }
}

#[test]
fn a_damaged_list_is_noticed_when_it_is_needed() {
    let place = Place::new();
    let history = sample::history();
    place.append(&history[..30]);
    place.build("site");
    std::fs::write(place.path("site/p/ndarray/show_all/index.json"), "{").unwrap();
    place.append(&history[30..]);
    place.build("site");
    place.build("new");
    assert_same_site(&place, "site", "new");
}

#[test]
fn a_result_that_cannot_be_read_is_listed_and_the_build_goes_on() {
    let place = Place::new();
    let history = sample::history();
    let keys = place.append(&history[..20]);
    place.build("site");
    let (package, key) = (
        "ndarray",
        keys[history.iter().position(|(s, _)| s.client_info.package() == "ndarray").unwrap()],
    );
    place.meddle(&format!("{}/receipt.json", stored_at(package, key)), Some("{ <b>not json"));
    place.append(&history[20..]);
    let built = place.build("site");
    assert_eq!(built.unreadable.len(), 1, "{:?}", built.unreadable);
    assert!(built.unreadable[0].starts_with(&format!("{package} {key}: receipt.json: ")));
    let notice = format!("unreadable result <a href=\"{key}/index.html\">");
    assert!(place.text("site", "p/ndarray/index.html").contains(&notice));
    let page = place.text("site", &format!("p/ndarray/{key}/index.html"));
    assert!(page.contains("This result cannot be read back"));
    place.build("new");
    assert_same_site(&place, "site", "new");
}

#[test]
fn a_result_that_somebody_removed_is_gone_from_the_site() {
    let place = Place::new();
    let history = sample::history();
    let keys = place.append(&history);
    place.build("site");
    let last = history.iter().rposition(|(s, _)| s.client_info.package() == "grepper").unwrap();
    place.meddle(&stored_at("grepper", keys[last]), None);
    place.build("site");
    place.build("new");
    assert_same_site(&place, "site", "new");
    assert!(!place.path("site").join(format!("p/grepper/{}", keys[last])).exists());
}

#[test]
fn many_results_come_in_pages() {
    let place = Place::new();
    let (submission, start) = &sample::history()[0];
    let submission = pony_formats::Submission { results_list: vec![], ..submission.clone() };
    let minute = |n: i64| *start + jiff::SignedDuration::from_mins(n);
    let results: Vec<_> = (0..305).map(|n| (submission.clone(), minute(n))).collect();
    place.append(&results[..199]);
    place.build("site");
    let folder =
        format!("p/{}", pony_formats::names::url_component(submission.client_info.package()));
    assert!(!place.path("site").join(&folder).join("show_all/1").exists());
    place.append(&results[199..]);
    place.build("site");
    assert!(
        place
            .text("site", &format!("{folder}/show_all/index.html"))
            .contains("href=\"2/index.html\"")
    );
    assert!(
        place.text("site", &format!("{folder}/show_all/1/index.html")).contains("Results 1 to 100")
    );
    place.build("new");
    assert_same_site(&place, "site", "new");
}

#[test]
fn files_are_linked_where_they_are_served() {
    let place = Place::new();
    let history = sample::history();
    let key = place.append(&history[..1])[0];
    let package = history[0].0.client_info.package();
    place.writer().attach(package, key, &artifact("a b.whl")).unwrap();
    place
        .writer()
        .attach(package, key, &Artifact { visible: false, ..artifact("hidden") })
        .unwrap();
    let page = format!("p/{}/{key}/index.html", pony_formats::names::url_component(package));
    place.build("site");
    let text = place.text("site", &page);
    assert!(text.contains("a b.whl") && !text.contains("files/"), "{text}");
    assert!(!text.contains("hidden<"));
    place.build_with("site", &Options { link_artifacts: true, ..options() }).unwrap();
    assert!(place.text("site", &page).contains("<a href=\"files/a%20b.whl\">a b.whl</a>"));
}

#[test]
fn only_a_live_site_asks_for_builds() {
    let place = Place::new();
    let history = sample::history();
    let key = place.append(&history[..1])[0];
    let package = history[0].0.client_info.package();
    let package = pony_formats::names::url_component(package);
    let page = format!("p/{package}/{key}/index.html");
    place.build("site");
    let text = place.text("site", &page);
    assert!(!text.contains("<form") && text.contains("form-action 'none'"), "{text}");
    // Built again in the same folder: every page is another.
    place.build_with("site", &Options { live: true, ..options() }).unwrap();
    let text = place.text("site", &page);
    assert!(text.contains("action=\"request_build\"") && text.contains("form-action 'self'"));
    let latest = place.text("site", &format!("p/{package}/latest/index.html"));
    assert!(latest.contains(&format!("url=../{key}/index.html")), "{latest}");
}
