//! Reader of the text that `cargo nextest run` writes to standard error (0.9.143, and the forms
//! since 0.9.30), with or without colours, cargo's own lines, and what follows the summary.
//!
//! An id is `<binary id>::<path>`, both as nextest prints them: `hay-loft::it::falls`.
//!
//! The `Summary` line is right about how many tests there were. Skipped tests are counted, and have
//! names if the text names them (`--status-level skip`). What nextest repeats below the summary
//! counts once. Attempts before the last are kept where the text shows them; a test that passed in
//! the end is flaky. Signals, time-outs and what could not be executed are errored tests, and so is
//! a run that ended without a summary, that left out tests although none failed, or that had none
//! and minds (`error: no tests to run`). What cannot be compiled is an errored test with the name of
//! the package.

mod line;
mod run;

use line::{Header, Status, Stream, Sum, flaky_failure};
use run::Run;

use super::cargo_test::compile::{Compilation, uncompiled};
use super::census::Certainty;
use super::quote::quote;
use super::terminal::{Line, Screen};
use super::{Format, ParseError, Report};
use crate::limits::Limits;
use crate::model::{Tally, TestCase};

/// What is expected where there is nothing.
const EXPECTED: &str =
    "expected `Starting N tests` and `Summary` lines, as `cargo nextest run` prints them";

/// How far nextest indents the output of a test.
const INDENT: &str = "    ";

/// Whether nothing but nextest writes this before its first test.
pub(super) fn is_heading(line: &str) -> bool {
    line::starting(line).is_some()
        || line.starts_with(" Nextest run ID ") && line.contains(" with nextest profile: ")
}

/// The byte offset of the first line that only nextest writes, or cargo for it.
pub(super) fn detect(screen: &Screen<'_>) -> Option<usize> {
    let mut first_error = None;
    for line in screen.lines() {
        if is_heading(line.text) {
            return Some(line.start);
        }
        if uncompiled(line.text).is_some() {
            first_error.get_or_insert(line.start);
        }
        if line.text.starts_with("error: command `")
            && line.text.contains(" test --no-run --message-format json-render-diagnostics")
        {
            return first_error.or(Some(line.start));
        }
    }
    None
}

/// Reads the text.
///
/// # Errors
/// When it has no run of nextest in it, and nothing that failed to compile.
pub(super) fn parse(input: &[u8], limits: &Limits) -> Result<Report, ParseError> {
    let screen = Screen::read(input, limits)?;
    let mut reader = Reader::new(screen.text());
    screen.each_line(limits, |line| {
        reader.feed(line);
        reader.tests.len() + reader.run.as_ref().map_or(0, Run::len)
    })?;
    reader.end_run();
    if !reader.found_anything {
        let complaint = reader.compilation.first_error();
        let complaint = complaint.map(|error| format!("; cargo says: {}", quote(error)));
        return Err(ParseError::at(
            input,
            input.len(),
            format!("no test results: {EXPECTED}{}", complaint.unwrap_or_default()),
        ));
    }
    let report = screen.report(Format::NextestText);
    Ok(Report { tests: reader.tests, unnamed: reader.unnamed, ..report })
}

/// Reads line by line.
struct Reader<'t> {
    text: &'t str,
    run: Option<Run<'t>>,
    /// The output that is being read.
    block: Option<Block>,
    /// The test whose output may follow.
    place: Option<usize>,
    before: Before,
    compilation: Compilation<'t>,
    tests: Vec<TestCase>,
    unnamed: Tally,
    found_anything: bool,
}

/// The output of a test, as a range of the text.
struct Block {
    place: Option<usize>,
    stream: Stream,
    is_indented: bool,
    start: usize,
}

/// What the line before was.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    Blank,
    Bar,
    Other,
}

impl<'t> Reader<'t> {
    fn new(text: &'t str) -> Self {
        Self {
            text,
            run: None,
            block: None,
            place: None,
            before: Before::Other,
            compilation: Compilation::default(),
            tests: Vec::new(),
            unnamed: Tally::default(),
            found_anything: false,
        }
    }

    fn feed(&mut self, line: Line<'t>) {
        if self.block.is_some() {
            self.line_of_output(line);
        } else {
            self.line(line);
        }
        self.before = match line {
            line if line.is_blank() => Before::Blank,
            line if line::is_bar(line.text) => Before::Bar,
            _ => Before::Other,
        };
    }

