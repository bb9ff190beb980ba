//! [`Value`] as JSON and back: the canonical form that is stored, hashed and published.
//!
//! UTF-8, sorted keys, two-space indent, LF, one final newline. An int is a JSON integer, a finite
//! double always has a point or an exponent (shortest digits that read back the same). What JSON
//! lacks is an object with one key: `{"$double": "nan"}`, `{"$base64": "…"}`, `{"$dateTime": "…"}`; a
//! struct that would look like one of these is wrapped in `{"$struct": {…}}`.

mod borrowed;
mod strict;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Serialize;
use serde_json::{Map, Number, Value as Json};

use crate::value::{Bag, Value};

pub use borrowed::{StoredBag, StoredSteps};
pub use strict::{StrictError, from_strict_text, memory_of};

/// The keys of the tagged objects.
const TAGS: [&str; 4] = ["$base64", "$dateTime", "$double", "$struct"];

/// JSON that is no stored value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct JsonError(String);

/// The canonical text of a value.
pub fn to_text(value: &Value) -> String {
    pretty(&borrowed::StoredValue(value))
}

/// Reads a value from JSON text.
///
/// # Errors
/// When the text is not JSON (with line and column), or holds a number beyond 64 bits or a broken
/// tagged object.
pub fn from_text(text: &[u8]) -> Result<Value, JsonError> {
    let json = serde_json::from_slice(text).map_err(|error| JsonError(error.to_string()))?;
    from_json(json)
}

/// Any JSON in the canonical layout, with a final newline.
pub fn pretty(json: &impl Serialize) -> String {
    // Cannot fail where all keys are strings.
    let mut text = serde_json::to_string_pretty(json).unwrap_or_default();
    text.push('\n');
    text
}

/// The JSON that stands for a value.
pub fn to_json(value: &Value) -> Json {
    match value {
        Value::Nil => Json::Null,
        Value::Bool(flag) => Json::Bool(*flag),
        Value::Int(number) => Json::Number((*number).into()),
        Value::Double(number) => match Number::from_f64(*number) {
            Some(number) => Json::Number(number),
            None => tagged("$double", number.to_string().to_lowercase()),
        },
        Value::String(text) => Json::String(text.clone()),
        Value::DateTime(text) => tagged("$dateTime", text.clone()),
        Value::Base64(bytes) => tagged("$base64", BASE64.encode(bytes)),
        Value::Array(items) => Json::Array(items.iter().map(to_json).collect()),
        Value::Struct(bag) => {
            let object: Map<String, Json> =
                bag.iter().map(|(key, value)| (key.clone(), to_json(value))).collect();
            if is_tagged(&object) {
                Json::Object(Map::from_iter([("$struct".to_owned(), Json::Object(object))]))
            } else {
                Json::Object(object)
            }
        }
    }
}

/// The value that JSON stands for.
///
/// # Errors
/// On a number beyond 64 bits and on a broken tagged object.
pub fn from_json(json: Json) -> Result<Value, JsonError> {
    Ok(match json {
        Json::Null => Value::Nil,
        Json::Bool(flag) => Value::Bool(flag),
        Json::Number(number) => from_number(&number)?,
        Json::String(text) => Value::String(text),
        Json::Array(items) => {
            Value::Array(items.into_iter().map(from_json).collect::<Result<_, _>>()?)
        }
        Json::Object(object) if is_tagged(&object) => from_tagged(object)?,
        Json::Object(object) => Value::Struct(from_object(object)?),
    })
}

fn from_number(number: &Number) -> Result<Value, JsonError> {
    if number.is_f64() {
        return Ok(Value::Double(number.as_f64().unwrap_or_default()));
    }
    number
        .as_i64()
        .map(Value::Int)
        .ok_or_else(|| JsonError(format!("integer {number} does not fit 64 bits")))
}

fn from_object(object: Map<String, Json>) -> Result<Bag, JsonError> {
    object.into_iter().map(|(key, value)| Ok((key, from_json(value)?))).collect()
}

fn from_tagged(object: Map<String, Json>) -> Result<Value, JsonError> {
    let Some((tag, content)) = object.into_iter().next() else {
        return Ok(Value::Struct(Bag::new()));
    };
    let broken = || JsonError(format!("broken `{tag}` object"));
    match (tag.as_str(), content) {
        ("$struct", Json::Object(object)) => Ok(Value::Struct(from_object(object)?)),
        ("$dateTime", Json::String(text)) => Ok(Value::DateTime(text)),
        ("$base64", Json::String(text)) => {
            BASE64.decode(text).map(Value::Base64).map_err(|_| broken())
        }
        ("$double", Json::String(text)) => match text.as_str() {
            "nan" => Ok(Value::Double(f64::NAN)),
            "inf" => Ok(Value::Double(f64::INFINITY)),
            "-inf" => Ok(Value::Double(f64::NEG_INFINITY)),
            _ => Err(broken()),
        },
        _ => Err(broken()),
    }
}

fn is_tagged(object: &Map<String, Json>) -> bool {
    object.len() == 1 && object.keys().all(|key| TAGS.contains(&key.as_str()))
}

fn tagged(tag: &str, text: String) -> Json {
    Json::Object(Map::from_iter([(tag.to_owned(), Json::String(text))]))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Any value, three levels deep.
    pub(crate) fn any_value() -> impl Strategy<Value = Value> {
        let key =
            prop_oneof![any::<String>(), Just("$struct".to_owned()), Just("$double".to_owned())];
        let leaf = prop_oneof![
            Just(Value::Nil),
            any::<bool>().prop_map(Value::Bool),
            any::<i64>().prop_map(Value::Int),
            any::<f64>()
                .prop_filter("nan is not equal to itself", |n| !n.is_nan())
                .prop_map(Value::Double),
            any::<String>().prop_map(Value::String),
            any::<String>().prop_map(Value::DateTime),
            any::<Vec<u8>>().prop_map(Value::Base64),
        ];
        leaf.prop_recursive(3, 24, 4, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
                prop::collection::btree_map(key.clone(), inner, 0..4).prop_map(Value::Struct),
            ]
        })
    }

    proptest! {
        #[test]
        fn text_reads_back_as_it_was(value in any_value()) {
            prop_assert_eq!(from_text(to_text(&value).as_bytes()).unwrap(), value);
        }
    }

    #[test]
    fn doubles_and_ints_stay_apart() {
        let value =
            Value::Array(vec![1.into(), 1.0.into(), (-0.0).into(), 1e300.into(), f64::NAN.into()]);
        let text = to_text(&value);
        assert_eq!(
            text,
            "[\n  1,\n  1.0,\n  -0.0,\n  1e+300,\n  {\n    \"$double\": \"nan\"\n  }\n]\n"
        );
    }

    #[test]
    fn broken_tags_are_refused() {
        for text in [
            r#"{"$base64": "*"}"#,
            r#"{"$double": "1"}"#,
            r#"{"$struct": 1}"#,
            "18446744073709551615",
            "{",
        ] {
            assert!(from_text(text.as_bytes()).is_err(), "{text}");
        }
    }
}
