//! Black-box tests of the store, with git itself as the judge of what it wrote.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod annotations;
mod append;
mod archive;
mod attach;
mod batch;
mod changes;
mod crash;
mod create;
mod damage;
mod fixture;
mod growth;
mod index;
mod lock;
mod maintain;
mod many_packs;
mod partial_clone;
mod read;
mod strangers;
mod submissions;
mod verify;
