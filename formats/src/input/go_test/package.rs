//! What is known of one package and of one test while its events arrive.

use super::event::{self, Action, Event};
use crate::model::{Attempt, Outcome, TestCase};

/// How `go` marks a package that it could not build.
const BUILD_FAILED: &str = "[build failed]";

#[derive(Debug)]
pub(super) struct Package {
    pub(super) name: String,
    /// What it wrote outside its tests.
    pub(super) output: String,
    /// Something of it was seen since it last ended.
    pub(super) is_open: bool,
    pub(super) has_passed: Option<bool>,
    /// Its tests since it last ended, by their place in the order of all.
    pub(super) runs: Vec<usize>,
}

impl Package {
    pub(super) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            output: String::new(),
            is_open: false,
            has_passed: None,
            runs: Vec::new(),
        }
    }

    /// A package of which nothing else is known.
    pub(super) fn unbuilt(name: &str) -> Self {
        Self { output: BUILD_FAILED.to_owned(), ..Self::new(name) }
    }

    /// Whether there is nothing to run of it.
    pub(super) fn is_unbuilt(&self) -> bool {
        [BUILD_FAILED, "[setup failed]"].iter().any(|mark| self.output.contains(mark))
    }

    pub(super) fn add_output(&mut self, text: &str) {
        self.is_open = true;
        self.output.push_str(text);
    }

    pub(super) fn end(&mut self, has_passed: bool) {
        self.is_open = false;
        self.has_passed = Some(has_passed);
    }

    /// The errored test that stands for the package. `build` is what the compiler said.
    pub(super) fn failure(&self, build: Option<String>) -> TestCase {
        let name = if self.name.is_empty() { "package" } else { &self.name };
        let mut test = TestCase::new(name, Outcome::Errored);
        let said: String = self
            .output
            .split_inclusive('\n')
            .filter(|line| !event::is_package_framing(line))
            .collect();
        let evidence = &mut test.evidence;
        evidence.output = filled(said).filter(|_| !self.is_unbuilt());
        if self.is_unbuilt() {
            evidence.kind = Some("build error".to_owned());
            evidence.message = Some("the package could not be built".to_owned());
            evidence.details = build.and_then(filled);
            let first =
                evidence.details.as_deref().unwrap_or_default().lines().find_map(event::place);
            if let Some((file, line, text)) = first {
                evidence.message = Some(text.to_owned());
                (test.file, test.line) = (Some(file.to_owned()), Some(line));
            }
        } else if self.has_passed.is_none() {
            evidence.message = Some("the stream ends before the package does".to_owned());
        } else {
            let panic = self.output.lines().find(|line| line.starts_with("panic: "));
            let message = panic.unwrap_or("the package failed although no test of it did");
            evidence.message = Some(message.to_owned());
            evidence.kind = panic.map(|_| "panic".to_owned());
        }
        test
    }
}

/// One test, and what it says in the run that is under way.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) name: String,
    test: TestCase,
    output: String,
    has_failed: bool,
    state: State,
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    Running,
    Done,
}

impl Run {
    pub(super) fn new(package: &str, name: &str) -> Self {
        let separator = if package.is_empty() { "" } else { "::" };
        let test = TestCase::new(format!("{package}{separator}{name}"), Outcome::Errored);
        Self {
            name: name.to_owned(),
            test,
            output: String::new(),
            has_failed: false,
            state: State::Running,
        }
    }

    pub(super) fn done(test: TestCase) -> Self {
        Self {
            name: String::new(),
            test,
            output: String::new(),
            has_failed: false,
            state: State::Done,
        }
    }

    pub(super) fn is_done(&self) -> bool {
        self.state == State::Done
    }

    pub(super) fn outcome(&self) -> Outcome {
        self.test.outcome
    }

    /// Whether it failed, or never ended, since this was last asked.
    pub(super) fn take_failed(&mut self) -> bool {
        std::mem::take(&mut self.has_failed)
    }

