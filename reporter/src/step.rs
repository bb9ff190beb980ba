//! Steps from what was read, and what `client_info` says in the end.

use pony_formats::excerpt::Excerpt;
use pony_formats::{ClientInfo, Limits, Step, Suite, Value, captured};

use crate::attachment::{self, Attachment};
use crate::exit::Failure;
use crate::input::Input;

/// The step that an input becomes, and what was printed where that is longer than what is stored in a step.
pub(crate) fn of_input(
    input: Input,
    index: usize,
    limits: &Limits,
) -> Result<(Step, Vec<Attachment>), Failure> {
    let label = input.label().to_owned();
    let (log, whole_log) = match input.log {
        Some(log) => {
            let excerpt = Excerpt::of(&log, limits.stream_bytes_max);
            let whole = || attachment::file_of(&log);
            let (text, _, attachment) =
                attachment::conclude(excerpt, limits, index, "output", whole)
                    .map_err(Failure::Capture)?;
            (text, attachment)
        }
        None => (String::new(), None),
    };
    let report = input.report;
    let (streams, wholes) = with_suites([log, String::new()], index, &report.suites, limits)?;
    let attachments = whole_log.into_iter().chain(wholes).collect();
    Ok((report.into_step(&label, streams), attachments))
}

/// Output and error output of the step with this index, and behind them what was captured for whole suites.
/// Where that is not all there is, a line before each says whose it is. What is too long becomes a file.
pub(crate) fn with_suites(
    printed: [String; 2],
    index: usize,
    suites: &[Suite],
    limits: &Limits,
) -> Result<([String; 2], Vec<Attachment>), Failure> {
    let [output, errout] = printed;
    // Little enough for both streams, beside what a command printed, to fit into what a collector takes.
    let bytes_max = limits.stream_bytes_max / 2;
    let with_captured = |printed: String, name, stream| -> Result<_, Failure> {
        let captured = captured(suites, stream, printed.as_bytes().last().copied());
        let excerpt = Excerpt::of(captured.as_bytes(), bytes_max);
        let file = || attachment::file_of(captured.as_bytes());
        let concluded = attachment::conclude(excerpt, limits, index, name, file);
        let (text, _, attachment) = concluded.map_err(Failure::Capture)?;
        Ok((printed + &text, attachment))
    };
    let (output, whole_output) = with_captured(output, "suites-output", Suite::output)?;
    let (errout, whole_errout) = with_captured(errout, "suites-errout", Suite::errout)?;
    Ok(([output, errout], whole_output.into_iter().chain(whole_errout).collect()))
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
