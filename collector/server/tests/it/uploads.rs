//! Files that belong to a result.

use std::fs;

use pony_formats::{Bag, Value};
use pony_store::Store;

use crate::collector::{Collector, Place, client_info, git};
use crate::http::{Answer, connect, exchange, get, post, read_answer, request};

fn upload(collector: &Collector, query: &str, body: &[u8]) -> Answer {
    post(collector.address, &format!("/upload?{query}"), body)
}

/// No content.
const NOTHING: [Vec<u8>; 0] = [];

/// The files that hold uploaded content.
fn contents(place: &Place) -> Vec<Vec<u8>> {
    let artifacts = place.repo().join("pony").join("artifacts");
    let mut found = Vec::new();
    for shard in fs::read_dir(artifacts).unwrap() {
        let shard = shard.unwrap().path();
        assert!(shard.is_dir(), "a left-over: {shard:?}");
        found.extend(
            fs::read_dir(shard).unwrap().map(|file| fs::read(file.unwrap().path()).unwrap()),
        );
    }
    found.sort();
    found
}

#[test]
fn an_uploaded_file_can_be_downloaded() {
    let place = Place::new();
    let collector = place.start(&[]);
    let (key, auth_key) = collector.add(client_info("a/b", true));
    let body: Vec<u8> = (0..300_000u32).map(|n| n.to_le_bytes()[n as usize % 3]).collect();
    let query =
        format!("visible=yes&description=the+log&auth_key={auth_key}&filename=b+c%2F%C3%A9.html");
    // As Python 2's urllib sends it.
    let line = format!("POST /upload?{query} HTTP/1.0");
    let headers = "Content-Type: application/x-www-form-urlencoded\r\n";
    let answer = exchange(collector.address, &request(&line, headers, &body));
    assert_eq!((answer.status, answer.body.len()), (200, 0));

    for package in ["a~2fb", "a%2Fb"] {
        let answer =
            get(collector.address, &format!("/p/{package}/{key}/files/b%20c%2F%C3%A9.html"));
        assert_eq!(answer.status, 200, "{package}");
        assert_eq!(answer.body, body);
        assert_eq!(answer.header("content-type"), Some("application/octet-stream"));
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        let disposition = "attachment; filename*=UTF-8''b%20c%2F%C3%A9.html";
        assert_eq!(answer.header("content-disposition"), Some(disposition));
        assert!(answer.header("content-security-policy").unwrap().contains("sandbox"));
    }
    assert_eq!(
        get(collector.address, &format!("/p/other/{key}/files/b%20c%2F%C3%A9.html")).status,
        404
    );
    assert_eq!(get(collector.address, &format!("/p/a~2fb/{key}/files/other")).status, 404);
    assert_eq!(get(collector.address, "/p/a~2fb/1/files/other").status, 404);
    place.fsck();
    assert!(git(&place.repo(), &["grep", "-h", "the log", "main"]).contains("the log"));
    assert!(!place.log().contains(&auth_key), "auth keys are not logged");
}

#[test]
fn the_newest_file_of_a_name_counts_and_invisible_ones_do_not() {
    let place = Place::new();
    let collector = place.start(&[]);
    let (key, auth_key) = collector.add(client_info("hayloft", true));
    let query = |name: &str, visible: &str| {
        format!("visible={visible}&description=&auth_key={auth_key}&filename={name}")
    };
    for body in [b"first".as_slice(), b"second"] {
        assert_eq!(upload(&collector, &query("log", "yes"), body).status, 200);
    }
    assert_eq!(upload(&collector, &query("secret", "no"), b"third").status, 200);
    assert_eq!(upload(&collector, &query("empty", "yes"), b"").status, 200);

    let file = |name: &str| get(collector.address, &format!("/p/hayloft/{key}/files/{name}"));
    assert_eq!(file("log").body, b"second");
    assert_eq!(file("secret").status, 404);
    assert_eq!((file("empty").status, file("empty").body.len()), (200, 0));
}

