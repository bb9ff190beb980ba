//! Black-box tests of the readers.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test stops, and says what it did")]

mod corpus;
mod corpus_junit;
mod corpus_text;
