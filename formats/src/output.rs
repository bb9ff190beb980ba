//! Writers of stored results in formats that other tools read.

mod junit;

pub use junit::write_junit;