#[test]
fn a_file_that_comes_again_because_the_answer_was_lost_is_recorded_once() {
    let place = Place::new();
    let collector = place.start(&[]);
    let (key, auth_key) = collector.add(client_info("hayloft", true));
    let query = format!("visible=yes&description=&auth_key={auth_key}&filename=log");
    for body in [b"same".as_slice(), b"same", b"other", b"same"] {
        assert_eq!(upload(&collector, &query, body).status, 200);
    }
    let snapshot = Store::open(&place.repo()).unwrap().snapshot().unwrap();
    let sizes = snapshot.artifacts("hayloft", snapshot.results("hayloft").unwrap()[0]).unwrap();
    assert_eq!(sizes.iter().map(|file| file.size).collect::<Vec<_>>(), [4, 5, 4]);
    let address = format!("/p/hayloft/{key}/files/log");
    assert_eq!(get(collector.address, &address).body, b"same", "the newest counts");
}

#[test]
fn a_wrong_key_is_refused_without_a_challenge() {
    let place = Place::new();
    let collector = place.start(&[]);
    let (_, auth_key) = collector.add(client_info("hayloft", true));
    let body = vec![b'x'; 1_000_000];
    for wrong in [
        "0".repeat(32),
        auth_key[..31].to_owned(),
        String::new(),
        auth_key.replace(char::is_numeric, "a"),
    ] {
        let query = format!("visible=yes&description=x&auth_key={wrong}&filename=log");
        let answer = upload(&collector, &query, &body);
        assert_eq!((answer.status, answer.header("www-authenticate")), (401, None), "{wrong}");
    }
    assert_eq!(contents(&place), NOTHING);
}

#[test]
fn labels_that_are_missing_or_impossible_are_refused() {
    let place = Place::new();
    let collector = place.start(&[]);
    let (_, auth_key) = collector.add(client_info("hayloft", true));
    for query in [
        String::new(),
        format!("auth_key={auth_key}"),
        format!("auth_key={auth_key}&filename=x"),
        format!("auth_key={auth_key}&description=x&filename="),
        format!("auth_key={auth_key}&description=x&filename=a%00b"),
        format!("auth_key={auth_key}&description=x&filename={}", "x".repeat(300)),
        "description=x&filename=y".to_owned(),
    ] {
        assert_eq!(upload(&collector, &query, b"x").status, 400, "{query}");
    }
}

#[test]
fn names_of_files_are_labels() {
    let place = Place::new();
    let collector = place.start(&[]);
    let (key, auth_key) = collector.add(client_info("hayloft", true));
    for name in ["..%2F..%2Fx", "%2Fetc%2Fx", ".", "..", ".htaccess", "%3Cscript%3E"] {
        let query = format!("visible=yes&description=x&auth_key={auth_key}&filename={name}");
        assert_eq!(upload(&collector, &query, name.as_bytes()).status, 200, "{name}");
    }
    assert_eq!(contents(&place).len(), 6);
    let answer = get(collector.address, &format!("/p/hayloft/{key}/files/..%2F..%2Fx"));
    assert_eq!((answer.status, answer.text()), (200, "..%2F..%2Fx"));
    place.fsck();
}

#[test]
fn a_file_over_the_limit_or_sent_in_part_leaves_nothing() {
    let place = Place::new();
    let collector = place.start(&["--max-upload", "1000"]);
    let (_, auth_key) = collector.add(client_info("hayloft", true));
    let query = format!("visible=yes&description=x&auth_key={auth_key}&filename=log");
    assert_eq!(upload(&collector, &query, &vec![0; 1_000_000]).status, 413);
    let chunks = format!("3e8\r\n{}\r\n", "x".repeat(1000)).repeat(2);
    let chunked = format!(
        "POST /upload?{query} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}0\r\n\r\n"
    );
    assert_eq!(exchange(collector.address, chunked.as_bytes()).status, 413);

    let whole = request(&format!("POST /upload?{query} HTTP/1.1"), "", &[0; 100]);
    let mut broken = connect(collector.address);
    std::io::Write::write_all(&mut broken, &whole[..whole.len() - 1]).unwrap();
    broken.shutdown(std::net::Shutdown::Write).unwrap();
    assert!(read_answer(broken).is_none_or(|answer| answer.status == 400));
    assert_eq!(contents(&place), NOTHING);
}

