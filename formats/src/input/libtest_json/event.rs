//! [`Event`]: one object of the JSON that libtest prints with `--format json` (unstable; Rust 1.95)
//! and that nextest imitates (`libtest-json` and `libtest-json-plus`; 0.9.143).
//!
//! Every member is optional and may be of another type, because members have come and gone and
//! harnesses of other makes print the same events.

use serde::de::{Deserialize, Deserializer, IgnoredAny};
use serde_json::Value;

use crate::input::cargo_test::panic::Complaint;
use crate::input::terminal::Screen;
use crate::input::transcript::without_transcript;
use crate::model::{Outcome, TestCase};

/// Objects that begin like an event but are none, in one line, before the rest of it is skipped.
const FALSE_STARTS_MAX: usize = 8;

/// What nextest says about a test that ran for too long, and libtest with `--ensure-time`.
const TIME_LIMIT: &str = "time limit exceeded";

/// The kind of such a failure.
pub(super) const TIMEOUT: &str = "timeout";

/// Something that happened.
#[derive(Debug, PartialEq)]
pub(super) enum Event {
    SuiteStarted { tests: Option<u64>, binary: Option<Binary> },
    SuiteEnded { counts: Option<Counts>, binary: Option<Binary> },
    TestStarted { name: String },
    TestEnded(TestEnd),
}

/// The test binary that nextest names in `libtest-json-plus`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Binary {
    pub(super) package: String,
    pub(super) name: String,
    /// `lib`, `bin`, `test`, `example`, `bench` or `proc-macro`.
    pub(super) kind: String,
}

/// How many tests ended how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// Benchmarks included.
    pub(super) passed: u64,
    pub(super) failed: u64,
    pub(super) ignored: u64,
}

impl Counts {
    pub(super) fn total(self) -> u64 {
        self.passed.saturating_add(self.failed).saturating_add(self.ignored)
    }
}

/// The end of a test.
#[derive(Debug, PartialEq)]
pub(super) struct TestEnd {
    pub(super) name: String,
    pub(super) outcome: Outcome,
    seconds: Option<f64>,
    output: Option<String>,
    message: Option<String>,
    reason: Option<String>,
}

/// Calls `sink` with every event in a line. What tests print stands before an event, between two or
/// after one, wherever it did not end with a line feed.
pub(super) fn find_events(line: &str, mut sink: impl FnMut(Event)) {
    let mut at = 0;
    let mut false_starts = 0;
    while let Some(found) = line.get(at..).and_then(|rest| rest.find('{')) {
        let start = at + found;
        at = start + 1;
        if !line[at..].trim_start().starts_with("\"type\"") {
            continue;
        }
        let mut objects = serde_json::Deserializer::from_str(&line[start..]).into_iter::<Raw>();
        match objects.next() {
            Some(Ok(raw)) => {
                at = start + objects.byte_offset();
                if let Some(event) = raw.into_event() {
                    sink(event);
                }
            }
            _ if false_starts == FALSE_STARTS_MAX => return,
            _ => false_starts += 1,
        }
    }
}

/// The members of any event. `filtered_out` is not among them: nextest lets it go below zero.
#[derive(serde::Deserialize)]
struct Raw {
    #[serde(default, rename = "type", deserialize_with = "text")]
    kind: Option<String>,
    #[serde(default, deserialize_with = "text")]
    event: Option<String>,
    #[serde(default, deserialize_with = "text")]
    name: Option<String>,
    #[serde(default, deserialize_with = "count")]
    test_count: Option<u64>,
    #[serde(default, deserialize_with = "count")]
    passed: Option<u64>,
    #[serde(default, deserialize_with = "count")]
    failed: Option<u64>,
    #[serde(default, deserialize_with = "count")]
    ignored: Option<u64>,
    #[serde(default, deserialize_with = "count")]
    measured: Option<u64>,
    #[serde(default, deserialize_with = "seconds")]
    exec_time: Option<f64>,
    #[serde(default, deserialize_with = "text")]
    stdout: Option<String>,
    #[serde(default, deserialize_with = "text")]
    message: Option<String>,
    #[serde(default, deserialize_with = "text")]
    reason: Option<String>,
    #[serde(default, deserialize_with = "object")]
    nextest: Option<RawBinary>,
}

