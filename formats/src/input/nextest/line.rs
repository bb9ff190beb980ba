//! The lines of nextest's text (0.9.143 and the forms since 0.9.30), each recognised by its shape
//! alone. What a line means where it stands is for the caller to say.

use crate::model::Outcome;

/// The width of the word at the beginning of a line, which is right-aligned.
const WORD_WIDTH: usize = 12;

/// The kind of failure of a test that left a process behind.
const LEAK: &str = "leak";

/// The kind of failure of a test that passed only when it was run again.
const FLAKY: &str = "flaky";

/// `PASS [   0.005s] (1/51) package::binary path`.
#[derive(Debug, PartialEq)]
pub(super) struct Status<'t> {
    pub(super) verdict: Verdict,
    /// Counts from 1, where nextest says it.
    pub(super) attempt: Option<usize>,
    pub(super) seconds: Option<f64>,
    /// How many tests had ended, and of how many.
    pub(super) counter: Option<(u64, u64)>,
    /// The round of a stress run, in brackets, or nothing.
    pub(super) round: &'t str,
    /// Binary and test, as other lines name them.
    pub(super) instance: &'t str,
    pub(super) binary: &'t str,
    pub(super) test: &'t str,
}

/// What a status line says about a test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is running, or waits to be run again.
    Running,
    /// It ended, with the kind of failure where it is not a plain one.
    Ended(Outcome, Option<String>),
}

/// Reads a status line.
pub(super) fn status(line: &str) -> Option<Status<'_>> {
    let (word, seconds, rest) = bracketed(line)?;
    let (attempt, verdict) = verdict(word, seconds)?;
    let (round, rest) = round(rest);
    let (counter, instance) = counter(rest)?;
    let (binary, test) = instance.split_once(' ')?;
    let odd = |char: char| !char.is_alphanumeric() && !"_-:/.@".contains(char);
    if binary.is_empty() || binary.contains(odd) || test.is_empty() {
        return None;
    }
    let seconds = seconds.strip_suffix('s').and_then(|seconds| seconds.parse().ok());
    let seconds = seconds.filter(|seconds: &f64| seconds.is_finite() && *seconds >= 0.0);
    Some(Status { verdict, attempt, seconds, counter, round, instance, binary, test })
}

/// Splits `        PASS [   0.005s] rest` into word, time and rest.
fn bracketed(line: &str) -> Option<(&str, &str, &str)> {
    let (head, rest) = line.split_once(" [")?;
    let word = head.trim_start_matches(' ');
    if word.is_empty() || head.len() != word.len().max(WORD_WIDTH) {
        return None;
    }
    let (time, rest) = rest.split_once("] ")?;
    Some((word, time.trim(), rest))
}

/// Splits off the `[2/3] ` of a stress run.
fn round(rest: &str) -> (&str, &str) {
    match rest.strip_prefix('[').and_then(|rest| rest.split_once("] ")) {
        Some((_, after)) => rest.split_at(rest.len() - after.len()),
        None => ("", rest),
    }
}

fn verdict(word: &str, time: &str) -> Option<(Option<usize>, Verdict)> {
    if let Some(rest) = word.strip_prefix("TRY ") {
        let (attempt, word) = rest.split_once(' ')?;
        let verdict = plain_verdict(word, time).or_else(|| signal(word))?;
        return Some((Some(attempt.parse().ok()?), verdict));
    }
    let retried = |rest: &str| rest.split_once('/')?.0.parse().ok();
    if let Some(rest) = word.strip_prefix("FLAKY ") {
        return Some((Some(retried(rest)?), Verdict::Ended(Outcome::Flaky, None)));
    }
    if let Some(rest) = word.strip_prefix("FLKY-FL ") {
        return Some((Some(retried(rest)?), flaky_failure()));
    }
    if word.starts_with("RETRY ") {
        return Some((None, Verdict::Running));
    }
    let verdict = plain_verdict(word, time);
    Some((
        None,
        verdict.or_else(|| signal(word.strip_prefix("SIG").or(word.strip_prefix("ABORT "))?))?,
    ))
}

/// A test that passed in the end, but was told not to need another attempt.
pub(super) fn flaky_failure() -> Verdict {
    Verdict::Ended(Outcome::Failed, Some(FLAKY.to_owned()))
}

/// Whether a kind of failure that these lines name means that a test did not end by itself.
pub(super) fn is_crash(kind: &str) -> bool {
    !matches!(kind, LEAK | FLAKY)
}

