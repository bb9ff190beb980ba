//! [`Suite`]: what a runner says of a suite besides its tests.

use crate::value::Bag;

/// What a test runner says of a suite besides its tests.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Suite {
    /// Its name, or that of the suite around it. Empty when there is none.
    pub name: String,
    /// Standard output that was captured for the suite as a whole.
    pub output: Option<String>,
    /// Standard error that was captured for the suite as a whole.
    pub errout: Option<String>,
    /// What the runner says of its surroundings. A property that comes twice is an array.
    pub properties: Bag,
}

impl Suite {
    /// Standard output that was captured for the suite as a whole.
    pub fn output(&self) -> Option<&str> {
        self.output.as_deref()
    }

    /// Standard error that was captured for the suite as a whole.
    pub fn errout(&self) -> Option<&str> {
        self.errout.as_deref()
    }

    /// Whether there is nothing to say.
    pub fn is_plain(&self) -> bool {
        self.output.is_none() && self.errout.is_none() && self.properties.is_empty()
    }
}
