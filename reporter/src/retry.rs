//! `pony-report retry`: sends what is in the spool, the oldest first; or lists or deletes it.

use std::path::{Path, PathBuf};

use crate::delivery;
use crate::dispatch;
use crate::exit::{self, Failure};
use crate::messages::Messages;
use crate::plan::{RetryPlan, RetryTask};
use crate::spool::{Claimed, Spool};
use crate::target::Target;

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
        let Some(Claimed { entry, .. }) = claimed.flatten() else {
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
    let mut unreachable: Vec<Target> = Vec::new();
    for path in paths {
        let mut tried = None;
        let destination = |target| {
            let target = destination(target, plan);
            // Waiting for the same time-out again helps nobody.
            tried = (!unreachable.contains(&target)).then_some(target);
            tried.clone()
        };
        match send(&plan.spool, &path, destination, messages) {
            Ok(None) => {}
            Ok(Some(line)) => messages.print(&line),
            Err(failure) => {
                messages.error(&failure);
                if status == exit::OK {
                    status = failure.exit_status();
                }
                let later = failure.exit_status() == exit::TRY_LATER;
                unreachable.extend(tried.filter(|_| later));
            }
        }
    }
    Ok(status)
}

/// Sends what waits for a target that has just taken a submission. Stops at the first that it does not
/// take.
pub(crate) fn catch_up(spool: Option<&Spool>, target: &Target, messages: &Messages) {
    let Some(spool) = spool else { return };
    let same = |other: Target| Some(other.with_credentials_of(target)).filter(|it| it == target);
    for path in spool.entries().unwrap_or_default() {
        match send(spool, &path, same, messages) {
            Ok(None) => {}
            Ok(Some(line)) => messages.remark(&line),
            Err(failure) => return messages.warn(&failure),
        }
    }
}

/// Sends one entry to the target that `destination` makes of its own, if any. Returns the line that
/// says where it is.
fn send(
    spool: &Spool,
    path: &Path,
    destination: impl FnOnce(Target) -> Option<Target>,
    messages: &Messages,
) -> Result<Option<String>, Failure> {
    let Some(claimed) = spool.claim(path)? else { return Ok(None) };
    let Claimed { entry, parcel, mut attachments, target } = claimed;
    match destination(target) {
        None => Ok(None),
        Some(target) => {
            dispatch::hand_over(&parcel, &mut attachments, &target, Some(entry), messages).map(Some)
        }
    }
}

fn destination(target: Target, plan: &RetryPlan) -> Target {
    match (&plan.target, &plan.known) {
        (Some(target), _) => target.clone(),
        (None, Some(known)) => target.with_credentials_of(known),
        (None, None) => target,
    }
}
