//! XML-RPC (<http://xmlrpc.com/spec.md>) as the original pony-build client speaks it: Python's
//! `xmlrpclib`, which also knows `nil` and `i8`.
//!
//! Reading is lenient where honest clients are careless and strict everywhere else. Output of build
//! tools that is not UTF-8 is read as Latin-1, and control characters are kept; but a document type,
//! an undefined entity or a second member of the same name is refused.

mod read;
mod write;

pub use read::{read_call, read_response};
pub use write::{write_call, write_fault, write_response};

use crate::value::Value;

/// A call that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// The method's name.
    pub method: String,
    /// Its positional arguments.
    pub params: Vec<Value>,
    /// Whether it is read against XML: bytes that are not UTF-8 were taken for Latin-1, or there are
    /// characters that XML forbids. They are kept as they came.
    pub sanitised: bool,
}

/// An answer that was read.
#[derive(Debug, Clone, PartialEq)]
pub enum Response {
    /// The method returned this.
    Success(Value),
    /// The method failed.
    Fault(Fault),
}

/// An XML-RPC fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("fault {code}: {message}")]
pub struct Fault {
    /// A number of the public interoperability list, for example -32601 for an unknown method.
    pub code: i64,
    /// A short sentence.
    pub message: String,
}

/// A document that is no XML-RPC call or answer. Displays as `line:column: what was wrong`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}:{}: {message}", position.line, position.column)]
pub struct WireError {
    /// Where reading stopped.
    pub position: crate::Position,
    /// What was wrong and what was expected.
    pub message: String,
    /// The fault code that answers it: -32700 not well-formed, -32702 a character that is none,
    /// -32600 not XML-RPC, -32602 a value that cannot be taken.
    pub code: i64,
}

/// Not well-formed XML.
const NOT_WELL_FORMED: i64 = -32700;
/// A reference to what is no character, or a name with a character that XML forbids.
const BAD_CHARACTER: i64 = -32702;
/// Well-formed, but no XML-RPC.
const NOT_XML_RPC: i64 = -32600;
/// A value that cannot be taken, or more than the limits allow.
const BAD_VALUE: i64 = -32602;
