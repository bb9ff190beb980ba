//! `pony-report convert`: shows what the readers make of inputs, and submits nothing.

use pony_formats::output::{write_ctrf, write_junit};
use pony_formats::{Report, Tally, Value, json};
use serde::Serialize;

use crate::cli::Output;
use crate::exit::{self, Failure};
use crate::input::{self, Input};
use crate::messages::{self, Messages};
use crate::plan::ConvertPlan;
use crate::step;

/// Converts all inputs.
pub(crate) fn convert(plan: &ConvertPlan, messages: &Messages) -> Result<i32, Failure> {
    match plan.to {
        Output::Tally => tally(plan, messages),
        Output::ResultsList => {
            let reading = &plan.reading;
            let steps = inputs(plan)?.into_iter().enumerate();
            let steps = steps.map(|(index, input)| step::of_input(input, index, reading));
            let steps = steps.collect::<Result<Vec<_>, _>>()?.into_iter().map(|(step, _)| step);
            let steps = steps.map(|step| Value::Struct(step.into_bag())).collect();
            write(json::to_text(&Value::Array(steps)).as_bytes())
        }
        Output::Junit => {
            let inputs = named_inputs(plan, messages)?;
            let parts = inputs.iter().map(|input| {
                let Report { tests, suites, .. } = &input.report;
                (input.label(), tests.as_slice(), suites.as_slice())
            });
            let mut document = Vec::new();
            write_junit(&mut document, "pony-report", parts).map_err(Failure::Output)?;
            write(&document)
        }
        Output::Ctrf => {
            let inputs = named_inputs(plan, messages)?;
            let tests = inputs.iter().flat_map(|input| &input.report.tests);
            // The format wants to know when the tests ran, and most inputs do not tell.
            let now = jiff::Timestamp::now();
            let mut document = Vec::new();
            write_ctrf(&mut document, tests, now, now).map_err(Failure::Output)?;
            document.push(b'\n');
            write(&document)
        }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("{0} tests have no name in the input and so are not in the document")]
struct Unnamed(u64);

/// For a document that has no place for tests without a name.
fn named_inputs(plan: &ConvertPlan, messages: &Messages) -> Result<Vec<Input>, Failure> {
    let inputs = inputs(plan)?;
    let unnamed: Tally = inputs.iter().map(|input| input.report.unnamed).sum();
    if unnamed.total > 0 {
        messages.warn(&Unnamed(unnamed.total));
    }
    Ok(inputs)
}

/// Every input must be readable: half a document helps nobody.
fn inputs(plan: &ConvertPlan) -> Result<Vec<Input>, Failure> {
    let inputs = plan.sources.iter().map(|source| input::read(source, &plan.reading));
    Ok(inputs.collect::<Result<_, _>>()?)
}

/// One line of `--to tally`.
#[derive(Serialize)]
struct Line {
    file: String,
    format: String,
    #[serde(flatten)]
    tally: Tally,
}

/// One input after the other. One that cannot be read is reported and does not keep the others
/// from being counted; the exit status is that of the first.
fn tally(plan: &ConvertPlan, messages: &Messages) -> Result<i32, Failure> {
    let mut status = exit::OK;
    for source in &plan.sources {
        let report = match input::read(source, &plan.reading) {
            Ok(input) => input.report,
            Err(error) => {
                messages.error(&error);
                if status == exit::OK {
                    status = Failure::from(error).exit_status();
                }
                continue;
            }
        };
        let line =
            Line { file: source.name(), format: report.format.to_string(), tally: report.tally() };
        let line = serde_json::to_string(&line).map_err(|error| Failure::Output(error.into()))?;
        write((line + "\n").as_bytes())?;
    }
    Ok(status)
}

fn write(text: &[u8]) -> Result<i32, Failure> {
    messages::write_out(text).map_err(Failure::Output)?;
    Ok(exit::OK)
}
