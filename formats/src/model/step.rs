//! [`Step`]: one entry of the results list.

use super::{Tally, TestCase};
use crate::excerpt::Kept;
use crate::value::{Bag, Value};

/// One command, checkout or upload of a run, with the tests it ran.
///
/// Every key is optional: clients of the original protocol send steps without `name`,
/// `command` or `output`. Tests are kept in the order of their ids; tests with equal ids keep the
/// order in which they came.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Step {
    bag: Bag,
    tests: Vec<TestCase>,
}

/// How a step ended, by its `status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepStatus {
    /// Exit status 0.
    Succeeded,
    /// Any other exit status; negative for a signal, -1 also for a command that did not start.
    Failed(i64),
    /// The step carries no status.
    Unknown,
}

/// The key that says of which streams not everything is in the step.
const LEFT_OUT: &str = "left_out";
/// The key of the test cases.
const TESTS: &str = "tests";
/// The key of the counts of tests whose names the runner did not print.
const UNNAMED_TESTS: &str = "unnamed_tests";

impl Step {
    /// Takes a struct of the results list as it came. `tests` is understood when it is an array
    /// of test cases, and otherwise kept like any unknown key.
    pub fn from_bag(mut bag: Bag) -> Self {
        let tests = match bag.remove(TESTS) {
            None => Vec::new(),
            Some(value) => match read_tests(&value) {
                Some(tests) => tests,
                None => {
                    bag.insert(TESTS.to_owned(), value);
                    Vec::new()
                }
            },
        };
        Self { bag, tests: sorted(tests) }
    }

    /// The step as a struct on the wire.
    pub fn into_bag(self) -> Bag {
        let mut bag = self.bag;
        if !self.tests.is_empty() {
            let tests = self.tests.into_iter().map(|test| Value::Struct(test.into_bag()));
            bag.insert(TESTS.to_owned(), Value::Array(tests.collect()));
        }
        bag
    }

    /// Replaces the tests. Drops a `tests` key of another shape.
    #[must_use = "this returns the step"]
    pub fn with_tests(mut self, tests: Vec<TestCase>) -> Self {
        self.bag.remove(TESTS);
        self.tests = sorted(tests);
        self
    }

    /// Adds or replaces a key. `tests` goes through [`Step::with_tests`].
    #[must_use = "this returns the step"]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.bag.insert(key.to_owned(), value.into());
        self
    }

    /// Adds or replaces what is kept of a stream, one of [`STREAMS`](crate::excerpt::STREAMS).
    #[must_use = "this returns the step"]
    pub fn with_stream(mut self, stream: &str, kept: Kept) -> Self {
        if kept.left_out > 0 {
            let mut streams = match self.bag.remove(LEFT_OUT) {
                Some(Value::Struct(streams)) => streams,
                _ => Bag::new(),
            };
            let bytes = i64::try_from(kept.left_out).unwrap_or(i64::MAX);
            streams.insert(stream.to_owned(), Value::Int(bytes));
            self.bag.insert(LEFT_OUT.to_owned(), Value::Struct(streams));
        }
        self.with(stream, kept.text)
    }

    /// How many bytes of a stream are not in the step, if somebody has shortened it.
    pub fn left_out(&self, stream: &str) -> Option<u64> {
        let streams = self.bag.get(LEFT_OUT)?.as_struct()?;
        u64::try_from(streams.get(stream)?.as_int()?).ok()
    }

    /// Records tests that ran but that the runner did not name (nose prints a dot for each).
    #[must_use = "this returns the step"]
    pub fn with_unnamed_tests(self, tally: Tally) -> Self {
        if tally.total == 0 {
            return self;
        }
        let number = |count: u64| Value::Int(i64::try_from(count).unwrap_or(i64::MAX));
        let counts = [
            ("passed", tally.passed),
            ("failed", tally.failed),
            ("errored", tally.errored),
            ("skipped", tally.skipped),
        ];
        let counts = counts.into_iter().filter(|(_, count)| *count > 0);
        let bag = counts.map(|(key, count)| (key.to_owned(), number(count))).collect();
        self.with(UNNAMED_TESTS, Value::Struct(bag))
    }

    /// The named tests, in the order of their ids.
    pub fn tests(&self) -> &[TestCase] {
        &self.tests
    }

    /// The counts of named and unnamed tests.
    pub fn tally(&self) -> Tally {
        self.tests.iter().map(|test| test.outcome).collect::<Tally>() + self.unnamed_tests()
    }

    /// The counts of tests that the runner did not name.
    pub fn unnamed_tests(&self) -> Tally {
        let Some(Value::Struct(counts)) = self.bag.get(UNNAMED_TESTS) else {
            return Tally::default();
        };
        let count = |key: &str| {
            counts.get(key).and_then(Value::as_int).and_then(|n| u64::try_from(n).ok()).unwrap_or(0)
        };
        let [passed, failed, errored, skipped] =
            ["passed", "failed", "errored", "skipped"].map(count);
        let total = [failed, errored, skipped].into_iter().fold(passed, u64::saturating_add);
        Tally { total, passed, failed, errored, skipped }
    }

    /// `setup`, `build`, `test`, `package` or `file_upload`, or what the client calls it.
    pub fn kind(&self) -> Option<&str> {
        self.text("type")
    }

    /// The name, when the client gave one.
    pub fn name(&self) -> Option<&str> {
        self.text("name")
    }

    /// The command line: a string, or the words of an array joined with blanks.
    pub fn command(&self) -> Option<String> {
        match self.bag.get("command")? {
            Value::String(text) => Some(text.clone()),
            Value::Array(words) => {
                let words: Vec<&str> = words.iter().filter_map(Value::as_str).collect();
                Some(words.join(" "))
            }
            _ => None,
        }
    }

    /// How it ended.
    pub fn status(&self) -> StepStatus {
        match self.bag.get("status").and_then(Value::as_int) {
            Some(0) => StepStatus::Succeeded,
            Some(status) => StepStatus::Failed(status),
            None => StepStatus::Unknown,
        }
    }

    /// Standard output; version control steps of the original client call it `out`.
    pub fn output(&self) -> Option<&str> {
        self.text("output").or_else(|| self.text("out"))
    }

    /// Standard error.
    pub fn errout(&self) -> Option<&str> {
        self.text("errout")
    }

    /// Seconds, when the client said so.
    pub fn duration(&self) -> Option<f64> {
        self.bag
            .get("duration")
            .and_then(Value::as_f64)
            .filter(|seconds| seconds.is_finite() && *seconds >= 0.0)
    }

    /// Every key but the understood `tests`.
    pub fn bag(&self) -> &Bag {
        &self.bag
    }

    /// The same step with other content: what `tests` makes of each test and `bag` of all other keys.
    #[must_use = "this returns the step"]
    pub fn edited(mut self, bag: impl FnOnce(&mut Bag), tests: impl FnMut(&mut TestCase)) -> Self {
        bag(&mut self.bag);
        self.tests.iter_mut().for_each(tests);
        Self { tests: sorted(self.tests), ..self }
    }

    /// The bag and the tests, separately.
    pub(crate) fn into_parts(self) -> (Bag, Vec<TestCase>) {
        (self.bag, self.tests)
    }

    fn text(&self, key: &str) -> Option<&str> {
        self.bag.get(key).and_then(Value::as_str)
    }
}