    /// Reads a line of the output of a test, or the first line after it. Nextest ends every output
    /// with a blank line.
    fn line_of_output(&mut self, line: Line<'t>) {
        let is_indented = self.block.as_ref().is_some_and(|block| block.is_indented);
        if is_indented && !line.is_blank() && !line.text.starts_with(INDENT) {
            self.end_block(line.start);
            return self.line(line);
        }
        if self.before == Before::Blank {
            if let Some(note) = line::note(line.text) {
                let place = self.block.as_ref().and_then(|block| block.place);
                self.end_block(line.start);
                if let (Some(run), Some(place)) = (&mut self.run, place) {
                    run.note(place, note);
                }
                return;
            }
            if let Some(status) = line::status(line.text) {
                self.end_block(line.start);
                return self.status(&status, Certainty::Doubtful);
            }
        }
        if is_indented {
            return;
        }
        let is_summary = self.before == Before::Bar && line::sum(line.text).is_some();
        if is_summary || line::header(line.text).is_some() {
            self.end_block(line.start);
            self.line(line);
        }
    }

    fn line(&mut self, line: Line<'t>) {
        if let Some(tests) = line::starting(line.text) {
            self.begin_run(tests);
        } else if let Some(header) = line::header(line.text).filter(|_| self.run.is_some()) {
            self.begin_block(&header, line.end);
        } else if let Some(status) = line::status(line.text) {
            let prints = self.run.as_ref().is_some_and(Run::is_running);
            let certainty = if prints { Certainty::Doubtful } else { Certainty::Sure };
            self.status(&status, certainty);
        } else if let Some(sum) = line::sum(line.text) {
            self.sum(sum);
        } else if let Some(script) = line::failed_setup(line.text) {
            self.found_anything = true;
            self.run.get_or_insert_with(|| Run::new(None)).failed_setup(script);
        } else if let Some(remark) = line::remark(line.text) {
            self.remark(remark);
        } else if line.text == "error: no tests to run" {
            self.found_anything = true;
            self.run.get_or_insert_default().minds_emptiness();
        } else if self.run.as_ref().is_none_or(Run::is_over)
            && let Some(test) = self.compilation.feed(line.text)
        {
            self.found_anything = true;
            self.tests.push(test);
        }
    }

    fn begin_run(&mut self, tests: u64) {
        // A test that runs nextest prints this too, where its output is not captured.
        if self.run.as_ref().is_some_and(Run::is_running) {
            return;
        }
        self.end_run();
        self.found_anything = true;
        self.run = Some(Run::new(Some(tests)));
    }

    fn status(&mut self, status: &Status<'t>, certainty: Certainty) {
        self.found_anything = true;
        let run = self.run.get_or_insert_with(|| Run::new(None));
        let certainty = if run.is_next(status) { Certainty::Sure } else { certainty };
        self.place = run.status(status, certainty);
    }

    fn sum(&mut self, sum: Sum) {
        let Some(run) = &mut self.run else { return };
        match sum {
            Sum::Run(summary) if self.before == Before::Bar => {
                run.sum(summary);
            }
            Sum::Run(_) => {}
            Sum::Round(summary) => run.add_round(summary),
            Sum::Rounds => run.end_rounds(),
        }
    }

    /// Reads the line below a status line that says more.
    fn remark(&mut self, remark: &str) {
        if let (Some(run), Some(place)) = (&mut self.run, self.place) {
            if remark.starts_with("test configured to ") {
                run.minds_flakiness(place, flaky_failure());
            } else {
                run.note(place, remark);
            }
        }
    }

    fn begin_block(&mut self, header: &Header<'t>, start: usize) {
        let named = header.instance.map(|instance| {
            let run = self.run.as_ref();
            run.and_then(|run| run.place_of(("", instance)))
        });
        self.block = Some(Block {
            place: named.unwrap_or(self.place),
            stream: header.stream,
            is_indented: header.is_indented,
            start,
        });
    }

    fn end_block(&mut self, end: usize) {
        let Some(Block { place, stream, is_indented, start }) = self.block.take() else { return };
        let (Some(place), Some(run)) = (place, &mut self.run) else { return };
        let text = self.text.get(start..end).unwrap_or_default();
        let lines = text.lines().map(|line| match is_indented {
            true => line.strip_prefix(INDENT).unwrap_or(line),
            false => line,
        });
        let output = lines.collect::<Vec<_>>().join("\n");
        let output = output.trim_matches('\n');
        if !output.trim().is_empty() {
            run.output(place, stream, output.to_owned());
        }
    }

    fn end_run(&mut self) {
        self.end_block(self.text.len());
        if let Some(run) = self.run.take() {
            let (tests, unnamed) = run.finish();
            self.tests.extend(tests);
            self.unnamed += unnamed;
        }
        self.place = None;
    }
}

#[cfg(test)]
mod tests;
