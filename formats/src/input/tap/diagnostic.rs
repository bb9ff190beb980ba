//! What stands under a test point: its YAML block, comments and indented text.
//!
//! YAML is read as far as the known producers use it to say something that has a place in a test
//! case: scalars, block scalars and one level of nested keys. All of it is kept as text.

use std::borrow::Cow;

use super::seconds;
use crate::model::{Outcome, TestCase};

/// The lines under one test point.
#[derive(Debug, Default)]
pub(super) struct Diagnostic<'t> {
    pub(super) yaml: Vec<&'t str>,
    pub(super) notes: Vec<&'t str>,
}

/// One key of the YAML block.
#[derive(Debug)]
struct Entry<'t> {
    key: &'t str,
    value: Cow<'t, str>,
    /// More-indented lines below it.
    nested: Vec<&'t str>,
}

/// What node says of a test that did not fail by an assertion of its own.
const BROKEN: [&str; 6] = [
    "cancelledByParent",
    "hookFailed",
    "testAborted",
    "testTimeoutFailure",
    "uncaughtException",
    "unhandledRejection",
];

/// What the block says, as far as it is understood.
#[derive(Debug)]
pub(super) struct Block<'t> {
    entries: Vec<Entry<'t>>,
}

impl<'t> Diagnostic<'t> {
    pub(super) fn block(&self) -> Block<'t> {
        Block::read(&self.yaml)
    }

    /// Fills in what the diagnostics say of a test.
    pub(super) fn describe(&self, test: &mut TestCase) {
        let block = self.block();
        if let Some(time) = block.get("duration_ms").and_then(|time| time.parse::<f64>().ok()) {
            test.duration = seconds(time);
        }
        let has_more = block.entries.iter().any(|e| !["duration_ms", "type"].contains(&e.key));
        let is_plain = matches!(test.outcome, Outcome::Passed | Outcome::Skipped);
        if is_plain && !has_more {
            return;
        }
        if test.outcome == Outcome::Failed && block.is_broken() {
            test.outcome = Outcome::Errored;
        }
        if !is_plain {
            let is_class = |name: &&str| name.ends_with("Error") || name.ends_with("Exception");
            test.evidence.kind = block.get("name").filter(is_class).map(str::to_owned);
            let message = block.message().or_else(|| note_message(&self.notes));
            test.evidence.message = test.evidence.message.take().or(message);
            let place =
                block.place().or_else(|| self.notes.iter().find_map(|note| perl_place(note)));
            if let Some((file, line)) = place {
                (test.file, test.line) = (Some(file), Some(line));
            }
        }
        let lines: Vec<&str> = self.yaml.iter().chain(&self.notes).copied().collect();
        test.evidence.details = Some(lines.join("\n")).filter(|text| !text.trim().is_empty());
    }
}

