//! Reader of the text of `cargo test` as stable Rust prints it (written against 1.95; the forms
//! since 1.40 are known): standard output alone, or both streams as they came.
//!
//! An id is `<binary>::<path>`. The binary comes from cargo's line before it, and has nextest's name where
//! [`CargoTargets`] knows whose it is; the line itself does not name the package:
//!
//! | cargo prints | known | not known |
//! | --- | --- | --- |
//! | `Running unittests src/lib.rs (…/deps/hay_loft-<hash>)` | `hay-loft::path` | `hay_loft::path` |
//! | `Running unittests src/main.rs (…/deps/rake-<hash>)` | `hay-loft::bin/rake::path` | `bin/rake::path` |
//! | `Running tests/it.rs (…/deps/it-<hash>)` | `hay-loft::it::path` | `it::path` |
//! | `Doc-tests hay_loft` | | `hay_loft::doc::src/lib.rs - item (line 3)` |
//! | nothing (standard output alone, `-q`) | | `path` |
//!
//! Documentation is known by its crate, as nextest never runs it. What libtest appends to a name
//! (` - should panic`, ` - compile fail`) is left out.
//!
//! The `test result:` line is right about how many tests there were, and counts only where it adds
//! up to the `running N tests` line; so a harness run by a test, or a test that prints lines like
//! these, does not change the counts. A binary that never got to its summary gives an errored test:
//! the one that was running when the text names it, otherwise one with the name of the target.
//! What cannot be compiled gives an errored test with the name of the package.

mod captured;
pub(super) mod compile;
pub(super) mod line;
pub(super) mod panic;
mod section;

use compile::Compilation;
use line::{CargoLine, Target};
use section::Section;

use super::cargo_targets::CargoTargets;
use super::oddity::Notes;
use super::quote::quote;
use super::terminal::{Line, Screen};
use super::{Format, ParseError, Report};
use crate::limits::Limits;
use crate::model::{Outcome, Tally, TestCase};

/// What is expected where there is nothing.
const EXPECTED: &str =
    "expected `running N tests` and `test result:` lines, as `cargo test` prints them";

/// Sections open at the same time: more than binaries that die in a row, and far more than
/// harnesses inside harnesses.
const OPEN_MAX: usize = 64;

/// How a binary is called that nothing names, before its number in the text.
const UNKNOWN_BINARY: &str = "test binary ";

/// The byte offset of the first line that only `cargo test` or libtest writes.
pub(super) fn detect(screen: &Screen<'_>) -> Option<usize> {
    let mut running = None;
    for line in screen.lines() {
        let is_test = || line::summary(line.text).is_some() || line::test_line(line.text).is_some();
        if CargoLine::find(line.text).is_some() || compile::uncompiled(line.text).is_some() {
            return running.or(Some(line.start));
        }
        if running.is_some() && is_test() {
            return running;
        }
        if running.is_none() && line::announced(line.text).is_some() {
            running = Some(line.start);
        }
    }
    None
}

/// Reads the text.
///
/// # Errors
/// When it names no test, no summary and nothing that failed.
pub(super) fn parse(
    input: &[u8],
    limits: &Limits,
    targets: &CargoTargets,
) -> Result<Report, ParseError> {
    let screen = Screen::read(input, limits)?;
    let mut reader = Reader::new(&screen, targets, limits.oddities_max);
    screen.each_line(limits, |line| {
        reader.feed(line);
        reader.names
    })?;
    reader.close_target();
    if !reader.found_anything {
        let complaint =
            reader.compilation.first_error().map(|error| format!("; cargo says: {}", quote(error)));
        return Err(ParseError::at(
            input,
            input.len(),
            format!("no test results: {EXPECTED}{}", complaint.unwrap_or_default()),
        ));
    }
    let report =
        Report { oddities: reader.notes.into_oddities(), ..screen.report(Format::CargoTest) };
    Ok(Report { tests: reader.tests, unnamed: reader.unnamed, ..report })
}

