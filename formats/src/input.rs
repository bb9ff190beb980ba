//! Readers of what test runners print or write: [`detect`] the format, then [`parse`] what is in
//! memory or [`read`] what is not.

#[cfg(test)]
mod answers;
mod cargo_targets;
mod cargo_test;
mod census;
pub(crate) mod ctrf;
mod go_test;
pub(crate) mod junit;
mod libtest_json;
mod markup;
mod nextest;
mod oddity;
mod pytest;
mod python;
mod quote;
mod step;
mod tap;
mod terminal;
mod traceback;
mod transcript;
mod trx;

use std::fmt;
use std::io::{self, BufRead, Read as _};
use std::str::FromStr;

use memchr::{memchr_iter, memrchr};

use crate::limits::Limits;
use crate::model::{Suite, Tally, TestCase};

pub use cargo_targets::{CargoTarget, CargoTargets, announced_executables};
pub use junit::dialect;
pub use markup::looks_like;
pub use oddity::{Oddities, Oddity};
pub use step::captured;

/// The formats that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// JUnit XML in any dialect.
    Junit,
    /// TRX, the XML of Visual Studio, vstest and `dotnet test`.
    Trx,
    /// The text of `cargo test`, as stable Rust prints it.
    CargoTest,
    /// The text of nose, pynose, unittest and nose2, verbose or dots.
    PythonText,
    /// The text of pytest, verbose or dots.
    PytestText,
    /// Common Test Report Format, JSON.
    Ctrf,
    /// The Test Anything Protocol, versions 12 to 14.
    Tap,
    /// The events of `go test -json`.
    GoTest,
    /// The JSON lines of libtest, and of nextest in that form.
    LibtestJson,
    /// The text of `cargo nextest run`.
    NextestText,
}

impl Format {
    /// Every format, in the order in which a list of them reads best.
    pub fn all() -> impl Iterator<Item = Self> {
        FORMATS.iter().map(|row| row.0)
    }

    /// Whether it is XML.
    pub fn is_markup(self) -> bool {
        matches!(self, Self::Junit | Self::Trx)
    }

    /// Whether inputs are written for people, who may want to see them whole beside the tests. The other
    /// formats are for programs.
    pub fn is_for_people(self) -> bool {
        match self {
            Self::CargoTest
            | Self::PythonText
            | Self::PytestText
            | Self::Tap
            | Self::NextestText => true,
            Self::Junit | Self::Trx | Self::Ctrf | Self::GoTest | Self::LibtestJson => false,
        }
    }
}

/// Every format with the name it has on the command line.
const FORMATS: [(Format, &str); 10] = [
    (Format::Junit, "junit"),
    (Format::Trx, "trx"),
    (Format::CargoTest, "cargo-test"),
    (Format::PythonText, "nose"),
    (Format::PytestText, "pytest"),
    (Format::Ctrf, "ctrf"),
    (Format::Tap, "tap"),
    (Format::GoTest, "go-test"),
    (Format::LibtestJson, "libtest-json"),
    (Format::NextestText, "nextest"),
];

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = FORMATS.iter().find(|row| row.0 == *self).map_or("unknown", |row| row.1);
        f.pad(name)
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        FORMATS.iter().find(|row| row.1 == name).map(|row| row.0).ok_or_else(|| {
            let names: Vec<&str> = FORMATS.iter().map(|row| row.1).collect();
            format!("unknown format `{name}`, expected one of {}", names.join(", "))
        })
    }
}

/// What a reader found in one input.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The format it was read as.
    pub format: Format,
    /// The tests with a name, in the order of the input.
    pub tests: Vec<TestCase>,
    /// Suites of which there is more to say than their tests, in the order in which they end.
    pub suites: Vec<Suite>,
    /// Tests that ran but have no name in the input (nose prints a dot for each).
    pub unnamed: Tally,
    /// Whether characters or bytes had to be replaced to make text of it.
    pub sanitised: bool,
    /// What was tolerated.
    pub oddities: Oddities,
}

impl Report {
    /// The counts of named and unnamed tests.
    pub fn tally(&self) -> Tally {
        self.tests.iter().map(|test| test.outcome).collect::<Tally>() + self.unnamed
    }
}

/// What a reader hands over as soon as it is complete.
#[derive(Debug, Clone, PartialEq)]
pub enum Entry {
    /// A test with a name.
    Test(TestCase),
    /// A suite of which there is more to say than its tests. They have been handed over before.
    Suite(Suite),
}

/// What a reader found in one input besides entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// The format it was read as.
    pub format: Format,
    /// Tests that ran but have no name in the input (nose prints a dot for each).
    pub unnamed: Tally,
    /// Whether characters or bytes had to be replaced to make text of it.
    pub sanitised: bool,
}

/// A place in an input. Both numbers count from 1; columns are characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Line, ended by LF.
    pub line: u64,
    /// Character in that line.
    pub column: u64,
}

impl Position {
    /// The first character of an input.
    pub const START: Self = Self { line: 1, column: 1 };

    /// The position of a byte offset. Past the end means the end.
    pub fn of(input: &[u8], offset: usize) -> Self {
        Self::START.after(&input[..offset.min(input.len())])
    }

    /// The position behind these bytes, which begin here.
    pub fn after(self, bytes: &[u8]) -> Self {
        match memrchr(b'\n', bytes) {
            None => Self { line: self.line, column: self.column + chars(bytes) },
            Some(at) => {
                let lines = 1 + memchr_iter(b'\n', &bytes[..at]).count() as u64;
                Self { line: self.line + lines, column: 1 + chars(&bytes[at + 1..]) }
            }
        }
    }
}

