//! Reads calls and answers. Values nest to any depth the limits allow, so they are kept on a stack of
//! our own.

mod scalar;

use std::collections::btree_map::Entry;

use super::{
    BAD_CHARACTER, BAD_VALUE, Call, Fault, NOT_WELL_FORMED, NOT_XML_RPC, Response, WireError,
};
use crate::input::ParseError;
use crate::limits::Limits;
use crate::value::{Bag, Value};
use crate::xml::{self, Event, Leniency, Whole, XmlError, XmlProblem, decode, is_forbidden};

use scalar::{Scalar, is_blank, trim};

/// Reads a `methodCall`.
///
/// # Errors
/// When the document is not well-formed, not XML-RPC or beyond the limits.
pub fn read_call(body: &[u8], limits: &Limits) -> Result<Call, WireError> {
    call(body, limits).map_err(|error| *error)
}

fn call(body: &[u8], limits: &Limits) -> Result<Call, Error> {
    let (document, replaced) = decode(body, Leniency::Call, limits)?;
    let mut reader = Reader::new(&document, limits);
    reader.expect("methodCall")?;
    reader.expect("methodName")?;
    let method = trim(reader.text()?).to_owned();
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
    let sanitised = replaced || reader.xml.sanitised();
    Ok(Call { method, params, sanitised })
}

/// Reads a `methodResponse`.
///
/// # Errors
/// When the document is not well-formed, not XML-RPC or beyond the limits.
pub fn read_response(body: &[u8], limits: &Limits) -> Result<Response, WireError> {
    response(body, limits).map_err(|error| *error)
}

fn response(body: &[u8], limits: &Limits) -> Result<Response, Error> {
    let (document, _) = decode(body, Leniency::Call, limits)?;
    let mut reader = Reader::new(&document, limits);
    reader.expect("methodResponse")?;
    let is_fault = match reader.child()? {
        Some("params") => Ok(false),
        Some("fault") => Ok(true),
        other => Err(unexpected("<params> or <fault>", other)),
    };
    let response = match is_fault.map_err(|message| reader.error(message))? {
        false => {
            reader.expect("param")?;
            reader.expect("value")?;
            let value = reader.value()?;
            reader.end()?; // </param>
            reader.end()?; // </params>
            Response::Success(value)
        }
        true => {
            reader.expect("value")?;
            let value = reader.value()?;
            reader.end()?; // </fault>
            Response::Fault(to_fault(&value).ok_or_else(|| {
                reader.error("a fault needs an int `faultCode` and a string `faultString`")
            })?)
        }
    };
    reader.end()?; // </methodResponse>
    reader.eof()?;
    Ok(response)
}

/// In a box for the reason that [`XmlError`] is.
type Error = Box<WireError>;

impl From<XmlError> for Error {
    fn from(error: XmlError) -> Self {
        let code = match *error {
            XmlProblem::Limit(_) => BAD_VALUE,
            XmlProblem::Character(_) => BAD_CHARACTER,
            XmlProblem::Malformed(_) | XmlProblem::Io(_) => NOT_WELL_FORMED,
        };
        let ParseError { position, message } = error.into();
        Box::new(WireError { position, message, code })
    }
}

fn to_fault(value: &Value) -> Option<Fault> {
    let bag = value.as_struct()?;
    let code = bag.get("faultCode")?.as_int()?;
    let message = bag.get("faultString")?.as_str()?.to_owned();
    Some(Fault { code, message })
}

/// An array or a struct that is not complete yet.
enum Container {
    Array(Vec<Value>),
    /// The members so far, and the name of the one being read.
    Struct(Bag, Option<String>),
}

impl Container {
    /// Adds a value. The error is the name of a member that is there already.
    fn put(&mut self, value: Value) -> Result<(), String> {
        match self {
            Self::Array(items) => items.push(value),
            Self::Struct(bag, name) => match bag.entry(name.take().unwrap_or_default()) {
                Entry::Vacant(entry) => {
                    entry.insert(value);
                }
                Entry::Occupied(entry) => return Err(entry.key().clone()),
            },
        }
        Ok(())
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

/// The element inside a `<value>`.
enum Kind {
    Array,
    Struct,
    Scalar(Scalar),
}

impl Kind {
    fn of(tag: &str) -> Result<Self, String> {
        if let Some(scalar) = Scalar::of(tag) {
            return Ok(Self::Scalar(scalar));
        }
        match tag {
            "array" => Ok(Self::Array),
            "struct" => Ok(Self::Struct),
            _ => Err(format!("unknown type <{}>", shortened(tag))),
        }
    }
}

fn unexpected(expected: &str, found: Option<&str>) -> String {
    match found {
        Some(tag) => format!("expected {expected}, found <{}>", shortened(tag)),
        None => format!("expected {expected}, found an end tag"),
    }
}

/// The grammar of XML-RPC over XML events.
struct Reader<'a> {
    xml: xml::Reader<'a, Whole<'a>>,
    /// The text that was read last.
    text: String,
}

impl<'a> Reader<'a> {
    fn new(document: &'a str, limits: &'a Limits) -> Self {
        let xml = xml::Reader::new(Whole::new(document), Leniency::Call, limits);
        Self { xml, text: String::new() }
    }

