//! XML as a strict stream of [`Event`]s, for every format that is XML.
//!
//! quick-xml finds the markup; this layer adds what a conforming reader promises and quick-xml
//! leaves to its user: one root and nothing around it, nothing left open, names and attributes that
//! are well-formed, references resolved, line ends normalised. A document type definition is
//! refused outright, so nothing is ever expanded or fetched. Depth, attributes and events are
//! bounded.
//!
//! Characters that XML forbids are the one thing let through: as a visible escape such as `\x1b`,
//! with [`Reader::sanitised`] set, because test output does hold them.

mod encoding;
mod text;

use std::borrow::Cow;
use std::vec::Drain;

use quick_xml::errors::{Error as SyntaxError, IllFormedError};
use quick_xml::events::Event as Markup;

use crate::input::{ParseError, Position};
use crate::limits::Limits;

pub(crate) use encoding::decode;

/// The blanks of XML.
const BLANKS: [char; 4] = [' ', '\t', '\n', '\r'];

/// Characters of a name from the input that an error repeats.
const SHOWN_CHARS_MAX: usize = 60;

/// A document that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum XmlError {
    /// It is not well-formed, or uses what is not allowed here.
    Malformed(ParseError),
    /// It is beyond a limit.
    Limit(ParseError),
}

impl From<XmlError> for ParseError {
    fn from(error: XmlError) -> Self {
        match error {
            XmlError::Malformed(error) | XmlError::Limit(error) => error,
        }
    }
}

/// One step through a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event<'a> {
    /// An element of this name opens; [`Reader::attributes`] has its attributes.
    Start(&'a str),
    /// The innermost open element ends.
    End,
    /// A piece of text. One element's text may come in many pieces.
    Text(Cow<'a, str>),
}

/// Reads one decoded document.
pub(crate) struct Reader<'a> {
    text: &'a str,
    limits: &'a Limits,
    inner: quick_xml::Reader<&'a [u8]>,
    attributes: Vec<(&'a str, Cow<'a, str>)>,
    offset: usize,
    depth: usize,
    events: usize,
    root_seen: bool,
    end_is_due: bool,
    is_tidy: bool,
    sanitised: bool,
}

impl<'a> Reader<'a> {
    /// A reader at the start of a document that [`decode`] made text of.
    pub(crate) fn new(text: &'a str, limits: &'a Limits) -> Self {
        let mut inner = quick_xml::Reader::from_str(text);
        inner.config_mut().check_comments = true;
        Self {
            text,
            limits,
            inner,
            attributes: Vec::new(),
            offset: 0,
            depth: 0,
            events: 0,
            root_seen: false,
            end_is_due: false,
            is_tidy: text::is_tidy(text),
            sanitised: false,
        }
    }

