//! Black-box tests: results repositories in, files out.

mod build;
mod cli;
mod escaping;
mod links;
mod place;
mod sample;
