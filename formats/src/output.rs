//! Writers of stored results in formats that other tools read.

mod ctrf;
mod junit;

pub use ctrf::write_ctrf;
pub use junit::write_junit;
