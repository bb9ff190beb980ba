//! Characters of a document: references, line ends, and what XML forbids.

use std::borrow::Cow;
use std::fmt::Write as _;

use quick_xml::escape::resolve_xml_entity;

use super::{Leniency, shown};

/// Reads characters, and remembers what had to be done to them.
pub(super) struct Characters {
    leniency: Leniency,
    /// Whether forbidden characters had to be made visible.
    pub(super) sanitised: bool,
}

/// What a look at each byte of a text found.
#[derive(Default)]
struct Look {
    /// There may be a forbidden character or a line end to normalise. 0xEF begins U+FFFE, but also
    /// much else.
    is_untidy: bool,
    /// There is a `>`, so there may be a `]]>`.
    has_greater: bool,
}

impl Look {
    fn at(text: &str) -> Self {
        // No early exit: a loop without one is compiled to vector instructions.
        text.bytes().fold(Self::default(), |look, byte| Self {
            is_untidy: look.is_untidy
                | ((byte < b' ') & (byte != b'\n') & (byte != b'\t'))
                | (byte == 0xEF),
            has_greater: look.has_greater | (byte == b'>'),
        })
    }
}

impl Characters {
    pub(super) fn new(leniency: Leniency) -> Self {
        Self { leniency, sanitised: false }
    }

    /// Text with LF as the only line end. Forbidden characters are made visible, or kept.
    pub(super) fn tidied<'a>(&mut self, text: &'a str) -> Cow<'a, str> {
        match Look::at(text).is_untidy {
            true => Cow::Owned(self.made_tidy(text)),
            false => Cow::Borrowed(text),
        }
    }

    /// The same for text outside CDATA, where `]]>` is not allowed. The error is where it begins.
    pub(super) fn between_markup<'a>(&mut self, text: &'a str) -> Result<Cow<'a, str>, usize> {
        let look = Look::at(text);
        if look.has_greater
            && let Some(at) = text.find("]]>")
        {
            return Err(at);
        }
        match look.is_untidy {
            true => Ok(Cow::Owned(self.made_tidy(text))),
            false => Ok(Cow::Borrowed(text)),
        }
    }

    fn made_tidy(&mut self, text: &str) -> String {
        let mut tidy = String::with_capacity(text.len());
        let mut chars = text.chars().peekable();
        while let Some(char) = chars.next() {
            match char {
                '\r' => {
                    chars.next_if_eq(&'\n');
                    tidy.push('\n');
                }
                char => self.push(char, &mut tidy),
            }
        }
        tidy
    }

    /// The value of an attribute as an XML processor has to report it: references resolved, each
    /// literal blank a space. `None` if it is as it is written.
    pub(super) fn attribute_value(&mut self, written: &str) -> Result<Option<String>, String> {
        let is_special = |byte: u8| (byte < b' ') | matches!(byte, b'&' | b'<' | 0xEF);
        if !written.bytes().fold(false, |found, byte| found | is_special(byte)) {
            return Ok(None);
        }
        let mut value = String::with_capacity(written.len());
        let mut rest = written;
        while let Some(char) = rest.chars().next() {
            rest = &rest[char.len_utf8()..];
            match char {
                '<' => return Err("`<` in the value of an attribute".to_owned()),
                '&' => {
                    let (name, after) = rest
                        .split_once(';')
                        .ok_or_else(|| "`&` without a `;` after it".to_owned())?;
                    self.resolve(name, &mut value)?;
                    rest = after;
                }
                '\r' => {
                    rest = rest.strip_prefix('\n').unwrap_or(rest);
                    value.push(' ');
                }
                '\t' | '\n' => value.push(' '),
                char => self.push(char, &mut value),
            }
        }
        Ok(Some(value))
    }

    /// Adds the text that `&name;` stands for.
    pub(super) fn resolve(&mut self, name: &str, text: &mut String) -> Result<(), String> {
        if let Some(entity) = resolve_xml_entity(name) {
            text.push_str(entity);
            return Ok(());
        }
        let Some(digits) = name.strip_prefix('#') else {
            return Err(format!("undefined entity `&{};`", shown(name)));
        };
        let code = code_point(digits);
        match (code.and_then(char::from_u32), code, self.leniency) {
            (Some(char), ..) => self.push(char, text),
            (None, Some(surrogate), Leniency::Report) => self.push_escaped(surrogate, text),
            _ => return Err(format!("`&{};` is no character", shown(name))),
        }
        Ok(())
    }

    fn push(&mut self, char: char, text: &mut String) {
        match char {
            '\t' | '\n' | '\r' | ' ' => text.push(char),
            '\0'..' ' | '\u{fffe}' | '\u{ffff}' if self.leniency == Leniency::Report => {
                self.push_escaped(u32::from(char), text);
            }
            char => text.push(char),
        }
    }

    fn push_escaped(&mut self, code: u32, text: &mut String) {
        self.sanitised = true;
        // Writing to a string cannot fail.
        let _ = match code {
            0..=0xff => write!(text, "\\x{code:02x}"),
            _ => write!(text, "\\u{{{code:x}}}"),
        };
    }
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

/// Whether this can name an element or an attribute. Looser than XML only beyond ASCII.
pub(super) fn is_name(name: &str) -> bool {
    name_bytes(name) == name.len() && !name.is_empty()
}

/// The bytes of the name at the start of `text`; 0 if there is none.
pub(super) fn name_bytes(text: &str) -> usize {
    match text.bytes().next() {
        Some(b'0'..=b'9' | b'-' | b'.') => 0,
        _ => text.bytes().position(|byte| !NAME[usize::from(byte)]).unwrap_or(text.len()),
    }
}

/// Which bytes a name may have.
static NAME: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0_u8;
    loop {
        let letter = byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':' | b'-' | b'.');
        table[byte as usize] = letter || !byte.is_ascii();
        if byte == u8::MAX {
            break table;
        }
        byte += 1;
    }
};
