//! [`Traceback`]: what Python says about one failure, as evidence.

use crate::model::Evidence;

/// What a report says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Traceback {
    pub(super) evidence: Evidence,
    pub(super) file: Option<String>,
    pub(super) line: Option<i64>,
}

/// Where a part of a report goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Traceback,
    Output,
    Errout,
}

impl Traceback {
    /// Reads a traceback, with what nose (`>> begin captured stdout <<`) and `unittest --buffer`
    /// (`Stdout:`) append to it.
    pub(super) fn parse(body: &str) -> Self {
        let (captured, details) = split(body, unittest_part);
        Self::of(&details).with_text(captured, &details)
    }

    /// Reads a report of pytest, in which `E` marks what was raised and the last line says where;
    /// with `--tb=native` and for unittest's classes it can be a plain traceback.
    pub(super) fn parse_pytest(body: &str) -> Self {
        let (captured, details) = split(body, pytest_part);
        let mut found = Self::of(&details);
        let mut was_raised = false;
        for line in details.lines() {
            let raised = line.strip_prefix("E  ").map(str::trim);
            if let Some(raised) = raised.filter(|_| !was_raised) {
                found.evidence = exception(raised);
            } else if let Some((file, number, kind)) = place(line) {
                (found.file, found.line) = (Some(file.to_owned()), Some(number));
                if !kind.is_empty() {
                    found.evidence.kind = Some(kind.to_owned());
                }
            }
            was_raised = raised.is_some();
        }
        found.with_text(captured, &details)
    }

    fn with_text(mut self, captured: Evidence, details: &str) -> Self {
        self.evidence.details = filled(details);
        self.evidence.output = captured.output;
        self.evidence.errout = captured.errout;
        self
    }

    /// Reads the exception at the end of the last traceback.
    fn of(details: &str) -> Self {
        let mut found = Self::default();
        let mut raised = None;
        for line in details.lines() {
            if let Some((file, number)) = frame(line) {
                found.file = Some(file.to_owned());
                found.line = Some(number);
                raised = None;
            } else if raised.is_none() && !line.starts_with(char::is_whitespace) {
                raised = Some(line).filter(|line| !line.is_empty());
            }
        }
        found.evidence = raised.map(exception).unwrap_or_default();
        found
    }
}

/// Splits `AssertionError: why`.
fn exception(raised: &str) -> Evidence {
    let class = raised.split(": ").next().unwrap_or(raised);
    let is_class = class.chars().all(|char| char.is_alphanumeric() || "_.".contains(char));
    let kind = (is_class && !class.is_empty()).then(|| class.to_owned());
    Evidence { message: Some(raised.to_owned()), kind, ..Evidence::default() }
}

/// Splits captured output off a report. Gives it, and the rest.
fn split(body: &str, part_after: impl Fn(&str) -> Option<Part>) -> (Evidence, String) {
    let (mut details, mut output, mut errout) = (String::new(), String::new(), String::new());
    let mut part = Part::Traceback;
    for line in body.lines() {
        if let Some(next) = part_after(line) {
            part = next;
            continue;
        }
        let text = match part {
            Part::Traceback => &mut details,
            Part::Output => &mut output,
            Part::Errout => &mut errout,
        };
        text.push_str(line);
        text.push('\n');
    }
    let evidence =
        Evidence { output: filled(&output), errout: filled(&errout), ..Evidence::default() };
    (evidence, details)
}

/// Reads `--- Captured stdout call ---`.
fn pytest_part(line: &str) -> Option<Part> {
    let title = line.strip_prefix("---")?.strip_suffix("---")?.trim_matches('-').trim();
    let stream = title.strip_prefix("Captured ")?;
    Some(if stream.starts_with("stdout") { Part::Output } else { Part::Errout })
}

/// Reads `tests/test_x.py:3: AssertionError`.
fn place(line: &str) -> Option<(&str, i64, &str)> {
    let (place, kind) = line.split_once(": ").or_else(|| Some((line.strip_suffix(':')?, "")))?;
    let (file, number) = place.rsplit_once(':')?;
    let is_file = !file.is_empty() && !file.contains([' ', '\t']);
    is_file.then(|| Some((file, number.parse().ok()?, kind)))?
}

fn unittest_part(line: &str) -> Option<Part> {
    match line.trim_matches(['-', ' ']) {
        ">> begin captured stdout <<" => Some(Part::Output),
        ">> begin captured logging <<" | ">> begin captured stderr <<" => Some(Part::Errout),
        text if text.starts_with(">> end captured ") => Some(Part::Traceback),
        _ => match line {
            "Stdout:" => Some(Part::Output),
            "Stderr:" => Some(Part::Errout),
            _ => None,
        },
    }
}

/// Reads `  File "path", line 3, in name`.
fn frame(line: &str) -> Option<(&str, i64)> {
    let (file, rest) = line.strip_prefix("  File \"")?.split_once("\", line ")?;
    let digits = rest.split(|char: char| !char.is_ascii_digit()).next()?;
    Some((file, digits.parse().ok()?))
}

fn filled(text: &str) -> Option<String> {
    let text = text.trim_matches('\n');
    (!text.trim().is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exception_is_behind_the_last_frame() {
        let found = Traceback::parse(
            "Traceback (most recent call last):\n  File \"/hay/barn.py\", line 3, in fill\n    \
             raise Full()\nbarn.Full\n\nDuring handling of the above exception, another exception \
             occurred:\n\nTraceback (most recent call last):\n  File \"/hay/test.py\", line 7, in test\n    \
             self.assertEqual(a, b)\n    ^^^^^^\nAssertionError: 'a' != 'b'\n- a\n+ b\n : more\n",
        );
        assert_eq!(found.evidence.message.as_deref(), Some("AssertionError: 'a' != 'b'"));
        assert_eq!(found.evidence.kind.as_deref(), Some("AssertionError"));
        assert_eq!((found.file.as_deref(), found.line), (Some("/hay/test.py"), Some(7)));
    }

    #[test]
    fn an_exception_without_a_frame_is_still_one() {
        let found = Traceback::parse("ImportError: no hay\n\n");
        assert_eq!(found.evidence.kind.as_deref(), Some("ImportError"));
        assert_eq!(found.evidence.details.as_deref(), Some("ImportError: no hay"));
    }

    #[test]
    fn captured_output_is_kept_apart() {
        let nose = "AssertionError\n-------------------- >> begin captured stdout << ---------------------\n\
                    out\n\n--------------------- >> end captured stdout << ----------------------\n\
                    -------------------- >> begin captured logging << --------------------\nlog\n\
                    --------------------- >> end captured logging << ---------------------\n";
        let unittest = "AssertionError\n\nStdout:\nout\n\nStderr:\nlog\n";
        for body in [nose, unittest] {
            let found = Traceback::parse(body).evidence;
            assert_eq!(found.details.as_deref(), Some("AssertionError"));
            assert_eq!(found.output.as_deref(), Some("out"));
            assert_eq!(found.errout.as_deref(), Some("log"));
        }
    }
}
