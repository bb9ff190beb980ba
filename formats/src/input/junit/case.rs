//! What one `testcase` element comes to.

use super::attachments;
use super::finding::{Finding, Stream, append, non_empty, seconds};
use crate::model::{Outcome, TestCase};
use crate::value::{Bag, Value};
use crate::xml::Tag;

/// A `testcase` that is open.
pub(super) struct Case {
    pub(super) test: TestCase,
    /// How the worst of its results so far ended.
    pub(super) worst: Option<Outcome>,
    not_run: bool,
}

impl Case {
    pub(super) fn new(tag: Tag<'_>, suite: Option<&str>) -> Self {
        let (mut name, mut classname, mut class) = (None, None, None);
        let (mut duration, mut file, mut line, mut not_run) = (None, None, None, false);
        for (key, value) in tag.attributes() {
            match key {
                "name" => name = Some(value),
                "classname" => classname = Some(value),
                "class" => class = Some(value),
                "time" => duration = seconds(value),
                "file" | "filepath" => file = non_empty(value),
                "line" | "lineno" => line = line_number(value),
                "status" => not_run |= matches!(value, "notrun" | "disabled"),
                "result" => not_run |= value == "suppressed",
                _ => {}
            }
        }
        let id = id(classname.or(class), name, suite);
        let test = TestCase { duration, file, line, ..TestCase::new(id, Outcome::Passed) };
        Self { test, worst: None, not_run }
    }

    /// One that stands for a whole suite.
    pub(super) fn of_suite(name: Option<&str>) -> Self {
        let test = TestCase::new(id(None, Some("(suite)"), name), Outcome::Passed);
        Self { test, worst: None, not_run: false }
    }

    /// Takes what a child element held.
    pub(super) fn add(&mut self, stream: Stream, text: String) {
        match stream {
            Stream::Property { name, value } => {
                let properties = self.test.extra.entry("properties".to_owned());
                if let Value::Struct(properties) = properties.or_insert(Value::Struct(Bag::new())) {
                    add_property(properties, name, value.unwrap_or(text));
                }
            }
            Stream::Time => self.test.duration = self.test.duration.or_else(|| seconds(&text)),
            Stream::StackTrace => {}
            Stream::Output => append(&mut self.test.evidence.output, text, ""),
            Stream::Errout => append(&mut self.test.evidence.errout, text, ""),
        }
    }

    /// Takes what says how the test or an attempt at it ended.
    pub(super) fn conclude(&mut self, finding: Finding) {
        let (is_attempt, attempt) = (finding.is_attempt, finding.into_attempt());
        if is_attempt {
            return self.test.attempts.push(attempt);
        }
        let (own, evidence) = (&mut self.test.evidence, attempt.evidence);
        if self.worst.is_none_or(|worst| attempt.outcome > worst) {
            self.worst = Some(attempt.outcome);
            own.kind = evidence.kind;
        }
        evidence.message.into_iter().for_each(|text| append(&mut own.message, text, "\n"));
        evidence.details.into_iter().for_each(|text| append(&mut own.details, text, "\n\n"));
        evidence.output.into_iter().for_each(|text| append(&mut own.output, text, ""));
        evidence.errout.into_iter().for_each(|text| append(&mut own.errout, text, ""));
    }

    /// Says how the test ended, now that all is known.
    pub(super) fn settle(&mut self) {
        self.test.outcome = match self.worst {
            Some(worst) => worst,
            None if !self.test.attempts.is_empty() => Outcome::Flaky,
            None if self.not_run => Outcome::Skipped,
            None => Outcome::Passed,
        };
        if let Some(attachments) = attachments::named_in(&self.test.evidence) {
            self.test.extra.insert("attachments".to_owned(), attachments);
        }
    }
}

/// A property that comes twice becomes an array.
pub(super) fn add_property(properties: &mut Bag, name: String, value: String) {
    let value = Value::String(value);
    match properties.get_mut(&name) {
        None => {
            properties.insert(name, value);
        }
        Some(Value::Array(values)) => values.push(value),
        Some(first) => {
            let values = vec![std::mem::replace(first, Value::Nil), value];
            *first = Value::Array(values);
        }
    }
}

/// The id of a test from its attributes and the name of the suite around it.
pub(super) fn id(classname: Option<&str>, name: Option<&str>, suite: Option<&str>) -> String {
    match (classname.or(suite).filter(|group| !group.is_empty()), name) {
        (Some(group), Some(name)) => [group, "::", name].concat(),
        (Some(name), None) => name.to_owned(),
        (None, Some(name)) if !name.is_empty() => name.to_owned(),
        (None, _) => "(unnamed)".to_owned(),
    }
}

fn line_number(text: &str) -> Option<i64> {
    text.trim().parse().ok().filter(|line| *line > 0)
}
