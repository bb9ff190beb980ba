//! What was captured for whole suites, as surefire and nose write it, is kept with the step.

use pony_formats::{Step, TestResult};
use pony_store::{Contents, Store};

use crate::world::{World, results};

/// A file of surefire: what the tests printed stands beside them.
const LOFT: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuite name="hay.LoftTest" tests="1" failures="0">
  <properties><property name="java.version" value="21"/></properties>
  <testcase classname="hay.LoftTest" name="up" time="0.25"/>
  <system-out><![CDATA[climbing <up>
]]></system-out>
  <system-err>creak</system-err>
</testsuite>
"#;

const BARN: &str = "<testsuites><testsuite name='hay.BarnTest'><testcase name='open'/>\
    <system-out>moo</system-out></testsuite><testsuite name='hay.DoorTest'>\
    <testcase name='shut'/><system-out>slam\n</system-out></testsuite></testsuites>";

fn only_step(world: &World) -> Step {
    let mut results = results(&world.path("r.git"), "p");
    assert_eq!(results.len(), 1);
    let TestResult { submission, .. } = results.remove(0);
    let [step] = &submission.results_list[..] else { panic!("not one step") };
    step.clone()
}

#[test]
fn a_submitted_file_has_it_as_the_output_of_its_step() {
    let world = World::new();
    world.file("TEST-hay.LoftTest.xml", LOFT);
    let submit = ["submit", "--repo", "r.git", "--package", "p", "TEST-hay.LoftTest.xml"];
    world.run(&submit).ends_with(0);
    let step = only_step(&world);
    assert_eq!((step.output(), step.errout()), (Some("climbing <up>\n"), Some("creak")));
    assert_eq!(step.tally().passed, 1);
}

#[test]
fn several_suites_are_told_apart() {
    let world = World::new();
    world.file("barn.xml", BARN);
    world.run(&["submit", "--repo", "r.git", "--package", "p", "barn.xml"]).ends_with(0);
    let step = only_step(&world);
    let output = "[pony: captured for the suite `hay.BarnTest`]\nmoo\n\
                  [pony: captured for the suite `hay.DoorTest`]\nslam\n";
    assert_eq!((step.output(), step.errout()), (Some(output), None));
}

#[test]
#[cfg(unix)]
fn a_run_has_it_behind_what_the_command_printed() {
    let world = World::new();
    world.file("made.xml", LOFT);
    let script = "printf 'one test'; cp made.xml out.xml";
    let run = ["run", "--repo", "r.git", "--package", "p", "--junit", "out.xml", "--"];
    world.run(&[&run[..], &["sh", "-c", script]].concat()).ends_with(0).printed("one test");
    let step = only_step(&world);
    let output = "one test\n[pony: captured for the suite `hay.LoftTest`]\nclimbing <up>\n";
    assert_eq!((step.output(), step.errout()), (Some(output), Some("creak")));
}

#[test]
fn a_converted_file_has_it_still_and_reads_back_as_the_same() {
    let world = World::new();
    world.file("loft.xml", LOFT);
    world.file("barn.xml", BARN);
    let inputs = ["convert", "--to", "junit", "loft.xml", "barn.xml"];
    let first = world.run(&inputs).ends_with(0).stdout();
    for kept in [
        r#"<property name="java.version" value="21"/>"#,
        "<system-out>climbing &lt;up&gt;\n</system-out>",
        "<system-err>creak</system-err>",
        "<system-out>moo</system-out>",
    ] {
        assert!(first.contains(kept), "{kept} is not in\n{first}");
    }
    let written = world.file("first.xml", &first);
    let list = world.run(&["convert", written.to_str().unwrap()]).ends_with(0).stdout();
    for kept in ["hay.LoftTest", "climbing <up>", "creak", "hay.BarnTest", "moo", "slam"] {
        assert!(list.contains(kept), "{kept} is not in\n{list}");
    }
}

#[test]
fn a_great_deal_of_it_is_cut_in_the_middle_and_says_so() {
    let world = World::new();
    let long = "all work and no play\n".repeat(250_000);
    let suite = format!("<testsuite name='s'><system-out>{long}</system-out></testsuite>");
    world.file("long.xml", suite);
    world.run(&["submit", "--repo", "r.git", "--package", "p", "long.xml"]).ends_with(0);
    let output = only_step(&world).output().unwrap().to_owned();
    assert!(output.len() < 5 << 20, "{} bytes", output.len());
    assert!(
        output.contains("bytes here; the whole is in the file steps-00-output.txt]"),
        "nothing says where the rest is"
    );
    assert_eq!(only_file(&world), ("steps-00-output.txt".to_owned(), long));
}

#[test]
#[cfg(unix)]
fn what_was_printed_and_captured_is_shortened_once() {
    let world = World::new();
    let long = "all work and no play\n".repeat(100);
    world.file("printed", &long);
    let suite = format!("<testsuite name='s'><system-out>{long}</system-out></testsuite>");
    world.file("made.xml", suite);
    let run = ["run", "--repo", "r.git", "--package", "p", "--max-output", "1000", "--junit"];
    let command = ["out.xml", "--", "sh", "-c", "cat printed; cp made.xml out.xml"];
    world.run(&[&run[..], &command].concat()).ends_with(0).printed(&long);
    let step = only_step(&world);
    let output = step.output().unwrap();
    assert_eq!(output.matches("[pony left out ").count(), 1, "{output}");
    let whole = format!("{long}[pony: captured for the suite `s`]\n{long}");
    let kept = output.lines().filter(|line| line.starts_with("all")).count() * 21;
    assert_eq!(step.left_out("output"), Some((whole.len() - kept) as u64));
    assert_eq!(only_file(&world), ("steps-00-output.txt".to_owned(), whole));
}

/// The name and the content of the only file beside the only result.
fn only_file(world: &World) -> (String, String) {
    let repo = world.path("r.git");
    let snapshot = Store::open(&repo).unwrap().snapshot().unwrap();
    let key = snapshot.results("p").unwrap()[0];
    let [artifact] = &snapshot.artifacts("p", key).unwrap()[..] else { panic!("not one file") };
    let path = Contents::of(&repo).path_of(&artifact.sha256);
    (artifact.filename.clone(), std::fs::read_to_string(path).unwrap())
}