fn plain_verdict(word: &str, time: &str) -> Option<Verdict> {
    let (outcome, kind) = match word {
        "SLOW" if time.starts_with('>') => return Some(Verdict::Running),
        "START" | "TERMINATING" | "TRMNTG" => return Some(Verdict::Running),
        "PASS" | "LEAK" | "TIMEOUT-PASS" | "TMPASS" => (Outcome::Passed, ""),
        "SLOW" | "SLOW + LEAK" | "SLOW+TMPASS" => (Outcome::Passed, ""),
        "FAIL" | "FAIL + LEAK" | "FL+LK" => (Outcome::Failed, ""),
        "LEAK-FAIL" | "LKFAIL" => (Outcome::Failed, LEAK),
        "TIMEOUT" | "TMT" => (Outcome::Errored, "timeout"),
        "XFAIL" => (Outcome::Errored, "exec failure"),
        "ABORT" => (Outcome::Errored, "abort"),
        "SKIP" => (Outcome::Skipped, ""),
        _ => return None,
    };
    Some(Verdict::Ended(outcome, (!kind.is_empty()).then(|| kind.to_owned())))
}

/// Reads a signal without its `SIG`, as in `SEGV` and `SIG 65`.
fn signal(word: &str) -> Option<Verdict> {
    let number = word.strip_prefix("SIG ").map(|number| number.parse::<u32>());
    let is_name = word.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    let kind = match number {
        Some(number) => format!("signal {}", number.ok()?),
        None if is_name && !word.is_empty() => format!("SIG{word}"),
        None => return None,
    };
    Some(Verdict::Ended(Outcome::Errored, Some(kind)))
}

/// Splits off `(  3/100) `, or what nextest draws there while a test is running.
fn counter(rest: &str) -> Option<(Option<(u64, u64)>, &str)> {
    let Some((inside, after)) = rest.strip_prefix('(').and_then(|rest| rest.split_once(") "))
    else {
        return Some((None, rest));
    };
    if !inside.is_empty() && inside.chars().all(|char| matches!(char, '─' | '-')) {
        return Some((None, after));
    }
    let (ended, of) = inside.trim().split_once('/')?;
    Some((Some((ended.parse().ok()?, of.parse().ok()?)), after))
}

/// The script that `SETUP FAIL [   0.001s] name: command` is about, if it did not succeed.
pub(super) fn failed_setup(line: &str) -> Option<&str> {
    let (word, time, rest) = bracketed(line)?;
    let verdict = word.strip_prefix("SETUP ")?;
    let is_bad = !matches!(verdict, "PASS" | "LEAK" | "SLOW" | "START") && !time.starts_with('>');
    let (_, rest) = round(rest);
    is_bad
        .then(|| rest.split_once(": ").map_or(rest, |(name, _)| name))
        .filter(|name| !name.is_empty())
}

/// The number in `    Starting 21 tests across 4 binaries`.
pub(super) fn starting(line: &str) -> Option<u64> {
    let (number, rest) = line.strip_prefix("    Starting ")?.split_once(' ')?;
    let (unit, rest) = rest.split_once(' ')?;
    let is_unit = matches!(unit, "test" | "tests" | "benchmark" | "benchmarks");
    (is_unit && rest.starts_with("across ")).then(|| number.parse().ok())?
}

/// The line that nextest draws before its summary.
pub(super) fn is_bar(line: &str) -> bool {
    line.chars().count() == WORD_WIDTH && line.chars().all(|char| matches!(char, '─' | '-'))
}

/// The counts of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Summary {
    /// The number of tests that were to be run.
    pub(super) initial: u64,
    /// The number of tests that were run.
    pub(super) run: u64,
    /// Flaky ones included.
    pub(super) passed: u64,
    pub(super) flaky: u64,
    /// Those that timed out or could not be executed included.
    pub(super) failed: u64,
    pub(super) skipped: u64,
}

/// A line that sums up.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Sum {
    /// All of the run.
    Run(Summary),
    /// One round of a stress run.
    Round(Summary),
    /// The end of a stress run, which counts rounds.
    Rounds,
}

/// Reads `     Summary [   0.735s] 21 tests run: 13 passed, 8 failed, 2 skipped` and its like.
pub(super) fn sum(line: &str) -> Option<Sum> {
    let (word, _, rest) = bracketed(line)?;
    match word {
        "Summary" if rest.contains(" stress run iteration") => Some(Sum::Rounds),
        "Summary" => Some(Sum::Run(summary(rest)?)),
        "Stress test" => {
            let (_, counts) = rest.strip_prefix("iteration ")?.split_once(": ")?;
            Some(Sum::Round(summary(counts)?))
        }
        _ => None,
    }
}

