//! Results pushed to git hosts over a network.

use std::path::Path;
use std::process::Command;

use pony_store::Store;
use pony_tests::git_server::{Habits, WebHost};
use tempfile::TempDir;

use crate::programs::{command, expect, peer, run};

const TAP: &[u8] = b"1..2\nok 1 - opens\nnot ok 2 - shuts\n";

/// `ann:s3cret` in base64.
const ANN: &str = "YW5uOnMzY3JldA==";

/// A folder with an empty repository, as a host has it, and a home.
fn host() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    git(folder.path(), &["init", "--quiet", "--bare", "--initial-branch=main", "r.git"]);
    git(&folder.path().join("r.git"), &["config", "uploadpack.allowFilter", "true"]);
    folder
}

fn git(folder: &Path, arguments: &[&str]) -> String {
    expect(command("git", folder).args(arguments), b"", 0)
}

fn submit(home: &Path, arguments: &[&str]) -> Command {
    let mut command = command("pony-report", home);
    command.args(["submit", "--strict", "--package", "barn", "--from", "tap"]).args(arguments);
    command
}

fn count(home: &Path) -> usize {
    let snapshot = Store::open(&home.join("r.git")).unwrap().snapshot().unwrap();
    snapshot.results("barn").unwrap().len()
}

#[test]
fn a_host_that_speaks_only_the_old_protocol_is_pushed_to_as_well() {
    let folder = host();
    let home = folder.path();
    let habits = Habits { knows_only_the_old_protocol: true, ..Habits::default() };
    let url = format!("http://{}/r.git", WebHost::start(home, habits).unwrap().address);
    for _ in 0..3 {
        expect(&mut submit(home, &["--repo", &url]), TAP, 0);
    }
    assert_eq!(count(home), 3);
    assert_eq!(git(&home.join("r.git"), &["fsck", "--strict", "--no-dangling"]), "");
}

#[test]
fn a_host_that_gives_out_no_parts_is_pushed_to_as_well() {
    let folder = host();
    let home = folder.path();
    git(&home.join("r.git"), &["config", "uploadpack.allowFilter", "false"]);
    let url = format!("http://{}/r.git", WebHost::start(home, Habits::default()).unwrap().address);
    for _ in 0..3 {
        expect(&mut submit(home, &["--repo", &url]), TAP, 0);
    }
    assert_eq!(count(home), 3);
}

#[test]
fn git_finds_the_credentials_and_the_spool_does_not_keep_them() {
    let folder = host();
    let home = folder.path();
    let habits = Habits { credentials: Some(ANN.to_owned()), ..Habits::default() };
    let address = WebHost::start(home, habits).unwrap().address;
    let plain = format!("http://{address}/r.git");
    expect(&mut submit(home, &["--repo", &plain]), TAP, 77);
    let wrong = format!("http://ann:wr0ngword@{address}/r.git");
    let output = run(&mut submit(home, &["--repo", &wrong]), TAP);
    assert_eq!(output.status.code(), Some(77));
    assert!(!String::from_utf8_lossy(&output.stderr).contains("wr0ngword"));
    let right = format!("http://ann:s3cret@{address}/r.git");
    // What was refused before goes along.
    expect(&mut submit(home, &["--repo", &right]), TAP, 0);
    assert_eq!(count(home), 3);
    // Or from git's own store of credentials.
    expect(&mut submit(home, &["--repo", &wrong]), TAP, 77);
    std::fs::write(home.join(".git-credentials"), format!("http://ann:s3cret@{address}\n"))
        .unwrap();
    std::fs::write(home.join(".gitconfig"), "[credential]\n\thelper = store\n").unwrap();
    expect(command("pony-report", home).arg("retry"), b"", 0);
    assert_eq!(count(home), 4);
}

#[test]
fn credentials_of_an_address_are_never_among_the_arguments_of_a_process() {
    // `s3cret+token:` in base64: a token is the name, and there is no password.
    for (userinfo, encoded) in [("ann:s3cret", ANN), ("s3cret%2Btoken", "czNjcmV0K3Rva2VuOg==")] {
        let folder = host();
        let home = folder.path();
        std::fs::write(home.join(".gitconfig"), "[credential]\n\thelper = store\n").unwrap();
        let habits = Habits { credentials: Some(encoded.to_owned()), ..Habits::default() };
        let address = WebHost::start(home, habits).unwrap().address;
        let trace = home.join("trace");
        let mut submit = submit(home, &["--repo", &format!("http://{userinfo}@{address}/r.git")]);
        // git's helpers take no notice of what is set here.
        submit.env("GIT_TRACE", &trace).env("GIT_TRACE_SETUP", &trace);
        expect(&mut submit, TAP, 0);
        assert_eq!(count(home), 1);
        let trace = std::fs::read_to_string(trace).unwrap();
        assert!(trace.contains("git remote-http"), "it shows arguments: {trace}");
        assert!(!trace.contains("s3cret"), "{trace}");
        assert!(!home.join(".git-credentials").exists(), "nobody was asked to remember it");
    }
}

