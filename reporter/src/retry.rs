//! `pony-report retry`: sends what is in the spool, the oldest first.

use crate::dispatch;
use crate::exit::{self, Failure};
use crate::messages::Messages;
use crate::plan::RetryPlan;
use crate::target::Target;

/// Sends everything that nobody else is sending. The exit status is that of the first failure.
pub(crate) fn retry(plan: &RetryPlan, messages: &Messages) -> Result<i32, Failure> {
    let paths = plan.spool.entries()?;
    if paths.is_empty() {
        messages.print("nothing to send");
    }
    let mut status = exit::OK;
    let mut unreachable: Vec<Target> = Vec::new();
    for path in paths {
        let outcome = match plan.spool.claim(&path) {
            Ok(None) => continue,
            Ok(Some((entry, submission, target))) => {
                let target = destination(target, plan);
                if unreachable.contains(&target) {
                    continue;
                }
                let sent = dispatch::hand_over(&submission, &target, Some(entry), messages);
                if sent.as_ref().is_err_and(|failure| failure.exit_status() == exit::TRY_LATER) {
                    // Waiting for the same time-out again helps nobody.
                    unreachable.push(target);
                }
                sent
            }
            Err(error) => Err(error.into()),
        };
        match outcome {
            Ok(line) => messages.print(&line),
            Err(failure) => {
                messages.error(&failure);
                if status == exit::OK {
                    status = failure.exit_status();
                }
            }
        }
    }
    Ok(status)
}

fn destination(target: Target, plan: &RetryPlan) -> Target {
    match (&plan.target, target, &plan.known) {
        (Some(target), _, _) => target.clone(),
        (None, Target::Server(url), Some(known)) => Target::Server(url.with_credentials_of(known)),
        (None, target, _) => target,
    }
}
