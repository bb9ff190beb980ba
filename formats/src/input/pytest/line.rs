//! The lines that pytest (5 to 9, also with xdist and rerunfailures) writes, each recognised by its
//! shape alone.

use super::node::{Node, subtest, without_percent};
use crate::model::Outcome;

/// The words for how a test ended.
const WORDS: [(&str, Word); 7] = [
    ("PASSED", Word::End(Outcome::Passed)),
    ("FAILED", Word::End(Outcome::Failed)),
    ("ERROR", Word::End(Outcome::Errored)),
    ("SKIPPED", Word::End(Outcome::Skipped)),
    ("XFAIL", Word::End(Outcome::ExpectedFailure)),
    // What a strict test must not do is printed as FAILED.
    ("XPASS", Word::End(Outcome::Passed)),
    ("RERUN", Word::Rerun),
];

/// What a word says about a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    /// It ended.
    End(Outcome),
    /// It failed and runs again.
    Rerun,
}

/// The text in a line such as `=== FAILURES ===`.
pub(super) fn heading(line: &str) -> Option<&str> {
    framed(line, '=')
}

/// The text in a line such as `___ TestBarn.test_full ___`.
pub(super) fn title(line: &str) -> Option<&str> {
    framed(line, '_').filter(|title| title.contains(|char| char != '_' && char != ' '))
}

/// The text in a line such as `!!! Interrupted: 1 error during collection !!!`.
pub(super) fn stop(line: &str) -> Option<&str> {
    framed(line, '!')
}

fn framed(line: &str, frame: char) -> Option<&str> {
    let text = line.trim_start_matches(frame).strip_prefix(' ')?;
    let inner = text.trim_end_matches(frame).strip_suffix(' ')?;
    let is_framed = line.starts_with(frame) && line.ends_with(frame);
    is_framed.then_some(inner.trim()).filter(|inner| !inner.is_empty())
}

/// The counts of the last line of a session.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Totals {
    pub(super) passed: u64,
    pub(super) failed: u64,
    pub(super) errors: u64,
    pub(super) skipped: u64,
    pub(super) xfailed: u64,
    pub(super) deselected: u64,
}

impl Totals {
    /// How many tests must have been collected.
    pub(super) fn at_least(self) -> u64 {
        [self.passed, self.failed, self.xfailed, self.deselected]
            .into_iter()
            .fold(0, u64::saturating_add)
    }

    /// How many tests can have been collected: modules that were skipped or could not be read, and
    /// tear-downs that failed, are no tests.
    pub(super) fn at_most(self) -> u64 {
        self.at_least().saturating_add(self.errors).saturating_add(self.skipped)
    }
}

/// Reads `1 failed, 2 passed in 0.12s` and `no tests ran in 0.01s`.
pub(super) fn totals(text: &str) -> Option<Totals> {
    let (counts, time) = text.rsplit_once(" in ")?;
    let is_time = time.starts_with(|char: char| char.is_ascii_digit()) && time.contains('s');
    if !is_time {
        return None;
    }
    let mut totals = Totals::default();
    if counts == "no tests ran" {
        return Some(totals);
    }
    let mut other = 0;
    for count in counts.split(", ") {
        let (number, what) = count.split_once(' ')?;
        let number: u64 = number.parse().ok()?;
        let field = match what {
            "passed" | "xpassed" => &mut totals.passed,
            "failed" => &mut totals.failed,
            "error" | "errors" => &mut totals.errors,
            "skipped" => &mut totals.skipped,
            "xfailed" => &mut totals.xfailed,
            "deselected" => &mut totals.deselected,
            "warning" | "warnings" | "rerun" | "subtests passed" | "subtests failed"
            | "subtests skipped" => &mut other,
            _ => return None,
        };
        *field = field.saturating_add(number);
    }
    Some(totals)
}

/// The number in `collected 3 items / 1 error`, and in `2 workers [3 items]`.
pub(super) fn collected(line: &str) -> Option<u64> {
    let after = line.split_once("collected ").or_else(|| line.split_once(" workers ["))?.1;
    let (number, unit) = after.split_once(' ')?;
    unit.starts_with("item").then(|| number.parse().ok())?
}

