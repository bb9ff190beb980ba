//! Straight into a results repository, without a collector.

use std::path::Path;
use std::time::Duration;

use pony_formats::{Submission, Value};
use pony_store::{Arrival, Prepared, Store};

use super::{Delivered, DeliveryError};

/// How long to wait for another writer: as long as a collector takes for a few large submissions.
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) fn append(submission: &Submission, path: &Path) -> Result<Delivered, DeliveryError> {
    let store = Store::open_or_create(path)?;
    let mut arrival = Arrival::at(jiff::Timestamp::now());
    if submission.client_info.bag().get("sanitised") == Some(&Value::Bool(true)) {
        arrival.flags.insert("sanitised".to_owned());
    }
    // Before others have to wait for us.
    let prepared = Prepared::new(submission)?;
    let appended = store.writer(PATIENCE)?.append_prepared(&prepared, &arrival)?;
    let key = appended.receipt.key.to_string();
    Ok(Delivered { key, place: path.display().to_string() })
}
