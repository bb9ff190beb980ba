//! Black-box tests of the readers and codecs.

mod corpus_text;