/// A program for `GIT_ASKPASS` that notes what it is asked, and answers `s3cret`.
#[cfg(unix)]
fn askpass(home: &Path) -> std::path::PathBuf {
    use std::os::unix::fs::PermissionsExt as _;
    let path = home.join("askpass");
    let asked = home.join("asked");
    let script = format!("#!/bin/sh\necho \"$1\" >> '{}'\necho s3cret\n", asked.display());
    std::fs::write(&path, script).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

#[test]
#[cfg(unix)]
fn a_token_is_neither_asked_about_nor_remembered_by_whatever_helps_git() {
    let folder = host();
    let home = folder.path();
    std::fs::write(home.join(".gitconfig"), "[credential]\n\thelper = store\n").unwrap();
    // `t0ken:`
    let habits = Habits { credentials: Some("dDBrZW46".to_owned()), ..Habits::default() };
    let address = WebHost::start(home, habits).unwrap().address;
    let mut submit = submit(home, &["--repo", &format!("http://t0ken@{address}/r.git")]);
    submit.env("GIT_ASKPASS", askpass(home));
    // As CI systems configure git.
    submit.envs([("GIT_CONFIG_COUNT", "1"), ("GIT_CONFIG_KEY_0", "credential.helper")]);
    submit.env("GIT_CONFIG_VALUE_0", "store --file=other");
    expect(&mut submit, TAP, 0);
    assert_eq!(count(home), 1);
    for name in ["asked", ".git-credentials", "other"] {
        assert!(!home.join(name).exists(), "{name}");
    }
    // One that is not good any more is not shown, however git writes it.
    let url = format!("http://0ld%2btoken@{address}/r.git");
    let output = run(&mut self::submit(home, &["--repo", &url]), TAP);
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(77) && !errors.contains("0ld"), "{errors}");
    assert!(errors.contains("Authentication failed for "), "{errors}");
}

#[test]
#[cfg(unix)]
fn a_name_that_the_host_does_not_take_for_a_token_is_one_whose_password_git_finds() {
    let folder = host();
    let home = folder.path();
    let habits = Habits { credentials: Some(ANN.to_owned()), ..Habits::default() };
    let address = WebHost::start(home, habits).unwrap().address;
    let url = format!("http://ann@{address}/r.git");
    let mut asking = submit(home, &["--repo", &url]);
    expect(asking.env("GIT_ASKPASS", askpass(home)), TAP, 0);
    let asked = std::fs::read_to_string(home.join("asked")).unwrap();
    assert!(asked.starts_with(&format!("Password for 'http://ann@{address}'")), "{asked}");
    expect(&mut submit(home, &["--repo", &url]), TAP, 77);
    std::fs::write(home.join(".git-credentials"), format!("http://ann:s3cret@{address}\n"))
        .unwrap();
    std::fs::write(home.join(".gitconfig"), "[credential]\n\thelper = store\n").unwrap();
    expect(command("pony-report", home).arg("retry").env("PONY_REPO", &url), b"", 0);
    assert_eq!(count(home), 2);
}

#[test]
fn nothing_is_drawn_over_a_question_of_git() {
    // Of util-linux: it runs a command on a terminal of its own.
    if peer("script", &["--version"]).is_none() {
        return;
    }
    let folder = host();
    let home = folder.path();
    std::fs::write(home.join("tap"), TAP).unwrap();
    let habits = Habits { credentials: Some(ANN.to_owned()), ..Habits::default() };
    let url = format!("http://{}/r.git", WebHost::start(home, habits).unwrap().address);
    let mut on_terminal = command("script", home);
    let submit = format!("pony-report submit --package barn --repo {url} tap");
    on_terminal.args(["--quiet", "--return", "--command", &submit, "typescript"]);
    let output = run(&mut on_terminal, b"ann\n");
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    let (before, after) = shown.split_once("Username for ").expect(&shown);
    assert!(before.contains("pony-report: submitting to http://"), "{shown}");
    assert!(after.contains("Password for "), "{shown}");
    // Neither a spinner nor what moves the cursor.
    assert!(!shown.contains(['\u{1b}', '⠁', '⠉', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦']), "{shown:?}");
}