fn summary(text: &str) -> Option<Summary> {
    let (numbers, rest) = text.split_once(' ')?;
    let (run, initial) = numbers.split_once('/').unwrap_or((numbers, numbers));
    let (run, initial) = (run.parse().ok()?, initial.parse().ok()?);
    let (unit, counts) = rest.split_once(" run: ")?;
    if !matches!(unit, "test" | "tests" | "benchmark" | "benchmarks") {
        return None;
    }
    let mut summary = Summary { initial, run, ..Summary::default() };
    for part in counts.split([',', '(', ')']) {
        let Some((number, what)) = part.trim().split_once(' ') else { continue };
        let Ok(number) = number.parse::<u64>() else { continue };
        match what {
            "passed" => summary.passed = number,
            "flaky" => summary.flaky = number,
            "failed" | "exec failed" | "timed out" => {
                summary.failed = summary.failed.saturating_add(number);
            }
            "skipped" => summary.skipped = number,
            _ => {}
        }
    }
    (summary.flaky <= summary.passed).then_some(summary)
}

/// Which output of a test follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stream {
    Stdout,
    Stderr,
    /// Why it could not be executed.
    Error,
}

/// A line above the output of a test.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Header<'t> {
    pub(super) stream: Stream,
    /// Whether the output is indented, so that it cannot be taken for anything else.
    pub(super) is_indented: bool,
    /// The test, where the line names it (before 0.9.93).
    pub(super) instance: Option<&'t str>,
}

/// Reads `  stdout ───`, `── stdout ──` without indentation, or `--- STDOUT:  binary test ---`.
pub(super) fn header(line: &str) -> Option<Header<'_>> {
    let is_rule = |char: char| matches!(char, '─' | '-');
    let inside = line.trim_matches(|char: char| is_rule(char) || char == ' ');
    let stream = |word: &str| match word {
        "stdout" | "output" | "STDOUT" | "OUTPUT" => Some(Stream::Stdout),
        "stderr" | "STDERR" => Some(Stream::Stderr),
        "execfail" | "EXECFAIL" => Some(Stream::Error),
        _ => None,
    };
    if !line.contains(is_rule) {
        return None;
    }
    if let Some(stream) = stream(inside).filter(|_| inside.starts_with(char::is_lowercase)) {
        let is_indented = line.starts_with("  ") && line.ends_with(is_rule);
        let is_framed = line.starts_with(is_rule) && line.ends_with(is_rule);
        return (is_indented || is_framed).then_some(Header {
            stream,
            is_indented,
            instance: None,
        });
    }
    let (word, instance) = inside.split_once(':')?;
    let word =
        word.strip_prefix("TRY ").and_then(|rest| Some(rest.split_once(' ')?.1)).unwrap_or(word);
    let stream = stream(word).filter(|_| word.starts_with(char::is_uppercase))?;
    let instance = instance.strip_prefix("  ")?.trim_start();
    let is_framed = line.starts_with("---") || line.starts_with("────");
    is_framed.then_some(Header { stream, is_indented: false, instance: Some(instance) })
}

/// What `    (test aborted with signal 6: SIGABRT)` says, at the end of the output of a test.
pub(super) fn note(line: &str) -> Option<&str> {
    let note = line.strip_prefix("    (")?.strip_suffix(')')?;
    note.starts_with("test ").then_some(note)
}

