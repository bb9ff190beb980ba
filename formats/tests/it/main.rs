//! Black-box tests of the readers.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a test stops, says what it did, and unlike the package may read files"
)]

mod corpus;
mod corpus_ids;
mod corpus_junit;
mod corpus_libtest;
mod corpus_text;
mod expat;
mod found_inputs;
mod hostile;
mod oddities;
