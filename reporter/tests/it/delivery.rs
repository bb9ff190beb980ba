//! What the target does, and what becomes of the submission.

use std::fs;

use crate::inputs::CARGO;
use crate::world::{Collector, Outcome, World, answer, deserted, fault, results, stored};

const KEY: &str = "1795437220868123456";

fn submit(url: &str) -> [&str; 6] {
    ["submit", "--strict", "--server", url, "--package", "barn"]
}

/// The address with credentials in it.
fn with_secret(url: &str) -> String {
    url.replace("http://", "http://ann:s%65cret@")
}

#[test]
fn a_collector_gets_the_call_that_the_original_client_makes() {
    let world = World::new();
    let collector = Collector::answering(&[stored(KEY)]);
    let url = collector.url.clone() + "some/prefix/";
    world
        .pipe(CARGO, &submit(&url))
        .ends_with(0)
        .printed(format!("barn: 1 passed, 1 failed; result {KEY} at {url}p/barn/{KEY}/\n"));
    let [request] = &collector.requests()[..] else { panic!("not one request") };
    assert!(request.starts_with("POST /some/prefix/xmlrpc HTTP/1.1\r\n"), "{request}");
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert!(!head.to_lowercase().contains("authorization"), "{request}");
    let call = pony_formats::xmlrpc::read_call(body.as_bytes(), &Default::default()).unwrap();
    assert_eq!(call.method, "add_results");
    let [client_info, steps]: [pony_formats::Value; 2] = call.params.try_into().unwrap();
    let submission = pony_formats::Submission::from_values(client_info, steps).unwrap();
    assert_eq!(submission.client_info.package(), "barn");
    assert_eq!(submission.results_list[0].output(), Some(CARGO));
    assert_eq!(submission.tally().failed, 1);
    assert!(world.spooled("").is_empty());
}

#[test]
fn credentials_are_sent_and_neither_printed_nor_kept() {
    let world = World::new();
    let refusing = Collector::answering(&[answer("401 Unauthorized", "")]);
    let url = with_secret(&refusing.url);
    world.pipe(CARGO, &submit(&url)).ends_with(77).complains("refuses access").never_says("cret");
    let request = refusing.requests().remove(0);
    // "ann:secret"
    assert!(request.to_lowercase().contains("authorization: basic yw5uonnly3jlda=="), "{request}");
    let kept = world.spooled("");
    assert_eq!(kept.len(), 1);
    assert!(!fs::read_to_string(&kept[0]).unwrap().contains("cret"));
}

#[test]
fn every_kind_of_failure_has_its_status() {
    let endless = "x".repeat(3 << 20);
    let cases = [
        (answer("503 Service Unavailable", ""), 75, "HTTP status 503"),
        (answer("500 Internal Server Error", ""), 75, "HTTP status 500"),
        (answer("200 OK", &endless), 76, "over 1048576 bytes"),
        (answer("200 OK", "<html>welcome</html>"), 76, "no XML-RPC"),
        (answer("200 OK", ""), 76, "no XML-RPC"),
        (answer("504 Gateway Timeout", ""), 75, "HTTP status 504"),
        (answer("404 Not Found", ""), 76, "HTTP status 404"),
        (answer("405 Method Not Allowed", ""), 76, "HTTP status 405"),
        (answer("501 Unsupported method", ""), 76, "HTTP status 501"),
        (answer("505 Version Not Supported", ""), 76, "HTTP status 505"),
        (
            answer("301 Moved Permanently\r\nLocation: http://127.0.0.1:1/", ""),
            76,
            "HTTP status 301",
        ),
        ("garbage\r\n\r\n".to_owned(), 76, "no collector"),
        (answer("403 Forbidden", ""), 77, "refuses access"),
        (fault(-32500, "busy"), 75, "busy"),
    ];
    for (given, status, complaint) in cases {
        let world = World::new();
        let collector = Collector::answering(&[given]);
        world.pipe(CARGO, &submit(&collector.url)).ends_with(status).complains(complaint);
        assert_eq!(world.spooled("").len(), 1, "{complaint}");
        assert_eq!(collector.requests().len(), 1, "{complaint}");
    }
}

