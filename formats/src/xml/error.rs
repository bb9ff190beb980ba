//! Why a document cannot be read.

use std::io;
use std::sync::Arc;

use crate::input::{ParseError, Position, ReadError};

/// Characters of a name from the input that an error repeats.
const SHOWN_CHARS_MAX: usize = 60;

/// A document that cannot be read. In a box, because the steps through a document are many and fast
/// as long as what they return fits into registers.
pub(crate) type XmlError = Box<XmlProblem>;

/// What an [`XmlError`] says.
#[derive(Debug, Clone)]
pub(crate) enum XmlProblem {
    /// It is not well-formed, or uses what is not allowed here.
    Malformed(ParseError),
    /// It has a reference to what is no character.
    Character(ParseError),
    /// It is beyond a limit.
    Limit(ParseError),
    /// Its bytes could not be had. Never when they are in memory.
    Io(Arc<io::Error>),
}

impl From<XmlError> for ReadError {
    fn from(error: XmlError) -> Self {
        match *error {
            XmlProblem::Malformed(error)
            | XmlProblem::Character(error)
            | XmlProblem::Limit(error) => Self::Parse(error),
            XmlProblem::Io(error) => Self::Io(io::Error::new(error.kind(), error)),
        }
    }
}

impl From<XmlError> for ParseError {
    fn from(error: XmlError) -> Self {
        ReadError::from(error).into()
    }
}

#[cold]
pub(super) fn malformed(position: Position, message: impl Into<String>) -> XmlError {
    Box::new(XmlProblem::Malformed(ParseError { position, message: message.into() }))
}

#[cold]
pub(super) fn no_character(position: Position, message: String) -> XmlError {
    Box::new(XmlProblem::Character(ParseError { position, message }))
}

#[cold]
pub(super) fn beyond(position: Position, limit: usize, what: &str) -> XmlError {
    let message = format!("over the limit of {limit} {what}");
    Box::new(XmlProblem::Limit(ParseError { position, message }))
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
