//! The XML layer below XML-RPC: tags and text of a document whose well-formedness is checked.
//!
//! quick-xml finds the markup. What it leaves to its callers is done here: decoding, one root
//! and nothing beside it, attributes, references, line ends, limits.

use std::borrow::Cow;

use quick_xml::Reader;
use quick_xml::escape::{resolve_predefined_entity, unescape};
use quick_xml::events::{BytesRef, BytesStart, Event as Raw};

use super::{BAD_VALUE, NOT_WELL_FORMED, NOT_XML_RPC, WireError};
use crate::{Limits, Position};

/// Longest XML declaration that is looked at, in bytes.
const DECLARATION_BYTES_MAX: usize = 256;

/// A document as text.
pub(super) struct Document<'a> {
    pub(super) text: Cow<'a, str>,
    /// Whether there were bytes that are not UTF-8 in a document that claims to be.
    pub(super) sanitised: bool,
}

impl<'a> Document<'a> {
    /// Decodes a document: UTF-8, or ISO-8859-1 where that is declared. A byte that is not UTF-8
    /// is taken for Latin-1, because Python 2 clients send the output of tools as it was.
    pub(super) fn decode(body: &'a [u8], limits: &Limits) -> Result<Self, WireError> {
        if body.len() > limits.input_bytes_max {
            let message = format!("{} bytes, the limit is {}", body.len(), limits.input_bytes_max);
            return Err(at_start(BAD_VALUE, message));
        }
        if body.starts_with(b"\xff\xfe") || body.starts_with(b"\xfe\xff") {
            return Err(at_start(NOT_WELL_FORMED, "UTF-16 is not supported: send UTF-8"));
        }
        let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
        match declared_encoding(body).to_ascii_lowercase().as_str() {
            "" | "utf-8" | "utf8" | "us-ascii" | "ascii" => Ok(Self::from_utf8(body)),
            "iso-8859-1" | "iso8859-1" | "latin-1" | "latin1" => {
                let text: String = body.iter().map(|&byte| char::from(byte)).collect();
                Ok(Self { text: text.into(), sanitised: false })
            }
            other => {
                let other: String = other.chars().take(40).collect();
                let message = format!("encoding `{other}` is not supported: send UTF-8");
                Err(at_start(NOT_WELL_FORMED, message))
            }
        }
    }

    fn from_utf8(body: &'a [u8]) -> Self {
        if let Ok(text) = std::str::from_utf8(body) {
            return Self { text: text.into(), sanitised: false };
        }
        let mut text = String::with_capacity(body.len() + body.len() / 8);
        for chunk in body.utf8_chunks() {
            text.push_str(chunk.valid());
            text.extend(chunk.invalid().iter().map(|&byte| char::from(byte)));
        }
        Self { text: text.into(), sanitised: true }
    }
}

/// The encoding that the XML declaration names; empty when it names none.
fn declared_encoding(body: &[u8]) -> String {
    let head = &body[..body.len().min(DECLARATION_BYTES_MAX)];
    let head: String = head.iter().map(|&byte| char::from(byte)).collect();
    match Reader::from_str(&head).read_event() {
        Ok(Raw::Decl(declaration)) => match declaration.encoding() {
            Some(Ok(name)) => name.into_owned(),
            _ => String::new(),
        },
        _ => String::new(),
    }
}

fn at_start(code: i64, message: impl Into<String>) -> WireError {
    WireError { position: Position { line: 1, column: 1 }, message: message.into(), code }
}

/// A piece of a document.
#[derive(Debug, PartialEq)]
pub(super) enum Event<'a> {
    /// `<name …>`. An empty element is a start and an end.
    Start(&'a str),
    /// `</name>`: the end of the innermost open element.
    End,
    /// Characters. Neighbouring pieces belong together: a reference is one of its own.
    Text(Cow<'a, str>),
    /// The end of a complete document.
    Eof,
}

/// Pulls events out of a document.
pub(super) struct Events<'a> {
    text: &'a str,
    reader: Reader<&'a [u8]>,
    limits: &'a Limits,
    /// Where the last event started.
    offset: usize,
    depth: usize,
    count: usize,
    root_seen: bool,
}

impl<'a> Events<'a> {
    pub(super) fn new(text: &'a str, limits: &'a Limits) -> Self {
        let mut reader = Reader::from_str(text);
        reader.config_mut().expand_empty_elements = true;
        Self { text, reader, limits, offset: 0, depth: 0, count: 0, root_seen: false }
    }

