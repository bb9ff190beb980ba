//! Faults on purpose: the proof that nothing acknowledged is ever lost, and that a restart needs nobody's
//! help. `pony-faults` runs all of it; `it/faults.rs` runs a short form with `cargo test`.
//!
//! - [`sweep`]: one fault at every system call of one submission.
//! - [`power_cut`]: states that a disk may be in after a power cut, built from a recorded run.
//! - [`kills`]: `kill -9` again and again beneath eight clients.
//! - [`beside_git`]: git's own maintenance, clones and pushes while results arrive.
//! - [`pushes`]: jobs that push to one git host at once, while the network is cut.
//! - [`full_disk`] and [`clock`]: no room left; a clock that jumps.
//!
//! They share [`place`] (the programs, and folders to try them in), [`collector`] (a running one, and its
//! clients), [`git_server`] and [`proxy`] (git hosts, and the network before them), [`load`] (those clients at work), [`strace`] (what a process asked the system for), [`census`] (what a repository holds) and
//! [`report`] (the table).

pub mod beside_git;
pub mod census;
pub mod clock;
pub mod collector;
pub mod full_disk;
pub mod git_server;
pub mod kills;
pub mod load;
pub mod place;
pub mod power_cut;
pub mod proxy;
pub mod pushes;
pub mod report;
pub mod strace;
pub mod sweep;
