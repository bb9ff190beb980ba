//! Tests that need more than one package, and tests of the workspace itself.
//!
//! - `journeys`: from a real runner to a commit, a page and a feed.
//! - `browser`: the site in a real browser.
//! - `interface`: the collector's interface for programs, against its own description.
//! - `collector`: a running collector and the clients of the original protocol.
//! - `faults`: faults on purpose, in their short form.
//! - `scratch_project`: `cargo xtask ci` in somebody else's project, as the README shows it.
//! - `runners`: real test runners, and what is stored of them.
//! - `test_ids`: one test under several runners and in several forms.
//! - `architecture`: who may depend on whom.
//! - `house_rules`: what clippy cannot check.
//!
//! A test of one program belongs into that program's own `tests/it`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod architecture;
mod archive;
mod browser;
mod collector;
mod faults;
mod git_hosts;
mod house_rules;
mod interface;
mod journeys;
mod programs;
mod runners;
mod scratch_project;
mod test_ids;
