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
mod pieces;
mod tag;
mod text;

use std::borrow::Cow;

use crate::input::Position;
use crate::limits::Limits;

pub(crate) use encoding::{Document, decode, open};
pub(crate) use error::{XmlError, XmlProblem, shown};
pub(crate) use pieces::{Pieces, Stream, Whole};
pub(crate) use tag::Tag;
pub(crate) use text::is_forbidden;

use error::{beyond, malformed, no_character};
use pieces::Piece;
use tag::Attribute;
use text::{Characters, Look, Unresolved};

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
    /// An element opens; [`Reader::tag`] has its name and attributes.
    Start,
    /// The innermost open element ends.
    End,
    /// A piece of text. One element's text may come in many pieces.
    Text(Cow<'r, str>),
}

/// Reads one document of UTF-8 without a byte order mark. [`open`] and [`decode`] make that of others.
pub(crate) struct Reader<'l, P> {
    pieces: P,
    leniency: Leniency,
    limits: &'l Limits,
    name_bytes: usize,
    attributes: Vec<Attribute>,
    characters: Characters,
    /// What the last reference stands for.
    resolved: String,
    depth: usize,
    pieces_read: usize,
    /// Whether only blanks came so far.
    is_blank: bool,
    root_seen: bool,
    end_is_due: bool,
}

impl<'l, P: Pieces> Reader<'l, P> {
    /// A reader at the start of a document.
    pub(crate) fn new(pieces: P, leniency: Leniency, limits: &'l Limits) -> Self {
        Self {
            pieces,
            leniency,
            limits,
            name_bytes: 0,
            attributes: Vec::new(),
            characters: Characters::new(leniency),
            resolved: String::new(),
            depth: 0,
            pieces_read: 0,
            is_blank: true,
            root_seen: false,
            end_is_due: false,
        }
    }

    /// Whether there were forbidden characters so far.
    pub(crate) fn sanitised(&self) -> bool {
        self.characters.sanitised
    }

    /// Where the last event began.
    pub(crate) fn position(&self) -> Position {
        self.pieces.position()
    }

