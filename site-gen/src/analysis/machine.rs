//! [`Machine`]: what one machine tests.

use std::collections::BTreeMap;

use super::{LineName, Recent};

/// All build lines of a host, whatever their package.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Machine {
    pub(crate) host: String,
    /// By package and line.
    pub(crate) lines: BTreeMap<(String, LineName), Recent>,
}
