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