    /// The element that opened last, until the next event.
    pub(crate) fn tag(&self) -> Tag<'_> {
        Tag::new(self.pieces.text(), self.name_bytes, &self.attributes)
    }

    /// The next event; `None` at the end of a complete document.
    pub(crate) fn next(&mut self) -> Result<Option<Event<'_>>, XmlError> {
        if self.end_is_due {
            return Ok(Some(self.close()));
        }
        let piece = loop {
            let piece = self.advance()?;
            let is_first = std::mem::replace(&mut self.is_blank, false);
            match piece {
                Piece::Start | Piece::Empty => {
                    self.end_is_due = piece == Piece::Empty;
                    return self.open().map(Some);
                }
                Piece::End => return Ok(Some(self.close())),
                Piece::Text if self.depth == 0 => {
                    self.text_around_the_root()?;
                    self.is_blank = is_first;
                }
                Piece::Text | Piece::CData | Piece::Reference => break piece,
                Piece::Comment => {}
                Piece::Instruction => self.instruction()?,
                Piece::Declaration => self.declaration(is_first)?,
                Piece::DocumentType => return Err(self.document_type()),
                Piece::Eof => return self.finish(is_first).map(|()| None),
            }
        };
        self.text(piece).map(Some)
    }

    /// Reads the next piece, if there may be one more.
    fn advance(&mut self) -> Result<Piece, XmlError> {
        self.pieces_read += 1;
        if self.pieces_read > self.limits.xml_events_max {
            return Err(self.beyond(self.limits.xml_events_max, "events"));
        }
        self.pieces.next()
    }

    /// Opens the element whose tag was just read.
    fn open(&mut self) -> Result<Event<'static>, XmlError> {
        if self.depth == 0 && self.root_seen {
            return Err(self.malformed("a second root element"));
        }
        if self.depth >= self.limits.xml_depth_max {
            return Err(self.beyond(self.limits.xml_depth_max, "levels, too deep"));
        }
        self.read_tag()?;
        self.depth += 1;
        self.root_seen = true;
        Ok(Event::Start)
    }

    fn read_tag(&mut self) -> Result<(), XmlError> {
        let text = self.pieces.text();
        let name = tag::read(text, &mut self.attributes, &mut self.characters, self.limits);
        self.name_bytes = name.map_err(|error| match *error {
            tag::Error::Name(message) => self.malformed(message),
            tag::Error::Attribute(at, message) => self.malformed_in_text(at, message),
            tag::Error::TooMany => {
                self.beyond(self.limits.xml_attributes_max, "attributes of one element")
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

    /// The text that was just read, in whatever form.
    fn text(&mut self, piece: Piece) -> Result<Event<'_>, XmlError> {
        if self.depth == 0 {
            let what = if piece == Piece::CData { "CDATA" } else { "a reference" };
            return Err(self.malformed(self.outside(what)));
        }
        if piece == Piece::Reference {
            self.resolved.clear();
            let name = self.pieces.text();
            let resolved = self.characters.resolve(name, &mut self.resolved);
            return match resolved.map_err(|problem| (problem, problem.of(name))) {
                Ok(()) => Ok(Event::Text(Cow::Borrowed(&self.resolved))),
                Err((Unresolved::Entity, message)) => Err(self.malformed(message)),
                Err((Unresolved::Character, message)) => {
                    Err(no_character(self.position(), message))
                }
            };
        }
        let text = self.pieces.text();
        let look = Look::at(text);
        if piece == Piece::Text
            && let Some(at) = look.end_of_cdata(text)
        {
            return Err(self.malformed_in_text(at, "`]]>` in text"));
        }
        Ok(Event::Text(self.characters.tidied(&look, self.pieces.take_text())))
    }

    /// Text before or behind the root: blanks.
    fn text_around_the_root(&self) -> Result<(), XmlError> {
        match self.pieces.text().find(|c| !BLANKS.contains(&c)) {
            None => Ok(()),
            Some(at) => Err(self.malformed_in_text(at, self.outside("text"))),
        }
    }

    fn outside(&self, what: &str) -> String {
        match self.root_seen {
            true => format!("{what} after the root element, expected the end of the input"),
            false => format!("{what} before the root element, expected `<`"),
        }
    }

    fn instruction(&self) -> Result<(), XmlError> {
        let target = self.pieces.text().split(BLANKS).next().unwrap_or_default();
        match text::is_name(target) {
            true => Ok(()),
            false => Err(self.malformed("a processing instruction without a name")),
        }
    }

    fn declaration(&mut self, is_first: bool) -> Result<(), XmlError> {
        if !is_first || (self.leniency == Leniency::Call && self.pieces_read > 1) {
            return Err(self.malformed("an XML declaration that is not at the start"));
        }
        self.read_tag()?;
        let known = ["version", "encoding", "standalone"];
        let mut names = self.tag().attributes().map(|(name, _)| name);
        match names.next() == Some("version") && names.all(|name| known.contains(&name)) {
            true => Ok(()),
            false => {
                Err(self.malformed("an XML declaration that is not version, encoding, standalone"))
            }
        }
    }

    fn document_type(&self) -> XmlError {
        let name = self.pieces.text().trim_start_matches(BLANKS);
        let name = name.split([' ', '\t', '\n', '\r', '[']).next().unwrap_or_default();
        self.malformed(format!(
            "DTD not allowed: `<!DOCTYPE {}`, expected the root element",
            shown(name)
        ))
    }

    fn finish(&self, is_blank: bool) -> Result<(), XmlError> {
        match (self.depth, self.root_seen) {
            (0, true) => Ok(()),
            (0, false) if is_blank => {
                Err(self.malformed("the input is empty, expected a root element"))
            }
            (0, false) => Err(self.malformed("the input ends, expected a root element")),
            (depth, _) => {
                let message =
                    format!("the input ends inside {depth} elements, expected their end tags");
                Err(self.malformed(message))
            }
        }
    }

    /// An error at the last piece.
    fn malformed(&self, message: impl Into<String>) -> XmlError {
        malformed(self.position(), message)
    }

    /// An error at this byte of the last piece's text.
    fn malformed_in_text(&self, at: usize, message: impl Into<String>) -> XmlError {
        malformed(self.pieces.position_in_text(at), message)
    }

    fn beyond(&self, limit: usize, what: &str) -> XmlError {
        beyond(self.position(), limit, what)
    }
}

#[cfg(test)]
mod tests;
