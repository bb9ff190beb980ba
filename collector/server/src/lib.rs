//! Accepts test results over XML-RPC, commits them to a git repository and shows them as a site.
//!
//! - `router`: every address, on one screen. Start here.
//! - `rpc`: the five methods of the original protocol.
//! - `coordinator`: its rules, without clock, disk or network.
//! - `collector`: what all requests share.
//! - `api`: the same for whatever speaks HTTP and JSON.
//! - `access`, `registry`: who may submit.
//! - `shorten`: output that is too long to be stored in a result.
//! - `upload`, `site`: files that belong to a result, and everything a browser asks for.
//! - `serve`, `listener`, `body`: starting, connections, and reading what clients send.
//! - `seats`, `stall`: how many connections one client may have, and how long it may do nothing.
//! - `maintain`: making the repository smaller, on request and behind the answers.
//! - `archive`: moving old results into another repository.
//! - `verify`: checks a repository.
//! - `client`: adds and revokes clients.
//! - `durable`: names that survive a power cut.

mod access;
mod api;
mod archive;
mod auth_key;
mod body;
mod cli;
mod client;
mod collector;
mod coordinator;
mod durable;
mod failure;
mod listener;
mod maintain;
mod refresher;
mod registry;
mod router;
mod rpc;
mod seats;
mod serve;
mod shorten;
mod site;
mod stall;
mod upload;
mod verify;

pub use cli::run;
