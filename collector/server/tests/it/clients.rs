//! Who may submit: clients with a token, this machine while there are none, everybody with `--open`.

use std::fs;
use std::process::{Command, Output};

use pony_formats::Value;
use pony_formats::xmlrpc::write_call;

use crate::collector::{Collector, Place, client_info, fault_or_value, git};
use crate::http::{self, Answer};

/// What a proxy adds for somebody from elsewhere.
const ELSEWHERE: &str = "X-Forwarded-For: 192.0.2.1\r\n";

/// `pony-collector client`.
fn client(place: &Place, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pony-collector"));
    command.arg("client").args(args).arg("--repo").arg(place.repo());
    command.output().unwrap()
}

/// Adds a client and returns its token.
#[track_caller]
fn add(place: &Place, args: &[&str]) -> String {
    let output = client(place, &[&["add"], args].concat());
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

fn bearer(token: &str) -> String {
    format!("Authorization: Bearer {token}\r\n")
}

/// Makes a call with these header lines.
fn call(collector: &Collector, headers: &str, method: &str, params: &[Value]) -> Answer {
    let body = write_call(method, params);
    let request = http::request("POST /xmlrpc HTTP/1.1", headers, body.as_bytes());
    http::exchange(collector.address, &request)
}

/// The status of a submission.
fn submit(collector: &Collector, headers: &str, package: &str) -> u16 {
    let params = [Value::Struct(client_info(package, true)), Value::Array(vec![])];
    let answer = call(collector, headers, "add_results", &params);
    if answer.status == 200 {
        fault_or_value(&answer).unwrap();
    }
    answer.status
}

#[test]
fn once_there_is_a_client_a_token_is_needed_at_once() {
    let place = Place::new();
    let collector = place.start(&[]);
    assert_eq!(submit(&collector, "", "hayloft"), 200);
    let token = add(&place, &["ci-linux"]);
    assert_eq!(submit(&collector, "", "hayloft"), 401);
    assert_eq!(submit(&collector, &bearer(&token), "hayloft"), 200);
    assert_eq!(submit(&collector, &bearer("pony_00"), "hayloft"), 401);
    let receipt = git(&place.repo(), &["grep", "-h", "\"client\":", "main"]);
    assert!(receipt.contains("ci-linux"), "{receipt}");
    assert!(client(&place, &["revoke", "ci-linux"]).status.success());
    // With nobody left, it is this machine's again.
    assert_eq!(submit(&collector, ELSEWHERE, "hayloft"), 401);
    assert_eq!(submit(&collector, "", "hayloft"), 200);
}

#[test]
fn who_is_refused_is_not_asked_for_a_password_and_told_after_the_whole_call() {
    let place = Place::new();
    let token = add(&place, &["ci-linux"]);
    let collector = place.start(&[]);
    let steps = "x".repeat(1024 * 1024);
    let params = [Value::Struct(client_info("hayloft", true)), Value::from(steps.as_str())];
    let answer = call(&collector, "", "add_results", &params);
    assert_eq!((answer.status, answer.text()), (401, "a token is needed\n"));
    assert_eq!(answer.header("www-authenticate"), Some("Bearer realm=\"pony\""));
    let answer = call(&collector, &bearer(&token), "add_results", &params);
    assert_eq!(answer.status, 200, "a fault: that is no list of steps");
}

#[test]
fn everybody_may_read_what_the_site_shows() {
    let place = Place::new();
    let token = add(&place, &["ci-linux"]);
    let collector = place.start(&[]);
    assert_eq!(submit(&collector, &bearer(&token), "hayloft"), 200);
    for (method, params) in [
        ("get_results", vec![Value::Int(0)]),
        ("get_tagsets_for_package", vec!["hayloft".into()]),
        ("get_last_result_for_tagset", vec!["hayloft".into(), Value::Array(vec![])]),
    ] {
        let answer = call(&collector, ELSEWHERE, method, &params);
        assert_eq!(answer.status, 200, "{method}");
    }
}

#[test]
fn rights_are_for_packages() {
    let place = Place::new();
    let token = add(&place, &["--package", "hay*", "--package", "barn", "farm"]);
    let everything = add(&place, &["all"]);
    let collector = place.start(&[]);
    let headers = bearer(&token);
    assert_eq!(submit(&collector, &headers, "hayloft"), 200);
    assert_eq!(submit(&collector, &headers, "barn"), 200);
    assert_eq!(submit(&collector, &headers, "barn2"), 403);
    assert_eq!(submit(&collector, &bearer(&everything), "barn2"), 200);
    let ask = |headers: &str, package: &str| {
        let params = [Value::Struct(client_info(package, true))];
        call(&collector, headers, "check_should_build", &params).status
    };
    assert_eq!(ask(&headers, "barn"), 200);
    assert_eq!(ask(&headers, "barn2"), 403);
    assert_eq!(ask("", "barn"), 401);
    assert_eq!(ask(ELSEWHERE, "barn"), 401);
}

#[test]
fn a_build_is_requested_with_name_and_token() {
    let place = Place::new();
    let token = add(&place, &["--package", "hayloft", "farm"]);
    let everything = add(&place, &["all"]);
    let collector = place.start(&[]);
    let number = |package: &str| {
        let params = [Value::Struct(client_info(package, true)), Value::Array(vec![])];
        let answer = call(&collector, &bearer(&everything), "add_results", &params);
        fault_or_value(&answer).unwrap().as_array().unwrap()[0].as_int().unwrap()
    };
    let (own, other) = (number("hayloft"), number("barn"));
    let request = |package: &str, number: i64, headers: &str| {
        let line = format!("POST /p/{package}/{number}/request_build HTTP/1.1");
        http::exchange(collector.address, &http::request(&line, headers, b""))
    };
    let answer = request("hayloft", own, "");
    assert_eq!(answer.status, 401);
    assert_eq!(answer.header("www-authenticate"), Some("Basic realm=\"pony\""));
    assert_eq!(request("barn", other, &bearer(&token)).status, 403);
    assert_eq!(request("hayloft", own, &bearer(&token)).status, 303);
}

#[test]
fn the_client_of_the_library_of_python_carries_a_token_in_its_address() {
    let place = Place::new();
    let token = add(&place, &["ci-linux"]);
    let collector = place.start(&[]);
    let script = "import sys, xmlrpc.client\n\
        info = {'package': 'hayloft', 'host': 'shed', 'arch': 'x', 'tags': [], 'success': True}\n\
        print(xmlrpc.client.ServerProxy(sys.argv[1]).add_results(info, []))\n";
    let run = |name: &str, token: &str| {
        let address = format!("http://{name}:{token}@{}/xmlrpc", collector.address);
        Command::new("python3").args(["-c", script, &address]).output().unwrap()
    };
    let output = run("ci-linux", &token);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(!run("ci-macos", &token).status.success());
    assert!(!run("ci-linux", "pony_0").status.success());
}

#[test]
fn nobody_serves_others_without_saying_who_may_submit() {
    let place = Place::new();
    let refused = place.command(&["--listen", "0.0.0.0:0"]).output().unwrap();
    assert_eq!(refused.status.code(), Some(78));
    let error = String::from_utf8(refused.stderr).unwrap();
    assert!(error.contains("`pony-collector client add`, or everybody with --open"), "{error}");
    place.start(&["--listen", "0.0.0.0:0", "--open"]).terminate();
    add(&place, &["ci-linux"]);
    place.start(&["--listen", "0.0.0.0:0"]).terminate();
}

#[test]
fn strangers_have_an_allowance_that_survives_a_restart() {
    let place = Place::new();
    let options = ["--open", "--max-from-strangers", "2000"];
    let collector = place.start(&options);
    let mut stored = 0;
    while submit(&collector, ELSEWHERE, "hayloft") == 200 {
        stored += 1;
        assert!(stored < 10, "the allowance is never spent");
    }
    assert!(stored > 0);
    assert_eq!(submit(&collector, ELSEWHERE, "hayloft"), 507);
    assert_eq!(submit(&collector, "", "hayloft"), 200, "this machine");
    collector.terminate();
    let collector = place.start(&options);
    assert_eq!(submit(&collector, ELSEWHERE, "hayloft"), 507);
    let token = add(&place, &["ci-linux"]);
    let known = format!("{ELSEWHERE}{}", bearer(&token));
    assert_eq!(submit(&collector, &known, "hayloft"), 200);
}

#[test]
fn files_of_strangers_count() {
    let place = Place::new();
    let collector = place.start(&["--open", "--max-from-strangers", "2000"]);
    let (_, auth_key) = collector.add(client_info("hayloft", true));
    let address = format!("POST /upload?description=&filename=x&auth_key={auth_key} HTTP/1.1");
    let upload = |headers: &str| {
        http::exchange(collector.address, &http::request(&address, headers, &[b'x'; 1500])).status
    };
    assert_eq!(upload(ELSEWHERE), 200);
    assert_eq!(upload(ELSEWHERE), 507);
    assert_eq!(upload(""), 200);
}

#[test]
fn a_list_that_cannot_be_read_lets_nobody_in() {
    let place = Place::new();
    let collector = place.start(&[]);
    fs::write(place.repo().join("pony/clients.json"), "[").unwrap();
    assert_eq!(submit(&collector, "", "hayloft"), 503);
    drop(collector);
    let refused = place.command(&[]).output().unwrap();
    assert_eq!(refused.status.code(), Some(78));
    let error = String::from_utf8(refused.stderr).unwrap();
    assert!(error.contains("clients.json` is no list of clients: "), "{error}");
    assert_eq!(client(&place, &["list"]).status.code(), Some(78));
}

#[test]
fn a_token_is_shown_once_and_kept_nowhere() {
    let place = Place::new();
    let token = add(&place, &["--package", "hay*", "ci-linux"]);
    assert!(token.starts_with("pony_") && token.len() == 69, "{token}");
    let collector = place.start(&[]);
    assert_eq!(submit(&collector, &bearer(&token), "hayloft"), 200);
    assert_eq!(submit(&collector, &bearer(&token), "barn"), 403);
    assert_eq!(submit(&collector, &bearer(&token[1..]), "hayloft"), 401);
    place.wait_for_log("denied");
    collector.terminate();
    let list = String::from_utf8(client(&place, &["list"]).stdout).unwrap();
    assert!(list.starts_with("ci-linux ") && list.contains(" hay*\n"), "{list}");
    let secret = &token["pony_".len()..];
    let found = Command::new("grep").args(["-rlaF", secret]).arg(place.path(".")).output().unwrap();
    assert_eq!(String::from_utf8(found.stdout).unwrap(), "");
    let history = git(&place.repo(), &["log", "-p", "--format=raw", "main"]);
    assert!(!history.contains(secret) && !list.contains(secret));
}

#[test]
fn wrong_use_is_explained() {
    let place = Place::new();
    add(&place, &["ci-linux"]);
    for (args, status, sentence) in [
        (&["add", "ci-linux"][..], 64, "there is a client `ci-linux`"),
        (&["add", "a b"], 64, "expected 1 to 64 letters"),
        (&["add", "--package", "", "x"], 64, "expected 1 to 255 bytes"),
        (&["revoke", "barn"], 64, "there is no client `barn`"),
    ] {
        let output = client(&place, args);
        assert_eq!(output.status.code(), Some(status), "{args:?}");
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(error.contains(sentence), "{error}");
    }
    let nowhere = Place::new();
    assert_eq!(client(&nowhere, &["list"]).status.code(), Some(66));
    let empty = client(&place, &["revoke", "ci-linux"]);
    assert_eq!(
        String::from_utf8(empty.stdout).unwrap(),
        "client `ci-linux` may no longer submit\n"
    );
}
