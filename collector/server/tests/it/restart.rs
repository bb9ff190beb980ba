//! Starting, stopping, crashing.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Mutex;
use std::thread;

use pony_formats::Value;
use pony_formats::xmlrpc::write_call;

use crate::collector::{Place, client_info, fault_or_value, git};
use crate::http;

/// Makes a year of a package unreadable: git has lost its folder.
fn lose_a_year(repo: &Path, package: &str) {
    let make_tree = |listing: &str| {
        let mut command = Command::new("git");
        command.arg("-C").arg(repo).args(["mktree", "--missing"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(listing.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    let old = git(repo, &["rev-parse", &format!("main:{package}")]);
    let lost = format!("040000 tree {}\t1999\n", "0123456789".repeat(4));
    let new = make_tree(&(lost + &git(repo, &["ls-tree", old.trim()])));
    let root = make_tree(&git(repo, &["ls-tree", "main"]).replace(old.trim(), &new));
    let who = ["-c", "user.name=x", "-c", "user.email=x@x"];
    let commit = ["commit-tree", "-p", "main", "-m", "lose", &root];
    let commit = git(repo, &[&who[..], &commit].concat());
    // And one after it: what the newest commit itself has lost keeps a collector from starting.
    let later = ["commit-tree", "-p", commit.trim(), "-m", "go on", &root];
    let later = git(repo, &[&who[..], &later].concat());
    git(repo, &["update-ref", "refs/heads/main", later.trim()]);
}

#[test]
fn a_package_that_cannot_be_read_does_not_stop_the_others() {
    let place = Place::new();
    let collector = place.start(&[]);
    for package in ["apple", "hayloft", "orchard"] {
        collector.add(client_info(package, true));
    }
    collector.kill();
    lose_a_year(&place.repo(), "hayloft");
    let collector = place.start(&[]);
    for package in ["apple", "orchard"] {
        assert!(!collector.should_build(client_info(package, true)), "{package} is known");
    }
    collector.add(client_info("orchard", true));
}

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
fn a_collector_that_is_told_to_stop_gives_the_lock_back() {
    let place = Place::new();
    for _ in 0..5 {
        let collector = place.start(&[]);
        collector.add(client_info("hayloft", true));
        assert!(collector.terminate().success());
        // Or the next one would take it for dead, and a push under way for its leftovers.
        assert_eq!(fs::read_to_string(place.repo().join("pony.lock")).unwrap(), "");
    }
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
fn a_folder_that_is_no_site_is_not_served() {
    let place = Place::new();
    fs::create_dir(place.path("private")).unwrap();
    fs::write(place.path("private/id_rsa"), "private").unwrap();
    let private = place.path("private").into_os_string().into_string().unwrap();
    let (status, sentence) = refusal(place.command(&["--site", &private]));
    assert_eq!(status, 73, "{sentence}");
    assert!(sentence.contains("holds no site"), "{sentence}");
    assert_eq!(sentence.lines().count(), 1);
    assert_eq!(fs::read_dir(&private).unwrap().count(), 1, "nothing was touched");

    // What is no folder, an empty one, and one that was served before.
    fs::create_dir(place.path("empty")).unwrap();
    for site in ["absent", "empty"].map(|name| place.path(name)) {
        for _ in 0..2 {
            let collector = place.start(&["--site", site.to_str().unwrap()]);
            while !site.join(".pony-site.json").exists() {
                thread::yield_now();
            }
            drop(collector);
        }
    }
}

#[test]
fn a_site_beside_the_secret_is_refused() {
    let place = Place::new();
    place.start(&[]).kill();
    for site in ["pony", "pony/artifacts", "pony/artifacts/00/site", "pony/other", "objects"] {
        let site = place.repo().join(site);
        let (status, sentence) = refusal(place.command(&["--site", site.to_str().unwrap()]));
        assert!([73, 78].contains(&status), "{status}: {sentence}");
    }
    assert!(
        place
            .start(&["--site", place.repo().join("pony/site").to_str().unwrap()])
            .terminate()
            .success()
    );
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
    let said = String::from_utf8(pony(&["serve"]).stderr).unwrap();
    assert!(said.starts_with("pony-collector: error: "), "{said}");
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
