//! Reading as an input comes: nothing is lost, nothing waits, and errors know where they are.

use std::io::{BufReader, Cursor};

use proptest::prelude::*;

use super::*;

const DOCUMENT: &str = "<?xml version='1.0'?>\n<testsuites><testsuite name='s\u{1}'>
  <testcase classname='c' name='é&amp;' time='0.5'><failure message='m'>1 &lt; 2\r\n</failure>
  <system-out><![CDATA[<😀>]]></system-out></testcase>
  <testcase name='t'/><error>e</error></testsuite></testsuites>";

/// Reads in pieces of so many bytes.
fn read_by(bytes: usize, format: Format, input: &[u8]) -> Result<Report, String> {
    let (mut tests, mut suites) = (Vec::new(), Vec::new());
    let input = BufReader::with_capacity(bytes, input);
    let summary = read(format, input, &Limits::DEFAULT, &mut |entry| match entry {
        Entry::Test(test) => tests.push(test),
        Entry::Suite(suite) => suites.push(suite),
    });
    let Summary { format, unnamed, sanitised } = summary.map_err(|error| error.to_string())?;
    Ok(Report { format, tests, suites, unnamed, sanitised, oddities: Default::default() })
}

fn parsed(format: Format, input: &[u8]) -> Result<Report, String> {
    parse(format, input, &Limits::DEFAULT).map_err(|error| error.to_string())
}

#[test]
fn it_does_not_matter_how_an_input_is_cut() {
    let report = parsed(Format::Junit, DOCUMENT.as_bytes()).unwrap();
    assert_eq!(report.tests.len(), 3);
    assert!(report.sanitised);
    for bytes in 1..DOCUMENT.len() {
        let read = read_by(bytes, Format::Junit, DOCUMENT.as_bytes());
        assert_eq!(read.as_ref(), Ok(&report), "{bytes}");
    }
}

#[test]
fn other_encodings_are_read_too() {
    let mark = "\u{feff}".to_owned() + DOCUMENT;
    let utf_16: Vec<u8> = mark.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let latin_1 = DOCUMENT.replace("'1.0'", "'1.0' encoding='latin1'").replace('😀', "ÿ");
    let latin_1: Vec<u8> = latin_1.chars().map(|char| char as u8).collect();
    for input in [mark.as_bytes(), &utf_16, &latin_1] {
        let report = read_by(5, Format::Junit, input).unwrap();
        assert_eq!(report.tests[0].id, "c::é&");
        assert_eq!(Ok(report), parsed(Format::Junit, input));
    }
}

#[test]
fn formats_of_text_are_read_too() {
    let input = "running 1 test\ntest a ... ok\n\ntest result: ok. 1 passed; 0 failed; \
        0 ignored; 0 measured; 0 filtered out; finished in 0.10s\n";
    let report = read_by(3, Format::CargoTest, input.as_bytes()).unwrap();
    assert_eq!(report.tests.len(), 1);
    assert_eq!(Ok(report), parsed(Format::CargoTest, input.as_bytes()));
}

/// An input that ends in an error.
struct Broken<'a>(&'a [u8]);

impl io::Read for Broken<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer)? {
            0 => Err(io::Error::new(io::ErrorKind::ConnectionReset, "line cut")),
            bytes => Ok(bytes),
        }
    }
}

#[test]
fn a_test_is_handed_over_before_the_input_ends() {
    let begin = "<testsuite>".to_owned() + &" ".repeat(2000) + "<testcase name='t'></testcase>";
    let mut ids = Vec::new();
    let result = read(
        Format::Junit,
        BufReader::new(Broken(begin.as_bytes())),
        &Limits::DEFAULT,
        &mut |entry| {
            let Entry::Test(test) = entry else { panic!("{entry:?}") };
            ids.push(test.id);
        },
    );
    assert_eq!(ids, ["t"]);
    let Err(ReadError::Io(error)) = result else { panic!("{result:?}") };
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    let text = read(Format::CargoTest, BufReader::new(Broken(b"x")), &Limits::DEFAULT, &mut |_| {});
    assert!(matches!(text, Err(ReadError::Io(_))), "{text:?}");
}

