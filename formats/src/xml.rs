//! XML as a strict stream of [`Event`]s, for every format that is XML.
//!
//! quick-xml finds the markup; this layer adds what a conforming reader promises and quick-xml
//! leaves to its user: one root and nothing around it, nothing left open, names and attributes that
//! are well-formed, references resolved, line ends normalised. A document type definition is
//! refused outright, so nothing is ever expanded or fetched. Depth, attributes, events and bytes
//! are bounded, and no more of a document is held than the event that is being read.
//!
//! Characters that XML forbids are the one thing let through, because test output does hold them:
//! as they are, or as a visible escape. See [`Leniency`].

mod encoding;
mod error;
mod tag;
mod text;

use std::borrow::Cow;
use std::io::BufRead;

use quick_xml::errors::{Error as SyntaxError, IllFormedError};
use quick_xml::events::Event as Markup;

use crate::input::Position;
use crate::limits::Limits;

pub(crate) use encoding::{Document, decode, open};
pub(crate) use error::{XmlError, shown};
pub(crate) use tag::Tag;

use error::{beyond, malformed};
use tag::Attribute;
use text::Characters;

/// The blanks of XML.
const BLANKS: [char; 4] = [' ', '\t', '\n', '\r'];

/// What is let through although XML forbids it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leniency {
    /// For reports: forbidden characters become visible escapes such as `\x1b`, and blanks may come
    /// before the declaration, because a stray line end at the top of a file is too common to mind.
    Report,
    /// For calls: forbidden characters stay as they are.
    Call,
}

/// One step through a document.
#[derive(Debug)]
pub(crate) enum Event<'r> {
    /// An element opens.
    Start(Tag<'r>),
    /// The innermost open element ends.
    End,
    /// A piece of text. One element's text may come in many pieces.
    Text(Cow<'r, str>),
}

/// What quick-xml found; the bytes of it are in [`Reader::raw`].
enum Piece {
    Start,
    Empty,
    End,
    Text,
    CData,
    Reference,
    Eof,
}

/// Reads one document of UTF-8 without a byte order mark. [`open`] and [`decode`] make that of others.
pub(crate) struct Reader<'l, R> {
    limits: &'l Limits,
    leniency: Leniency,
    inner: quick_xml::Reader<R>,
    /// The last event as it is written, from its first byte to its last.
    raw: Vec<u8>,
    /// Where `raw` begins.
    start: Position,
    /// The tag in `raw`: what stands around its text, the bytes of its name, and its attributes.
    marks: (&'static str, &'static str),
    name_bytes: usize,
    attributes: Vec<Attribute>,
    characters: Characters,
    /// What the last reference stands for.
    resolved: String,
    depth: usize,
    events: usize,
    /// Whether only blanks came so far.
    is_blank: bool,
    root_seen: bool,
    end_is_due: bool,
}

impl<'l, R: BufRead> Reader<'l, R> {
    /// A reader at the start of a document.
    pub(crate) fn new(input: R, leniency: Leniency, limits: &'l Limits) -> Self {
        let mut inner = quick_xml::Reader::from_reader(input);
        inner.config_mut().check_comments = true;
        Self {
            limits,
            leniency,
            inner,
            raw: Vec::new(),
            start: Position::START,
            marks: ("", ""),
            name_bytes: 0,
            attributes: Vec::new(),
            characters: Characters::new(leniency),
            resolved: String::new(),
            depth: 0,
            events: 0,
            is_blank: true,
            root_seen: false,
            end_is_due: false,
        }
    }

    /// Whether forbidden characters had to be made visible so far.
    pub(crate) fn sanitised(&self) -> bool {
        self.characters.sanitised
    }

    /// Where the last event began.
    pub(crate) fn position(&self) -> Position {
        self.start
    }

