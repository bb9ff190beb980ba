//! The readers of text against real output with known tallies, where such a collection is at hand.
//!
//! The folder comes from `PONY_CORPUS`, otherwise it is `../shared/corpus` beside the workspace. It
//! has `cargo/MANIFEST.tsv` and `python/MANIFEST.tsv`, whose rows name a file and what is in it.
//! Without it there is nothing to check, and the test says so.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use pony_formats::{Format, Limits, Outcome, Report, detect, parse};

/// One row of a manifest, by column name.
type Row = BTreeMap<String, String>;

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
    check("cargo", "crate", |row| {
        let file = &row["file"];
        (file.starts_with("test") && file.ends_with(".txt")).then_some(Format::CargoTest)
    });
}

#[test]
fn python_text_has_the_known_tallies() {
    check("python", "package", |row| match row["file"].as_str() {
        file if !file.ends_with(".txt") => None,
        file if file.starts_with("pytest") => Some(Format::PytestText),
        _ => Some(Format::PythonText),
    });
}

fn check(part: &str, folder: &str, format_of: impl Fn(&Row) -> Option<Format>) {
    let Some(corpus) = corpus() else {
        println!("no corpus at hand: {part} text not checked");
        return;
    };
    let part = corpus.join(part);
    let mut checked: BTreeMap<String, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    for row in rows(&part.join("MANIFEST.tsv")) {
        let Some(format) = format_of(&row) else {
            *checked.entry("left to other readers".to_owned()).or_default() += 1;
            continue;
        };
        *checked.entry(format!("{format}, {}", row["expect"])).or_default() += 1;
        let row = corrected(row, folder);
        let input = fs::read(part.join(&row[folder]).join(&row["file"])).unwrap();
        if let Err(problem) = compare(&row, format, &input) {
            wrong.push(format!("{}/{}: {problem}", row[folder], row["file"]));
        }
    }
    println!("{}: {checked:?}", part.display());
    assert!(wrong.is_empty(), "{} rows differ:\n{}", wrong.len(), wrong.join("\n"));
}

fn corrected(mut row: Row, folder: &str) -> Row {
    let name = format!("{}/{}", row[folder], row["file"]);
    for (_, column, number, why) in MISTAKEN.iter().filter(|mistake| mistake.0 == name) {
        println!("{name}: {column} {} is mistaken: {why}", row[*column]);
        row.insert((*column).to_owned(), number.to_string());
    }
    row
}

fn compare(row: &Row, format: Format, input: &[u8]) -> Result<(), String> {
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
fn found(row: &Row, report: &Report) -> BTreeMap<&'static str, u64> {
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

fn corpus() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus");
    let folder = std::env::var_os("PONY_CORPUS").map_or_else(beside, PathBuf::from);
    folder.is_dir().then_some(folder)
}

fn rows(manifest: &Path) -> Vec<Row> {
    let text = fs::read_to_string(manifest).unwrap();
    let mut lines = text.lines().map(|line| line.split('\t'));
    let names: Vec<&str> = lines.next().unwrap().collect();
    lines
        .map(|cells| {
            let cells = cells.map(str::to_owned).chain(std::iter::repeat(String::new()));
            names.iter().map(|name| (*name).to_owned()).zip(cells).collect()
        })
        .collect()
}
