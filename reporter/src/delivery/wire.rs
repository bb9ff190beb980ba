//! The call that carries a submission, as an XML document.
//!
//! The crate that writes it copies text as it is, but XML cannot hold every character: those it
//! forbids become visible escapes (`\x1b`), and `sanitised` in `client_info` says so. Carriage returns,
//! which a reader would take for line ends, are written as references and so arrive.

use std::fmt::Write as _;

use pony_formats::{Submission, Value};
use xmlrpc::{Request, Value as Wire};

/// `add_results` with both bags.
pub(super) fn add_results(submission: &Submission) -> Vec<u8> {
    let (client_info, results_list) = submission.clone().into_values();
    let mut sanitised = false;
    let results_list = to_wire(results_list, &mut sanitised);
    let mut client_info = to_wire(client_info, &mut sanitised);
    if let Wire::Struct(bag) = &mut client_info
        && sanitised
    {
        bag.insert("sanitised".to_owned(), Wire::Bool(true));
    }
    let call = Request::new("add_results").arg(client_info).arg(results_list);
    let mut document = Vec::new();
    // Writing to a vector cannot fail.
    let _ = call.write_as_xml(&mut document);
    with_references(&document)
}

/// The markup itself holds no carriage return, so each one is content.
fn with_references(document: &[u8]) -> Vec<u8> {
    let mut pieces = document.split(|byte| *byte == b'\r');
    let mut whole = pieces.next().unwrap_or_default().to_vec();
    for piece in pieces {
        whole.extend_from_slice(b"&#13;");
        whole.extend_from_slice(piece);
    }
    whole
}

/// Recursion is bounded: values come from our own steps, or from JSON, whose reader stops at a
/// depth of 128.
fn to_wire(value: Value, sanitised: &mut bool) -> Wire {
    match value {
        Value::Nil => Wire::Nil,
        Value::Bool(flag) => Wire::Bool(flag),
        Value::Int(number) => i32::try_from(number).map_or(Wire::Int64(number), Wire::Int),
        Value::Double(number) => Wire::Double(number),
        // The crate can write only dates it has read; text arrives as well.
        Value::String(text) | Value::DateTime(text) => Wire::String(visible(text, sanitised)),
        Value::Base64(bytes) => Wire::Base64(bytes),
        Value::Array(items) => {
            Wire::Array(items.into_iter().map(|item| to_wire(item, sanitised)).collect())
        }
        Value::Struct(bag) => Wire::Struct(
            bag.into_iter()
                .map(|(key, value)| (visible(key, sanitised), to_wire(value, sanitised)))
                .collect(),
        ),
    }
}

fn visible(text: String, sanitised: &mut bool) -> String {
    if text.chars().all(is_xml) {
        return text;
    }
    *sanitised = true;
    let mut escaped = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if is_xml(character) {
            escaped.push(character);
        } else {
            // Writing to a string cannot fail.
            let _ = write!(escaped, "\\x{:02x}", u32::from(character));
        }
    }
    escaped
}

/// `Char` of XML 1.0, section 2.2.
fn is_xml(character: char) -> bool {
    !matches!(character,
        '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use pony_formats::{ClientInfo, Step, Tagset};

    fn document(output: &str, line: i64) -> String {
        let tagset = Tagset {
            package: "hay & loft".to_owned(),
            host: "shed".to_owned(),
            arch: "linux-x86_64".to_owned(),
            tags: ["nightly".to_owned()].into(),
        };
        let client_info = ClientInfo::new(&tagset, true).unwrap();
        let step = Step::default().with("output", output).with("line", line);
        let submission = Submission { client_info, results_list: vec![step] };
        String::from_utf8(add_results(&submission)).unwrap()
    }

    #[test]
    fn text_that_xml_can_hold_is_not_changed() {
        let document = document("a\r\nb\tc <&>\u{7f}", 7);
        assert!(document.contains("<string>a&#13;\nb\tc &lt;&amp;"), "{document}");
        assert!(document.contains("<string>hay &amp; loft</string>"));
        assert!(document.contains("<i4>7</i4>"));
        assert!(!document.contains("sanitised"));
    }

    #[test]
    fn forbidden_characters_become_visible_and_are_declared() {
        let document = document("\u{1b}[31mred\0\u{ffff}", 1 << 40);
        assert!(document.contains("<string>\\x1b[31mred\\x00\\xffff</string>"), "{document}");
        assert!(document.contains("<name>sanitised</name>\n<value><boolean>1</boolean>"));
        assert!(document.contains("<i8>1099511627776</i8>"));
    }
}