#[test]
fn the_files_of_one_result_share_a_limit() {
    let place = Place::new();
    let collector = place.start(&["--max-uploads-per-result", "1000"]);
    let (_, auth_key) = collector.add(client_info("hayloft", true));
    let (_, other_key) = collector.add(client_info("orchard", true));
    let send = |auth_key: &str, body: &[u8]| {
        let query = format!("visible=yes&description=x&auth_key={auth_key}&filename=log");
        upload(&collector, &query, body).status
    };
    assert_eq!(send(&auth_key, &[1; 600]), 200);
    assert_eq!(send(&auth_key, &[2; 600]), 413);
    assert_eq!(contents(&place), [[1; 600]]);
    assert_eq!(send(&auth_key, &[3; 400]), 200);
    assert_eq!(send(&auth_key, &[4; 1]), 413);
    assert_eq!(send(&other_key, &[5; 600]), 200);
}

#[test]
fn a_file_without_a_length_is_refused() {
    let place = Place::new();
    let collector = place.start(&[]);
    let (_, auth_key) = collector.add(client_info("hayloft", true));
    let query = format!("visible=yes&description=x&auth_key={auth_key}&filename=log");
    for version in ["1.0", "1.1"] {
        let head =
            format!("POST /upload?{query} HTTP/{version}\r\nHost: a\r\nConnection: close\r\n\r\n");
        assert_eq!(exchange(collector.address, head.as_bytes()).status, 411, "{version}");
    }
    assert_eq!(contents(&place), NOTHING);
}

#[test]
fn auth_keys_outlive_a_restart() {
    let place = Place::new();
    let collector = place.start(&[]);
    let (key, auth_key) = collector.add(client_info("hayloft", true));
    collector.kill();
    let collector = place.start(&[]);
    let query = format!("visible=yes&description=x&auth_key={auth_key}&filename=log");
    assert_eq!(upload(&collector, &query, b"late").status, 200);
    collector.kill();
    let collector = place.start(&[]);
    assert_eq!(get(collector.address, &format!("/p/hayloft/{key}/files/log")).body, b"late");
}

#[test]
fn a_record_in_git_cannot_name_a_file_elsewhere() {
    let place = Place::new();
    let collector = place.start(&[]);
    let (key, auth_key) = collector.add(client_info("hayloft", true));
    let query = format!("visible=yes&description=&auth_key={auth_key}&filename=log");
    assert_eq!(upload(&collector, &query, b"content").status, 200);
    let address = format!("/p/hayloft/{key}/files/log");
    let sha256 = contents_hash(&place);
    fs::write(place.path("private"), "private").unwrap();
    let absolute = place.path("private").into_os_string().into_string().unwrap();
    let mut named = sha256.clone();
    for other in [absolute, "../../secret".to_owned(), sha256.to_uppercase(), String::new()] {
        let (old, new) = (format!("\"{named}\""), format!("\"{other}\""));
        push_edited(&place, |record| record.replace(&old, &new));
        let answer = get(collector.address, &address);
        assert_eq!(answer.status, 404, "{other}: {}", String::from_utf8_lossy(&answer.body));
        named = other;
    }
}

/// The hash by which the only uploaded content is stored.
fn contents_hash(place: &Place) -> String {
    let artifacts = place.repo().join("pony").join("artifacts");
    let shard = fs::read_dir(artifacts).unwrap().next().unwrap().unwrap().path();
    let file = fs::read_dir(shard).unwrap().next().unwrap().unwrap();
    file.file_name().into_string().unwrap()
}

