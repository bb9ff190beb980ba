//! What a strict reader of XML must refuse, and what it must keep.

use std::io::BufReader;

use proptest::prelude::*;

use super::*;
use crate::input::ParseError;

/// A document in brief: `<name key=value`, `>` for an end, text in quotes.
fn events(text: &str, limits: &Limits) -> Result<String, String> {
    let (text, _) = decode(text.as_bytes(), Leniency::Report, limits).map_err(line)?;
    let whole = walk(Whole::new(&text), Leniency::Report, limits);
    // Three bytes at a time, so that pieces and characters are cut everywhere.
    let input = BufReader::with_capacity(3, text.as_bytes());
    let stream = walk(Stream::new(input, usize::MAX), Leniency::Report, limits);
    assert_eq!(whole, stream, "{text:?}");
    whole
}

fn walk(pieces: impl Pieces, leniency: Leniency, limits: &Limits) -> Result<String, String> {
    let mut reader = Reader::new(pieces, leniency, limits);
    let mut seen = String::new();
    while let Some(event) = reader.next().map_err(line)? {
        match event {
            Event::Start => {
                let tag = reader.tag();
                seen += &format!("<{}", tag.name());
                for (key, value) in tag.attributes() {
                    seen += &format!(" {key}={value}");
                }
            }
            Event::End => seen += ">",
            Event::Text(text) => seen += &format!("{text:?}"),
        }
    }
    Ok(if reader.sanitised() { seen + " sanitised" } else { seen })
}

fn line(error: XmlError) -> String {
    ParseError::from(error).to_string()
}

fn read(text: &str) -> Result<String, String> {
    events(text, &Limits::DEFAULT)
}

#[test]
fn elements_attributes_and_text_come_in_order() {
    let text =
        "\n<?xml version='1.1'?><!-- c --><a x='1' y = \"'2'\" ><?p i?>t<b/>u<![CDATA[<&]]></a >\n";
    assert_eq!(read(text).unwrap(), "<a x=1 y='2'\"t\"<b>\"u\"\"<&\">");
}

#[test]
fn references_are_resolved_in_text_and_attributes() {
    let text = "<a x='&lt;&#10;&quot;'>1 &lt; 2 &amp; &#x41;&#66;</a>";
    assert_eq!(read(text).unwrap(), "<a x=<\n\"\"1 \"\"<\"\" 2 \"\"&\"\" \"\"A\"\"B\">");
}

#[test]
fn line_ends_become_lf_and_literal_blanks_in_attributes_spaces() {
    let text = "<a x='1\r\n2\t3&#9;4\r5'>1\r\n2\r3&#13;</a>";
    assert_eq!(read(text).unwrap(), "<a x=1 2 3\t4 5\"1\\n2\\n3\"\"\\r\">");
}

