//! One line of the stream.

use serde::Deserialize;

/// What happened. Unknown actions, such as `attr`, are not among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Start,
    Run,
    Pause,
    Cont,
    Pass,
    Bench,
    Fail,
    Output,
    Skip,
    BuildOutput,
    BuildFail,
}

const ACTIONS: [(&str, Action); 11] = [
    ("start", Action::Start),
    ("run", Action::Run),
    ("pause", Action::Pause),
    ("cont", Action::Cont),
    ("pass", Action::Pass),
    ("bench", Action::Bench),
    ("fail", Action::Fail),
    ("output", Action::Output),
    ("skip", Action::Skip),
    ("build-output", Action::BuildOutput),
    ("build-fail", Action::BuildFail),
];

/// An event of `go test -json` or `go build -json`.
#[derive(Debug)]
pub(super) struct Event {
    pub(super) action: Option<Action>,
    pub(super) package: Option<String>,
    pub(super) test: Option<String>,
    /// Seconds.
    pub(super) elapsed: Option<f64>,
    pub(super) output: Option<String>,
    pub(super) import_path: Option<String>,
    pub(super) failed_build: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Raw {
    action: Option<String>,
    package: Option<String>,
    test: Option<String>,
    elapsed: Option<f64>,
    output: Option<String>,
    import_path: Option<String>,
    failed_build: Option<String>,
}

impl Event {
    /// `None` when the line is something else.
    pub(super) fn read(line: &[u8]) -> Result<Option<Self>, serde_json::Error> {
        if !line.trim_ascii_start().starts_with(b"{") {
            return Ok(None);
        }
        let raw: Raw = serde_json::from_slice(line)?;
        let Some(word) = raw.action else { return Ok(None) };
        let action = ACTIONS.iter().find(|row| row.0 == word).map(|row| row.1);
        if action.is_none() && raw.package.is_none() {
            return Ok(None);
        }
        Ok(Some(Self {
            action,
            package: raw.package,
            test: raw.test,
            elapsed: raw.elapsed,
            output: raw.output,
            import_path: raw.import_path,
            failed_build: raw.failed_build,
        }))
    }
}

/// The package of a line such as `FAIL\texample.org/hay [build failed]`.
pub(super) fn unbuilt(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("FAIL")?.trim_start_matches(['\t', ' ']);
    let (name, why) = rest.split_once(" [")?;
    matches!(why.trim_end(), "build failed]" | "setup failed]").then_some(name)
}

/// Whether the testing package wrote this line to mark the beginning or the end of something.
pub(super) fn is_framing(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with("=== ")
        && ["RUN ", "PAUSE ", "CONT ", "NAME "].iter().any(|word| line[4..].starts_with(word))
        || line.starts_with("--- ")
            && ["PASS: ", "FAIL: ", "SKIP: ", "BENCH: "]
                .iter()
                .any(|word| line[4..].starts_with(word))
}

/// Whether `go` wrote this line about a package, and says nothing that its outcome does not.
pub(super) fn is_package_framing(line: &str) -> bool {
    let line = line.trim_end();
    matches!(line, "PASS" | "FAIL") || line.starts_with("FAIL\t") || line.starts_with("ok  \t")
}

/// A line such as `    hay_test.go:12: 3 bales, not 4`, or what the compiler writes.
pub(super) fn place(line: &str) -> Option<(&str, i64, &str)> {
    let line = line.trim();
    let (file, rest) = line.split_at(line.find(".go:")? + 3);
    let rest = rest.strip_prefix(':')?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let number = rest[..digits].parse().ok()?;
    let text = rest[digits..].strip_prefix(':').unwrap_or(&rest[digits..]);
    // The compiler has a column too.
    let column = text.bytes().take_while(u8::is_ascii_digit).count();
    let text = text[column..].strip_prefix(':').filter(|_| column > 0).unwrap_or(text);
    (!file.contains(char::is_whitespace)).then(|| (file, number, text.trim()))
}
