//! `pony-report run`: the person sees what the command prints, gets its status, and the result is
//! stored.

use std::fs;

use pony_formats::{Outcome as TestOutcome, StepStatus, TestResult, Value};
use pony_store::{Contents, Store};

use crate::inputs::{CARGO, JUNIT};
use crate::world::{Collector, Outcome, World, answer, deserted, results, stored};

pub(crate) fn only_result(world: &World) -> TestResult {
    let mut results = results(&world.path("r.git"), "p");
    assert_eq!(results.len(), 1);
    results.remove(0)
}

/// The arguments of a run of a shell script.
pub(crate) fn script(text: &str) -> Vec<&str> {
    vec!["run", "--repo", "r.git", "--package", "p", "--", "sh", "-c", text]
}

#[test]
fn the_status_of_the_command_is_passed_on() {
    let world = World::new();
    for (text, status, step_status) in [
        ("exit 0", 0, StepStatus::Succeeded),
        ("exit 1", 1, StepStatus::Failed(1)),
        ("exit 101", 101, StepStatus::Failed(101)),
        ("kill -TERM $$", 128 + 15, StepStatus::Failed(-15)),
    ] {
        world.run(&script(text)).ends_with(status);
        let last = results(&world.path("r.git"), "p").pop().unwrap();
        assert_eq!(last.submission.results_list[0].status(), step_status, "{text}");
        assert_eq!(last.submission.client_info.success(), status == 0, "{text}");
    }
}

#[test]
fn output_passes_through_byte_for_byte() {
    let world = World::new();
    let stdout: Vec<u8> = (0..=255).cycle().take(300_000).collect();
    let stderr: Vec<u8> = (0..=255).rev().cycle().take(70_000).collect();
    world.file("out", &stdout);
    world.file("err", &stderr);
    let outcome = world.run(&script("cat out; cat err >&2; exit 3")).ends_with(3).printed(&stdout);
    assert!(outcome.stderr_bytes().starts_with(&stderr), "standard error is not what was printed");
    let result = only_result(&world);
    assert_eq!(result.submission.client_info.bag().get("sanitised"), Some(&Value::Bool(true)));
    assert!(result.receipt.flags.contains("sanitised"));
    let step = &result.submission.results_list[0];
    assert_eq!(step.output().unwrap(), String::from_utf8_lossy(&stdout));
    assert_eq!(step.errout().unwrap(), String::from_utf8_lossy(&stderr));
}

#[test]
fn output_is_shown_while_the_command_runs() {
    let world = World::new();
    // The command prints half a line, then waits for a file that is only made once that was seen.
    let text = "printf half; while [ ! -e go ]; do sleep 0.02; done; echo ' done'";
    let mut command = world.pony(&script(text));
    let piped = std::process::Stdio::piped;
    let mut child = command.stdout(piped()).stderr(piped()).spawn().unwrap();
    let mut seen = [0; 4];
    std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut seen).unwrap();
    assert_eq!(&seen, b"half");
    world.file("go", "");
    assert!(child.wait().unwrap().success());
}

#[test]
fn standard_input_is_the_commands() {
    let world = World::new();
    world.pipe("hello\n", &script("cat")).ends_with(0).printed("hello\n");
}

#[test]
fn tests_are_read_from_what_was_printed() {
    let world = World::new();
    world.file("log", CARGO);
    world.run(&script("cat log; exit 101")).ends_with(101).complains("p: 1 passed, 1 failed; ");
    let result = only_result(&world);
    let step = &result.submission.results_list[0];
    let outcomes: Vec<_> = step.tests().iter().map(|test| test.outcome).collect();
    assert_eq!(outcomes, [TestOutcome::Failed, TestOutcome::Passed]);
    assert_eq!(step.name(), Some("sh"));
    assert_eq!(step.command().unwrap(), "sh -c 'cat log; exit 101'");
    assert!(step.duration().is_some() && result.submission.client_info.duration().is_some());
}

