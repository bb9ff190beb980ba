//! The readers of text against real output with known tallies.

use std::collections::{BTreeMap, HashSet};

use pony_formats::{Format, Limits, Outcome, Report, detect, parse};

use crate::corpus::{self, Columns};

/// Rows that say something else than the text they are about: file, column, number in the text, why.
const MISTAKEN: [(&str, &str, u64, &str); 2] = [
    (
        "oddballs-0.1.0/test-failfast.txt",
        "passed",
        7,
        "adds up every `test result:` line, also one that a test printed: 3 too many for 16 tests",
    ),
    (
        "oddballs-0.1.0/test-nocapture-1thread.txt",
        "passed",
        15,
        "with one thread a test aborts before `c_passes` begins, which the text does not have",
    ),
];

#[test]
fn cargo_test_text_has_the_known_tallies() {
    check(&[Format::CargoTest]);
}

#[test]
fn python_text_has_the_known_tallies() {
    check(&[Format::PythonText, Format::PytestText]);
}

fn check(formats: &[Format]) {
    let Some(corpus) = corpus::folder() else { return };
    let mut checked: BTreeMap<String, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    for entry in corpus::entries(&corpus) {
        if !formats.contains(&entry.format) {
            continue;
        }
        let kind = format!("{}, {}", entry.format, entry.columns["expect"]);
        *checked.entry(kind).or_default() += 1;
        let columns = corrected(&entry.name, entry.columns);
        let input = std::fs::read(&entry.path).unwrap();
        if let Err(problem) = compare(&columns, entry.format, &input) {
            wrong.push(format!("{}: {problem}", entry.name));
        }
    }
    println!("text: {checked:?}, {} wrong", wrong.len());
    assert!(!checked.is_empty() && wrong.is_empty(), "{}", wrong.join("\n"));
}

fn corrected(name: &str, mut columns: Columns) -> Columns {
    for (_, column, number, why) in MISTAKEN.iter().filter(|mistake| mistake.0 == name) {
        println!("{name}: {column} {} is mistaken: {why}", columns[*column]);
        columns.insert((*column).to_owned(), number.to_string());
    }
    columns
}

fn compare(row: &Columns, format: Format, input: &[u8]) -> Result<(), String> {
    let report = match (parse(format, input, &Limits::DEFAULT), row["expect"].as_str()) {
        (Err(_), "error") => return Ok(()),
        (Ok(report), "error") => {
            let tally = report.tally();
            let says_so = tally.errored > 0 && tally.passed == 0;
            return says_so.then_some(()).ok_or(format!("not an error: {tally:?}"));
        }
        (Err(error), _) => return Err(error.to_string()),
        (Ok(report), _) => report,
    };
    if detect(input) != Some(format) {
        return Err(format!("detected as {:?}", detect(input)));
    }
    let found = found(row, &report);
    for (column, &number) in &found {
        let expected = row.get(*column).and_then(|text| text.parse().ok());
        if expected.is_some_and(|expected: u64| expected != number) {
            return Err(format!("{column}: expected {expected:?}, found {found:?}"));
        }
    }
    let is_incomplete = row["notes"].contains("must not count as complete");
    let errored = report.tally().errored;
    if row.contains_key("crate") && (errored > 0) != is_incomplete {
        return Err(format!("{errored} errored, complete: {}", !is_incomplete));
    }
    Ok(())
}

/// What a report says in the terms of the manifest.
fn found(row: &Columns, report: &Report) -> BTreeMap<&'static str, u64> {
    let mut tally = report.tally();
    if report.format == Format::PytestText {
        // The manifest counts each test once, by its first outcome.
        let mut seen = HashSet::new();
        for test in report.tests.iter().filter(|test| !seen.insert(test.id.as_str())) {
            tally.total -= 1;
            match test.outcome {
                Outcome::Errored => tally.errored -= 1,
                Outcome::Failed => tally.failed -= 1,
                other => panic!("{}: {other:?} twice", test.id),
            }
        }
    }
    // Neither is in the columns; both are in the notes.
    let noted = |what: &str| -> u64 {
        let after = row["notes"].split(what).skip(1).last();
        let digits = after.map(|text| text.trim_start().split(|c: char| !c.is_ascii_digit()));
        digits.and_then(|mut words| words.next()?.parse().ok()).unwrap_or(0)
    };
    let expected_failures = noted("expected failures").max(noted("xfailed"));
    tally.skipped -= expected_failures;
    tally.failed -= noted("unexpected successes");
    tally.total -= expected_failures;
    let mut found = BTreeMap::from([
        ("passed", tally.passed),
        ("failed", tally.failed),
        ("ignored", tally.skipped),
        ("skipped", tally.skipped),
        ("errored", tally.errored),
    ]);
    if !row["notes"].contains("DISPUTED") {
        found.insert("total", tally.total);
    }
    found
}