/// Reads line by line.
struct Reader<'t> {
    text: &'t str,
    /// What is known of the targets from elsewhere.
    targets: &'t CargoTargets,
    target: Option<Target<'t>>,
    /// Sections that have begun, each inside the one before it. Only the first can have its
    /// summary already: it stays until something else begins.
    open: Vec<Section<'t>>,
    sections: usize,
    /// How many lines named a test, a section or a package.
    names: usize,
    tests: Vec<TestCase>,
    unnamed: Tally,
    /// Tests that made the run red since cargo's last word on a target.
    bad: u64,
    /// Whether some of them came before cargo announced anything: then this is all of standard
    /// output before all of standard error, and nobody can say which target they belong to.
    has_bad_strays: bool,
    /// The errored test that the reason under `Caused by:` belongs to.
    awaits_cause: Option<usize>,
    compilation: Compilation<'t>,
    found_anything: bool,
    notes: Notes<'t>,
}

impl<'t> Reader<'t> {
    fn new(screen: &'t Screen<'t>, targets: &'t CargoTargets, notes_max: usize) -> Self {
        Self {
            text: screen.text(),
            targets,
            target: None,
            open: Vec::new(),
            sections: 0,
            names: 0,
            tests: Vec::new(),
            unnamed: Tally::default(),
            bad: 0,
            has_bad_strays: false,
            awaits_cause: None,
            compilation: Compilation::default(),
            found_anything: false,
            notes: Notes::new(screen, notes_max),
        }
    }

    fn feed(&mut self, line: Line<'t>) {
        if !self.open.last().is_some_and(Section::is_reporting) {
            if let Some((at, cargo_line)) = CargoLine::find(line.text) {
                let before = Line { text: &line.text[..at], ..line };
                if !before.is_blank() {
                    self.feed_test_output(before);
                }
                return self.cargo_line(cargo_line);
            }
            if let Some(announced) = line::announced(line.text) {
                return self.begin(announced, line.start);
            }
        }
        self.feed_test_output(line);
    }

    fn cargo_line(&mut self, line: CargoLine<'t>) {
        match line {
            CargoLine::Target(target) => {
                self.close_target();
                self.target = Some(Target { id: self.targets.id_of(&target), ..target });
                self.bad = 0;
            }
            CargoLine::TargetFailed(arguments) => self.fail_target(arguments),
        }
    }

    fn begin(&mut self, announced: u64, start: usize) {
        let is_settled = |section: &Section<'_>| section.summary.is_some();
        if self.open.first().is_some_and(is_settled) || self.open.len() >= OPEN_MAX {
            self.close_sections();
        }
        self.sections += 1;
        self.names += 1;
        self.open.push(Section::new(self.sections, announced, start));
    }

    fn feed_test_output(&mut self, line: Line<'t>) {
        if let Some(summary) = line::summary(line.text) {
            if self.settle(summary, line) {
                return;
            }
            let odd = "a `test result:` line that fits no `running N tests`, taken for output";
            self.notes.add(line.start, || odd.to_owned());
        }
        if line::bare_outcome(line.text).is_some() {
            // What seemed to begin inside that test was written by it.
            let inside = self.open.iter().rposition(Section::is_inside_a_test);
            self.open.truncate(inside.map_or(self.open.len(), |index| index + 1));
        }
        let is_settled = self.open.last().is_none_or(|section| section.summary.is_some());
        if let Some(section) = self.open.last_mut() {
            let before = section.len();
            section.feed(line);
            self.names += section.len().saturating_sub(before);
        }
        if is_settled {
            self.feed_cargo_output(line.text);
        }
    }

    /// Gives a summary to the innermost section that it adds up for. False when there is none.
    fn settle(&mut self, summary: line::Summary, line: Line<'t>) -> bool {
        let fits = |section: &Section<'_>| section.accepts(summary);
        let Some(index) = self.open.iter().rposition(fits) else { return false };
        let inside = self.open.split_off(index + 1);
        let Some(mut section) = self.open.pop() else { return false };
        for other in inside {
            section.absorb(other);
        }
        section.settle(summary, line);
        match self.open.last_mut() {
            Some(outer) => outer.inner.push(section),
            None => self.open.push(section),
        }
        true
    }

