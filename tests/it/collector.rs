//! A running collector, over real HTTP.

use std::io::{BufRead as _, Read as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::thread::JoinHandle;

use pony_store::Store;

use crate::programs::{self, Collector};

/// The numbers that the script of the five calls printed: those of its two submissions.
fn make_all_five_calls(url: &str, folder: &Path) -> Vec<String> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/it/xmlrpc_client.py");
    let mut python = programs::command("python3", folder);
    let printed = programs::expect(python.args([script, url]), b"", 0);
    printed.split_whitespace().map(str::to_owned).collect()
}

/// The keys in the history of a repository, oldest first, by git.
fn keys_by_git(repo: &Path) -> Vec<String> {
    let mut git = Command::new("git");
    git.arg("-C").arg(repo).args([
        "log",
        "--reverse",
        "--format=%(trailers:key=Result-Key,valueonly)",
        "main",
    ]);
    let printed = programs::expect(&mut git, b"", 0);
    printed.split_whitespace().map(str::to_owned).collect()
}

#[track_caller]
fn assert_fsck_is_clean(repo: &Path) {
    let mut git = Command::new("git");
    let printed = programs::expect(
        git.arg("-C").arg(repo).args(["fsck", "--strict", "--no-dangling"]),
        b"",
        0,
    );
    assert_eq!(printed, "");
}

/// A page, once the site has it.
#[track_caller]
fn wait_for(address: &str) -> String {
    wait_until(address, |_| true)
}

/// The address of the newest result of a package, once there is one.
#[track_caller]
fn latest(collector: &str, package: &str) -> String {
    let page = wait_for(&format!("{collector}p/{package}/latest/"));
    let key = page.split_once("url=../").and_then(|(_, rest)| rest.split_once('/'));
    let (key, _) = key.unwrap_or_else(|| panic!("leads nowhere: {page}"));
    format!("{collector}p/{package}/{key}/")
}

/// A page, once it is as it will be: the site is written file by file, and anew when files of a result arrive.
#[track_caller]
fn wait_until(address: &str, is_ready: impl Fn(&str) -> bool) -> String {
    // Bounded by count, not by clock: a loaded machine may take long, a broken site takes for ever.
    let mut last = String::new();
    for _ in 0..300 {
        std::thread::sleep(std::time::Duration::from_millis(100));
        let Ok(mut answer) = ureq::get(address).call() else { continue };
        last = answer.body_mut().read_to_string().unwrap_or_default();
        if is_ready(&last) {
            return last;
        }
    }
    panic!("{address} never came to be: {last}")
}

#[test]
fn python_makes_all_five_calls() {
    if programs::peer("python3", &["-c", "import xmlrpc.client"]).is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let collector = Collector::start(folder.path());
    let keys = make_all_five_calls(&collector.url, folder.path());
    let repo = folder.path().join("results.git");
    assert_eq!(keys, ["0", "1"]);
    assert_eq!(keys_by_git(&repo).len(), 2);
    assert_fsck_is_clean(&repo);
}

#[test]
fn what_was_acknowledged_survives_kill_9() {
    let folder = tempfile::tempdir().unwrap();
    let report = br#"<testsuite name="s"><testcase classname="a" name="b"/></testsuite>"#;
    for round in 1..=3 {
        let collector = Collector::start(folder.path());
        for _ in 0..2 {
            let mut submit = programs::command("pony-report", folder.path());
            submit.args([
                "submit",
                "--strict",
                "--package",
                "foo",
                "--server",
                &collector.url,
                "-",
            ]);
            programs::expect(&mut submit, report, 0);
        }
        collector.kill();
        let repo = folder.path().join("results.git");
        assert_fsck_is_clean(&repo);
        assert_eq!(keys_by_git(&repo).len(), round * 2);
    }
}

#[test]
fn what_the_reporter_has_shortened_is_not_shortened_again() {
    let folder = tempfile::tempdir().unwrap();
    let collector = Collector::start(folder.path());
    let head =
        |length: usize, byte: &str| format!("head -c {length} /dev/zero | tr '\\0' '{byte}'");
    // One long line, and bytes that become three each.
    let script = format!("{}; {} >&2", head(6_000_000, "x"), head(6_000_000, "\\377"));
    let mut run = programs::command("pony-report", folder.path());
    run.args(["run", "--strict", "--package", "foo", "--server", &collector.url]);
    let output = programs::run(run.args(["--", "sh", "-c", &script]), b"");
    assert!(output.status.success(), "{:?}", output.stderr.lines().last());
    collector.kill();

    let snapshot = Store::open(&folder.path().join("results.git")).unwrap().snapshot().unwrap();
    let key = snapshot.results("foo").unwrap()[0];
    let names: Vec<String> =
        snapshot.artifacts("foo", key).unwrap().into_iter().map(|file| file.filename).collect();
    assert_eq!(names, ["steps-00-output.txt", "steps-00-errout.txt"]);
    let result = snapshot.read("foo", key).unwrap().unwrap();
    assert!(!result.receipt.flags.contains("shortened"));
    let output = result.submission.results_list[0].output().unwrap();
    assert!(output.contains(&format!("[pony left out {} bytes here", 6_000_000 - 4 * 1024 * 1024)));
}

