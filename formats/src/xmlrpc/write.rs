//! Writes answers, and calls. What is written is always well-formed.

use std::borrow::Cow;
use std::collections::btree_map;
use std::slice;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::Fault;
use crate::value::{Bag, Value};

/// Python's own opening; without an encoding, a document is UTF-8.
const DECLARATION: &str = "<?xml version='1.0'?>\n";

/// Writes a `methodResponse` that returns `value`. Always well-formed: characters that XML
/// forbids become U+FFFD.
pub fn write_response(value: &Value) -> String {
    let mut out = format!("{DECLARATION}<methodResponse>\n<params>\n<param>\n");
    write_value(&mut out, value);
    out.push_str("\n</param>\n</params>\n</methodResponse>\n");
    out
}

/// Writes a `methodResponse` with a fault.
pub fn write_fault(fault: &Fault) -> String {
    let bag = Bag::from([
        ("faultCode".to_owned(), Value::Int(fault.code)),
        ("faultString".to_owned(), Value::from(fault.message.as_str())),
    ]);
    let mut out = format!("{DECLARATION}<methodResponse>\n<fault>\n");
    write_value(&mut out, &Value::Struct(bag));
    out.push_str("\n</fault>\n</methodResponse>\n");
    out
}

/// Writes a `methodCall`.
pub fn write_call(method: &str, params: &[Value]) -> String {
    let mut out = format!("{DECLARATION}<methodCall>\n<methodName>");
    push_escaped(&mut out, method);
    out.push_str("</methodName>\n<params>\n");
    for param in params {
        out.push_str("<param>\n");
        write_value(&mut out, param);
        out.push_str("\n</param>\n");
    }
    out.push_str("</params>\n</methodCall>\n");
    out
}

/// A container whose start tag is written.
enum Open<'a> {
    Array(slice::Iter<'a, Value>),
    Struct(btree_map::Iter<'a, String, Value>),
}

impl<'a> Open<'a> {
    /// Writes up to the next value and returns it, or writes the end of the container.
    fn advance(&mut self, out: &mut String) -> Option<&'a Value> {
        match self {
            Self::Array(items) => {
                let item = items.next();
                if item.is_none() {
                    out.push_str("</data></array></value>");
                }
                item
            }
            Self::Struct(members) => match members.next() {
                Some((name, value)) => {
                    out.push_str("\n<member><name>");
                    push_escaped(out, name);
                    out.push_str("</name>");
                    Some(value)
                }
                None => {
                    out.push_str("</struct></value>");
                    None
                }
            },
        }
    }
}

fn write_value(out: &mut String, value: &Value) {
    let mut open: Vec<Open<'_>> = Vec::new();
    let mut next = value;
    loop {
        match begin_value(out, next) {
            Some(container) => open.push(container),
            None => end_member(out, open.last()),
        }
        next = loop {
            let Some(container) = open.last_mut() else { return };
            if let Some(value) = container.advance(out) {
                break value;
            }
            open.pop();
            end_member(out, open.last());
        };
    }
}

/// A value that is complete ends the member it belongs to, if it does.
fn end_member(out: &mut String, container: Option<&Open<'_>>) {
    if let Some(Open::Struct(_)) = container {
        out.push_str("</member>");
    }
}

/// Writes a scalar whole, or the start of a container.
fn begin_value<'a>(out: &mut String, value: &'a Value) -> Option<Open<'a>> {
    let (tag, text): (&str, Cow<'_, str>) = match value {
        Value::Array(items) => {
            out.push_str("<value><array><data>");
            return Some(Open::Array(items.iter()));
        }
        Value::Struct(bag) => {
            out.push_str("<value><struct>");
            return Some(Open::Struct(bag.iter()));
        }
        Value::Nil => {
            out.push_str("<value><nil/></value>");
            return None;
        }
        Value::String(text) => ("string", text.into()),
        Value::Bool(flag) => ("boolean", if *flag { "1" } else { "0" }.into()),
        Value::Int(number) if i32::try_from(*number).is_ok() => ("int", number.to_string().into()),
        Value::Int(number) => ("i8", number.to_string().into()),
        Value::Double(number) => ("double", double(*number).into()),
        Value::DateTime(text) => ("dateTime.iso8601", text.into()),
        Value::Base64(bytes) => ("base64", BASE64.encode(bytes).into()),
    };
    out.push_str("<value><");
    out.push_str(tag);
    out.push('>');
    push_escaped(out, &text);
    out.push_str("</");
    out.push_str(tag);
    out.push_str("></value>");
    None
}

/// As Python's `float` reads it, with as many digits as it takes to get the same number back.
fn double(number: f64) -> String {
    if number.is_nan() { "nan".to_owned() } else { format!("{number:?}") }
}

fn push_escaped(out: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            // As it is, a reader would make a line feed of it.
            '\r' => out.push_str("&#13;"),
            '\t' | '\n' => out.push(character),
            '\0'..='\x1f' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            _ => out.push(character),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_what_python_reads() {
        let value = Value::Array(vec![
            Value::Int(-7),
            Value::Int(1 << 31),
            Value::Bool(true),
            Value::Double(1e-7),
            Value::Nil,
            Value::Struct(Bag::from([("a b".to_owned(), Value::Struct(Bag::new()))])),
        ]);
        assert_eq!(
            write_response(&value),
            "<?xml version='1.0'?>\n<methodResponse>\n<params>\n<param>\n<value><array><data>\
             <value><int>-7</int></value><value><i8>2147483648</i8></value>\
             <value><boolean>1</boolean></value><value><double>1e-7</double></value>\
             <value><nil/></value><value><struct>\n<member><name>a b</name><value><struct>\
             </struct></value></member></struct></value></data></array></value>\
             \n</param>\n</params>\n</methodResponse>\n"
        );
    }

    #[test]
    fn no_character_breaks_an_answer() {
        let text = write_response(&"<a>&\r\n\t\0\u{1b}\u{fffe}\u{7f}é".into());
        assert!(
            text.contains(
                "<string>&lt;a&gt;&amp;&#13;\n\t\u{fffd}\u{fffd}\u{fffd}\u{7f}é</string>"
            )
        );
    }

    #[test]
    fn a_fault_is_a_struct_of_two() {
        let fault = Fault { code: -32601, message: "no <such> method".into() };
        let text = write_fault(&fault);
        assert!(text.contains("<name>faultCode</name><value><int>-32601</int></value>"));
        assert!(text.contains("<value><string>no &lt;such&gt; method</string></value>"));
    }
}
