//! The tests of a result, by what a reader wants to know of them.

use pony_formats::{Evidence, Outcome, TestCase};

use super::Status;
use super::names::{Names, Portion};
use super::since::NoteView;
use super::stream::{Budget, Listed, Stream};
use crate::text::{self, Excerpt};

/// Bad tests that are shown with all that is known of them.
const FULL_MAX: usize = 100;

/// Failing tests of a result whose history its page tells.
pub(crate) const NOTES_MAX: usize = FULL_MAX;

/// Bad tests whose details are unfolded from the start.
const OPEN_MAX: usize = 3;

/// Bytes of captured text of all tests together.
const TEXT_BYTES_MAX: usize = 1024 * 1024;

/// Bytes of a message; the rest of it is details.
const MESSAGE_BYTES_MAX: usize = 2_000;

/// All tests of a result.
#[derive(Debug, Clone)]
pub(crate) struct Tests {
    pub(crate) failing: Listed<TestView>,
    /// The bad tests that `failing` has no room for.
    pub(crate) failing_brief: Names,
    pub(crate) flaky: Listed<TestView>,
    pub(crate) skipped: Names,
    pub(crate) passed: Names,
}

/// A test with all that is known of it.
#[derive(Debug, Clone)]
pub(crate) struct TestView {
    pub(crate) id: String,
    pub(crate) status: Status,
    pub(crate) outcome: &'static str,
    pub(crate) duration: Option<String>,
    /// `file:line`.
    pub(crate) location: Option<String>,
    /// The step that ran it, when several ran tests.
    pub(crate) step: Option<String>,
    pub(crate) evidence: EvidenceView,
    pub(crate) attempts: Vec<AttemptView>,
    pub(crate) open: bool,
    /// What is known of it besides this result.
    pub(crate) note: Option<NoteView>,
}

/// An earlier run of a test.
#[derive(Debug, Clone)]
pub(crate) struct AttemptView {
    pub(crate) outcome: &'static str,
    pub(crate) duration: Option<String>,
    pub(crate) evidence: EvidenceView,
}

/// What the runner said.
#[derive(Debug, Clone)]
pub(crate) struct EvidenceView {
    pub(crate) kind: Option<String>,
    pub(crate) message: Option<String>,
    pub(crate) streams: Vec<Stream>,
}

/// A test on one line.
#[derive(Debug, Clone)]
pub(crate) struct BriefTest {
    pub(crate) id: String,
    /// The reason, or what makes it different from the others in its list.
    pub(crate) note: Option<String>,
    pub(crate) duration: Option<String>,
}

/// A test and the name of the step that ran it.
type Sourced<'a> = (&'a TestCase, Option<&'a str>);

impl Tests {
    /// `tests` in the order of the steps.
    pub(super) fn new(tests: &[Sourced<'_>], note: impl Fn(&str) -> Option<NoteView>) -> Self {
        let only = |wanted: fn(Outcome) -> bool| -> Vec<Sourced<'_>> {
            tests.iter().copied().filter(|(test, _)| wanted(test.outcome)).collect()
        };
        let mut budget = Budget::new(TEXT_BYTES_MAX);
        let bad = only(Outcome::is_bad);
        let (in_full, in_brief) = bad.split_at(bad.len().min(FULL_MAX));
        let full = in_full.iter().enumerate();
        let failing = full.map(|(index, test)| TestView {
            note: note(&test.0.id),
            ..TestView::new(*test, &mut budget, index < OPEN_MAX)
        });
        let failing = Listed::new(failing, FULL_MAX);
        let flaky = only(|outcome| outcome == Outcome::Flaky);
        let flaky = flaky.iter().map(|test| TestView::new(*test, &mut budget, false));
        Self {
            failing,
            failing_brief: brief(in_brief, "failing"),
            flaky: Listed::new(flaky, FULL_MAX),
            skipped: brief(
                &only(|outcome| matches!(outcome, Outcome::Skipped | Outcome::ExpectedFailure)),
                "skipped",
            ),
            passed: brief(&only(|outcome| outcome == Outcome::Passed), "passed"),
        }
    }

    /// The pages of names.
    pub(crate) fn portions(&self) -> impl Iterator<Item = &Portion> {
        [&self.failing_brief, &self.skipped, &self.passed].into_iter().flat_map(|one| &one.portions)
    }

    /// How many made the run red, in words.
    pub(crate) fn bad_count(&self) -> String {
        text::count(self.failing.items.len() + self.failing_brief.len())
    }
}

fn brief(tests: &[Sourced<'_>], kind: &str) -> Names {
    Names::new(tests.iter().map(|(test, _)| BriefTest::new(test)), kind)
}

impl BriefTest {
    fn new(test: &TestCase) -> Self {
        let ordinary = matches!(test.outcome, Outcome::Passed | Outcome::Skipped | Outcome::Failed);
        let message = test.evidence.message.as_deref().filter(|message| !message.trim().is_empty());
        let note = match (ordinary, message) {
            (true, message) => message.map(text::name),
            (false, None) => Some(test.outcome.as_str().to_owned()),
            (false, Some(message)) => {
                Some(format!("{}: {}", test.outcome.as_str(), text::name(message)))
            }
        };
        Self { id: text::name(&test.id), note, duration: test.duration.map(text::duration) }
    }
}

impl TestView {
    fn new((test, step): Sourced<'_>, budget: &mut Budget, open: bool) -> Self {
        let attempts = test.attempts.iter().map(|attempt| AttemptView {
            outcome: attempt.outcome.as_str(),
            duration: attempt.duration.map(text::duration),
            evidence: EvidenceView::new(&attempt.evidence, budget),
        });
        let attempts = attempts.collect();
        let location = test.file.as_deref().map(|file| match test.line {
            Some(line) => format!("{}:{line}", text::name(file)),
            None => text::name(file),
        });
        Self {
            id: text::name(&test.id),
            status: if test.outcome.is_bad() { Status::Failed } else { Status::Warning },
            outcome: test.outcome.as_str(),
            duration: test.duration.map(text::duration),
            location,
            step: step.map(text::name),
            evidence: EvidenceView::new(&test.evidence, budget),
            attempts,
            open,
            note: None,
        }
    }
}

impl EvidenceView {
    fn new(evidence: &Evidence, budget: &mut Budget) -> Self {
        let texts = [
            ("Details", &evidence.details),
            ("Output", &evidence.output),
            ("Error output", &evidence.errout),
        ];
        let streams =
            texts.into_iter().filter_map(|(title, text)| budget.stream(title, text.as_deref()));
        let streams = streams.collect();
        let message = evidence.message.as_deref().map(|message| {
            let message = Excerpt::of(text::output(message.trim()), MESSAGE_BYTES_MAX);
            if message.is_cut() {
                format!("{} … {}", message.head, message.tail)
            } else {
                message.head
            }
        });
        // Python's runners put the class in front of the message as well.
        let kind = evidence.kind.as_deref().map(text::name);
        let kind = kind.filter(|kind| !message.as_ref().is_some_and(|text| text.starts_with(kind)));
        Self { kind, message, streams }
    }
}
