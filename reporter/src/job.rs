//! [`Job`]: a job of GitHub Actions, and what people see of it there: a summary, failures first, and annotations.
//!
//! The formats are those of docs.github.com, "Workflow commands for GitHub Actions". All of a job's steps share room for
//! 1 MiB of summary each, and for ten annotations of a kind: what does not fit is counted.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::PathBuf;

use anstream::adapter::strip_str;
use pony_formats::{Step, StepStatus, Submission, TestCase};

use crate::delivery::in_words;
use crate::exit::Failure;
use crate::messages::{self, Messages};
use crate::origin::Surroundings;

/// Bytes of summary that one submission takes.
const SUMMARY_BYTES_MAX: usize = 256 * 1024;
/// Characters of what a failed test says.
const DETAIL_CHARS_MAX: usize = 4_000;
/// Characters of a name or a message in a line.
const LINE_CHARS_MAX: usize = 300;
/// GitHub shows this many of a kind.
const ANNOTATIONS_MAX: usize = 10;

/// Where GitHub looks.
#[derive(Debug)]
pub(crate) struct Job {
    summary: Option<PathBuf>,
    workspace: Option<String>,
}

/// What is to be shown of a submission, once it is known what became of it.
#[derive(Debug)]
pub(crate) struct Show {
    summary: String,
    annotations: Vec<String>,
}

impl Job {
    /// The job around this process, if there is one.
    pub(crate) fn around(surroundings: &Surroundings) -> Option<Self> {
        surroundings.var("GITHUB_ACTIONS")?;
        // Others claim to be GitHub, and some of them know neither.
        let owned = |name| surroundings.var(name).map(str::to_owned);
        let summary = owned("GITHUB_STEP_SUMMARY").map(PathBuf::from);
        Some(Self { summary, workspace: owned("GITHUB_WORKSPACE") })
    }

    /// What to show of it.
    pub(crate) fn show(&self, submission: &Submission) -> Show {
        let tests = submission.results_list.iter().flat_map(Step::tests);
        let bad: Vec<&TestCase> = tests.filter(|test| test.outcome.is_bad()).collect();
        let annotations = bad.iter().take(ANNOTATIONS_MAX).map(|test| self.annotation(test));
        Show { summary: summary(submission, &bad), annotations: annotations.collect() }
    }

    fn annotation(&self, test: &TestCase) -> String {
        let place = test.file.as_deref().map(|file| {
            let inside = self.workspace.as_deref().and_then(|folder| file.strip_prefix(folder));
            let file = inside.map_or(file, |path| path.trim_start_matches('/'));
            let line = test.line.map(|line| format!(",line={line}")).unwrap_or_default();
            format!("file={}{line},", property(file))
        });
        let message = message(test).unwrap_or_else(|| test.outcome.as_str().to_owned());
        let (place, title) = (place.unwrap_or_default(), property(&one_line(&test.id)));
        format!("::error {place}title={title}::{}", data(&message))
    }