    /// Reads what cargo and the compiler say between test binaries.
    fn feed_cargo_output(&mut self, line: &'t str) {
        if let Some(test) = self.compilation.feed(line) {
            self.names += 1;
            self.add_bad(test);
        } else if line.trim_start().starts_with("process didn't exit successfully: ")
            && let Some(index) = self.awaits_cause.take()
            && let Some(at) = line.rfind('(')
            && let Some(message) = &mut self.tests[index].evidence.message
        {
            message.push_str(": ");
            message.push_str(line[at + 1..].trim_end_matches(')'));
        }
    }

    /// Cargo says that the target failed: if nothing in it did, that is a failure of its own.
    fn fail_target(&mut self, arguments: &str) {
        let name = line::rerun_target(arguments);
        let died = self.close_sections();
        if let Some(index) = died {
            if self.target.is_none() && self.tests[index].id.starts_with(UNKNOWN_BINARY) {
                self.tests[index].id = name;
            }
        } else if self.bad == 0 && !(self.target.is_some() && self.has_bad_strays) {
            let id = self.target.as_ref().map_or(name, |target| target.id.clone());
            let reason = "the target failed although no test of it did";
            self.add_bad(TestCase::errored(id, reason));
        }
        self.awaits_cause = died.or_else(|| self.tests.len().checked_sub(1)).filter(|&index| {
            self.tests[index].outcome == Outcome::Errored && (died.is_some() || self.bad == 1)
        });
        self.bad = 0;
    }

    fn close_target(&mut self) {
        self.close_sections();
        self.target = None;
    }

    /// Ends every open section. The index of the last errored test that had to be made up for one
    /// that died.
    fn close_sections(&mut self) -> Option<usize> {
        let mut died = None;
        let mut sections = std::mem::take(&mut self.open).into_iter();
        let mut outermost = sections.next()?;
        if self.may_run_harnesses() {
            // One binary has one section: what is open inside is output of its tests.
            outermost.inner.clear();
            sections.by_ref().for_each(|section| outermost.absorb(section));
        }
        for mut section in std::iter::once(outermost).chain(sections) {
            let after = std::mem::take(&mut section.inner);
            died = self.close(section).or(died);
            for section in after.into_iter().filter(|_| died.is_some()) {
                self.close(section);
            }
        }
        died
    }

    /// Whether the sections read now can only come from one binary, so that a section inside
    /// another one is the output of a test. Documentation is run by several binaries, and where
    /// cargo announces nothing the next section may be the next binary.
    fn may_run_harnesses(&self) -> bool {
        self.target.as_ref().is_some_and(|target| !target.is_doc())
    }

    fn close(&mut self, section: Section<'t>) -> Option<usize> {
        self.found_anything = true;
        let prefix = self.target.as_ref().map(|target| format!("{}::", target.id));
        let prefix = prefix.unwrap_or_default();
        if let Some(summary) = section.summary {
            let (tests, unnamed) = section.finish(self.text, &prefix, summary, &mut self.notes);
            self.tests.extend(tests);
            self.unnamed += unnamed;
            self.bad = self.bad.saturating_add(summary.failed);
            self.has_bad_strays |= self.target.is_none() && summary.failed > 0;
            return None;
        }
        let (announced, ordinal, start) = (section.announced, section.ordinal, section.start);
        let (tests, unnamed, running) = section.abandon(self.text, &prefix);
        let reported = tests.len() as u64 + unnamed.total;
        self.tests.extend(tests);
        self.unnamed += unnamed;
        let target = self.target.as_ref().map(|target| target.id.clone());
        let id = running.or(target).unwrap_or_else(|| format!("{UNKNOWN_BINARY}{ordinal}"));
        let message = format!(
            "no summary of the test binary: it ended after {reported} of {announced} tests"
        );
        self.notes.add(start, || {
            format!(
                "{announced} tests announced and no `test result:`, counted as one errored test"
            )
        });
        self.add_bad(TestCase::errored(id, message));
        Some(self.tests.len() - 1)
    }

    fn add_bad(&mut self, test: TestCase) {
        self.found_anything = true;
        self.bad = self.bad.saturating_add(1);
        self.tests.push(test);
    }
}

#[cfg(test)]
mod tests;