/// A line of the verbose form.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum TestLine<'t> {
    /// `tests/test_x.py::test_a PASSED [ 5%]`
    Test(&'t str, Word),
    /// `tests/test_x.py::test_a`, and perhaps what it began to write.
    Began(&'t str),
    /// `tests/test_x.py::test_a SUBFAILED(i=1) [ 5%]`, and whether it failed.
    Subtest(Node<'t>, bool),
    /// `PASSED`, behind the output of a test that was not captured.
    Bare(Word),
}

/// Reads a line of the verbose form.
pub(super) fn test_line(line: &str) -> Option<TestLine<'_>> {
    let line = line.trim_end();
    if let Some(rest) = line.strip_prefix("[gw") {
        let (_, rest) = rest.split_once("%] ")?;
        if let Some((node, has_failed)) = subtest(rest) {
            return Some(TestLine::Subtest(node, has_failed));
        }
        let (word, node) = starts_with_word(rest)?;
        return is_node(node.trim()).then(|| TestLine::Test(node.trim(), word));
    }
    if let Some((word, rest)) = starts_with_word(line) {
        let is_alone = rest.is_empty() || rest.trim_start().starts_with(['[', '(']);
        return is_alone.then_some(TestLine::Bare(word));
    }
    if !is_node(line) {
        return None;
    }
    if let Some((node, has_failed)) = subtest(line) {
        return Some(TestLine::Subtest(node, has_failed));
    }
    match end_of_test(line) {
        Some((at, word)) => Some(TestLine::Test(&line[..at], word)),
        None => {
            let end = match line.find('[') {
                Some(_) => line.rfind(']').map(|at| at + 1),
                None => line.find(' '),
            };
            Some(TestLine::Began(line.get(..end.unwrap_or(line.len())).unwrap_or(line)))
        }
    }
}

/// Where a test ends and the first word begins. A parameter may be called like a word.
fn end_of_test(line: &str) -> Option<(usize, Word)> {
    let name = line.find("::")?;
    let first = |from: usize| {
        let mut blanks = line[from..].match_indices(' ').map(|(at, _)| from + at);
        blanks.find_map(|at| {
            let word = WORDS.iter().find(|(text, _)| line[at + 1..].starts_with(text))?;
            Some((at, word.1))
        })
    };
    let (at, word) = first(name)?;
    match line[name..at].contains('[') && !line[..at].ends_with(']') {
        true => line[at..].find("] ").and_then(|end| first(at + end)).or(Some((at, word))),
        false => Some((at, word)),
    }
}

fn starts_with_word(line: &str) -> Option<(Word, &str)> {
    WORDS.iter().find_map(|(text, word)| {
        let rest = line.strip_prefix(text)?;
        (rest.is_empty() || rest.starts_with(' ')).then_some((*word, rest))
    })
}

/// Whether a line begins with the path of a file and `::`.
pub(super) fn is_node(line: &str) -> bool {
    line.split_once("::")
        .is_some_and(|(path, _)| !path.is_empty() && !path.contains([' ', '\t', '"']))
}

/// What a line of the short summary names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Listed<'t> {
    pub(super) outcome: Outcome,
    /// A test, or the file that could not be read.
    pub(super) node: Node<'t>,
    pub(super) message: Option<&'t str>,
}

/// Reads a line of the short summary, `FAILED tests/test_x.py::test_a - why`.
pub(super) fn summary_line(line: &str) -> Option<Listed<'_>> {
    let Some((word, rest)) = starts_with_word(line) else { return failed_subtest(line) };
    let (Word::End(outcome), Some(rest)) = (word, rest.strip_prefix(' ')) else { return None };
    if outcome == Outcome::Skipped && rest.starts_with('[') {
        return None;
    }
    let (node, message) = split_message(rest);
    Some(Listed { outcome, node: Node::of(node.trim()), message })
}

fn failed_subtest(line: &str) -> Option<Listed<'_>> {
    let (Node { test, subtest }, true) = subtest(line)? else { return None };
    let (test, message) = split_message(test);
    Some(Listed { outcome: Outcome::Failed, node: Node { test, subtest }, message })
}

/// Splits the message off a test. A parameter may be called anything, a message too.
fn split_message(text: &str) -> (&str, Option<&str>) {
    let from = text.find("] - ").map_or(0, |at| at + 1);
    let from = if text.find('[') < text.find(" - ") { from } else { 0 };
    match text[from..].find(" - ").map(|at| from + at) {
        Some(at) => (&text[..at], Some(&text[at + " - ".len()..])),
        None => (text, None),
    }
}