    /// Shows it. `outcome` is the line that says where the result is, or why it is nowhere.
    pub(crate) fn publish(
        &self,
        show: Show,
        outcome: &Result<String, Failure>,
        messages: &Messages,
    ) {
        messages.commands(&show.annotations);
        let Some(path) = &self.summary else { return };
        let line = match outcome {
            Ok(line) => escaped(&one_line(line)),
            Err(failure) => {
                format!("Not stored: {}", escaped(&one_line(&messages::chain(failure))))
            }
        };
        let text = format!("{}\n{line}\n\n", show.summary);
        let opened = OpenOptions::new().append(true).create(true).open(path);
        let written = opened.and_then(|mut file| file.write_all(text.as_bytes()));
        if let Err(source) = written {
            messages.warn(&NoSummary { path: path.clone(), source });
        }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("cannot write the job summary to {}: {source}", path.display())]
struct NoSummary {
    path: PathBuf,
    source: std::io::Error,
}

/// Markdown with HTML in it. Everything from outside is escaped, and on one line, so that none of it is markup.
fn summary(submission: &Submission, bad: &[&TestCase]) -> String {
    let client = &submission.client_info;
    let word = if client.success() && bad.is_empty() { "ok" } else { "FAILED" };
    let package = escaped(&one_line(client.package()));
    let tally = in_words(submission.tally());
    let mut text = format!("### {word}: {package}: {tally}\n\n");
    if submission.results_list.len() > 1 {
        text.push_str("| step | ended | tests |\n| --- | --- | --- |\n");
        for step in submission.results_list.iter().take(50) {
            let name = step.name().or(step.kind()).unwrap_or("unnamed");
            let ended = match step.status() {
                StepStatus::Succeeded => "ok".to_owned(),
                StepStatus::Failed(status) => format!("FAILED ({status})"),
                StepStatus::Unknown => "?".to_owned(),
            };
            let cells = [&*one_line(name), &ended, &in_words(step.tally())];
            let cells = cells.map(|cell| escaped(cell).replace('|', "&#124;"));
            text.push_str(&format!("| {} |\n", cells.join(" | ")));
        }
        text.push('\n');
    }
    for (shown, test) in bad.iter().enumerate() {
        let entry = entry(test);
        if text.len() + entry.len() > SUMMARY_BYTES_MAX {
            text.push_str(&format!("… and {} more that failed.\n", bad.len() - shown));
            break;
        }
        text.push_str(&entry);
    }
    text
}

/// A failed test: its name and message, and on demand what it says besides.
fn entry(test: &TestCase) -> String {
    let message = message(test).map(|text| format!(": {}", escaped(&one_line(&text))));
    let head =
        format!("<code>{}</code>{}", escaped(&one_line(&test.id)), message.unwrap_or_default());
    let details = [&test.evidence.details, &test.evidence.output, &test.evidence.errout];
    let details: Vec<String> = details.into_iter().flatten().map(|text| plain(text)).collect();
    let details = details.join("\n");
    if details.trim().is_empty() {
        return format!("- {head}\n\n");
    }
    let cut: String = details.chars().take(DETAIL_CHARS_MAX).collect();
    let more = if cut.len() < details.len() { "&#10;…" } else { "" };
    let cut = escaped(&cut).replace('\n', "&#10;");
    format!("<details><summary>{head}</summary><pre>{cut}{more}</pre></details>\n\n")
}

fn message(test: &TestCase) -> Option<String> {
    let message = test.evidence.message.as_ref().or(test.evidence.kind.as_ref())?;
    Some(plain(message)).filter(|text| !text.trim().is_empty())
}

/// Without terminal escapes and control characters, but with lines.
fn plain(text: &str) -> String {
    let text = strip_str(text).to_string();
    text.chars().filter(|it| *it == '\n' || *it == '\t' || !it.is_control()).collect()
}

fn one_line(text: &str) -> String {
    let text = plain(text);
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut line: String = words.chars().take(LINE_CHARS_MAX).collect();
    if line.len() < words.len() {
        line.push('…');
    }
    line
}

/// Neither HTML nor Markdown.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' | '<' | '>' | '"' | '\'' | '`' | '*' | '_' | '[' | ']' | '\\' | '~' | '#' | '@'
            | '!' => {
                safe.push_str(&format!("&#{};", u32::from(character)));
            }
            character => safe.push(character),
        }
    }
    safe
}

/// The value of a workflow command.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property of one.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use pony_formats::{ClientInfo, Outcome, Tagset};

    fn submission(tests: Vec<TestCase>) -> Submission {
        let tagset = Tagset {
            package: "hay<loft>".to_owned(),
            host: "shed".to_owned(),
            arch: "linux-x86_64".to_owned(),
            tags: Default::default(),
        };
        let client_info = ClientInfo::new(&tagset, false).unwrap();
        Submission { client_info, results_list: vec![Step::default().with_tests(tests)] }
    }

    fn failed(id: &str, details: &str) -> TestCase {
        let mut test = TestCase::new(id, Outcome::Failed);
        test.evidence.message = Some("\u{1b}[31mexpected 3,\nfound 4%\u{1b}[0m".to_owned());
        test.evidence.details = Some(details.to_owned());
        test
    }

    fn job() -> Job {
        Job { summary: None, workspace: Some("/checkout".to_owned()) }
    }

    #[test]
    fn an_annotation_names_the_place_and_cannot_be_another_command() {
        let mut test = failed("a::b\n::set-output", "");
        (test.file, test.line) = (Some("/checkout/src/a,b.rs".to_owned()), Some(7));
        let expected = "::error file=src/a%2Cb.rs,line=7,title=a%3A%3Ab %3A%3Aset-output\
                        ::expected 3,%0Afound 4%25";
        assert_eq!(job().annotation(&test), expected);
        let bare = TestCase::new("x", Outcome::Errored);
        assert_eq!(job().annotation(&bare), "::error title=x::errored");
    }

    #[test]
    fn nothing_from_outside_is_markup() {
        let show = job().show(&submission(vec![failed("<b>*x*", "</pre>\n\n# no\n<script>")]));
        assert_eq!(
            show.summary,
            "### FAILED: hay&#60;loft&#62;: 1 failed\n\n\
             <details><summary><code>&#60;b&#62;&#42;x&#42;</code>: expected 3, found 4%</summary>\
             <pre>&#60;/pre&#62;&#10;&#10;&#35; no&#10;&#60;script&#62;</pre></details>\n\n"
        );
    }

    #[test]
    fn there_is_a_budget() {
        let tests = (0..1000).map(|number| failed(&format!("t{number}"), &"x\n".repeat(9000)));
        let show = job().show(&submission(tests.collect()));
        assert_eq!(show.annotations.len(), ANNOTATIONS_MAX);
        assert!(show.summary.len() < SUMMARY_BYTES_MAX + 100);
        assert!(show.summary.contains(" more that failed.\n"), "it says what it left out");
    }
}