/// What a line below a status line says about it, as in
/// `           - with code 0xc0000005: Access violation`.
pub(super) fn remark(line: &str) -> Option<&str> {
    line.strip_prefix("           - ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a word says, with the number of the attempt.
    fn word(word: &str) -> Option<(Outcome, String, Option<usize>)> {
        let line = format!("{word:>12} [   1.000s] ( 1/10) my-package::it path::of test");
        let status = status(&line)?;
        assert_eq!((status.binary, status.test), ("my-package::it", "path::of test"));
        assert_eq!((status.seconds, status.counter), (Some(1.0), Some((1, 10))));
        match status.verdict {
            Verdict::Ended(outcome, kind) => {
                Some((outcome, kind.unwrap_or_default(), status.attempt))
            }
            Verdict::Running => None,
        }
    }

    #[test]
    fn every_word_of_nextest_is_known() {
        use Outcome::{Errored, Failed, Flaky, Passed};
        let words = [
            ("PASS", Passed, "", None),
            ("LEAK", Passed, "", None),
            ("TIMEOUT-PASS", Passed, "", None),
            ("SLOW", Passed, "", None),
            ("SLOW + LEAK", Passed, "", None),
            ("SLOW+TMPASS", Passed, "", None),
            ("TRY 2 PASS", Passed, "", Some(2)),
            ("FLAKY 2/3", Flaky, "", Some(2)),
            ("FLKY-FL 2/3", Failed, "flaky", Some(2)),
            ("FAIL", Failed, "", None),
            ("FAIL + LEAK", Failed, "", None),
            ("LEAK-FAIL", Failed, "leak", None),
            ("TRY 10 LKFAIL", Failed, "leak", Some(10)),
            ("TRY 2 FL+LK", Failed, "", Some(2)),
            ("XFAIL", Errored, "exec failure", None),
            ("TIMEOUT", Errored, "timeout", None),
            ("TRY 2 TMT", Errored, "timeout", Some(2)),
            ("SIGSEGV", Errored, "SIGSEGV", None),
            ("TRY 1 ABRT", Errored, "SIGABRT", Some(1)),
            ("TRY 1 SIG 65", Errored, "signal 65", Some(1)),
            ("ABORT SIG 65", Errored, "signal 65", None),
            ("ABORT", Errored, "abort", None),
        ];
        for (text, outcome, kind, attempt) in words {
            assert_eq!(word(text), Some((outcome, kind.to_owned(), attempt)), "{text}");
        }
        for text in ["RETRY 2/3", "START", "TERMINATING", "TRY 1 TRMNTG", "SETUP PASS", "Summary"] {
            assert_eq!(word(text), None, "{text}");
        }
    }

    #[test]
    fn only_a_word_at_its_place_is_a_status() {
        for line in [
            "PASS [   1.000s] p a",
            "            PASS [   1.000s] p a",
            "        PASS [   1.000s] p",
            "        PASS [   1.000s] (1/) p a",
            "        PASS [   1.000s] p! a",
            "        PASS [   1.000s p a",
            "        PASS 1.000s] p a",
            "        Path [   1.000s] p a",
        ] {
            assert_eq!(status(line), None, "{line}");
        }
    }

    #[test]
    fn a_line_without_counter_and_one_of_a_stress_run_are_known() {
        let old = status("        PASS [   0.005s] p a").unwrap();
        assert_eq!((old.counter, old.round, old.instance), (None, "", "p a"));
        let stress = status("        SKIP [         ] [2/3] (────) p a").unwrap();
        assert_eq!((stress.counter, stress.round, stress.instance), (None, "[2/3] ", "p a"));
        assert_eq!(
            (stress.seconds, stress.verdict),
            (None, Verdict::Ended(Outcome::Skipped, None))
        );
    }

    #[test]
    fn a_summary_is_all_its_counts() {
        let line = "     Summary [  15.750s] 8/10 tests run: 5 passed (1 slow, 1 flaky, 1 leaky), \
                    2 failed (2 due to being leaky), 1 exec failed, 1 timed out, 2 skipped";
        let summary = Summary { initial: 10, run: 8, passed: 5, flaky: 1, failed: 4, skipped: 2 };
        assert_eq!(sum(line), Some(Sum::Run(summary)));
        assert_eq!(
            sum("     Summary [   0.1s] 5 stress run iterations: 5 passed"),
            Some(Sum::Rounds)
        );
        assert_eq!(sum("     Summary [   0.1s] 1 test run: 1 passed (2 flaky)"), None);
        assert_eq!(sum("     Summary [   0.1s] of contents"), None);
    }

    #[test]
    fn a_header_is_not_any_rule() {
        assert!(header("  stdout ───").unwrap().is_indented);
        assert!(!header("-- stderr --").unwrap().is_indented);
        assert_eq!(header("  execfail ─").unwrap().stream, Stream::Error);
        let old = header("--- TRY 1 STDERR:        p::it path::of-test ---").unwrap();
        assert_eq!((old.stream, old.instance), (Stream::Stderr, Some("p::it path::of-test")));
        for line in ["stdout", "stdout ───", "---- a stdout ----", "--- STDOUT ---", "  ───"]
        {
            assert_eq!(header(line), None, "{line}");
        }
    }
}
