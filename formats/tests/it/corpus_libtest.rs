//! The readers of libtest JSON and of nextest's text against real output with known tallies.
//!
//! A manifest counts a crash or a time-out as a failure, as nextest does. It counts only tests that
//! finished, and names those that did not in its notes.

use std::collections::BTreeSet;

use pony_formats::{Format, Limits, Outcome, Report, detect, parse};

use crate::corpus::{self, Columns, Expectation};

#[test]
fn libtest_json_has_the_known_tallies() {
    check(Format::LibtestJson);
}

#[test]
fn nextest_text_has_the_known_tallies() {
    check(Format::NextestText);
}

fn check(format: Format) {
    let Some(corpus) = corpus::folder() else { return };
    let mut checked = 0;
    let mut wrong = Vec::new();
    for entry in corpus::entries(&corpus).iter().filter(|entry| entry.format == format) {
        checked += 1;
        let input = std::fs::read(&entry.path).unwrap();
        if let Err(problem) = check_row(&entry.columns, format, &input) {
            wrong.push(format!("{}: {problem}", entry.name));
        }
    }
    println!("{format}: {checked} files checked, {} wrong", wrong.len());
    assert!(checked > 0 && wrong.is_empty(), "{}", wrong.join("\n"));
}

fn check_row(row: &Columns, format: Format, input: &[u8]) -> Result<(), String> {
    let expected = ["passed", "failed", "ignored"].map(|column| corpus::count(row, column));
    let report = match (parse(format, input, &Limits::DEFAULT), corpus::expectation(row)) {
        // A compiler that gave up and a run of no tests leave the same empty file behind. It has to
        // be refused, because nobody can tell which it is.
        (Err(_), _) if input.is_empty() && expected == [0; 3] => return Ok(()),
        (Err(_), Expectation::Error) => return Ok(()),
        (Ok(report), Expectation::Error) => return says_that_it_failed(&report),
        (Err(error), _) => return Err(error.to_string()),
        (Ok(report), _) => report,
    };
    if detect(input) != Some(format) {
        return Err(format!("detected as {:?}", detect(input)));
    }
    let unfinished = unfinished(row);
    let errored = report.tests.iter().filter(|test| test.outcome == Outcome::Errored);
    let found_unfinished: BTreeSet<&str> =
        errored.map(|test| test.id.as_str()).filter(|id| unfinished.contains(id)).collect();
    if found_unfinished != unfinished {
        return Err(format!(
            "expected {unfinished:?} to be errored, not only {found_unfinished:?}"
        ));
    }
    let tally = report.tally();
    let found = [tally.passed, tally.bad() - unfinished.len() as u64, tally.skipped];
    (found == expected).then_some(()).ok_or(format!("expected {expected:?}, found {found:?}"))
}

/// What cannot be compiled may be an errored test instead of an error.
fn says_that_it_failed(report: &Report) -> Result<(), String> {
    let tally = report.tally();
    let says_so = tally.errored > 0 && tally.errored == tally.total;
    says_so.then_some(()).ok_or(format!("not an error: {tally:?}"))
}

/// The tests of `a and b started but never reported` in the notes.
fn unfinished(row: &Columns) -> BTreeSet<&str> {
    let notes = row.get("notes").map(String::as_str).unwrap_or_default();
    let Some((names, _)) = notes.split_once(" started but never reported") else {
        return BTreeSet::new();
    };
    names.rsplit("; ").next().unwrap_or_default().split(" and ").collect()
}
