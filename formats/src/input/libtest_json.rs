//! Reader of the JSON lines of `cargo test -- -Z unstable-options --format json` (Rust 1.95) and
//! `cargo nextest run --message-format libtest-json` or `libtest-json-plus` (0.9.143): standard
//! output alone, or both streams as they came.
//!
//! Ids are those of the text of either tool:
//!
//! | where | id |
//! | --- | --- |
//! | after cargo's `Running tests/it.rs (…/deps/it-<hash>)` | as in the text of `cargo test`: `hay-loft::it::path`, or `it::path` |
//! | after `Doc-tests hay_loft` | `hay_loft::doc::src/lib.rs - item (line 3)` |
//! | standard output alone: nothing names the binary | `path` |
//! | nextest's `hay-loft::it$path` | `hay-loft::it::path` |
//! | nextest's `hay-loft::hay_loft$path`, a library | `hay-loft::path` |
//! | nextest's `hay-loft::rake$path`, a program | `hay-loft::bin/rake::path`, where [`CargoTargets`] or the event says that it is one |
//!
//! Not every line is an event, and what tests print may look like one. The end of a suite is right
//! about how many tests there were, if it adds up to its beginning; a suite inside a suite that
//! ended was printed by a test. A test that began and did not end is errored; so is a suite in which
//! nothing was running. Of a harness that prints text instead (`running 3 tests`), the counts are
//! taken; what cannot be compiled is an errored test with the name of the package.

mod binaries;
mod event;
mod reader;
mod suite;

use binaries::Name;
use event::{Event, find_events};
use reader::Reader;
use suite::Finished;

use super::cargo_targets::CargoTargets;
use super::cargo_test::compile::uncompiled;
use super::cargo_test::line::{CargoLine, announced, summary};
use super::quote::quote;
use super::terminal::Screen;
use super::{Format, ParseError, Position, Report, nextest};
use crate::limits::Limits;

/// What is expected where there is nothing.
const EXPECTED: &str = "expected lines like `{ \"type\": \"suite\", \"event\": \"started\" }`, \
                        as libtest prints them with `--format json`";

/// The byte offset of the first line that belongs to a stream of events. What comes from cargo does,
/// if events follow; what libtest and nextest print as text does not, and may have events in it.
pub(super) fn detect(screen: &Screen<'_>) -> Option<usize> {
    let mut first = None;
    let mut is_nextest = false;
    let mut in_text = false;
    for line in screen.lines() {
        let mut has_event = false;
        find_events(line.text, |event| {
            has_event |= match event {
                Event::SuiteStarted { .. } => !is_nextest,
                Event::SuiteEnded { .. } => false,
                Event::TestStarted { name } => !is_nextest || Name::parse(&name).is_some(),
                Event::TestEnded(end) => !is_nextest || Name::parse(&end.name).is_some(),
            };
        });
        if has_event && !in_text {
            return first.or(Some(line.start));
        }
        if announced(line.text).is_some() {
            in_text = true;
        } else if summary(line.text).is_some() {
            in_text = false;
        } else if nextest::is_heading(line.text) {
            is_nextest = true;
            first.get_or_insert(line.start);
        } else if CargoLine::find(line.text).is_some() || uncompiled(line.text).is_some() {
            first.get_or_insert(line.start);
        }
    }
    None
}

/// Reads the lines.
///
/// # Errors
/// When there is no event among them, and nothing that failed to compile.
pub(super) fn parse(
    input: &[u8],
    limits: &Limits,
    targets: &CargoTargets,
) -> Result<Report, ParseError> {
    let screen = Screen::read(input, limits)?;
    let mut reader = Reader::new(targets);
    screen.each_line(limits, |line| {
        reader.feed(line.text);
        reader.names()
    })?;
    let complaint = reader.first_error();
    match reader.finish() {
        Some(Finished { tests, unnamed }) => {
            Ok(Report { tests, unnamed, ..screen.report(Format::LibtestJson) })
        }
        None => Err(ParseError {
            position: Position::of(input, input.len()),
            message: match complaint {
                Some(error) => {
                    format!("no test results: {EXPECTED}; cargo says: {}", quote(error))
                }
                None => format!("no test results: {EXPECTED}"),
            },
        }),
    }
}

#[cfg(test)]
mod tests;