#[derive(serde::Deserialize)]
struct RawBinary {
    #[serde(rename = "crate")]
    package: String,
    test_binary: String,
    kind: String,
}

/// Either the type that is wanted, or anything else.
#[derive(serde::Deserialize)]
#[serde(untagged)]
enum Lenient<T> {
    Wanted(T),
    Other(IgnoredAny),
}

fn object<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Option<T>, D::Error> {
    Ok(match Lenient::deserialize(from)? {
        Lenient::Wanted(value) => Some(value),
        Lenient::Other(_) => None,
    })
}

fn text<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    object(from)
}

fn count<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    object(from)
}

/// Seconds, as a number or, before Rust 1.50, as the text `0.001s`.
fn seconds<'de, D: Deserializer<'de>>(from: D) -> Result<Option<f64>, D::Error> {
    let seconds = match Value::deserialize(from)? {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim_end_matches('s').parse().ok(),
        _ => None,
    };
    Ok(seconds.filter(|seconds: &f64| seconds.is_finite() && *seconds >= 0.0))
}

impl Raw {
    /// `None` for what says nothing about results: `report`, `discovered`, `timeout` (libtest's
    /// warning that a test has been running for a minute) and whatever is invented next.
    fn into_event(self) -> Option<Event> {
        match (self.kind.as_deref()?, self.event.as_deref()) {
            ("suite", Some("started")) => {
                Some(Event::SuiteStarted { tests: self.test_count, binary: self.binary() })
            }
            ("suite", Some("ok" | "failed")) => {
                let counts = self.passed.zip(self.failed).map(|(passed, failed)| Counts {
                    passed: passed.saturating_add(self.measured.unwrap_or(0)),
                    failed,
                    ignored: self.ignored.unwrap_or(0),
                });
                Some(Event::SuiteEnded { counts, binary: self.binary() })
            }
            ("test", Some("started")) => Some(Event::TestStarted { name: self.name? }),
            ("test", Some("ok")) | ("bench", None) => self.end(Outcome::Passed),
            ("test", Some("failed")) => self.end(Outcome::Failed),
            ("test", Some("ignored")) => self.end(Outcome::Skipped),
            _ => None,
        }
    }

    fn binary(self) -> Option<Binary> {
        let RawBinary { package, test_binary, kind } = self.nextest?;
        Some(Binary { package, name: test_binary, kind })
    }

    fn end(self, outcome: Outcome) -> Option<Event> {
        Some(Event::TestEnded(TestEnd {
            name: self.name?,
            outcome,
            seconds: self.exec_time,
            output: self.stdout,
            message: self.message,
            reason: self.reason,
        }))
    }
}

impl TestEnd {
    /// The test under the id that belongs to its name.
    pub(super) fn into_test(self, id: String) -> TestCase {
        let mut test = TestCase::new(id, self.outcome);
        test.duration = self.seconds;
        let output = self.output.as_deref().map(|output| output.trim_matches('\n'));
        test.evidence.output = output.filter(|output| !output.trim().is_empty()).map(str::to_owned);
        if self.outcome != Outcome::Failed {
            test.evidence.message = self.message.or(self.reason);
            return test;
        }
        if let Some(output) = &test.evidence.output {
            let screen = Screen::of(output.as_bytes());
            let complaint = Complaint::find(&without_transcript(screen.text()));
            (test.evidence.message, test.file, test.line) =
                (complaint.message, complaint.file, complaint.line);
        }
        if let Some(message) = self.message {
            // What libtest has to say about `should_panic`, the rest of it below the first line.
            let complaint = Complaint::find(&format!("note: {message}"));
            test.evidence.message =
                complaint.message.map(|text| text.trim_start_matches("note: ").to_owned());
            test.file = test.file.or(complaint.file);
            test.line = test.line.or(complaint.line);
            test.evidence.details = message.contains('\n').then_some(message);
        }
        if let Some(reason) = self.reason {
            test.evidence.kind = (reason == TIME_LIMIT).then(|| TIMEOUT.to_owned());
            test.evidence.message = Some(reason);
        }
        test
    }
}
