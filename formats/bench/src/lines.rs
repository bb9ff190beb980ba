//! Readers of text, against a loop that only splits it into lines.

use std::path::Path;

use pony_formats::{Format, Limits};

use crate::Failure;
use crate::measure::{Reader, Work};

const TIMES: u32 = 5;

pub(crate) const CARGO_TEST: &[Reader] =
    &[Reader { name: "pony-formats, cargo test", work: Work::Rust(cargo_test, TIMES) }, LINES];
pub(crate) const PYTEST: &[Reader] =
    &[Reader { name: "pony-formats, pytest", work: Work::Rust(pytest, TIMES) }, LINES];
pub(crate) const UNITTEST: &[Reader] =
    &[Reader { name: "pony-formats, unittest", work: Work::Rust(unittest, TIMES) }, LINES];

const LINES: Reader = Reader { name: "lines of UTF-8, trimmed", work: Work::Rust(lines, TIMES) };

fn parse(format: Format, file: &Path) -> Result<usize, Failure> {
    let report = pony_formats::parse(format, &std::fs::read(file)?, &Limits::DEFAULT)?;
    Ok(report.tests.len())
}

fn cargo_test(file: &Path) -> Result<usize, Failure> {
    parse(Format::CargoTest, file)
}

fn pytest(file: &Path) -> Result<usize, Failure> {
    parse(Format::PytestText, file)
}

fn unittest(file: &Path) -> Result<usize, Failure> {
    parse(Format::PythonText, file)
}

fn lines(file: &Path) -> Result<usize, Failure> {
    let text = String::from_utf8(std::fs::read(file)?)?;
    let mut length = 0;
    let count = text.lines().map(|line| length += line.trim().len()).count();
    std::hint::black_box(length);
    Ok(count)
}
