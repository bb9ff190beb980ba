//! The pure half of pony: bytes in, meaning out.
//!
//! - [`model`](Submission): the triple of `client_info`, `results_list` and receipt, and the test
//!   cases inside it. Start here.
//! - [`parse`] and [`read`]: readers of what test runners print or write, one module per format.
//! - [`output`]: writers for other tools.
//! - [`xmlrpc`]: the wire protocol of the original pony-build client.
//! - [`record`]: the stored form, the files that a result becomes in a results repository.
//! - [`excerpt`]: what is kept of a stream that is too long.
//! - [`names`]: names from outside as path components.
//!
//! This crate never reads a clock, a disk, the network or the environment, never panics on input and
//! never recurses on the depth of its input.

pub mod excerpt;
pub mod json;
pub mod names;
pub mod output;
pub mod record;
pub mod xmlrpc;

mod input;
mod limits;
mod model;
mod value;
mod xml;

pub use input::{
    CargoTarget, CargoTargets, Entry, Format, Oddities, Oddity, ParseError, Position, ReadError,
    Report, Summary, announced_executables, captured, detect, detect_text, dialect, looks_like,
    parse, parse_with, read,
};
pub use limits::Limits;
pub use model::{
    Attempt, ClientInfo, Evidence, ModelError, Outcome, Receipt, ResultKey, ResultKeyError, Step,
    StepStatus, Submission, SubmissionId, SubmissionIdError, Suite, Tagset, Tally, TestCase,
    TestResult,
};
pub use value::{Bag, Value};