/// `None` unless every item is a test case. An empty array is no list of tests either, so that
/// it comes back as it was sent.
fn read_tests(value: &Value) -> Option<Vec<TestCase>> {
    let items = value.as_array().filter(|items| !items.is_empty())?;
    items.iter().map(|item| TestCase::from_bag(item.as_struct()?.clone())).collect()
}

fn sorted(mut tests: Vec<TestCase>) -> Vec<TestCase> {
    tests.sort_by(|a, b| a.id.cmp(&b.id));
    tests
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Outcome;

    #[test]
    fn tests_of_another_shape_are_kept_as_they_are() {
        for odd in [Value::from("all fine"), Value::Array(vec![]), Value::Array(vec![Value::Nil])] {
            let bag = Bag::from([("tests".to_owned(), odd)]);
            assert_eq!(Step::from_bag(bag.clone()).into_bag(), bag);
        }
    }

    #[test]
    fn tests_are_sorted_and_equal_ids_keep_their_order() {
        let test = |id, outcome| TestCase::new(id, outcome);
        let step = Step::default().with_tests(vec![
            test("b", Outcome::Failed),
            test("a", Outcome::Passed),
            test("b", Outcome::Passed),
        ]);
        let seen: Vec<_> =
            step.tests().iter().map(|test| (test.id.as_str(), test.outcome)).collect();
        assert_eq!(seen, [("a", Outcome::Passed), ("b", Outcome::Failed), ("b", Outcome::Passed)]);
    }

    #[test]
    fn unnamed_tests_count() {
        let unnamed = Tally { total: 5, passed: 4, skipped: 1, ..Tally::default() };
        let step = Step::default()
            .with_tests(vec![TestCase::new("a", Outcome::Errored)])
            .with_unnamed_tests(unnamed);
        assert_eq!(step.tally(), Tally { total: 6, passed: 4, errored: 1, skipped: 1, failed: 0 });
        assert_eq!(Step::from_bag(step.clone().into_bag()), step);
    }

    #[test]
    fn a_step_says_of_which_streams_bytes_are_left_out() {
        let kept = |left_out| Kept { text: "ends".to_owned(), left_out, replaced: false };
        let step = Step::default().with_stream("output", kept(5)).with_stream("errout", kept(0));
        assert_eq!(step.left_out("output"), Some(5));
        assert_eq!((step.left_out("errout"), step.errout()), (None, Some("ends")));
        assert_eq!(step.with_stream("errout", kept(7)).left_out("output"), Some(5));
    }

    #[test]
    fn a_hostile_count_does_not_overflow() {
        let counts = Bag::from([
            ("passed".to_owned(), Value::Int(i64::MAX)),
            ("failed".to_owned(), Value::Int(i64::MAX)),
            ("skipped".to_owned(), Value::Int(i64::MAX)),
            ("errored".to_owned(), Value::Int(-5)),
        ]);
        let step = Step::default().with("unnamed_tests", Value::Struct(counts));
        assert_eq!(step.tally().total, u64::MAX);
    }
}
