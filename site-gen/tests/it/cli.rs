//! The command line: what it prints and how it ends.

use std::process::{Command, Output};

use crate::place::Place;
use crate::sample;

fn pony_site(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_pony-site")).args(arguments).output().unwrap()
}

fn build(place: &Place, repo: &str, out: &str, more: &[&str]) -> Output {
    let (repo, out) = (place.path(repo), place.path(out));
    let (repo, out) = (repo.to_str().unwrap(), out.to_str().unwrap());
    let now = ["--now", sample::END];
    pony_site(&[&["build", "--repo", repo, "--out", out], &now[..], more].concat())
}

#[track_caller]
fn assert_refused(output: &Output, code: i32, words: &str) {
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{error}");
    assert!(error.starts_with("pony-site: error: ") && error.contains(words), "{error}");
    assert_eq!(error.lines().count(), 1, "{error}");
}

#[test]
fn the_command_builds_what_the_library_builds() {
    let place = Place::new();
    place.append(&sample::history()[..5]);
    let output = build(&place, "results.git", "site", &[]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(printed.ends_with(" files written\n"), "{printed}");
    place.build("new");
    assert_eq!(place.files("site"), place.files("new"));
}

#[test]
fn refusals_say_what_was_wrong_and_what_to_do() {
    let place = Place::new();
    std::fs::create_dir(place.path("thesis")).unwrap();
    std::fs::write(place.path("thesis/chapter"), "one").unwrap();
    assert_refused(&build(&place, "nothing", "site", &[]), 66, "no results repository");
    assert_refused(&build(&place, "thesis", "site", &[]), 66, "not a results repository");
    assert_refused(&build(&place, "results.git", "thesis", &[]), 73, "choose an empty or a new");
    assert_refused(&build(&place, "results.git", "results.git", &[]), 73, "outside of it");
    assert_refused(&build(&place, "results.git", "results.git/x", &[]), 73, "outside of it");
    assert_refused(&build(&place, "results.git", "thesis/chapter", &[]), 74, "cannot read");
    if cfg!(target_os = "linux") {
        // Nobody can create anything there, not even root.
        assert_refused(&build(&place, "results.git", "/proc/site", &[]), 73, "cannot create");
    }
    let wrong = build(&place, "results.git", "site", &["--base-url", "javascript:alert(1)"]);
    assert_refused(&wrong, 64, "is no address of a site");
    assert!(!place.path("site").exists(), "a refusal leaves nothing behind");
}

#[test]
fn usage_errors_exit_with_64_and_help_with_0() {
    let wrong = pony_site(&["build"]);
    assert_eq!(wrong.status.code(), Some(64));
    let said = String::from_utf8(wrong.stderr).unwrap();
    assert!(said.starts_with("pony-site: error: "), "{said}");
    assert_eq!(pony_site(&["--help"]).status.code(), Some(0));
}

#[test]
fn strict_fails_on_unreadable_results() {
    let place = Place::new();
    let history = sample::history();
    let key = place.append(&history[..1])[0];
    let package = pony_formats::names::tree_component(history[0].0.client_info.package());
    let at = format!("{package}/{}/{key}/client_info.json", key.time().strftime("%Y/%m/%d"));
    place.append(&history[1..4]);
    place.meddle(&at, Some("[]"));
    let output = build(&place, "results.git", "site", &["--strict"]);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.starts_with("pony-site: warning: cannot be read: "), "{error}");
    assert_eq!(build(&place, "results.git", "site", &[]).status.code(), Some(0));
}

#[cfg(unix)]
#[test]
fn a_closed_output_is_no_failure() {
    let place = Place::new();
    let (read, write) = std::io::pipe().unwrap();
    drop(read);
    let status = Command::new(env!("CARGO_BIN_EXE_pony-site"))
        .args(["build", "--repo"])
        .arg(place.path("results.git"))
        .arg("--out")
        .arg(place.path("site"))
        .stdout(write)
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(0));
}
