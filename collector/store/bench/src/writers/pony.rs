//! Ours.

use std::path::Path;
use std::sync::mpsc::sync_channel;
use std::thread;

use pony_store::{Arrival, Prepared, Store, Writer};

use super::{BATCH, Item, Opened};
use crate::repository::SALT;
use crate::{Failure, data};

fn writer(repo: &Path) -> Result<Writer, Failure> {
    let writer = Store::open(repo)?.writer(Default::default())?;
    Ok(writer.reproducible(data::arrival(0)?, SALT))
}

/// In batches, from the files that the others are given too.
pub(super) fn from_files(repo: &Path) -> Opened {
    open(repo, |item| Ok(Prepared::of_files(&item.submission, &item.submitted)?), BATCH)
}

/// In batches, and nothing was done before.
pub(super) fn from_submissions(repo: &Path) -> Opened {
    open(repo, |item| Ok(Prepared::new(&item.submission)?), BATCH)
}

/// As a collector to which results come one after the other.
pub(super) fn one_at_a_time(repo: &Path) -> Opened {
    open(repo, |item| Ok(Prepared::new(&item.submission)?), 1)
}

/// A batch is prepared while the one before it is made durable, as on the threads of a collector.
fn open(repo: &Path, prepare: fn(&Item) -> Result<Prepared, Failure>, batch: usize) -> Opened {
    let mut writer = writer(repo)?;
    Ok(Box::new(move |items| {
        let prepare = move |items: &[Item]| {
            let batch = items.iter().map(|item| Ok((prepare(item)?, Arrival::at(item.time))));
            batch.collect::<Result<Vec<_>, Failure>>().map_err(|error| error.to_string())
        };
        thread::scope(|scope| {
            let (sender, batches) = sync_channel(1);
            scope.spawn(move || {
                // Nobody takes any more when writing has failed.
                items.chunks(batch).map(prepare).try_for_each(|batch| sender.send(batch))
            });
            for batch in batches {
                writer.append_all(&batch?).into_iter().collect::<Result<Vec<_>, _>>()?;
            }
            Ok(())
        })
    }))
}
