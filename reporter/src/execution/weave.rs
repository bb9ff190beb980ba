//! Puts the two streams of `cargo test` together, whatever order they arrived in.
//!
//! Cargo announces each test binary on standard error, and the binary reports on standard output, as text or as JSON. Two
//! pipes do not tell which line came first, and a busy machine delivers them the wrong way round. But the
//! announcements and the reports have the same order, so their number is enough.

/// How libtest begins what it says about a whole binary in JSON.
const SUITE: &str = "{ \"type\": \"suite\", ";

/// Both streams as one text, with each announcement before its report. `None` when the streams do not look like
/// cargo's, or the numbers differ: then the order of arrival is the best guess.
///
/// Documentation tests may make several reports after one announcement (since the 2024 edition, merged ones
/// and others), which is understood when it is the last.
pub(super) fn weave(stdout: &[u8], stderr: &[u8]) -> Option<Vec<u8>> {
    let announcements = Sections::of(stderr, is_announcement);
    let last = announcements.sections.last()?;
    let fits = |reports: &Sections<'_>| {
        let several =
            is_documentation(last) && reports.sections.len() > announcements.sections.len();
        reports.sections.len() == announcements.sections.len() || several
    };
    let reports =
        [whole_reports(stdout), Sections::of(stdout, is_report)].into_iter().find(fits)?;
    let mut woven = Vec::with_capacity(stdout.len() + stderr.len());
    woven.extend_from_slice(announcements.before);
    woven.extend_from_slice(reports.before);
    for (index, report) in reports.sections.iter().enumerate() {
        match announcements.sections.get(index) {
            Some(announcement) => {
                let (line, rest) = announcement.split_at(line_length(announcement));
                for piece in [line, report, rest] {
                    push_lines(&mut woven, piece);
                }
            }
            None => push_lines(&mut woven, report),
        }
    }
    Some(woven)
}

/// The reports that stand alone: a failed test may have printed one of tests that it ran itself, before its own
/// binary came to its result. A binary that crashes never does; then all reports have to be counted.
fn whole_reports(stdout: &[u8]) -> Sections<'_> {
    let mut open = false;
    Sections::of(stdout, |line| {
        let first = !open && is_report(line);
        open = (open || first) && !is_result(line);
        first
    })
}

/// A text cut before each line of a kind.
struct Sections<'a> {
    before: &'a [u8],
    sections: Vec<&'a [u8]>,
}

impl<'a> Sections<'a> {
    fn of(text: &'a [u8], mut is_first: impl FnMut(&str) -> bool) -> Self {
        let mut cuts = Vec::new();
        let mut at = 0;
        while at < text.len() {
            let length = line_length(&text[at..]);
            if is_first(plain(&text[at..at + length]).trim()) {
                cuts.push(at);
            }
            at += length;
        }
        let before = &text[..cuts.first().copied().unwrap_or(text.len())];
        let ends = cuts.iter().skip(1).copied().chain([text.len()]);
        let sections = cuts.iter().zip(ends).map(|(from, to)| &text[*from..to]).collect();
        Self { before, sections }
    }
}

/// `Running unittests src/lib.rs (target/…)`, `Running tests/it.rs (target/…)`, `Doc-tests name`.
fn is_announcement(line: &str) -> bool {
    line.strip_prefix("Running ").is_some_and(|rest| rest.contains(" (") && rest.ends_with(')'))
        || line.strip_prefix("Doc-tests ").is_some_and(|name| !name.contains(' '))
}

fn is_documentation(section: &[u8]) -> bool {
    plain(&section[..line_length(section)]).trim().starts_with("Doc-tests ")
}

/// `running 12 tests`, or the same as JSON.
fn is_report(line: &str) -> bool {
    if line.starts_with(SUITE) {
        return line.contains("\"event\": \"started\"");
    }
    let Some((count, noun)) = line.strip_prefix("running ").and_then(|rest| rest.split_once(' '))
    else {
        return false;
    };
    count.bytes().all(|byte| byte.is_ascii_digit()) && matches!(noun, "test" | "tests")
}

/// `test result: ok. 12 passed; …`, or the same as JSON.
fn is_result(line: &str) -> bool {
    line.starts_with("test result: ") || line.starts_with(SUITE) && !is_report(line)
}

/// The length of the first line, its end included.
fn line_length(text: &[u8]) -> usize {
    text.iter().position(|byte| *byte == b'\n').map_or(text.len(), |at| at + 1)
}

