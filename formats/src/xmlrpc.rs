//! XML-RPC (<http://xmlrpc.com/spec.md>) as the original pony-build client speaks it.

use crate::limits::Limits;
use crate::value::Value;

/// A call that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// The method's name.
    pub method: String,
    /// Its positional arguments.
    pub params: Vec<Value>,
    /// Whether bytes that are not UTF-8 had to be replaced.
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
    /// The fault code that answers it: -32700 not well-formed, -32600 not XML-RPC,
    /// -32602 a value that cannot be taken.
    pub code: i64,
}

/// Reads a `methodCall`.
///
/// # Errors
/// When the document is not well-formed, not XML-RPC or beyond the limits.
pub fn read_call(_body: &[u8], _limits: &Limits) -> Result<Call, WireError> {
    Err(missing())
}

/// Reads a `methodResponse`.
///
/// # Errors
/// When the document is not well-formed, not XML-RPC or beyond the limits.
pub fn read_response(_body: &[u8], _limits: &Limits) -> Result<Response, WireError> {
    Err(missing())
}

/// Writes a `methodResponse` that returns `value`. Always well-formed: characters that XML
/// forbids become U+FFFD.
pub fn write_response(_value: &Value) -> String {
    String::new()
}

/// Writes a `methodResponse` with a fault.
pub fn write_fault(_fault: &Fault) -> String {
    String::new()
}

fn missing() -> WireError {
    let position = crate::Position { line: 1, column: 1 };
    WireError { position, message: "not written yet".to_owned(), code: -32600 }
}
