//! [`TestCase`]: one test inside a step, its [`Outcome`], and the [`Tally`] of many.

use std::iter::Sum;
use std::ops::{Add, AddAssign};

use super::take_string;
use crate::value::{Bag, Value};

/// How a test ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// It did what it should.
    Passed,
    /// It passed, but only after at least one attempt that did not.
    Flaky,
    /// It failed, as it was marked to do.
    ExpectedFailure,
    /// It was not run.
    Skipped,
    /// It passed although it was marked to fail, and its runner minds.
    UnexpectedPass,
    /// An assertion of the test did not hold.
    Failed,
    /// Something else went wrong: set-up, tear-down, a crash, a time-out.
    Errored,
}

/// Every outcome with its word on the wire and its letter in the stored form.
const OUTCOMES: [(Outcome, &str, char); 7] = [
    (Outcome::Passed, "passed", 'P'),
    (Outcome::Flaky, "flaky", 'R'),
    (Outcome::ExpectedFailure, "expected-failure", 'x'),
    (Outcome::Skipped, "skipped", 'S'),
    (Outcome::UnexpectedPass, "unexpected-pass", 'X'),
    (Outcome::Failed, "failed", 'F'),
    (Outcome::Errored, "errored", 'E'),
];

impl Outcome {
    /// The word used on the wire, in JSON and on pages.
    pub fn as_str(self) -> &'static str {
        OUTCOMES.iter().find(|row| row.0 == self).map_or("passed", |row| row.1)
    }

    /// The outcome that [`Outcome::as_str`] writes as `word`.
    pub fn from_word(word: &str) -> Option<Self> {
        OUTCOMES.iter().find(|row| row.1 == word).map(|row| row.0)
    }

    /// The letter used in `outcomes.txt`: those of pytest's short summary, but `P` for a pass.
    pub fn letter(self) -> char {
        OUTCOMES.iter().find(|row| row.0 == self).map_or('P', |row| row.2)
    }

    /// The outcome that [`Outcome::letter`] writes as `letter`.
    pub fn from_letter(letter: char) -> Option<Self> {
        OUTCOMES.iter().find(|row| row.2 == letter).map(|row| row.0)
    }

    /// Whether this makes a run red.
    pub fn is_bad(self) -> bool {
        matches!(self, Self::UnexpectedPass | Self::Failed | Self::Errored)
    }
}

/// One test, as its runner reported it.
#[derive(Debug, Clone, PartialEq)]
pub struct TestCase {
    /// Stable identity inside a package: the class, module or binary, `::`, and the name.
    pub id: String,
    /// How it ended; the last attempt decides.
    pub outcome: Outcome,
    /// Seconds. Not negative, and finite.
    pub duration: Option<f64>,
    /// What the runner said about it.
    pub evidence: Evidence,
    /// The source file, as the runner named it.
    pub file: Option<String>,
    /// The line in that file, from 1.
    pub line: Option<i64>,
    /// Earlier attempts, in the order in which they ran.
    pub attempts: Vec<Attempt>,
    /// Keys that pony gives no meaning to.
    pub extra: Bag,
}

/// What a runner says about a test besides its outcome.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Evidence {
    /// One line: the failed assertion, the reason for skipping.
    pub message: Option<String>,
    /// The class of the failure, for example `AssertionError`. `type` on the wire.
    pub kind: Option<String>,
    /// The traceback or backtrace.
    pub details: Option<String>,
    /// Captured standard output.
    pub output: Option<String>,
    /// Captured standard error.
    pub errout: Option<String>,
}

/// One run of a test that was run again.
#[derive(Debug, Clone, PartialEq)]
pub struct Attempt {
    /// How this attempt ended.
    pub outcome: Outcome,
    /// Seconds. Not negative, and finite.
    pub duration: Option<f64>,
    /// What the runner said about it.
    pub evidence: Evidence,
}

impl TestCase {
    /// A test with nothing to say but its outcome.
    pub fn new(id: impl Into<String>, outcome: Outcome) -> Self {
        Self {
            id: id.into(),
            outcome,
            duration: None,
            evidence: Evidence::default(),
            file: None,
            line: None,
            attempts: Vec::new(),
            extra: Bag::new(),
        }
    }