    /// The element that opened last, until the next event.
    pub(crate) fn tag(&self) -> Tag<'_> {
        let (opener, closer) = self.marks;
        Tag::new(part(&self.raw, opener, closer), self.name_bytes, &self.attributes)
    }

    /// The next event; `None` at the end of a complete document.
    pub(crate) fn next(&mut self) -> Result<Option<Event<'_>>, XmlError> {
        if self.end_is_due {
            return Ok(Some(self.close()));
        }
        let piece = self.advance()?;
        Ok(Some(match piece {
            Piece::Start => self.open(("<", ">"))?,
            Piece::Empty => {
                self.end_is_due = true;
                self.open(("<", "/>"))?
            }
            Piece::End => self.close(),
            Piece::Text => Event::Text(self.text()?),
            Piece::CData => {
                self.require_root("CDATA")?;
                let text = part(&self.raw, "<![CDATA[", "]]>");
                Event::Text(self.characters.tidied(text))
            }
            Piece::Reference => Event::Text(Cow::Borrowed(self.reference()?)),
            Piece::Eof => return self.finish().map(|()| None),
        }))
    }

    /// Reads the next piece that can be an event into `raw`.
    fn advance(&mut self) -> Result<Piece, XmlError> {
        loop {
            self.events += 1;
            if self.events > self.limits.xml_events_max {
                return Err(beyond(self.start, self.limits.xml_events_max, "events"));
            }
            self.start = self.start.after(&self.raw);
            self.raw.clear();
            let begin = self.inner.buffer_position();
            let markup = self.inner.read_event_into(&mut self.raw);
            if self.inner.buffer_position() > self.limits.input_bytes_max as u64 {
                return Err(beyond(self.start, self.limits.input_bytes_max, "bytes"));
            }
            let is_first = std::mem::replace(&mut self.is_blank, false);
            match markup {
                Ok(Markup::Start(_)) => return Ok(Piece::Start),
                Ok(Markup::Empty(_)) => return Ok(Piece::Empty),
                Ok(Markup::End(_)) => return Ok(Piece::End),
                Ok(Markup::Text(_)) if self.depth > 0 => return Ok(Piece::Text),
                Ok(Markup::Text(_)) => self.is_blank = self.text_around_the_root(is_first)?,
                Ok(Markup::CData(_)) => return Ok(Piece::CData),
                Ok(Markup::GeneralRef(_)) => return Ok(Piece::Reference),
                Ok(Markup::DocType(_)) => return Err(self.document_type()),
                Ok(Markup::Decl(_)) => self.declaration(is_first)?,
                Ok(Markup::PI(instruction)) if !text::is_name(instruction.target()) => {
                    return Err(self.malformed(0, "a processing instruction without a name"));
                }
                Ok(Markup::Comment(_) | Markup::PI(_)) => {}
                Ok(Markup::Eof) => {
                    self.is_blank = is_first;
                    return Ok(Piece::Eof);
                }
                Err(error) => return Err(self.syntax(&error, begin)),
            }
        }
    }

    /// Opens the element whose tag was just read.
    fn open(&mut self, marks: (&'static str, &'static str)) -> Result<Event<'_>, XmlError> {
        if self.depth == 0 && self.root_seen {
            return Err(self.malformed(0, "a second root element"));
        }
        if self.depth >= self.limits.xml_depth_max {
            return Err(beyond(self.start, self.limits.xml_depth_max, "levels, too deep"));
        }
        self.read_tag(marks)?;
        self.depth += 1;
        self.root_seen = true;
        Ok(Event::Start(self.tag()))
    }

    /// Reads name and attributes of the tag in `raw`, whose text is between `marks`.
    fn read_tag(&mut self, marks: (&'static str, &'static str)) -> Result<(), XmlError> {
        self.marks = marks;
        let text = part(&self.raw, marks.0, marks.1);
        let read = tag::read(text, &mut self.attributes, &mut self.characters, self.limits);
        self.name_bytes = read.map_err(|error| match error {
            tag::Error::Name(message) => malformed(self.start, message),
            tag::Error::Attribute(at, message) => {
                malformed(self.start.after(&self.raw[..marks.0.len() + at]), message)
            }
            tag::Error::TooMany => {
                beyond(self.start, self.limits.xml_attributes_max, "attributes of one element")
            }
        })?;
        Ok(())
    }

    fn close(&mut self) -> Event<'static> {
        self.end_is_due = false;
        // quick-xml has refused an end without a start.
        self.depth = self.depth.saturating_sub(1);
        Event::End
    }

    /// The text between two pieces of markup.
    fn text(&mut self) -> Result<Cow<'_, str>, XmlError> {
        let text = part(&self.raw, "", "");
        match self.characters.between_markup(text) {
            Ok(text) => Ok(text),
            Err(at) => Err(malformed(self.start.after(&self.raw[..at]), "`]]>` in text")),
        }
    }

    /// Refuses anything but blanks. Gives whether there was nothing else before either.
    fn text_around_the_root(&mut self, is_first: bool) -> Result<bool, XmlError> {
        let text = part(&self.raw, "", "");
        let Some(at) = text.find(|c| !BLANKS.contains(&c)) else { return Ok(is_first) };
        self.start = self.start.after(&self.raw[..at]);
        self.require_root("text").map(|()| false)
    }

    fn reference(&mut self) -> Result<&str, XmlError> {
        self.require_root("a reference")?;
        self.resolved.clear();
        let name = part(&self.raw, "&", ";");
        match self.characters.resolve(name, &mut self.resolved) {
            Ok(()) => Ok(&self.resolved),
            Err(message) => Err(malformed(self.start, message)),
        }
    }

    fn require_root(&self, what: &str) -> Result<(), XmlError> {
        match (self.depth, self.root_seen) {
            (0, false) => Err(self.malformed(0, format!("{what} before the root element"))),
            (0, true) => Err(self.malformed(0, format!("{what} after the root element"))),
            _ => Ok(()),
        }
    }

    fn declaration(&mut self, is_first: bool) -> Result<(), XmlError> {
        if !is_first || (self.leniency == Leniency::Call && self.events > 1) {
            return Err(self.malformed(0, "an XML declaration that is not at the start"));
        }
        self.read_tag(("<?", "?>"))?;
        let known = ["version", "encoding", "standalone"];
        let mut names = self.tag().attributes().map(|(name, _)| name);
        match names.next() == Some("version") && names.all(|name| known.contains(&name)) {
            true => Ok(()),
            false => {
                Err(self
                    .malformed(0, "an XML declaration that is not version, encoding, standalone"))
            }
        }
    }

    fn document_type(&self) -> XmlError {
        let name = part(&self.raw, "<!DOCTYPE", ">").trim_start_matches(BLANKS);
        let name = name.split([' ', '\t', '\n', '\r', '[']).next().unwrap_or_default();
        self.malformed(0, format!("DTD not allowed: `<!DOCTYPE {}`", shown(name)))
    }

    fn finish(&self) -> Result<(), XmlError> {
        match (self.depth, self.root_seen) {
            (0, true) => Ok(()),
            (0, false) if self.is_blank => Err(self.malformed(0, "the input is empty")),
            (0, false) => Err(self.malformed(0, "no root element")),
            (depth, _) => Err(self.malformed(0, format!("the input ends inside {depth} elements"))),
        }
    }

    /// What quick-xml found wrong with the piece that begins at byte `begin`.
    fn syntax(&self, error: &SyntaxError, begin: u64) -> XmlError {
        let message = match error {
            SyntaxError::Io(error) => return XmlError::Io(error.clone()),
            SyntaxError::Encoding(_) => {
                return encoding::not_utf_8(&self.raw, self.start);
            }
            SyntaxError::IllFormed(IllFormedError::MismatchedEndTag { expected, found }) => {
                format!("expected `</{}>`, found `</{}>`", shown(expected), shown(found))
            }
            SyntaxError::IllFormed(IllFormedError::UnmatchedEndTag(name)) => {
                format!("`</{}>` ends nothing that is open", shown(name))
            }
            SyntaxError::IllFormed(IllFormedError::UnclosedReference) => {
                "`&` without a `;` after it".to_owned()
            }
            SyntaxError::IllFormed(error) => error.to_string(),
            SyntaxError::Syntax(error) => error.to_string(),
            other => other.to_string(),
        };
        self.malformed(self.inner.error_position().saturating_sub(begin) as usize, message)
    }

    /// An error at this byte of `raw`.
    fn malformed(&self, at: usize, message: impl Into<String>) -> XmlError {
        malformed(self.start.after(&self.raw[..at.min(self.raw.len())]), message)
    }
}

/// What is between the marks of a piece that quick-xml has found to be UTF-8.
fn part<'r>(raw: &'r [u8], opener: &str, closer: &str) -> &'r str {
    let end = raw.len().saturating_sub(closer.len());
    raw.get(opener.len()..end).and_then(|bytes| str::from_utf8(bytes).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