/// Pushes a commit that changes what is recorded of uploaded files, as everybody with a clone can.
fn push_edited(place: &Place, edit: impl Fn(&str) -> String) {
    let clone = place.path("clone");
    if !clone.exists() {
        let target = clone.to_str().unwrap();
        git(&place.repo(), &["clone", "--quiet", "--branch", "main", ".", target]);
    }
    let files = git(&clone, &["ls-files", "-z", "*/artifacts/*.json"]);
    for file in files.split_terminator('\0').map(|file| clone.join(file)) {
        fs::write(&file, edit(&fs::read_to_string(&file).unwrap())).unwrap();
    }
    let who = ["-c", "user.name=x", "-c", "user.email=x@x"];
    git(&clone, &[&who[..], &["commit", "--quiet", "--all", "--message", "edit"]].concat());
    git(&clone, &["push", "--quiet", "origin", "HEAD:main"]);
}

#[test]
fn output_that_is_too_long_becomes_a_file_and_leaves_both_ends() {
    let place = Place::new();
    let collector = place.start(&["--max-output", "1000"]);
    let long: String = (0..1000).map(|line| format!("line {line}\n")).collect();
    let step = Bag::from([
        ("name".to_owned(), "build".into()),
        ("output".to_owned(), long.as_str().into()),
        ("errout".to_owned(), "short".into()),
    ]);
    collector.add_with_steps(client_info("hayloft", true), vec![Value::Struct(step)]);
    let store = Store::open(&place.repo()).unwrap();
    let snapshot = store.snapshot().unwrap();
    let key = snapshot.results("hayloft").unwrap()[0];
    let result = snapshot.read("hayloft", key).unwrap().unwrap();
    assert!(result.receipt.flags.contains("shortened"));
    let step = &result.submission.results_list[0];
    let output = step.output().unwrap();
    assert!(output.starts_with("line 0\n") && output.ends_with("line 999\n"), "{output}");
    let note = "bytes here; the whole is in the file steps-00-output.txt]\n";
    assert!(output.contains("\n[pony left out ") && output.contains(note), "{output}");
    assert!(output.len() < 1200 && step.errout() == Some("short"));
    let artifacts = snapshot.artifacts("hayloft", key).unwrap();
    assert_eq!((artifacts.len(), artifacts[0].size), (1, long.len() as u64));
    let address = format!("/p/hayloft/{key}/files/steps-00-output.txt");
    let answer = get(collector.address, &address);
    assert_eq!(answer.text(), long, "the whole is served");
    // One commit has both.
    assert_eq!(git(&place.repo(), &["rev-list", "--count", "main"]), "2\n");
}

#[test]
fn what_a_client_has_shortened_is_not_shortened_again() {
    let place = Place::new();
    let collector = place.start(&["--max-output", "1000"]);
    let long = "line\n".repeat(1000);
    let step = |output: &str, left_out: i64| {
        let left_out = Bag::from([("output".to_owned(), Value::Int(left_out))]);
        Value::Struct(Bag::from([
            ("output".to_owned(), output.into()),
            ("errout".to_owned(), long.as_str().into()),
            ("left_out".to_owned(), Value::Struct(left_out)),
        ]))
    };
    let longer = "line\n".repeat(1_000_000);
    let steps = vec![step(&long, 5000), step(&long, 0), step(&longer, 5000)];
    collector.add_with_steps(client_info("hayloft", true), steps);
    let store = Store::open(&place.repo()).unwrap();
    let snapshot = store.snapshot().unwrap();
    let key = snapshot.results("hayloft").unwrap()[0];
    let result = snapshot.read("hayloft", key).unwrap().unwrap();
    let step = &result.submission.results_list[0];
    assert_eq!((step.output(), step.left_out("output")), (Some(&*long), Some(5000)));
    let errout = step.errout().unwrap();
    assert!(errout.len() < 1200 && step.left_out("errout") > Some(3900), "{errout}");
    // To say so is not enough.
    for step in &result.submission.results_list[1..] {
        let output = step.output().unwrap();
        assert!(output.len() < 1200 && step.left_out("output") > Some(3900), "{output}");
    }
}
