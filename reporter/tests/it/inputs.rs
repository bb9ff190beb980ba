//! `submit`, the plain pipe, `convert`, and what they refuse.

use pony_formats::{StepStatus, Tally};

use crate::world::{World, results};

pub(crate) const JUNIT: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<testsuites><testsuite name="hay" tests="4" failures="1" errors="1" skipped="1">
  <testcase classname="hay.loft" name="test_up" time="0.25"/>
  <testcase classname="hay.loft" name="test_down" time="0.5"><failure message="fell" type="Fall">thud</failure></testcase>
  <testcase classname="hay.loft" name="test_ladder"><error message="gone" type="OSError">no ladder</error></testcase>
  <testcase classname="hay.loft" name="test_snow"><skipped message="summer"/></testcase>
</testsuite></testsuites>
"#;

pub(crate) const CARGO: &str = "
running 2 tests
test barn::stands ... ok
test barn::burns ... FAILED

failures:

---- barn::burns stdout ----
thread 'barn::burns' panicked at src/barn.rs:3:5:
hot

failures:
    barn::burns

test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s

";

#[test]
fn a_file_becomes_a_result_that_can_be_read_back() {
    let world = World::new();
    world.file("out.xml", JUNIT);
    world
        .run(&[
            "submit",
            "--repo",
            "r.git",
            "--package",
            "hayloft",
            "--tag",
            "b",
            "--tag",
            "a",
            "out.xml",
        ])
        .ends_with(0)
        .mentions("hayloft: 1 passed, 1 failed, 1 errored, 1 skipped; result ")
        .mentions(&world.path("r.git").display().to_string());
    let [result] = &results(&world.path("r.git"), "hayloft")[..] else { panic!("not one result") };
    let info = &result.submission.client_info;
    assert_eq!((info.host(), info.success()), ("shed", false));
    assert_eq!(info.tags().collect::<Vec<_>>(), ["a", "b"]);
    let [step] = &result.submission.results_list[..] else { panic!("not one step") };
    assert_eq!((step.kind(), step.name()), (Some("test"), Some("out.xml")));
    assert_eq!(step.status(), StepStatus::Failed(1));
    assert_eq!(step.tally(), Tally { total: 4, passed: 1, failed: 1, errored: 1, skipped: 1 });
    assert!(world.spooled("").is_empty());
}

#[test]
fn the_plain_pipe_submits_to_the_repository_of_the_person() {
    let world = World::new();
    world
        .pipe(CARGO, &["--package", "barn"])
        .ends_with(0)
        .mentions("barn: 1 passed, 1 failed; result ")
        .mentions(&world.default_repository().display().to_string());
    let [result] = &results(&world.default_repository(), "barn")[..] else { panic!() };
    assert_eq!(result.submission.results_list[0].output(), Some(CARGO));
}

#[test]
fn several_inputs_are_the_steps_of_one_submission() {
    let world = World::new();
    world.file("out.xml", JUNIT);
    world
        .pipe(CARGO, &["submit", "--repo", "r.git", "--package", "p", "-", "out.xml"])
        .ends_with(0);
    let [result] = &results(&world.path("r.git"), "p")[..] else { panic!("not one result") };
    let names: Vec<_> = result.submission.results_list.iter().map(|step| step.name()).collect();
    assert_eq!(names, [Some("tests"), Some("out.xml")]);
    assert_eq!(result.submission.tally().total, 6);
}

#[test]
fn names_come_from_flags_then_the_environment_then_the_project() {
    let world = World::new();
    world.file("out.xml", JUNIT);
    world.file("pyproject.toml", "[project]\nname = \"snake\"\n");
    let submit = ["submit", "--repo", "r.git", "out.xml"];
    world.run(&submit).ends_with(0).mentions("snake: ");
    let from = |arguments: &[&str]| {
        let mut command = world.pony(arguments);
        command.env("PONY_PACKAGE", "named").env("PONY_TAGS", "x, y").env("PONY_HOST", "");
        crate::world::Outcome::of(&mut command, None)
    };
    from(&submit).ends_with(0).mentions("named: ");
    from(&[&submit[..], &["--package", "flagged"]].concat()).ends_with(0).mentions("flagged: ");
    let [result] = &results(&world.path("r.git"), "named")[..] else { panic!("not one result") };
    assert_eq!(result.submission.client_info.tags().collect::<Vec<_>>(), ["x", "y"]);
    assert_ne!(result.submission.client_info.host(), "");
    let manifests = [
        ("[package]\nname = \"crab\"\nversion = \"1.0.0\"\n[lib]\npath = \"l.rs\"\n", "crab: "),
        ("[workspace]\n", "work: "),
        ("[workspace]\n[workspace.metadata.pony]\npackage = \"zoo\"\n", "zoo: "),
    ];
    for (manifest, named) in manifests {
        world.file("Cargo.toml", manifest);
        let mut command = world.pony(&submit);
        // The cargo that runs this test needs no home of its own.
        command.env("CARGO", std::env::var_os("CARGO").unwrap());
        crate::world::Outcome::of(&mut command, None).ends_with(0).mentions(named);
    }
}