#[test]
fn cargos_announcements_and_reports_belong_together_across_streams() {
    let world = World::new();
    let report = |name: &str| {
        format!(
            "\nrunning 1 test\ntest {name} ... ok\n\ntest result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; \
             0 filtered out; finished in 0.00s\n\n"
        )
    };
    world.file("out", report("same") + &report("same"));
    world.file(
        "err",
        "     Running unittests src/lib.rs (target/debug/deps/barn-0123456789abcdef)\n     \
         Running tests/it.rs (target/debug/deps/it-0123456789abcdef)\n",
    );
    // All of one stream comes before the other.
    world.run(&script("cat out; cat err >&2")).ends_with(0);
    let result = only_result(&world);
    let tests = result.submission.results_list[0].tests();
    assert_eq!(tests.len(), 2);
    assert_ne!(tests[0].id, tests[1].id, "tests of two binaries are two tests");
}

#[test]
fn tests_are_read_from_the_file_that_the_command_names() {
    let world = World::new();
    world.file("made.xml", JUNIT);
    world.file("tester", "#!/bin/sh\ncp made.xml out.xml\necho 4 tests, trust me\n");
    let run = ["run", "--repo", "r.git", "--package", "p", "sh", "tester", "--junitxml=out.xml"];
    world.run(&run).ends_with(0);
    let result = only_result(&world);
    assert_eq!(result.submission.tally().total, 4);
    // The status was 0, but two tests did not do what they should.
    assert!(!result.submission.client_info.success());
}

#[test]
fn markup_before_the_lines_of_the_runner_does_not_hide_them() {
    let world = World::new();
    world.file("log", CARGO);
    world
        .run(&script("echo '<html><p>hello</p></html>'; cat log; exit 101"))
        .ends_with(101)
        .complains("p: 1 passed, 1 failed; ");
}

#[test]
fn files_by_pattern_are_read_and_old_ones_are_not() {
    let world = World::new();
    world.file("reports/old/stale.xml", JUNIT);
    world.file("made.xml", JUNIT);
    let text = "mkdir -p reports/a/b && cp made.xml reports/a/b/new.xml";
    let junit = ["run", "--junit", "reports/**/*.xml", "--strict"];
    world.run(&[&junit, &script(text)[1..]].concat()).ends_with(0);
    assert_eq!(only_result(&world).submission.tally().total, 4);
}

#[test]
fn what_cannot_be_read_does_not_keep_a_run_from_being_stored() {
    let world = World::new();
    let junit = ["run", "--junit", "none.xml"];
    let wanted = "pony-report: warning: none.xml: the command wrote no such file";
    world.run(&[&junit, &script("echo hi")[1..]].concat()).ends_with(0).complains(wanted);
    assert_eq!(only_result(&world).submission.results_list[0].output(), Some("hi\n"));
    let strict = ["run", "--strict", "--junit", "none.xml"];
    world.run(&[&strict, &script("echo hi")[1..]].concat()).ends_with(66);
    world.run(&[&strict, &script("exit 9")[1..]].concat()).ends_with(9);
}

#[test]
fn a_run_whose_results_are_missing_is_no_success() {
    let world = World::new();
    world.file("broken.xml", "<testsuites>");
    let cases = [
        (
            "--junit=none.xml",
            "printf hm >&2",
            "hm\npony-report: none.xml: the command wrote no such",
        ),
        ("--junit=o.xml", "cp broken.xml o.xml", "pony-report: o.xml:1:"),
        ("--from=tap", "echo hello", "pony-report: what the command printed:"),
    ];
    for (option, text, said) in cases {
        world.run(&[&["run", option], &script(text)[1..]].concat()).ends_with(0);
        let last = results(&world.path("r.git"), "p").pop().unwrap();
        assert!(!last.submission.client_info.success(), "{option}");
        let step = &last.submission.results_list[0];
        assert_eq!(step.status(), StepStatus::Succeeded, "the command itself succeeded");
        assert!(step.errout().unwrap().starts_with(said), "{:?}", step.errout());
    }
}