#[test]
fn what_is_rejected_is_put_aside_with_the_reason() {
    for (given, reason) in [
        (fault(-32602, "no such barn"), "no such barn"),
        (answer("413 Too Large", ""), "larger than"),
    ] {
        let world = World::new();
        let collector = Collector::answering(&[given]);
        world.pipe(CARGO, &submit(&collector.url)).ends_with(65).complains(reason);
        assert!(world.spooled("").is_empty());
        let [submission, why] = &world.spooled("rejected")[..] else { panic!("not two files") };
        assert!(fs::read_to_string(submission).unwrap().contains("barn::burns"));
        assert!(fs::read_to_string(why).unwrap().contains(reason));
        world.run(&["retry"]).ends_with(0).printed("nothing to send\n");
    }
}

#[test]
fn a_busy_collector_is_asked_again_when_it_says_so() {
    let world = World::new();
    let busy = answer("503 Service Unavailable\r\nRetry-After: 0", "");
    let collector = Collector::answering(&[busy.clone(), busy, stored(KEY)]);
    world.pipe(CARGO, &submit(&collector.url)).ends_with(0).mentions(KEY);
    assert_eq!(collector.requests().len(), 3);
}

#[test]
fn what_could_not_be_delivered_is_sent_by_retry_and_then_forgotten() {
    let world = World::new();
    let url = deserted();
    for _ in 0..2 {
        world.pipe(CARGO, &submit(&url)).ends_with(75).complains("pony-report retry");
    }
    assert_eq!(world.spooled("").len(), 2);
    let outcome = world.run(&["retry"]).ends_with(75);
    assert_eq!(outcome.stderr().lines().count(), 1, "one time-out is enough: {outcome}");
    assert_eq!(world.spooled("").len(), 2);

    let collector = Collector::answering(&[stored(KEY), stored(KEY)]);
    world.run(&["retry", "--server", &collector.url]).ends_with(0).mentions(KEY);
    assert!(world.spooled("").is_empty());
    let requests = collector.requests();
    assert!(requests.iter().all(|request| request.contains("barn::burns")));
    world.run(&["retry"]).ends_with(0).printed("nothing to send\n");
}

#[test]
fn the_next_result_takes_along_what_waits_for_the_same_collector() {
    let world = World::new();
    let other = deserted();
    world.pipe(CARGO, &submit(&other)).ends_with(75);
    let collector = Collector::answering(&[
        answer("502 Bad Gateway", ""),
        stored(KEY),
        stored("1795437220868123457"),
    ]);
    world.pipe(CARGO, &submit(&collector.url)).ends_with(75);
    assert_eq!(world.spooled("").len(), 2);
    let again = with_secret(&collector.url);
    world.pipe(CARGO, &submit(&again)).ends_with(0).complains("1795437220868123457");
    let requests = collector.requests();
    assert!(requests[2].to_lowercase().contains("authorization:"), "{}", requests[2]);
    let [left] = &world.spooled("")[..] else { panic!("what waits for another stays") };
    assert!(fs::read_to_string(left).unwrap().contains(&other));
}

