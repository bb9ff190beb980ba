//! What no honest client sends, and what old ones do.

use std::io::{Read as _, Write as _};

use pony_formats::xmlrpc::write_call;
use pony_formats::{Bag, Value};

use crate::collector::{Collector, Place, client_info, fault_or_value};
use crate::http::{self, connect, exchange, post, read_answer, request};

/// The body of a submission of this package.
fn submission(package: &str) -> String {
    let info = Value::Struct(client_info(package, true));
    write_call("add_results", &[info, Value::Array(vec![])])
}

#[track_caller]
fn assert_stored(collector: &Collector, package: &str, stored: bool) {
    let tagsets = collector.call("get_tagsets_for_package", &[package.into()]);
    assert_eq!(!tagsets.as_array().unwrap().is_empty(), stored, "{package}");
}

#[test]
fn broken_documents_are_faults_and_the_collector_lives_on() {
    let place = Place::new();
    let collector = place.start(&[]);
    let bomb = "<!DOCTYPE a [<!ENTITY b \"bbbb\"><!ENTITY c \"&b;&b;\">]><a>&c;</a>";
    let deep = format!(
        "<methodCall><methodName>add_results</methodName><params><param>{}",
        "<value><array><data>".repeat(200_000)
    );
    let attributes: String = (0..80_000).map(|n| format!(" a{n}=''")).collect();
    let (cut, crowded) = (&submission("x")[..200], format!("<methodCall{attributes}/>"));
    let cases: [(&[u8], i64); 9] = [
        (b"", -32700),
        (b" \n ", -32700),
        (b"\x00\x01\xff\xfe", -32700),
        (b"<methodCall>", -32700),
        (cut.as_bytes(), -32700),
        (bomb.as_bytes(), -32700),
        (b"<html/>", -32600),
        (deep.as_bytes(), -32602),
        (crowded.as_bytes(), -32602),
    ];
    for (body, code) in cases {
        let answer = post(collector.address, "/xmlrpc", body);
        assert_eq!(fault_or_value(&answer).unwrap_err().code, code, "{answer:?}");
    }
    collector.add(client_info("hayloft", true));
}

#[test]
fn text_that_is_not_xml_is_stored_all_the_same() {
    let place = Place::new();
    let collector = place.start(&[]);
    // é in Latin-1, an ANSI colour, a NUL: the output of many tools, as Python 2 sends it.
    let body = submission("hayloft");
    let at = body.find("<string>nightly").unwrap() + "<string>".len();
    let body = [&body.as_bytes()[..at], b"caf\xe9\x1b[31m\x00 ", &body.as_bytes()[at..]].concat();
    let answer = fault_or_value(&post(collector.address, "/xmlrpc", &body));
    assert_eq!(answer.unwrap_err().code, -32602, "a tag cannot hold NUL");

    let body: Vec<u8> = body.into_iter().filter(|&byte| byte != 0).collect();
    let answer = fault_or_value(&post(collector.address, "/xmlrpc", &body)).unwrap();
    let key = answer.as_array().unwrap()[0].clone();
    let answer = collector.call("get_results", std::slice::from_ref(&key));
    let tags = answer.as_array().unwrap()[1].as_struct().unwrap()["tags"].clone();
    // XML has no place for the escape character; the repository does.
    assert_eq!(tags, Value::Array(vec!["café\u{fffd}[31m nightly".into()]));
    let key = key.as_int().unwrap().to_string();
    let log = crate::collector::git(&place.repo(), &["grep", "-h", "sanitised", "main"]);
    assert!(log.contains("sanitised"), "the receipt of {key} says so: {log}");
}

#[test]
fn calls_are_taken_at_every_prefix_and_version() {
    let place = Place::new();
    let collector = place.start(&[]);
    for path in [
        "/xmlrpc",
        "/some/prefix/xmlrpc",
        "/api/xmlrpc",
        "//xmlrpc",
        "/xmlrpc?x",
        "/p/hayloft/xmlrpc",
    ] {
        let answer = post(collector.address, path, submission("hayloft").as_bytes());
        assert!(fault_or_value(&answer).is_ok(), "{path}");
    }
    for path in ["/", "/xmlrpc/", "/xmlrpcs", "/other"] {
        assert_eq!(post(collector.address, path, b"").status, 405, "{path}");
    }
}

#[test]
fn http_1_0_without_host_is_answered_and_closed() {
    let place = Place::new();
    let collector = place.start(&[]);
    let body = submission("hayloft");
    let head = format!("POST /xmlrpc HTTP/1.0\r\ncontent-LENGTH: {}\r\n\r\n", body.len());
    let answer = exchange(collector.address, format!("{head}{body}").as_bytes());
    assert!(fault_or_value(&answer).is_ok());
    assert_eq!(answer.header("transfer-encoding"), None);
}

