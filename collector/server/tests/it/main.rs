//! Drives the real `pony-collector` over real HTTP, against real git.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod api;
mod archive;
mod clients;
mod collector;
mod concurrency;
mod hostile;
mod http;
mod maintain;
mod methods;
mod pages;
mod restart;
mod submissions;
mod uploads;
mod verify;
