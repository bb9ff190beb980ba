//! Hostile XML, for the reader of JUnit reports and for that of XML-RPC calls: a table of inputs and
//! what each reader has to say.
//!
//! Nothing here is timed; `formats/bench` has a table of what hostile inputs cost. All are read with the
//! limits that hold where nothing else is configured.

use std::collections::BTreeSet;

use pony_formats::xmlrpc::read_call;
use pony_formats::{Format, Limits, Outcome, Report, Value, looks_like, parse};

/// What a reader has to answer.
#[derive(Debug, Clone, Copy)]
enum Answer {
    /// It is read, and what was in it is kept.
    Accepted,
    /// It is read, and says that text had to be replaced.
    Sanitised,
    /// It is refused with a message that has this in it; a call with any fault code.
    Refused(&'static str),
    /// It is refused with this fault code.
    Fault(i64),
    /// It is no input for this reader.
    NotAsked,
}

use Answer::{Accepted, Fault, NotAsked, Refused, Sanitised};

/// One input in the dress of both formats.
struct Row {
    /// The group it belongs to, in the numbering of the threat table.
    group: u32,
    what: &'static str,
    report: Vec<u8>,
    call: Vec<u8>,
    junit: Answer,
    xmlrpc: Answer,
}

impl Row {
    /// The same document for both.
    fn same(
        group: u32,
        what: &'static str,
        input: impl Into<Vec<u8>>,
        answers: (Answer, Answer),
    ) -> Self {
        let input = input.into();
        let (report, call) = (input.clone(), input);
        Self { group, what, report, call, junit: answers.0, xmlrpc: answers.1 }
    }

    /// A document for each.
    fn each(
        group: u32,
        what: &'static str,
        [report, call]: [&str; 2],
        answers: (Answer, Answer),
    ) -> Self {
        let row = Self::same(group, what, "", answers);
        Self { report: report.into(), call: call.into(), ..row }
    }

    /// `text` where each format has text, behind `prologue`.
    fn text(
        group: u32,
        what: &'static str,
        prologue: &str,
        text: &str,
        answers: (Answer, Answer),
    ) -> Self {
        let report = report(&format!("<testcase name='t'><failure>{text}</failure></testcase>"));
        let call = call(&format!("<string>{text}</string>"));
        let dressed = |document: String| (prologue.to_owned() + &document).into_bytes();
        let row = Self::same(group, what, "", answers);
        Self { report: dressed(report), call: dressed(call), ..row }
    }

