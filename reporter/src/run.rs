//! `pony-report run`: runs a command, shows what it prints, and submits what it tested.

mod capture;
mod child;
mod glob;
mod junit_files;
mod weave;

use std::ffi::OsString;
use std::path::Path;

use pony_formats::{Report, Step, Submission, Tally, TestCase, Value};

use crate::dispatch;
use crate::exit::{self, Failure};
use crate::input::{self, InputError};
use crate::messages::Messages;
use crate::plan::{RunPlan, SubmitPlan};
use crate::retry;
use crate::step;
use capture::Transcripts;
use child::Ended;
use junit_files::JunitFiles;

/// Returns the status of the command, unless that was 0 and `--strict` asks for more.
pub(crate) fn run(plan: RunPlan, messages: &Messages) -> Result<i32, Failure> {
    let RunPlan { command, junit, strict, submit } = plan;
    let files = JunitFiles::before(junit, &command);
    let started = jiff::Timestamp::now().as_millisecond();
    let ended = child::run(&command, submit.reading.limits.input_bytes_max)?;
    let status = ended.status.exit_status();
    if let Some(reason) = ended.status.start_error() {
        messages.error(&NotStarted { program: program(&command), reason: reason.to_owned() });
    }
    let complaint = match report(&command, ended, &files, started, submit, messages) {
        Ok(complaint) => complaint,
        Err(failure) if strict && status == exit::OK => return Err(failure),
        Err(failure) => {
            messages.warn(&failure);
            exit::OK
        }
    };
    Ok(if strict && status == exit::OK { complaint } else { status })
}

#[derive(Debug, thiserror::Error)]
#[error("cannot run {program}: {reason}")]
struct NotStarted {
    program: String,
    reason: String,
}

/// Submits the run. Tests that cannot be read do not keep the run from being submitted, but the person
/// is warned, and the exit status that fits is returned.
fn report(
    command: &[OsString],
    ended: Ended,
    files: &JunitFiles,
    started: i64,
    plan: SubmitPlan,
    messages: &Messages,
) -> Result<i32, Failure> {
    let Ended { status, duration, excerpts: [output, errout], transcripts } = ended;
    let found = Found::after(transcripts, files, &plan);
    let complaint = found.trouble.map(Failure::from);
    if let Some(failure) = &complaint {
        messages.warn(failure);
    }
    let ((output, replaced_out), (errout, replaced_err)) = (output.into_text(), errout.into_text());
    let errout = errout + status.start_error().unwrap_or_default();
    let step = Step::default()
        .with("type", "test")
        .with("name", step_name(command))
        .with("command", command_line(command))
        .with("status", status.step_status())
        .with("output", output)
        .with("errout", errout)
        .with("duration", duration.as_secs_f64())
        .with_unnamed_tests(found.unnamed)
        .with_tests(found.tests);
    let success = status.exit_status() == exit::OK && step.tally().bad() == 0;
    let sanitised = found.sanitised || replaced_out || replaced_err;
    let client_info = step::conclude(plan.client_info, success, sanitised)?;
    let client_info = step::with(client_info, "duration", Value::Double(duration.as_secs_f64()))?;
    let client_info = match jiff::Timestamp::from_millisecond(started) {
        Ok(time) => step::with(client_info, "started", time.to_string())?,
        Err(_) => client_info,
    };
    let submission = Submission { client_info, results_list: vec![step] };
    let line = dispatch::send(&submission, &plan.target, plan.spool.as_ref(), messages)?;
    messages.remark(&line);
    retry::catch_up(plan.spool.as_ref(), &plan.target, messages);
    Ok(complaint.map_or(exit::OK, |failure| failure.exit_status()))
}

/// The tests of a run.
#[derive(Debug, Default)]
struct Found {
    tests: Vec<TestCase>,
    unnamed: Tally,
    sanitised: bool,
    /// The first thing that should have been readable and was not.
    trouble: Option<InputError>,
}

impl Found {
    /// What the JUnit files say; without any, what the command printed.
    fn after(transcripts: Transcripts, files: &JunitFiles, plan: &SubmitPlan) -> Self {
        let mut found = Self::default();
        let (sources, missing) = files.written();
        found.trouble = missing;
        let mut reports = 0;
        for source in sources {
            match input::read(&source, &plan.reading) {
                Ok(input) => {
                    found.add(input.report);
                    reports += 1;
                }
                Err(error) => found.trouble = found.trouble.or(Some(error)),
            }
        }
        if reports == 0 {
            match printed(transcripts, plan) {
                Ok(Some(report)) => found.add(report),
                Ok(None) => {}
                Err(error) => found.trouble = found.trouble.or(Some(error)),
            }
        }
        found
    }

    fn add(&mut self, report: Report) {
        self.unnamed += report.unnamed;
        self.sanitised |= report.sanitised;
        self.tests.extend(report.tests);
    }
}

/// Reads the streams together, then standard output alone. That a command prints no tests is fine,
/// unless a format was named.
fn printed(transcripts: Transcripts, plan: &SubmitPlan) -> Result<Option<Report>, InputError> {
    let name = input::PRINTED;
    if transcripts.is_cut() {
        let max = plan.reading.limits.input_bytes_max;
        return Err(InputError::TooLarge { name: name.to_owned(), max });
    }
    let unreadable = |source| InputError::Unreadable { name: name.to_owned(), source };
    let (combined, stdout) = transcripts.into_texts().map_err(unreadable)?;
    let together = input::read_printed(&combined, &plan.reading);
    if let Ok(report) = together {
        return Ok(Some(report));
    }
    let alone = input::read_printed(&stdout, &plan.reading);
    match (alone, together) {
        (Ok(report), _) => Ok(Some(report)),
        (Err(InputError::UnknownFormat { .. }), Err(InputError::UnknownFormat { .. })) => Ok(None),
        (Err(InputError::UnknownFormat { .. }), Err(error)) | (Err(error), _) => Err(error),
    }
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
fn command_line(command: &[OsString]) -> String {
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
