//! Black-box tests: results repositories in, files out.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod annotations;
mod build;
mod cli;
mod escaping;
mod gathered;
mod histories;
mod hostile;
mod links;
mod place;
mod random;
mod sample;
mod schemas;
