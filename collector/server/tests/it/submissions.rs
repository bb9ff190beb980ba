//! Submissions that arrive again: `Idempotency-Key`.

use pony_formats::xmlrpc::{Fault, write_call};
use pony_formats::{Bag, Value};

use crate::collector::{Collector, Place, client_info, fault_or_value, git};
use crate::http::{self, Answer};

/// Submits a result of a package under an id, and returns the answer as it is.
fn send(collector: &Collector, package: &str, ids: &[&str]) -> Answer {
    send_steps(collector, package, ids, vec![])
}

fn send_steps(collector: &Collector, package: &str, ids: &[&str], steps: Vec<Value>) -> Answer {
    let params = [Value::Struct(client_info(package, true)), Value::Array(steps)];
    let body = write_call("add_results", &params);
    let ids: String = ids.iter().map(|id| format!("Idempotency-Key: {id}\r\n")).collect();
    let request = http::request("POST /xmlrpc HTTP/1.1", &ids, body.as_bytes());
    http::exchange(collector.address, &request)
}

/// The number and the auth key that a submission gets.
fn submit(collector: &Collector, package: &str, id: &str) -> Result<Value, Fault> {
    fault_or_value(&send(collector, package, &[id]))
}

fn commits(place: &Place) -> String {
    git(&place.repo(), &["rev-list", "--count", "main"]).trim().to_owned()
}

#[test]
fn a_submission_that_arrives_again_gets_the_same_answer() {
    let place = Place::new();
    let collector = place.start(&[]);
    let first = submit(&collector, "orchard", "a-1").unwrap();
    assert_eq!(submit(&collector, "orchard", "a-1").unwrap(), first);
    collector.kill();
    let collector = place.start(&[]);
    assert_eq!(submit(&collector, "orchard", "a-1").unwrap(), first);
    collector.kill();
    std::fs::remove_file(place.repo().join("pony/index.redb")).unwrap();
    let collector = place.start(&[]);
    assert_eq!(submit(&collector, "orchard", "a-1").unwrap(), first);
    assert_eq!(commits(&place), "2");
    // Numbers go on where they were.
    assert_ne!(submit(&collector, "orchard", "a-2").unwrap(), first);
    place.fsck();
}

#[test]
fn other_content_under_the_same_id_is_a_fault_and_final() {
    let place = Place::new();
    let collector = place.start(&[]);
    submit(&collector, "orchard", "a-1").unwrap();
    let fault = submit(&collector, "meadow", "a-1").unwrap_err();
    assert_eq!(fault.code, -32602);
    assert!(fault.message.contains("submission id `a-1` is that of result "), "{fault:?}");
    assert_eq!(commits(&place), "2");
}

#[test]
fn how_much_of_it_is_stored_does_not_tell_a_submission_from_another() {
    let submit = |collector: &Collector, output: &str| {
        let step = Bag::from([("output".to_owned(), Value::from(output))]);
        fault_or_value(&send_steps(collector, "orchard", &["a-1"], vec![Value::Struct(step)]))
    };
    let long = "an apple a day\n".repeat(1000);
    let longer = long.replacen("day\nan", "day\nno", 1);
    for limits in [["1000", "2000"], ["1000", "100000"], ["100000", "1000"]] {
        let place = Place::new();
        let [first, second] = limits.map(|limit| ["--max-output", limit]);
        let collector = place.start(&first);
        let stored = submit(&collector, &long).unwrap();
        collector.kill();
        let collector = place.start(&second);
        assert_eq!(submit(&collector, &long).unwrap(), stored, "{limits:?}");
        collector.kill();
        std::fs::remove_file(place.repo().join("pony/index.redb")).unwrap();
        let collector = place.start(&second);
        assert_eq!(submit(&collector, &long).unwrap(), stored, "{limits:?}, by the repository");
        // What was left out counts.
        assert_eq!(submit(&collector, &longer).unwrap_err().code, -32602);
        assert_eq!(commits(&place), "2");
    }
}

#[test]
fn equal_ids_on_many_connections_are_one_result() {
    let place = Place::new();
    let collector = place.start(&[]);
    let answers: Vec<Value> = std::thread::scope(|scope| {
        let send = || submit(&collector, "orchard", "a-1").unwrap();
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(send)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    assert_eq!(commits(&place), "2");
}

#[test]
fn an_id_that_is_none_is_refused() {
    let place = Place::new();
    let collector = place.start(&[]);
    let long = "x".repeat(256);
    for ids in [&[""][..], &["a b"], &["\u{e4}"], &[&long], &["a", "a"]] {
        let answer = send(&collector, "orchard", ids);
        assert_eq!(answer.status, 400, "{ids:?}");
        assert!(answer.text().contains("Idempotency-Key"), "{answer:?}");
    }
    assert_eq!(commits(&place), "1");
    assert_eq!(send(&collector, "orchard", &[&"x".repeat(255)]).status, 200);
}

#[test]
fn numbers_of_before_a_restart_are_still_known() {
    let place = Place::new();
    let collector = place.start(&[]);
    let (number, _) = collector.add(client_info("orchard", true));
    let triple = collector.call("get_results", &[number.into()]);
    collector.kill();
    let collector = place.start(&[]);
    assert_eq!(collector.call("get_results", &[number.into()]), triple);
    assert_eq!(collector.add(client_info("orchard", true)).0, number + 1);
    assert_eq!(collector.call("get_results", &[number.into()]), triple);
    collector.call("get_results", &[(number + 1).into()]);
}