#[test]
fn a_command_that_tests_nothing_is_stored_without_complaint() {
    let world = World::new();
    for text in ["echo '<html>'", "echo hello", "true", "echo running late >&2"] {
        let strict = ["run", "--strict"];
        world.run(&[&strict, &script(text)[1..]].concat()).ends_with(0).never_says("warning");
    }
    assert_eq!(results(&world.path("r.git"), "p").len(), 4);
}

#[test]
fn a_command_that_does_not_start_is_a_result_too() {
    let world = World::new();
    world.file("plain", "not a program");
    for (program, status) in [("no-such-program", 127), ("./plain", 126)] {
        world
            .run(&["run", "--repo", "r.git", "--package", "p", program])
            .ends_with(status)
            .complains(&format!("pony-report: error: cannot run {program}: "));
        let last = results(&world.path("r.git"), "p").pop().unwrap();
        let step = &last.submission.results_list[0];
        assert_eq!(step.status(), StepStatus::Failed(-1));
        assert!(!step.errout().unwrap().is_empty());
    }
}

#[test]
fn a_failed_delivery_fails_a_green_run_only_when_it_is_to_be_strict() {
    let world = World::new();
    let url = deserted();
    for (extra, text, status) in
        [(None, "exit 0", 0), (Some("--strict"), "exit 0", 75), (Some("--strict"), "exit 5", 5)]
    {
        let mut arguments = vec!["run", "--server", &url, "--package", "p"];
        arguments.extend(extra);
        arguments.extend(["--", "sh", "-c", text]);
        let outcome =
            world.run(&arguments).ends_with(status).complains("cannot reach the collector");
        assert_eq!(outcome.stderr().lines().count(), 1, "{outcome}");
    }
    assert_eq!(world.spooled("").len(), 3);
}

