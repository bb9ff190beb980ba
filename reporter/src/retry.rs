//! `pony-report retry`: sends what is in the spool, the oldest first; or lists or deletes it.

use std::cell::RefCell;
use std::ops::ControlFlow;
use std::path::PathBuf;

use crate::delivery::{self, Shipment};
use crate::dispatch;
use crate::exit::{self, Failure};
use crate::messages::Messages;
use crate::plan::{RetryPlan, RetryTask};
use crate::spool::{Claimed, Spool};
use crate::target::Target;

/// What goes into one push, at most: entries, and their bytes. All of it is in memory at once.
const BATCH_MAX: usize = 200;
const BATCH_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// Does what was asked for with the spool. The exit status is that of the first failure.
pub(crate) fn retry(plan: &RetryPlan, messages: &Messages) -> Result<i32, Failure> {
    match &plan.task {
        RetryTask::Send => send_all(plan, messages),
        RetryTask::List => list(&plan.spool, messages),
        RetryTask::Discard(files) => discard(&plan.spool, files, messages),
    }
}

fn list(spool: &Spool, messages: &Messages) -> Result<i32, Failure> {
    for path in spool.entries()? {
        let Some(content) = spool.look(&path)? else { continue };
        let description = match content {
            Ok((parcel, target)) => {
                let package = parcel.submission.client_info.package();
                let tally = delivery::in_words(parcel.submission.tally());
                format!("{package}: {tally}; for {target}")
            }
            Err(reason) => format!("no submission: {reason}"),
        };
        messages.print(&format!("{}: {description}", path.display()));
    }
    Ok(exit::OK)
}

/// Deletes nothing but entries of the spool, and none that somebody is sending.
fn discard(spool: &Spool, files: &[PathBuf], messages: &Messages) -> Result<i32, Failure> {
    let entries = spool.entries()?;
    for file in files {
        let is_named =
            |entry: &&PathBuf| *entry == file || entry.file_name() == Some(file.as_os_str());
        let claimed = entries.iter().find(is_named).map(|path| spool.claim(path)).transpose()?;
        let entry = claimed.flatten().and_then(|claimed| claimed.shipment.entry);
        let Some(entry) = entry else {
            let file = file.display();
            let problem = format!(
                "--discard: {file} does not wait in the spool: `retry --list` shows what does"
            );
            return Err(Failure::Usage(problem));
        };
        entry.forget()?;
        messages.print(&format!("deleted {}", file.display()));
    }
    Ok(exit::OK)
}

/// Sends everything that nobody else is sending.
fn send_all(plan: &RetryPlan, messages: &Messages) -> Result<i32, Failure> {
    plan.spool.remove_leftovers();
    let paths = plan.spool.entries()?;
    if paths.is_empty() {
        messages.print("nothing to send");
    }
    let mut status = exit::OK;
    let unreachable: RefCell<Vec<Target>> = RefCell::default();
    let choose = |target| {
        let target = destination(target, plan)?;
        // Waiting for the same time-out again helps nobody.
        Ok((!unreachable.borrow().contains(&target)).then_some(target))
    };
    let tell = |target: Option<&Target>, outcome: Result<String, Failure>| {
        match outcome {
            Ok(line) => messages.print(&line),
            Err(failure) => {
                let later = target.filter(|_| failure.exit_status() == exit::TRY_LATER);
                if later.is_none_or(|target| !unreachable.borrow().contains(target)) {
                    messages.error(&failure);
                }
                unreachable.borrow_mut().extend(later.cloned());
                if status == exit::OK {
                    status = failure.exit_status();
                }
            }
        }
        ControlFlow::Continue(())
    };
    send_waiting(&plan.spool, &paths, choose, tell, messages);
    Ok(status)
}

/// Sends what waits for a target that has just taken a submission. Stops at the first that it does not
/// take.
pub(crate) fn catch_up(spool: Option<&Spool>, target: &Target, messages: &Messages) {
    let Some(spool) = spool else { return };
    let same =
        |other: Target| Ok(Some(other.with_credentials_of(target)).filter(|it| it == target));
    let tell = |_: Option<&Target>, outcome: Result<String, Failure>| match outcome {
        Ok(line) => {
            messages.remark(&line);
            ControlFlow::Continue(())
        }
        Err(failure) => {
            messages.warn(&failure);
            ControlFlow::Break(())
        }
    };
    send_waiting(spool, &spool.entries().unwrap_or_default(), same, tell, messages);
}

/// Entries on their way to one target.
struct Batch {
    target: Target,
    shipments: Vec<Shipment>,
    bytes: u64,
}

impl Batch {
    /// Whether nothing is gained by waiting for more: only git takes several at once.
    fn is_full(&self) -> bool {
        let is_git = matches!(self.target, Target::GitHost(_));
        !is_git || self.shipments.len() >= BATCH_MAX || self.bytes >= BATCH_BYTES_MAX
    }

    /// Hands all over, and says what has become of each.
    fn send(
        self,
        tell: &mut impl FnMut(Option<&Target>, Result<String, Failure>) -> ControlFlow<()>,
        messages: &Messages,
    ) -> ControlFlow<()> {
        let outcomes = dispatch::hand_over(self.shipments, &self.target, messages);
        outcomes.into_iter().try_for_each(|outcome| tell(Some(&self.target), outcome))
    }
}

/// Sends entries to the targets that `choose` makes of their own, if any, and tells `tell` what has become of
/// each. Ends early when that says so.
fn send_waiting(
    spool: &Spool,
    paths: &[PathBuf],
    choose: impl Fn(Target) -> Result<Option<Target>, Failure>,
    mut tell: impl FnMut(Option<&Target>, Result<String, Failure>) -> ControlFlow<()>,
    messages: &Messages,
) {
    let mut batches: Vec<Batch> = Vec::new();
    let mut send = || -> ControlFlow<()> {
        for path in paths {
            let claimed = match spool.claim(path) {
                Ok(claimed) => claimed,
                Err(error) => {
                    tell(None, Err(error.into()))?;
                    continue;
                }
            };
            let Some(Claimed { shipment, target }) = claimed else { continue };
            let target = match choose(target) {
                Ok(Some(target)) => target,
                Ok(None) => continue,
                Err(failure) => {
                    tell(None, Err(failure))?;
                    continue;
                }
            };
            let at = batches.iter().position(|batch| batch.target == target);
            let new = || Batch { target, shipments: Vec::new(), bytes: 0 };
            let mut batch = at.map_or_else(new, |at| batches.swap_remove(at));
            batch.shipments.push(shipment);
            batch.bytes += path.metadata().map_or(0, |metadata| metadata.len());
            if batch.is_full() {
                batch.send(&mut tell, messages)?;
            } else {
                batches.push(batch);
            }
        }
        batches.drain(..).try_for_each(|batch| batch.send(&mut tell, messages))
    };
    // Whoever breaks off has been told why.
    let _ = send();
}

/// Where an entry goes. Another repository may be named for all, but each goes to its own branch there.
fn destination(target: Target, plan: &RetryPlan) -> Result<Target, Failure> {
    match &plan.target {
        Some(named) if plan.to_own_branch => named
            .clone()
            .with_branch_of(&target)
            .map_err(|reason| Failure::Usage(format!("--repo: {reason}"))),
        Some(named) => Ok(named.clone()),
        None => Ok(plan.known.iter().fold(target, Target::with_credentials_of)),
    }
}
