//! Values, steps and tests as JSON without a tree of JSON in between: of a hundred thousand tests it would take several
//! times their own memory.

use serde::ser::{Serialize, SerializeMap, SerializeSeq as _, Serializer};

use super::to_json;
use crate::model::{Attempt, Evidence, Step, TestCase};
use crate::value::{Bag, Value};

/// Any value, as [`super::to_json`] has it.
pub(super) struct StoredValue<'a>(pub(super) &'a Value);

/// A struct, to be written by any serializer, as [`super::to_json`] has it.
#[derive(Debug, Clone, Copy)]
pub struct StoredBag<'a>(pub &'a Bag);

/// The steps of a results list, to be written by any serializer. Only the order of keys is another one than that of
/// [`super::to_json`].
#[derive(Debug, Clone, Copy)]
pub struct StoredSteps<'a>(pub &'a [Step]);

struct StoredStep<'a>(&'a Step);
struct StoredTest<'a>(&'a TestCase);
struct StoredAttempt<'a>(&'a Attempt);

/// The key of a step that holds its tests.
const TESTS: &str = "tests";

impl Serialize for StoredValue<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::String(text) => to.serialize_str(text),
            Value::Int(number) => to.serialize_i64(*number),
            Value::Bool(flag) => to.serialize_bool(*flag),
            Value::Double(number) if number.is_finite() => to.serialize_f64(*number),
            Value::Array(items) => to.collect_seq(items.iter().map(StoredValue)),
            Value::Struct(bag) => StoredBag(bag).serialize(to),
            // These are rare, and JSON has no form of its own for them.
            odd => to_json(odd).serialize(to),
        }
    }
}

impl Serialize for StoredBag<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if let (1, Some(key)) = (self.0.len(), self.0.keys().next())
            && key.starts_with('$')
        {
            // It may look like one of the tagged objects.
            return to_json(&Value::Struct(self.0.clone())).serialize(to);
        }
        to.collect_map(self.0.iter().map(|(key, value)| (key, StoredValue(value))))
    }
}

impl Serialize for StoredSteps<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.0.iter().map(StoredStep))
    }
}

impl Serialize for StoredStep<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let (bag, tests) = (self.0.bag(), self.0.tests());
        if tests.is_empty() {
            return StoredBag(bag).serialize(to);
        }
        let mut map = to.serialize_map(None)?;
        for (key, value) in bag.iter().filter(|(key, _)| *key != TESTS) {
            map.serialize_entry(key, &StoredValue(value))?;
        }
        map.serialize_entry(TESTS, &Tests(tests))?;
        map.end()
    }
}

struct Tests<'a>(&'a [TestCase]);

impl Serialize for Tests<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut list = to.serialize_seq(Some(self.0.len()))?;
        for test in self.0 {
            list.serialize_element(&StoredTest(test))?;
        }
        list.end()
    }
}

impl Serialize for StoredTest<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let TestCase { id, outcome, duration, evidence, file, line, attempts, extra } = self.0;
        let mut map = to.serialize_map(None)?;
        map.serialize_entry("id", id)?;
        map.serialize_entry("outcome", outcome.as_str())?;
        if let Some(seconds) = duration {
            map.serialize_entry("duration", seconds)?;
        }
        if let Some(file) = file {
            map.serialize_entry("file", file)?;
        }
        if let Some(line) = line {
            map.serialize_entry("line", line)?;
        }
        said(&mut map, evidence)?;
        if let [_, ..] = attempts.as_slice() {
            let attempts: Vec<_> = attempts.iter().map(StoredAttempt).collect();
            map.serialize_entry("attempts", &attempts)?;
        }
        for (key, value) in extra.iter().filter(|(key, _)| !is_taken(self.0, key)) {
            map.serialize_entry(key, &StoredValue(value))?;
        }
        map.end()
    }
}

