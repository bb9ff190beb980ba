//! Ours.

use std::path::Path;

use pony_store::{Arrival, Prepared, Store, Writer};

use super::{BATCH, Item};
use crate::repository::SALT;
use crate::{Failure, data};

fn writer(repo: &Path) -> Result<Writer, Failure> {
    let writer = Store::open(repo)?.writer(Default::default())?;
    Ok(writer.reproducible(data::arrival(0)?, SALT))
}

/// In batches, from the files that the others are given too.
pub(super) fn from_files(repo: &Path, items: &[Item]) -> Result<(), Failure> {
    append(repo, items, |item| {
        let mut files = item.files.clone();
        files.remove("receipt.json");
        Ok(Prepared::of_files(&item.submission, &files)?)
    })
}

/// In batches, and nothing was done before.
pub(super) fn from_submissions(repo: &Path, items: &[Item]) -> Result<(), Failure> {
    append(repo, items, |item| Ok(Prepared::new(&item.submission)?))
}

fn append(
    repo: &Path,
    items: &[Item],
    prepare: impl Fn(&Item) -> Result<Prepared, Failure>,
) -> Result<(), Failure> {
    let mut writer = writer(repo)?;
    for items in items.chunks(BATCH) {
        let batch = items.iter().map(|item| Ok((prepare(item)?, Arrival::at(item.time))));
        let batch = batch.collect::<Result<Vec<_>, Failure>>()?;
        writer.append_all(&batch).into_iter().collect::<Result<Vec<_>, _>>()?;
    }
    Ok(())
}

/// As a collector to which results come one after the other.
pub(super) fn one_at_a_time(repo: &Path, items: &[Item]) -> Result<(), Failure> {
    let mut writer = writer(repo)?;
    for item in items {
        writer.append(&item.submission, &Arrival::at(item.time))?;
    }
    Ok(())
}
