//! Real test runners under `pony-report run`, which asks each for a report: what is stored is what the runner counts, and
//! what the person sees is what the runner prints.

use std::fs;
use std::path::Path;

use pony_formats::Tally;
use pony_store::Store;

use crate::programs::{command, not_checked, peer, run};

/// A runner, a small project for it, and how the runner sums it up.
struct Case {
    files: &'static [(&'static str, &'static str)],
    words: &'static [&'static str],
    says: &'static str,
    status: i32,
    /// Passed, failed, errored, skipped.
    counts: [u64; 4],
}

const PYTHON: &[(&str, &str)] = &[(
    "test_hay.py",
    "import unittest\n\
     class Hay(unittest.TestCase):\n\
     \x20   def test_stack(self): 'A stack is high'\n\
     \x20   def test_fork(self): self.assertEqual(3, 4)\n\
     \x20   @unittest.skip('no barn')\n\
     \x20   def test_barn(self): pass\n\
     \x20   def test_rake(self): raise OSError('gone')\n",
)];

const JAVASCRIPT: &str = "describe('hay', () => {\n\
    it('stacks', () => {})\n\
    it('forks', () => { throw new Error('no tines') })\n\
    describe('barn', () => { it.skip('opens', () => {}) })\n\
    })\n";

const PACKAGE: (&str, &str) = ("package.json", "{}");

/// Runs it as it is and under `pony-report`, and compares.
fn check(case: &Case, prepare: impl FnOnce(&Path)) {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for (name, text) in case.files {
        fs::write(folder.join(name), text).unwrap();
    }
    prepare(folder);
    let [program, arguments @ ..] = case.words else { panic!("no command") };
    let alone = run(command(program, folder).args(arguments), b"");
    let mut reported = command("pony-report", folder);
    reported.args(["run", "--quiet", "--repo", "results.git", "--package", "hay", "--"]);
    let under_us = run(reported.args(case.words), b"");
    let shown = String::from_utf8_lossy(&[under_us.stdout, under_us.stderr].concat()).into_owned();
    assert_eq!(alone.status.code(), Some(case.status), "{:?}\n{shown}", case.words);
    assert_eq!(under_us.status.code(), Some(case.status), "{shown}");
    assert!(shown.contains(case.says), "{shown}");
    let alone = String::from_utf8_lossy(&[alone.stdout, alone.stderr].concat()).into_owned();
    for line in alone.lines().filter(|line| !line.contains(|it: char| it.is_ascii_digit())) {
        assert!(shown.contains(line), "{line:?} is missing from\n{shown}");
    }
    let snapshot = Store::open(&folder.join("results.git")).unwrap().snapshot().unwrap();
    let key = snapshot.results("hay").unwrap()[0];
    let submission = snapshot.read("hay", key).unwrap().unwrap().submission;
    let step = &submission.results_list[0];
    let [passed, failed, errored, skipped] = case.counts;
    let total = case.counts.iter().sum();
    assert_eq!(step.tally(), Tally { total, passed, failed, errored, skipped }, "{shown}");
    assert_eq!(step.tests().len() as u64, total, "each has a name");
    let details = step.tests().iter().filter(|test| test.outcome.is_bad());
    assert!(details.into_iter().all(|test| test.evidence != Default::default()), "{step:?}");
    assert_eq!(step.command(), Some(case.words.join(" ")));
}

#[test]
fn python_runners() {
    let cases = [
        ("pytest", "2 failed, 1 passed, 1 skipped", [1, 2, 0, 1]),
        ("nose", "FAILED (SKIP=1, errors=1, failures=1)", [1, 1, 1, 1]),
        ("nose2", "FAILED (failures=1, errors=1, skipped=1)", [1, 1, 1, 1]),
    ];
    for (module, says, counts) in cases {
        if peer("python3", &["-c", &format!("import {module}")]).is_none() {
            continue;
        }
        let words: &'static [&'static str] = match module {
            "pytest" => &["python3", "-m", "pytest", "-p", "no:cacheprovider"],
            "nose" => &["python3", "-m", "nose"],
            _ => &["python3", "-m", "nose2"],
        };
        check(&Case { files: PYTHON, words, says, status: 1, counts }, |_| {});
    }
}

#[test]
fn ctest() {
    if peer("cmake", &["--version"]).is_none() {
        return;
    }
    let files = &[(
        "CTestTestfile.cmake",
        "add_test(stack true)\nadd_test(fork sh -c \"echo no tines; exit 1\")\nadd_test(barn true)\n\
         set_tests_properties(barn PROPERTIES DISABLED TRUE)\n",
    )];
    let says = "50% tests passed, 1 tests failed out of 2";
    let words = &["ctest", "--verbose"];
    check(&Case { files, words, says, status: 8, counts: [1, 1, 0, 1] }, |_| {});
}