#[test]
fn what_can_never_be_sent_is_listed_and_discarded() {
    let world = World::new();
    world.file("thesis/chapter", "precious");
    world
        .pipe(CARGO, &["submit", "--strict", "--repo", "thesis", "--package", "barn"])
        .ends_with(66);
    world.run(&["retry"]).ends_with(66);
    let [kept] = &world.spooled("")[..] else { panic!("not one file") };
    let (file, thesis) = (kept.to_str().unwrap(), world.path("thesis"));
    let line = format!("{file}: barn: 1 passed, 1 failed; for {}\n", thesis.display());
    world.run(&["retry", "--list"]).ends_with(0).printed(&line);
    let chapter = thesis.join("chapter");
    for other in ["nothing.json", chapter.to_str().unwrap()] {
        world.run(&["retry", "--discard", other]).ends_with(64).complains("does not wait");
    }
    assert!(chapter.exists());
    world.run(&["retry", "--discard", file]).ends_with(0).printed(format!("deleted {file}\n"));
    world.run(&["retry"]).ends_with(0).printed("nothing to send\n");
}

#[test]
fn what_waits_since_before_there_were_ids_is_sent_under_the_name_of_its_file() {
    let world = World::new();
    world.pipe(CARGO, &submit(&deserted())).ends_with(75);
    let [entry] = &world.spooled("")[..] else { panic!("not one entry") };
    let text = fs::read_to_string(entry).unwrap();
    let mut old: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert!(old.as_object_mut().unwrap().remove("submission_id").is_some());
    let old = old.to_string();
    fs::write(entry, &old).unwrap();
    world.run(&["retry", "--list"]).ends_with(0).mentions("barn: 1 passed, 1 failed; for ");
    // As if the program had been killed before it could remove the entry.
    for _ in 0..2 {
        fs::write(entry, &old).unwrap();
        world.run(&["retry", "--repo", "r.git"]).ends_with(0);
        assert_eq!(results(&world.path("r.git"), "barn").len(), 1);
    }
}

#[test]
fn to_list_what_waits_moves_nothing() {
    let world = World::new();
    world.pipe(CARGO, &submit(&deserted())).ends_with(75);
    let [entry] = &world.spooled("")[..] else { panic!("not one entry") };
    fs::write(entry, "{}").unwrap();
    let list = world.run(&["retry", "--list"]).ends_with(0);
    list.mentions("no submission: `client_info` is missing");
    assert!(entry.exists());
    world.run(&["retry"]).ends_with(65).complains("moved to ");
    assert!(!entry.exists());
}

#[test]
fn a_retry_may_go_into_a_repository() {
    let world = World::new();
    world.pipe(CARGO, &submit(&deserted())).ends_with(75);
    world.run(&["retry", "--repo", "r.git"]).ends_with(0);
    assert_eq!(results(&world.path("r.git"), "barn").len(), 1);
}

#[test]
fn what_is_sent_again_is_stored_once() {
    let world = World::new();
    world.pipe(CARGO, &submit(&deserted())).ends_with(75);
    let [entry] = &world.spooled("")[..] else { panic!("not one entry") };
    // As if the program had been killed before it could remove the entry.
    let content = std::fs::read_to_string(entry).unwrap();
    for _ in 0..2 {
        std::fs::write(entry, &content).unwrap();
        world.run(&["retry", "--repo", "r.git"]).ends_with(0);
        assert_eq!(results(&world.path("r.git"), "barn").len(), 1);
    }
    // Another submission under the same name is refused for good.
    std::fs::write(entry, content.replace("\"barn\"", "\"shed\"")).unwrap();
    world.run(&["retry", "--repo", "r.git"]).ends_with(65).complains("submission id");
    assert!(world.spooled("").is_empty());
    assert!(!world.spooled("rejected").is_empty());
}

#[test]
fn every_try_carries_the_same_id() {
    let world = World::new();
    let busy = "503 Service Unavailable\r\nRetry-After: 0";
    let collector = Collector::answering(&[answer(busy, ""), answer("502 Bad Gateway", "")]);
    world.pipe(CARGO, &submit(&collector.url)).ends_with(75);
    let mut requests = collector.requests();
    let collector = Collector::answering(&[stored(KEY)]);
    world.run(&["retry", "--server", &collector.url]).ends_with(0);
    requests.extend(collector.requests());
    let id = |request: &String| {
        let line = request.lines().find(|line| line.starts_with("idempotency-key: ")).unwrap();
        line["idempotency-key: ".len()..].to_owned()
    };
    let ids: Vec<String> = requests.iter().map(id).collect();
    assert_eq!(ids, vec![ids[0].clone(); 3]);
    assert_eq!(ids[0].len(), 32);
}

