//! Steps from what was read, and what `client_info` says in the end.

use pony_formats::{ClientInfo, Report, Step, Value};

use pony_formats::Limits;
use pony_formats::excerpt::Excerpt;

use crate::attachment::{self, Attachment};
use crate::exit::Failure;
use crate::input::Input;

/// The step that an input becomes, and its log when that is longer than what is stored in a step. Its status is 1 when a test failed, else 0, since nobody knows
/// how the command that made it ended.
pub(crate) fn of_input(
    input: Input,
    index: usize,
    limits: &Limits,
) -> Result<(Step, Option<Attachment>), Failure> {
    let bad = input.report.tally().bad() > 0;
    let step = Step::default()
        .with("type", "test")
        .with("name", input.label())
        .with("status", i64::from(bad));
    let (step, attachment) = match input.log {
        Some(log) => {
            let excerpt = Excerpt::of(&log, limits.stream_bytes_max);
            let whole = || attachment::file_of(&log);
            let (text, _, attachment) =
                attachment::conclude(excerpt, index, "output", whole).map_err(Failure::Capture)?;
            (step.with("output", text), attachment)
        }
        None => (step, None),
    };
    Ok((with_report(step, input.report), attachment))
}

/// The step with the tests of a report.
pub(crate) fn with_report(step: Step, report: Report) -> Step {
    step.with_unnamed_tests(report.unnamed).with_tests(report.tests)
}

/// What could not be said before: whether it went well, and whether text had to be replaced.
pub(crate) fn conclude(
    client_info: ClientInfo,
    success: bool,
    sanitised: bool,
) -> Result<ClientInfo, Failure> {
    let client_info = with(client_info, "success", success)?;
    if sanitised { with(client_info, "sanitised", true) } else { Ok(client_info) }
}

/// Adds a key.
pub(crate) fn with(
    client_info: ClientInfo,
    key: &str,
    value: impl Into<Value>,
) -> Result<ClientInfo, Failure> {
    client_info.with(key, value).map_err(|error| Failure::Usage(error.to_string()))
}
