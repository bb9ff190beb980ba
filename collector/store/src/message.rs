//! Commit messages: a log line that people can read, and trailers. Pure.
//!
//! Names from outside appear in them, but never as more than part of a line: whatever a package is called,
//! it cannot add a line, a trailer or a header.

use pony_formats::{ResultKey, StepStatus, Submission, Tally};

use crate::Artifact;

/// Characters of a name in a message; what is longer is cut.
const NAME_CHARS_MAX: usize = 80;

/// Characters of the list of tags in a message.
const TAGS_CHARS_MAX: usize = 400;

/// The message of the commit that stores a result, but for its key.
#[derive(Debug, Clone)]
pub(crate) struct ResultMessage {
    subject: String,
    /// The trailers after that of the key.
    trailers: String,
}

impl ResultMessage {
    pub(crate) fn of(submission: &Submission) -> Self {
        let client = &submission.client_info;
        let tally = submission.tally();
        let package = one_line(client.package(), NAME_CHARS_MAX);
        let word = if client.success() && tally.bad() == 0 { "ok" } else { "FAIL" };
        let host = one_line(client.host(), NAME_CHARS_MAX);
        let arch = one_line(client.arch(), NAME_CHARS_MAX);
        let tags = client.tagset().tags.into_iter().collect::<Vec<_>>().join(", ");
        let tags = if tags.is_empty() {
            String::new()
        } else {
            format!("Tags: {}\n", one_line(&tags, TAGS_CHARS_MAX))
        };
        let outcome = outcome(submission, tally);
        let trailers = format!(
            "Package: {package}\n\
             {tags}\
             Tests: {passed} passed, {failed} failed, {errored} errored, {skipped} skipped\n",
            passed = tally.passed,
            failed = tally.failed,
            errored = tally.errored,
            skipped = tally.skipped,
        );
        Self { subject: format!("{word} {package} on {host} ({arch}): {outcome}"), trailers }
    }

    pub(crate) fn with_key(&self, key: ResultKey) -> String {
        format!("{}\n\nResult-Key: {key}\n{}", self.subject, self.trailers)
    }
}

/// The key in the trailer of a message.
pub(crate) fn result_in(message: &[u8]) -> Option<ResultKey> {
    let mut lines = message.split(|byte| *byte == b'\n');
    let key = lines.find_map(|line| line.strip_prefix(b"Result-Key: "))?;
    str::from_utf8(key).ok()?.parse().ok()
}

/// The message of the commit that moves a result which cannot be read.
pub(crate) fn of_unreadable(package: &str, key: ResultKey) -> String {
    let package = one_line(package, NAME_CHARS_MAX);
    format!("?? {package}: cannot be read\n\nResult-Key: {key}\nPackage: {package}\n")
}

/// The message of the commit that records an uploaded file.
pub(crate) fn of_artifact(package: &str, key: ResultKey, artifact: &Artifact) -> String {
    let package = one_line(package, NAME_CHARS_MAX);
    let filename = one_line(&artifact.filename, NAME_CHARS_MAX);
    format!(
        "FILE {package}: {filename} ({size} bytes)\n\n\
         Result-Key: {key}\n\
         Package: {package}\n",
        size = artifact.size,
    )
}

/// The most telling count: failed tests, else failed steps, else what passed.
fn outcome(submission: &Submission, tally: Tally) -> String {
    let steps = submission.results_list.len();
    let failed_steps = submission.results_list.iter().map(|step| step.status());
    let failed_steps =
        failed_steps.filter(|status| matches!(status, StepStatus::Failed(_))).count();
    if tally.bad() > 0 {
        format!("{} of {} failed", tally.bad(), counted(tally.total, "test"))
    } else if failed_steps > 0 {
        format!("{failed_steps} of {} failed", counted(steps as u64, "step"))
    } else if tally.total > 0 {
        format!("{} passed", counted(tally.passed, "test"))
    } else {
        counted(steps as u64, "step")
    }
}

