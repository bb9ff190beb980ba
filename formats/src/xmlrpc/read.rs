//! Reads calls and answers. Values nest to any depth the limits allow, so they are kept on a stack of
//! our own.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::events::{Document, Event, Events, is_blank};
use super::{BAD_VALUE, Call, Fault, NOT_XML_RPC, Response, WireError};
use crate::limits::Limits;
use crate::value::{Bag, Value};

/// Reads a `methodCall`.
///
/// # Errors
/// When the document is not well-formed, not XML-RPC or beyond the limits.
pub fn read_call(body: &[u8], limits: &Limits) -> Result<Call, WireError> {
    let document = Document::decode(body, limits)?;
    let mut reader = Reader(Events::new(&document.text, limits));
    reader.expect("methodCall")?;
    reader.expect("methodName")?;
    let method = trim(&reader.text()?).to_owned();
    let mut params = Vec::new();
    if reader.optional("params")? {
        while reader.optional("param")? {
            reader.expect("value")?;
            params.push(reader.value()?);
            reader.end()?; // </param>
        }
        reader.end()?; // </methodCall>
    }
    reader.eof()?;
    Ok(Call { method, params, sanitised: document.sanitised })
}

/// Reads a `methodResponse`.
///
/// # Errors
/// When the document is not well-formed, not XML-RPC or beyond the limits.
pub fn read_response(body: &[u8], limits: &Limits) -> Result<Response, WireError> {
    let document = Document::decode(body, limits)?;
    let mut reader = Reader(Events::new(&document.text, limits));
    reader.expect("methodResponse")?;
    let response = match reader.child()? {
        Some("params") => {
            reader.expect("param")?;
            reader.expect("value")?;
            let value = reader.value()?;
            reader.end()?; // </param>
            reader.end()?; // </params>
            Response::Success(value)
        }
        Some("fault") => {
            reader.expect("value")?;
            let value = reader.value()?;
            reader.end()?; // </fault>
            Response::Fault(to_fault(&value).ok_or_else(|| {
                reader.error("a fault needs an int `faultCode` and a string `faultString`")
            })?)
        }
        other => return Err(reader.unexpected("<params> or <fault>", other)),
    };
    reader.end()?; // </methodResponse>
    reader.eof()?;
    Ok(response)
}

fn to_fault(value: &Value) -> Option<Fault> {
    let bag = value.as_struct()?;
    let code = bag.get("faultCode")?.as_int()?;
    let message = bag.get("faultString")?.as_str()?.to_owned();
    Some(Fault { code, message })
}

fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t', '\r', '\n'])
}

/// An array or a struct that is not complete yet.
enum Container {
    Array(Vec<Value>),
    /// The members so far, and the name of the one being read.
    Struct(Bag, Option<String>),
}

impl Container {
    fn put(&mut self, value: Value) {
        match self {
            Self::Array(items) => items.push(value),
            Self::Struct(bag, name) => {
                bag.insert(name.take().unwrap_or_default(), value);
            }
        }
    }

    fn into_value(self) -> Value {
        match self {
            Self::Array(items) => Value::Array(items),
            Self::Struct(bag, _) => Value::Struct(bag),
        }
    }
}

/// What the start of a value turned out to be.
enum Begun {
    Scalar(Value),
    Container(Container),
}

/// The grammar of XML-RPC over XML events.
struct Reader<'a>(Events<'a>);

impl<'a> Reader<'a> {
    fn error(&self, message: impl Into<String>) -> WireError {
        self.0.error(NOT_XML_RPC, message)
    }

    fn bad_value(&self, message: impl Into<String>) -> WireError {
        self.0.error(BAD_VALUE, message)
    }

    fn unexpected(&self, expected: &str, found: Option<&str>) -> WireError {
        match found {
            Some(tag) => self.error(format!("expected {expected}, found <{}>", shortened(tag))),
            None => self.error(format!("expected {expected}, found an end tag")),
        }
    }

