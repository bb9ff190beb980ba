//! [`Session`]: from the first command to the submission.

use std::time::Instant;

use jiff::Timestamp;
use pony_formats::{Step, Submission, Value};

use crate::attachment::Attachment;
use crate::exit::Failure;
use crate::messages::Messages;
use crate::plan::SubmitPlan;
use crate::retry;
use crate::step;
use crate::submit;

/// When the commands of a submission began.
#[derive(Debug)]
pub(crate) struct Session {
    started: Timestamp,
    clock: Instant,
}

impl Session {
    /// Begins now.
    pub(crate) fn start() -> Self {
        Self { started: Timestamp::now(), clock: Instant::now() }
    }

    /// Submits the steps of the session and the files that go with them, with `started` and `duration` in `client_info`, and says where they
    /// are.
    pub(crate) fn submit(
        self,
        (steps, attachments): (Vec<Step>, Vec<Attachment>),
        success: bool,
        sanitised: bool,
        plan: SubmitPlan,
        messages: &Messages,
    ) -> Result<(), Failure> {
        let client_info = step::conclude(plan.client_info.clone(), success, sanitised)?;
        let duration = Value::Double(self.clock.elapsed().as_secs_f64());
        let client_info = step::with(client_info, "duration", duration)?;
        let started = format!("{:.3}", self.started);
        let client_info = step::with(client_info, "started", started)?;
        let submission = Submission { client_info, results_list: steps };
        let line = submit::deliver(submission, attachments, &plan, messages)?;
        messages.remark(&line);
        retry::catch_up(plan.spool.as_ref(), &plan.target, messages);
        Ok(())
    }
}
