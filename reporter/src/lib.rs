//! `pony-report`: turns what a test runner printed or wrote into a submission, and delivers it to
//! a collector or straight into a results repository.
//!
//! ```text
//! what was typed        cli        Args, as clap reads them
//! what is meant         plan       Plan: one type per verb, every default filled in
//! the verbs             run, ci, submit, convert, validate, retry, env
//! what came in          input      files and pipes, bounded; the format is guessed or given
//! whose tests           cargo      the targets of a cargo project, for the ids of its tests
//! who and where         identity   what was said, or else what origin finds: package, host, checkout, CI system
//! what must not go      redaction  secrets, taken out of what was printed
//! where it goes         target     a collector, a repository or a git host
//! how it gets there     dispatch   spool first, then delivery, then forget
//! what CI shows of it    job        summary and annotations on GitHub
//! how to use it         manual     completions for shells and manual pages
//! what went wrong       exit       one table from failures to exit statuses
//! ```
//!
//! There is no other interface than [`main`]: a program that wants to submit uses the collector's
//! protocol or `pony-store`.

mod attachment;
mod cargo;
mod ci;
mod cli;
mod convert;
mod delivery;
mod dispatch;
mod env;
mod execution;
mod exit;
mod identity;
mod input;
mod job;
mod manual;
mod messages;
mod origin;
mod parcel;
mod plan;
mod redaction;
mod retry;
mod run;
mod session;
mod spool;
mod step;
mod submit;
mod target;
mod validate;

use exit::Failure;
use messages::Messages;
use origin::Surroundings;
use plan::Plan;

/// Runs the command line of this process and returns the exit status.
///
/// 0 for success; the status of the command for `pony-report run`; otherwise one of sysexits.h:
///
/// | status | when |
/// | --- | --- |
/// | 1 | `ci`: a step failed |
/// | 3 | a results repository is damaged |
/// | 64 | the command line is wrong |
/// | 65 | an input is broken, too large or of no known format; a collector rejected the submission |
/// | 66 | an input or a repository cannot be opened |
/// | 73 | a repository or the spool cannot be created, or a git host has no place for a file |
/// | 74 | reading or writing failed |
/// | 75 | the collector cannot be reached, or the repository is locked: try later |
/// | 76 | what answered is no collector |
/// | 77 | the collector refuses the credentials |
/// | 78 | the configuration is wrong, or the repository is of a newer version |
/// | 126, 127 | `run`: the command cannot be executed, was not found |
/// | 128 + n | `run`: the command died of signal n |
pub fn main() -> i32 {
    let surroundings = Surroundings::of_this_process();
    let args = match cli::parse(std::env::args_os()) {
        Ok(args) => args,
        Err(error) => return cli::explain(&error),
    };
    let messages = Messages::new(args.is_quiet());
    match plan::plan(args, &surroundings).and_then(|plan| carry_out(plan, &messages)) {
        Ok(status) => status,
        Err(failure) => {
            messages.error(&failure);
            failure.exit_status()
        }
    }
}

fn carry_out(plan: Plan, messages: &Messages) -> Result<i32, Failure> {
    match plan {
        Plan::Help => Ok(cli::print_help()),
        Plan::Run(plan) => run::run(*plan, messages),
        Plan::Ci(plan) => ci::ci(*plan, messages),
        Plan::Submit(plan) => submit::submit(*plan, messages),
        Plan::Convert(plan) => convert::convert(&plan, messages),
        Plan::Validate(plan) => validate::validate(&plan, messages),
        Plan::Retry(plan) => retry::retry(&plan, messages),
        Plan::Env(plan) => env::env(&plan),
        Plan::Completions(shell) => manual::completions(shell),
        Plan::Man(verb) => manual::man(verb.as_deref()),
    }
}
