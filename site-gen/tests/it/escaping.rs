//! Nothing that a client sends becomes markup, wherever it is shown.

use jiff::Timestamp;
use pony_formats::{Attempt, Bag, Evidence, Outcome, Step, Submission, TestCase, Value};
use pony_site::Options;
use pony_store::{Arrival, Artifact};
use quick_xml::Reader;
use quick_xml::events::Event;

use crate::place::{Place, options};

/// Ways out of text, attributes, comments, raw text and addresses.
const PAYLOADS: [&str; 24] = [
    "<script>alert(1)</script>",
    "\"><script>alert(1)</script>",
    "'><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "\"><svg/onload=alert(1)>",
    "<svg><script xlink:href=data:,alert(1) />",
    "</title><script>alert(1)</script>",
    "</pre></code></style></textarea><iframe src=javascript:alert(1)>",
    "javascript:alert(1)",
    "\" onmouseover=\"alert(1)",
    "' onfocus='alert(1)' autofocus='",
    "` onload=`alert(1)",
    "<a href=\"javascript:alert(1)\">x</a>",
    "<base href=//evil.example/>",
    "<meta http-equiv=refresh content=0;url=//evil.example>",
    "<!--<script>alert(1)//-->",
    "]]><script>alert(1)</script><![CDATA[",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62;alert(1)&#60;/script&#62;",
    "{{7*7}}{% include \"base.html\" %}",
    "<?xml version=\"1.0\"?><!DOCTYPE x [<!ENTITY e \"x\">]>&e;",
    "\u{1b}]8;;javascript:alert(1)\u{7}<script>\u{1b}]8;;\u{7}",
    "\u{202e}\u{8}\u{fffe}<script>\u{7f}",
    "a\r\n\r\n<script>alert(1)</script>\t+ADw-script+AD4-",
];

/// Elements that the templates write, and `br` in feeds.
const ELEMENTS: [&str; 65] = [
    "!doctype",
    "html",
    "head",
    "meta",
    "title",
    "link",
    "body",
    "a",
    "header",
    "nav",
    "ol",
    "ul",
    "li",
    "img",
    "span",
    "main",
    "footer",
    "p",
    "code",
    "div",
    "h1",
    "h2",
    "h3",
    "table",
    "caption",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "svg",
    "rect",
    "i",
    "time",
    "section",
    "article",
    "details",
    "summary",
    "pre",
    "dl",
    "dt",
    "dd",
    "strong",
    "em",
    "figure",
    "figcaption",
    "desc",
    "noscript",
    "form",
    "label",
    "select",
    "option",
    "button",
    "script",
    "br",
    "/",
    "rss",
    "channel",
    "item",
    "guid",
    "description",
    "pubDate",
    "source",
    "generator",
    "lastBuildDate",
];

/// Attributes that the templates write.
const ATTRIBUTES: [&str; 44] = [
    "property",
    "lang",
    "html",
    "charset",
    "http-equiv",
    "content",
    "name",
    "rel",
    "href",
    "type",
    "title",
    "class",
    "id",
    "aria-label",
    "aria-labelledby",
    "aria-current",
    "aria-hidden",
    "src",
    "alt",
    "width",
    "height",
    "role",
    "scope",
    "data-label",
    "datetime",
    "open",
    "viewBox",
    "preserveAspectRatio",
    "x",
    "y",
    "tabindex",
    "data-filter",
    "data-kinds",
    "data-kind",
    "for",
    "value",
    "hidden",
    "defer",
    "aria-live",
    "isPermaLink",
    "url",
    "version",
    "xmlns:atom",
    "encoding",
];

