//! The step that a [`Report`] becomes: the one mapping, for whoever submits what a runner wrote or printed.

use super::Report;
use super::quote::quote;
use crate::excerpt::Kept;
use crate::model::{Step, Suite};

impl Report {
    /// The step that it becomes. Its status is 1 when a test failed, else 0, since nobody knows how the command
    /// ended that wrote or printed it. `streams` are its output and error output; empty ones are left out.
    /// [`captured`] has what a report adds to them.
    #[must_use]
    pub fn into_step(self, name: &str, streams: [Kept; 2]) -> Step {
        let status = i64::from(self.tally().bad() > 0);
        let step = Step::default().with("type", "test").with("name", name).with("status", status);
        let streams = ["output", "errout"].into_iter().zip(streams);
        let step = streams
            .filter(|(_, kept)| !kept.text.is_empty())
            .fold(step, |step, (key, kept)| step.with_stream(key, kept));
        step.with_unnamed_tests(self.unnamed).with_tests(self.tests)
    }
}

/// What was captured for whole suites in the `stream` of each, as it stands behind what the command itself printed
/// into that stream, of which `last` is the last byte. Where that is not all there is, a line before each says
/// whose it is:
///
/// ```text
/// [pony: captured for the suite `hay.BarnTest`]
/// ```
pub fn captured(suites: &[Suite], stream: fn(&Suite) -> Option<&str>, last: Option<u8>) -> String {
    let texts = || suites.iter().filter_map(|suite| Some((suite, stream(suite)?)));
    let is_alone = last.is_none() && texts().nth(1).is_none();
    let mut all = String::new();
    for (suite, text) in texts() {
        if !is_alone {
            let before = all.as_bytes().last().copied().or(last);
            let end = if before.is_none_or(|byte| byte == b'\n') { "" } else { "\n" };
            let name = quote(&suite.name);
            all.push_str(&format!("{end}[pony: captured for the suite `{name}`]\n"));
        }
        all.push_str(text);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn suite(name: &str, output: &str) -> Suite {
        Suite { name: name.to_owned(), output: Some(output.to_owned()), ..Suite::default() }
    }

    fn output(suites: &[Suite], printed: &str) -> String {
        captured(suites, Suite::output, printed.as_bytes().last().copied())
    }

    #[test]
    fn what_was_captured_for_the_only_suite_is_all_there_is() {
        let suites = [Suite::default(), suite("a", "moo")];
        assert_eq!(output(&suites, ""), "moo");
        assert_eq!(captured(&suites, Suite::errout, None), "");
    }

    #[test]
    fn otherwise_a_line_of_its_own_says_whose_it_is() {
        let suites = [suite("a", "moo"), suite("b\n`", "slam\n")];
        let of_both = "[pony: captured for the suite `a`]\nmoo\n[pony: captured for the suite `b\\n``]\nslam\n";
        assert_eq!(output(&suites, ""), of_both);
        assert_eq!(output(&suites, "line\n"), of_both);
        assert_eq!(output(&suites, "line"), format!("\n{of_both}"));
    }
}
