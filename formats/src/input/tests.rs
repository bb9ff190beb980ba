//! Reading as an input comes.
