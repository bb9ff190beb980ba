//! JSON from outside, as strict as it can be read: what two readers may understand differently is refused.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value as Json};

use super::from_json;
use crate::value::Value;

/// JSON that is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StrictError {
    /// It is not JSON (RFC 8259), is nested more than 128 deep, or has an object with two members of one
    /// name. With line and column.
    #[error("{0}")]
    Syntax(String),
    /// It is JSON, but holds a number beyond 64 bits, or a broken tagged object.
    #[error("{0}")]
    Meaning(String),
}

/// Reads a value from JSON text, as [`super::from_text`] does, but refuses members that come twice, and numbers
/// that would be rounded to another magnitude.
///
/// # Errors
/// See [`StrictError`].
pub fn from_strict_text(text: &[u8]) -> Result<Value, StrictError> {
    if let Some(number) = number_beyond_range(text) {
        let number: String = number.chars().take(40).collect();
        return Err(StrictError::Meaning(format!("the number {number} does not fit into 64 bits")));
    }
    let Unique(json) =
        serde_json::from_slice(text).map_err(|error| StrictError::Syntax(error.to_string()))?;
    from_json(json).map_err(|error| StrictError::Meaning(error.to_string()))
}

/// The first number outside of strings that is no 64-bit integer and no finite double. serde_json makes a double
/// of a long integer, and a mistake in the syntax of a large double.
fn number_beyond_range(text: &[u8]) -> Option<String> {
    let mut rest = text;
    while let Some((&first, tail)) = rest.split_first() {
        rest = match first {
            b'"' => after_string(tail),
            b'-' | b'0'..=b'9' => {
                let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
                let end = rest.iter().position(|byte| !is_part(byte)).unwrap_or(rest.len());
                let (number, tail) = rest.split_at(end);
                let number = String::from_utf8_lossy(number);
                if is_beyond_range(&number) {
                    return Some(number.into_owned());
                }
                tail
            }
            _ => tail,
        };
    }
    None
}

/// What follows the end of a string.
fn after_string(mut text: &[u8]) -> &[u8] {
    loop {
        match text {
            [b'\\', _, tail @ ..] => text = tail,
            [b'"', tail @ ..] => return tail,
            [_, tail @ ..] => text = tail,
            [] => return text,
        }
    }
}

/// Nothing else than a number is beyond any range.
fn is_beyond_range(number: &str) -> bool {
    let digits = number.strip_prefix('-').unwrap_or(number);
    match digits.bytes().all(|byte| byte.is_ascii_digit()) {
        true => !digits.is_empty() && number.parse::<i64>().is_err(),
        false => number.parse().is_ok_and(|number: f64| number.is_infinite()),
    }
}

/// JSON of which each object has each member once.
struct Unique(Json);

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(UniqueVisitor)
    }
}

struct UniqueVisitor;

/// serde_json bounds the depth.
impl<'de> Visitor<'de> for UniqueVisitor {
    type Value = Unique;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Unique, E> {
        Ok(Unique(Json::Null))
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Unique, E> {
        Ok(Unique(flag.into()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Unique, E> {
        Ok(Unique(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Unique, E> {
        Ok(Unique(number.into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Unique, E> {
        Ok(Unique(number.into()))
    }

    fn visit_str<E>(self, text: &str) -> Result<Unique, E> {
        Ok(Unique(text.into()))
    }

    fn visit_string<E>(self, text: String) -> Result<Unique, E> {
        Ok(Unique(text.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Unique, A::Error> {
        let mut items = Vec::new();
        while let Some(Unique(item)) = access.next_element()? {
            items.push(item);
        }
        Ok(Unique(Json::Array(items)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Unique, A::Error> {
        let mut members = Map::new();
        while let Some(name) = access.next_key::<String>()? {
            let Unique(value) = access.next_value()?;
            if members.contains_key(&name) {
                let name: String = name.chars().take(40).collect();
                return Err(serde::de::Error::custom(format!("member {name:?} comes twice")));
            }
            members.insert(name, value);
        }
        Ok(Unique(Json::Object(members)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{from_text, to_text};
    use super::*;

    fn read(text: &str) -> Result<Value, StrictError> {
        from_strict_text(text.as_bytes())
    }

    #[test]
    fn what_is_plain_is_read_as_ever() {
        for text in [
            r#"{"a": [1, -2.5e3, null, true, "x\"1e999\\"], "b": {"c": "123456789012345678901234567890"}}"#,
            r#"{"$double": "nan"}"#,
            "9223372036854775807",
            "-9223372036854775808",
            "1.7976931348623157e308",
            "\"\\\\\"",
        ] {
            let value = read(text).unwrap();
            assert_eq!(to_text(&value), to_text(&from_text(text.as_bytes()).unwrap()), "{text}");
        }
    }

    #[test]
    fn what_can_be_understood_differently_is_refused() {
        let kind = |text: &str| match read(text).unwrap_err() {
            StrictError::Syntax(_) => "syntax",
            StrictError::Meaning(_) => "meaning",
        };
        let deep = "[".repeat(10_000);
        for text in [
            r#"{"a": 1, "a": 1}"#,
            r#"[{"x": {"a": 1, "\u0061": 2}}]"#,
            "1 2",
            "\u{feff}1",
            "",
            "[1,]",
            "01",
            "nan",
            "\"\u{1}\"",
            "\"abc",
            "\"\\",
            &deep,
        ] {
            assert_eq!(kind(text), "syntax", "{text}");
        }
        let digits = "1".repeat(40);
        for text in [
            "1e400",
            "[-1E400]",
            &digits,
            "9223372036854775808",
            "-9223372036854775809",
            r#"{"$double": "x"}"#,
        ] {
            assert_eq!(kind(text), "meaning", "{text}");
        }
        assert_eq!(
            read(r#"{"a": 1, "a": 1}"#).unwrap_err().to_string(),
            "member \"a\" comes twice at line 1 column 16"
        );
    }
}