#[test]
fn forbidden_characters_become_visible() {
    let cases = [
        ("<a>\u{1}</a>", r#"<a"\\x01">"#),
        ("<a>&#0;</a>", r#"<a"\\x00">"#),
        ("<a x='&#x1b;[31m'/>", r"<a x=\x1b[31m>"),
        ("<a x='\u{fffe}'/>", r"<a x=\u{fffe}>"),
        ("<a><![CDATA[\u{ffff}]]></a>", r#"<a"\\u{ffff}">"#),
        ("<a>&#xD800;</a>", r#"<a"\\u{d800}">"#),
    ];
    for (text, expected) in cases {
        assert_eq!(read(text).unwrap(), format!("{expected} sanitised"), "{text:?}");
    }
    assert_eq!(read("<a>\u{fffd}\u{ff01}\u{7f}</a>").unwrap(), "<a\"\u{fffd}\u{ff01}\\u{7f}\">");
}

#[test]
fn calls_keep_forbidden_characters() {
    let read = |text: &str| walk(Whole::new(text), Leniency::Call, &Limits::DEFAULT);
    let text = "<?xml version='1.0'?><a x='&#x1b;\0'>\u{1}\r\n&#0;\u{ffff}</a>";
    assert_eq!(read(text).unwrap(), "<a x=\u{1b}\0\"\\u{1}\\n\"\"\\0\"\"\\u{ffff}\"> sanitised");
    let surrogate = read("<a>&#xD800;</a>");
    assert_eq!(surrogate, Err("1:4: `&#xD800;` is no character".to_owned()));
    let late = read(" <?xml version='1.0'?><a/>");
    assert_eq!(late, Err("1:2: an XML declaration that is not at the start".to_owned()));
}

#[test]
fn bytes_that_are_not_utf_8_are_latin_1_in_a_call() {
    let read = |input| decode(input, Leniency::Call, &Limits::DEFAULT).map_err(line);
    assert_eq!(read(b"<a>\xc3\xa9</a>"), Ok(("<a>é</a>".into(), false)));
    assert_eq!(read(b"<a>\xe9\xc3\xa9</a>"), Ok(("<a>éé</a>".into(), true)));
    let refused = read(b"\xff\xfe<\0a\0/\0>\0");
    assert_eq!(refused, Err("1:1: UTF-16 is not supported: send UTF-8".to_owned()));
}

#[test]
fn what_is_not_well_formed_is_refused_at_its_position() {
    let cases = [
        ("", "1:1: the input is empty, expected a root element"),
        (" \n ", "2:2: the input is empty, expected a root element"),
        ("<!-- only -->", "1:14: the input ends, expected a root element"),
        ("not xml", "1:1: text before the root element, expected `<`"),
        ("<a/>\n<b/>", "2:1: a second root element"),
        ("<a/>\n bye", "2:2: text after the root element, expected the end of the input"),
        ("<a/>&lt;", "1:5: a reference after the root element, expected the end of the input"),
        ("<![CDATA[]]><a/>", "1:1: CDATA before the root element, expected `<`"),
        ("<a><b>", "1:7: the input ends inside 2 elements, expected their end tags"),
        ("<a>\n</b>", "2:1: expected `</a>`, found `</b>`"),
        ("<a></a x='1'>", "1:4: expected `</a>`, found `</a x='1'>`"),
        ("</a>", "1:1: `</a>` ends nothing that is open"),
        ("<a", "1:1: the input ends inside a tag, expected `>`"),
        ("<a><![CDATA[x", "1:4: the input ends inside CDATA, expected `]]>`"),
        ("<a>&unknown;</a>", "1:4: undefined entity `&unknown;`"),
        ("<a x='&unknown;'/>", "1:4: undefined entity `&unknown;`"),
        ("<a>&#x110000;</a>", "1:4: `&#x110000;` is no character"),
        ("<a>&#+1;</a>", "1:4: `&#+1;` is no character"),
        ("<a>&#;</a>", "1:4: `&#;` is no character"),
        ("<a>fish & chips</a>", "1:9: `&` without a `;` after it"),
        ("<a x='&'/>", "1:4: `&` without a `;` after it"),
        ("<a x='<'/>", "1:4: `<` in the value of an attribute"),
        ("<a x='1'\n  x='2'/>", "2:3: duplicate attribute `x`"),
        ("<a x='1'y='2'/>", "1:9: attributes without a blank between"),
        ("<a x/>", "1:4: `x` is not an attribute"),
        ("<a x=1/>", "1:4: `x=1` is not an attribute"),
        ("<a 1='1'/>", "1:4: `1='1'` is not an attribute"),
        ("<1/>", "1:1: `1` cannot be the name of an element"),
        ("< a/>", "1:1: `` cannot be the name of an element"),
        ("<a>]]></a>", "1:4: `]]>` in text"),
        ("<a><?xml version='1.0'?></a>", "1:4: an XML declaration that is not at the start"),
        (
            "<?xml encoding='utf-8'?><a/>",
            "1:1: an XML declaration that is not version, encoding, standalone",
        ),
        (
            "<?xml version='1.0' x='y'?><a/>",
            "1:1: an XML declaration that is not version, encoding, standalone",
        ),
        ("<?xml version='1.0'encoding='utf-8'?><a/>", "1:20: attributes without a blank between"),
        ("<a><?1?></a>", "1:4: a processing instruction without a name"),
        ("<a><!-- -- --></a>", "1:9: forbidden string `--` was found in a comment"),
        (
            "<!DOCTYPE html><a/>",
            "1:1: DTD not allowed: `<!DOCTYPE html`, expected the root element",
        ),
        (
            "<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///x'>]><a>&b;</a>",
            "1:1: DTD not allowed: `<!DOCTYPE a`, expected the root element",
        ),
    ];
    let wrong: Vec<_> = cases
        .iter()
        .filter(|case| read(case.0) != Err(case.1.to_owned()))
        .map(|case| (case.0, read(case.0)))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn errors_repeat_little_of_the_input() {
    let error = read(&format!("<a></{}\n>", "x\u{7}".repeat(1000))).unwrap_err();
    assert!(error.len() < 500 && !error.contains(['\u{7}', '\n']), "{error}");
}

#[test]
fn limits_hold() {
    let limits =
        Limits { xml_depth_max: 2, xml_attributes_max: 2, xml_events_max: 9, ..Limits::DEFAULT };
    let cases = [
        ("<a><b><c/></b></a>", "1:7: over the limit of 2 levels, too deep"),
        ("<a x='' y='' z=''/>", "1:1: over the limit of 2 attributes of one element"),
        ("<a><b/><b/><b/><b/><b/><b/><b/><b/></a>", "1:32: over the limit of 9 events"),
    ];
    for (text, message) in cases {
        assert_eq!(events(text, &limits), Err(message.to_owned()), "{text:?}");
    }
    assert_eq!(events("<a x='' y=''><b/></a>", &limits).unwrap(), "<a x= y=<b>>");
    let limits = Limits { input_bytes_max: 3, ..limits };
    assert_eq!(events("<a/>", &limits), Err("1:1: over the limit of 3 bytes".to_owned()));
}

#[test]
fn deep_nesting_ends_in_an_error() {
    assert_eq!(
        read(&"<a>".repeat(200_000)),
        Err("1:193: over the limit of 64 levels, too deep".to_owned())
    );
}

fn decoded(input: &[u8]) -> Result<String, String> {
    let decoded = decode(input, Leniency::Report, &Limits::DEFAULT);
    decoded.map(|(text, _)| text.into_owned()).map_err(line)
}

/// The declaration of an encoding, then bytes.
fn declared(name: &str, bytes: &[u8]) -> Vec<u8> {
    [format!("<?xml version=\"1.0\" encoding=\"{name}\"?>").as_bytes(), bytes].concat()
}

fn utf_16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    format!("\u{feff}{text}").encode_utf16().flat_map(bytes).collect()
}

#[test]
fn encodings_are_understood() {
    let text = "<a>é€😀</a>";
    assert_eq!(decoded(text.as_bytes()).unwrap(), text);
    assert_eq!(decoded(format!("\u{feff}{text}").as_bytes()).unwrap(), text);
    assert_eq!(decoded(&utf_16(text, u16::to_le_bytes)).unwrap(), text);
    assert_eq!(decoded(&utf_16(text, u16::to_be_bytes)).unwrap(), text);
    let tail =
        |input: &[u8]| decoded(input).map(|text| text.split("?>").last().unwrap().to_owned());
    assert_eq!(tail(&declared("ISO-8859-1", b"\xe9\x80")).unwrap(), "é\u{80}");
    assert_eq!(tail(&declared("latin1", b"\xe9")).unwrap(), "é");
    assert_eq!(tail(&declared("windows-1252", b"\xe9\x80\x81\x9f")).unwrap(), "é€\u{81}Ÿ");
    assert_eq!(tail(&declared("UTF-8", "é".as_bytes())).unwrap(), "é");
}

#[test]
fn a_byte_order_mark_outdoes_a_wrong_declaration() {
    let text = "<?xml version='1.0' encoding='unicode-1-1'?><a/>";
    assert_eq!(decoded(&utf_16(text, u16::to_le_bytes)).unwrap(), text);
}

#[test]
fn what_its_encoding_does_not_have_is_refused() {
    let unknown = "expected utf-8, utf-16, iso-8859-1 or windows-1252";
    let cases = [
        (declared("utf-8", b"\n<a>\xc3\xa9\xff</a>"), "2:5: byte 0xff is not UTF-8".to_owned()),
        (b"<a>\xe9</a>".to_vec(), "1:4: byte 0xe9 is not UTF-8".to_owned()),
        (declared("utf-7", b"<a/>"), format!("1:1: encoding `utf-7`, {unknown}")),
        (
            declared("utf-16", b"<a/>"),
            "1:1: declared as UTF-16, but without a byte order mark".to_owned(),
        ),
        (b"<\0a\0/\0>\0".to_vec(), "1:1: UTF-16 without a byte order mark".to_owned()),
        (b"\xff\xfe<".to_vec(), "1:1: UTF-16 with an odd number of bytes".to_owned()),
        (b"\xff\xfea\0\0\xd8b\0".to_vec(), "1:2: unpaired surrogate 0xd800".to_owned()),
        ("\u{feff}\u{feff}<a/>".into(), "1:1: a second byte order mark".to_owned()),
    ];
    for (input, message) in cases {
        assert_eq!(decoded(&input), Err(message));
    }
}

proptest! {
    #[test]
    fn reading_never_panics(text in "[<>/a='\" &#;x!\\[\\]CDAT?\u{feff}\u{1}\r\né-]{0,60}") {
        let _ = read(&text);
        let _ = read(&format!("<a>{text}</a>"));
        let _ = read(&format!("<a {text}/>"));
    }

    #[test]
    fn decoding_never_panics(input in any::<Vec<u8>>(), mark in 0..4_usize) {
        let marks: [&[u8]; 4] = [b"", b"\xff\xfe", b"\xfe\xff", b"<?xml encoding='latin1'"];
        let _ = decode(&[marks[mark], &input].concat(), Leniency::Call, &Limits::DEFAULT);
        let _ = open(&*[marks[mark], &input].concat(), &Limits::DEFAULT);
    }

    #[test]
    fn escaped_text_reads_back(text in "[^\0-\u{1f}\u{fffe}\u{ffff}]{0,40}") {
        let escaped = quick_xml::escape::escape(text.as_str());
        let document = format!("<a x='{escaped}'>{escaped}</a>");
        let limits = Limits::DEFAULT;
        let mut reader = Reader::new(Whole::new(&document), Leniency::Report, &limits);
        let mut seen = String::new();
        prop_assert!(matches!(reader.next().unwrap(), Some(Event::Start)));
        prop_assert_eq!(reader.tag().name(), "a");
        prop_assert_eq!(reader.tag().attribute("x"), Some(text.as_str()));
        while let Some(event) = reader.next().unwrap() {
            if let Event::Text(piece) = event {
                seen += &piece;
            }
        }
        prop_assert_eq!(seen, text);
    }
}
