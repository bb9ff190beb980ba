//! `/api/v1`, as programs use it.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value as Json, json};

use crate::collector::{Collector, Place, git};
use crate::http::{self, Answer};

const JUNIT: &str = r#"<testsuite name="barn"><testcase classname="hay" name="stack"/>
    <testcase classname="hay" name="loft"><failure message="too low"/></testcase>
    <system-out>said by the suite</system-out></testsuite>"#;

const RESULTS: &str = "/api/v1/results";

fn body(answer: &Answer) -> Json {
    assert_eq!(answer.header("content-type"), Some("application/json"), "{answer:?}");
    serde_json::from_slice(&answer.body).unwrap()
}

fn post(collector: &Collector, address: &str, headers: &str, content: &[u8]) -> Answer {
    let line = format!("POST {address} HTTP/1.1");
    http::exchange(collector.address, &http::request(&line, headers, content))
}

#[track_caller]
fn submit(collector: &Collector, query: &str, content: impl AsRef<[u8]>) -> Json {
    let answer = post(collector, &format!("{RESULTS}{query}"), "", content.as_ref());
    assert_eq!(answer.status, 201, "{}", answer.text());
    body(&answer)
}

#[track_caller]
fn get(collector: &Collector, address: &str) -> Json {
    let answer = http::get(collector.address, address);
    assert_eq!(answer.status, 200, "{}", answer.text());
    body(&answer)
}

/// The status, and the slug of the problem.
fn refusal(answer: &Answer) -> (u16, String) {
    let problem = body(answer);
    assert!(!problem["detail"].as_str().unwrap().is_empty());
    assert_eq!(problem["request_id"].as_str().unwrap().len(), 16);
    (answer.status, problem["error"].as_str().unwrap().to_owned())
}

#[test]
fn what_a_runner_wrote_is_enough() {
    let place = Place::new();
    let collector = place.start(&[]);
    let stored = submit(&collector, "?package=hay/loft&tag=nightly&commit=0123&host=shed", JUNIT);
    let tests = json!({"passed": 1, "failed": 1, "errored": 0, "skipped": 0});
    assert_eq!(stored["tests"], tests);
    let key = stored["key"].as_str().unwrap();
    assert_eq!(stored["url"], format!("/p/hay~2floft/{key}/"));
    let result = get(&collector, &format!("{RESULTS}/{key}"));
    let info = &result["client_info"];
    assert_eq!(info["package"], "hay/loft");
    assert_eq!((&info["success"], &info["commit"]), (&json!(false), &json!("0123")));
    assert_eq!(info["tags"], json!(["nightly"]));
    let step = &result["results_list"][0];
    assert_eq!((&step["status"], &step["type"]), (&json!(1), &json!("test")));
    assert_eq!(step["output"], "said by the suite");
    let ids: Vec<_> = step["tests"].as_array().unwrap().iter().map(|test| &test["id"]).collect();
    assert_eq!(ids, ["hay::loft", "hay::stack"]);
    assert_eq!(result["receipt"]["key"], key);
    let stream = http::get(collector.address, &format!("{RESULTS}/{key}/steps/0/output"));
    assert_eq!((stream.status, stream.text()), (200, "said by the suite"));
    assert_eq!(stream.header("content-type"), Some("text/plain; charset=utf-8"));
    for absent in ["0/errout", "0/type", "1/output", "x/output"] {
        let answer = http::get(collector.address, &format!("{RESULTS}/{key}/steps/{absent}"));
        assert_eq!(refusal(&answer), (404, "not-found".to_owned()), "{absent}");
    }
    // By its number, too.
    assert_eq!(get(&collector, &format!("{RESULTS}/{}", stored["number"])), result);
    place.fsck();
}

#[test]
fn what_was_captured_for_suites_says_whose_it_is() {
    let place = Place::new();
    let collector = place.start(&[]);
    let several = "<testsuites><testsuite name='barn'><system-out>moo</system-out></testsuite>\
        <testsuite name='door'><testcase name='shut'/><system-out>slam</system-out></testsuite>\
        </testsuites>";
    let stored = submit(&collector, "?package=hayloft", several);
    let result = get(&collector, &format!("{RESULTS}/{}", stored["key"].as_str().unwrap()));
    assert_eq!(
        result["results_list"][0]["output"],
        "[pony: captured for the suite `barn`]\nmoo\n[pony: captured for the suite `door`]\nslam"
    );
}

