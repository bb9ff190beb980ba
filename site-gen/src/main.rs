//! A shim.

fn main() {}
