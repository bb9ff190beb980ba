//! The lines that unittest (Python 3.8 to 3.14), nose, pynose and nose2 write, each recognised by its
//! shape alone.

use super::name::TestName;
use crate::model::Outcome;

/// Between a name and its outcome.
const DOTS: &str = " ... ";

/// How many times [`DOTS`] can be part of a name: a subtest may be called anything.
const DOTS_IN_NAME_MAX: usize = 16;

/// Dashes that are a separator: pynose draws 40, everybody else 70.
const DASHES_MIN: usize = 40;

/// How a test ended, and why if it was skipped.
pub(super) type End<'t> = (Outcome, Option<&'t str>);

/// A line of the verbose form.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum TestLine<'t> {
    /// A test and its end.
    Ended(TestName, End<'t>),
    /// A test and what it began to write.
    Began(TestName, &'t str),
    /// Only a name: a docstring follows.
    Name(TestName),
}

impl<'t> TestLine<'t> {
    /// Reads a line. `documented` is the test whose name was the line before.
    pub(super) fn parse(line: &'t str, documented: Option<TestName>) -> Option<Self> {
        let text = line.trim_start();
        if documented.is_none() {
            for (at, _) in text.match_indices(DOTS).take(DOTS_IN_NAME_MAX) {
                if let Some(name) = TestName::parse(&text[..at]) {
                    return Some(Self::with_tail(name, &text[at + DOTS.len()..]));
                }
            }
            if let Some(name) = text.strip_suffix(" ...").and_then(TestName::parse_method) {
                return Some(Self::Began(name, ""));
            }
        }
        let ended =
            line.match_indices(DOTS).find_map(|(at, _)| Some((at, end(&line[at + DOTS.len()..])?)));
        match (ended, documented) {
            (Some((_, end)), Some(name)) => Some(Self::Ended(name, end)),
            (Some((at, end)), None) => Some(Self::Ended(TestName::of(&line[..at]), end)),
            (None, Some(name)) => line.split_once(DOTS).map(|(_, tail)| Self::Began(name, tail)),
            (None, None) => TestName::parse_method(line).map(Self::Name),
        }
    }

    fn with_tail(name: TestName, tail: &'t str) -> Self {
        match end(tail) {
            Some(end) => Self::Ended(name, end),
            None => Self::Began(name, tail),
        }
    }
}

/// Reads the words behind a name, or on a line of their own behind the output of a test.
pub(super) fn end(text: &str) -> Option<End<'_>> {
    let reason = |why: &'_ str| (!why.is_empty()).then_some(());
    Some(match text {
        "ok" => (Outcome::Passed, None),
        "FAIL" => (Outcome::Failed, None),
        "ERROR" => (Outcome::Errored, None),
        "expected failure" => (Outcome::ExpectedFailure, None),
        "unexpected success" => (Outcome::UnexpectedPass, None),
        "SKIP" | "skipped" => (Outcome::Skipped, None),
        _ => {
            let why = text.strip_prefix("skipped ").or_else(|| text.strip_prefix("SKIP: "))?;
            let why = unquoted(why.trim_end());
            (Outcome::Skipped, reason(why).map(|()| why))
        }
    })
}

/// The reason without the quotes of `repr`. Escapes stay as they are.
fn unquoted(reason: &str) -> &str {
    let inner = |quote| reason.strip_prefix(quote).and_then(|text: &str| text.strip_suffix(quote));
    inner('\'').or_else(|| inner('"')).unwrap_or(reason)
}

/// The outcome that may be stuck to output without a line end.
pub(super) fn stuck_outcome(line: &str) -> Option<Outcome> {
    let words = [("ok", Outcome::Passed), ("FAIL", Outcome::Failed), ("ERROR", Outcome::Errored)];
    words.into_iter().find(|(word, _)| line.ends_with(word)).map(|(_, outcome)| outcome)
}

/// Whether this is the line of `=` before each report of a failure.
pub(super) fn is_double_rule(line: &str) -> bool {
    line.len() == 70 && line.bytes().all(|byte| byte == b'=')
}

/// Whether this is a line of `-`.
pub(super) fn is_rule(line: &str) -> bool {
    line.len() >= DASHES_MIN && line.bytes().all(|byte| byte == b'-')
}

/// The outcome and name in `ERROR: name`, the heading of a report.
pub(super) fn heading(line: &str) -> Option<(Outcome, &str)> {
    let headings = [
        ("ERROR: ", Outcome::Errored),
        ("FAIL: ", Outcome::Failed),
        ("UNEXPECTED SUCCESS: ", Outcome::UnexpectedPass),
    ];
    headings.into_iter().find_map(|(word, outcome)| Some((outcome, line.strip_prefix(word)?)))
}