/// Characters in bytes of UTF-8: every byte but those that continue one.
fn chars(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| **byte & 0xC0 != 0x80).count() as u64
}

/// An input that cannot be read. Displays as `line:column: what was wrong`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}:{}: {message}", position.line, position.column)]
pub struct ParseError {
    /// Where reading stopped.
    pub position: Position,
    /// What was wrong and what was expected.
    pub message: String,
}

/// An input that cannot be had or cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The input did not come.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It is not what it was read as.
    #[error(transparent)]
    Parse(#[from] ParseError),
}

impl From<ReadError> for ParseError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Parse(error) => error,
            ReadError::Io(error) => {
                Self { position: Position::START, message: format!("cannot be read: {error}") }
            }
        }
    }
}

impl ParseError {
    /// What is wrong at a byte offset of the input.
    fn at(input: &[u8], offset: usize, message: impl Into<String>) -> Self {
        Self { position: Position::of(input, offset), message: message.into() }
    }

    /// The limit on tests is passed.
    fn too_many_tests(position: Position, limits: &Limits) -> Self {
        Self { position, message: format!("more than {} tests", limits.tests_max) }
    }
}

/// Guesses the format from the content. `None` when it looks like nothing that can be read.
pub fn detect(input: &[u8]) -> Option<Format> {
    if junit::detect(input) {
        return Some(if trx::detect(input) { Format::Trx } else { Format::Junit });
    }
    if ctrf::detect(input) {
        return Some(Format::Ctrf);
    }
    detect_text(input)
}

/// Guesses the format among those that come line by line, in which a test may have printed anything between
/// the lines of its runner, even before the first: for what is known to be a stream, not a document.
pub fn detect_text(input: &[u8]) -> Option<Format> {
    let screen = terminal::Screen::of(input);
    // The runner writes its first line before any test of it can write one that looks like
    // another runner's. Cargo's lines come first in several formats: then the narrower one is right.
    let first_lines = [
        (libtest_json::detect(&screen), Format::LibtestJson),
        (nextest::detect(&screen), Format::NextestText),
        (cargo_test::detect(&screen), Format::CargoTest),
        (pytest::detect(&screen), Format::PytestText),
        (python::detect(&screen), Format::PythonText),
        (tap::detect(&screen), Format::Tap),
        (go_test::detect(&screen), Format::GoTest),
    ];
    let found = first_lines.into_iter().filter_map(|(line, format)| Some((line?, format)));
    found.min_by_key(|(line, _)| *line).map(|(_, format)| format)
}

/// Reads one input that is in memory.
///
/// # Errors
/// Says where the input stops being what `format` promises; nothing of a broken input is returned.
pub fn parse(format: Format, input: &[u8], limits: &Limits) -> Result<Report, ParseError> {
    parse_with(format, input, limits, &CargoTargets::default())
}

/// As [`parse`], with names for the test binaries of cargo: in what `cargo test` prints, an integration
/// test has the name of its target alone, and a library that of its crate. Other formats have no need of it.
///
/// # Errors
/// As [`parse`].
pub fn parse_with(
    format: Format,
    input: &[u8],
    limits: &Limits,
    targets: &CargoTargets,
) -> Result<Report, ParseError> {
    let mut report = match format {
        Format::Junit => junit::parse(input, limits),
        Format::Trx => trx::parse(input, limits),
        Format::CargoTest => cargo_test::parse(input, limits, targets),
        Format::PythonText => python::parse(input, limits),
        Format::PytestText => pytest::parse(input, limits),
        Format::Ctrf => ctrf::parse(input, limits),
        Format::Tap => tap::parse(input, limits),
        Format::GoTest => go_test::parse(input, limits),
        Format::LibtestJson => libtest_json::parse(input, limits, targets),
        Format::NextestText => nextest::parse(input, limits),
    }?;
    oddity::note_what_any_format_can_have(&mut report, input, limits.oddities_max);
    Ok(report)
}

/// Reads one input as it comes and hands over each entry as soon as it is complete, in the order of the
/// input.
///
/// Of JUnit in UTF-8, no more is held than the test that is being read and what is said of the suites
/// around it; the other formats, and JUnit in other encodings, are read to their end first. `input` should come in large pieces: a
/// [`BufReader`](io::BufReader) of 64 KiB is good.
///
/// Oddities are not looked for; [`parse`] does that.
///
/// # Errors
/// When `input` fails, or stops being what `format` promises. What was handed over until then is
/// part of a broken input and should be dropped.
pub fn read<R: BufRead>(
    format: Format,
    input: R,
    limits: &Limits,
    visit: &mut dyn FnMut(Entry),
) -> Result<Summary, ReadError> {
    if format == Format::Junit {
        return junit::read(input, limits, visit);
    }
    let max = limits.input_bytes_max;
    let mut content = Vec::new();
    // One byte more than allowed, to tell a full input from one that is too large.
    input.take((max as u64).saturating_add(1)).read_to_end(&mut content)?;
    if content.len() > max {
        let message = format!("over the limit of {max} bytes");
        return Err(ParseError { position: Position::START, message }.into());
    }
    let limits = Limits { oddities_max: 0, ..limits.clone() };
    let Report { format, tests, suites, unnamed, sanitised, .. } =
        parse(format, &content, &limits)?;
    let suites = suites.into_iter().map(Entry::Suite);
    tests.into_iter().map(Entry::Test).chain(suites).for_each(visit);
    Ok(Summary { format, unnamed, sanitised })
}

#[cfg(test)]
mod tests;
