//! Tests that need more than one package, and tests of the workspace itself.
//!
//! - `architecture`: who may depend on whom.
//! - `house_rules`: what clippy cannot check.
//!
//! A test of one program belongs into that program's own `tests/it`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod architecture;
mod house_rules;