/// A submission with `text` in every place that takes text.
fn everywhere(text: &str) -> Submission {
    let value = Value::from(text);
    let client_info = Bag::from([
        ("package".to_owned(), value.clone()),
        ("host".to_owned(), value.clone()),
        ("arch".to_owned(), value.clone()),
        ("tags".to_owned(), Value::Array(vec![value.clone()])),
        ("success".to_owned(), Value::Bool(false)),
        ("commit".to_owned(), value.clone()),
        ("branch".to_owned(), value.clone()),
        ("change_request".to_owned(), value.clone()),
        ("repository".to_owned(), value.clone()),
        ("ci_url".to_owned(), format!("https://github.com/{text}/actions/runs/1").into()),
        (text.to_owned(), value.clone()),
        ("nested".to_owned(), Value::Struct(Bag::from([(text.to_owned(), value.clone())]))),
    ]);
    let said = Some(text.to_owned());
    let evidence = Evidence {
        message: said.clone(),
        kind: said.clone(),
        details: said.clone(),
        output: said.clone(),
        errout: said.clone(),
    };
    let attempt = Attempt { outcome: Outcome::Failed, duration: None, evidence: evidence.clone() };
    let outcomes = [
        Outcome::Passed,
        Outcome::Flaky,
        Outcome::Skipped,
        Outcome::Failed,
        Outcome::UnexpectedPass,
    ];
    let tests = outcomes.map(|outcome| TestCase {
        evidence: evidence.clone(),
        attempts: vec![attempt.clone()],
        file: said.clone(),
        extra: Bag::from([(text.to_owned(), value.clone())]),
        ..TestCase::new(format!("{text}{outcome:?}"), outcome)
    });
    let step = ["type", "name", "command", "output", "errout", text]
        .into_iter()
        .fold(Step::default(), |step, key| step.with(key, text));
    let steps = vec![step.clone().with_tests(tests.to_vec()), step.with_tests(tests[..1].to_vec())];
    Submission {
        client_info: pony_formats::ClientInfo::from_bag(client_info).unwrap(),
        results_list: steps,
    }
}

/// Submissions of the main line with `text` in everything that pages of histories show: a test that was good
/// and began to fail, one that was repaired, a flaky one, a new and a vanished one.
fn main_line(text: &str) -> Vec<Submission> {
    let revisions = [
        ("aaaaaaaa", "https://github.com/ox/cart.git".to_owned(), false),
        ("bbbbbbbb", format!("https://github.com/{text}/cart"), false),
        ("bbbbbbbb", "git@github.com:ox/cart.git".to_owned(), false),
        (text, format!("git@github.com:ox/{text}"), true),
    ];
    let submission = |(at, (commit, repository, dirty)): (usize, (&str, String, bool))| {
        let Submission { client_info, .. } = everywhere(text);
        let mut bag = client_info.into_bag();
        bag.remove("change_request");
        bag.insert("commit".to_owned(), Value::from(commit));
        bag.insert("repository".to_owned(), Value::from(repository.as_str()));
        bag.insert("dirty".to_owned(), Value::Bool(dirty));
        let outcome = |bad| if bad { Outcome::Failed } else { Outcome::Passed };
        let tests = [
            TestCase::new(format!("{text}breaks"), outcome(at > 0)),
            TestCase::new(format!("{text}breaks last"), outcome(at == 3)),
            TestCase::new(format!("{text}repaired"), outcome(at == 0)),
            TestCase::new(format!("{text}flaky"), outcome(at == 1)),
            TestCase::new(format!("{text}only in {at}"), Outcome::Passed),
        ];
        Submission {
            client_info: pony_formats::ClientInfo::from_bag(bag).unwrap(),
            results_list: vec![Step::default().with_tests(tests.to_vec())],
        }
    };
    revisions.into_iter().enumerate().map(submission).collect()
}