#[test]
fn a_detected_name_is_cut_and_a_given_one_is_refused_by_its_flag() {
    let world = World::new();
    world.file("out.xml", JUNIT);
    let long = "é".repeat(110);
    world.file("pyproject.toml", format!("[project]\nname = \"{long}\"\n"));
    let cut = "é".repeat(100);
    world.run(&["submit", "--repo", "r.git", "out.xml"]).ends_with(0).mentions(&format!("{cut}: "));
    for flag in ["--package", "--host", "--arch", "--tag"] {
        for name in [&long[..], ""] {
            world
                .run(&["submit", "--repo", "r.git", flag, name, "out.xml"])
                .ends_with(64)
                .complains(&format!("pony-report: error: {flag}: "));
        }
    }
    let mut command = world.pony(&["submit", "--repo", "r.git", "out.xml"]);
    command.env("PONY_TAGS", &long);
    crate::world::Outcome::of(&mut command, None).ends_with(64).complains("error: PONY_TAGS: ");
}

#[test]
fn quiet_says_nothing() {
    let world = World::new();
    world.file("out.xml", JUNIT);
    let outcome =
        world.run(&["submit", "-q", "--repo", "r.git", "out.xml"]).ends_with(0).printed("");
    assert!(outcome.stderr_bytes().is_empty(), "{outcome}");
}

#[test]
fn a_tally_is_one_line_per_input() {
    let world = World::new();
    world.file("a.xml", JUNIT);
    world.file("b.txt", CARGO);
    world.run(&["convert", "--to", "tally", "a.xml", "b.txt"]).ends_with(0).printed(concat!(
        r#"{"file":"a.xml","format":"junit","total":4,"passed":1,"failed":1,"errored":1,"skipped":1}"#,
        "\n",
        r#"{"file":"b.txt","format":"cargo-test","total":2,"passed":1,"failed":1,"errored":0,"skipped":0}"#,
        "\n",
    ));
}

