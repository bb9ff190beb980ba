//! Straight into a results repository, without a collector.

use std::path::Path;
use std::time::Duration;

use pony_store::{Action, Artifact, Contents, Prepared, Store, StoreError};

use super::{Delivered, DeliveryError, arrival_of};
use crate::attachment::Attachment;
use crate::parcel::Parcel;

/// How long to wait for another writer: as long as a collector takes for a few large submissions.
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) fn append(
    parcel: &Parcel,
    attachments: &mut [Attachment],
    path: &Path,
) -> Result<Delivered, DeliveryError> {
    let store = Store::open_or_create(path)?;
    let arrival = arrival_of(parcel);
    // Before others have to wait for us.
    let prepared = Prepared::new(&parcel.submission)?;
    let mut writer = store.writer(PATIENCE)?;
    // Under the lock: to everybody else who has it, files that no result names are there by accident.
    let contents = Contents::of(path);
    let artifacts = attachments.iter_mut().map(|attachment| keep(&contents, attachment));
    let artifacts = artifacts.collect::<Result<Vec<_>, _>>()?;
    let prepared = prepared.with_artifacts(arrival.time, &artifacts)?;
    let appended = writer.append_prepared(&prepared, &arrival)?;
    let key = appended.receipt.key.to_string();
    Ok(Delivered { key, place: path.display().to_string(), complaints: Vec::new() })
}

/// Stores the content of a file beside git. Returns what git is to know of it.
fn keep(contents: &Contents, attachment: &mut Attachment) -> Result<Artifact, StoreError> {
    let (filename, description) = (attachment.name.clone(), attachment.description());
    let unreadable =
        |source| StoreError::Io { action: Action::Read, path: filename.clone().into(), source };
    let mut content = attachment.content().map_err(unreadable)?;
    let (size, sha256) = contents.store(&mut content)?;
    Ok(Artifact { filename, description, size, sha256, visible: true })
}
