//! Characters of a document: references, line ends, and what XML forbids.

use std::borrow::Cow;
use std::fmt::Write as _;

use quick_xml::escape::resolve_xml_entity;

use super::shown;

/// Whether nothing in `text` can be a forbidden character or a line end to normalise. May say no
/// when there is nothing: 0xEF begins U+FFFE, but also much else.
pub(super) fn is_tidy(text: &str) -> bool {
    // No early exit: a loop without one is compiled to vector instructions.
    let untidy = |byte: u8| (byte < b' ') & (byte != b'\n') & (byte != b'\t') | (byte == 0xEF);
    !text.bytes().fold(false, |found, byte| found | untidy(byte))
}

/// Text with LF as the only line end and forbidden characters made visible.
pub(super) fn tidied<'a>(text: Cow<'a, str>, sanitised: &mut bool) -> Cow<'a, str> {
    if is_tidy(&text) {
        return text;
    }
    let mut tidy = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '\r' => {
                chars.next_if_eq(&'\n');
                tidy.push('\n');
            }
            char => push_char(char, &mut tidy, sanitised),
        }
    }
    Cow::Owned(tidy)
}

/// The value of an attribute as an XML processor has to report it: references resolved, each
/// literal blank a space.
pub(super) fn attribute_value<'a>(
    raw: &'a str,
    sanitised: &mut bool,
) -> Result<Cow<'a, str>, String> {
    if !raw.bytes().any(|byte| byte < b' ' || matches!(byte, b'&' | b'<' | 0xEF)) {
        return Ok(Cow::Borrowed(raw));
    }
    let mut value = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(char) = rest.chars().next() {
        rest = &rest[char.len_utf8()..];
        match char {
            '<' => return Err("`<` in the value of an attribute".to_owned()),
            '&' => {
                let (name, after) =
                    rest.split_once(';').ok_or_else(|| "`&` without a `;` after it".to_owned())?;
                value.push_str(&resolve(name, sanitised)?);
                rest = after;
            }
            '\r' => {
                rest = rest.strip_prefix('\n').unwrap_or(rest);
                value.push(' ');
            }
            '\t' | '\n' => value.push(' '),
            char => push_char(char, &mut value, sanitised),
        }
    }
    Ok(Cow::Owned(value))
}

/// The text that `&name;` stands for.
pub(super) fn resolve<'a>(name: &str, sanitised: &mut bool) -> Result<Cow<'a, str>, String> {
    if let Some(text) = resolve_xml_entity(name) {
        return Ok(Cow::Borrowed(text));
    }
    let Some(digits) = name.strip_prefix('#') else {
        return Err(format!("undefined entity `&{};`", shown(name)));
    };
    let code = code_point(digits).ok_or_else(|| format!("`&{};` is no character", shown(name)))?;
    let mut text = String::new();
    match char::from_u32(code) {
        Some(char) => push_char(char, &mut text, sanitised),
        None => push_escaped(code, &mut text, sanitised),
    }
    Ok(Cow::Owned(text))
}

/// Reads `10` or `xA`. Surrogates are let through, numbers beyond Unicode are not.
fn code_point(digits: &str) -> Option<u32> {
    let (digits, radix) = match digits.strip_prefix('x') {
        Some(digits) => (digits, 16),
        None => (digits, 10),
    };
    // `from_str_radix` would take a sign.
    if !digits.chars().all(|c| c.is_digit(radix)) {
        return None;
    }
    u32::from_str_radix(digits, radix).ok().filter(|code| *code <= u32::from(char::MAX))
}

fn push_char(char: char, text: &mut String, sanitised: &mut bool) {
    match char {
        '\t' | '\n' | '\r' => text.push(char),
        '\0'..=' ' if char != ' ' => push_escaped(u32::from(char), text, sanitised),
        '\u{fffe}' | '\u{ffff}' => push_escaped(u32::from(char), text, sanitised),
        char => text.push(char),
    }
}

fn push_escaped(code: u32, text: &mut String, sanitised: &mut bool) {
    *sanitised = true;
    // Writing to a string cannot fail.
    let _ = match code {
        0..=0xff => write!(text, "\\x{code:02x}"),
        _ => write!(text, "\\u{{{code:x}}}"),
    };
}

/// Whether this can name an element or an attribute. Looser than XML only beyond ASCII.
pub(super) fn is_name(name: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b':' | 0x80..);
    let mut bytes = name.bytes();
    bytes.next().is_some_and(letter)
        && bytes.all(|byte| letter(byte) || byte.is_ascii_digit() || matches!(byte, b'-' | b'.'))
}
