//! [`Receipt`]: what the receiving side adds to a submission.

use super::{ResultKey, SubmissionId};
use crate::value::{Bag, Value};

/// The third bag of a triple.
#[derive(Debug, Clone, PartialEq)]
pub struct Receipt {
    /// The permanent name of the result.
    pub key: ResultKey,
    /// The number by which clients of the original protocol know the result: they cannot send
    /// integers beyond 32 bits, so they cannot name it by its key. Rises with every submission to one
    /// collector; `None` for a result that came without a collector.
    pub number: Option<u32>,
    /// When the submission arrived, in UTC, by the receiver's clock. Milliseconds are kept.
    pub received: jiff::Timestamp,
    /// What the client calls the submission, if it does.
    pub submission_id: Option<SubmissionId>,
    /// What was sent, where less than that is stored: the name (hex) that git would give to the folder of all of
    /// it. So a submission that arrives again is recognised.
    pub sent: Option<String>,
    /// The authenticated name of the client, if it had one.
    pub client: Option<String>,
    /// The client's network address, kept only where the collector is configured to.
    pub client_ip: Option<String>,
    /// What was done to the submission on the way in, for example `sanitised`. Sorted, no repeats.
    pub flags: std::collections::BTreeSet<String>,
}

impl Receipt {
    /// The receipt as the original protocol knows it: `time` (seconds since 1970), `client_ip`
    /// and `result_key`, the number (or else the key) as a string.
    pub fn to_wire(&self) -> Value {
        let result_key = match self.number {
            Some(number) => number.to_string(),
            None => self.key.to_string(),
        };
        Value::Struct(Bag::from([
            ("time".to_owned(), Value::Double(self.received.as_millisecond() as f64 / 1000.0)),
            ("client_ip".to_owned(), Value::String(self.client_ip.clone().unwrap_or_default())),
            ("result_key".to_owned(), Value::String(result_key)),
        ]))
    }
}