    /// What a reader makes of something that went wrong outside the tests: an errored test that says so.
    pub(crate) fn errored(id: impl Into<String>, message: impl Into<String>) -> Self {
        let mut test = Self::new(id, Outcome::Errored);
        test.evidence.message = Some(message.into());
        test
    }

    /// Whether there is nothing to say but id, outcome and duration.
    pub fn is_plain(&self) -> bool {
        self.evidence == Evidence::default()
            && self.file.is_none()
            && self.line.is_none()
            && self.attempts.is_empty()
            && self.extra.is_empty()
    }

    /// Reads the struct that [`TestCase::into_bag`] writes. `None` when it has no `id` or no known
    /// `outcome`; any other key that does not fit goes to `extra`.
    pub fn from_bag(mut bag: Bag) -> Option<Self> {
        let id = take_string(&mut bag, "id")?;
        let outcome = Outcome::from_word(&take_string(&mut bag, "outcome")?)?;
        let attempts = match bag.remove("attempts") {
            None => Vec::new(),
            Some(value) => match Attempt::list_from(&value) {
                Some(attempts) => attempts,
                None => {
                    bag.insert("attempts".to_owned(), value);
                    Vec::new()
                }
            },
        };
        let line = bag.get("line").and_then(Value::as_int);
        if line.is_some() {
            bag.remove("line");
        }
        Some(Self {
            id,
            outcome,
            duration: take_seconds(&mut bag),
            evidence: Evidence::take_from(&mut bag),
            file: take_string(&mut bag, "file"),
            line,
            attempts,
            extra: bag,
        })
    }

    /// The test as a struct on the wire.
    pub fn into_bag(self) -> Bag {
        let mut bag = self.into_details_bag();
        let (id, outcome, duration) = bag.1;
        bag.0.insert("id".to_owned(), Value::String(id));
        bag.0.insert("outcome".to_owned(), Value::from(outcome.as_str()));
        if let Some(seconds) = duration {
            bag.0.insert("duration".to_owned(), Value::Double(seconds));
        }
        bag.0
    }

    /// Splits the test into what is said besides id, outcome and duration, and those three.
    pub(crate) fn into_details_bag(self) -> (Bag, (String, Outcome, Option<f64>)) {
        let mut bag = self.extra;
        self.evidence.put_into(&mut bag);
        if let Some(file) = self.file {
            bag.insert("file".to_owned(), Value::String(file));
        }
        if let Some(line) = self.line {
            bag.insert("line".to_owned(), Value::Int(line));
        }
        if !self.attempts.is_empty() {
            let attempts =
                self.attempts.into_iter().map(|attempt| Value::Struct(attempt.into_bag()));
            bag.insert("attempts".to_owned(), Value::Array(attempts.collect()));
        }
        (bag, (self.id, self.outcome, self.duration))
    }
}

impl Attempt {
    fn list_from(value: &Value) -> Option<Vec<Self>> {
        let items = value.as_array()?.iter();
        items
            .map(|item| Self::from_bag(item.as_struct()?.clone()))
            .collect::<Option<Vec<_>>>()
            .filter(|list| !list.is_empty())
    }

    /// `None` unless the struct holds an attempt and nothing else.
    fn from_bag(mut bag: Bag) -> Option<Self> {
        let outcome = Outcome::from_word(&take_string(&mut bag, "outcome")?)?;
        let attempt = Self {
            outcome,
            duration: take_seconds(&mut bag),
            evidence: Evidence::take_from(&mut bag),
        };
        bag.is_empty().then_some(attempt)
    }

    fn into_bag(self) -> Bag {
        let mut bag = Bag::from([("outcome".to_owned(), Value::from(self.outcome.as_str()))]);
        if let Some(seconds) = self.duration {
            bag.insert("duration".to_owned(), Value::Double(seconds));
        }
        self.evidence.put_into(&mut bag);
        bag
    }
}

impl Evidence {
    fn take_from(bag: &mut Bag) -> Self {
        Self {
            message: take_string(bag, "message"),
            kind: take_string(bag, "type"),
            details: take_string(bag, "details"),
            output: take_string(bag, "output"),
            errout: take_string(bag, "errout"),
        }
    }