    /// The tag of the next element in the innermost open one, or `None` where that ends.
    fn child(&mut self) -> Result<Option<&'a str>, WireError> {
        loop {
            match self.0.next()? {
                Event::Start(tag) => return Ok(Some(tag)),
                Event::End => return Ok(None),
                Event::Text(text) if is_blank(&text) => {}
                Event::Text(_) => return Err(self.error("text between elements")),
                Event::Eof => return Err(self.error("the document ends here")),
            }
        }
    }

    fn expect(&mut self, tag: &str) -> Result<(), WireError> {
        match self.child()? {
            Some(found) if found == tag => Ok(()),
            found => Err(self.unexpected(&format!("<{tag}>"), found)),
        }
    }

    /// Whether there is one more child, which must then be a `tag`.
    fn optional(&mut self, tag: &str) -> Result<bool, WireError> {
        match self.child()? {
            Some(found) if found == tag => Ok(true),
            None => Ok(false),
            found => Err(self.unexpected(&format!("<{tag}>"), found)),
        }
    }

    fn end(&mut self) -> Result<(), WireError> {
        match self.child()? {
            None => Ok(()),
            found => Err(self.unexpected("an end tag", found)),
        }
    }

    fn eof(&mut self) -> Result<(), WireError> {
        match self.0.next()? {
            Event::Eof => Ok(()),
            _ => Err(self.error("expected the end of the document")),
        }
    }

    /// The text up to the end of the innermost element, which has no children.
    fn text(&mut self) -> Result<String, WireError> {
        let mut text = String::new();
        loop {
            match self.0.next()? {
                Event::Text(piece) => text.push_str(&piece),
                Event::End => return Ok(text),
                Event::Start(tag) => return Err(self.unexpected("text", Some(tag))),
                Event::Eof => return Err(self.error("the document ends here")),
            }
        }
    }

    /// The rest of a `<value>`, its end tag included.
    fn value(&mut self) -> Result<Value, WireError> {
        let mut open: Vec<Container> = Vec::new();
        loop {
            match self.begin()? {
                Begun::Container(container) => open.push(container),
                Begun::Scalar(value) => match open.last_mut() {
                    Some(container) => container.put(value),
                    None => return Ok(value),
                },
            }
            // Go to the next `<value>`, and close what ends before it.
            while let Some(container) = open.last_mut() {
                if self.advance(container)? {
                    break;
                }
                let Some(value) = open.pop().map(Container::into_value) else { break };
                match open.last_mut() {
                    Some(container) => container.put(value),
                    None => return Ok(value),
                }
            }
        }
    }

    /// What follows `<value>`: a scalar up to `</value>`, or the start of a container.
    fn begin(&mut self) -> Result<Begun, WireError> {
        let mut text = String::new();
        let tag = loop {
            match self.0.next()? {
                Event::Text(piece) => text.push_str(&piece),
                Event::End => return Ok(Begun::Scalar(Value::String(text))),
                Event::Start(tag) => break tag,
                Event::Eof => return Err(self.error("the document ends here")),
            }
        };
        if !is_blank(&text) {
            return Err(self.error("text beside a typed value"));
        }
        match tag {
            "array" => {
                self.expect("data")?;
                Ok(Begun::Container(Container::Array(Vec::new())))
            }
            "struct" => Ok(Begun::Container(Container::Struct(Bag::new(), None))),
            _ => {
                let value = self.scalar(tag)?;
                self.end()?;
                Ok(Begun::Scalar(value))
            }
        }
    }

    /// Moves past the next `<value>` of a container. `false` when there is none: then the
    /// container and its `</value>` have been read.
    fn advance(&mut self, container: &mut Container) -> Result<bool, WireError> {
        match container {
            Container::Array(_) => {
                if self.optional("value")? {
                    return Ok(true);
                }
                self.end()?; // </array>
            }
            Container::Struct(bag, name) => {
                if !bag.is_empty() {
                    self.end()?; // </member>
                }
                if self.optional("member")? {
                    *name = Some(self.member_name(bag)?);
                    return Ok(true);
                }
            }
        }
        self.end()?; // </value>
        Ok(false)
    }

    fn member_name(&mut self, bag: &Bag) -> Result<String, WireError> {
        match self.child()? {
            Some("name") => {}
            found => {
                let problem = self.unexpected("<name>", found);
                return Err(WireError { code: BAD_VALUE, ..problem });
            }
        }
        let name = self.text()?;
        if bag.contains_key(&name) {
            return Err(self.bad_value(format!("a second member `{}`", shortened(&name))));
        }
        self.expect("value")?;
        Ok(name)
    }

    fn scalar(&mut self, tag: &str) -> Result<Value, WireError> {
        if !matches!(
            tag,
            "string"
                | "int"
                | "i4"
                | "i8"
                | "boolean"
                | "double"
                | "nil"
                | "dateTime.iso8601"
                | "base64"
        ) {
            return Err(self.error(format!("unknown type <{}>", shortened(tag))));
        }
        let text = self.text()?;
        if tag == "string" {
            return Ok(Value::String(text));
        }
        let trimmed = trim(&text);
        let value = match tag {
            "int" | "i4" | "i8" => trimmed.parse().ok().map(Value::Int),
            "boolean" => match trimmed {
                "0" => Some(Value::Bool(false)),
                "1" => Some(Value::Bool(true)),
                _ => None,
            },
            "double" => trimmed.parse().ok().map(Value::Double),
            "nil" => trimmed.is_empty().then_some(Value::Nil),
            "dateTime.iso8601" => is_date_time(trimmed).then(|| Value::DateTime(trimmed.into())),
            _ => decode_base64(&text),
        };
        value.ok_or_else(|| self.bad_value(format!("`{}` is no <{tag}>", shortened(trimmed))))
    }
}

/// With or without a time zone, in the basic or the extended form.
fn is_date_time(text: &str) -> bool {
    text.parse::<jiff::civil::DateTime>().is_ok() || text.parse::<jiff::Timestamp>().is_ok()
}

/// Strict, but for the line ends that encoders put in.
fn decode_base64(text: &str) -> Option<Value> {
    let text: String = text.chars().filter(|c| !matches!(c, ' ' | '\t' | '\r' | '\n')).collect();
    BASE64.decode(text).ok().map(Value::Base64)
}

/// A name or value from outside, fit to be part of a one-line message.
fn shortened(text: &str) -> String {
    text.chars().take(40).flat_map(char::escape_debug).collect()
}

#[cfg(test)]
mod tests;