/// The outcomes in a line of the terse form, `tests/test_x.py ..F [ 5%]`.
pub(super) fn dots(line: &str) -> Option<impl Iterator<Item = Outcome>> {
    let line = without_percent(line);
    let outcome = |letter: char| match letter {
        '.' | 'X' => Some(Outcome::Passed),
        // A subtest that failed; those that passed or were skipped do not count.
        'F' | 'u' => Some(Outcome::Failed),
        'E' => Some(Outcome::Errored),
        's' => Some(Outcome::Skipped),
        'x' => Some(Outcome::ExpectedFailure),
        _ => None,
    };
    let (file, letters) = line.split_once(".py ").unwrap_or(("", line));
    let is_dots = !letters.is_empty()
        && letters.chars().all(|letter| ",-".contains(letter) || outcome(letter).is_some());
    (is_dots && !file.contains(' ')).then(|| letters.chars().filter_map(outcome))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verbose_lines_name_a_test_and_its_outcome() {
        let passed = Word::End(Outcome::Passed);
        let cases = [
            ("t.py::a PASSED    [  4%]", TestLine::Test("t.py::a", passed)),
            ("t.py::a[x FAILED] PASSED [ 5%]", TestLine::Test("t.py::a[x FAILED]", passed)),
            ("t.py::a[PASSED PASSED", TestLine::Test("t.py::a[PASSED", passed)),
            ("t.py::a[x y] PASSED", TestLine::Test("t.py::a[x y]", passed)),
            (
                "t.py::a SKIPPED (why PASSED) [ 5%]",
                TestLine::Test("t.py::a", Word::End(Outcome::Skipped)),
            ),
            ("[gw1] [ 12%] PASSED t.py::a[x y] ", TestLine::Test("t.py::a[x y]", passed)),
            ("t.py::a some output", TestLine::Began("t.py::a")),
            ("t.py::a RERUN", TestLine::Test("t.py::a", Word::Rerun)),
            ("PASSED", TestLine::Bare(passed)),
            ("PASSED   [ 12%]", TestLine::Bare(passed)),
        ];
        for (line, expected) in cases {
            assert_eq!(test_line(line), Some(expected), "{line}");
        }
        assert_eq!(test_line("PASSED all of it"), None);
        assert_eq!(test_line("hay in a barn::full PASSED"), None);
    }

    #[test]
    fn the_short_summary_names_what_failed() {
        let cases = [
            ("FAILED t.py::a - why - oh", ("t.py::a", Some("why - oh"))),
            ("FAILED t.py::a[x - y] - why", ("t.py::a[x - y]", Some("why"))),
            ("FAILED t.py::a - [x] - why", ("t.py::a", Some("[x] - why"))),
            ("ERROR t.py", ("t.py", None)),
        ];
        for (line, (node, message)) in cases {
            let found = summary_line(line).map(|listed| (listed.node.test, listed.message));
            assert_eq!(found, Some((node, message)), "{line}");
        }
        assert_eq!(summary_line("SKIPPED [1] t.py:3: why"), None);
        for line in [
            "SUBFAILED[x - y] (i=1) t.py::a - why - oh",
            "[x - y] (i=1) SUBFAIL t.py::a - why - oh",
        ] {
            let node = Node { test: "t.py::a", subtest: "[x - y] (i=1)" };
            let listed = Listed { outcome: Outcome::Failed, node, message: Some("why - oh") };
            assert_eq!(summary_line(line), Some(listed), "{line}");
        }
    }

    #[test]
    fn the_last_line_counts() {
        let counts = totals("2 failed, 3 passed, 1 xpassed, 1 warning in 0.02s (0:01:00)");
        assert_eq!(counts, Some(Totals { failed: 2, passed: 4, ..Totals::default() }));
        assert_eq!(totals("no tests ran in 0.01s"), Some(Totals::default()));
        assert_eq!(totals("3 passed in the end"), None);
        assert_eq!(totals("3 sheep in 0.1s"), None);
        assert_eq!(heading("=== 3 passed in 0.1s ==="), Some("3 passed in 0.1s"));
    }
}
