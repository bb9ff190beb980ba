//! Readers of JUnit XML.

use std::fs::File;
use std::io::{BufReader, Cursor};
use std::path::Path;

use pony_formats::{Entry, Format, Limits};
use quick_xml::Reader as XmlReader;
use quick_xml::events::Event;

use crate::Failure;
use crate::measure::{Reader, Work};

const STREAMING: Reader =
    Reader { name: "pony-formats, streaming", work: Work::Rust(streaming, 1) };
const COLLECTED: Reader =
    Reader { name: "pony-formats, collected", work: Work::Rust(collected, 1) };
const EVENTS: Reader = Reader { name: "quick-xml, events only", work: Work::Rust(events, 1) };
const DECODED: Reader = Reader { name: "quick-xml, decoded", work: Work::Rust(decoded, 1) };

pub(crate) const READERS: &[Reader] = &[
    STREAMING,
    COLLECTED,
    EVENTS,
    DECODED,
    Reader { name: "quick-junit", work: Work::Rust(quick_junit, 1) },
    Reader { name: "junit-parser (loses text)", work: Work::Rust(junit_parser, 1) },
    Reader { name: "junitparser (Python)", work: Work::Python(JUNITPARSER) },
];

/// What is left of them when a file is one long text.
pub(crate) const LONG: &[Reader] = &[STREAMING, COLLECTED, EVENTS, DECODED];

pub(crate) const TRX: &[Reader] = &[
    Reader { name: "pony-formats, TRX", work: Work::Rust(trx, 1) },
    EVENTS,
    Reader { name: "quick-xml, decoded TRX", work: Work::Rust(decoded_trx, 1) },
];

/// Files of any size.
fn limits() -> Limits {
    Limits {
        input_bytes_max: usize::MAX,
        xml_events_max: usize::MAX,
        tests_max: usize::MAX,
        ..Limits::DEFAULT
    }
}

fn streaming(file: &Path) -> Result<usize, Failure> {
    let input = BufReader::with_capacity(64 * 1024, File::open(file)?);
    let mut count = 0;
    pony_formats::read(Format::Junit, input, &limits(), &mut |entry| {
        count += usize::from(matches!(entry, Entry::Test(_)));
        std::hint::black_box(entry);
    })?;
    Ok(count)
}

fn collected(file: &Path) -> Result<usize, Failure> {
    let report = pony_formats::parse(Format::Junit, &std::fs::read(file)?, &limits())?;
    Ok(report.tests.len())
}

fn trx(file: &Path) -> Result<usize, Failure> {
    let report = pony_formats::parse(Format::Trx, &std::fs::read(file)?, &limits())?;
    Ok(report.tests.len())
}

/// The bare loop over a buffered file: what is found is only counted.
fn events(file: &Path) -> Result<usize, Failure> {
    let input = BufReader::with_capacity(64 * 1024, File::open(file)?);
    let mut reader = XmlReader::from_reader(input);
    let (mut buffer, mut count) = (Vec::new(), 0);
    loop {
        buffer.clear();
        match reader.read_event_into(&mut buffer)? {
            Event::Start(tag) | Event::Empty(tag) => {
                let name = tag.name();
                count += usize::from(matches!(name.as_ref(), "testcase" | "UnitTestResult"));
            }
            Event::Eof => return Ok(count),
            _ => {}
        }
    }
}

fn decoded(file: &Path) -> Result<usize, Failure> {
    count_decoded(file, "testcase")
}

fn decoded_trx(file: &Path) -> Result<usize, Failure> {
    count_decoded(file, "UnitTestResult")
}

/// What any reader on quick-xml has to do at least: find every event, and resolve what is in it.
pub(crate) fn count_decoded(file: &Path, name: &str) -> Result<usize, Failure> {
    let text = String::from_utf8(std::fs::read(file)?)?;
    let mut reader = XmlReader::from_str(&text);
    let (mut count, mut length) = (0, 0);
    loop {
        match reader.read_event()? {
            Event::Start(tag) | Event::Empty(tag) => {
                count += usize::from(tag.name().as_ref() == name);
                for attribute in tag.attributes() {
                    length +=
                        attribute?.normalized_value(quick_xml::XmlVersion::Explicit1_0)?.len();
                }
            }
            Event::Text(text) => length += text.xml10_content().len(),
            Event::CData(text) => length += text.xml10_content().len(),
            Event::GeneralRef(name) => {
                length += match name.resolve_char_ref()? {
                    Some(char) => char.len_utf8(),
                    None => quick_xml::escape::resolve_xml_entity(&name).ok_or("undefined")?.len(),
                }
            }
            Event::Eof => break,
            _ => {}
        }
    }
    std::hint::black_box(length);
    Ok(count)
}

fn quick_junit(file: &Path) -> Result<usize, Failure> {
    let text = std::fs::read_to_string(file)?;
    let report = quick_junit::Report::deserialize_from_str(&text)?;
    Ok(report.test_suites.iter().map(|suite| suite.test_cases.len()).sum())
}

fn junit_parser(file: &Path) -> Result<usize, Failure> {
    let report = junit_parser::from_reader(Cursor::new(std::fs::read(file)?))?;
    Ok(report.suites.iter().map(|suite| suite.cases.len()).sum())
}

const JUNITPARSER: &str = r#"
import junitparser
def read(path):
    xml = junitparser.JUnitXml.fromfile(path)
    return sum(1 for suite in xml for case in suite)
"#;