    pub(super) fn feed(&mut self, action: Action, event: &Event) {
        match action {
            Action::Run if self.is_done() => self.run_again(),
            Action::Output => {
                let text = event.output.as_deref().unwrap_or_default();
                if !event::is_framing(text) {
                    self.output.push_str(text);
                }
            }
            Action::Pass | Action::Bench => self.end(Outcome::Passed, event.elapsed),
            Action::Fail => self.end(Outcome::Failed, event.elapsed),
            Action::Skip => self.end(Outcome::Skipped, event.elapsed),
            _ => {}
        }
    }

    /// What ended becomes an earlier attempt.
    fn run_again(&mut self) {
        self.keep_output();
        let test = &mut self.test;
        test.attempts.push(Attempt {
            outcome: test.outcome,
            duration: test.duration.take(),
            evidence: std::mem::take(&mut test.evidence),
        });
        (test.file, test.line) = (None, None);
        test.outcome = Outcome::Errored;
        self.state = State::Running;
    }

    fn end(&mut self, outcome: Outcome, elapsed: Option<f64>) {
        self.test.outcome = outcome;
        self.has_failed |= outcome.is_bad();
        self.test.duration = elapsed.filter(|seconds| seconds.is_finite() && *seconds >= 0.0);
        self.state = State::Done;
    }

    /// Ends a test whose end was never told.
    pub(super) fn settle(&mut self, has_passed: bool, package_ended: bool) {
        if has_passed {
            return self.end(Outcome::Passed, None);
        }
        let how = match package_ended {
            true => "the test never ended, but its package did",
            false => "the stream ends before the test does",
        };
        self.end(Outcome::Errored, None);
        self.test.evidence.message = Some(how.to_owned());
    }

    /// Output of a test that failed may come after its end, so it is read as late as possible.
    fn keep_output(&mut self) {
        let output = std::mem::take(&mut self.output);
        let (test, lines) = (&mut self.test, || output.lines());
        let panic = lines().find(|line| line.starts_with("panic: "));
        let place = match test.outcome {
            Outcome::Failed | Outcome::Errored if panic.is_some() => {
                test.outcome = Outcome::Errored;
                test.evidence.kind = Some("panic".to_owned());
                test.evidence.message = panic.map(str::to_owned);
                lines().filter_map(event::place).find(|(file, ..)| file.ends_with("_test.go"))
            }
            Outcome::Failed => {
                let place = lines().filter_map(event::place).find(|(_, _, text)| !text.is_empty());
                test.evidence.message = place.map(|place| place.2.to_owned());
                place.or_else(|| lines().find_map(event::place))
            }
            Outcome::Skipped => {
                let place = lines().filter_map(event::place).next_back();
                test.evidence.message = place.map(|place| place.2.to_owned());
                place
            }
            _ => None,
        };
        if let Some((file, line, _)) = place {
            (test.file, test.line) = (Some(file.to_owned()), Some(line));
        }
        let message = test.evidence.message.take().filter(|message| !message.is_empty());
        let is_silent = test.outcome != Outcome::Failed;
        test.evidence.message = message.or_else(|| if is_silent { None } else { told(&output) });
        test.evidence.output = filled(output);
    }

    pub(super) fn into_test(mut self) -> TestCase {
        if !self.output.is_empty() {
            self.keep_output();
        }
        let test = &mut self.test;
        let is_bad = |attempt: &Attempt| attempt.outcome.is_bad();
        if test.outcome == Outcome::Passed && test.attempts.iter().any(is_bad) {
            test.outcome = Outcome::Flaky;
        }
        self.test
    }
}

/// What a failed test says that named no place: testify's `Error:`, an example's `got:` and
/// `want:`, or simply the first line.
fn told(output: &str) -> Option<String> {
    let lines = output.lines().map(str::trim);
    if let Some(error) = lines.clone().find_map(|line| line.strip_prefix("Error:")) {
        let next = || lines.clone().skip_while(|line| !line.starts_with("Error:")).nth(1);
        return Some(error.trim())
            .filter(|error| !error.is_empty())
            .or_else(next)
            .map(str::to_owned);
    }
    let first = lines.clone().find(|line| !line.is_empty())?;
    if first == "got:" {
        return Some(lines.collect::<Vec<_>>().join(" "));
    }
    (event::place(first).is_none()).then(|| first.to_owned())
}

fn filled(text: String) -> Option<String> {
    (!text.trim().is_empty()).then_some(text)
}