#[test]
fn without_a_place_for_the_spool_a_submission_is_still_delivered() {
    let world = World::new();
    let blocked = world.file("file", "");
    let collector = Collector::answering(&[stored(KEY)]);
    let mut command = world.pony(&submit(&collector.url));
    command.env("PONY_SPOOL", blocked.join("spool"));
    crate::world::Outcome::of(&mut command, Some(CARGO.as_bytes()))
        .ends_with(0)
        .complains("pony-report: warning: cannot create ");
}

#[test]
fn what_is_no_results_repository_is_left_alone() {
    let world = World::new();
    world.file("site/index.html", "precious");
    world
        .pipe(CARGO, &["submit", "--strict", "--repo", "site", "--package", "barn"])
        .ends_with(66)
        .complains("is not a results repository");
    assert_eq!(fs::read_to_string(world.path("site/index.html")).unwrap(), "precious");
}

#[test]
#[cfg(target_os = "linux")]
fn a_folder_that_takes_nothing_new_has_the_status_of_what_cannot_be_created() {
    let world = World::new();
    // Nobody can create anything there, not even root.
    world
        .pipe(CARGO, &["submit", "--strict", "--repo", "/proc/r.git", "--package", "barn"])
        .ends_with(73)
        .complains("cannot create anything in `/proc`: ")
        .complains("; kept for `pony-report retry` in ")
        .complains(".json\n");
}

#[test]
fn without_a_spool_a_submission_that_is_lost_is_said_to_be_lost() {
    let world = World::new();
    let blocked = world.file("file", "");
    let url = deserted();
    let mut command = world.pony(&submit(&url));
    command.env("PONY_SPOOL", blocked.join("spool"));
    crate::world::Outcome::of(&mut command, Some(CARGO.as_bytes()))
        .ends_with(75)
        .complains("; the submission is kept nowhere\n");
}

#[test]
fn a_repository_that_cannot_be_made_keeps_the_submission() {
    let world = World::new();
    world.file("file", "");
    world
        .pipe(CARGO, &["submit", "--strict", "--repo", "file/r.git", "--package", "barn"])
        .ends_with(73);
    assert_eq!(world.spooled("").len(), 1);
    fs::remove_file(world.path("file")).unwrap();
    world.run(&["retry"]).ends_with(0).mentions("barn: 1 passed, 1 failed; ");
    assert_eq!(results(&world.path("file/r.git"), "barn").len(), 1);
}

#[test]
fn what_waits_fails_nothing_unless_it_is_strict() {
    let world = World::new();
    let (down, rejecting) = (deserted(), Collector::answering(&[fault(-32602, "no")]));
    let submit = |url: &str| {
        let mut command = world.pony(&["submit", "--server", url, "--package", "barn"]);
        command.stdin(std::process::Stdio::piped());
        command
    };
    let run = |mut command| Outcome::of(&mut command, Some(CARGO.as_bytes()));
    run(submit(&down)).ends_with(0).printed("").complains("warning: cannot reach the collector");
    assert_eq!(world.spooled("").len(), 1);
    // It is lost, or it is not to be sent again.
    let mut homeless = submit(&down);
    homeless.env_remove("HOME").env_remove("XDG_STATE_HOME");
    run(homeless).ends_with(75).complains("the submission is kept nowhere");
    run(submit(&rejecting.url)).ends_with(65).complains("rejected the submission");
    // Waiting alone helps nothing.
    world.file("thesis/chapter", "precious");
    world.pipe(CARGO, &["submit", "--repo", "thesis", "--package", "barn"]).ends_with(66);
}
