//! Bytes of a document as text.

use std::borrow::Cow;

use super::{BLANKS, XmlError, shown};
use crate::input::{ParseError, Position};
use crate::limits::Limits;

/// Bytes in which a declaration is looked for.
const DECLARATION_BYTES_MAX: usize = 1024;

/// What windows-1252 has at 0x80 to 0x9F. Its five holes are the control characters of ISO 8859-1,
/// as in <https://encoding.spec.whatwg.org/>.
const WINDOWS_1252: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}',
    '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// Makes text of a document: by its byte order mark, else by the encoding it declares, else as UTF-8.
///
/// Understands UTF-8, UTF-16 with a byte order mark, ISO 8859-1 and windows-1252; refuses every other
/// encoding and every byte that its encoding does not have.
pub(crate) fn decode<'a>(input: &'a [u8], limits: &Limits) -> Result<Cow<'a, str>, XmlError> {
    if input.len() > limits.input_bytes_max {
        let message = format!("over the limit of {} bytes", limits.input_bytes_max);
        return Err(XmlError::Limit(ParseError { position: Position::of(b"", 0), message }));
    }
    let text = match input {
        [0xEF, 0xBB, 0xBF, rest @ ..] => utf_8(rest)?,
        [0xFF, 0xFE, rest @ ..] => utf_16(rest, u16::from_le_bytes)?,
        [0xFE, 0xFF, rest @ ..] => utf_16(rest, u16::from_be_bytes)?,
        [b'<', 0, ..] | [0, b'<', ..] => return Err(refused("UTF-16 without a byte order mark")),
        _ => declared(input)?,
    };
    // quick-xml would drop a second mark and count from behind it.
    if text.starts_with('\u{feff}') {
        return Err(refused("a second byte order mark"));
    }
    Ok(text)
}

fn declared(input: &[u8]) -> Result<Cow<'_, str>, XmlError> {
    let name = declared_encoding(input).unwrap_or_default().to_ascii_lowercase();
    match name.as_str() {
        "" | "utf-8" | "utf8" | "us-ascii" | "ascii" => utf_8(input),
        "iso-8859-1" | "iso8859-1" | "iso_8859-1" | "latin1" | "latin-1" | "l1" => {
            Ok(input.iter().map(|&byte| char::from(byte)).collect())
        }
        "windows-1252" | "cp1252" => Ok(input.iter().map(|&byte| windows_1252(byte)).collect()),
        "utf-16" | "utf-16le" | "utf-16be" => {
            Err(refused("declared as UTF-16, but without a byte order mark"))
        }
        name => Err(refused(&format!(
            "encoding `{}`, expected utf-8, utf-16, iso-8859-1 or windows-1252",
            shown(name)
        ))),
    }
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
    str::from_utf8(input).map(Cow::Borrowed).map_err(|error| {
        let at = error.valid_up_to();
        let byte = input.get(at).copied().unwrap_or_default();
        let message = format!("byte 0x{byte:02x} is not UTF-8");
        XmlError::Malformed(ParseError { position: Position::of(input, at), message })
    })
}

fn utf_16(input: &[u8], unit: fn([u8; 2]) -> u16) -> Result<Cow<'_, str>, XmlError> {
    let (pairs, odd) = input.as_chunks::<2>();
    let text: Result<String, _> =
        char::decode_utf16(pairs.iter().map(|pair| unit(*pair))).collect();
    match text {
        Ok(text) if odd.is_empty() => Ok(Cow::Owned(text)),
        Ok(_) => Err(refused("UTF-16 with an odd number of bytes")),
        Err(error) => {
            let good = pairs.iter().map(|pair| unit(*pair));
            let before: String = char::decode_utf16(good).map_while(Result::ok).collect();
            let message = format!("unpaired surrogate {:#06x}", error.unpaired_surrogate());
            let position = Position::of(before.as_bytes(), before.len());
            Err(XmlError::Malformed(ParseError { position, message }))
        }
    }
}

fn refused(message: &str) -> XmlError {
    let position = Position::of(b"", 0);
    XmlError::Malformed(ParseError { position, message: message.to_owned() })
}