#[test]
fn a_broken_input_does_not_keep_the_others_from_being_counted() {
    let world = World::new();
    world.file("bad.xml", &JUNIT[..200]);
    world.file("good.xml", JUNIT);
    world
        .run(&["convert", "--to", "tally", "bad.xml", "gone.xml", "good.xml"])
        .ends_with(65)
        .mentions(r#""file":"good.xml""#)
        .complains("pony-report: error: bad.xml:")
        .complains("pony-report: error: cannot read gone.xml: ");
}

#[test]
fn a_results_list_is_canonical_json() {
    let world = World::new();
    let outcome = world.pipe(CARGO, &["convert"]).ends_with(0);
    let steps = pony_formats::json::from_text(outcome.stdout().as_bytes()).unwrap();
    assert_eq!(pony_formats::json::to_text(&steps), outcome.stdout(), "{outcome}");
    let step = steps.as_array().unwrap()[0].as_struct().unwrap().clone();
    assert_eq!(pony_formats::Step::from_bag(step).tally().failed, 1, "{outcome}");
}

#[test]
fn what_is_written_reads_back_as_what_it_was_made_of() {
    let world = World::new();
    for format in ["junit", "ctrf"] {
        let made = world.pipe(CARGO, &["convert", "--to", format]).ends_with(0);
        world.file(&format!("made.{format}"), made.stdout());
    }
    let [from_text, from_junit, from_ctrf] = ["-", "made.junit", "made.ctrf"].map(|input| {
        let list = world.pipe(CARGO, &["convert", input]).ends_with(0).stdout();
        let steps = pony_formats::json::from_text(list.as_bytes()).unwrap();
        let step = steps.as_array().unwrap()[0].as_struct().unwrap().clone();
        let tests = pony_formats::Step::from_bag(step).tests().to_vec();
        tests.into_iter().map(|test| (test.id, test.outcome)).collect::<Vec<_>>()
    });
    assert_eq!(from_text, from_junit);
    assert_eq!(from_text, from_ctrf);
    assert_eq!(from_text.len(), 2);
}

#[test]
fn tests_without_names_are_counted_and_missed_in_junit() {
    let world = World::new();
    let dots = "...\n----------------------------------------------------------------------\n\
                Ran 3 tests in 0.001s\n\nOK\n";
    world
        .pipe(dots, &["convert", "--to", "tally"])
        .ends_with(0)
        .mentions(r#""total":3,"passed":3"#);
    world.pipe(dots, &["convert", "--to", "junit"]).ends_with(0).complains("3 tests have no name");
}

#[test]
fn broken_inputs_are_refused_by_line_and_nothing_is_stored() {
    let world = World::new();
    world.file("good.xml", JUNIT);
    world.file("cut.xml", &JUNIT[..JUNIT.len() - 30]);
    world.file("page.xml", "<!DOCTYPE html>\n<html><body>502 Bad Gateway</body></html>");
    world.file("empty.xml", "");
    world.file("poem.txt", "no test in sight\n");
    for (name, place) in
        [("cut.xml", ":6:"), ("page.xml", ":1:"), ("empty.xml", ":1:1: "), ("poem.txt", ":1:1: ")]
    {
        world
            .run(&["submit", "--repo", "r.git", "--package", "p", "good.xml", name])
            .ends_with(65)
            .printed("")
            .complains(&format!("pony-report: error: {name}{place}"))
            .complains("expected");
    }
    assert!(!world.path("r.git").exists());
    assert!(world.spooled("").is_empty());
}

#[test]
fn an_input_over_the_limit_is_refused_with_the_name_of_the_limit() {
    let world = World::new();
    world.file("out.xml", JUNIT);
    for from in ["out.xml", "-"] {
        world
            .pipe(JUNIT, &["convert", "--max-size", "100", from])
            .ends_with(65)
            .complains("over the limit of 100 bytes")
            .complains("--max-size");
    }
    let exactly = JUNIT.len().to_string();
    world.run(&["convert", "--max-size", &exactly, "out.xml"]).ends_with(0);
}

#[test]
fn a_project_that_is_none_is_no_reason_to_guess() {
    let world = World::new();
    world.file("log", CARGO);
    for verb in ["submit", "validate", "convert"] {
        let mut arguments = vec![verb, "--manifest-path", "nowhere/Cargo.toml", "log"];
        if verb == "submit" {
            arguments.extend(["--repo", "r.git"]);
        }
        if verb == "convert" {
            arguments.extend(["--to", "ctrf"]);
        }
        world.run(&arguments).ends_with(78).complains("pony-report: error: no cargo project: ");
    }
    assert!(!world.path("r.git").exists());
}

#[test]
fn usage_errors_end_with_64() {
    let world = World::new();
    let wrong: [&[&str]; 11] = [
        &["frobnicate"],
        &["submit", "--frobnicate"],
        &["submit", "--repo", "r", "--server", "http://h/", "x"],
        &["submit", "--server", "h:8000", "x"],
        &["submit", "--server", "http://127.0.0.1:99999/", "x"],
        &["submit", "--from", "semaphore", "x"],
        &["convert", "--to", "yaml", "x"],
        &["run"],
        &["ci", "--from", "tap"],
        &["submit", "--package", "", "x"],
        &["submit", "--max-size", "lots", "x"],
    ];
    for arguments in wrong {
        world.run(arguments).ends_with(64).printed("");
    }
    let mut both = world.pony(&["submit", "x"]);
    both.env("PONY_SERVER", "http://h/").env("PONY_REPO", "r");
    crate::world::Outcome::of(&mut both, None).ends_with(64).complains("both set");
}

#[test]
fn help_and_version_are_on_standard_output() {
    let world = World::new();
    world.run(&["--version"]).ends_with(0).mentions("pony-report ");
    world.run(&["--help"]).ends_with(0).mentions("Exit status").mentions("Examples:");
    let help = world.run(&["--help"]).stdout();
    let (_, verbs) = help.split_once("Commands:\n").unwrap();
    let verbs: Vec<_> = verbs.lines().map_while(|line| line.split_whitespace().next()).collect();
    assert!(verbs.contains(&"ci") && verbs.contains(&"retry"), "{verbs:?}");
    for verb in verbs.into_iter().filter(|verb| *verb != "help") {
        world.run(&[verb, "--help"]).ends_with(0).mentions("Usage: pony-report");
    }
}

#[test]
fn nothing_but_detection_needs_other_programs() {
    let world = World::new();
    world.file("out.xml", JUNIT);
    world.file("Cargo.toml", "[package]\nname = \"crab\"\nversion = \"1.0.0\"\n");
    let mut command = world.pony(&["submit", "--repo", "r.git", "out.xml"]);
    command.env("PATH", "/nonexistent");
    crate::world::Outcome::of(&mut command, None)
        .ends_with(0)
        .mentions("work: ")
        .never_says("panic");
    assert_eq!(results(&world.path("r.git"), "work").len(), 1);
}

#[test]
fn control_characters_in_names_never_reach_the_terminal() {
    let world = World::new();
    let name = "e\u{1b}[31mvil\u{202e}.xml";
    let outcome =
        world.run(&["submit", "--repo", "r.git", name]).ends_with(66).never_says("\u{1b}");
    outcome.never_says("\u{202e}").complains("e\\u{1b}[31mvil\\u{202e}.xml");
    world.run(&[name]).ends_with(64).never_says("\u{1b}").never_says("\u{202e}");
}

#[test]
#[cfg(unix)]
fn a_reader_that_goes_away_is_no_error() {
    let world = World::new();
    world.file("out.xml", JUNIT);
    let (read_end, write_end) = std::io::pipe().unwrap();
    drop(read_end);
    let mut command = world.pony(&["convert", "out.xml"]);
    let child = command.stdout(write_end).stderr(std::process::Stdio::piped()).spawn().unwrap();
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && stderr.is_empty(), "{}: {stderr}", output.status);
}
