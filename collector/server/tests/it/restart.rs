//! Starting, stopping, crashing.

use std::collections::BTreeSet;
use std::fs;
use std::net::TcpListener;
use std::process::{Command, Output};
use std::sync::Mutex;
use std::thread;

use pony_formats::Value;
use pony_formats::xmlrpc::write_call;

use crate::collector::{Place, client_info, fault_or_value};
use crate::http;

/// Exit status and standard error of a collector that does not start.
#[track_caller]
fn refusal(mut command: Command) -> (i32, String) {
    let Output { status, stderr, .. } = command.output().unwrap();
    (status.code().unwrap(), String::from_utf8(stderr).unwrap())
}

#[test]
fn kill_9_loses_nothing_that_was_acknowledged() {
    let place = Place::new();
    let mut acknowledged = BTreeSet::new();
    for round in 0..3 {
        let collector = place.start(&[]);
        let keys = Mutex::new(BTreeSet::new());
        let address = collector.address;
        thread::scope(|scope| {
            for host in 0..4 {
                let keys = &keys;
                scope.spawn(move || {
                    let mut info = client_info("hayloft", true);
                    info.insert("host".into(), format!("host{host}").into());
                    let body =
                        write_call("add_results", &[Value::Struct(info), Value::Array(vec![])]);
                    let request = http::request("POST /xmlrpc HTTP/1.1", "", body.as_bytes());
                    loop {
                        // Killed: nothing more is acknowledged.
                        let Ok(mut stream) = std::net::TcpStream::connect(address) else { return };
                        if std::io::Write::write_all(&mut stream, &request).is_err() {
                            return;
                        }
                        let Some(answer) = http::read_answer(stream) else { return };
                        let answer = fault_or_value(&answer).unwrap();
                        let key = answer.as_array().unwrap()[0].as_int().unwrap();
                        assert!(keys.lock().unwrap().insert(key), "{key} was given twice");
                    }
                });
            }
            while keys.lock().unwrap().len() < 10 * (round + 1) {
                thread::yield_now();
            }
            collector.kill();
        });
        acknowledged.extend(keys.into_inner().unwrap());
    }
    let collector = place.start(&[]);
    for key in acknowledged {
        collector.call("get_results", &[key.into()]);
    }
    collector.add(client_info("hayloft", true));
    place.fsck();
}

#[test]
fn a_restart_forgets_no_result() {
    let place = Place::new();
    let collector = place.start(&[]);
    let (key, _) = collector.add(client_info("hayloft", true));
    assert!(!collector.should_build(client_info("hayloft", true)));
    assert!(collector.terminate().success());
    let collector = place.start(&[]);
    assert!(!collector.should_build(client_info("hayloft", true)));
    collector.call("get_results", &[key.into()]);
}

#[test]
fn a_repository_has_one_collector() {
    let place = Place::new();
    let collector = place.start(&[]);
    let (status, sentence) = refusal(place.command(&[]));
    assert_eq!(status, 75, "{sentence}");
    assert!(sentence.contains(&format!("process {}", collector.id())), "{sentence}");
    drop(collector);
    place.start(&[]);
}

#[test]
fn something_else_is_not_a_results_repository() {
    let place = Place::new();
    fs::create_dir(place.repo()).unwrap();
    fs::write(place.repo().join("notes.txt"), "mine").unwrap();
    let (status, sentence) = refusal(place.command(&[]));
    assert_eq!(status, 66, "{sentence}");
    assert!(sentence.contains("is not a results repository"), "{sentence}");
    assert_eq!(sentence.lines().count(), 1);
    assert_eq!(fs::read_dir(place.repo()).unwrap().count(), 1, "nothing was touched");
}

#[test]
fn a_site_that_would_show_the_secret_is_refused() {
    let place = Place::new();
    let around = place.path(".");
    let (status, sentence) = refusal(place.command(&["--site", around.to_str().unwrap()]));
    assert_eq!(status, 78, "{sentence}");
    assert!(sentence.contains("--site"), "{sentence}");
}

#[test]
fn a_port_that_is_taken_is_named() {
    let place = Place::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (status, sentence) = refusal(place.command(&["--listen", &address]));
    assert_eq!(status, 73, "{sentence}");
    assert!(sentence.contains(&address) && sentence.contains("--listen"), "{sentence}");
    assert!(!place.repo().exists(), "a refusal leaves nothing behind");
}

#[test]
fn wrong_usage_is_64_and_help_is_0() {
    let pony = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pony-collector"));
        command.args(args).output().unwrap()
    };
    let serve = |option, value| ["serve", "--repo", "/proc/x", option, value];
    let wrong = [
        &[][..],
        &["serve"],
        &serve("--max-body", "many"),
        &serve("--listen", "nonsense"),
        &serve("--listen", ":80"),
        &serve("--listen", "localhost:99999"),
    ];
    for args in wrong {
        assert_eq!(pony(args).status.code(), Some(64), "{args:?}");
    }
    let help = pony(&["serve", "--help"]);
    assert!(help.status.success());
    assert!(String::from_utf8(help.stdout).unwrap().contains("Examples:"));
}

#[test]
#[cfg(target_os = "linux")]
fn a_folder_that_takes_nothing_new_ends_it_with_the_status_for_that() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pony-collector"));
    // Nobody can create anything there, not even root.
    command.args(["serve", "--repo", "/proc/r.git", "--listen", "127.0.0.1:0"]);
    let (status, said) = refusal(command);
    assert_eq!(status, 73, "{said}");
    assert!(said.contains("cannot create anything in `/proc`"), "{said}");
}
