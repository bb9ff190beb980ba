//! What the first bytes of an input are, without reading the rest: [`root`] and [`looks_like`].

use std::borrow::Cow;

/// Bytes that are looked at.
const HEAD_BYTES: usize = 64 * 1024;

/// The blanks of XML.
const BLANKS: [char; 4] = [' ', '\t', '\r', '\n'];

/// The first tag of a document.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Root {
    /// The element's name, or `!DOCTYPE name`.
    pub(super) name: String,
    /// What follows the name inside the tag.
    pub(super) attributes: String,
}

/// What roots mean that no reader takes. A part of the attributes tells those of one name apart.
const ROOTS: [(&str, &str, &str); 21] = [
    ("html", "", "HTML"),
    ("!doctype html", "", "HTML"),
    ("test-run", "", "NUnit XML"),
    ("test-results", "", "NUnit XML"),
    ("test-suite", "", "NUnit XML"),
    ("assemblies", "", "xUnit.net XML"),
    ("assembly", "", "xUnit.net XML"),
    ("TestRun", "", "CppUnit XML"),
    ("Site", "", "CTest XML"),
    ("TestLog", "", "Boost.Test XML"),
    ("TestResult", "", "Boost.Test XML"),
    ("TestCase", "", "Qt Test XML"),
    ("robot", "", "Robot Framework output"),
    ("testsuites", "check.sourceforge.net", "Check XML"),
    ("testng-results", "", "TestNG XML"),
    ("coverage", "", "coverage XML"),
    ("report", "", "coverage XML"),
    ("checkstyle", "", "Checkstyle XML"),
    ("valgrindoutput", "", "Valgrind XML"),
    ("methodCall", "", "an XML-RPC call"),
    ("rss", "", "a feed"),
];

/// How files begin that are no text.
const MAGIC: [(&[u8], &str); 6] = [
    (b"\x1f\x8b", "gzip data"),
    (b"PK\x03\x04", "a zip archive"),
    (b"(\xb5\x2f\xfd", "zstd data"),
    (b"\x7fELF", "a program"),
    (b"\x89PNG", "an image"),
    (b"%PDF-", "PDF"),
];

/// The first tag of what may be XML in any encoding that is read. `None` when there is none, or not
/// in the part that is looked at.
pub(super) fn root(input: &[u8]) -> Option<Root> {
    let head = head(input);
    let mut rest = head.trim_start_matches('\u{feff}').trim_start_matches(BLANKS);
    loop {
        let (end, skipped) = match rest {
            _ if rest.starts_with("<?") => ("?>", true),
            _ if rest.starts_with("<!--") => ("-->", true),
            _ => (">", false),
        };
        if skipped {
            rest = rest.split_once(end)?.1.trim_start_matches(BLANKS);
            continue;
        }
        let tag = rest.strip_prefix('<')?.split_once(end)?.0.trim_end_matches('/');
        let name_end = match tag.strip_prefix("!DOCTYPE ").or(tag.strip_prefix("!doctype ")) {
            Some(after) => tag.len() - after.len() + after.find(BLANKS).unwrap_or(after.len()),
            None => tag.find(BLANKS).unwrap_or(tag.len()),
        };
        let (name, attributes) = tag.split_at(name_end);
        return Some(Root { name: name.to_owned(), attributes: attributes.to_owned() });
    }
}

/// What an input seems to be that no reader takes, to say in a message: a noun such as `HTML`. `None` when
/// it is text of no known kind, or markup that is not known.
pub fn looks_like(input: &[u8]) -> Option<&'static str> {
    if let Some((_, what)) = MAGIC.iter().find(|(magic, _)| input.starts_with(magic)) {
        return Some(what);
    }
    if let Some(root) = root(input) {
        let known = ROOTS.iter().find(|(name, part, _)| {
            (root.name == *name || name.ends_with("html") && root.name.eq_ignore_ascii_case(name))
                && root.attributes.contains(part)
        });
        return known.map(|row| row.2);
    }
    let is_utf_16 = input.starts_with(b"\xff\xfe") || input.starts_with(b"\xfe\xff");
    if !is_utf_16 && input[..input.len().min(HEAD_BYTES)].contains(&0) {
        return Some("binary data");
    }
    head(input).trim_start().starts_with(['{', '[']).then_some("JSON")
}

fn head(input: &[u8]) -> Cow<'_, str> {
    let head = &input[..input.len().min(HEAD_BYTES)];
    let unit = match head {
        [0xff, 0xfe, ..] => u16::from_le_bytes,
        [0xfe, 0xff, ..] => u16::from_be_bytes,
        _ => return String::from_utf8_lossy(head),
    };
    let units = head.as_chunks::<2>().0.iter().map(|pair| unit(*pair));
    char::decode_utf16(units).map(|char| char.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_is_behind_the_prologue() {
        let cases: [(&[u8], Option<&str>); 9] = [
            (b"<a/>", Some("a")),
            (b"\xef\xbb\xbf\n<?xml version='1.0'?> <!-- > --><b c='1'>", Some("b")),
            (b"\xff\xfe<\0u\0 \0x\0>\0", Some("u")),
            (b"<!DOCTYPE html>\n<html>", Some("!DOCTYPE html")),
            (b"<!doctype svg PUBLIC 'x'>", Some("!doctype svg")),
            (b"<?xml", None),
            (b"<open", None),
            (b"text", None),
            (b"", None),
        ];
        for (input, name) in cases {
            assert_eq!(root(input).map(|root| root.name).as_deref(), name, "{input:?}");
        }
    }

    #[test]
    fn common_mistakes_are_recognised() {
        let cases: [(&[u8], Option<&str>); 12] = [
            (b"<!DOCTYPE HTML>\n<html>", Some("HTML")),
            (b"<HTML lang='en'>", Some("HTML")),
            (b"<?xml version='1.0'?><test-run id='2'>", Some("NUnit XML")),
            (b"<assemblies>", Some("xUnit.net XML")),
            (b"<testsuites xmlns='http://check.sourceforge.net/ns'>", Some("Check XML")),
            (b"<testsuites name='x'>", None),
            (b"<testcase/>", None),
            (b"\x1f\x8b\x08", Some("gzip data")),
            (b"text\0text", Some("binary data")),
            (b"\xff\xfet\0", None),
            (b" \n{\"a\": 1}", Some("JSON")),
            (b"", None),
        ];
        for (input, what) in cases {
            assert_eq!(looks_like(input), what, "{input:?}");
        }
    }
}
