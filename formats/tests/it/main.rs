//! Black-box tests of the readers and codecs.

mod corpus;
mod corpus_junit;
mod corpus_text;
