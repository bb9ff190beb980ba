//! What must hold for every input, one function per fuzz target.
//!
//! Each panics where it does not. The tests of `pony-formats` include this file to replay the inputs
//! in `found/`, so it uses nothing but that package.

use pony_formats::output::{write_ctrf, write_junit};
use pony_formats::record::{self, Files};
use pony_formats::xmlrpc::{self, Response};
use pony_formats::{
    Entry, Format, Limits, Outcome, ParseError, Position, Report, Summary, TestCase, Value, detect,
    detect_text, dialect, looks_like, names, parse,
};

/// One of the functions below, by the name of its target.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: [Target; 18] = [
    ("junit", junit),
    ("trx", trx),
    ("cargo_test", cargo_test),
    ("python_text", python_text),
    ("pytest_text", pytest_text),
    ("libtest_json", libtest_json),
    ("nextest", nextest),
    ("ctrf", ctrf),
    ("tap", tap),
    ("go_test", go_test),
    ("detection", detection),
    ("ctrf_writer", ctrf_writer),
    ("junit_writer", junit_writer),
    ("names", names_as_paths),
    ("xmlrpc_call", xmlrpc_call),
    ("xmlrpc_response", xmlrpc_response),
    ("json", json),
    ("record", record),
];

/// JUnit XML.
pub fn junit(input: &[u8]) {
    read(Format::Junit, input);
}

/// TRX.
pub fn trx(input: &[u8]) {
    read(Format::Trx, input);
}

/// The text of `cargo test`.
pub fn cargo_test(input: &[u8]) {
    read(Format::CargoTest, input);
}

/// The text of nose and unittest.
pub fn python_text(input: &[u8]) {
    read(Format::PythonText, input);
}

/// The text of pytest.
pub fn pytest_text(input: &[u8]) {
    read(Format::PytestText, input);
}

/// The JSON lines of libtest and nextest.
pub fn libtest_json(input: &[u8]) {
    read(Format::LibtestJson, input);
}

/// The text of nextest.
pub fn nextest(input: &[u8]) {
    read(Format::NextestText, input);
}

/// CTRF.
pub fn ctrf(input: &[u8]) {
    read(Format::Ctrf, input);
}

/// TAP.
pub fn tap(input: &[u8]) {
    read(Format::Tap, input);
}

/// The events of `go test -json`.
pub fn go_test(input: &[u8]) {
    read(Format::GoTest, input);
}

/// Whatever an input is taken for, it can be read as that or is refused at a place that it has.
pub fn detection(input: &[u8]) {
    for format in [detect(input), detect_text(input)].into_iter().flatten() {
        read(format, input);
    }
}

/// What is written as CTRF reads back as the tests it was made of. The input is JSON, an array of tests.
pub fn ctrf_writer(input: &[u8]) {
    let Some(tests) = tests(input) else { return };
    let write = |tests: &[TestCase]| {
        let mut bytes = Vec::new();
        write_ctrf(&mut bytes, tests, Default::default(), Default::default()).expect("memory");
        bytes
    };
    rewrite(Format::Ctrf, &tests, write);
}

/// The same for JUnit.
pub fn junit_writer(input: &[u8]) {
    let Some(tests) = tests(input) else { return };
    let write = |tests: &[TestCase]| {
        let mut bytes = Vec::new();
        write_junit(&mut bytes, "run", [("suite", tests, &[][..])]).expect("memory");
        bytes
    };
    rewrite(Format::Junit, &tests, write);
}

/// Any name is one component of a path, and two names are never one. The input is two names with a line
/// feed between them.
pub fn names_as_paths(input: &[u8]) {
    let input = String::from_utf8_lossy(input);
    let (one, other) = input.split_once('\n').unwrap_or((&input, ""));
    for encode in [names::tree_component, names::url_component] {
        let components = [encode(one), encode(other)];
        assert_eq!(one == other, components[0] == components[1], "{one:?} and {other:?}");
        for component in components {
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-%~".contains(&byte);
            assert!(component.bytes().all(is_plain), "{component:?}");
            assert!((1..=100).contains(&component.len()), "{component:?}");
            assert!(!component.starts_with('.') && !component.ends_with('.'), "{component:?}");
        }
    }
    assert!(names::is_url_component(&names::url_component(one)), "{one:?}");
}