/// The number in `Ran 3 tests in 0.001s`.
pub(super) fn ran(line: &str) -> Option<u64> {
    let mut words = line.strip_prefix("Ran ")?.split(' ');
    let number = words.next()?.parse().ok()?;
    let is_unit = matches!(words.next(), Some("test" | "tests"));
    (is_unit && words.next() == Some("in") && words.next()?.ends_with('s')).then_some(number)
}

/// The last line of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Status {
    pub(super) is_failed: bool,
    pub(super) failures: u64,
    pub(super) errors: u64,
    pub(super) skipped: u64,
    pub(super) expected_failures: u64,
    pub(super) unexpected_successes: u64,
}

/// Reads `OK`, `OK (SKIP=1)`, `FAILED (failures=1, errors=2)` and `NO TESTS RAN`.
pub(super) fn status(line: &str) -> Option<Status> {
    let (word, counts) = match line.split_once(" (") {
        Some((word, counts)) => (word, counts.strip_suffix(')')?),
        None => (line, ""),
    };
    let is_failed = match word {
        "OK" | "NO TESTS RAN" => false,
        "FAILED" => true,
        _ => return None,
    };
    let mut status = Status { is_failed, ..Status::default() };
    for count in counts.split(", ").filter(|count| !count.is_empty()) {
        let (what, number) = count.split_once('=')?;
        let number: u64 = number.parse().ok()?;
        let field = match what {
            "failures" => &mut status.failures,
            "errors" => &mut status.errors,
            "expected failures" | "KNOWNFAIL" => &mut status.expected_failures,
            "unexpected successes" => &mut status.unexpected_successes,
            // `skipped`, nose's `SKIP` and what plugins of nose add, all of them reasons not to run.
            _ => &mut status.skipped,
        };
        *field = field.saturating_add(number);
    }
    Some(status)
}

/// The outcomes in a line of the terse form, which prints one letter per test.
pub(super) fn dots(line: &str) -> Option<impl Iterator<Item = Outcome>> {
    let outcome = |letter: char| match letter {
        '.' => Some(Outcome::Passed),
        'F' => Some(Outcome::Failed),
        'E' => Some(Outcome::Errored),
        's' | 'S' => Some(Outcome::Skipped),
        'x' => Some(Outcome::ExpectedFailure),
        'u' => Some(Outcome::UnexpectedPass),
        _ => None,
    };
    let is_dots = !line.is_empty() && line.chars().all(|letter| outcome(letter).is_some());
    is_dots.then(|| line.chars().filter_map(outcome))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> (String, Option<End<'_>>) {
        match TestLine::parse(line, None) {
            Some(TestLine::Ended(name, end)) => (name.id, Some(end)),
            Some(TestLine::Began(name, _) | TestLine::Name(name)) => (name.id, None),
            None => ("nothing".to_owned(), None),
        }
    }

    #[test]
    fn the_outcome_is_behind_the_name_whatever_both_contain() {
        let passed = Some((Outcome::Passed, None));
        let cases = [
            ("test_a (m.Barn.test_a) ... ok", "m.Barn::test_a", passed),
            ("m.test_f ... ERROR", "m::test_f", Some((Outcome::Errored, None))),
            ("First line ... FAIL ... ok", "First line ... FAIL", passed),
            (
                "  test_a (m.Barn.test_a) [x ... ok] (i=1) ... ok",
                "m.Barn::test_a [x ... ok] (i=1)",
                passed,
            ),
            (
                "test_a (m.Barn) ... skipped 'why ... ok'",
                "m.Barn::test_a",
                Some((Outcome::Skipped, Some("why ... ok"))),
            ),
            (
                "test_a (m.Barn) ... SKIP: why",
                "m.Barn::test_a",
                Some((Outcome::Skipped, Some("why"))),
            ),
            ("test_a (m.Barn) ... test_b (m.Barn) ... ok", "m.Barn::test_a", None),
            ("test_a (m.Barn) ... ", "m.Barn::test_a", None),
            ("test_a (m.Barn)", "m.Barn::test_a", None),
            ("loading ... done", "nothing", None),
        ];
        for (line, id, end) in cases {
            assert_eq!(read(line), (id.to_owned(), end), "{line}");
        }
    }

    #[test]
    fn every_runner_counts_in_its_own_words() {
        let status = |line| status(line).map(|s| (s.is_failed, s.failures, s.errors, s.skipped));
        assert_eq!(status("OK"), Some((false, 0, 0, 0)));
        assert_eq!(status("OK (SKIP=7)"), Some((false, 0, 0, 7)));
        assert_eq!(status("FAILED (SKIP=4, errors=5, failures=6)"), Some((true, 6, 5, 4)));
        assert_eq!(status("FAILED (failures=1, skipped=2)"), Some((true, 1, 0, 2)));
        assert_eq!(status("OK then"), None);
        assert_eq!(status("FAILED (badly)"), None);
        assert_eq!(ran("Ran 1 test in 0.000s"), Some(1));
        assert_eq!(ran("Ran 12 tests in a hurry"), None);
    }
}
