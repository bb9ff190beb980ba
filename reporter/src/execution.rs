//! [`execute`]: runs a command, shows what it prints, and makes a step of it.

mod capture;
mod child;
mod found;
mod glob;
mod junit_files;
mod runner;
mod weave;

use std::ffi::OsString;
use std::io::{self, IsTerminal as _};
use std::path::Path;

use pony_formats::{Step, Suite, Value, captured};

use crate::attachment::{self, Attachment};
use crate::exit::{self, Failure};
use crate::messages::{self, Messages};
use crate::plan::Reading;
use crate::redaction::CleanExcerpt;
use capture::Stream;
use child::Ended;
use found::Found;
use junit_files::JunitFiles;
use runner::Asked;

/// A command, and what becomes of it.
#[derive(Debug)]
pub(crate) struct Command {
    /// The program and its arguments; never empty.
    pub(crate) words: Vec<OsString>,
    /// `name` of the step; by default the program with its subcommand.
    pub(crate) name: Option<String>,
    /// `type` of the step. Tests are looked for only in a `test`.
    pub(crate) kind: &'static str,
    /// Paths and patterns of JUnit files that the command writes.
    pub(crate) junit: Vec<String>,
    /// Whether it is to be run exactly as it is.
    pub(crate) as_is: bool,
}

/// A command that was run.
#[derive(Debug)]
pub(crate) struct Execution {
    /// What a shell would say of the command.
    pub(crate) exit_status: i32,
    /// What is stored of it.
    pub(crate) step: Step,
    /// What it printed, where that is more than the step holds.
    pub(crate) attachments: Vec<Attachment>,
    /// Whether text had to be replaced.
    pub(crate) sanitised: bool,
    /// Whether results are missing that were promised.
    incomplete: bool,
    /// Why tests that should have been readable were not. The person has been warned.
    pub(crate) trouble: Option<Failure>,
}

impl Execution {
    /// Whether the command succeeded, and its results are there and have no test that failed.
    pub(crate) fn succeeded(&self) -> bool {
        self.exit_status == exit::OK && !self.incomplete && self.step.tally().bad() == 0
    }
}

/// Runs a command to its end, as the step with this index.
pub(crate) fn execute(
    command: Command,
    index: usize,
    reading: &Reading,
    messages: &Messages,
) -> Result<Execution, Failure> {
    let Command { words, name, kind, junit, as_is } = command;
    let asked = match kind {
        "test" if !as_is => {
            let is_named = !junit.is_empty() || !junit_files::named_in(&words).is_empty();
            let is_watched = io::stdout().is_terminal() && io::stderr().is_terminal();
            Asked::of(&words, is_named || reading.from.is_some(), is_watched)
        }
        _ => Asked::nothing_of(&words),
    };
    let files = JunitFiles::before(junit, &words, asked.writes);
    let ended = child::run(&asked.words, &asked.variables, reading)?;
    let Ended { status, duration, peak_memory, excerpts, mut transcripts } = ended;
    if let Some(reason) = status.start_error() {
        messages.error(&NotStarted { program: program(&words), reason: reason.to_owned() });
    }
    let report = asked.report();
    if asked.for_report() && report.is_none() && status.start_error().is_none() {
        messages.warn(&NoReport { program: program(&words) });
    }
    let found = match kind {
        "test" => Found::after(&mut transcripts, &files, report, reading),
        _ => Found::default(),
    };
    let trouble = found.trouble.map(Failure::from);
    let [stdout, stderr] = excerpts;
    let mut conclude = |mut excerpt: CleanExcerpt, name, stream, of_suite| {
        let captured = captured(&found.suites, of_suite, excerpt.last());
        excerpt.push(captured.as_bytes());
        let whole = || transcripts.whole(stream, captured.as_bytes());
        attachment::conclude(excerpt, reading, index, name, whole)
    };
    let (output, whole_output) = conclude(stdout, "output", Stream::Stdout, Suite::output)?;
    let (mut errout, whole_errout) = conclude(stderr, "errout", Stream::Stderr, Suite::errout)?;
    let peak_memory = peak_memory.and_then(|bytes| i64::try_from(bytes).ok());
    let sanitised = found.sanitised || output.replaced || errout.replaced;
    errout.text.push_str(status.start_error().unwrap_or_default());
    if let Some(failure) = &trouble {
        messages.warn(failure);
        if !errout.text.is_empty() && !errout.text.ends_with('\n') {
            errout.text.push('\n');
        }
        let mut complaint = format!("pony-report: {}\n", messages::chain(failure));
        reading.redaction.clean_text(&mut complaint);
        errout.text.push_str(&complaint);
    }
    let attachments = whole_output.into_iter().chain(whole_errout).collect();
    let step = Step::default()
        .with("type", kind)
        .with("name", name.unwrap_or_else(|| step_name(&words)))
        .with("command", command_line(&words))
        .with("status", status.step_status())
        .with_stream("output", output)
        .with_stream("errout", errout)
        .with("duration", Value::Double(duration.as_secs_f64()))
        .with_unnamed_tests(found.unnamed)
        .with_tests(found.tests);
    let step = match peak_memory {
        Some(bytes) => step.with("peak_memory", bytes),
        None => step,
    };
    let (exit_status, incomplete) = (status.exit_status(), found.incomplete);
    Ok(Execution { exit_status, step, attachments, sanitised, incomplete, trouble })
}

#[derive(Debug, thiserror::Error)]
#[error("cannot run {program}: {reason}")]
struct NotStarted {
    program: String,
    reason: String,
}

#[derive(Debug, thiserror::Error)]
#[error("{program} did not write the report that it was asked for, so what it printed is read")]
struct NoReport {
    program: String,
}

fn program(command: &[OsString]) -> String {
    command.first().map(|word| word.to_string_lossy().into_owned()).unwrap_or_default()
}

/// The program, with a subcommand if there is one: `cargo test`, `pytest`, `make check`.
fn step_name(command: &[OsString]) -> String {
    let program = program(command);
    let name = Path::new(&program).file_name().unwrap_or_default().to_string_lossy().into_owned();
    let plain = |word: &String| word.bytes().all(|byte| byte.is_ascii_lowercase());
    match command.get(1).map(|word| word.to_string_lossy().into_owned()).filter(plain) {
        Some(word) => format!("{name} {word}"),
        None => name,
    }
}

/// The command as a person would type it into a POSIX shell.
pub(crate) fn command_line(command: &[OsString]) -> String {
    let words: Vec<String> = command.iter().map(|word| quote(&word.to_string_lossy())).collect();
    words.join(" ")
}

fn quote(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./=:,@%+".contains(&byte);
    if !word.is_empty() && word.bytes().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Vec<OsString> {
        words.iter().map(OsString::from).collect()
    }

    #[test]
    fn a_command_line_can_be_pasted_into_a_shell() {
        let command = words(&["sh", "-c", "echo it's $HOME", ""]);
        assert_eq!(command_line(&command), r"sh -c 'echo it'\''s $HOME' ''");
    }

    #[test]
    fn a_step_is_named_after_its_program() {
        assert_eq!(step_name(&words(&["/usr/bin/cargo", "test", "--all"])), "cargo test");
        assert_eq!(step_name(&words(&["pytest", "-q"])), "pytest");
        assert_eq!(step_name(&words(&["nosetests"])), "nosetests");
        assert_eq!(step_name(&words(&["make", "-j2", "check"])), "make");
    }
}