/// Takes one connection, carries the request to the collector and the answer nowhere: by the time it hangs up,
/// the collector has answered.
fn losing_the_answer(collector: &str) -> (String, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let collector = collector.trim_start_matches("http://").trim_end_matches('/').to_owned();
    let thread = std::thread::spawn(move || {
        let (client, _) = listener.accept().unwrap();
        let server = TcpStream::connect(collector).unwrap();
        let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
        // Ends when the client is hung up on.
        std::thread::spawn(move || std::io::copy(&mut from, &mut to));
        let mut answer = [0; 12];
        (&server).read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"HTTP/1.1 200");
        client.shutdown(Shutdown::Both).unwrap();
    });
    (url, thread)
}

#[test]
fn a_submission_whose_answer_was_lost_is_stored_once() {
    let folder = tempfile::tempdir().unwrap();
    let report = br#"<testsuite name="s"><testcase classname="a" name="b"/></testsuite>"#;
    let collector = Collector::start(folder.path());
    let (url, proxy) = losing_the_answer(&collector.url);
    let mut submit = programs::command("pony-report", folder.path());
    submit.args(["submit", "--strict", "--package", "foo", "--server", &url, "-"]);
    programs::expect(&mut submit, report, 75);
    proxy.join().unwrap();
    let repo = folder.path().join("results.git");
    let keys = keys_by_git(&repo);
    assert_eq!(keys.len(), 1, "it was stored");
    // What the collector remembers is on disk, and not in its head.
    collector.kill();
    let collector = Collector::start(folder.path());
    let mut retry = programs::command("pony-report", folder.path());
    let printed = programs::expect(retry.args(["retry", "--server", &collector.url]), b"", 0);
    assert!(printed.contains("result 0 at "), "{printed}");
    assert_eq!(keys_by_git(&repo), keys);
    let mut again = programs::command("pony-report", folder.path());
    assert_eq!(programs::expect(again.arg("retry"), b"", 0), "nothing to send\n");
    assert_fsck_is_clean(&repo);
}

#[test]
fn the_printed_address_leads_to_the_result_whatever_the_package_is_called() {
    let folder = tempfile::tempdir().unwrap();
    let collector = Collector::start(folder.path());
    let report = br#"<testsuite name="s"><testcase classname="a" name="b"/></testsuite>"#;
    let long = "x".repeat(200);
    for package in ["plain", "a/b c", "CON", ".git", "..", "a~b", "a~2fb", "readme.md", &long] {
        let mut submit = programs::command("pony-report", folder.path());
        submit.args(["submit", "--strict", "--package", package, "--server", &collector.url, "-"]);
        let line = programs::expect(&mut submit, report, 0);
        let (_, address) = line.trim_end().rsplit_once(" at ").unwrap();
        assert!(wait_for(address).contains("a::b"), "{package}");
    }
}

#[test]
fn the_site_shows_a_result_soon_after_it_was_accepted() {
    let folder = tempfile::tempdir().unwrap();
    let collector = Collector::start(folder.path());
    let report = br#"<testsuite><testcase classname="a" name="b"><failure message="3 &lt; 2"/></testcase></testsuite>"#;
    let mut submit = programs::command("pony-report", folder.path());
    submit.args(["submit", "--strict", "--package", "foo", "--server", &collector.url]);
    programs::expect(&mut submit, report, 0);
    let page = wait_for(&latest(&collector.url, "foo"));
    assert!(page.contains("a::b") && page.contains("3 &#60; 2"), "{page}");
    let absolute = format!("<link>{}p/foo/", collector.url);
    wait_until(&format!("{}rss2/failed", collector.url), |feed| feed.contains(&absolute));
}

#[test]
fn the_whole_of_a_long_output_is_uploaded_and_linked() {
    let folder = tempfile::tempdir().unwrap();
    let collector = Collector::start(folder.path());
    let mut run = programs::command("pony-report", folder.path());
    run.args(["run", "--package", "foo", "--max-output", "10K", "--server", &collector.url]);
    let printed = programs::expect(run.args(["--", "seq", "20000"]), b"", 0);
    let address = latest(&collector.url, "foo");
    let page = wait_until(&address, |page| page.contains("The whole as a file"));
    let link = page
        .split("<a href=\"")
        .find_map(|rest| rest.split_once("\">The whole as a file").map(|(address, _)| address));
    let link = link.unwrap_or_else(|| panic!("no link: {page}"));
    let whole =
        ureq::get(format!("{address}{link}")).call().unwrap().body_mut().read_to_string().unwrap();
    assert_eq!(whole, printed);
}
