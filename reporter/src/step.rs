//! Steps from what was read, and what `client_info` says in the end.

use pony_formats::{ClientInfo, Step, Suite, Value, captured};

use crate::attachment::{self, Attachment};
use crate::exit::Failure;
use crate::input::Input;
use crate::plan::Reading;

/// The step that an input becomes, and what was printed or captured where that is longer than what is stored in
/// a step.
pub(crate) fn of_input(
    input: Input,
    index: usize,
    reading: &Reading,
) -> Result<(Step, Vec<Attachment>), Failure> {
    let label = input.label().to_owned();
    let Input { report, log, .. } = input;
    let whole = |printed: Vec<u8>, name, stream| {
        let captured = captured(&report.suites, stream, printed.last().copied());
        let whole = [printed, captured.into_bytes()].concat();
        let mut excerpt = reading.redaction.excerpt(reading.limits.stream_bytes_max);
        excerpt.push(&whole);
        attachment::conclude(excerpt, reading, index, name, || attachment::file_of(&whole))
    };
    let (output, whole_output) = whole(log.unwrap_or_default(), "output", Suite::output)?;
    let (errout, whole_errout) = whole(Vec::new(), "errout", Suite::errout)?;
    let attachments = whole_output.into_iter().chain(whole_errout).collect();
    Ok((report.into_step(&label, [output, errout]), attachments))
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