    /// The next piece. Comments and processing instructions are passed over.
    pub(super) fn next(&mut self) -> Result<Event<'a>, WireError> {
        loop {
            self.offset = self.position();
            self.count += 1;
            if self.count > self.limits.xml_events_max {
                let message = format!("more than {} events", self.limits.xml_events_max);
                return Err(self.error(BAD_VALUE, message));
            }
            let raw = self.reader.read_event();
            let raw = raw.map_err(|error| self.reader_error(&error))?;
            if let Some(event) = self.accept(raw)? {
                return Ok(event);
            }
        }
    }

    /// An error at the last event.
    pub(super) fn error(&self, code: i64, message: impl Into<String>) -> WireError {
        let position = Position::of(self.text.as_bytes(), self.offset);
        WireError { position, message: message.into(), code }
    }

    fn ill_formed(&self, message: impl Into<String>) -> WireError {
        self.error(NOT_WELL_FORMED, message)
    }

    fn position(&self) -> usize {
        usize::try_from(self.reader.buffer_position()).unwrap_or(usize::MAX)
    }

    fn reader_error(&self, error: &quick_xml::Error) -> WireError {
        let offset = usize::try_from(self.reader.error_position()).unwrap_or(usize::MAX);
        let position = Position::of(self.text.as_bytes(), offset);
        // The message may quote a tag; keep it one short line.
        let message = error.to_string().chars().filter(|c| !c.is_control()).take(200).collect();
        WireError { position, message, code: NOT_WELL_FORMED }
    }

    fn accept(&mut self, raw: Raw<'a>) -> Result<Option<Event<'a>>, WireError> {
        match raw {
            Raw::Start(tag) => self.start(&tag).map(Some),
            Raw::End(_) => {
                self.depth -= 1;
                Ok(Some(Event::End))
            }
            Raw::Text(text) => self.content(text.into_inner()),
            Raw::CData(_) | Raw::GeneralRef(_) if self.depth == 0 => {
                Err(self.ill_formed("text outside the root element"))
            }
            Raw::CData(text) => self.content(text.into_inner()),
            Raw::GeneralRef(reference) => {
                let character = self.resolve(&reference)?;
                Ok(Some(Event::Text(character)))
            }
            Raw::DocType(_) => Err(self.ill_formed("a document type (DTD) is not allowed")),
            Raw::Decl(_) if self.offset > 0 => {
                Err(self.ill_formed("an XML declaration is only allowed at the very start"))
            }
            Raw::Decl(_) | Raw::Comment(_) | Raw::PI(_) => Ok(None),
            Raw::Eof if self.depth > 0 => {
                Err(self.ill_formed(format!("the document ends with {} open tags", self.depth)))
            }
            Raw::Eof if !self.root_seen => Err(self.ill_formed("no root element")),
            Raw::Eof => Ok(Some(Event::Eof)),
            // `expand_empty_elements` turns these into a start and an end.
            Raw::Empty(_) => Err(self.error(NOT_XML_RPC, "unexpected empty element")),
        }
    }

    fn start(&mut self, tag: &BytesStart<'a>) -> Result<Event<'a>, WireError> {
        if self.depth == 0 && self.root_seen {
            return Err(self.ill_formed("a second root element"));
        }
        self.root_seen = true;
        self.depth += 1;
        if self.depth > self.limits.xml_depth_max {
            let message = format!("too deep: more than {} elements", self.limits.xml_depth_max);
            return Err(self.error(BAD_VALUE, message));
        }
        self.check_attributes(tag)?;
        let from = self.offset + 1;
        let name = self.text.get(from..from + tag.name().as_ref().len()).unwrap_or_default();
        if name.is_empty() {
            return Err(self.ill_formed("a tag without a name"));
        }
        Ok(Event::Start(name))
    }

    fn check_attributes(&self, tag: &BytesStart<'_>) -> Result<(), WireError> {
        for (index, attribute) in tag.attributes().enumerate() {
            if index == self.limits.xml_attributes_max {
                let message = format!("more than {index} attributes");
                return Err(self.error(BAD_VALUE, message));
            }
            let value = attribute.map_err(|error| self.ill_formed(error.to_string()))?.value;
            if value.contains('<') || unescape(&value).is_err() {
                return Err(self.ill_formed("an attribute value that is not well-formed"));
            }
        }
        Ok(())
    }

    /// Text as it is, but with line ends as XML wants them: LF.
    fn content(&self, text: Cow<'a, str>) -> Result<Option<Event<'a>>, WireError> {
        if self.depth == 0 {
            return match is_blank(&text) {
                true => Ok(None),
                false => Err(self.ill_formed("text outside the root element")),
            };
        }
        let text = match text.contains('\r') {
            true => Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n")),
            false => text,
        };
        Ok(Some(Event::Text(text)))
    }

    fn resolve(&self, reference: &BytesRef<'_>) -> Result<Cow<'a, str>, WireError> {
        let name: &str = reference;
        let number = name.strip_prefix('#').map(|digits| match digits.strip_prefix('x') {
            Some(hex) => (hex, 16),
            None => (digits, 10),
        });
        match number {
            Some((digits, radix)) => {
                // `from_str_radix` takes a sign, XML does not.
                let code = u32::from_str_radix(digits, radix)
                    .ok()
                    .filter(|_| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
                code.and_then(char::from_u32)
                    .map(|character| Cow::Owned(character.to_string()))
                    .ok_or_else(|| self.ill_formed("a reference to no character"))
            }
            None => resolve_predefined_entity(name)
                .map(Cow::Borrowed)
                .ok_or_else(|| self.ill_formed("an undefined entity")),
        }
    }
}

/// Whether there is nothing but XML's white space.
pub(super) fn is_blank(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'))
}
