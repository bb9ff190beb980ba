//! Writers of stored results in formats that other tools read.

mod ctrf;

pub use ctrf::write_ctrf;
