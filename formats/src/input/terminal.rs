//! [`Screen`]: what a program wrote to a terminal or a log, as plain lines.

use std::borrow::Cow;

use super::{Format, Oddities, ParseError, Position, Report};
use crate::limits::Limits;
use crate::model::Tally;

/// The escape character.
const ESC: char = '\x1b';

/// Text without colours, with LF at the end of every line.
#[derive(Debug)]
pub(super) struct Screen<'i> {
    /// Without its mark.
    input: &'i [u8],
    text: Cow<'i, str>,
    /// Whether bytes that are no UTF-8 were replaced.
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
        let text = match decoded.contains([ESC, '\r']) {
            true => Cow::Owned(plain(&decoded, usize::MAX).0),
            false => decoded,
        };
        Self { input, text, replaced }
    }

    /// Where in the input a byte offset of the text is: a CR alone ends a line here, but not there, and what
    /// was dropped stands there, too.
    pub(super) fn position(&self, offset: usize) -> Position {
        if let Cow::Borrowed(text) = self.text {
            return Position::of(text.as_bytes(), offset);
        }
        let decoded = String::from_utf8_lossy(self.input);
        let (_, origin) = plain(&decoded, offset);
        Position::of(decoded.as_bytes(), origin)
    }

    /// All of the text.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Hands the lines to a reader in their order. It returns how many tests it has found.
    ///
    /// # Errors
    /// When these are more than the limits allow.
    pub(super) fn each_line<'s>(
        &'s self,
        limits: &Limits,
        mut read: impl FnMut(Line<'s>) -> usize,
    ) -> Result<(), ParseError> {
        match self.lines().find(|line| read(*line) > limits.tests_max) {
            Some(line) => Err(ParseError::too_many_tests(self.position(line.start), limits)),
            None => Ok(()),
        }
    }

    /// A report of this format in which nothing was found yet.
    pub(super) fn report(&self, format: Format) -> Report {
        Report {
            format,
            tests: Vec::new(),
            suites: Vec::new(),
            unnamed: Tally::default(),
            sanitised: self.replaced,
            oddities: Oddities::default(),
        }
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

/// The text without escape sequences and CR, up to so many bytes of it, and how many bytes of `text` that took.
fn plain(text: &str, bytes_max: usize) -> (String, usize) {
    let mut plain = String::with_capacity(text.len().min(bytes_max));
    let mut chars = text.chars().peekable();
    while plain.len() < bytes_max
        && let Some(char) = chars.next()
    {
        match char {
            ESC => skip_escape(&mut chars),
            '\r' => {
                chars.next_if_eq(&'\n');
                plain.push('\n');
            }
            _ => plain.push(char),
        }
    }
    let rest: usize = chars.map(char::len_utf8).sum();
    (plain, text.len() - rest)
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
        assert!(!screen.replaced);
    }

    #[test]
    fn every_way_to_end_a_line_ends_it() {
        let screen = Screen::of(b"\xef\xbb\xbfa\r\nb\rc\nd");
        let lines: Vec<&str> = screen.lines().map(|line| line.text).collect();
        assert_eq!(lines, ["a", "b", "c", "d"]);
    }

    #[test]
    fn a_place_in_the_text_is_one_in_the_input() {
        let place = |input: &[u8], text: &str| {
            let screen = Screen::of(input);
            let Position { line, column } = screen.position(screen.text().find(text).unwrap());
            (line, column)
        };
        assert_eq!(place(b"a\r\nb\r\nc", "c"), (3, 1));
        assert_eq!(place(b"10%\r20%\rdone\nhay", "done"), (1, 9));
        assert_eq!(place(b"10%\r20%\rdone\nhay", "hay"), (2, 1));
        assert_eq!(place(b"\x1b[31mred\x1b[m hay", "hay"), (1, 13));
        assert_eq!(place(b"\xef\xbb\xbf\xff\xfe\nhay", "hay"), (2, 1));
        assert_eq!(Screen::of(b"\r").position(1), Position { line: 1, column: 2 });
        assert_eq!(Screen::of(b"a\n").position(99), Position { line: 2, column: 1 });
    }

    #[test]
    fn bytes_that_are_no_text_are_replaced_and_reported() {
        let screen = Screen::of(b"a\xff");
        assert_eq!((screen.text(), screen.replaced), ("a\u{fffd}", true));
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