#[test]
fn a_request_may_come_byte_by_byte() {
    let place = Place::new();
    let collector = place.start(&[]);
    let mut stream = connect(collector.address);
    stream.set_nodelay(true).unwrap();
    for byte in request("POST /xmlrpc HTTP/1.1", "", submission("hayloft").as_bytes()) {
        stream.write_all(&[byte]).unwrap();
    }
    assert!(fault_or_value(&read_answer(stream).unwrap()).is_ok());
}

#[test]
fn credentials_and_content_types_are_not_looked_at() {
    let place = Place::new();
    let collector = place.start(&[]);
    let headers = "Authorization: Basic bmFtZTpzZWNyZXQ=\r\nContent-Type: text/plain\r\n\
         User-Agent: xmlrpclib.py/1.0.1\r\nAccept-Encoding: gzip\r\n";
    let body = submission("hayloft");
    let request = request("POST /xmlrpc HTTP/1.1", headers, body.as_bytes());
    let answer = exchange(collector.address, &request);
    assert!(fault_or_value(&answer).is_ok());
    assert_eq!(answer.header("content-encoding"), None);
    assert!(!place.log().contains("bmFtZ"));
}

#[test]
fn one_connection_carries_many_calls() {
    let place = Place::new();
    let collector = place.start(&[]);
    let body = submission("hayloft");
    let one =
        format!("POST /xmlrpc HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let last = request("POST /xmlrpc HTTP/1.1", "", body.as_bytes());
    let answers = exchange(collector.address, &[one.as_bytes(), one.as_bytes(), &last].concat());
    assert_eq!(answers.text().matches("HTTP/1.1 200").count(), 2, "besides the first");
}

#[test]
fn other_methods_are_refused() {
    let place = Place::new();
    let collector = place.start(&[]);
    for (line, allowed) in [
        ("GET /xmlrpc HTTP/1.1", "POST"),
        ("PUT /xmlrpc HTTP/1.1", "POST"),
        ("GET /upload HTTP/1.1", "POST"),
        ("DELETE / HTTP/1.1", "GET, HEAD"),
    ] {
        let answer = exchange(collector.address, &request(line, "", b""));
        assert_eq!((answer.status, answer.header("allow")), (405, Some(allowed)), "{line}");
    }
}

#[test]
fn a_body_over_the_limit_is_read_and_refused() {
    let place = Place::new();
    let collector = place.start(&["--max-body", "10000"]);
    let large = submission(&"x".repeat(3_000_000));
    // The whole body can be sent before the answer is read, as the original client does.
    assert_eq!(post(collector.address, "/xmlrpc", large.as_bytes()).status, 413);

    let chunked = "POST /xmlrpc HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    let chunk = format!("3e8\r\n{}\r\n", "x".repeat(1000)).repeat(1000);
    let answer = exchange(collector.address, format!("{chunked}{chunk}0\r\n\r\n").as_bytes());
    assert_eq!(answer.status, 413);

    // More than we would throw away: refused before it comes.
    let endless = "POST /xmlrpc HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n";
    assert_eq!(exchange(collector.address, endless.as_bytes()).status, 413);
    collector.add(client_info("hayloft", true));
}

#[test]
fn a_large_submission_is_taken() {
    let place = Place::new();
    let collector = place.start(&[]);
    let step = |n: i64| {
        let bag = [("name", n.to_string().into()), ("output", Value::from("x".repeat(100)))];
        Value::Struct(bag.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    };
    let (key, _) =
        collector.add_with_steps(client_info("hayloft", true), (0..3_000).map(step).collect());
    let answer = collector.call("get_results", &[key.into()]);
    assert_eq!(answer.as_array().unwrap()[2].as_array().unwrap().len(), 3_000);
}

#[test]
fn a_body_that_stalls_or_breaks_off_leaves_nothing() {
    let place = Place::new();
    let collector = place.start(&["--patience", "1"]);
    let whole = request("POST /xmlrpc HTTP/1.1", "", submission("hayloft").as_bytes());
    let mut stalled = connect(collector.address);
    stalled.write_all(&whole[..whole.len() - 1]).unwrap();
    assert_eq!(read_answer(stalled).unwrap().status, 408);

    let mut broken = connect(collector.address);
    broken.write_all(&whole[..whole.len() - 1]).unwrap();
    broken.shutdown(std::net::Shutdown::Write).unwrap();
    if let Some(answer) = read_answer(broken) {
        assert_eq!(answer.status, 400);
    }
    assert_stored(&collector, "hayloft", false);
}

#[test]
fn a_client_that_takes_no_answer_is_let_go() {
    let place = Place::new();
    let collector = place.start(&["--patience", "1"]);
    let step = Bag::from([("output".to_owned(), Value::from("x".repeat(8_000_000)))]);
    let (key, _) =
        collector.add_with_steps(client_info("hayloft", true), vec![Value::Struct(step)]);
    let call = write_call("get_results", &[key.into()]);
    let call = request("POST /xmlrpc HTTP/1.1", "", call.as_bytes());
    let mut lazy = connect(collector.address);
    lazy.write_all(&call).unwrap();
    place.wait_for_log("took no answer");
    let mut rest = Vec::new();
    let whole = lazy.read_to_end(&mut rest).is_ok() && rest.len() > 8_000_000;
    assert!(!whole, "sent to the end");
}

#[test]
fn a_refused_body_is_not_read_for_ever() {
    let place = Place::new();
    let collector = place.start(&["--patience", "1"]);
    let mut endless = connect(collector.address);
    let head = "POST /upload HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    endless.write_all(head.as_bytes()).unwrap();
    // Fast enough never to be too slow.
    let chunk = format!("1000\r\n{}\r\n", "x".repeat(0x1000));
    let pieces = (0..600).take_while(|_| {
        std::thread::sleep(std::time::Duration::from_millis(100));
        endless.write_all(chunk.as_bytes()).is_ok()
    });
    assert!(pieces.count() < 600, "it is still reading");
}

#[test]
fn one_address_cannot_take_all_connections() {
    let place = Place::new();
    let collector = place.start(&["--max-connections-per-address", "2"]);
    let whole = request("GET /nowhere HTTP/1.1", "", b"");
    let held: Vec<_> = (0..2)
        .map(|_| {
            let mut stream = connect(collector.address);
            stream.write_all(&whole[..10]).unwrap();
            stream
        })
        .collect();
    let refused = connect(collector.address);
    assert_eq!(read_answer(refused).unwrap().status, 503);
    for mut stream in held {
        stream.write_all(&whole[10..]).unwrap();
        assert_eq!(read_answer(stream).unwrap().status, 404);
    }
    place.wait_for_log("refused one connection more");
}

#[test]
fn a_stalled_client_does_not_stop_others() {
    let place = Place::new();
    let collector = place.start(&[]);
    let whole = request("POST /xmlrpc HTTP/1.1", "", submission("hayloft").as_bytes());
    let mut held = Vec::new();
    for sent in [0, 10, whole.len() - 1].repeat(10) {
        let mut stream = connect(collector.address);
        stream.write_all(&whole[..sent]).unwrap();
        held.push(stream);
    }
    collector.add(client_info("orchard", true));
    assert_stored(&collector, "hayloft", false);
}

#[test]
fn requests_that_can_be_read_in_two_ways_are_refused() {
    let place = Place::new();
    let collector = place.start(&[]);
    let cases = [
        "Host: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
        "Host: a\r\nContent-Length: -1\r\n\r\n",
        "Host: a\r\nContent-Length: 100000000000000000000\r\n\r\n",
        "Host: a\r\nHost: b\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    ];
    for case in cases {
        let request = format!("POST /xmlrpc HTTP/1.1\r\n{case}");
        assert_eq!(exchange(collector.address, request.as_bytes()).status, 400, "{case}");
    }
    // Whoever goes by the length takes the end of this for a request of its own.
    let smuggled = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let double = format!(
        "POST /xmlrpc HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n\
         0\r\n\r\n{smuggled}"
    );
    let answer = exchange(collector.address, double.as_bytes());
    assert_eq!(answer.header("connection"), Some("close"));
    assert!(!answer.text().contains("HTTP/1.1"), "one answer and no more");

    let compressed = request("POST /xmlrpc HTTP/1.1", "Content-Encoding: gzip\r\n", b"\x1f\x8b");
    assert_eq!(exchange(collector.address, &compressed).status, 415);
    let headers: String = (0..101).map(|n| format!("X-{n}: 1\r\n")).collect();
    let crowded = request("GET / HTTP/1.1", &headers, b"");
    assert_eq!(exchange(collector.address, &crowded).status, 431);
}

#[test]
fn hostile_names_stay_names() {
    let place = Place::new();
    let collector = place.start(&[]);
    let names = [
        "../../etc/cron.d/x",
        "..",
        ".git",
        ".GIT",
        "git~1",
        ".g\u{200c}it",
        ".gitmodules",
        "a/b",
        "a\\b",
        "C:x",
        "CON",
        "aux.txt",
        "dot.",
        "space ",
        "\n\u{1b}]0;pwn",
        "\u{202e}x",
        "E\u{301}",
        "\u{c9}",
        "Foo",
        "foo",
        "<script>alert(1)</script>",
        "-rf",
        "format.json",
    ];
    for name in names {
        let mut info = client_info(name, true);
        info.insert("host".into(), "x\ncommitter evil <e@e> 0 +0000".into());
        collector.add(info);
    }
    for name in names {
        let stored = name.replace('\u{1b}', "\u{fffd}");
        if stored == name {
            assert_stored(&collector, name, true);
        }
    }
    place.fsck();
    let committers = crate::collector::git(&place.repo(), &["log", "--format=%ce", "main"]);
    assert!(!committers.contains("e@e"), "{committers}");
    let inside: Vec<_> = std::fs::read_dir(place.path(".")).unwrap().collect();
    assert_eq!(inside.len(), 2, "the repository and the log: {inside:?}");
    assert_eq!(http::get(collector.address, "/../../etc/passwd").status, 404);
    assert_eq!(http::get(collector.address, "/%2e%2e/%2e%2e/HEAD").status, 404);
}
