//! [`Screen`]: what a program wrote to a terminal or a log, as plain lines.

use std::borrow::Cow;

use super::{ParseError, Position};
use crate::limits::Limits;

/// The escape character.
const ESC: char = '\x1b';

/// Text without colours, with LF at the end of every line.
#[derive(Debug)]
pub(super) struct Screen<'i> {
    text: Cow<'i, str>,
    replaced: bool,
}

/// One line, without its end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'t> {
    pub(super) text: &'t str,
    /// Byte offset of the line in [`Screen::text`].
    pub(super) start: usize,
    /// Byte offset of the line after it.
    pub(super) end: usize,
}

impl<'i> Screen<'i> {
    /// Decodes UTF-8, replacing what is none; drops a byte order mark and escape sequences; a CR,
    /// with or without LF, ends a line.
    ///
    /// # Errors
    /// When the input is larger than the limits allow.
    pub(super) fn read(input: &'i [u8], limits: &Limits) -> Result<Self, ParseError> {
        if input.len() > limits.input_bytes_max {
            return Err(ParseError {
                position: Position { line: 1, column: 1 },
                message: format!(
                    "{} bytes of input, at most {} are read",
                    input.len(),
                    limits.input_bytes_max
                ),
            });
        }
        Ok(Self::of(input))
    }

    /// As [`Screen::read`], of any size.
    pub(super) fn of(input: &'i [u8]) -> Self {
        let input = input.strip_prefix(b"\xef\xbb\xbf").unwrap_or(input);
        let decoded = String::from_utf8_lossy(input);
        let replaced = matches!(decoded, Cow::Owned(_));
        let text =
            if decoded.contains([ESC, '\r']) { Cow::Owned(plain(&decoded)) } else { decoded };
        Self { text, replaced }
    }

    /// All of the text.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Whether bytes that are no UTF-8 were replaced.
    pub(super) fn replaced(&self) -> bool {
        self.replaced
    }

    /// The lines in order.
    pub(super) fn lines(&self) -> impl Iterator<Item = Line<'_>> {
        let mut start = 0;
        self.text.split_inclusive('\n').map(move |text| {
            let line = Line {
                text: text.strip_suffix('\n').unwrap_or(text),
                start,
                end: start + text.len(),
            };
            start = line.end;
            line
        })
    }
}

impl Line<'_> {
    /// Whether there is nothing to see.
    pub(super) fn is_blank(self) -> bool {
        self.text.trim().is_empty()
    }
}

fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            ESC => skip_escape(&mut chars),
            '\r' => {
                chars.next_if_eq(&'\n');
                plain.push('\n');
            }
            _ => plain.push(char),
        }
    }
    plain
}

/// Skips the rest of an escape sequence (ECMA-48): `[` … a letter, `]` … BEL or `ESC \`, or
/// intermediate bytes and one more, such as the `(B` that libtest ends a colour with.
fn skip_escape(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    if chars.next_if_eq(&'[').is_some() {
        while chars.next_if(|char| (' '..='?').contains(char)).is_some() {}
        chars.next_if(|char| ('@'..='~').contains(char));
    } else if chars.next_if_eq(&']').is_some() {
        while chars.next_if(|char| !['\x07', ESC, '\n', '\r'].contains(char)).is_some() {}
        if chars.next_if_eq(&'\x07').is_none() && chars.next_if_eq(&ESC).is_some() {
            chars.next_if_eq(&'\\');
        }
    } else {
        while chars.next_if(|char| (' '..='/').contains(char)).is_some() {}
        chars.next_if(|char| ('0'..='~').contains(char));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn colours_titles_and_character_sets_are_dropped() {
        let screen =
            Screen::of(b"\x1b[1m\x1b[31mFAILED\x1b(B\x1b[m \x1b]0;title\x07x\x1b]8;;u\x1b\\y");
        assert_eq!(screen.text(), "FAILED xy");
        assert!(!screen.replaced());
    }

    #[test]
    fn every_way_to_end_a_line_ends_it() {
        let screen = Screen::of(b"\xef\xbb\xbfa\r\nb\rc\nd");
        let lines: Vec<&str> = screen.lines().map(|line| line.text).collect();
        assert_eq!(lines, ["a", "b", "c", "d"]);
    }

    #[test]
    fn bytes_that_are_no_text_are_replaced_and_reported() {
        let screen = Screen::of(b"a\xff");
        assert_eq!((screen.text(), screen.replaced()), ("a\u{fffd}", true));
    }

    #[test]
    fn an_input_beyond_the_limit_is_refused() {
        let limits = Limits { input_bytes_max: 3, ..Limits::DEFAULT };
        let error = Screen::read(b"four", &limits).unwrap_err();
        assert_eq!(error.to_string(), "1:1: 4 bytes of input, at most 3 are read");
    }

    proptest! {
        #[test]
        fn lines_cover_the_text(input in any::<Vec<u8>>()) {
            let screen = Screen::of(&input);
            let mut end = 0;
            for line in screen.lines() {
                prop_assert_eq!(line.start, end);
                end = line.end;
            }
            prop_assert_eq!(end, screen.text().len());
        }
    }
}
