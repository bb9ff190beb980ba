//! Reader of the events of `go test -json` and `go tool test2json`: one JSON object a line, as
//! <https://pkg.go.dev/cmd/test2json> has them. Written against go 1.19 and the documentation up
//! to 1.25.
//!
//! Every test with a name is a test, one with subtests too, as in gotestsum. An id is
//! `<package>::<TestName/subtest>`. A test that ran more than once (`-count`, a rerun of what
//! failed) has attempts; it is flaky when the last one passed and another did not.
//!
//! | what happened | outcome |
//! | --- | --- |
//! | `pass`, `bench` | passed |
//! | `fail` | failed; errored when it panicked |
//! | `skip` | skipped, with the last thing it logged as the reason |
//! | no end, in a package that failed or never ended | errored |
//! | no end, in a package that passed: a benchmark, or a subtest of a test that passed | passed |
//! | a package failed, but no test in it | errored, with the id of the package |
//! | a package that was never done, though all its tests were | the same |
//!
//! Lines that are no events are passed over, but for what `go` up to 1.23 says of a package that
//! it cannot build.

mod event;
mod package;

use std::collections::{BTreeMap, HashMap};

use super::quote::quote;
use super::terminal::{Line, Screen};
use super::{Format, ParseError, Report};
use crate::limits::Limits;
use crate::model::{Outcome, TestCase};
use event::{Action, Event};
use package::{Package, Run};

/// The byte offset of the first event.
pub(super) fn detect(screen: &Screen<'_>) -> Option<usize> {
    let is_event = |text: &str| Event::read(text.as_bytes()).is_ok_and(|event| event.is_some());
    screen.lines().find(|line| is_event(line.text)).map(|line| line.start)
}

/// Reads the events.
///
/// # Errors
/// When there is none, with the place of the first line that looked like one.
pub(super) fn parse(input: &[u8], limits: &Limits) -> Result<Report, ParseError> {
    let screen = Screen::read(input, limits)?;
    let mut reader = Reader::default();
    let mut events = 0_usize;
    let mut first_error = None;
    screen.each_line(limits, |line| {
        match Event::read(line.text.as_bytes()) {
            Ok(Some(event)) => {
                events += 1;
                reader.compiled = None;
                reader.feed(event);
            }
            Ok(None) => reader.feed_text(line),
            Err(error) => {
                first_error.get_or_insert((line.start, error));
                reader.feed_text(line);
            }
        }
        reader.runs
    })?;
    if events == 0 && reader.runs == 0 {
        return Err(no_events(&screen, first_error));
    }
    Ok(Report { tests: reader.finish(), ..screen.report(Format::GoTest) })
}

fn no_events(screen: &Screen<'_>, first_error: Option<(usize, serde_json::Error)>) -> ParseError {
    const EXPECTED: &str = "no events: expected lines as `go test -json` prints them";
    let Some((start, error)) = first_error else {
        return ParseError {
            position: screen.position(screen.text().len()),
            message: EXPECTED.to_owned(),
        };
    };
    let shown = error.to_string();
    let shown = shown.rsplit_once(" at line ").map_or(shown.as_str(), |(message, _)| message);
    ParseError {
        position: screen.position(start + error.column().saturating_sub(1)),
        message: format!("{EXPECTED}; the first one is broken: {}", quote(shown)),
    }
}

#[derive(Default)]
struct Reader {
    packages: Vec<Package>,
    package_index: HashMap<String, usize>,
    /// Every test and every package that failed on its own, in the order in which they began.
    runs_in_order: Vec<Run>,
    run_index: HashMap<(usize, String), usize>,
    /// What compilers said, by import path, such as `example.org/hay [example.org/hay.test]`.
    builds: BTreeMap<String, Build>,
    /// The import path of the last `# import/path` line between the events.
    compiled: Option<String>,
    /// How many tests began, those that ran again included.
    runs: usize,
}

#[derive(Default)]
struct Build {
    output: String,
    has_failed: bool,
    is_told: bool,
}

impl Reader {
    fn feed(&mut self, event: Event) {
        let Some(action) = event.action else { return };
        if matches!(action, Action::BuildOutput | Action::BuildFail) {
            return self.feed_build(action, event);
        }
        let package = self.package(event.package.as_deref().unwrap_or_default());
        match event.test.as_deref().filter(|test| !test.is_empty()) {
            None => self.feed_package(package, action, &event),
            Some(test) => self.feed_test(package, test, action, &event),
        }
    }

    fn feed_build(&mut self, action: Action, event: Event) {
        let build = self.builds.entry(event.import_path.unwrap_or_default()).or_default();
        build.output.push_str(event.output.as_deref().unwrap_or_default());
        build.has_failed |= action == Action::BuildFail;
    }

    fn feed_package(&mut self, at: usize, action: Action, event: &Event) {
        let package = &mut self.packages[at];
        match action {
            Action::Output => package.add_output(event.output.as_deref().unwrap_or_default()),
            Action::Pass | Action::Skip => {
                package.end(true);
                self.end_package(at, None);
            }
            Action::Fail => {
                package.end(false);
                self.end_package(at, event.failed_build.as_deref());
            }
            _ => package.is_open = true,
        }
    }