fn hostile_site() -> Place {
    let place = Place::new();
    let mut writer = place.writer();
    let start: Timestamp = "2026-03-01T00:00:00Z".parse().unwrap();
    for (index, payload) in PAYLOADS.iter().enumerate() {
        let time = start + jiff::SignedDuration::from_mins(index as i64);
        let arrival = Arrival {
            client: Some((*payload).to_owned()),
            flags: [(*payload).to_owned()].into(),
            ..Arrival::at(time)
        };
        for (later, submission) in (1..).zip(main_line(payload)) {
            let arrival = Arrival::at(time - jiff::SignedDuration::from_hours(10 - later));
            writer.append(&submission, &arrival).unwrap();
        }
        let stored = writer.append(&everywhere(payload), &arrival).unwrap();
        let artifact = Artifact {
            filename: (*payload).to_owned(),
            description: (*payload).to_owned(),
            size: 1,
            sha256: [0xab; 32].into(),
            visible: true,
        };
        writer.attach(payload, stored.receipt.key, &artifact).unwrap();
    }
    drop(writer);
    place
}

/// Fails on any element or attribute that is not the templates' own, and on addresses with a scheme.
/// Takes every `<` for the beginning of a tag, more than a browser does.
#[track_caller]
fn assert_only_ours(name: &str, markup: &str) {
    for tag in markup.split('<').skip(1) {
        let (tag, _) = tag.split_once('>').unwrap_or_else(|| panic!("{name}: open tag {tag:?}"));
        let element: String = tag
            .trim_start_matches('/')
            .chars()
            .take_while(|c| !c.is_whitespace() && *c != '/')
            .collect();
        assert!(ELEMENTS.contains(&element.as_str()), "{name}: <{tag}>");
        let rest = &tag.trim_start_matches('/')[element.len()..];
        for (index, part) in rest.split('"').enumerate().filter(|(index, _)| index % 2 == 0) {
            let words = part.split([' ', '=', '/', '\n']).filter(|word| !word.is_empty());
            for attribute in words {
                assert!(
                    ATTRIBUTES.contains(&attribute),
                    "{name}: {attribute} ({index}) in <{tag}>"
                );
            }
        }
        for address in rest.split("href=\"").skip(1).chain(rest.split("src=\"").skip(1)) {
            let address = address.split('"').next().unwrap_or_default();
            assert!(element != "script" || address.ends_with("site.js"), "{name}: {address}");
            let scheme = address.split('/').next().unwrap_or_default();
            // Where the submissions say, truthfully, that the source is.
            if let Some(place) = address.strip_prefix("https://github.com/ox/cart/") {
                let places = ["commit/aaaaaaaa", "commit/bbbbbbbb", "compare/aaaaaaaa...bbbbbbbb"];
                assert!(places.contains(&place), "{name}: {address}");
                continue;
            }
            assert!(!scheme.contains(':') && !address.starts_with("//"), "{name}: {address}");
        }
    }
}

#[test]
fn no_payload_becomes_an_element_an_attribute_or_a_link() {
    let place = hostile_site();
    place.build_with("site", &Options { link_artifacts: true, ..options() }).unwrap();
    let files = place.files("site");
    let pages: Vec<_> = files.iter().filter(|(name, _)| name.ends_with(".html")).collect();
    let of_tests = pages.iter().filter(|(name, _)| name.contains("/test/"));
    assert!(of_tests.count() >= 3 * PAYLOADS.len());
    let text =
        pages.iter().map(|(_, content)| String::from_utf8_lossy(content)).collect::<String>();
    for words in
        ["Newly failing", "Flaky", "Vanished", "git bisect start bbbbbbbb aaaaaaaa", "compare/"]
    {
        assert!(text.contains(words), "{words}");
    }
    for (name, content) in pages {
        assert_only_ours(name, std::str::from_utf8(content).unwrap());
    }
}

#[test]
fn payloads_are_shown_as_the_text_they_are() {
    let place = hostile_site();
    place.build("site");
    let index = place.text("site", "index.html");
    assert!(index.contains(">&#60;script&#62;alert(1)&#60;/script&#62;</a>"));
    assert!(index.contains(">&#38;lt;script&#38;gt;alert(1)&#38;lt;/script&#38;gt;</a>"));
    assert!(index.contains("\\u{202e}\\u{8}"), "what cannot be seen is shown");
    assert!(index.contains("{{7*7}}"));
}

