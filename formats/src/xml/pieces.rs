//! A document as the [`Piece`]s that quick-xml finds in it, and where each of them is.

use std::borrow::Cow;
use std::io::BufRead;
use std::ops::Range;

use quick_xml::errors::{Error as XmlReadError, IllFormedError, SyntaxError};
use quick_xml::events::Event;

use super::encoding::not_utf_8;
use super::error::{XmlError, XmlProblem, beyond, malformed, shown};
use crate::input::Position;

/// Bytes of pieces that are kept before their lines and characters are counted: to count many at
/// once is faster.
const COUNTED_BYTES: usize = 4096;

/// Bytes from which on a piece is given away and not copied.
const LONG_BYTES: usize = 64 * 1024;

/// A piece of a document: markup, or what is between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Piece {
    Start,
    Empty,
    End,
    Text,
    CData,
    Reference,
    Comment,
    Instruction,
    Declaration,
    DocumentType,
    Eof,
}

impl Piece {
    fn of(event: &Event<'_>) -> Self {
        match event {
            Event::Start(_) => Self::Start,
            Event::Empty(_) => Self::Empty,
            Event::End(_) => Self::End,
            Event::Text(_) => Self::Text,
            Event::CData(_) => Self::CData,
            Event::GeneralRef(_) => Self::Reference,
            Event::Comment(_) => Self::Comment,
            Event::PI(_) => Self::Instruction,
            Event::Decl(_) => Self::Declaration,
            Event::DocType(_) => Self::DocumentType,
            Event::Eof => Self::Eof,
        }
    }

    /// What stands before and behind its text.
    fn marks(self) -> (&'static str, &'static str) {
        match self {
            Self::Start => ("<", ">"),
            Self::Empty => ("<", "/>"),
            Self::End => ("</", ">"),
            Self::Text | Self::Eof => ("", ""),
            Self::CData => ("<![CDATA[", "]]>"),
            Self::Reference => ("&", ";"),
            Self::Comment => ("<!--", "-->"),
            Self::Instruction | Self::Declaration => ("<?", "?>"),
            Self::DocumentType => ("<!DOCTYPE", ">"),
        }
    }
}

/// Reads pieces, and holds the last one.
pub(crate) trait Pieces {
    /// Reads the next piece.
    fn next(&mut self) -> Result<Piece, XmlError>;

    /// The last piece without its marks, until it is taken.
    fn text(&self) -> &str;

    /// The last piece without its marks. Of a long one there is no second copy in memory then.
    fn take_text(&mut self) -> Cow<'_, str> {
        Cow::Borrowed(self.text())
    }

    /// Where the last piece begins.
    fn position(&self) -> Position;

    /// Where this byte of the last piece's text is.
    fn position_in_text(&self, at: usize) -> Position;
}

/// A document that is in memory.
pub(crate) struct Whole<'a> {
    document: &'a str,
    inner: quick_xml::Reader<&'a [u8]>,
    /// How many bytes of mark the last piece begins with.
    mark_bytes: usize,
    /// Where the last piece begins.
    begin: usize,
    /// The last piece without its marks.
    text: &'a str,
}

impl<'a> Whole<'a> {
    pub(crate) fn new(document: &'a str) -> Self {
        let mut inner = quick_xml::Reader::from_str(document);
        inner.config_mut().check_comments = true;
        Self { document, inner, mark_bytes: 0, begin: 0, text: "" }
    }
}

impl Pieces for Whole<'_> {
    fn next(&mut self) -> Result<Piece, XmlError> {
        self.begin = self.inner.buffer_position() as usize;
        let piece = match self.inner.read_event() {
            Ok(event) => Piece::of(&event),
            Err(error) => {
                let at = self.inner.error_position() as usize;
                return Err(refused(&error, Position::of(self.document.as_bytes(), at)));
            }
        };
        let (before, behind) = piece.marks();
        self.mark_bytes = before.len();
        let end = (self.inner.buffer_position() as usize).saturating_sub(behind.len());
        self.text = self.document.get(self.begin + before.len()..end).unwrap_or_default();
        Ok(piece)
    }

    fn text(&self) -> &str {
        self.text
    }

    fn position(&self) -> Position {
        Position::of(self.document.as_bytes(), self.begin)
    }

    fn position_in_text(&self, at: usize) -> Position {
        Position::of(self.document.as_bytes(), self.begin + self.mark_bytes + at)
    }
}

/// A document that is read bit by bit.
pub(crate) struct Stream<R> {
    inner: quick_xml::Reader<R>,
    bytes_max: usize,
    last: Piece,
    /// The last piece without its marks, unless it is long: then it is only in `raw`.
    text: String,
    is_long: bool,
    /// The last pieces as they are written, every byte of them.
    raw: Vec<u8>,
    /// Where in the document `raw` begins.
    raw_start: Position,
    /// Where in `raw` the last piece begins.
    begin: usize,
    /// Where the last piece ends, if it was taken out of `raw`.
    end_of_taken: Option<Position>,
}

