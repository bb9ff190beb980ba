//! What a browser sees.

use std::fs;

use crate::collector::{Place, client_info};
use crate::http::{exchange, get, request};

#[test]
fn files_of_the_site_are_served_without_scripts() {
    let place = Place::new();
    let site = place.path("www");
    let collector = place.start(&["--site", site.to_str().unwrap()]);
    fs::create_dir_all(site.join("extra")).unwrap();
    fs::write(site.join("extra/index.html"), "<p>hello").unwrap();
    let answer = get(collector.address, "/extra/");
    assert_eq!((answer.status, answer.text()), (200, "<p>hello"));
    assert_eq!(answer.header("content-type"), Some("text/html"));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    let policy = answer.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'; style-src 'self'; img-src 'self' data:"));
    let answer = get(collector.address, "/nowhere");
    assert_eq!((answer.status, answer.text()), (404, "there is nothing at this address\n"));
    assert_eq!(get(collector.address, "/exit").status, 404);
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
