//! What must hold for every input, one function per fuzz target.
//!
//! Each panics where it does not. The tests of `pony-formats` include this file to replay the inputs
//! in `found/`, so it uses nothing but that package.

use pony_formats::record::{self, Files};
use pony_formats::xmlrpc::{self, Response};
use pony_formats::{Format, Limits, Report, detect, dialect, looks_like, parse};

/// One of the functions below, by the name of its target.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: [Target; 11] = [
    ("junit", junit),
    ("trx", trx),
    ("cargo_test", cargo_test),
    ("python_text", python_text),
    ("pytest_text", pytest_text),
    ("libtest_json", libtest_json),
    ("nextest", nextest),
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

/// Nothing that can be read is out of bounds, and every test is counted.
fn read(format: Format, input: &[u8]) {
    let _ = (detect(input), looks_like(input), dialect(input));
    let limits = Limits { tests_max: 10_000, oddities_max: 10, ..Limits::DEFAULT };
    let Ok(report) = parse(format, input, &limits) else { return };
    let Report { format: read_as, tests, unnamed, oddities, .. } = report;
    let described = oddities.first().len() as u64;
    assert_eq!(described, oddities.total().min(10), "{oddities:?}");
    assert_eq!(read_as, format);
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
