//! Bytes of a document as text.

use std::borrow::Cow;
use std::io::{BufRead, Chain, Cursor, Read, Take};
use std::sync::Arc;

use super::error::{XmlProblem, beyond, malformed};
use super::{BLANKS, Leniency, Stream, XmlError, shown};
use crate::input::Position;
use crate::limits::Limits;

/// Bytes in which a declaration is looked for.
const DECLARATION_BYTES_MAX: usize = 1024;

/// What windows-1252 has at 0x80 to 0x9F. Its five holes are the control characters of ISO 8859-1,
/// as in <https://encoding.spec.whatwg.org/>.
const WINDOWS_1252: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}',
    '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// How characters are written, and the bytes of the mark before them.
enum Encoding {
    Utf8 { mark_bytes: usize },
    Utf16(fn([u8; 2]) -> u16),
    Latin1,
    Windows1252,
}

impl Encoding {
    /// By the byte order mark, else by the declaration, else UTF-8.
    fn of(head: &[u8]) -> Result<Self, XmlError> {
        match head {
            [0xEF, 0xBB, 0xBF, ..] => Ok(Self::Utf8 { mark_bytes: 3 }),
            [0xFF, 0xFE, ..] => Ok(Self::Utf16(u16::from_le_bytes)),
            [0xFE, 0xFF, ..] => Ok(Self::Utf16(u16::from_be_bytes)),
            [b'<', 0, ..] | [0, b'<', ..] => Err(refused("UTF-16 without a byte order mark")),
            _ => Self::declared(head),
        }
    }

    fn declared(head: &[u8]) -> Result<Self, XmlError> {
        let name = declared_encoding(head).unwrap_or_default().to_ascii_lowercase();
        match name.as_str() {
            "" | "utf-8" | "utf8" | "us-ascii" | "ascii" => Ok(Self::Utf8 { mark_bytes: 0 }),
            "iso-8859-1" | "iso8859-1" | "iso_8859-1" | "latin1" | "latin-1" | "l1" => {
                Ok(Self::Latin1)
            }
            "windows-1252" | "cp1252" => Ok(Self::Windows1252),
            "utf-16" | "utf-16le" | "utf-16be" => {
                Err(refused("declared as UTF-16, but without a byte order mark"))
            }
            name => Err(refused(format!(
                "encoding `{}`, expected utf-8, utf-16, iso-8859-1 or windows-1252",
                shown(name)
            ))),
        }
    }
}

/// An input whose first bytes have been looked at, up to a limit.
type Begun<R> = Chain<Cursor<Vec<u8>>, Take<R>>;

/// A document on its way in, as UTF-8 without a byte order mark.
pub(crate) enum Document<R> {
    /// It is UTF-8, if it is well-formed, and comes as it is read.
    Stream(Box<Stream<Begun<R>>>),
    /// It was something else and has been read to its end.
    Text(String),
}

/// Opens a report. Only UTF-8 is read bit by bit; see [`decode`] for what else is understood.
pub(crate) fn open<R: BufRead>(mut input: R, limits: &Limits) -> Result<Document<R>, XmlError> {
    let unreadable = |error| Box::new(XmlProblem::Io(Arc::new(error)));
    // One byte more than allowed, to tell a full input from one that is too large.
    let max = (limits.input_bytes_max as u64).saturating_add(1);
    let mut bytes = Vec::new();
    let head = max.min(DECLARATION_BYTES_MAX as u64);
    input.by_ref().take(head).read_to_end(&mut bytes).map_err(unreadable)?;
    let Encoding::Utf8 { mark_bytes } = Encoding::of(&bytes)? else {
        let mut rest = input.take(max - bytes.len() as u64);
        rest.read_to_end(&mut bytes).map_err(unreadable)?;
        let (text, _) = decode(&bytes, Leniency::Report, limits)?;
        return Ok(Document::Text(text.into_owned()));
    };
    bytes.drain(..mark_bytes);
    if bytes.starts_with("\u{feff}".as_bytes()) {
        return Err(second_mark());
    }
    let rest = input.take(max - bytes.len() as u64);
    let stream = Stream::new(Cursor::new(bytes).chain(rest), limits.input_bytes_max);
    Ok(Document::Stream(Box::new(stream)))
}

