//! Tests that need more than one package, and tests of the workspace itself.
//!
//! - `journeys`: from a real runner to a commit, a page and a feed.
//! - `collector`: a running collector and the clients of the original protocol.
//! - `scratch_project`: `cargo xtask ci` in somebody else's project, as the README shows it.
//! - `architecture`: who may depend on whom.
//! - `house_rules`: what clippy cannot check.
//!
//! A test of one program belongs into that program's own `tests/it`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod architecture;
mod archive;
mod collector;
mod house_rules;
mod journeys;
mod programs;
mod scratch_project;