#[test]
fn every_page_forbids_all_scripts_but_our_file() {
    let place = hostile_site();
    place.build("site");
    let policy = "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self' data:;";
    for (name, content) in place.files("site") {
        if name.ends_with(".html") {
            let page = String::from_utf8(content).unwrap();
            if page.contains("http-equiv=\"refresh\"") {
                assert!(page.contains("content=\"default-src 'none'; base-uri 'none'\""), "{name}");
                assert!(!page.contains("<script"), "{name}");
                continue;
            }
            assert!(page.contains(policy), "{name}");
            assert_eq!(page.matches("<script").count(), 1, "{name}");
            assert!(page.contains("site.js\" defer></script>"), "{name}");
        }
    }
}

#[test]
fn files_have_names_that_every_system_takes_literally() {
    let place = hostile_site();
    place.build("site");
    for name in place.files("site").keys() {
        let plain = |c: char| c.is_ascii_alphanumeric() || "._-~/".contains(c);
        assert!(name.chars().all(plain), "{name:?}");
    }
}

#[test]
fn feeds_are_well_formed_and_their_html_is_harmless() {
    let place = hostile_site();
    let with_url = Options { base_url: Some("https://ci.example.org".into()), ..options() };
    for (site, options) in [("relative", options()), ("absolute", with_url)] {
        place.build_with(site, &options).unwrap();
        let is_feed = |name: &str| name.starts_with("rss2/") || name.contains("/changes.");
        let feeds = place.files(site).into_iter().filter(|(name, _)| is_feed(name));
        for (name, content) in feeds {
            let feed = String::from_utf8(content).unwrap();
            let forbidden = |c: char| (c.is_control() && !c.is_whitespace()) || c == '\u{fffe}';
            assert!(!feed.contains(forbidden), "{name}");
            if name.ends_with(".json") {
                assert_json_feed(&name, &feed);
            } else {
                assert_feed(&name, &feed);
            }
        }
    }
}

fn assert_json_feed(name: &str, feed: &str) {
    let feed: serde_json::Value = serde_json::from_str(feed).unwrap();
    assert_eq!(feed["version"], "https://jsonfeed.org/version/1.1");
    for item in feed["items"].as_array().unwrap() {
        assert!(item["id"].is_string() && item["url"].is_string(), "{name}");
        assert_only_ours(name, item["content_html"].as_str().unwrap());
    }
}

/// Reads the feed as a reader would, down to the HTML in its descriptions.
fn assert_feed(name: &str, feed: &str) {
    let mut reader = Reader::from_str(feed);
    reader.config_mut().check_end_names = true;
    let (mut path, mut text, mut items) = (Vec::new(), String::new(), 0);
    loop {
        match reader.read_event().unwrap_or_else(|error| panic!("{name}: {error}")) {
            Event::Start(tag) => {
                path.push(tag.name().as_ref().to_owned());
                text.clear();
            }
            Event::Text(part) => text.push_str(&part),
            Event::GeneralRef(reference) => {
                let character = reference.resolve_char_ref().unwrap();
                text.push(character.unwrap_or_else(|| panic!("{name}: entity {reference:?}")));
            }
            Event::End(_) => {
                let element = path.pop().unwrap();
                let is_body = match path.last().map(|parent| parent.as_ref()) {
                    Some("item") => element == "description",
                    Some("entry") => element == "content",
                    _ => false,
                };
                if is_body {
                    assert_only_ours(name, &text);
                    if name.contains("/all") || name.contains("/failed") {
                        assert_eq!(text.matches("<br>").count(), 5, "{text}");
                    }
                    items += 1;
                }
            }
            Event::Empty(_) | Event::Decl(_) => {}
            Event::Eof => break,
            other => panic!("{name}: {other:?}"),
        }
    }
    assert!(path.is_empty(), "{name}");
    assert!(items > 0 || name.contains("/silent"), "{name}: {items} items");
}