/// Makes text of a whole document: by its byte order mark, else by the encoding it declares, else
/// as UTF-8. Also gives whether bytes had to be replaced for that.
///
/// Understands UTF-8, UTF-16 with a byte order mark, ISO 8859-1 and windows-1252; refuses every other
/// encoding. A byte that its encoding does not have is refused in a report. In a call it is taken
/// for Latin-1, because Python 2 clients send the output of tools as it was; UTF-16 is refused there.
pub(crate) fn decode<'a>(
    input: &'a [u8],
    leniency: Leniency,
    limits: &Limits,
) -> Result<(Cow<'a, str>, bool), XmlError> {
    if input.len() > limits.input_bytes_max {
        return Err(beyond(Position::START, limits.input_bytes_max, "bytes"));
    }
    let (text, replaced) = match (Encoding::of(input)?, leniency) {
        (Encoding::Utf8 { mark_bytes }, Leniency::Report) => (utf_8(&input[mark_bytes..])?, false),
        (Encoding::Utf8 { mark_bytes }, Leniency::Call) => utf_8_or_latin_1(&input[mark_bytes..]),
        (Encoding::Utf16(_), Leniency::Call) => {
            return Err(refused("UTF-16 is not supported: send UTF-8"));
        }
        (Encoding::Utf16(unit), Leniency::Report) => (utf_16(&input[2..], unit)?.into(), false),
        (Encoding::Latin1, _) => (input.iter().map(|&byte| char::from(byte)).collect(), false),
        (Encoding::Windows1252, _) => (input.iter().copied().map(windows_1252).collect(), false),
    };
    // quick-xml would drop a second mark and count from behind it.
    if text.starts_with('\u{feff}') {
        return Err(second_mark());
    }
    Ok((text, replaced))
}

/// The encoding that `<?xml … encoding="…"?>` names. All encodings without a byte order mark agree
/// with ASCII here.
fn declared_encoding(input: &[u8]) -> Option<&str> {
    let head = &input[..input.len().min(DECLARATION_BYTES_MAX)];
    let end = head.windows(2).position(|pair| pair == b"?>")?;
    let head = str::from_utf8(&head[..end]).ok()?;
    let (_, after) =
        head.trim_start_matches(BLANKS).strip_prefix("<?xml")?.split_once("encoding")?;
    let value = after.trim_start_matches(BLANKS).strip_prefix('=')?.trim_start_matches(BLANKS);
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    value[1..].split(quote).next()
}

fn windows_1252(byte: u8) -> char {
    match byte {
        0x80..=0x9f => WINDOWS_1252[usize::from(byte - 0x80)],
        byte => char::from(byte),
    }
}

fn utf_8(input: &[u8]) -> Result<Cow<'_, str>, XmlError> {
    str::from_utf8(input).map(Cow::Borrowed).map_err(|_| not_utf_8(input, Position::START))
}

/// The error for bytes that are not UTF-8 and begin here.
pub(super) fn not_utf_8(bytes: &[u8], start: Position) -> XmlError {
    let at = str::from_utf8(bytes).err().map_or(0, |error| error.valid_up_to());
    let byte = bytes.get(at).copied().unwrap_or_default();
    malformed(start.after(&bytes[..at]), format!("byte 0x{byte:02x} is not UTF-8"))
}

fn utf_8_or_latin_1(input: &[u8]) -> (Cow<'_, str>, bool) {
    if let Ok(text) = str::from_utf8(input) {
        return (text.into(), false);
    }
    let mut text = String::with_capacity(input.len() + input.len() / 8);
    for chunk in input.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|&byte| char::from(byte)));
    }
    (text.into(), true)
}

fn utf_16(input: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, XmlError> {
    let (pairs, odd) = input.as_chunks::<2>();
    let text: Result<String, _> =
        char::decode_utf16(pairs.iter().map(|pair| unit(*pair))).collect();
    match text {
        Ok(text) if odd.is_empty() => Ok(text),
        Ok(_) => Err(refused("UTF-16 with an odd number of bytes")),
        Err(error) => {
            let good = pairs.iter().map(|pair| unit(*pair));
            let before: String = char::decode_utf16(good).map_while(Result::ok).collect();
            let message = format!("unpaired surrogate {:#06x}", error.unpaired_surrogate());
            Err(malformed(Position::START.after(before.as_bytes()), message))
        }
    }
}

fn second_mark() -> XmlError {
    refused("a second byte order mark")
}

fn refused(message: impl Into<String>) -> XmlError {
    malformed(Position::START, message)
}
