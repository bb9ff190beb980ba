//! `pony-report validate`: says whether inputs can be read, as what, and what is odd about them.

use pony_formats::{Format, Oddity, Report, Tally, dialect};
use serde::Serialize;

use crate::cli::TextOrJson;
use crate::delivery::in_words;
use crate::exit::{self, Failure};
use crate::input;
use crate::messages::{self, Messages, printable};
use crate::plan::ValidatePlan;

/// Looks at all inputs. The exit status is the highest of those that each would have alone.
pub(crate) fn validate(plan: &ValidatePlan, messages: &Messages) -> Result<i32, Failure> {
    let mut status = exit::OK;
    for source in &plan.sources {
        let name = source.name();
        let finding = match input::examine(source, &plan.reading) {
            Ok((content, report)) => Finding::accepted(name, &content, report),
            Err(error) => {
                messages.error(&error);
                let error_text = messages::chain(&error);
                let failure = Failure::from(error);
                status = status.max(failure.exit_status());
                Finding { file: name, reading: Err(error_text), status: failure.exit_status() }
            }
        };
        let text = match plan.output {
            TextOrJson::Text => finding.text(),
            TextOrJson::Json => finding.json()?,
        };
        messages::write_out(text.as_bytes()).map_err(Failure::Output)?;
    }
    Ok(status)
}

/// What there is to say about one input.
struct Finding {
    file: String,
    status: i32,
    reading: Result<Accepted, String>,
}

/// An input that `submit` would take.
struct Accepted {
    dialect: Option<&'static str>,
    report: Report,
}

impl Finding {
    fn accepted(file: String, content: &[u8], report: Report) -> Self {
        let dialect = (report.format == Format::Junit).then(|| dialect(content)).flatten();
        Self { file, status: exit::OK, reading: Ok(Accepted { dialect, report }) }
    }

    /// Nothing for what was refused: that is on standard error.
    fn text(&self) -> String {
        let Ok(Accepted { dialect, report }) = &self.reading else { return String::new() };
        let file = printable(&self.file);
        let dialect = dialect.map(|name| format!(", dialect: looks like {name}"));
        let mut text = format!("{file}: {}{}\n", report.format, dialect.unwrap_or_default());
        let tally = report.tally();
        let unnamed = match report.unnamed.total {
            0 => String::new(),
            unnamed => format!(" ({unnamed} without a name)"),
        };
        text += &format!("  {}: {}{unnamed}\n", counted(tally.total, "test"), in_words(tally));
        let oddities = report.oddities.first();
        for Oddity { position, message } in oddities {
            let (line, column) = (position.line, position.column);
            text += &format!("{file}:{line}:{column}: note: {}\n", printable(message));
        }
        let rest = report.oddities.total().saturating_sub(oddities.len() as u64);
        if rest > 0 {
            text += &format!("{file}: {} not shown\n", counted(rest, "more note"));
        }
        text
    }

    fn json(&self) -> Result<String, Failure> {
        let accepted = self.reading.as_ref().ok();
        let line = Line {
            file: &self.file,
            status: self.status,
            error: self.reading.as_ref().err().map(String::as_str),
            dialect: accepted.and_then(|accepted| accepted.dialect),
            report: accepted.map(|accepted| ReportLine::from(&accepted.report)),
        };
        let line = serde_json::to_string(&line).map_err(|error| Failure::Output(error.into()))?;
        Ok(line + "\n")
    }
}

fn counted(number: u64, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}

/// One line of `--output json`.
#[derive(Serialize)]
struct Line<'a> {
    file: &'a str,
    /// The exit status it has alone.
    status: i32,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dialect: Option<&'static str>,
    #[serde(flatten)]
    report: Option<ReportLine<'a>>,
}

#[derive(Serialize)]
struct ReportLine<'a> {
    format: String,
    #[serde(flatten)]
    tally: Tally,
    unnamed: u64,
    notes: Vec<Note<'a>>,
    /// How many there are; `notes` has the first of them.
    notes_total: u64,
}

#[derive(Serialize)]
struct Note<'a> {
    line: u64,
    column: u64,
    message: &'a str,
}

impl<'a> From<&'a Report> for ReportLine<'a> {
    fn from(report: &'a Report) -> Self {
        let notes = report.oddities.first().iter().map(|Oddity { position, message }| Note {
            line: position.line,
            column: position.column,
            message,
        });
        Self {
            format: report.format.to_string(),
            tally: report.tally(),
            unnamed: report.unnamed.total,
            notes: notes.collect(),
            notes_total: report.oddities.total(),
        }
    }
}