#[test]
fn the_checkout_and_the_ci_system_are_recorded() {
    let world = World::new();
    let git = |arguments: &[&str]| {
        let mut command = std::process::Command::new("git");
        command.args(["-c", "user.name=n", "-c", "user.email=e@example.org"]).args(arguments);
        command.current_dir(world.path("")).env("GIT_CONFIG_GLOBAL", "/dev/null");
        let output = command.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    world.file("tracked", "1");
    git(&["init", "-q", "-b", "trunk"]);
    git(&["add", "tracked"]);
    git(&["commit", "-q", "-m", "start"]);
    let commit = git(&["rev-parse", "HEAD"]);
    fs::write(world.path("tracked"), "2").unwrap();
    let mut command = world.pony(&script("true"));
    command.env("GITLAB_CI", "true").env("CI_JOB_URL", "https://ci.example/1");
    crate::world::Outcome::of(&mut command, None).ends_with(0);
    let result = only_result(&world);
    let bag = result.submission.client_info.bag();
    assert_eq!(bag.get("commit"), Some(&Value::from(commit)));
    assert_eq!(bag.get("branch"), Some(&Value::from("trunk")));
    assert_eq!(bag.get("dirty"), Some(&Value::from(true)));
    assert_eq!(bag.get("ci"), Some(&Value::from("gitlab")));
    assert_eq!(bag.get("ci_url"), Some(&Value::from("https://ci.example/1")));
}

#[test]
fn a_process_that_is_left_behind_does_not_hold_the_run_up() {
    let world = World::new();
    // The background process keeps both streams open until the file appears.
    let text = "(while [ ! -e stop ]; do sleep 0.1; done) & echo early";
    world.run(&script(text)).ends_with(0).printed("early\n");
    world.file("stop", "");
}

/// Lines that are longer together than what is kept of them.
const LINES: &str = "i=0; while [ $i -lt 500 ]; do echo line $i; i=$((i+1)); done";

fn all_lines() -> String {
    (0..500).map(|line| format!("line {line}\n")).collect()
}

/// What the files of the only result hold, by name.
pub(crate) fn files(world: &World) -> Vec<(String, String)> {
    let repo = world.path("r.git");
    let snapshot = Store::open(&repo).unwrap().snapshot().unwrap();
    let key = snapshot.results("p").unwrap()[0];
    let artifacts = snapshot.artifacts("p", key).unwrap().into_iter();
    let read = |artifact: pony_store::Artifact| {
        let path = Contents::of(&repo).path_of(&artifact.sha256);
        (artifact.filename, fs::read_to_string(path).unwrap())
    };
    artifacts.map(read).collect()
}

#[test]
fn output_that_is_too_long_keeps_both_ends_and_the_whole_is_a_file_beside_the_result() {
    let world = World::new();
    let text = format!("{LINES}; echo short >&2");
    let mut arguments = script(&text);
    arguments.splice(1..1, ["--max-output", "1K"]);
    world.run(&arguments).ends_with(0).printed(all_lines());
    let result = only_result(&world);
    let output = result.submission.results_list[0].output().unwrap();
    assert!(output.starts_with("line 0\nline 1\n") && output.ends_with("line 498\nline 499\n"));
    let left_out: usize = output
        .split("[pony left out ")
        .nth(1)
        .and_then(|rest| {
            rest.split_once(" bytes here; the whole is in the file steps-00-output.txt]")
        })
        .map(|(number, _)| number.parse().unwrap())
        .unwrap();
    let kept: usize =
        output.lines().filter(|line| line.starts_with("line")).map(|line| line.len() + 1).sum();
    assert_eq!(kept + left_out, all_lines().len());
    assert_eq!(result.submission.results_list[0].errout(), Some("short\n"));
    assert_eq!(files(&world), [("steps-00-output.txt".to_owned(), all_lines())]);
}

#[test]
fn a_whole_waits_in_the_spool_with_its_submission() {
    let world = World::new();
    let url = deserted();
    let text = format!("{LINES} >&2");
    let arguments =
        ["run", "--max-output", "1K", "--server", &url, "--package", "p", "--", "sh", "-c", &text];
    world.run(&arguments).ends_with(0);
    let [entry] = &world.spooled("")[..] else { panic!("not one entry") };
    let beside = entry.with_extension("files");
    assert_eq!(fs::read_to_string(beside.join("steps-00-errout.txt")).unwrap(), all_lines());
    world.run(&["retry", "--repo", "r.git"]).ends_with(0);
    assert_eq!(files(&world), [("steps-00-errout.txt".to_owned(), all_lines())]);
    assert!(!entry.exists() && !beside.exists());
}

#[test]
fn a_collector_that_takes_no_files_still_has_the_result() {
    let world = World::new();
    let collector =
        Collector::answering(&[stored("1795437220868123456"), answer("413 Payload Too Large", "")]);
    let url = collector.url.clone();
    let arguments =
        ["run", "--max-output", "1K", "--server", &url, "--package", "p", "--", "sh", "-c", LINES];
    world
        .run(&arguments)
        .ends_with(0)
        .complains("steps-00-output.txt is not stored beside the result: ");
    let requests = collector.requests();
    let upload = &requests[1];
    assert!(upload.starts_with("POST /upload?description="), "{upload}");
    assert!(
        upload.contains("filename=steps%2D00%2Doutput%2Etxt&auth_key=0123456789abcdef&visible=yes"),
        "{upload}"
    );
    assert!(upload.ends_with(&all_lines()), "all of it");
}

#[test]
fn a_whole_that_did_not_arrive_stays_in_the_spool_and_only_that_is_sent_again() {
    let world = World::new();
    let key = "1795437220868123456";
    let busy = answer("503 Service Unavailable\r\nRetry-After: 0", "");
    let text = format!("{LINES}; ({LINES}) >&2");
    // One file arrives at the second try; then the collector goes away.
    let collector = Collector::answering(&[stored(key), busy, answer("200 OK", "")]);
    let url = collector.url.clone();
    let arguments = ["run", "--max-output", "1K", "--strict", "--server", &url, "--package", "p"];
    world
        .run(&[&arguments[..], &["--", "sh", "-c", &text]].concat())
        .ends_with(75)
        .complains(&format!("result {key} is stored, but not yet its file steps-00-errout.txt: "))
        .complains("; kept for `pony-report retry` in ");
    let names = |requests: &[String]| -> Vec<String> {
        let name = |request: &String| request.split(['=', '&']).nth(3).unwrap_or("-").to_owned();
        requests.iter().map(name).collect()
    };
    let upload = |stream: &str| format!("steps%2D00%2D{stream}%2Etxt");
    let requests = collector.requests();
    assert_eq!(names(&requests[1..]), [upload("output"), upload("output")]);
    let [entry] = &world.spooled("")[..] else { panic!("not one entry") };
    let beside: Vec<_> = fs::read_dir(entry.with_extension("files")).unwrap().collect();
    assert_eq!(beside.len(), 1, "what has arrived is not kept");

    let collector = Collector::answering(&[stored(key), answer("200 OK", "")]);
    world.run(&["retry", "--server", &collector.url]).ends_with(0).mentions(key);
    let requests = collector.requests();
    assert_eq!(names(&requests[1..]), [upload("errout")]);
    assert!(requests[1].ends_with(&all_lines()), "all of it");
    assert!(!entry.exists() && !entry.with_extension("files").exists());
}

#[test]
fn a_log_that_is_submitted_later_has_its_whole_as_well() {
    let world = World::new();
    let log = format!("{}{CARGO}", all_lines());
    let arguments = ["submit", "--repo", "r.git", "--package", "p", "--max-output", "1K"];
    world.pipe(&log, &arguments).ends_with(0);
    assert_eq!(files(&world), [("steps-00-output.txt".to_owned(), log)]);
    assert_eq!(only_result(&world).submission.tally().total, 2);
}

#[test]
fn jobs_of_a_ci_system_are_one_build_line_whatever_their_machines_are_called() {
    let world = World::new();
    for host in ["fv-az1", "fv-az2"] {
        let mut command = world.pony(&script("true"));
        command.env_remove("PONY_HOST").envs([("GITHUB_ACTIONS", "true"), ("HOSTNAME", host)]);
        Outcome::of(&mut command, None).ends_with(0);
    }
    let mut command = world.pony(&script("true"));
    command.env("GITHUB_ACTIONS", "true");
    Outcome::of(&mut command, None).ends_with(0);
    let results = results(&world.path("r.git"), "p");
    let hosts: Vec<_> = results.iter().map(|one| one.submission.client_info.host()).collect();
    assert!(hosts[0].starts_with("github-") && hosts[0] == hosts[1], "{hosts:?}");
    assert_eq!(hosts[2], "shed", "PONY_HOST says it");
}

#[test]
fn github_shows_what_failed() {
    let world = World::new();
    world.file("log", CARGO);
    let on_github = |arguments: &[&str]| {
        let mut command = world.pony(arguments);
        command.env("GITHUB_ACTIONS", "true").env("GITHUB_STEP_SUMMARY", world.path("summary.md"));
        Outcome::of(&mut command, None)
    };
    let outcome = on_github(&script("cat log; exit 1")).ends_with(1).printed(CARGO);
    outcome.complains("::error ").complains("title=barn%3A%3Aburns");
    let summary = fs::read_to_string(world.path("summary.md")).unwrap();
    assert!(summary.starts_with("### FAILED: p: 1 passed, 1 failed\n"), "{summary}");
    assert!(summary.contains("<code>barn::burns</code>") && summary.contains("; result "));
    let off = ["run", "--no-github", "--server", &deserted(), "--package", "p", "--", "cat", "log"];
    on_github(&off).ends_with(0).never_says("::error");
    assert_eq!(fs::read_to_string(world.path("summary.md")).unwrap(), summary);
    on_github(&["submit", "--strict", "--server", &deserted(), "--package", "p", "log"])
        .ends_with(75);
    let summary = fs::read_to_string(world.path("summary.md")).unwrap();
    assert!(summary.contains("\nNot stored: cannot reach the collector at "), "{summary}");
}
