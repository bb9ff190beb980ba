//! Straight into a results repository, without a collector.

use std::path::Path;
use std::time::Duration;

use pony_formats::Value;
use pony_store::{Arrival, Prepared, Store};

use super::{Delivered, DeliveryError};
use crate::parcel::Parcel;

/// How long to wait for another writer: as long as a collector takes for a few large submissions.
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) fn append(parcel: &Parcel, path: &Path) -> Result<Delivered, DeliveryError> {
    let Parcel { id, submission } = parcel;
    let store = Store::open_or_create(path)?;
    let now = jiff::Timestamp::now();
    let mut arrival = Arrival { submission_id: Some(id.clone()), ..Arrival::at(now) };
    if submission.client_info.bag().get("sanitised") == Some(&Value::Bool(true)) {
        arrival.flags.insert("sanitised".to_owned());
    }
    // Before others have to wait for us.
    let prepared = Prepared::new(submission)?;
    let appended = store.writer(PATIENCE)?.append_prepared(&prepared, &arrival)?;
    let key = appended.receipt.key.to_string();
    Ok(Delivered { key, place: path.display().to_string() })
}
