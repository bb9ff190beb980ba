//! [`Value`]: anything a client can put into a bag.
//!
//! The types are those of XML-RPC (<http://xmlrpc.com/spec.md>) with its two common extensions,
//! `nil` and `i8`. Every key and value of a submission is kept in this form, so that what a
//! client sends comes back as it was sent, whether or not pony knows the key.

use std::collections::BTreeMap;

/// Keys and values. Sorted by key, because a struct on the wire has no order of its own.
pub type Bag = BTreeMap<String, Value>;

/// One value of a [`Bag`].
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `<nil/>`, Python's `None`.
    Nil,
    /// `<boolean>`.
    Bool(bool),
    /// `<int>`, `<i4>` and `<i8>`.
    Int(i64),
    /// `<double>`, which may be `nan` or infinite.
    Double(f64),
    /// `<string>`. May hold control characters: test output does.
    String(String),
    /// `<dateTime.iso8601>`, kept as it was written: it names no time zone.
    DateTime(String),
    /// `<base64>`.
    Base64(Vec<u8>),
    /// `<array>`.
    Array(Vec<Value>),
    /// `<struct>`.
    Struct(Bag),
}

impl Value {
    /// The text of a `String`.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The number of an `Int`.
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Self::Int(number) => Some(*number),
            _ => None,
        }
    }

    /// The number of an `Int` or a `Double`: clients send `0` as well as `0.0` for a duration.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Int(number) => Some(*number as f64),
            Self::Double(number) => Some(*number),
            _ => None,
        }
    }

    /// The items of an `Array`.
    pub fn as_array(&self) -> Option<&[Value]> {
        match self {
            Self::Array(items) => Some(items),
            _ => None,
        }
    }

    /// The members of a `Struct`.
    pub fn as_struct(&self) -> Option<&Bag> {
        match self {
            Self::Struct(bag) => Some(bag),
            _ => None,
        }
    }

    /// What this is called in an error message.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Nil => "nil",
            Self::Bool(_) => "a boolean",
            Self::Int(_) => "an int",
            Self::Double(_) => "a double",
            Self::String(_) => "a string",
            Self::DateTime(_) => "a dateTime",
            Self::Base64(_) => "base64",
            Self::Array(_) => "an array",
            Self::Struct(_) => "a struct",
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::String(text)
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Bool(flag)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Double(number)
    }
}
