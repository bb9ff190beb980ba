//! `pony-report submit`: inputs into steps, the steps into one submission.

use pony_formats::{Submission, Tally};

use crate::attachment::Attachment;
use crate::dispatch;
use crate::exit::{self, Failure};
use crate::input;
use crate::messages::Messages;
use crate::plan::SubmitPlan;
use crate::retry;
use crate::step;

/// Nothing is sent unless every input can be read.
pub(crate) fn submit(plan: SubmitPlan, messages: &Messages) -> Result<i32, Failure> {
    let (mut steps, mut attachments) = (Vec::new(), Vec::new());
    let mut sanitised = false;
    for source in &plan.sources {
        let input = input::read(source, &plan.reading)?;
        sanitised |= input.report.sanitised;
        let (step, files) = step::of_input(input, steps.len(), &plan.reading)?;
        steps.push(step);
        attachments.extend(files);
    }
    let tally: Tally = steps.iter().map(pony_formats::Step::tally).sum();
    let client_info = step::conclude(plan.client_info.clone(), tally.bad() == 0, sanitised)?;
    let submission = Submission { client_info, results_list: steps };
    match deliver(submission, attachments, &plan, messages) {
        Ok(line) => {
            messages.print(&line);
            retry::catch_up(plan.spool.as_ref(), &plan.target, messages);
        }
        Err(failure) if failure.may_pass() && !plan.strict => messages.warn(&failure),
        Err(failure) => return Err(failure),
    }
    Ok(exit::OK)
}

/// Sends a submission without secrets, and shows it where CI shows things. Returns the line that says where it is.
pub(crate) fn deliver(
    submission: Submission,
    attachments: Vec<Attachment>,
    plan: &SubmitPlan,
    messages: &Messages,
) -> Result<String, Failure> {
    let submission = plan.reading.redaction.apply(submission);
    let shown = plan.job.as_ref().map(|job| (job, job.show(&submission)));
    let sent = dispatch::send(submission, attachments, &plan.target, plan.spool.as_ref(), messages);
    if let Some((job, show)) = shown {
        job.publish(show, &sent, messages);
    }
    sent
}