    fn error(&self, message: impl Into<String>) -> Error {
        let position = self.xml.position();
        Box::new(WireError { position, message: message.into(), code: NOT_XML_RPC })
    }

    fn bad_value(&self, message: impl Into<String>) -> Error {
        Box::new(WireError { code: BAD_VALUE, ..*self.error(message) })
    }

    /// The tag of the next element in the innermost open one, or `None` where that ends.
    fn child(&mut self) -> Result<Option<&str>, Error> {
        loop {
            match self.xml.next()? {
                Some(Event::Start) => break,
                Some(Event::End) | None => return Ok(None),
                Some(Event::Text(text)) if is_blank(&text) => continue,
                Some(Event::Text(_)) => {}
            }
            return Err(self.error("text between elements"));
        }
        Ok(Some(self.xml.tag().name()))
    }

    fn expect(&mut self, tag: &str) -> Result<(), Error> {
        let problem = match self.child()? {
            Some(found) if found == tag => return Ok(()),
            found => unexpected(&format!("<{tag}>"), found),
        };
        Err(self.error(problem))
    }

    /// Whether there is one more child, which must then be a `tag`.
    fn optional(&mut self, tag: &str) -> Result<bool, Error> {
        let problem = match self.child()? {
            Some(found) if found == tag => return Ok(true),
            None => return Ok(false),
            found => unexpected(&format!("<{tag}>"), found),
        };
        Err(self.error(problem))
    }

    fn end(&mut self) -> Result<(), Error> {
        let problem = match self.child()? {
            None => return Ok(()),
            found => unexpected("an end tag", found),
        };
        Err(self.error(problem))
    }

    fn eof(&mut self) -> Result<(), Error> {
        match self.xml.next()? {
            None => Ok(()),
            Some(_) => Err(self.error("expected the end of the document")),
        }
    }

    /// The text up to the end of the innermost element, which has no children.
    fn text(&mut self) -> Result<&str, Error> {
        if self.text_ends()? {
            return Ok(&self.text);
        }
        Err(self.error(unexpected("text", Some(self.xml.tag().name()))))
    }

    /// Reads text up to the next tag. Gives whether that ends the innermost element.
    fn text_ends(&mut self) -> Result<bool, Error> {
        self.text.clear();
        loop {
            match self.xml.next()? {
                Some(Event::Text(piece)) => self.text.push_str(&piece),
                Some(Event::Start) => return Ok(false),
                // The document cannot end inside the root.
                Some(Event::End) | None => return Ok(true),
            }
        }
    }

    /// The rest of a `<value>`, its end tag included.
    fn value(&mut self) -> Result<Value, Error> {
        let mut open: Vec<Container> = Vec::new();
        loop {
            match self.begin()? {
                Begun::Container(container) => open.push(container),
                Begun::Scalar(value) => match open.last_mut() {
                    Some(container) => self.put(container, value)?,
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
                    Some(container) => self.put(container, value)?,
                    None => return Ok(value),
                }
            }
        }
    }

    fn put(&self, container: &mut Container, value: Value) -> Result<(), Error> {
        container
            .put(value)
            .map_err(|name| self.bad_value(format!("a second member `{}`", shortened(&name))))
    }

    /// What follows `<value>`: a scalar up to `</value>`, or the start of a container.
    fn begin(&mut self) -> Result<Begun, Error> {
        if self.text_ends()? {
            return Ok(Begun::Scalar(Value::String(self.text.clone())));
        }
        if !is_blank(&self.text) {
            return Err(self.error("text beside a typed value"));
        }
        match Kind::of(self.xml.tag().name()).map_err(|message| self.error(message))? {
            Kind::Array => {
                self.expect("data")?;
                Ok(Begun::Container(Container::Array(Vec::new())))
            }
            Kind::Struct => Ok(Begun::Container(Container::Struct(Bag::new(), None))),
            Kind::Scalar(scalar) => {
                let value = scalar.value(self.text()?);
                let value = value.map_err(|message| self.bad_value(message))?;
                self.end()?;
                Ok(Begun::Scalar(value))
            }
        }
    }

    /// Moves past the next `<value>` of a container. `false` when there is none: then the
    /// container and its `</value>` have been read.
    fn advance(&mut self, container: &mut Container) -> Result<bool, Error> {
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
                    *name = Some(self.member_name()?);
                    return Ok(true);
                }
            }
        }
        self.end()?; // </value>
        Ok(false)
    }

    fn member_name(&mut self) -> Result<String, Error> {
        let problem = match self.child()? {
            Some("name") => None,
            found => Some(unexpected("<name>", found)),
        };
        if let Some(message) = problem {
            return Err(self.bad_value(message));
        }
        let name = self.text()?.to_owned();
        // In values they are what some tool printed. A name with them could not be answered with: two such
        // names may be one in what is written.
        if name.contains(is_forbidden) {
            let message =
                format!("the member `{}` has a character that XML forbids", shortened(&name));
            return Err(Box::new(WireError { code: BAD_CHARACTER, ..*self.error(message) }));
        }
        self.expect("value")?;
        Ok(name)
    }
}

/// A name or value from outside, fit to be part of a one-line message.
fn shortened(text: &str) -> String {
    text.chars().take(40).flat_map(char::escape_debug).collect()
}

#[cfg(test)]
mod tests;
