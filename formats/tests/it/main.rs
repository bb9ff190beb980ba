//! Black-box tests of the readers.

mod corpus;
mod corpus_junit;