#[test]
#[cfg(unix)]
fn javascript_runners() {
    let Some(modules) = std::env::var_os("PONY_NODE_MODULES") else {
        return not_checked("PONY_NODE_MODULES names no folder with jest, mocha and vitest");
    };
    let imports = "import { describe, it } from 'vitest'\n";
    let of_vitest: &'static str = Box::leak((imports.to_owned() + JAVASCRIPT).into_boxed_str());
    let files = |name, text| -> &'static [(&'static str, &'static str)] {
        Box::leak(Box::new([PACKAGE, (name, text)]))
    };
    let jest = Case {
        files: files("hay.test.js", JAVASCRIPT),
        words: &["node_modules/.bin/jest", "hay"],
        says: "Tests:       1 failed, 1 skipped, 1 passed, 3 total",
        status: 1,
        counts: [1, 1, 0, 1],
    };
    let mocha = Case {
        files: files("hay.spec.js", JAVASCRIPT),
        words: &["node_modules/.bin/mocha", "hay.spec.js"],
        says: "1 failing",
        ..jest
    };
    let vitest = Case {
        files: files("hay.test.js", of_vitest),
        words: &["node_modules/.bin/vitest", "run"],
        says: "1 failed | 1 passed | 1 skipped (3)",
        ..jest
    };
    for case in [&jest, &mocha, &vitest] {
        check(case, |folder| {
            std::os::unix::fs::symlink(&modules, folder.join("node_modules")).unwrap();
        });
    }
}

/// Variables with which a person says whether programs print colours.
const COLOUR_VARIABLES: [&str; 4] = ["NO_COLOR", "FORCE_COLOR", "PY_COLORS", "CARGO_TERM_COLOR"];

/// Runs a command under `pony-report` on a terminal, and returns what is shown.
#[cfg(unix)]
fn on_terminal(folder: &Path, words: &str, variable: Option<(&str, &str)>) -> String {
    let mut on_terminal = command("script", folder);
    let reported = format!("pony-report run --quiet --repo r.git --package p -- {words}");
    on_terminal.args(["--quiet", "--return", "--command", &reported, "typescript"]);
    for name in COLOUR_VARIABLES {
        on_terminal.env_remove(name);
    }
    on_terminal.envs(variable);
    String::from_utf8_lossy(&run(&mut on_terminal, b"").stdout).into_owned()
}

#[test]
#[cfg(unix)]
fn on_a_terminal_a_runner_keeps_its_colours_unless_somebody_says_otherwise() {
    use std::os::unix::fs::PermissionsExt as _;
    if peer("script", &["--version"]).is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for program in ["pytest", "cargo", "ctest", "jest"] {
        let path = folder.join(program);
        let named = COLOUR_VARIABLES.join("|");
        let script = format!("#!/bin/sh\necho \"told $*,\"; env | grep -E '^({named})='\n");
        fs::write(&path, script).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    for (words, variable, says) in [
        ("./pytest a", None, &["--color=yes"][..]),
        ("./jest a -- b", None, &["told a --color --rep", " -- b,"]),
        ("./cargo test", None, &["told test,", "CARGO_TERM_COLOR=always"]),
        ("./ctest", None, &["told --output-junit "]),
        ("./pytest --color=no", None, &["told --color=no --junit"]),
        ("./cargo test --color never", None, &["told test --color never,"]),
        ("./pytest a", Some(("NO_COLOR", "1")), &["told a --junit", "NO_COLOR=1"]),
        ("./cargo test", Some(("CARGO_TERM_COLOR", "never")), &["CARGO_TERM_COLOR=never"]),
        // What is not shown on the terminal has no colours.
        ("./cargo test 2>errors", None, &["told test,"]),
    ] {
        let shown = on_terminal(folder, words, variable);
        assert!(says.iter().all(|said| shown.contains(said)), "{words}: {shown}");
        let colours = says.iter().filter(|said| said.contains("COLOR")).count();
        assert_eq!(shown.matches("COLOR=").count(), colours, "{words}: {shown}");
    }
    fs::write(folder.join("pytest.ini"), "[pytest]\naddopts = --color=no\n").unwrap();
    assert!(on_terminal(folder, "./pytest a", None).contains("told a --junit"));
}

#[test]
fn tests_may_break_what_our_reporters_use() {
    let Some(modules) = std::env::var_os("PONY_NODE_MODULES") else {
        return not_checked("PONY_NODE_MODULES names no folder with jest, mocha and vitest");
    };
    let spec = "const fs = require('fs'), os = require('os'), path = require('path')\n\
        describe('hay', () => {\n\
        it('stacks', () => { fs.writeFileSync = () => { throw new Error('no disk') } })\n\
        it('moves', () => { const gone = fs.mkdtempSync(path.join(os.tmpdir(), 'gone'))\n\
        process.chdir(gone); fs.rmdirSync(gone) })\n\
        it('forks', () => {})\n})\n";
    let broken = "it('is odd', () => { const error = new Error('x')\n\
        Object.defineProperty(error, 'stack', { get() { if (new Error().stack.includes('reporter.cjs')) \
        throw new Error('no stack'); return 'x' } })\n\
        throw error })\n";
    for (text, total, status) in [(spec, 3, 0), (broken, 0, 1)] {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        #[cfg(unix)]
        std::os::unix::fs::symlink(&modules, folder.join("node_modules")).unwrap();
        fs::write(folder.join("package.json"), "{}").unwrap();
        fs::write(folder.join("hay.spec.js"), text).unwrap();
        let mut reported = command("pony-report", folder);
        reported.args(["run", "--repo", "results.git", "--package", "hay", "--"]);
        let output = run(reported.args(["node_modules/.bin/mocha", "hay.spec.js"]), b"");
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(status), "{output:?}");
        let complains = errors.contains("mocha did not write the report that it was asked for");
        assert_eq!(complains, total == 0, "{errors}");
        let snapshot = Store::open(&folder.join("results.git")).unwrap().snapshot().unwrap();
        let key = snapshot.results("hay").unwrap()[0];
        let submission = snapshot.read("hay", key).unwrap().unwrap().submission;
        assert_eq!(submission.tally().total, total, "{output:?}");
    }
}
