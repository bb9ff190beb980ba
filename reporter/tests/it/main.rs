//! Black-box tests of `pony-report`: the real binary in an environment of its own.
//!
//! - `world`: the environment, and a collector that answers what a test wants
//! - `run`: `pony-report run`
//! - `inputs`: `submit`, the plain pipe, `convert`, and what they refuse
//! - `runners`: runners that are asked for a report
//! - `secrets`: what must not be stored
//! - `manual`: completions and manual pages
//! - `suites`: what was captured for whole suites
//! - `validate`: `validate`, and what messages say an input looks like
//! - `hostile`: inputs that no reader should trust
//! - `git_host`: results that git pushes to a host
//! - `env`: what is known of the surroundings, and from where
//! - `delivery`: exit statuses by what the target does; the spool and `retry`

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod delivery;
mod env;
mod git_host;
mod hostile;
mod inputs;
mod manual;
#[cfg(unix)]
mod run;
#[cfg(unix)]
mod runners;
#[cfg(unix)]
mod secrets;
mod suites;
mod validate;
mod world;
