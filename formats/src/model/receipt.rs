//! [`Receipt`]: what the receiving side adds to a submission.

use super::ResultKey;
use crate::value::{Bag, Value};

/// The third bag of a triple.
#[derive(Debug, Clone, PartialEq)]
pub struct Receipt {
    /// The permanent name of the result.
    pub key: ResultKey,
    /// When the submission arrived, in UTC, by the receiver's clock. Milliseconds are kept.
    pub received: jiff::Timestamp,
    /// The authenticated name of the client, if it had one.
    pub client: Option<String>,
    /// The client's network address, kept only where the collector is configured to.
    pub client_ip: Option<String>,
    /// What was done to the submission on the way in, for example `sanitised`. Sorted, no repeats.
    pub flags: std::collections::BTreeSet<String>,
}

impl Receipt {
    /// The receipt as the original protocol knows it: `time` (seconds since 1970), `client_ip`
    /// and `result_key`, a string.
    pub fn to_wire(&self) -> Value {
        Value::Struct(Bag::from([
            ("time".to_owned(), Value::Double(self.received.as_millisecond() as f64 / 1000.0)),
            ("client_ip".to_owned(), Value::String(self.client_ip.clone().unwrap_or_default())),
            ("result_key".to_owned(), Value::String(self.key.to_string())),
        ]))
    }
}