impl<R: BufRead> Stream<R> {
    /// Reads no more than one piece beyond `bytes_max`, and refuses it. What a single piece may hold
    /// in memory has to be bounded by `input`.
    pub(crate) fn new(input: R, bytes_max: usize) -> Self {
        let mut inner = quick_xml::Reader::from_reader(input);
        inner.config_mut().check_comments = true;
        Self {
            inner,
            bytes_max,
            last: Piece::Text,
            text: String::new(),
            is_long: false,
            raw: Vec::new(),
            raw_start: Position::START,
            begin: 0,
            end_of_taken: None,
        }
    }

    /// Makes room for the next piece.
    fn forget(&mut self) {
        match self.end_of_taken.take() {
            Some(end) => self.raw_start = end,
            None if self.raw.len() < COUNTED_BYTES => return,
            None => self.raw_start = self.raw_start.after(&self.raw),
        }
        self.raw.clear();
    }

    fn position_in_piece(&self, at: usize) -> Position {
        let end = self.begin.saturating_add(at).min(self.raw.len());
        self.raw_start.after(&self.raw[..end])
    }

    /// Where in `raw` the last piece is without its marks.
    fn range(&self) -> Range<usize> {
        let (before, behind) = self.last.marks();
        self.begin + before.len()..self.raw.len().saturating_sub(behind.len())
    }
}

impl<R: BufRead> Pieces for Stream<R> {
    fn next(&mut self) -> Result<Piece, XmlError> {
        self.forget();
        self.begin = self.raw.len();
        let offset = self.inner.buffer_position();
        let event = self.inner.read_event_into(&mut self.raw);
        if self.inner.buffer_position() > self.bytes_max as u64 {
            return Err(beyond(self.position(), self.bytes_max, "bytes"));
        }
        match event {
            Ok(event) => {
                self.last = Piece::of(&event);
                self.is_long = event.len() >= LONG_BYTES;
                self.text.clear();
                if !self.is_long {
                    self.text.push_str(&event);
                }
            }
            Err(XmlReadError::Encoding(_)) => {
                return Err(not_utf_8(&self.raw[self.begin..], self.position()));
            }
            Err(error) => {
                let at = self.inner.error_position().saturating_sub(offset) as usize;
                return Err(refused(&error, self.position_in_piece(at)));
            }
        }
        Ok(self.last)
    }

    fn text(&self) -> &str {
        if !self.is_long {
            return &self.text;
        }
        // quick-xml has found that it is UTF-8.
        let bytes = self.raw.get(self.range()).unwrap_or_default();
        str::from_utf8(bytes).unwrap_or_default()
    }

    fn take_text(&mut self) -> Cow<'_, str> {
        if !self.is_long {
            return Cow::Borrowed(&self.text);
        }
        self.end_of_taken = Some(self.position_in_piece(usize::MAX));
        let range = self.range();
        let before = self.raw[..self.begin].to_vec();
        let mut taken = std::mem::replace(&mut self.raw, before);
        taken.truncate(range.end);
        taken.drain(..range.start);
        self.is_long = false;
        Cow::Owned(String::from_utf8(taken).unwrap_or_default())
    }

    fn position(&self) -> Position {
        self.position_in_piece(0)
    }

    fn position_in_text(&self, at: usize) -> Position {
        self.position_in_piece(self.last.marks().0.len() + at)
    }
}

/// What quick-xml found wrong at this position.
fn refused(error: &XmlReadError, position: Position) -> XmlError {
    let message = match error {
        XmlReadError::Io(error) => return Box::new(XmlProblem::Io(error.clone())),
        XmlReadError::IllFormed(IllFormedError::MismatchedEndTag { expected, found }) => {
            format!("expected `</{}>`, found `</{}>`", shown(expected), shown(found))
        }
        XmlReadError::IllFormed(IllFormedError::UnmatchedEndTag(name)) => {
            format!("`</{}>` ends nothing that is open", shown(name))
        }
        XmlReadError::IllFormed(IllFormedError::UnclosedReference) => {
            "`&` without a `;` after it".to_owned()
        }
        XmlReadError::IllFormed(error) => error.to_string(),
        XmlReadError::Syntax(error) => cut_off(error),
        other => other.to_string(),
    };
    malformed(position, message)
}

/// What ends too early, and with what it should have ended.
fn cut_off(error: &SyntaxError) -> String {
    let (inside, expected) = match error {
        SyntaxError::InvalidBangMarkup => {
            return "`<!` that begins nothing, expected a comment or CDATA".to_owned();
        }
        SyntaxError::UnclosedPI => ("a processing instruction", "?>"),
        SyntaxError::UnclosedXmlDecl => ("the XML declaration", "?>"),
        SyntaxError::UnclosedComment => ("a comment", "-->"),
        SyntaxError::UnclosedDoctype => ("a DTD", ">"),
        SyntaxError::UnclosedCData => ("CDATA", "]]>"),
        SyntaxError::UnclosedTag => ("a tag", ">"),
        SyntaxError::UnclosedSingleQuotedAttributeValue => ("an attribute", "'"),
        SyntaxError::UnclosedDoubleQuotedAttributeValue => ("an attribute", "\""),
    };
    format!("the input ends inside {inside}, expected `{expected}`")
}
