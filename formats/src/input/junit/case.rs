//! What one `testcase` element comes to.

use super::finding::{Finding, Stream, append, non_empty, seconds};
use crate::model::{Outcome, TestCase};
use crate::value::{Bag, Value};
use crate::xml::Tag;

/// A `testsuite` or `testsuites` that is open.
pub(super) struct Suite {
    pub(super) name: Option<String>,
    pub(super) findings: Vec<Finding>,
}

impl Suite {
    pub(super) fn new(tag: Tag<'_>) -> Self {
        Self { name: tag.attribute("name").and_then(non_empty), findings: Vec::new() }
    }

    /// The test that stands for what went wrong with the suite itself.
    pub(super) fn into_test(self) -> Option<TestCase> {
        if !self.findings.iter().any(|finding| finding.outcome.is_bad() && !finding.is_attempt) {
            return None;
        }
        let id = id(None, Some("(suite)"), self.name.as_deref());
        let mut case = Case::of(TestCase::new(id, Outcome::Passed));
        case.findings = self.findings;
        Some(case.into_test())
    }
}

/// A `testcase` that is open.
pub(super) struct Case {
    test: TestCase,
    not_run: bool,
    properties: Bag,
    pub(super) findings: Vec<Finding>,
}

impl Case {
    pub(super) fn new(tag: Tag<'_>, suite: Option<&str>) -> Self {
        let mut case = Self::of(TestCase::new(String::new(), Outcome::Passed));
        let (mut name, mut classname, mut class) = (None, None, None);
        for (key, value) in tag.attributes() {
            match key {
                "name" => name = Some(value),
                "classname" => classname = Some(value),
                "class" => class = Some(value),
                "time" => case.test.duration = seconds(value),
                "file" | "filepath" => case.test.file = non_empty(value),
                "line" | "lineno" => case.test.line = line(value),
                "status" => case.not_run |= matches!(value, "notrun" | "disabled"),
                "result" => case.not_run |= value == "suppressed",
                _ => {}
            }
        }
        case.test.id = id(classname.or(class), name, suite);
        case
    }

    fn of(test: TestCase) -> Self {
        Self { test, not_run: false, properties: Bag::new(), findings: Vec::new() }
    }

    /// Takes what a child element held.
    pub(super) fn add(&mut self, stream: Stream, text: String) {
        match stream {
            Stream::Property { name, value } => {
                let value = Value::String(value.unwrap_or(text));
                add_property(&mut self.properties, name, value);
            }
            Stream::Time => self.test.duration = self.test.duration.or_else(|| seconds(&text)),
            Stream::StackTrace => {}
            Stream::Output => append(&mut self.test.evidence.output, text, ""),
            Stream::Errout => append(&mut self.test.evidence.errout, text, ""),
        }
    }

    pub(super) fn into_test(self) -> TestCase {
        let Self { mut test, not_run, properties, findings } = self;
        if !properties.is_empty() {
            test.extra.insert("properties".to_owned(), Value::Struct(properties));
        }
        let mut worst = None;
        for finding in findings {
            let (is_attempt, attempt) = (finding.is_attempt, finding.into_attempt());
            if is_attempt {
                test.attempts.push(attempt);
                continue;
            }
            let evidence = attempt.evidence;
            if worst.is_none_or(|worst| attempt.outcome > worst) {
                worst = Some(attempt.outcome);
                test.evidence.kind = evidence.kind;
            }
            let own = &mut test.evidence;
            evidence.message.into_iter().for_each(|text| append(&mut own.message, text, "\n"));
            evidence.details.into_iter().for_each(|text| append(&mut own.details, text, "\n\n"));
            evidence.output.into_iter().for_each(|text| append(&mut own.output, text, ""));
            evidence.errout.into_iter().for_each(|text| append(&mut own.errout, text, ""));
        }
        test.outcome = match worst {
            Some(worst) => worst,
            None if !test.attempts.is_empty() => Outcome::Flaky,
            None if not_run => Outcome::Skipped,
            None => Outcome::Passed,
        };
        test
    }
}

/// A property that comes twice becomes an array.
fn add_property(properties: &mut Bag, name: String, value: Value) {
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
    match (classname.or(suite), name) {
        (Some(""), Some(name)) | (None, Some(name)) => name.to_owned(),
        (Some(group), Some(name)) => [group, "::", name].concat(),
        (Some(group), None) if !group.is_empty() => group.to_owned(),
        _ => "(unnamed)".to_owned(),
    }
}

fn line(text: &str) -> Option<i64> {
    text.trim().parse().ok().filter(|line| *line > 0)
}
