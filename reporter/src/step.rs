//! Steps from what was read, and what `client_info` says in the end.

use pony_formats::{ClientInfo, Report, Step, Suite, Value};

use pony_formats::Limits;
use pony_formats::excerpt::Excerpt;

use crate::attachment::{self, Attachment};
use crate::exit::Failure;
use crate::input::Input;
use crate::messages::printable;

/// The step that an input becomes, and what was printed where that is longer than what is stored in a step.
/// Its status is 1 when a test failed, else 0, since nobody knows how the command that made it ended.
pub(crate) fn of_input(
    input: Input,
    index: usize,
    limits: &Limits,
) -> Result<(Step, Vec<Attachment>), Failure> {
    let bad = input.report.tally().bad() > 0;
    let step = Step::default()
        .with("type", "test")
        .with("name", input.label())
        .with("status", i64::from(bad));
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
    let Report { tests, suites, unnamed, .. } = input.report;
    let (texts, wholes) = with_suites([log, String::new()], index, &suites, limits)?;
    let [output, errout] = texts;
    let step = [("output", output), ("errout", errout)]
        .into_iter()
        .filter(|(_, text)| !text.is_empty())
        .fold(step, |step, (key, text)| step.with(key, text));
    let attachments = whole_log.into_iter().chain(wholes).collect();
    Ok((step.with_unnamed_tests(unnamed).with_tests(tests), attachments))
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
    let captured = |stream: fn(&Suite) -> Option<&String>| {
        let captured =
            suites.iter().filter_map(move |suite| Some((suite.name.as_str(), stream(suite)?)));
        captured.collect::<Vec<_>>()
    };
    let outputs = captured(|suite| suite.output.as_ref());
    let errouts = captured(|suite| suite.errout.as_ref());
    // Little enough for both streams, beside what a command printed, to fit into what a collector takes.
    let bytes_max = limits.stream_bytes_max / 2;
    let with_captured = |printed: String, name, captured: &_| -> Result<_, Failure> {
        let captured = in_one(&printed, captured);
        let excerpt = Excerpt::of(&captured, bytes_max);
        let file = || attachment::file_of(&captured);
        let concluded = attachment::conclude(excerpt, limits, index, name, file);
        let (text, _, attachment) = concluded.map_err(Failure::Capture)?;
        Ok((printed + &text, attachment))
    };
    let (output, whole_output) = with_captured(output, "suites-output", &outputs)?;
    let (errout, whole_errout) = with_captured(errout, "suites-errout", &errouts)?;
    Ok(([output, errout], whole_output.into_iter().chain(whole_errout).collect()))
}

/// What was captured for suites, as it stands behind what was printed.
fn in_one(printed: &str, captured: &[(&str, &String)]) -> Vec<u8> {
    let mut whole = Vec::new();
    let is_alone = printed.is_empty() && captured.len() == 1;
    let mut ends_a_line = printed.is_empty() || printed.ends_with('\n');
    for (name, text) in captured {
        if !is_alone {
            let end = if ends_a_line { "" } else { "\n" };
            let heading =
                format!("{end}[pony-report: captured for the suite `{}`]\n", printable(name));
            whole.extend_from_slice(heading.as_bytes());
        }
        whole.extend_from_slice(text.as_bytes());
        ends_a_line = text.ends_with('\n');
    }
    whole
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