    fn feed_test(&mut self, package: usize, name: &str, action: Action, event: &Event) {
        self.packages[package].is_open = true;
        let key = (package, name.to_owned());
        let at = self.run_index.get(&key).copied().unwrap_or_else(|| {
            self.runs += 1;
            let at = self.add(package, Run::new(&self.packages[package].name, name));
            self.run_index.insert(key, at);
            at
        });
        let run = &mut self.runs_in_order[at];
        if action == Action::Run && run.is_done() {
            self.runs += 1;
            self.packages[package].runs.push(at);
        }
        run.feed(action, event);
    }

    fn add(&mut self, package: usize, run: Run) -> usize {
        let at = self.runs_in_order.len();
        self.runs_in_order.push(run);
        self.packages[package].runs.push(at);
        at
    }

    /// Settles the tests that never ended, and says why a package failed when no test did.
    fn end_package(&mut self, at: usize, failed_build: Option<&str>) {
        let has_passed = self.packages[at].has_passed;
        let runs = std::mem::take(&mut self.packages[at].runs);
        let mut is_explained = has_passed == Some(true);
        for &run in &runs {
            if !self.runs_in_order[run].is_done() {
                let is_lost = has_passed == Some(true) && self.may_end_silently(at, run);
                self.runs_in_order[run].settle(is_lost, has_passed.is_some());
            }
            is_explained |= self.runs_in_order[run].take_failed();
        }
        let test = (!is_explained).then(|| {
            let build = self.packages[at].is_unbuilt().then(|| self.build_of(at, failed_build));
            self.packages[at].failure(build.flatten())
        });
        if let Some(test) = test {
            self.runs += 1;
            self.runs_in_order.push(Run::done(test));
        }
        self.packages[at].output.clear();
    }

    /// What the compiler said of a package, once: many packages may fail for one that they need.
    fn build_of(&mut self, package: usize, failed_build: Option<&str>) -> Option<String> {
        let name = self.packages[package].name.as_str();
        let build = match failed_build {
            Some(path) => self.builds.get_mut(path),
            None => {
                let after = self.builds.range_mut(name.to_owned()..);
                let is_of = |path: &str| path.split_once(" [").map_or(path, |(of, _)| of) == name;
                after.take(1).find(|(path, _)| is_of(path)).map(|(_, build)| build)
            }
        }?;
        build.is_told = true;
        let told_before = || Some(format!("`{}` could not be built", failed_build?));
        Some(std::mem::take(&mut build.output)).filter(|text| !text.is_empty()).or_else(told_before)
    }

    /// Benchmarks have no end of their own, and a subtest's end is lost where its test wrote to
    /// standard output without a line end.
    fn may_end_silently(&self, package: usize, run: usize) -> bool {
        let name = &self.runs_in_order[run].name;
        let root = name.split_once('/').map(|(root, _)| (package, root.to_owned()));
        let root = root.and_then(|key| self.run_index.get(&key));
        name.starts_with("Benchmark")
            || root.is_some_and(|&root| self.runs_in_order[root].outcome() == Outcome::Passed)
    }

    /// Reads what `go` up to 1.23 says on standard error, and of a package that is not built.
    fn feed_text(&mut self, line: Line<'_>) {
        if let Some(path) = line.text.strip_prefix("# ") {
            self.builds.insert(path.to_owned(), Build::default());
            self.compiled = Some(path.to_owned());
        } else if let Some(name) = event::unbuilt(line.text) {
            self.compiled = None;
            let at = self.package(name);
            self.packages[at].add_output(line.text);
            self.packages[at].end(false);
            self.end_package(at, None);
        } else if let Some(build) =
            self.compiled.as_ref().and_then(|path| self.builds.get_mut(path))
        {
            build.output.push_str(line.text);
            build.output.push('\n');
        }
    }

    fn package(&mut self, name: &str) -> usize {
        if let Some(&at) = self.package_index.get(name) {
            return at;
        }
        let at = self.packages.len();
        self.packages.push(Package::new(name));
        self.package_index.insert(name.to_owned(), at);
        at
    }

    fn finish(mut self) -> Vec<TestCase> {
        for at in 0..self.packages.len() {
            if self.packages[at].is_open {
                self.packages[at].has_passed = None;
                self.end_package(at, None);
            }
        }
        let builds = std::mem::take(&mut self.builds).into_iter();
        let untold = builds.filter(|(_, build)| build.has_failed && !build.is_told);
        let unbuilt: Vec<TestCase> = untold
            .map(|(path, build)| {
                let name = path.split_once(" [").map_or(path.as_str(), |(name, _)| name);
                Package::unbuilt(name).failure(Some(build.output))
            })
            .collect();
        self.runs_in_order.into_iter().map(Run::into_test).chain(unbuilt).collect()
    }
}

#[cfg(test)]
mod tests;