#[test]
fn curl_needs_no_more_than_a_package() {
    let place = Place::new();
    let collector = place.start(&[]);
    let mut curl = Command::new("curl")
        .args(["--silent", "--show-error", "--data-binary", "@-"])
        .arg(format!("http://{}{RESULTS}?package=hayloft", collector.address))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let text = "running 1 test\ntest a ... ok\n\ntest result: ok. 1 passed; 0 failed; 0 ignored; \
                0 measured; 0 filtered out; finished in 0.00s\n\n";
    curl.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = curl.wait_with_output().unwrap();
    let stored: Json = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(stored["tests"]["passed"], 1, "{stored}");
    let result = get(&collector, &format!("{RESULTS}/{}", stored["key"].as_str().unwrap()));
    assert_eq!(result["results_list"][0]["output"], text, "text for people is kept whole");
    assert_eq!(result["client_info"]["host"], "unknown");
}

#[test]
fn both_bags_can_be_sent_as_json() {
    let place = Place::new();
    let collector = place.start(&[]);
    let bags = json!({
        "client_info": {"package": "hayloft", "host": "shed", "arch": "x", "success": true, "my own": [1, 2.5, null]},
        "results_list": [{"type": "test", "name": "unit", "status": 0, "output": "fine\n"}],
    });
    let stored = submit(&collector, "", bags.to_string());
    let result = get(&collector, &format!("{RESULTS}/{}", stored["key"].as_str().unwrap()));
    assert_eq!(result["client_info"], bags["client_info"]);
    assert_eq!(result["results_list"], bags["results_list"]);
}

