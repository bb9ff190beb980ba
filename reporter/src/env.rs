//! `pony-report env`: what was found out about this machine and this run, and where.

use serde::Serialize;

use crate::cli::TextOrJson;
use crate::exit::{self, Failure};
use crate::messages::{self, printable};
use crate::origin::Fact;
use crate::plan::EnvPlan;

/// One line of `--output json`.
#[derive(Serialize)]
struct Line<'a> {
    key: &'a str,
    value: serde_json::Value,
    from: &'a str,
}

/// Prints a line for each fact. Sends nothing.
pub(crate) fn env(plan: &EnvPlan) -> Result<i32, Failure> {
    let identity = &plan.identity;
    let mut facts =
        vec![("package", &identity.package), ("host", &identity.host), ("arch", &identity.arch)];
    facts.extend(identity.tags.iter().map(|tag| ("tag", tag)));
    facts.extend(identity.facts.iter().map(|(key, fact)| (*key, fact)));
    facts.push(("target", &plan.target));
    facts.extend(plan.spool.iter().map(|spool| ("spool", spool)));
    let text = match plan.output {
        TextOrJson::Text => lines(&facts),
        TextOrJson::Json => json(&facts)?,
    };
    messages::write_out(text.as_bytes()).map_err(Failure::Output)?;
    Ok(exit::OK)
}

/// Columns as wide as they have to be, up to a point.
fn lines(facts: &[(&str, &Fact)]) -> String {
    const WIDTH_MAX: usize = 48;
    let shown = |fact: &Fact| {
        let value = pony_formats::json::to_json(&fact.value);
        printable(value.as_str().map_or_else(|| value.to_string(), str::to_owned).as_str())
    };
    let widths = facts.iter().map(|(_, fact)| shown(fact).chars().count());
    let width = widths.filter(|width| *width <= WIDTH_MAX).max().unwrap_or(0);
    let line = |(key, fact): &(&str, &Fact)| {
        format!("{key:<14}  {:<width$}  {}\n", shown(fact), printable(&fact.from))
    };
    facts.iter().map(line).collect()
}

fn json(facts: &[(&str, &Fact)]) -> Result<String, Failure> {
    let line = |(key, fact): &(&str, &Fact)| {
        let value = pony_formats::json::to_json(&fact.value);
        let line = serde_json::to_string(&Line { key, value, from: &fact.from });
        line.map(|line| line + "\n").map_err(|error| Failure::Output(error.into()))
    };
    facts.iter().map(line).collect()
}