#[test]
fn errors_far_into_an_input_say_where() {
    let begin = "<testsuites><testsuite>\n".to_owned() + &"<testcase name='é'/>\n".repeat(10_000);
    let one_line = begin.replace('\n', "");
    let output = begin.clone() + "<system-out>";
    let long = "é\n".repeat(50_000);
    for (input, position) in [
        (
            begin.clone() + "é <testcase></oops>",
            "10002:13: expected `</testcase>`, found `</oops>`",
        ),
        (begin.clone() + "<testcase\nx='1'\n x='2'/>", "10004:2: duplicate attribute `x`"),
        (begin.clone() + "é]]>", "10002:2: `]]>` in text"),
        (begin.clone(), "10002:1: the input ends inside 2 elements, expected their end tags"),
        // Pieces that are too long to be copied.
        (output.clone() + &long + "</oops>", "60002:1: expected `</system-out>`, found `</oops>`"),
        (
            output.clone() + "<![CDATA[" + &long + "]]></oops>",
            "60002:4: expected `</system-out>`, found `</oops>`",
        ),
        (
            output.clone() + "<!--" + &long + "--></oops>",
            "60002:4: expected `</system-out>`, found `</oops>`",
        ),
        (output + &long + "]]>", "60002:1: `]]>` in text"),
        (one_line + "é&x;", "1:200025: undefined entity `&x;`"),
    ] {
        for bytes in [7, 4096, 1 << 20] {
            let error = read_by(bytes, Format::Junit, input.as_bytes()).unwrap_err();
            assert_eq!(error, position);
        }
        assert_eq!(parsed(Format::Junit, input.as_bytes()).unwrap_err(), position);
    }
    let input = [begin.as_bytes(), b"<!-- \xff -->"].concat();
    let error = read_by(100, Format::Junit, &input).unwrap_err();
    assert_eq!(error, "10002:6: byte 0xff is not UTF-8");
}

#[test]
fn an_input_without_end_is_refused() {
    let limits = Limits { input_bytes_max: 100_000, ..Limits::DEFAULT };
    let refused = |begin: &str, byte: u8| {
        let input = BufReader::new(Cursor::new(begin).chain(io::repeat(byte)));
        read(Format::Junit, input, &limits, &mut |_| {}).unwrap_err().to_string()
    };
    assert_eq!(refused("<testsuite>\n", b' '), "1:12: over the limit of 100000 bytes");
    assert_eq!(refused("<testsuite><!--", b' '), "1:12: over the limit of 100000 bytes");
    assert_eq!(refused("\u{feff}<testsuite a='", b' '), "1:1: over the limit of 100000 bytes");
    let latin_1 = "<?xml version='1.0' encoding='latin1'?><testsuite>";
    assert_eq!(refused(latin_1, b' '), "1:1: over the limit of 100000 bytes");
    let text = read(Format::PytestText, BufReader::new(io::repeat(b'x')), &limits, &mut |_| {});
    assert_eq!(text.unwrap_err().to_string(), "1:1: over the limit of 100000 bytes");
}

proptest! {
    #[test]
    fn positions_add_up(text in "[a\né😀]{0,600}", cut in 0..600_usize) {
        let bytes = text.as_bytes();
        let cut = (cut.min(bytes.len())..=bytes.len()).find(|at| text.is_char_boundary(*at)).unwrap();
        let whole = Position::of(bytes, bytes.len());
        prop_assert_eq!(Position::of(bytes, cut).after(&bytes[cut..]), whole);
        let lines = text.split('\n').count() as u64;
        let column = text.rsplit('\n').next().unwrap().chars().count() as u64 + 1;
        prop_assert_eq!(whole, Position { line: lines, column });
    }

    #[test]
    fn damage_gives_the_same_in_memory_and_on_the_way(
        at in 0..DOCUMENT.len(), new in any::<Vec<u8>>(), bytes in 1..64_usize,
    ) {
        let mut input = DOCUMENT.as_bytes().to_vec();
        input.splice(at..(at + new.len()).min(input.len()), new);
        match (read_by(bytes, Format::Junit, &input), parsed(Format::Junit, &input)) {
            // In memory, all bytes are looked at before the first tag is.
            (Err(_), Err(error)) if error.contains("not UTF-8") => {}
            (read, parsed) => prop_assert_eq!(read, parsed),
        }
    }
}