/// Whether a key of `extra` is that of something which is known, and counts for more.
fn is_taken(test: &TestCase, key: &str) -> bool {
    let Evidence { message, kind, details, output, errout } = &test.evidence;
    match key {
        "id" | "outcome" => true,
        "duration" => test.duration.is_some(),
        "file" => test.file.is_some(),
        "line" => test.line.is_some(),
        "attempts" => !test.attempts.is_empty(),
        "message" => message.is_some(),
        "type" => kind.is_some(),
        "details" => details.is_some(),
        "output" => output.is_some(),
        "errout" => errout.is_some(),
        _ => false,
    }
}

impl Serialize for StoredAttempt<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Attempt { outcome, duration, evidence } = self.0;
        let mut map = to.serialize_map(None)?;
        map.serialize_entry("outcome", outcome.as_str())?;
        if let Some(seconds) = duration {
            map.serialize_entry("duration", seconds)?;
        }
        said(&mut map, evidence)?;
        map.end()
    }
}

fn said<M: SerializeMap>(map: &mut M, evidence: &Evidence) -> Result<(), M::Error> {
    let Evidence { message, kind, details, output, errout } = evidence;
    let texts = [
        ("type", kind),
        ("message", message),
        ("details", details),
        ("output", output),
        ("errout", errout),
    ];
    for (key, text) in texts {
        if let Some(text) = text {
            map.serialize_entry(key, text)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::Outcome;

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Nil),
            any::<bool>().prop_map(Value::Bool),
            any::<i64>().prop_map(Value::Int),
            any::<f64>().prop_map(Value::Double),
            any::<String>().prop_map(Value::String),
            any::<String>().prop_map(Value::DateTime),
            any::<Vec<u8>>().prop_map(Value::Base64),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
                prop::collection::btree_map(any_key(), inner, 0..4).prop_map(Value::Struct),
            ]
        })
    }

    fn any_key() -> impl Strategy<Value = String> {
        let known = ["$struct", "$double", "$other", "id", "outcome", "attempts", "file", "line"];
        let more = ["duration", "message", "type", "details", "output", "errout", "tests"];
        let known: Vec<_> = known.into_iter().chain(more).map(str::to_owned).collect();
        prop_oneof![any::<String>(), prop::sample::select(known)]
    }

    fn any_bag() -> impl Strategy<Value = Bag> {
        prop::collection::btree_map(any_key(), any_value(), 0..6)
    }

    fn any_test() -> impl Strategy<Value = TestCase> {
        let attempt = Attempt {
            outcome: Outcome::Failed,
            duration: Some(0.5),
            evidence: Evidence { message: Some("first".into()), ..Evidence::default() },
        };
        let attempts = prop::collection::vec(Just(attempt), 0..3);
        let text = || prop::option::of(any::<String>());
        let said = (text(), text(), text(), text(), text(), text());
        (any::<String>(), prop::option::of(0.0..1e9), said, attempts, any_bag()).prop_map(
            |(id, duration, (message, kind, details, output, errout, file), attempts, extra)| {
                TestCase {
                    duration,
                    file,
                    line: duration.map(|_| 7),
                    evidence: Evidence { message, kind, details, output, errout },
                    attempts,
                    extra,
                    ..TestCase::new(id, Outcome::Errored)
                }
            },
        )
    }

    proptest! {
        #[test]
        fn what_is_written_is_what_the_repository_would_hold(
            bag in any_bag(),
            tests in prop::collection::vec(any_test(), 0..3),
        ) {
            let step = bag.into_iter().fold(Step::default(), |step, (key, value)| step.with(&key, value));
            let step = if tests.is_empty() { step } else { step.with_tests(tests) };
            let written = serde_json::to_string(&StoredSteps(std::slice::from_ref(&step))).unwrap();
            // Through text: no key may stand twice.
            let read: serde_json::Value = serde_json::from_str(&written).unwrap();
            let expected = to_json(&Value::Array(vec![Value::Struct(step.into_bag())]));
            prop_assert_eq!(read, expected);
        }
    }
}
