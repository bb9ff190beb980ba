//! What a browser sees.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::collector::{Collector, Place, client_info};
use crate::http::{Answer, exchange, get, post, request};

/// Asks for a page until the site has it.
#[track_caller]
fn wait_for(collector: &Collector, path: &str, text: &str) -> Answer {
    // Only so that a mistake ends the test.
    let start = Instant::now();
    loop {
        let answer = get(collector.address, path);
        if answer.status == 200 && answer.text().contains(text) {
            return answer;
        }
        assert!(start.elapsed() < Duration::from_secs(60), "{path} never had {text:?}: {answer:?}");
    }
}

/// Waits until the first build of a site is over: it removes what it did not write.
#[track_caller]
fn wait_until_built(site: &Path) {
    // Only so that a mistake ends the test.
    let start = Instant::now();
    let state = || fs::read_to_string(site.join(".pony-site.json")).unwrap_or_default();
    while !state().contains("\"commit\": \"") {
        assert!(start.elapsed() < Duration::from_secs(60), "never built: {}", state());
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_result_appears_on_the_site_behind_the_answer() {
    let place = Place::new();
    let collector = place.start(&[]);
    wait_for(&collector, "/", "<html");
    let (number, auth_key) = collector.add(client_info("a/<b>", true));
    wait_for(&collector, "/", "a/&#60;b");
    // The address by the number of the original protocol leads to the page.
    let old = get(collector.address, &format!("/p/a%2F%3Cb%3E/{number}/"));
    assert_eq!(old.status, 308);
    let page = old.header("location").unwrap().to_owned();
    assert!(page.starts_with("/p/a~2f~3cb~3e/"), "{page}");
    wait_for(&collector, &page, "shed");
    let key = page.trim_end_matches('/').rsplit('/').next().unwrap();
    wait_for(&collector, "/p/a~2f~3cb~3e/show_all/", key);
    let feed = wait_for(&collector, "/rss2/_generic/a~2f~3cb~3e/all", "<rss");
    assert_eq!(feed.header("content-type"), Some("application/rss+xml"));

    // What the page offers is what the server takes, and its policy allows it.
    let text = get(collector.address, &page);
    assert!(text.text().contains("method=\"post\" action=\"request_build\">"));
    assert!(text.text().contains("form-action 'self'"));
    let form = request(&format!("POST {page}request_build HTTP/1.1"), "", b"");
    assert_eq!(exchange(collector.address, &form).status, 303);

    // What the page says of a file leads to the file.
    let upload = format!("/upload?visible=yes&description=&auth_key={auth_key}&filename=b+c.txt");
    assert_eq!(post(collector.address, &upload, b"content").status, 200);
    let linked = wait_for(&collector, &page, "files/b%20c.txt");
    assert!(linked.text().contains("href=\"files/b%20c.txt\""));
    assert_eq!(get(collector.address, &format!("{page}files/b%20c.txt")).body, b"content");
}

#[test]
fn every_name_has_a_page_under_its_own_name_and_its_encoded_one() {
    let place = Place::new();
    let collector = place.start(&[]);
    let long = "x".repeat(200);
    for package in ["CON", ".git", "..", "a~b", "a~2fb", "readme.md", "%41", "é", &long] {
        let (number, _) = collector.add(client_info(package, true));
        let page = format!("/p/{}/", pony_formats::names::url_component(package));
        wait_for(&collector, &page, "shed");
        let quoted: String = package.bytes().map(|byte| format!("%{byte:02X}")).collect();
        for written in [quoted, page[3..page.len() - 1].to_owned()] {
            let answer = get(collector.address, &format!("/p/{written}/{number}/"));
            assert_eq!(answer.status, 308, "{package}");
            let location = answer.header("location").unwrap();
            assert!(location.starts_with(&page), "{package}: {location}");
            assert_eq!(get(collector.address, location).status, 200, "{package}");
        }
    }
}

#[test]
fn files_of_the_site_are_served_without_scripts() {
    let place = Place::new();
    let site = place.path("www");
    let collector = place.start(&["--site", site.to_str().unwrap()]);
    wait_until_built(&site);
    fs::create_dir_all(site.join("extra")).unwrap();
    fs::write(site.join("extra/index.html"), "<p>hello").unwrap();
    let answer = get(collector.address, "/extra/");
    assert_eq!((answer.status, answer.text()), (200, "<p>hello"));
    assert_eq!(answer.header("content-type"), Some("text/html"));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    let policy = answer.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self' data:"));
    let answer = get(collector.address, "/nowhere");
    assert_eq!((answer.status, answer.text()), (404, "there is nothing at this address\n"));
    assert_eq!(get(collector.address, "/exit").status, 404);
}

#[test]
fn a_page_that_was_replaced_within_a_second_is_sent_again() {
    let place = Place::new();
    let site = place.path("www");
    let collector = place.start(&["--site", site.to_str().unwrap()]);
    wait_until_built(&site);
    let answer = get(collector.address, "/style.css");
    assert_eq!((answer.status, answer.header("last-modified")), (200, None));
    let conditional = |name: &str| {
        let header = format!("{name}: Fri, 01 Jan 2100 00:00:00 GMT\r\n");
        exchange(collector.address, &request("GET /style.css HTTP/1.1", &header, b"")).status
    };
    assert_eq!(conditional("If-Modified-Since"), 200);
    assert_eq!(conditional("If-Unmodified-Since"), 200);
}

#[test]
fn two_slashes_do_not_lead_to_another_host() {
    let place = Place::new();
    let collector = place.start(&[]);
    fs::create_dir_all(place.repo().join("pony/site/p")).unwrap();
    for path in ["//p", "//p/", "//", "///p", "//p%2Fx"] {
        let answer = get(collector.address, path);
        assert_eq!((answer.status, answer.header("location")), (404, None), "{path}");
    }
}

#[test]
fn feeds_are_feeds_also_without_an_extension() {
    let place = Place::new();
    let site = place.path("www");
    let collector = place.start(&["--site", site.to_str().unwrap()]);
    wait_until_built(&site);
    fs::create_dir_all(site.join("rss2/_generic/x")).unwrap();
    fs::write(site.join("rss2/_generic/x/all"), "<rss/>").unwrap();
    let answer = get(collector.address, "/rss2/_generic/x/all");
    assert_eq!(answer.header("content-type"), Some("application/rss+xml"));
    assert_eq!(get(collector.address, "/rss2/nothing").status, 404);
}

#[test]
fn old_addresses_of_packages_are_redirected() {
    let place = Place::new();
    let collector = place.start(&[]);
    let answer = get(collector.address, "/p/my%20pkg%2Fx/");
    assert_eq!((answer.status, answer.header("location")), (308, Some("/p/my~20pkg~2fx/")));
    drop(collector);
    let collector = place.start(&["--base-url", "https://ci.example/pony"]);
    let answer = get(collector.address, "/p/a%2Fb/show_all");
    let location = "https://ci.example/pony/p/a~2fb/show_all";
    assert_eq!(answer.header("location"), Some(location));
}

#[test]
fn a_build_can_be_requested_from_our_pages_only() {
    let place = Place::new();
    let collector = place.start(&[]);
    let (key, _) = collector.add(client_info("a b", true));
    let wanted = || collector.should_build(client_info("a b", true));
    let ask = |line: &str, headers: &str| {
        exchange(collector.address, &request(&format!("{line} HTTP/1.1"), headers, b""))
    };
    let address = format!("/p/a~20b/{key}/request_build");
    assert!(!wanted());

    assert_eq!(ask(&format!("GET {address}"), "").status, 405);
    let foreign = ask(&format!("POST {address}"), "Origin: http://elsewhere\r\n");
    assert_eq!(foreign.status, 403);
    assert_eq!(ask(&format!("POST /p/other/{key}/request_build"), "").status, 404);
    assert!(!wanted(), "nothing of this changes anything");

    let answer = ask(&format!("POST {address}"), "Origin: http://collector\r\n");
    assert_eq!((answer.status, answer.header("location")), (303, Some("../")));
    assert!(wanted());
    assert!(!wanted(), "a request is answered once");
}
