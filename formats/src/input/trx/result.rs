//! [`TestResult`]: one result, and the [`Definition`] that knows its class.

use std::collections::HashMap;

use crate::model::{Outcome, TestCase};
use crate::xml::Tag;

/// An element whose text is kept.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Stream {
    Output,
    Errout,
    Message,
    StackTrace,
    RunError,
}

/// What a definition says of the method that is the test.
pub(super) struct Definition {
    class: String,
    method: String,
}

impl Definition {
    /// The class comes alone or, from mstest, as `Class, Assembly, Version=…`.
    pub(super) fn new(class: &str, method: &str) -> Self {
        let assembly = match class.rfind(']') {
            // The brackets of a generic class hold commas of their own.
            Some(bracket) => class[bracket..].find(',').map(|at| bracket + at),
            None => class.find(','),
        };
        let class = class[..assembly.unwrap_or(class.len())].trim();
        Self { class: class.to_owned(), method: method.to_owned() }
    }
}

/// A result on the way in.
pub(super) struct TestResult {
    /// The test, without its id.
    pub(super) test: TestCase,
    /// Whether other results are inside.
    pub(super) has_inner: bool,
    /// Whether one of them, at any depth, is bad.
    pub(super) has_bad_inner: bool,
    test_id: String,
    name: String,
}

impl TestResult {
    /// From the attributes of its element.
    pub(super) fn new(outcome: Outcome, tag: Tag<'_>) -> Self {
        let attribute = |name| tag.attribute(name).unwrap_or_default();
        let mut test = TestCase::new(String::new(), outcome);
        test.duration = seconds(attribute("duration"));
        let (test_id, name) = (attribute("testId").to_owned(), attribute("testName").to_owned());
        Self { test, has_inner: false, has_bad_inner: false, test_id, name }
    }

    /// Takes the text of an element.
    pub(super) fn add(&mut self, stream: Stream, text: String) {
        let evidence = &mut self.test.evidence;
        let place = match stream {
            Stream::Output => &mut evidence.output,
            Stream::Errout => &mut evidence.errout,
            Stream::Message => &mut evidence.message,
            Stream::StackTrace => &mut evidence.details,
            Stream::RunError => return,
        };
        if !text.trim().is_empty() {
            *place = Some(text);
        }
    }

    /// The test with its id.
    pub(super) fn into_test(self, definitions: &HashMap<String, Definition>) -> TestCase {
        let Self { mut test, test_id, name, .. } = self;
        test.id = match definitions.get(&test_id) {
            Some(Definition { class, method }) if !class.is_empty() => {
                let name = if name.is_empty() { method } else { &name };
                let inside = name.strip_prefix(class.as_str()).and_then(|n| n.strip_prefix('.'));
                let name = inside.filter(|name| !name.is_empty()).unwrap_or(name);
                format!("{class}::{name}")
            }
            Some(definition) if name.is_empty() => definition.method.clone(),
            _ => name,
        };
        if test.id.is_empty() {
            test.id = "(unnamed)".to_owned();
        }
        test
    }
}

/// What the words of `TestOutcome` mean. Of a run they mean the same.
pub(super) fn outcome(word: &str) -> Option<Outcome> {
    Some(match word {
        // `Warning` is of runs that did not fail, `Completed` of tests that cannot.
        "Passed" | "PassedButRunAborted" | "Warning" | "Completed" => Outcome::Passed,
        "Failed" => Outcome::Failed,
        // Whatever `InProgress` in a finished report means, the test did not get to its end.
        "Error" | "Timeout" | "Aborted" | "Disconnected" | "InProgress" => Outcome::Errored,
        "NotExecuted" | "NotRunnable" | "Inconclusive" | "Pending" => Outcome::Skipped,
        _ => return None,
    })
}

/// Reads a `TimeSpan`: `hh:mm:ss`, with days before and a fraction behind where there are any.
pub(super) fn seconds(text: &str) -> Option<f64> {
    let mut parts = text.trim().split(':');
    let (hours, minutes, seconds) = (parts.next()?, parts.next()?, parts.next()?);
    let (days, hours) = hours.split_once('.').unwrap_or(("0", hours));
    let whole = |part: &str| {
        let is_number = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| part.parse::<u32>().ok()).flatten().map(f64::from)
    };
    let (second, fraction) = seconds.split_once('.').unwrap_or((seconds, "0"));
    whole(second).filter(|_| fraction.bytes().all(|byte| byte.is_ascii_digit()))?;
    let seconds: f64 = seconds.parse().ok()?;
    let total = ((whole(days)? * 24.0 + whole(hours)?) * 60.0 + whole(minutes)?) * 60.0 + seconds;
    (parts.next().is_none() && total.is_finite()).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_spans_are_seconds() {
        let cases = [
            ("00:00:00.0170545", Some(0.017_054_5)),
            ("01:02:03", Some(3723.0)),
            ("1.00:00:00.5000000", Some(86_400.5)),
            ("00:00", None),
            ("00:00:00:00", None),
            ("-00:00:01", None),
            ("00:00:1e9", None),
            ("00:00:+1", None),
            ("00:00:01.-1", None),
            ("", None),
            ("3.5", None),
        ];
        for (text, expected) in cases {
            assert_eq!(seconds(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_class_loses_its_assembly_and_keeps_its_type_arguments() {
        let class = |name| Definition::new(name, "").class;
        assert_eq!(class("Hay.Loft"), "Hay.Loft");
        assert_eq!(class("Hay.Loft, Hay.Tests, Version=1.0.0.0"), "Hay.Loft");
        assert_eq!(
            class("Hay.Box`1[[System.Int32, mscorlib]], Hay"),
            "Hay.Box`1[[System.Int32, mscorlib]]"
        );
        assert_eq!(class(""), "");
    }
}
