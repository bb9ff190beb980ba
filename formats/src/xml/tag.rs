//! The name and the attributes of a tag. quick-xml's own reader of attributes would let pass
//! `a="1"b="2"`, names such as `1` and a bare `<` in a value.

use std::ops::Range;

use memchr::memchr;

use super::text::{self, Characters, name_bytes};
use super::{BLANKS, shown};
use crate::limits::Limits;

/// What is between `<` and `>`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tag<'r> {
    text: &'r str,
    name_bytes: usize,
    attributes: &'r [Attribute],
}

impl<'r> Tag<'r> {
    pub(super) fn new(text: &'r str, name_bytes: usize, attributes: &'r [Attribute]) -> Self {
        Self { text, name_bytes, attributes }
    }

    /// The name of the element.
    pub(crate) fn name(&self) -> &'r str {
        &self.text[..self.name_bytes]
    }

    /// Names and values of the attributes, each once, in the order of the document.
    pub(crate) fn attributes(&self) -> impl Iterator<Item = (&'r str, &'r str)> + use<'r> {
        let Self { text, attributes, .. } = *self;
        attributes.iter().map(|attribute| (&text[attribute.name.clone()], attribute.value(text)))
    }

    /// One attribute.
    pub(crate) fn attribute(&self, name: &str) -> Option<&'r str> {
        self.attributes().find(|(key, _)| *key == name).map(|(_, value)| value)
    }
}

/// Where an attribute stands in the text of its tag.
#[derive(Debug)]
pub(super) struct Attribute {
    name: Range<usize>,
    written: Range<usize>,
    /// The value, if it is not the one that is written.
    read: Option<String>,
}

impl Attribute {
    fn value<'a>(&'a self, text: &'a str) -> &'a str {
        self.read.as_deref().unwrap_or(&text[self.written.clone()])
    }
}

/// Why a tag is refused.
pub(super) enum Error {
    /// Its name is none.
    Name(String),
    /// What is wrong at this byte of it.
    Attribute(usize, String),
    /// It has too many attributes.
    TooMany,
}

/// Reads the text of a tag. Gives the bytes of its name.
pub(super) fn read(
    text: &str,
    attributes: &mut Vec<Attribute>,
    characters: &mut Characters,
    limits: &Limits,
) -> Result<usize, Box<Error>> {
    attributes.clear();
    let bytes = text.as_bytes();
    let name_bytes = name_bytes(bytes);
    if name_bytes == bytes.len() && name_bytes > 0 {
        return Ok(name_bytes);
    }
    if name_bytes == 0 || bytes.get(name_bytes).is_some_and(|byte| !is_blank(*byte)) {
        let name = text.split(BLANKS).next().unwrap_or_default();
        let message = format!("`{}` cannot be the name of an element", shown(name));
        return Err(Box::new(Error::Name(message)));
    }
    let is_plain = text::is_plain(text);
    let mut end = name_bytes;
    loop {
        let at = skip_blanks(bytes, end);
        if at == bytes.len() {
            return Ok(name_bytes);
        }
        let refused = |message| Box::new(Error::Attribute(at, message));
        if at == end {
            return Err(refused("attributes without a blank between".to_owned()));
        }
        let Some((name, written)) = attribute(bytes, at) else {
            return Err(refused(format!("`{}` is not an attribute", shown(&text[at..]))));
        };
        if attributes.iter().any(|other| bytes[other.name.clone()] == bytes[name.clone()]) {
            return Err(refused(format!("duplicate attribute `{}`", shown(&text[name]))));
        }
        if attributes.len() >= limits.xml_attributes_max {
            return Err(Box::new(Error::TooMany));
        }
        end = written.end + 1;
        let read = match is_plain {
            true => None,
            false => characters.attribute_value(&text[written.clone()]).map_err(refused)?,
        };
        attributes.push(Attribute { name, written, read });
    }
}

/// Finds name and value of the `name="value"` that begins at byte `at`.
fn attribute(tag: &[u8], at: usize) -> Option<(Range<usize>, Range<usize>)> {
    let name = at..at + name_bytes(&tag[at..]);
    let equals = skip_blanks(tag, name.end);
    tag.get(equals).filter(|byte| **byte == b'=' && !name.is_empty())?;
    let opener = skip_blanks(tag, equals + 1);
    let quote = tag.get(opener).filter(|byte| matches!(byte, b'"' | b'\''))?;
    let begin = opener + 1;
    let end = begin + memchr(*quote, &tag[begin..])?;
    Some((name, begin..end))
}

/// The first byte from here on that is no blank.
fn skip_blanks(tag: &[u8], mut at: usize) -> usize {
    while tag.get(at).is_some_and(|byte| is_blank(*byte)) {
        at += 1;
    }
    at
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}