impl<'t> Block<'t> {
    fn read(lines: &[&'t str]) -> Self {
        let indentation = |line: &str| line.len() - line.trim_start_matches(' ').len();
        let filled = || lines.iter().filter(|line| !line.trim().is_empty());
        let base = filled().map(|line| indentation(line)).next().unwrap_or(0);
        let mut entries: Vec<Entry<'t>> = Vec::new();
        for line in lines {
            let key = line.get(base..).filter(|_| indentation(line) == base);
            match key.and_then(|text| text.split_once(':')) {
                Some((key, value)) if value.is_empty() || value.starts_with(' ') => {
                    let value = scalar(value.trim());
                    entries.push(Entry { key: key.trim(), value, nested: Vec::new() });
                }
                _ => {
                    if let Some(entry) = entries.last_mut() {
                        entry.nested.push(line);
                    }
                }
            }
        }
        Self { entries }
    }

    /// The first line of what a key says. `None` when that is nothing.
    fn get(&self, key: &str) -> Option<&str> {
        let entry = self.entries.iter().find(|entry| entry.key == key)?;
        let text = match entry.value.as_ref() {
            "" | "|" | "|-" | "|+" | ">" | ">-" | ">+" => {
                entry.nested.iter().map(|line| line.trim()).find(|line| !line.is_empty())?
            }
            value => value,
        };
        Some(text).filter(|text| !["", "~", "null"].contains(text))
    }

    /// The key of a nested map.
    fn nested(&self, key: &str, inner: &[&str]) -> Option<String> {
        let entry = self.entries.iter().find(|entry| entry.key == key)?;
        let pairs = entry.nested.iter().filter_map(|line| line.trim().split_once(':'));
        let mut found = pairs.filter(|(key, _)| inner.contains(key));
        found.next().map(|(_, value)| scalar(value.trim()).into_owned())
    }

    fn message(&self) -> Option<String> {
        if let Some(message) = self.get("message").or_else(|| self.get("error")) {
            return Some(message.lines().next().unwrap_or_default().to_owned());
        }
        let first = |keys: &[&str]| keys.iter().find_map(|key| self.get(key));
        let expected = first(&["expected", "wanted", "expect"])?;
        let actual = first(&["actual", "found", "got", "received"])?;
        Some(format!("expected {expected}, got {actual}"))
    }

    fn place(&self) -> Option<(String, i64)> {
        let number = |text: &str| text.parse::<i64>().ok().filter(|line| *line > 0);
        let of_keys = || Some((self.get("file")?.to_owned(), number(self.get("line")?)?));
        let nested = || {
            let file = self.nested("at", &["file", "fileName"])?;
            Some((file, number(&self.nested("at", &["line", "lineNumber"])?)?))
        };
        let scalar = |key| place(self.get(key)?);
        of_keys().or_else(nested).or_else(|| scalar("at")).or_else(|| scalar("location"))
    }

    fn is_broken(&self) -> bool {
        let is_set = |key| self.get(key).is_some_and(|value| value != "0");
        self.get("failureType").is_some_and(|kind| BROKEN.contains(&kind))
            || is_set("exitCode")
            || is_set("signal")
    }

    /// Whether node says that the test failed by itself, not only by its subtests.
    pub(super) fn has_own_reason(&self) -> bool {
        self.get("failureType").is_some_and(|kind| kind != "subtestsFailed")
    }

    /// Whether node says that this is no test, but a group of tests.
    pub(super) fn is_suite(&self) -> bool {
        self.get("type") == Some("suite")
    }
}

fn scalar(text: &str) -> Cow<'_, str> {
    if let Some(inner) = text.strip_prefix('\'').and_then(|text| text.strip_suffix('\'')) {
        return Cow::Owned(inner.replace("''", "'"));
    }
    if text.starts_with('"')
        && let Ok(text) = serde_json::from_str::<String>(text)
    {
        return Cow::Owned(text);
    }
    Cow::Borrowed(text)
}

/// `Test.<anonymous> (file.js:2:44)` or `file.js:2:44`.
fn place(text: &str) -> Option<(String, i64)> {
    let inner = text.rsplit_once('(').map_or(text, |(_, inner)| inner.trim_end_matches(')'));
    let numbers = inner.rsplit(':').take(2).take_while(|part| part.parse::<u32>().is_ok());
    let numbers: Vec<&str> = numbers.collect();
    let length: usize = numbers.iter().map(|number| number.len() + 1).sum();
    let file = inner.get(..inner.len().checked_sub(length)?).filter(|file| !file.is_empty())?;
    Some((file.to_owned(), numbers.last()?.parse().ok()?))
}

/// `at t/hay.t line 3.`, as Test::More writes it.
fn perl_place(note: &str) -> Option<(String, i64)> {
    let (file, line) =
        note.trim_start_matches(['#', ' ']).strip_prefix("at ")?.rsplit_once(" line ")?;
    Some((file.to_owned(), line.trim_end_matches('.').parse().ok()?))
}

/// What Test::More writes in comments, or the first line of any text.
fn note_message(notes: &[&str]) -> Option<String> {
    let plain = |note: &&'_ str| note.trim_start().trim_start_matches('#').trim().to_owned();
    let mut lines = notes.iter().map(plain).filter(|line| !line.is_empty());
    let labelled = |label| {
        let mut lines = notes.iter().map(plain);
        lines.find_map(|line: String| line.strip_prefix(label).map(|text| text.trim().to_owned()))
    };
    if let Some((got, expected)) = labelled("got:").zip(labelled("expected:")) {
        return Some(format!("expected {expected}, got {got}"));
    }
    let is_told = |line: &String| line.starts_with("Failed ") || line.starts_with("at ");
    lines.find(|line| !is_told(line))
}

/// The words of node's, tape's and mocha's statistics.
const STATISTICS: [&str; 9] =
    ["cancelled", "duration_ms", "fail", "ok", "pass", "skipped", "suites", "tests", "todo"];

/// Whether a comment is part of the statistics at the end, such as `# pass 3`.
pub(super) fn is_statistic(comment: &str) -> bool {
    let comment = comment.trim();
    let (word, rest) = comment.split_once(char::is_whitespace).unwrap_or((comment, ""));
    STATISTICS.contains(&word) && rest.trim().parse::<f64>().is_ok()
        || comment.starts_with("Looks like you")
        || word.starts_with("time=")
        || word == "failed" && rest.contains(" test")
}