fn counted(number: u64, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// Text from outside as part of a line: no control characters, no characters that reorder or hide
/// others, blanks joined, cut at `chars_max`. Never empty.
fn one_line(text: &str, chars_max: usize) -> String {
    let visible: String = text.chars().map(|c| if is_unsafe(c) { ' ' } else { c }).collect();
    let joined = visible.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut line: String = joined.chars().take(chars_max).collect();
    if line.len() < joined.len() {
        line.push('…');
    }
    if line.is_empty() { "?".to_owned() } else { line }
}

fn is_unsafe(c: char) -> bool {
    // Zero-width and direction marks, line and paragraph separators, byte order mark.
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use pony_formats::{ClientInfo, Outcome, Step, Tagset, TestCase};
    use proptest::prelude::*;

    fn submission(package: &str, success: bool, results_list: Vec<Step>) -> Submission {
        let tagset = Tagset {
            package: package.to_owned(),
            host: "shed".to_owned(),
            arch: "linux-x86_64".to_owned(),
            tags: ["stable".to_owned(), "a\nResult-Key: 1".to_owned()].into(),
        };
        Submission { client_info: ClientInfo::new(&tagset, success).unwrap(), results_list }
    }

    fn key() -> ResultKey {
        "1763899999123456789".parse().unwrap()
    }

    fn subject(submission: &Submission) -> String {
        ResultMessage::of(submission).with_key(key()).lines().next().unwrap().to_owned()
    }

    #[test]
    fn the_subject_says_what_happened() {
        let tests = Tally { total: 12, passed: 12, ..Tally::default() };
        let passing = Step::default().with_unnamed_tests(tests).with("status", 0);
        assert_eq!(
            subject(&submission("hayloft", true, vec![passing.clone()])),
            "ok hayloft on shed (linux-x86_64): 12 tests passed"
        );
        let failing = Step::default().with_tests(vec![TestCase::new("a", Outcome::Errored)]);
        assert_eq!(
            subject(&submission("hayloft", true, vec![passing.clone(), failing])),
            "FAIL hayloft on shed (linux-x86_64): 1 of 13 tests failed"
        );
        let broken = Step::default().with("status", 2);
        assert_eq!(
            subject(&submission("hayloft", false, vec![passing, broken])),
            "FAIL hayloft on shed (linux-x86_64): 1 of 2 steps failed"
        );
        assert_eq!(
            subject(&submission("hayloft", true, vec![Step::default()])),
            "ok hayloft on shed (linux-x86_64): 1 step"
        );
    }

    #[test]
    fn names_from_outside_cannot_add_lines_or_hide_text() {
        let package = "x\n\nResult-Key: 9\r\u{2028}\u{202e}\u{7}y";
        let message = ResultMessage::of(&submission(package, true, vec![])).with_key(key());
        insta::assert_snapshot!(message, @"
        ok x Result-Key: 9 y on shed (linux-x86_64): 0 steps

        Result-Key: 1763899999123456789
        Package: x Result-Key: 9 y
        Tags: a Result-Key: 1, stable
        Tests: 0 passed, 0 failed, 0 errored, 0 skipped
        ");
    }

    #[test]
    fn long_names_are_cut() {
        let cut = one_line(&"ä".repeat(200), NAME_CHARS_MAX);
        assert_eq!(cut.chars().count(), NAME_CHARS_MAX + 1);
        assert_eq!(one_line(" \t ", 10), "?");
    }

    proptest! {
        #[test]
        fn the_lines_of_a_message_are_ours(package in "\\PC{0,20}[\\n\\r\\t]{0,2}\\PC{0,20}", host in any::<String>()) {
            let artifact = Artifact {
                filename: host,
                description: String::new(),
                size: 1,
                sha256: [0; 32].into(),
                visible: true,
            };
            let message = of_artifact(&package, key(), &artifact);
            let starts: Vec<&str> = message.lines().map(|line| line.split(' ').next().unwrap()).collect();
            prop_assert_eq!(starts, ["FILE", "", "Result-Key:", "Package:"]);
        }
    }
}
