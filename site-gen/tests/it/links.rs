//! Every link inside a site leads somewhere, also without a server.

use std::collections::BTreeMap;

use crate::place::Place;

/// The values of all `href` and `src` attributes.
fn links(page: &str) -> Vec<&str> {
    let of = |attribute: &'static str| {
        let parts = page.split(attribute).skip(1);
        parts.map(|rest| rest.split('"').next().unwrap_or_default())
    };
    of(" href=\"").chain(of(" src=\"")).collect()
}

/// The file that a link in the file `from` leads to.
fn target(from: &str, link: &str) -> String {
    // A place in a page, or what its script is asked for.
    let link = link.split(['#', '?']).next().unwrap_or_default();
    let mut path: Vec<&str> = from.split('/').collect();
    path.pop();
    for part in link.split('/') {
        match part {
            ".." => assert!(path.pop().is_some(), "{link} in {from} leads out of the site"),
            part => path.push(part),
        }
    }
    path.join("/")
}

fn check(files: &BTreeMap<String, Vec<u8>>) -> usize {
    let mut checked = 0;
    for (name, content) in files.iter().filter(|(name, _)| name.ends_with(".html")) {
        for link in links(std::str::from_utf8(content).unwrap()) {
            if link.starts_with('#') || link.starts_with("https://github.com/ox/cart/") {
                continue;
            }
            let target = target(name, link);
            assert!(files.contains_key(&target), "{link} in {name} leads to {target}");
            checked += 1;
        }
    }
    checked
}

#[test]
fn every_link_leads_to_a_file() {
    let place = Place::with_history();
    place.build("site");
    assert!(check(&place.files("site")) > 500);
}

#[test]
fn links_of_feeds_lead_to_files_too() {
    let place = Place::with_history();
    place.build("site");
    let files = place.files("site");
    let mut checked = 0;
    let is_rss = |name: &str| name.starts_with("rss2/") && name.ends_with(".xml");
    for (name, content) in files.iter().filter(|(name, _)| is_rss(name)) {
        for link in std::str::from_utf8(content).unwrap().split("<link>").skip(1) {
            let target = target(name, link.split("</link>").next().unwrap());
            assert!(files.contains_key(&target), "{name} leads to {target}");
            checked += 1;
        }
        let sibling = name.strip_suffix(".xml").unwrap_or(name);
        assert_eq!(content, &files[sibling], "the original address has the same feed");
    }
    assert!(checked > 50);
}