/// A line without colours; empty when it is too long to be cargo's or libtest's own.
fn plain(line: &[u8]) -> String {
    const LINE_BYTES_MAX: usize = 8 * 1024;
    let line = if line.len() > LINE_BYTES_MAX { b"" } else { line };
    let text = String::from_utf8_lossy(line);
    let mut pieces = text.split('\u{1b}');
    let mut plain = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        // A colour ends in `m`.
        plain.push_str(piece.split_once('m').map_or(piece, |(_, rest)| rest));
    }
    plain
}

fn push_lines(text: &mut Vec<u8>, lines: &[u8]) {
    text.extend_from_slice(lines);
    if lines.last().is_some_and(|byte| *byte != b'\n') {
        text.push(b'\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STDERR: &str = "   Compiling a\n     Running unittests src/lib.rs (target/a-1)\n     \
        Running tests/it.rs (target/it-2)\nerror: test failed\n";

    fn woven(stdout: &str, stderr: &str) -> Option<String> {
        weave(stdout.as_bytes(), stderr.as_bytes()).map(|text| String::from_utf8(text).unwrap())
    }

    #[test]
    fn each_announcement_comes_before_its_report() {
        let stdout = "\nrunning 1 test\ntest a ... ok\ntest result: ok.\n\nrunning 2 tests\ntest b ... FAILED";
        let expected = "   Compiling a\n\n     Running unittests src/lib.rs (target/a-1)\nrunning 1 test\n\
            test a ... ok\ntest result: ok.\n\n     Running tests/it.rs (target/it-2)\nrunning 2 tests\n\
            test b ... FAILED\nerror: test failed\n";
        assert_eq!(woven(stdout, STDERR).unwrap(), expected);
    }

    #[test]
    fn colours_do_not_matter() {
        let stderr = "\u{1b}[1m\u{1b}[92m     Running\u{1b}[0m tests/it.rs (x)\n";
        assert!(woven("running 0 tests\n", stderr).is_some());
    }

    #[test]
    fn documentation_tests_may_report_twice() {
        let report = |count| format!("running {count} tests\ntest result: ok.\n");
        let stderr = "Running a (b)\nDoc-tests a\nall doctests ran in 0.1s\n";
        let expected = [
            "Running a (b)\n",
            &report(1),
            "Doc-tests a\n",
            &report(2),
            "all doctests ran in 0.1s\n",
            &report(3),
        ];
        assert_eq!(
            woven(&(report(1) + &report(2) + &report(3)), stderr).unwrap(),
            expected.concat()
        );
    }

    #[test]
    fn a_report_inside_a_report_is_output() {
        let stdout = "running 1 test\n---- a stdout ----\nrunning 9 tests\ntest result: ok.\n\
            test result: FAILED.\nrunning 2 tests\ntest result: ok.\n";
        let stderr = "Running a (b)\nDoc-tests a\n";
        let woven = woven(stdout, stderr).unwrap();
        assert!(woven.ends_with("Doc-tests a\nrunning 2 tests\ntest result: ok.\n"), "{woven}");
    }

    #[test]
    fn a_crash_leaves_a_report_without_its_result() {
        let stdout =
            "running 1 test\ntest a ...running 2 tests\nrunning 2 tests\ntest result: ok.\n";
        let woven = woven(stdout, STDERR).unwrap();
        assert!(woven.contains("Running tests/it.rs (target/it-2)\nrunning 2 tests\ntest result"));
    }

    #[test]
    fn reports_may_be_json() {
        let suite = |event| format!("{{ \"type\": \"suite\", \"event\": \"{event}\" }}\n");
        let report = |end| suite("started") + "{ \"type\": \"test\" }\n" + &suite(end);
        let expected = [
            "   Compiling a\n     Running unittests src/lib.rs (target/a-1)\n",
            &report("ok"),
            "     Running tests/it.rs (target/it-2)\n",
            &report("failed"),
            "error: test failed\n",
        ];
        assert_eq!(woven(&(report("ok") + &report("failed")), STDERR).unwrap(), expected.concat());
    }

    #[test]
    fn other_streams_are_left_alone() {
        assert_eq!(woven("running 1 test\n", STDERR), None);
        assert_eq!(woven("hello\n", "Running late (again)\n"), None);
        assert_eq!(woven("running 1 test\n", ""), None);
    }
}
