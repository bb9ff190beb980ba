//! `pony-report run`: runs a command, shows what it prints, and submits what it tested.

use crate::execution::{self, Execution};
use crate::exit::{self, Failure};
use crate::messages::Messages;
use crate::plan::RunPlan;
use crate::session::Session;

/// Returns the status of the command, unless that was 0 and `--strict` asks for more.
pub(crate) fn run(plan: RunPlan, messages: &Messages) -> Result<i32, Failure> {
    let RunPlan { command, submit } = plan;
    let strict = submit.strict;
    let session = Session::start();
    let execution = execution::execute(command, 0, &submit.reading, messages)?;
    let success = execution.succeeded();
    let Execution { exit_status: status, step, attachments, sanitised, trouble, .. } = execution;
    let steps = (vec![step], attachments);
    let complaint = match session.submit(steps, success, sanitised, submit, messages) {
        Ok(()) => trouble.map_or(exit::OK, |failure| failure.exit_status()),
        Err(failure) if strict && status == exit::OK => return Err(failure),
        Err(failure) => {
            messages.warn(&failure);
            exit::OK
        }
    };
    Ok(if strict && status == exit::OK { complaint } else { status })
}
