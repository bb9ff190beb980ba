//! Readers of text and JSON, against the least that one can do: split it into lines, or skip over its JSON.

use std::path::{Path, PathBuf};

use pony_formats::{Format, Limits};
use serde::de::IgnoredAny;

use crate::Failure;
use crate::measure::{Reader, Work};
use crate::payload::Folder;

const TIMES: u32 = 5;

/// One table: its title, what makes the input, and who reads it.
type Table = (&'static str, fn(&Folder) -> Result<PathBuf, Failure>, &'static [Reader]);

pub(crate) const TABLES: [Table; 8] = [
    ("cargo test: 200,000 lines", Folder::cargo_test, &[CARGO_TEST, LINES]),
    ("nextest: 200,000 lines", Folder::nextest, &[NEXTEST, LINES]),
    ("pytest: 200,000 lines", Folder::pytest, &[PYTEST, LINES]),
    ("unittest: 200,000 lines", Folder::unittest, &[UNITTEST, LINES]),
    ("TAP: 200,000 lines", Folder::tap, &[TAP, LINES]),
    ("libtest JSON: 200,000 events", Folder::libtest_json, &[LIBTEST_JSON, JSON_LINES, LINES]),
    ("go test -json: 200,000 events", Folder::go_test, &[GO_TEST, JSON_LINES, LINES]),
    ("CTRF: 100,000 tests", Folder::ctrf, &[CTRF, JSON]),
];

const CARGO_TEST: Reader = Reader {
    name: "pony-formats, cargo test",
    work: Work::Rust(|file| parse(Format::CargoTest, file), TIMES),
};
const NEXTEST: Reader = Reader {
    name: "pony-formats, nextest",
    work: Work::Rust(|file| parse(Format::NextestText, file), TIMES),
};
const PYTEST: Reader = Reader {
    name: "pony-formats, pytest",
    work: Work::Rust(|file| parse(Format::PytestText, file), TIMES),
};
const UNITTEST: Reader = Reader {
    name: "pony-formats, unittest",
    work: Work::Rust(|file| parse(Format::PythonText, file), TIMES),
};
const TAP: Reader =
    Reader { name: "pony-formats, TAP", work: Work::Rust(|file| parse(Format::Tap, file), TIMES) };
const LIBTEST_JSON: Reader = Reader {
    name: "pony-formats, libtest JSON",
    work: Work::Rust(|file| parse(Format::LibtestJson, file), TIMES),
};
const GO_TEST: Reader = Reader {
    name: "pony-formats, go test",
    work: Work::Rust(|file| parse(Format::GoTest, file), TIMES),
};
const CTRF: Reader = Reader {
    name: "pony-formats, CTRF",
    work: Work::Rust(|file| parse(Format::Ctrf, file), TIMES),
};

const LINES: Reader = Reader { name: "lines of UTF-8, trimmed", work: Work::Rust(lines, TIMES) };
const JSON_LINES: Reader =
    Reader { name: "serde_json, lines ignored", work: Work::Rust(json_lines, TIMES) };
const JSON: Reader = Reader { name: "serde_json, ignored", work: Work::Rust(json, TIMES) };

fn parse(format: Format, file: &Path) -> Result<usize, Failure> {
    let report = pony_formats::parse(format, &std::fs::read(file)?, &Limits::DEFAULT)?;
    Ok(report.tests.len())
}

fn lines(file: &Path) -> Result<usize, Failure> {
    let text = String::from_utf8(std::fs::read(file)?)?;
    let mut length = 0;
    let count = text.lines().map(|line| length += line.trim().len()).count();
    std::hint::black_box(length);
    Ok(count)
}

fn json_lines(file: &Path) -> Result<usize, Failure> {
    let text = String::from_utf8(std::fs::read(file)?)?;
    let values = text.lines().map(serde_json::from_str::<IgnoredAny>);
    Ok(values.filter(Result::is_ok).count())
}

fn json(file: &Path) -> Result<usize, Failure> {
    let text = String::from_utf8(std::fs::read(file)?)?;
    serde_json::from_str::<IgnoredAny>(&text)?;
    Ok(1)
}
