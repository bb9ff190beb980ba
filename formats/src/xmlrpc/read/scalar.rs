//! Values that hold no others, and the text that writes them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::shortened;
use crate::value::Value;

/// The type of a value that is neither an array nor a struct.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scalar {
    String,
    Int,
    Boolean,
    Double,
    Nil,
    DateTime,
    Base64,
}

impl Scalar {
    /// The type that a tag names.
    pub(super) fn of(tag: &str) -> Option<Self> {
        Some(match tag {
            "string" => Self::String,
            "int" | "i4" | "i8" => Self::Int,
            "boolean" => Self::Boolean,
            "double" => Self::Double,
            "nil" => Self::Nil,
            "dateTime.iso8601" => Self::DateTime,
            "base64" => Self::Base64,
            _ => return None,
        })
    }

    /// What errors call it.
    fn tag(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Int => "int",
            Self::Boolean => "boolean",
            Self::Double => "double",
            Self::Nil => "nil",
            Self::DateTime => "dateTime.iso8601",
            Self::Base64 => "base64",
        }
    }

    /// The value that `text` writes.
    pub(super) fn value(self, text: &str) -> Result<Value, String> {
        let value = match self {
            Self::String => Some(Value::String(text.to_owned())),
            Self::Int => trim(text).parse().ok().map(Value::Int),
            Self::Boolean => match trim(text) {
                "0" => Some(Value::Bool(false)),
                "1" => Some(Value::Bool(true)),
                _ => None,
            },
            Self::Double => trim(text).parse().ok().map(Value::Double),
            Self::Nil => is_blank(text).then_some(Value::Nil),
            Self::DateTime => date_time(trim(text)),
            Self::Base64 => decode_base64(text),
        };
        value.ok_or_else(|| format!("`{}` is no <{}>", shortened(trim(text)), self.tag()))
    }
}

/// The blanks of XML.
const BLANKS: [char; 4] = [' ', '\t', '\r', '\n'];

pub(super) fn trim(text: &str) -> &str {
    text.trim_matches(BLANKS)
}

pub(super) fn is_blank(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'))
}

/// With or without a time zone, in the basic or the extended form.
fn date_time(text: &str) -> Option<Value> {
    let is_one =
        text.parse::<jiff::civil::DateTime>().is_ok() || text.parse::<jiff::Timestamp>().is_ok();
    is_one.then(|| Value::DateTime(text.to_owned()))
}

/// Strict, but for the line ends that encoders put in.
fn decode_base64(text: &str) -> Option<Value> {
    let text: String = text.chars().filter(|c| !matches!(c, ' ' | '\t' | '\r' | '\n')).collect();
    BASE64.decode(text).ok().map(Value::Base64)
}
