//! The four files that hold the tests of a step.

mod duration;

use crate::json;
use crate::model::{Outcome, TestCase};
use crate::value::{Bag, Value};
use duration::{is_duration, write_milliseconds};

pub(super) const TESTS: &str = "tests.txt";
pub(super) const OUTCOMES: &str = "outcomes.txt";
pub(super) const DURATIONS: &str = "durations.txt";
pub(super) const FAILURES: &str = "failures.json";

/// Writes the files of a step's tests: none when there are no tests, and only those that say something.
pub(super) fn encode(tests: Vec<TestCase>, mut put: impl FnMut(&str, Vec<u8>)) {
    if tests.is_empty() {
        return;
    }
    let mut names = String::new();
    let mut outcomes = String::with_capacity(tests.len() + 1);
    let mut durations = String::new();
    let mut failures = Vec::new();
    let timed = tests.iter().any(|test| test.duration.is_some());
    for (index, test) in tests.into_iter().enumerate() {
        let mut plain = test.is_plain();
        let (mut evidence, (id, outcome, duration)) = test.into_details_bag();
        push_escaped(&mut names, &id);
        outcomes.push(outcome.letter());
        match duration.map(|seconds| write_milliseconds(seconds).ok_or(seconds)) {
            None => {}
            Some(Ok(milliseconds)) => durations.push_str(&milliseconds),
            Some(Err(seconds)) => {
                evidence.insert("duration".to_owned(), Value::Double(seconds));
                plain = false;
            }
        }
        durations.push('\n');
        if !plain {
            failures.push(Value::Struct(Bag::from([
                ("evidence".to_owned(), Value::Struct(evidence)),
                ("id".to_owned(), Value::String(id)),
                ("index".to_owned(), Value::Int(index as i64)),
            ])));
        }
    }
    outcomes.push('\n');
    put(TESTS, names.into_bytes());
    put(OUTCOMES, outcomes.into_bytes());
    if timed {
        put(DURATIONS, durations.into_bytes());
    }
    if !failures.is_empty() {
        put(FAILURES, json::to_text(&Value::Array(failures)).into_bytes());
    }
}

/// Reads the files of a step's tests; `file` gives the content by name. An error names the file.
pub(super) fn decode<'a>(
    file: impl Fn(&str) -> Option<&'a [u8]>,
) -> Result<Vec<TestCase>, (&'static str, String)> {
    let Some(names) = file(TESTS) else {
        return match [OUTCOMES, DURATIONS, FAILURES].into_iter().find(|name| file(name).is_some()) {
            Some(orphan) => Err((orphan, format!("{TESTS} is missing"))),
            None => Ok(Vec::new()),
        };
    };
    let names = read_lines(names).map_err(|message| (TESTS, message))?;
    let outcomes = file(OUTCOMES).ok_or((OUTCOMES, "missing".to_owned()))?;
    let outcomes = read_outcomes(outcomes).map_err(|message| (OUTCOMES, message))?;
    check_count(OUTCOMES, outcomes.len(), names.len())?;
    let mut durations =
        file(DURATIONS).map(read_durations).transpose().map_err(|m| (DURATIONS, m))?;
    if let Some(durations) = &durations {
        check_count(DURATIONS, durations.len(), names.len())?;
    }
    let mut evidence = read_failures(file(FAILURES), names.len()).map_err(|m| (FAILURES, m))?;
    let mut tests = Vec::with_capacity(names.len());
    for (index, (name, outcome)) in names.into_iter().zip(outcomes).enumerate() {
        let id = unescape(name).map_err(|message| (TESTS, message))?;
        let mut test = match evidence[index].take() {
            None => TestCase::new(id, outcome),
            Some(bag) => with_evidence(id, outcome, bag).map_err(|message| (FAILURES, message))?,
        };
        // Where the line is empty, the evidence may say.
        let duration = durations.as_mut().and_then(|durations| durations[index].take());
        test.duration = duration.or(test.duration);
        tests.push(test);
    }
    Ok(tests)
}

/// The letters of `outcomes.txt`.
pub(super) fn read_outcomes(bytes: &[u8]) -> Result<Vec<Outcome>, String> {
    let letters = bytes.strip_suffix(b"\n").unwrap_or(bytes).iter().enumerate();
    letters
        .map(|(index, &byte)| {
            Outcome::from_letter(char::from(byte)).ok_or_else(|| {
                format!("letter {}: no outcome `{}`", index + 1, byte.escape_ascii())
            })
        })
        .collect()
}

fn with_evidence(id: String, outcome: Outcome, entry: Bag) -> Result<TestCase, String> {
    if entry.get("id").and_then(Value::as_str) != Some(&id) {
        return Err(format!("the entry for test `{}` names another test", id.escape_debug()));
    }
    let mut bag = entry.get("evidence").and_then(Value::as_struct).cloned().unwrap_or_default();
    bag.insert("id".to_owned(), Value::String(id));
    bag.insert("outcome".to_owned(), Value::from(outcome.as_str()));
    // Cannot fail: both keys that it needs were just put there.
    TestCase::from_bag(bag).ok_or_else(|| "no test case".to_owned())
}

/// The entries of `failures.json` by the index of their test.
fn read_failures(bytes: Option<&[u8]>, count: usize) -> Result<Vec<Option<Bag>>, String> {
    let mut entries = vec![None; count];
    let Some(bytes) = bytes else { return Ok(entries) };
    let Value::Array(items) = json::from_text(bytes).map_err(|error| error.to_string())? else {
        return Err("expected an array".to_owned());
    };
    for item in items {
        let Value::Struct(entry) = item else { return Err("expected objects".to_owned()) };
        let index =
            entry.get("index").and_then(Value::as_int).and_then(|n| usize::try_from(n).ok());
        let slot = index.and_then(|index| entries.get_mut(index));
        *slot.ok_or("an entry has no valid `index`")? = Some(entry);
    }
    Ok(entries)
}

fn read_durations(bytes: &[u8]) -> Result<Vec<Option<f64>>, String> {
    let lines = read_lines(bytes)?.into_iter().enumerate();
    let durations = lines.map(|(index, line)| {
        if line.is_empty() {
            return Ok(None);
        }
        let milliseconds: f64 =
            line.parse().map_err(|_| format!("line {}: no number", index + 1))?;
        let seconds = is_duration(milliseconds).then_some(milliseconds / 1000.0);
        seconds.map(Some).ok_or_else(|| format!("line {}: no duration", index + 1))
    });
    durations.collect()
}

fn read_lines(bytes: &[u8]) -> Result<Vec<&str>, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
    let text = text.strip_suffix('\n').ok_or("the last line has no end")?;
    Ok(text.split('\n').collect())
}

fn push_escaped(names: &mut String, id: &str) {
    for character in id.chars() {
        match character {
            '\n' => names.push_str("\\n"),
            '\r' => names.push_str("\\r"),
            '\\' => names.push_str("\\\\"),
            other => names.push(other),
        }
    }
    names.push('\n');
}

fn unescape(line: &str) -> Result<String, String> {
    let mut id = String::with_capacity(line.len());
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        id.push(match character {
            '\\' => match characters.next() {
                Some('n') => '\n',
                Some('r') => '\r',
                Some('\\') => '\\',
                _ => return Err(format!("broken escape in `{}`", line.escape_debug())),
            },
            other => other,
        });
    }
    Ok(id)
}

fn check_count(
    file: &'static str,
    found: usize,
    expected: usize,
) -> Result<(), (&'static str, String)> {
    if found == expected {
        return Ok(());
    }
    Err((file, format!("{found} entries for the {expected} tests of {TESTS}")))
}
