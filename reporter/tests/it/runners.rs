//! Runners that are asked for a report in a file, here by programs that have their names. `tests/it/runners.rs` of the
//! whole project has real ones.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use pony_formats::Step;

use crate::inputs::{CARGO, JUNIT};
use crate::world::{Outcome, World, results};

/// A program with this name that says what it is told, and runs a script with the path after `--junit-xml=` as `$file`.
fn runner(world: &World, name: &str, script: &str) {
    let text = format!(
        "#!/bin/sh\nfor word; do case \"$word\" in --junit-xml=*) file=\"${{word#*=}}\";; esac; done\n\
         echo \"told $*\" | sed \"s:${{file:-nothing}}:FILE:\"\n{script}\n"
    );
    let path = world.file(&format!("bin/{name}"), text);
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

fn only_step(world: &World) -> Step {
    let mut results = results(&world.path("r.git"), "p");
    assert_eq!(results.len(), 1);
    results.remove(0).submission.results_list.remove(0)
}

const RUN: [&str; 7] = ["run", "--repo", "r.git", "--package", "p", "--", "bin/pytest"];

#[test]
fn a_runner_is_asked_for_a_report_and_the_person_sees_and_stores_what_they_typed() {
    let world = World::new();
    world.file("made.xml", JUNIT);
    runner(&world, "pytest", "cp made.xml \"$file\"; exit 1");
    let shown = "told -q --junit-xml=FILE\n";
    world.run(&[&RUN[..], &["-q"]].concat()).ends_with(1).printed(shown);
    let step = only_step(&world);
    assert_eq!(step.command().as_deref(), Some("bin/pytest -q"));
    assert_eq!(step.output(), Some(shown));
    assert!(step.tally().total > 0 && step.tests().iter().any(|test| test.duration.is_some()));
    assert!(step.bag().contains_key("peak_memory"));
}

#[test]
fn what_a_runner_prints_is_read_when_it_writes_no_report_or_a_broken_one() {
    for script in ["cat log", ": > \"$file\"; cat log", "echo '<testsuite' > \"$file\"; cat log"] {
        let world = World::new();
        world.file("log", CARGO);
        runner(&world, "pytest", script);
        let outcome = world.run(&RUN).ends_with(0);
        let is_written = script.contains("<testsuite");
        let complaint = "warning: bin/pytest did not write the report that it was asked for";
        assert_eq!(!is_written, outcome.stderr().contains(complaint), "{outcome}");
        assert_eq!(only_step(&world).tally().total, 2, "{script}");
    }
}

#[test]
fn nothing_is_asked_where_a_report_or_a_format_is_named() {
    let world = World::new();
    runner(&world, "pytest", "");
    let named = [&RUN[..], &["--junit-xml=out.xml"]].concat();
    world.run(&named).printed("told --junit-xml=FILE\n");
    let mut told = RUN.to_vec();
    told.splice(1..1, ["--junit", "out.xml"]);
    world.run(&told).printed("told \n");
    let mut told = RUN.to_vec();
    told.splice(1..1, ["--from", "pytest"]);
    world.run(&told).printed("told \n");
    let mut told = RUN.to_vec();
    told.insert(1, "--as-is");
    world.run(&told).printed("told \n");
}

#[test]
fn a_report_that_the_person_has_configured_is_theirs() {
    let addopts = "addopts = -q --junitxml=out.xml\n";
    for (runner_name, file, text) in [
        ("pytest", "pytest.ini", "[pytest]\naddopts = --junit-xml out.xml\n"),
        ("pytest", "../pyproject.toml", addopts),
        ("pytest", "tests/tox.ini", addopts),
        ("nosetests", "setup.cfg", "[nosetests]\nwith-xunit=1\n"),
        ("nosetests", "../.noserc", "[nosetests]\nwith-xunit=1\n"),
        ("nose2", "unittest.cfg", "[junit-xml]\nalways-on = True\n"),
        ("vitest", "vite.config.cts", "export default { test: { reporters: 'junit' } }"),
        ("jest", "jest.config.cts", "export default { reporters: ['jest-junit'] }"),
        ("mocha", ".mocharc.cjs", "module.exports = { reporter: 'dot' }"),
    ] {
        let world = World::new();
        runner(&world, runner_name, "");
        let program = format!("bin/{runner_name}");
        let mut run = RUN.to_vec();
        run[6] = &program;
        run.push("tests");
        world.file("tests/x", "");
        world.file(file, "something else");
        assert_ne!(world.run(&run).stdout(), "told tests\n", "{runner_name}");
        world.file(file, text);
        world.run(&run).printed("told tests\n");
    }
    let world = World::new();
    for (name, variable, value) in
        [("pytest", "PYTEST_ADDOPTS", "--junitxml=out.xml"), ("nosetests", "NOSE_WITH_XUNIT", "1")]
    {
        runner(&world, name, "");
        let program = format!("bin/{name}");
        let mut run = RUN.to_vec();
        run[6] = &program;
        Outcome::of(world.pony(&run).env(variable, value), None).printed("told \n");
    }
}

#[test]
fn reports_that_a_runner_writes_by_itself_are_found() {
    let world = World::new();
    world.file("made.xml", JUNIT);
    world.file("old/target/surefire-reports/TEST-old.xml", JUNIT);
    let folder = "core/target/surefire-reports";
    runner(&world, "mvn", &format!("mkdir -p {folder}; cp made.xml {folder}/TEST-new.xml"));
    let mut run = RUN;
    run[6] = "bin/mvn";
    world.run(&[&run[..], &["verify"]].concat()).ends_with(0).printed("told verify\n");
    let of_one = world.run(&["convert", "--to", "tally", "made.xml"]).stdout();
    assert!(of_one.contains(&format!("\"total\":{}", only_step(&world).tally().total)), "{of_one}");
}