/// What is called, can be called again. What XML cannot carry changes once, and only once.
pub fn xmlrpc_call(input: &[u8]) {
    let Ok(call) = xmlrpc::read_call(input, &Limits::DEFAULT) else { return };
    let written = xmlrpc::write_call(&call.method, &call.params);
    let again = xmlrpc::read_call(written.as_bytes(), &Limits::DEFAULT);
    let again = again.unwrap_or_else(|error| panic!("{error} in {written}"));
    assert_eq!(again.params.len(), call.params.len());
    assert_eq!(xmlrpc::write_call(&again.method, &again.params), written);
}

/// What is answered, can be answered again.
pub fn xmlrpc_response(input: &[u8]) {
    let Ok(response) = xmlrpc::read_response(input, &Limits::DEFAULT) else { return };
    let written = write_response(&response);
    let again = xmlrpc::read_response(written.as_bytes(), &Limits::DEFAULT);
    let again = again.unwrap_or_else(|error| panic!("{error} in {written}"));
    assert_eq!(write_response(&again), written);
}

fn write_response(response: &Response) -> String {
    match response {
        Response::Success(value) => xmlrpc::write_response(value),
        Response::Fault(fault) => xmlrpc::write_fault(fault),
    }
}

/// There is one text for each value.
pub fn json(input: &[u8]) {
    let Ok(value) = pony_formats::json::from_text(input) else { return };
    let text = pony_formats::json::to_text(&value);
    let again = pony_formats::json::from_text(text.as_bytes());
    let again = again.unwrap_or_else(|error| panic!("{error} in {text}"));
    assert_eq!(pony_formats::json::to_text(&again), text);
}

/// A result that was stored is stored alike when it is stored again. The input is files, each after
/// a line `== path`.
pub fn record(input: &[u8]) {
    let files = files(input);
    let _ = record::decode_summary(&files);
    let Ok(result) = record::decode(&files) else { return };
    let stored = record::encode(&result.receipt, &result.submission);
    let again = record::decode(&stored).unwrap_or_else(|error| panic!("{error} in {stored:?}"));
    assert_eq!(record::encode(&again.receipt, &again.submission), stored);
    let summary = record::decode_summary(&stored);
    assert!(summary.is_ok(), "{summary:?} of {stored:?}");
}

/// Nothing that can be read is out of bounds, and every test is counted; what cannot be read is wrong at
/// a place that it has. JUnit bit by bit is like JUnit at once.
fn read(format: Format, input: &[u8]) {
    let _ = (detect(input), looks_like(input), dialect(input));
    let limits = Limits { tests_max: 10_000, oddities_max: 10, ..Limits::DEFAULT };
    let report = parse(format, input, &limits);
    if format == Format::Junit {
        // The others are read to their end first.
        read_bit_by_bit(format, input, &limits, &report);
    }
    let Report { format: read_as, tests, unnamed, oddities, .. } = match report {
        Ok(report) => report,
        Err(error) => return assert_is_inside(input, &error),
    };
    let described = oddities.first().len() as u64;
    assert_eq!(described, oddities.total().min(10), "{oddities:?}");
    assert_eq!(read_as, format);
    for odd in oddities.first() {
        let is_line = !odd.message.is_empty() && !odd.message.contains(char::is_control);
        assert!(is_line && odd.message.len() < 4_000, "{odd:?}");
    }
    assert!(tests.len() <= 2 * limits.tests_max, "{} tests", tests.len());
    for test in &tests {
        let durations = test.attempts.iter().map(|attempt| attempt.duration);
        for seconds in durations.chain([test.duration]).flatten() {
            assert!(seconds.is_finite() && seconds >= 0.0, "{test:?}");
        }
    }
    let parts = [unnamed.passed, unnamed.failed, unnamed.errored, unnamed.skipped];
    let sum = parts.into_iter().fold(0, u64::saturating_add);
    assert_eq!(unnamed.total, sum, "{unnamed:?}");
}

