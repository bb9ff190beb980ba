//! Steps from what was read, and what `client_info` says in the end.

use pony_formats::{ClientInfo, Report, Step, Value};

use crate::excerpt::Excerpt;
use crate::exit::Failure;
use crate::input::Input;

/// The step that an input becomes. Its status is 1 when a test failed, else 0, since nobody knows
/// how the command that made it ended.
pub(crate) fn of_input(input: Input) -> Step {
    let bad = input.report.tally().bad() > 0;
    let step = Step::default()
        .with("type", "test")
        .with("name", input.label())
        .with("status", i64::from(bad));
    let step = match input.log {
        Some(log) => step.with("output", Excerpt::of(&log).into_text().0),
        None => step,
    };
    with_report(step, input.report)
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
