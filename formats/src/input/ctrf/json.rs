//! The part of the CTRF document that is read. Every key may be missing or null.

use std::fmt;

use serde::Deserialize;
use serde::de::{IgnoredAny, SeqAccess, Visitor};
use serde_json::{Map, Value as Json};

/// What is there, without keeping it: detection, and the counting that bounds what is kept.
#[derive(Deserialize)]
#[serde(expecting = "a CTRF document")]
pub(super) struct Shape {
    #[serde(rename = "reportFormat")]
    report_format: Option<IgnoredAny>,
    results: Option<ShapeOfResults>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object with tests")]
struct ShapeOfResults {
    tests: Option<Runs>,
    summary: Option<IgnoredAny>,
}

impl Shape {
    pub(super) fn is_ctrf(&self) -> bool {
        let results = self.results.as_ref().filter(|results| results.tests.is_some());
        results.is_some_and(|results| results.summary.is_some() || self.report_format.is_some())
    }

    /// How many tests and attempts there are.
    pub(super) fn runs(&self) -> Option<usize> {
        Some(self.results.as_ref()?.tests.as_ref()?.0)
    }
}

struct Runs(usize);

#[derive(Deserialize)]
#[serde(expecting = "a test")]
struct ShapeOfTest {
    // No memory is needed for any number of these: they have no size.
    #[serde(rename = "retryAttempts")]
    retry_attempts: Option<Vec<IgnoredAny>>,
}

impl<'de> Deserialize<'de> for Runs {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Counter;
        impl<'de> Visitor<'de> for Counter {
            type Value = Runs;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of tests")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Runs, A::Error> {
                let mut runs = 0;
                while let Some(test) = seq.next_element::<ShapeOfTest>()? {
                    runs += 1 + test.retry_attempts.map_or(0, |attempts| attempts.len());
                }
                Ok(Runs(runs))
            }
        }
        deserializer.deserialize_seq(Counter)
    }
}

#[derive(Deserialize)]
#[serde(expecting = "a CTRF document")]
pub(super) struct Document {
    pub(super) results: Results,
}

#[derive(Deserialize)]
#[serde(expecting = "an object with tests")]
pub(super) struct Results {
    pub(super) tests: Vec<CtrfTest>,
    pub(super) summary: Option<Summary>,
}

/// Numbers are read as doubles: writers in JavaScript have no other.
#[derive(Default, Deserialize)]
#[serde(expecting = "a summary")]
pub(super) struct Summary {
    pub(super) tests: Option<f64>,
    pub(super) passed: Option<f64>,
    pub(super) failed: Option<f64>,
    pub(super) skipped: Option<f64>,
    pub(super) pending: Option<f64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", expecting = "a test")]
pub(super) struct CtrfTest {
    pub(super) name: Option<String>,
    pub(super) status: Option<String>,
    /// Milliseconds.
    pub(super) duration: Option<f64>,
    pub(super) suite: Option<Suite>,
    pub(super) message: Option<String>,
    pub(super) trace: Option<String>,
    pub(super) file_path: Option<String>,
    pub(super) line: Option<f64>,
    pub(super) raw_status: Option<String>,
    pub(super) flaky: Option<bool>,
    pub(super) retries: Option<f64>,
    pub(super) retry_attempts: Option<Vec<CtrfAttempt>>,
    pub(super) stdout: Option<Lines>,
    pub(super) stderr: Option<Lines>,
    pub(super) extra: Option<Map<String, Json>>,
    browser: Option<Json>,
    device: Option<Json>,
    labels: Option<Json>,
    parameters: Option<Json>,
    snippet: Option<Json>,
    tags: Option<Json>,
    test_id: Option<Json>,
    thread_id: Option<Json>,
}

impl CtrfTest {
    /// The keys without a meaning here that are kept as they are.
    pub(super) fn kept(&mut self) -> impl Iterator<Item = (&'static str, Json)> {
        let values = [
            self.browser.take(),
            self.device.take(),
            self.labels.take(),
            self.parameters.take(),
            self.raw_status.take().map(Json::String),
            self.snippet.take(),
            self.tags.take(),
            self.test_id.take(),
            self.thread_id.take(),
        ];
        let is_filled = |value: &Json| match value {
            Json::Null => false,
            Json::String(text) => !text.is_empty(),
            Json::Array(items) => !items.is_empty(),
            Json::Object(members) => !members.is_empty(),
            Json::Bool(_) | Json::Number(_) => true,
        };
        super::KEPT
            .into_iter()
            .zip(values)
            .filter_map(move |(key, value)| Some((key, value.filter(is_filled)?)))
    }
}

#[derive(Deserialize)]
#[serde(expecting = "an attempt")]
pub(super) struct CtrfAttempt {
    pub(super) status: Option<String>,
    /// Milliseconds.
    pub(super) duration: Option<f64>,
    pub(super) message: Option<String>,
    pub(super) trace: Option<String>,
    pub(super) stdout: Option<Lines>,
    pub(super) stderr: Option<Lines>,
    pub(super) extra: Option<Map<String, Json>>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "a suite must be a string or a list of strings")]
pub(super) enum Suite {
    /// One string with ` > ` between the names.
    Path(String),
    List(Vec<String>),
}

/// A list of lines, or one string with line ends.
pub(super) struct Lines(String);

impl Lines {
    pub(super) fn text(self) -> Option<String> {
        (!self.0.is_empty()).then_some(self.0)
    }
}

impl<'de> Deserialize<'de> for Lines {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Joiner;
        impl<'de> Visitor<'de> for Joiner {
            type Value = Lines;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or a list of lines")
            }

            fn visit_str<E>(self, text: &str) -> Result<Lines, E> {
                Ok(Lines(text.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Lines, A::Error> {
                let mut text = String::new();
                let mut is_line_open = false;
                while let Some(line) = seq.next_element::<String>()? {
                    if is_line_open {
                        text.push('\n');
                    }
                    // Some writers leave the line ends on.
                    is_line_open = !line.ends_with('\n');
                    text.push_str(&line);
                }
                Ok(Lines(text))
            }
        }
        deserializer.deserialize_any(Joiner)
    }
}
