//! Characters of a document: references, line ends, and what XML forbids.

use std::borrow::Cow;
use std::fmt::Write as _;

use quick_xml::escape::resolve_xml_entity;

use super::{Leniency, shown};

/// Reads characters, and remembers what had to be done to them.
pub(super) struct Characters {
    leniency: Leniency,
    /// Whether there were forbidden characters.
    pub(super) sanitised: bool,
}

/// Why `&name;` stands for nothing.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Unresolved {
    Entity,
    Character,
}

impl Unresolved {
    /// What to say of a reference.
    pub(super) fn of(self, name: &str) -> String {
        match self {
            Self::Entity => format!("undefined entity `&{};`", shown(name)),
            Self::Character => format!("`&{};` is no character", shown(name)),
        }
    }
}

/// What a look at each byte of a text found.
#[derive(Default)]
pub(super) struct Look {
    /// There may be a forbidden character or a line end to normalise. 0xEF begins U+FFFE, but also
    /// much else.
    is_untidy: bool,
    has_greater: bool,
}

impl Look {
    pub(super) fn at(text: &str) -> Self {
        // No early exit: a loop without one is compiled to vector instructions.
        text.bytes().fold(Self::default(), |look, byte| Self {
            is_untidy: look.is_untidy
                | ((byte < b' ') & (byte != b'\n') & (byte != b'\t'))
                | (byte == 0xEF),
            has_greater: look.has_greater | (byte == b'>'),
        })
    }

    /// Where the text that was looked at has a `]]>`.
    pub(super) fn end_of_cdata(&self, text: &str) -> Option<usize> {
        if self.has_greater { text.find("]]>") } else { None }
    }
}

/// Whether every attribute of a tag is as it is written.
pub(super) fn is_plain(tag: &str) -> bool {
    !tag.bytes().fold(false, |found, byte| found | is_special(byte))
}

/// Whether this may be no character of an attribute, or stand for another.
fn is_special(byte: u8) -> bool {
    (byte < b' ') | (byte == b'&') | (byte == b'<') | (byte == 0xEF)
}

impl Characters {
    pub(super) fn new(leniency: Leniency) -> Self {
        Self { leniency, sanitised: false }
    }

    /// Text that was looked at, with LF as the only line end. Forbidden characters are made visible, or
    /// kept. Text that is owned is changed in place, except for what is made visible.
    pub(super) fn tidied<'a>(&mut self, look: &Look, text: Cow<'a, str>) -> Cow<'a, str> {
        if look.is_untidy { self.made_tidy(text) } else { text }
    }

    fn made_tidy<'a>(&mut self, text: Cow<'a, str>) -> Cow<'a, str> {
        let text = match text.contains('\r') {
            true => Cow::Owned(with_line_feeds(text.into_owned())),
            false => text,
        };
        if !text.contains(is_forbidden) {
            return text;
        }
        let mut tidy = String::with_capacity(text.len());
        text.chars().for_each(|char| self.push(char, &mut tidy));
        Cow::Owned(tidy)
    }

    /// The value of an attribute as an XML processor has to report it: references resolved, each
    /// literal blank a space. `None` if it is as it is written.
    pub(super) fn attribute_value(&mut self, written: &str) -> Result<Option<String>, String> {
        if !written.bytes().any(is_special) {
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
                    self.resolve(name, &mut value).map_err(|problem| problem.of(name))?;
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
    pub(super) fn resolve(&mut self, name: &str, text: &mut String) -> Result<(), Unresolved> {
        if let Some(entity) = resolve_xml_entity(name) {
            text.push_str(entity);
            return Ok(());
        }
        let Some(digits) = name.strip_prefix('#') else {
            return Err(Unresolved::Entity);
        };
        let code = code_point(digits);
        match (code.and_then(char::from_u32), code, self.leniency) {
            (Some(char), ..) => self.push(char, text),
            (None, Some(surrogate), Leniency::Report) => self.push_escaped(surrogate, text),
            _ => return Err(Unresolved::Character),
        }
        Ok(())
    }

    fn push(&mut self, char: char, text: &mut String) {
        match (is_forbidden(char), self.leniency) {
            (false, _) => text.push(char),
            (true, Leniency::Report) => self.push_escaped(u32::from(char), text),
            (true, Leniency::Call) => {
                self.sanitised = true;
                text.push(char);
            }
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

/// Whether XML 1.0 has no such character, not even as a reference.
pub(crate) fn is_forbidden(char: char) -> bool {
    matches!(char, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}')
}

/// The text with LF in place of CR and of CR LF.
fn with_line_feeds(text: String) -> String {
    let mut bytes = text.into_bytes();
    let mut is_after_return = false;
    bytes.retain_mut(|byte| {
        let is_second = is_after_return && *byte == b'\n';
        is_after_return = *byte == b'\r';
        if is_after_return {
            *byte = b'\n';
        }
        !is_second
    });
    // One byte of ASCII in place of another: this is still UTF-8.
    String::from_utf8(bytes).unwrap_or_default()
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
    name_bytes(name.as_bytes()) == name.len() && !name.is_empty()
}

/// The bytes of the name at the start of `text`; 0 if there is none.
pub(super) fn name_bytes(text: &[u8]) -> usize {
    match text.first() {
        Some(b'0'..=b'9' | b'-' | b'.') => 0,
        _ => text.iter().take_while(|byte| NAME[usize::from(**byte)]).count(),
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