    fn put_into(self, bag: &mut Bag) {
        let members = [
            ("message", self.message),
            ("type", self.kind),
            ("details", self.details),
            ("output", self.output),
            ("errout", self.errout),
        ];
        for (key, text) in members {
            if let Some(text) = text {
                bag.insert(key.to_owned(), Value::String(text));
            }
        }
    }
}

fn take_seconds(bag: &mut Bag) -> Option<f64> {
    let seconds =
        bag.get("duration").and_then(Value::as_f64).filter(|s| s.is_finite() && *s >= 0.0)?;
    bag.remove("duration");
    Some(seconds)
}

/// How many tests ended how. The refinements are folded into the four outcomes that every
/// tool knows: a flaky test passed, an expected failure was skipped, an unexpected pass failed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Tally {
    /// All of them.
    pub total: u64,
    /// Passed, flaky ones included.
    pub passed: u64,
    /// Failed, unexpected passes included.
    pub failed: u64,
    /// Errored.
    pub errored: u64,
    /// Skipped, expected failures included.
    pub skipped: u64,
}

impl Tally {
    /// Counts one more test.
    pub fn count(&mut self, outcome: Outcome) {
        self.total += 1;
        match outcome {
            Outcome::Passed | Outcome::Flaky => self.passed += 1,
            Outcome::Failed | Outcome::UnexpectedPass => self.failed += 1,
            Outcome::Errored => self.errored += 1,
            Outcome::Skipped | Outcome::ExpectedFailure => self.skipped += 1,
        }
    }

    /// How many tests make the run red.
    pub fn bad(&self) -> u64 {
        self.failed.saturating_add(self.errored)
    }
}

impl FromIterator<Outcome> for Tally {
    fn from_iter<I: IntoIterator<Item = Outcome>>(outcomes: I) -> Self {
        let mut tally = Self::default();
        outcomes.into_iter().for_each(|outcome| tally.count(outcome));
        tally
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        // Saturating: unnamed counts come from outside.
        self.total = self.total.saturating_add(other.total);
        self.passed = self.passed.saturating_add(other.passed);
        self.failed = self.failed.saturating_add(other.failed);
        self.errored = self.errored.saturating_add(other.errored);
        self.skipped = self.skipped.saturating_add(other.skipped);
    }
}

impl Add for Tally {
    type Output = Self;

    fn add(mut self, other: Self) -> Self {
        self += other;
        self
    }
}

impl Sum for Tally {
    fn sum<I: Iterator<Item = Self>>(tallies: I) -> Self {
        tallies.fold(Self::default(), Add::add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_letters_are_one_to_one() {
        for (outcome, word, letter) in OUTCOMES {
            assert_eq!(Outcome::from_word(word), Some(outcome));
            assert_eq!(Outcome::from_letter(letter), Some(outcome));
            assert_eq!((outcome.as_str(), outcome.letter()), (word, letter));
        }
    }

    #[test]
    fn bag_keeps_every_key() {
        let attempt = Bag::from([("outcome".into(), "failed".into()), ("type".into(), "E".into())]);
        let bag = Bag::from([
            ("id".into(), "a::b".into()),
            ("outcome".into(), "flaky".into()),
            ("duration".into(), Value::Double(0.25)),
            ("message".into(), Value::Int(7)),
            ("output".into(), "out".into()),
            ("line".into(), Value::Int(3)),
            ("attempts".into(), Value::Array(vec![Value::Struct(attempt)])),
            ("colour".into(), Value::Nil),
        ]);
        let test = TestCase::from_bag(bag.clone()).unwrap();
        assert_eq!(test.attempts.len(), 1);
        assert_eq!(test.evidence.message, None);
        assert_eq!(test.into_bag(), bag);
    }

    #[test]
    fn an_attempt_with_unknown_keys_is_kept_as_it_was() {
        let odd = Value::Array(vec![Value::Struct(Bag::from([("when".into(), Value::Nil)]))]);
        let bag = Bag::from([
            ("id".into(), "a".into()),
            ("outcome".into(), "passed".into()),
            ("attempts".into(), odd),
        ]);
        assert_eq!(TestCase::from_bag(bag.clone()).unwrap().into_bag(), bag);
    }
}