#[test]
fn bodies_may_be_compressed_but_are_no_bombs() {
    let place = Place::new();
    let collector = place.start(&["--max-body", "3000000"]);
    let send = |content: &[u8], encoding: &str| {
        let headers = format!("Content-Encoding: {encoding}\r\n");
        post(&collector, &format!("{RESULTS}?package=x"), &headers, content)
    };
    let packed = gzip(JUNIT.as_bytes());
    assert_eq!(send(&packed, "gzip").status, 201);
    let two_members = [gzip(&JUNIT.as_bytes()[..50]), gzip(&JUNIT.as_bytes()[50..])].concat();
    assert_eq!(send(&two_members, "gzip").status, 201);
    let bomb = gzip(&vec![b' '; 4_000_000]);
    assert_eq!(refusal(&send(&bomb, "gzip")), (413, "too-large".to_owned()));
    let by_ratio = gzip(&vec![b' '; 2_500_000]);
    assert_eq!(refusal(&send(&by_ratio, "gzip")), (413, "too-large".to_owned()));
    assert_eq!(refusal(&send(&packed[..40], "gzip")), (400, "malformed".to_owned()));
    assert_eq!(refusal(&send(JUNIT.as_bytes(), "gzip")), (400, "malformed".to_owned()));
    assert_eq!(refusal(&send(&packed, "br")), (415, "encoding-unknown".to_owned()));
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn what_cannot_be_stored_is_refused_and_nothing_is_stored() {
    let place = Place::new();
    let collector = place.start(&[]);
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let long = "x".repeat(300);
    let bags = |info: &str| format!(r#"{{"client_info": {info}, "results_list": []}}"#);
    let whole = r#"{"package": "x", "host": "", "arch": "", "success": true}"#;
    for (query, content, status, slug) in [
        ("?package=x", "hello", 422, "unacceptable"),
        ("?package=x", "", 422, "unacceptable"),
        ("?package=x", "<html></html>", 422, "unacceptable"),
        ("?package=x&from=tap", JUNIT, 422, "unacceptable"),
        ("?package=x&from=xml", JUNIT, 422, "unacceptable"),
        ("?package=x&duration=-1", JUNIT, 422, "unacceptable"),
        ("?package=x&nonsense=1", JUNIT, 400, "malformed"),
        ("?package=x&package=y", JUNIT, 400, "malformed"),
        ("?host=x", JUNIT, 400, "malformed"),
        ("?package=", JUNIT, 422, "unacceptable"),
        (&format!("?package={long}"), JUNIT, 422, "unacceptable"),
        ("?package=a%00b", JUNIT, 422, "unacceptable"),
        ("?package=x&tag=__package%3Dy", JUNIT, 422, "unacceptable"),
        ("", JUNIT, 400, "malformed"),
        ("", "[]", 422, "unacceptable"),
        ("", "{}", 422, "unacceptable"),
        ("", &format!("[{}{{}}]", "{\"\":1},".repeat(600_000)), 422, "unacceptable"),
        ("", &deep, 400, "malformed"),
        ("", &bags("{}"), 422, "unacceptable"),
        ("", &format!("{} x", bags(whole)), 400, "malformed"),
        ("", &format!("\u{feff}{}", bags(whole)), 400, "malformed"),
        ("", &bags(r#"{"package": "x", "package": "y"}"#), 400, "malformed"),
        ("", &bags(whole).replace("\"\"", "1e400"), 422, "unacceptable"),
        (
            "",
            &bags(whole).replacen(
                "true",
                "true, \"n\": 1234567890123456789012345678901234567890",
                1,
            ),
            422,
            "unacceptable",
        ),
        ("", &bags(whole).replacen('{', r#"{"receipt": {}, "#, 1), 422, "unacceptable"),
    ] {
        let answer = post(&collector, &format!("{RESULTS}{query}"), "", content.as_bytes());
        let shown: String = content.chars().take(60).collect();
        assert_eq!(
            refusal(&answer),
            (status, slug.to_owned()),
            "{query} {shown} {}",
            answer.text()
        );
    }
    assert_eq!(git(&place.repo(), &["rev-list", "--count", "main"]).trim(), "1");
    assert_eq!(submit(&collector, "", bags(whole))["package"], "x");
}

#[test]
fn other_methods_and_addresses_are_refused() {
    let place = Place::new();
    let collector = place.start(&[]);
    let stored = submit(&collector, "?package=x", JUNIT);
    let address = format!("{RESULTS}/{}", stored["key"].as_str().unwrap());
    for method in ["PUT", "DELETE", "PATCH", "POST"] {
        let line = format!("{method} {address} HTTP/1.1");
        let answer = http::exchange(collector.address, &http::request(&line, "", b""));
        assert_eq!(refusal(&answer), (405, "method-not-allowed".to_owned()), "{method}");
        assert!(answer.header("allow").unwrap().contains("GET"));
    }
    let pretending = "X-HTTP-Method-Override: DELETE\r\n";
    let line = format!("GET {address} HTTP/1.1");
    let answer = http::exchange(collector.address, &http::request(&line, pretending, b""));
    assert_eq!(answer.status, 200);
    for address in ["/api/v1/", "/api/v2/results", "/api/v1/results/12", "/api/v1/results/x"] {
        let answer = http::get(collector.address, address);
        assert_eq!(refusal(&answer), (404, "not-found".to_owned()), "{address}");
    }
    let answer = post(&collector, "/api/v2/results", "", b"");
    assert_eq!(refusal(&answer), (404, "not-found".to_owned()));
}

#[test]
fn a_submission_that_arrives_again_is_stored_once() {
    let place = Place::new();
    let collector = place.start(&[]);
    let send = |content: &str, id: &str| {
        let headers = format!("Idempotency-Key: {id}\r\n");
        post(&collector, &format!("{RESULTS}?package=x"), &headers, content.as_bytes())
    };
    let first = body(&send(JUNIT, "a-1"));
    assert_eq!(body(&send(JUNIT, "a-1")), first);
    let other = JUNIT.replace("stack", "rack");
    assert_eq!(refusal(&send(&other, "a-1")), (422, "idempotency-key-taken".to_owned()));
    assert_eq!(refusal(&send(JUNIT, &"x".repeat(1024))), (400, "malformed".to_owned()));
    assert_eq!(git(&place.repo(), &["rev-list", "--count", "main"]).trim(), "2");
}

#[test]
fn tokens_have_rights() {
    let place = Place::new();
    let mut add = Command::new(env!("CARGO_BIN_EXE_pony-collector"));
    add.args(["client", "add", "ci-linux", "--package", "hay*", "--repo"]).arg(place.repo());
    let token = String::from_utf8(add.output().unwrap().stdout).unwrap();
    let known = format!("Authorization: Bearer {}\r\n", token.trim());
    let collector = place.start(&[]);
    let send = |address: &str, headers: &str| post(&collector, address, headers, JUNIT.as_bytes());
    for path in ["results", "should-build"] {
        let own = format!("/api/v1/{path}?package=hayloft");
        let answer = send(&own, "");
        assert_eq!(refusal(&answer), (401, "token-missing".to_owned()));
        assert_eq!(answer.header("www-authenticate"), Some("Bearer realm=\"pony\""));
        let wrong = refusal(&send(&own, "Authorization: Bearer x\r\n"));
        assert_eq!(wrong, (401, "token-wrong".to_owned()));
        let other = refusal(&send(&format!("/api/v1/{path}?package=barn"), &known));
        assert_eq!(other, (403, "other-package".to_owned()));
    }
    let stored = body(&send("/api/v1/results?package=hayloft", &known));
    let result = get(&collector, &format!("{RESULTS}/{}", stored["key"].as_str().unwrap()));
    assert_eq!(result["client_info"]["host"], "ci-linux");
    assert_eq!(result["receipt"]["client"], "ci-linux");
}

#[test]
fn results_are_listed_in_portions() {
    let place = Place::new();
    let collector = place.start(&["--base-url", "https://ci.example/"]);
    let mut keys: Vec<Json> = (0..5)
        .map(|number| {
            let query = format!("?package=hay/loft&host=h{}", number % 2);
            submit(&collector, &query, JUNIT)["key"].clone()
        })
        .collect();
    submit(&collector, "?package=barn", JUNIT);
    keys.reverse();
    let packages = get(&collector, "/api/v1/packages");
    let expected = json!([
        {"package": "barn", "build_lines": 1},
        {"package": "hay/loft", "build_lines": 2},
    ]);
    assert_eq!(packages["packages"], expected);
    let (mut found, mut before) = (Vec::new(), String::new());
    loop {
        let address = format!("/api/v1/packages/hay%2Floft/results?limit=2{before}");
        let portion = get(&collector, &address);
        let rows = portion["results"].as_array().unwrap();
        found.extend(rows.iter().map(|row| row["key"].clone()));
        match portion["next"].as_str() {
            Some(next) => before = format!("&before={next}"),
            None => break,
        }
    }
    assert_eq!(found, keys);
    let latest = get(&collector, "/api/v1/packages/hay%2Floft/latest");
    let latest: Vec<_> = latest["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (&row["host"], &row["key"]))
        .collect();
    assert_eq!(latest, [(&json!("h0"), &keys[0]), (&json!("h1"), &keys[1])]);
    let row = &get(&collector, "/api/v1/packages/barn/results")["results"][0];
    let page = format!("https://ci.example/p/barn/{}/", row["key"].as_str().unwrap());
    assert_eq!(row["url"], page);
    for (query, status) in [
        ("limit=0", 422),
        ("limit=101", 422),
        ("limit=x", 400),
        ("before=x", 422),
        ("before=1767323045678000042", 404),
        ("x=1", 400),
    ] {
        let answer =
            http::get(collector.address, &format!("/api/v1/packages/barn/results?{query}"));
        assert_eq!(refusal(&answer).0, status, "{query}");
    }
    let nobody = http::get(collector.address, "/api/v1/packages/x/latest");
    assert_eq!(refusal(&nobody).0, 404);
}

#[test]
fn a_machine_is_told_whether_to_build() {
    let place = Place::new();
    let collector = place.start(&[]);
    let ask = |query: &str| {
        let address = format!("/api/v1/should-build?package=hayloft&host=shed{query}");
        body(&post(&collector, &address, "", b""))["build"].clone()
    };
    assert_eq!(ask("&reserve=false"), true);
    assert_eq!(ask("&allowance=600"), true);
    assert_eq!(ask("&reserve=false"), false, "somebody builds it");
    submit(&collector, "?package=hayloft&host=shed", JUNIT.replace("failure", "skipped"));
    assert_eq!(ask(""), false, "there is a result");
}

#[test]
fn the_description_lists_every_address() {
    let place = Place::new();
    let collector = place.start(&[]);
    submit(&collector, "?package=x", JUNIT);
    let document = get(&collector, "/api/v1/openapi.json");
    assert_eq!(document["openapi"], "3.1.0");
    let paths = document["paths"].as_object().unwrap();
    for (path, operations) in paths {
        for method in operations.as_object().unwrap().keys() {
            let address =
                [("{package}", "x"), ("{key}", "0"), ("{step}", "0"), ("{stream}", "output")]
                    .iter()
                    .fold(path.clone(), |address, (name, value)| address.replace(name, value));
            let line = format!("{} {address} HTTP/1.1", method.to_uppercase());
            let answer = http::exchange(collector.address, &http::request(&line, "", b""));
            assert!(!matches!(answer.status, 404 | 405 | 500), "{line}: {answer:?}");
            let known = &operations[method]["responses"][answer.status.to_string()];
            assert!(known.is_object(), "{line}: {} is not described", answer.status);
        }
    }
    let source = include_str!("../../src/api.rs");
    let routes = source.lines().filter_map(|line| line.trim().strip_prefix(".route(\""));
    let routes: Vec<_> = routes.filter_map(|rest| rest.split('"').next()).collect();
    assert!(routes.len() > 8);
    for route in routes.iter().filter(|route| !route.contains('*')) {
        assert!(paths.contains_key(*route), "{route} is not described");
    }
}

#[test]
fn whoever_watches_is_told_what_was_done() {
    let place = Place::new();
    let collector = place.start(&[]);
    submit(&collector, "?package=x", JUNIT);
    for address in ["/health", "/ready"] {
        let answer = http::get(collector.address, address);
        assert_eq!((answer.status, answer.text()), (200, "ok\n"));
    }
    let metrics = http::get(collector.address, "/metrics");
    assert!(metrics.header("content-type").unwrap().starts_with("text/plain; version=0.0.4"));
    let has = |line: &str| metrics.text().lines().any(|found| found == line);
    assert!(has("pony_results_stored_total 1") && has("pony_build_lines 1"), "{}", metrics.text());
}