fn read_bit_by_bit(
    format: Format,
    input: &[u8],
    limits: &Limits,
    whole: &Result<Report, ParseError>,
) {
    let (mut tests, mut suites) = (Vec::new(), Vec::new());
    let pieces = std::io::BufReader::with_capacity(64, input);
    let summary = pony_formats::read(format, pieces, limits, &mut |entry| match entry {
        Entry::Test(test) => tests.push(test),
        Entry::Suite(suite) => suites.push(suite),
    });
    match (whole, summary) {
        (Ok(whole), Ok(Summary { format, unnamed, sanitised })) => {
            assert_eq!(format, whole.format);
            assert_eq!(
                (&tests, &suites, unnamed, sanitised),
                (&whole.tests, &whole.suites, whole.unnamed, whole.sanitised)
            );
        }
        // Of several things that are wrong, each may meet another one first: all bytes are text, or not, before
        // the first of them is read, where they are at hand.
        (Err(_), Err(_)) => {}
        (whole, summary) => panic!("{whole:?} at once, {summary:?} bit by bit"),
    }
}

/// Encodings but UTF-8 may have more lines than bytes suggest, but no more than bytes.
fn assert_is_inside(input: &[u8], error: &ParseError) {
    let end = Position::of(input, input.len());
    let ParseError { position, message } = error;
    assert!(!message.is_empty() && !message.contains(char::is_control), "{message:?}");
    assert!(message.len() < 4_000, "{message}");
    assert!(position.line >= 1 && position.column >= 1, "{error}");
    assert!(position.line <= end.line.max(input.len() as u64), "{error}, but it ends at {end:?}");
}

/// The tests of a JSON array.
fn tests(input: &[u8]) -> Option<Vec<TestCase>> {
    let value = pony_formats::json::from_text(input).ok()?;
    let tests = value.as_array()?.iter().map(|item| match item {
        Value::Struct(bag) => TestCase::from_bag(bag.clone()),
        _ => None,
    });
    tests.collect()
}

/// What the format cannot carry changes once, and only once. Names, outcomes and counts stay.
fn rewrite(format: Format, tests: &[TestCase], write: impl Fn(&[TestCase]) -> Vec<u8>) {
    let read = |document: &[u8]| {
        let shown = String::from_utf8_lossy(document);
        assert_eq!(detect(document), Some(format), "{shown}");
        let report = parse(format, document, &Limits::DEFAULT);
        let report = report.unwrap_or_else(|error| panic!("{error} in {shown}"));
        assert!(!report.sanitised && report.unnamed.total == 0, "{shown}");
        report.tests
    };
    let outcomes =
        |tests: &[TestCase]| tests.iter().map(|test| test.outcome).collect::<Vec<Outcome>>();
    let once = read(&write(tests));
    assert_eq!(outcomes(&once), outcomes(tests));
    let twice = write(&once);
    assert_eq!(write(&read(&twice)), twice, "{}", String::from_utf8_lossy(&twice));
}

fn files(input: &[u8]) -> Files {
    let mut files = Files::new();
    let mut path = String::new();
    for line in input.split_inclusive(|byte| *byte == b'\n') {
        match line.strip_prefix(b"== ") {
            Some(name) => {
                path = String::from_utf8_lossy(name).trim_end().to_owned();
                files.insert(path.clone(), Vec::new());
            }
            None => files.entry(path.clone()).or_default().extend_from_slice(line),
        }
    }
    files
}