    /// A value of a call, which a report does not have.
    fn value(what: &'static str, value: &str, answer: Answer) -> Self {
        Self::same(24, what, call(value), (NotAsked, answer))
    }
}

fn report(inside: &str) -> String {
    format!("<testsuite>{inside}</testsuite>")
}

fn call(value: &str) -> String {
    format!(
        "<methodCall><methodName>m</methodName><params><param><value>{value}</value></param></params></methodCall>"
    )
}

const NOT_WELL_FORMED: Answer = Fault(-32700);
const BAD_CHARACTER: Answer = Fault(-32702);
const BAD_VALUE: Answer = Fault(-32602);

/// A complete document of each format between two pieces of text.
fn whole(before: &str, behind: &str) -> [String; 2] {
    [report(""), call("")].map(|document| format!("{before}{document}{behind}"))
}

fn broken() -> Vec<Row> {
    let noise: Vec<u8> = (0..=255).cycle().take(4096).collect();
    let both = |fragment| (Refused(fragment), NOT_WELL_FORMED);
    vec![
        Row::same(12, "nothing", "", both("empty")),
        Row::same(12, "blanks", " \r\n\t ", both("empty")),
        Row::same(12, "noise", noise, both("")),
        Row::same(18, "an attribute twice", "<testsuite x='1' x='2'/>", both("duplicate")),
        Row::each(
            19,
            "truncated",
            ["<testsuite><b>", "<methodCall><methodName>m"],
            both("inside 2"),
        ),
        Row::each(
            19,
            "two roots",
            whole("", "<a/>").each_ref().map(String::as_str),
            both("second root"),
        ),
        Row::each(
            19,
            "text behind the root",
            whole("", "x").each_ref().map(String::as_str),
            both("after the root"),
        ),
        Row::each(
            19,
            "text before the root",
            whole("x", "").each_ref().map(String::as_str),
            both("before the root"),
        ),
        Row::text(19, "open CDATA", "", "<![CDATA[x", both("ends inside CDATA")),
        Row::text(21, "an undefined entity", "", "&unknown;", both("undefined entity")),
    ]
}

fn document_types() -> Vec<Row> {
    let refused = (Refused("DTD not allowed"), NOT_WELL_FORMED);
    let laughs: String = (1..10)
        .map(|n| format!("<!ENTITY l{n} '{}'>", format!("&l{};", n - 1).repeat(10)))
        .collect();
    let laughs = format!("<!DOCTYPE r [<!ENTITY l0 'lol'>{laughs}]>");
    let parameters = "<!DOCTYPE r [<!ENTITY % a '<!ENTITY b \"lol\">'>%a;]>";
    let long = format!("<!DOCTYPE r [<!ENTITY a '{}'>]>", "a".repeat(100_000));
    let file = "<!DOCTYPE r SYSTEM 'file:///etc/passwd'>";
    let remote = "<!DOCTYPE r SYSTEM 'http://127.0.0.1:1/x.dtd'>";
    let external = "<!DOCTYPE r [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>";
    vec![
        Row::text(13, "a billion laughs", &laughs, "&l9;", refused),
        Row::text(14, "a DTD in a file", file, "", refused),
        Row::text(14, "a DTD elsewhere", remote, "", refused),
        Row::text(14, "an external entity", external, "&x;", refused),
        Row::text(15, "parameter entities", parameters, "&b;", refused),
        Row::text(15, "a long entity, often", &long, &"&a;".repeat(10_000), refused),
    ]
}

fn excesses() -> Vec<Row> {
    let attributes: String = (0..80_000).map(|n| format!(" a{n}='1'")).collect();
    let namespaces: String = (0..50_000).map(|n| format!(" xmlns:n{n}='urn:{n}'")).collect();
    let too_many = (Refused("256 attributes"), BAD_VALUE);
    let comment = format!("<!-- {} -->", "c".repeat(4_900_000));
    let instruction = format!("<?p {}?>", "c".repeat(4_900_000));
    vec![
        Row {
            report: "<testsuite>".repeat(200_000).into_bytes(),
            call: call(&"<array><data><value>".repeat(200_000)).into_bytes(),
            ..Row::same(16, "200 000 levels", "", (Refused("too deep"), BAD_VALUE))
        },
        Row::same(17, "80 000 attributes", format!("<testsuite{attributes}/>"), too_many),
        Row::same(17, "50 000 namespaces", format!("<testsuite{namespaces}/>"), too_many),
        // The threat table wants this refused for its events. But as many come in an honest call of that
        // size that has a struct for each test, so the limit is higher, and what such a body may cost is
        // bounded by its bytes.
        Row {
            report: report(&"<a/>".repeat(1_000_000)).into_bytes(),
            call: call(&format!("<array><data>{}</data></array>", "<value/>".repeat(600_000)))
                .into_bytes(),
            ..Row::same(23, "a million tags", "", (Accepted, Accepted))
        },
        // One event each, whatever their size, and nothing is kept of them: to refuse them would guard
        // nothing.
        Row::text(23, "one long comment", &comment, "x", (Accepted, Accepted)),
        Row::text(23, "one long instruction", &instruction, "x", (Accepted, Accepted)),
    ]
}

/// Reports keep characters that XML forbids as escapes. The threat table wants calls refused that have them;
/// but the original client sends what build tools print, colours and all, and would lose the whole
/// submission. So calls keep them as they are, and say so. A surrogate is no character of any text.
fn characters() -> Vec<Row> {
    let kept = (Sanitised, Sanitised);
    vec![
        Row::text(20, "a reference to NUL", "", "&#0;", kept),
        Row::text(20, "a reference to ESC", "", "&#x1b;", kept),
        Row::text(20, "a reference to a surrogate", "", "&#xD800;", (Sanitised, BAD_CHARACTER)),
        Row::text(20, "U+0001", "", "\u{1}", kept),
        Row::text(20, "U+FFFE", "", "\u{fffe}", kept),
    ]
}

fn encodings() -> Vec<Row> {
    let declared = |name: &str| format!("<?xml version='1.0' encoding='{name}'?>");
    let refused = (Refused("encod"), NOT_WELL_FORMED);
    let utf_16 = |text: String| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let latin = |row: Row| {
        let latin = |bytes: Vec<u8>| {
            let text = String::from_utf8(bytes).unwrap();
            text.chars().map(|c| u8::try_from(c).unwrap()).collect()
        };
        Row { report: latin(row.report), call: latin(row.call), ..row }
    };
    vec![
        Row::text(22, "UTF-7", &declared("utf-7"), "x", refused),
        Row::text(
            22,
            "UTF-16 that is none",
            &declared("utf-16"),
            "x",
            (Refused("UTF-16"), refused.1),
        ),
        Row {
            report: utf_16(report("")),
            call: utf_16(call("")),
            ..Row::same(22, "UTF-16 without a mark", "", (Refused("UTF-16"), NOT_WELL_FORMED))
        },
        Row {
            report: utf_16(format!("\u{feff}{}", report(""))),
            call: utf_16(format!("\u{feff}{}", call(""))),
            ..Row::same(22, "UTF-16 with its mark", "", (Accepted, NOT_WELL_FORMED))
        },
        // The threat table wants both refused. But the original client, in Python 2, sends the output of
        // tools as it was, so calls take such bytes for Latin-1, and say so.
        latin(Row::text(
            22,
            "bytes that are not UTF-8",
            "",
            "\u{e9}",
            (Refused("not UTF-8"), Sanitised),
        )),
        Row::text(22, "a mark of UTF-8", "\u{feff}", "\u{e9}", (Accepted, Accepted)),
        latin(Row::text(22, "Latin-1", &declared("iso-8859-1"), "\u{e9}", (Accepted, Accepted))),
    ]
}

fn values() -> Vec<Row> {
    vec![
        // The threat table wants this refused, because the protocol ends at 2³¹. But result keys do not,
        // and `get_results` takes them.
        Row::value("an int of 2³¹", "<int>2147483648</int>", Accepted),
        Row::value("an int beyond 64 bits", "<int>9223372036854775808</int>", BAD_VALUE),
        Row::value("an int with an exponent", "<int>1e5</int>", BAD_VALUE),
        Row::value("an int of two signs", "<int>+-1</int>", BAD_VALUE),
        Row::value("an empty int", "<int/>", BAD_VALUE),
        Row::value("a boolean of 2", "<boolean>2</boolean>", BAD_VALUE),
        Row::value("a double that is no number", "<double>much</double>", BAD_VALUE),
        Row::value("an empty double", "<double/>", BAD_VALUE),
        // The threat table wants these refused, but Python writes its floats so, and the original client
        // sends durations.
        Row::value("not a number", "<double>nan</double>", Accepted),
        Row::value("minus infinity", "<double>-inf</double>", Accepted),
    ]
}

#[test]
fn hostile_documents_get_the_answer_they_deserve() {
    let rows: Vec<Row> =
        [broken(), document_types(), excesses(), characters(), encodings(), values()]
            .into_iter()
            .flatten()
            .collect();
    let mut answers = 0;
    let mut wrong = Vec::new();
    for row in &rows {
        for (reader, found) in [("junit", check_junit(row)), ("xmlrpc", check_xmlrpc(row))] {
            match found {
                Ok(asked) => answers += usize::from(asked),
                Err(found) => {
                    wrong.push(format!("{} {} ({reader}): {found}", row.group, row.what));
                }
            }
        }
    }
    let groups: BTreeSet<u32> = rows.iter().map(|row| row.group).collect();
    println!(
        "hostile: rows {groups:?} of the threat table, {} inputs, {answers} right answers, {} wrong",
        rows.len(),
        wrong.len()
    );
    assert_eq!(groups, (12..=24).collect(), "every row of the table that is about XML");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Whether the reader was asked at all, or what it said instead.
fn check_junit(row: &Row) -> Result<bool, String> {
    if let NotAsked = row.junit {
        return Ok(false);
    }
    let keeps = |report: &Report| report.tests.iter().all(|test| test.outcome == Outcome::Failed);
    let found =
        parse(Format::Junit, &row.report, &Limits::DEFAULT).map_err(|error| error.to_string());
    let is_right = match (row.junit, &found) {
        (Accepted, Ok(report)) => !report.sanitised && keeps(report),
        (Sanitised, Ok(report)) => report.sanitised && keeps(report),
        (Refused(fragment), Err(message)) => {
            message.contains(fragment) && is_one_short_line(message)
        }
        _ => false,
    };
    let found = || found.map(|report| (report.tally(), report.sanitised));
    if is_right { Ok(true) } else { Err(format!("{:?} expected, not {:?}", row.junit, found())) }
}

fn check_xmlrpc(row: &Row) -> Result<bool, String> {
    let found = read_call(&row.call, &Limits::DEFAULT);
    let keeps = |params: &[Value]| params.len() == 1;
    let is_right = match (row.xmlrpc, &found) {
        (Accepted, Ok(call)) => !call.sanitised && keeps(&call.params),
        (Sanitised, Ok(call)) => call.sanitised && keeps(&call.params),
        (Refused(fragment), Err(error)) => error.message.contains(fragment),
        (Fault(code), Err(error)) => error.code == code && is_one_short_line(&error.to_string()),
        _ => false,
    };
    let found = || found.map(|call| (call.params.len(), call.sanitised));
    if is_right { Ok(true) } else { Err(format!("{:?} expected, not {:?}", row.xmlrpc, found())) }
}

fn is_one_short_line(message: &str) -> bool {
    message.len() < 500 && !message.contains(char::is_control)
}

#[test]
fn what_is_said_of_a_hostile_input_is_bounded_too() {
    let limits = Limits { oddities_max: 5, ..Limits::DEFAULT };
    let long = "n".repeat(100_000);
    let cases = format!("<testcase name='{long}' time='{long}'/>").repeat(20);
    let text = format!("<testsuite name='{long}' tests='{long}'>{long}{cases}</testsuite>");
    let report = parse(Format::Junit, text.as_bytes(), &limits).unwrap();
    assert_eq!((report.oddities.first().len(), report.tests.len()), (5, 20));
    assert!(report.oddities.total() >= 40);
    for odd in report.oddities.first() {
        assert!(is_one_short_line(&odd.message), "{}", odd.message);
    }
    assert_eq!(looks_like(&vec![b'<'; 10_000_000]), None);
    assert_eq!(looks_like(&b"<!-- ".repeat(1_000_000)), None);
}
