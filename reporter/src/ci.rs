//! `pony-report ci`: the usual steps of a cargo project, in one submission.

mod project;

use std::ffi::OsString;

use pony_formats::{ClientInfo, Value};

use crate::execution::{self, Command};
use crate::exit::{self, Failure};
use crate::messages::Messages;
use crate::plan::CiPlan;
use crate::session::Session;
use crate::step;
use project::Project;

/// A step of every cargo project.
struct Task {
    name: &'static str,
    kind: &'static str,
    arguments: &'static [&'static str],
    /// Whether there is no point in going on when this fails.
    needed: bool,
}

/// In the order in which they run: what fails soonest comes first.
const TASKS: [Task; 4] = [
    Task { name: "fmt", kind: "build", arguments: &["fmt", "--all", "--check"], needed: false },
    Task {
        name: "clippy",
        kind: "build",
        arguments: &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"],
        needed: false,
    },
    Task {
        name: "build",
        kind: "build",
        arguments: &["build", "--workspace", "--all-targets"],
        needed: true,
    },
    Task {
        name: "test",
        kind: "test",
        arguments: &["test", "--workspace", "--no-fail-fast"],
        needed: true,
    },
];

/// Returns 0 when every step succeeded, and [`exit::STEP_FAILED`] when one did not. Both are reported. With
/// `--strict`, what could not be read or delivered changes a 0.
pub(crate) fn ci(plan: CiPlan, messages: &Messages) -> Result<i32, Failure> {
    let CiPlan { folder, mut submit } = plan;
    let strict = submit.strict;
    let project = Project::around(&folder)?;
    submit.client_info = describe(submit.client_info, &project)?;
    let session = Session::start();
    let (mut steps, mut attachments) = (Vec::new(), Vec::new());
    let (mut success, mut sanitised) = (true, false);
    let mut complaint = exit::OK;
    for task in &TASKS {
        let command = task.command();
        messages.remark(&format!("{}: {}", task.name, execution::command_line(&command.words)));
        let execution = execution::execute(command, steps.len(), &submit.reading, messages)?;
        let succeeded = execution.succeeded();
        success &= succeeded;
        sanitised |= execution.sanitised;
        complaint = execution.trouble.map_or(complaint, |failure| failure.exit_status());
        steps.push(execution.step);
        attachments.extend(execution.attachments);
        if !succeeded && task.needed {
            break;
        }
    }
    match session.submit((steps, attachments), success, sanitised, submit, messages) {
        Ok(()) => {}
        Err(failure) if strict && success => return Err(failure),
        Err(failure) => messages.warn(&failure),
    }
    Ok(match success {
        true if strict => complaint,
        true => exit::OK,
        false => exit::STEP_FAILED,
    })
}

impl Task {
    fn command(&self) -> Command {
        // Not the path in `CARGO`: what is stored should not tell where somebody's tools are.
        let words = std::iter::once(&"cargo").chain(self.arguments).map(OsString::from).collect();
        let (name, junit) = (Some(self.name.to_owned()), Vec::new());
        Command { words, name, kind: self.kind, junit, as_is: false }
    }
}

/// Adds what cargo says of the project.
fn describe(client_info: ClientInfo, project: &Project) -> Result<ClientInfo, Failure> {
    let mut client_info = client_info;
    for (key, text) in [("version", &project.version), ("rustc", &project.rustc)] {
        if let Some(text) = text {
            client_info = step::with(client_info, key, text.as_str())?;
        }
    }
    let targets = project.targets.iter().map(|target| Value::from(target.as_str()));
    step::with(client_info, "targets", Value::Array(targets.collect()))
}