    /// The attributes of the element that opened last, each once, in the order of the document.
    pub(crate) fn attributes(&mut self) -> Drain<'_, (&'a str, Cow<'a, str>)> {
        self.attributes.drain(..)
    }

    /// One attribute of the element that opened last.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| *key == name).map(|(_, value)| &**value)
    }

    /// Whether forbidden characters had to be made visible so far.
    pub(crate) fn sanitised(&self) -> bool {
        self.sanitised
    }

    /// Where the last event began.
    pub(crate) fn position(&self) -> Position {
        Position::of(self.text.as_bytes(), self.offset)
    }

    /// The next event; `None` at the end of a complete document.
    pub(crate) fn next(&mut self) -> Result<Option<Event<'a>>, XmlError> {
        if self.end_is_due {
            return Ok(Some(self.close()));
        }
        loop {
            self.events += 1;
            if self.events > self.limits.xml_events_max {
                return Err(self.beyond(self.limits.xml_events_max, "events"));
            }
            self.offset = self.inner.buffer_position() as usize;
            match self.inner.read_event() {
                Ok(Markup::Start(_)) => return self.open(1).map(Some),
                Ok(Markup::Empty(_)) => {
                    self.end_is_due = true;
                    return self.open(2).map(Some);
                }
                Ok(Markup::End(_)) => return Ok(Some(self.close())),
                Ok(Markup::Text(text)) => {
                    if let Some(text) = self.markup_text(text.into_inner())? {
                        return Ok(Some(Event::Text(text)));
                    }
                }
                Ok(Markup::CData(text)) => {
                    self.require_root("CDATA")?;
                    return Ok(Some(Event::Text(self.tidied(text.into_inner()))));
                }
                Ok(Markup::GeneralRef(name)) => {
                    self.require_root("a reference")?;
                    return self.reference(&name.into_inner()).map(|text| Some(Event::Text(text)));
                }
                Ok(Markup::DocType(name)) => {
                    let name = name.split([' ', '\t', '\n', '\r', '[']).next().unwrap_or_default();
                    let message = format!("DTD not allowed: `<!DOCTYPE {}`", shown(name));
                    return Err(self.malformed(self.offset, message));
                }
                Ok(Markup::Decl(_)) => self.declaration()?,
                Ok(Markup::PI(instruction)) if !text::is_name(instruction.target()) => {
                    let message = "a processing instruction without a name".to_owned();
                    return Err(self.malformed(self.offset, message));
                }
                Ok(Markup::Comment(_) | Markup::PI(_)) => {}
                Ok(Markup::Eof) => return self.finish(),
                Err(error) => return Err(self.syntax(&error)),
            }
        }
    }

    /// Opens the element whose tag was just read and ends in `closer` bytes of `>` or `/>`.
    fn open(&mut self, closer: usize) -> Result<Event<'a>, XmlError> {
        if self.depth == 0 && self.root_seen {
            return Err(self.malformed(self.offset, "a second root element".to_owned()));
        }
        if self.depth >= self.limits.xml_depth_max {
            return Err(self.beyond(self.limits.xml_depth_max, "levels, too deep"));
        }
        let end = (self.inner.buffer_position() as usize).saturating_sub(closer);
        let tag = self.text.get(self.offset + 1..end).unwrap_or_default();
        let (name, attributes) = tag.split_at(tag.find(BLANKS).unwrap_or(tag.len()));
        if !text::is_name(name) {
            let message = format!("`{}` cannot be the name of an element", shown(name));
            return Err(self.malformed(self.offset, message));
        }
        self.read_attributes(attributes, end)?;
        self.depth += 1;
        self.root_seen = true;
        Ok(Event::Start(name))
    }

    fn close(&mut self) -> Event<'a> {
        self.end_is_due = false;
        // quick-xml has refused an end without a start.
        self.depth = self.depth.saturating_sub(1);
        Event::End
    }

    /// Reads `rest`, the part of a tag behind its name, up to `end`. quick-xml's own iterator would
    /// let pass `a="1"b="2"`, names such as `1` and a bare `<` in a value.
    fn read_attributes(&mut self, mut rest: &'a str, end: usize) -> Result<(), XmlError> {
        self.attributes.clear();
        loop {
            let trimmed = rest.trim_start_matches(BLANKS);
            if trimmed.is_empty() {
                return Ok(());
            }
            let offset = end - trimmed.len();
            if trimmed.len() == rest.len() {
                return Err(self.malformed(offset, "attributes without a blank between".into()));
            }
            let Some((name, raw, after)) = split_attribute(trimmed) else {
                let message = format!("`{}` is not an attribute", shown(trimmed));
                return Err(self.malformed(offset, message));
            };
            if self.attributes.iter().any(|(other, _)| *other == name) {
                return Err(
                    self.malformed(offset, format!("duplicate attribute `{}`", shown(name)))
                );
            }
            if self.attributes.len() >= self.limits.xml_attributes_max {
                return Err(
                    self.beyond(self.limits.xml_attributes_max, "attributes of one element")
                );
            }
            let value = text::attribute_value(raw, &mut self.sanitised)
                .map_err(|message| self.malformed(offset, message))?;
            self.attributes.push((name, value));
            rest = after;
        }
    }

    /// The text between two pieces of markup. `None` for blanks around the root.
    fn markup_text(&mut self, text: Cow<'a, str>) -> Result<Option<Cow<'a, str>>, XmlError> {
        if self.depth == 0 {
            let Some(at) = text.find(|c| !BLANKS.contains(&c)) else { return Ok(None) };
            self.offset += at;
            self.require_root("text")?;
        }
        if let Some(at) = text.find("]]>") {
            return Err(self.malformed(self.offset + at, "`]]>` in text".to_owned()));
        }
        Ok(Some(self.tidied(text)))
    }

    fn tidied(&mut self, text: Cow<'a, str>) -> Cow<'a, str> {
        if self.is_tidy { text } else { text::tidied(text, &mut self.sanitised) }
    }

    fn reference(&mut self, name: &str) -> Result<Cow<'a, str>, XmlError> {
        text::resolve(name, &mut self.sanitised)
            .map_err(|message| self.malformed(self.offset, message))
    }

    fn require_root(&self, what: &str) -> Result<(), XmlError> {
        match (self.depth, self.root_seen) {
            (0, false) => {
                Err(self.malformed(self.offset, format!("{what} before the root element")))
            }
            (0, true) => Err(self.malformed(self.offset, format!("{what} after the root element"))),
            _ => Ok(()),
        }
    }

    /// Only blanks may come before the declaration. (XML forbids even those; a stray line end at the
    /// top of a file is too common to mind.)
    fn declaration(&mut self) -> Result<(), XmlError> {
        if !self.text[..self.offset].trim_matches(BLANKS).is_empty() {
            let message = "an XML declaration that is not at the start".to_owned();
            return Err(self.malformed(self.offset, message));
        }
        let end = (self.inner.buffer_position() as usize).saturating_sub("?>".len());
        let rest = self.text.get(self.offset + "<?xml".len()..end).unwrap_or_default();
        self.read_attributes(rest, end)?;
        let known = ["version", "encoding", "standalone"];
        let mut names = self.attributes.drain(..).map(|(name, _)| name);
        if names.next() == Some("version") && names.all(|name| known.contains(&name)) {
            return Ok(());
        }
        drop(names);
        Err(self.malformed(
            self.offset,
            "an XML declaration that is not version, encoding, standalone".to_owned(),
        ))
    }

    fn finish(&self) -> Result<Option<Event<'a>>, XmlError> {
        match (self.depth, self.root_seen) {
            (0, true) => Ok(None),
            (0, false) if self.text.trim_matches(BLANKS).is_empty() => {
                Err(self.malformed(self.offset, "the input is empty".to_owned()))
            }
            (0, false) => Err(self.malformed(self.offset, "no root element".to_owned())),
            (depth, _) => {
                Err(self.malformed(self.offset, format!("the input ends inside {depth} elements")))
            }
        }
    }

    fn syntax(&self, error: &SyntaxError) -> XmlError {
        let message = match error {
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
        self.malformed(self.inner.error_position() as usize, message)
    }

    fn malformed(&self, offset: usize, message: String) -> XmlError {
        let position = Position::of(self.text.as_bytes(), offset);
        XmlError::Malformed(ParseError { position, message })
    }

    fn beyond(&self, limit: usize, what: &str) -> XmlError {
        let message = format!("over the limit of {limit} {what}");
        XmlError::Limit(ParseError { position: self.position(), message })
    }
}

/// Splits `name="value" rest`; the value is still escaped.
fn split_attribute(text: &str) -> Option<(&str, &str, &str)> {
    let (name, after) = text.split_once('=')?;
    let name = name.trim_end_matches(BLANKS);
    let after = after.trim_start_matches(BLANKS);
    let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let (value, rest) = after[1..].split_once(quote)?;
    text::is_name(name).then_some((name, value, rest))
}

/// A name from the input, fit for one line of an error.
pub(crate) fn shown(name: &str) -> String {
    let mut shown = String::new();
    for char in name.chars().take(SHOWN_CHARS_MAX) {
        match char {
            '\'' | '"' => shown.push(char),
            char => shown.extend(char.escape_debug()),
        }
    }
    if name.chars().nth(SHOWN_CHARS_MAX).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests;
