//! Steps from what was read, and what `client_info` says in the end.

use pony_formats::{ClientInfo, Report, Step, Suite, Value};

use crate::excerpt::Excerpt;
use crate::exit::Failure;
use crate::input::Input;
use crate::messages::printable;

/// Bytes that are kept at each end of what was captured for all suites of a step: little enough for both
/// streams, beside what a command printed, to fit into what a collector takes.
const SUITES_END_BYTES: usize = 1024 * 1024;

/// The step that an input becomes. Its status is 1 when a test failed, else 0, since nobody knows
/// how the command that made it ended.
pub(crate) fn of_input(input: Input) -> Step {
    let bad = input.report.tally().bad() > 0;
    let step = Step::default()
        .with("type", "test")
        .with("name", input.label())
        .with("status", i64::from(bad));
    let log = input.log.map(|log| Excerpt::of(&log).into_text().0);
    let Report { tests, suites, unnamed, .. } = input.report;
    let [output, errout] = with_suites([log.unwrap_or_default(), String::new()], &suites);
    let step = [("output", output), ("errout", errout)]
        .into_iter()
        .filter(|(_, text)| !text.is_empty())
        .fold(step, |step, (key, text)| step.with(key, text));
    step.with_unnamed_tests(unnamed).with_tests(tests)
}

/// Output and error output of a step, and behind them what was captured for whole suites. Where that is not
/// all there is, a line before each says whose it is.
pub(crate) fn with_suites(printed: [String; 2], suites: &[Suite]) -> [String; 2] {
    let [output, errout] = printed;
    let captured = |stream: fn(&Suite) -> Option<&String>| {
        let captured =
            suites.iter().filter_map(move |suite| Some((suite.name.as_str(), stream(suite)?)));
        captured.collect::<Vec<_>>()
    };
    let outputs = captured(|suite| suite.output.as_ref());
    let errouts = captured(|suite| suite.errout.as_ref());
    [with_captured(output, &outputs), with_captured(errout, &errouts)]
}

fn with_captured(printed: String, captured: &[(&str, &String)]) -> String {
    let mut excerpt = Excerpt::with_ends_of(SUITES_END_BYTES);
    let is_alone = printed.is_empty() && captured.len() == 1;
    let mut ends_a_line = printed.is_empty() || printed.ends_with('\n');
    for (name, text) in captured {
        if !is_alone {
            let end = if ends_a_line { "" } else { "\n" };
            let heading =
                format!("{end}[pony-report: captured for the suite `{}`]\n", printable(name));
            excerpt.push(heading.as_bytes());
        }
        excerpt.push(text.as_bytes());
        ends_a_line = text.ends_with('\n');
    }
    printed + &excerpt.into_text().0
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
