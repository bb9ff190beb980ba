//! The lines that cargo and libtest (Rust 1.95 and the forms since 1.40) write, each recognised by
//! its shape alone. What a line means where it stands is for the caller to say.

use crate::model::Outcome;

/// A line of cargo's own, which may be stuck to the end of what a test wrote.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::input) enum CargoLine<'t> {
    /// `Running … (…/deps/name-<hash>)` or `Doc-tests name`: the next test binary.
    Target(Target<'t>),
    /// `error: test failed, to rerun pass …`: the binary did not succeed.
    TargetFailed(&'t str),
}

/// A test binary as cargo announces it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::input) struct Target<'t> {
    /// The first part of the id of each of its tests, as far as the line tells.
    pub(in crate::input) id: String,
    /// What is run; `None` for the documentation of a library, which is run by several executables.
    pub(in crate::input) executable: Option<Executable<'t>>,
}

/// A file that cargo runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::input) struct Executable<'t> {
    /// Where it is, as cargo prints it.
    pub(in crate::input) path: &'t str,
    /// The name of the file: that of the target, `-` and a hash.
    pub(in crate::input) stem: &'t str,
    /// What it is compiled from, as far as cargo says, relative to its package.
    pub(in crate::input) source: &'t str,
}

impl<'t> Executable<'t> {
    /// The name of a file without folder and extension.
    pub(in crate::input) fn file_stem(path: &str) -> &str {
        let file = path.rsplit(['/', '\\']).next().unwrap_or(path);
        file.strip_suffix(".exe").or(file.strip_suffix(".wasm")).unwrap_or(file)
    }

    /// The name of the target, with `_` where that has `-`.
    pub(in crate::input) fn name(self) -> &'t str {
        self.stem.rsplit_once('-').map_or(self.stem, |(name, _)| name)
    }
}

impl Target<'_> {
    /// Whether it is the documentation of a library.
    pub(in crate::input) fn is_doc(&self) -> bool {
        self.executable.is_none()
    }
}

/// The counts of a `test result:` line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::input) struct Summary {
    pub(in crate::input) passed: u64,
    pub(in crate::input) failed: u64,
    pub(in crate::input) ignored: u64,
}

impl Summary {
    /// What `running N tests` must have said.
    pub(in crate::input) fn total(self) -> u64 {
        self.passed.saturating_add(self.failed).saturating_add(self.ignored)
    }
}

/// The status words of cargo, right-aligned as it prints them.
const RUNNING: &str = "     Running ";
const DOC_TESTS: &str = "   Doc-tests ";
const RERUN: &str = " failed, to rerun pass ";

impl<'t> CargoLine<'t> {
    /// Finds one at the end of a line, with the offset at which it begins.
    pub(in crate::input) fn find(line: &'t str) -> Option<(usize, Self)> {
        // Nearly every line is none of these, and to search for a short text is quick.
        if !line.contains("   ") && !line.contains("to rerun") {
            return None;
        }
        if let Some(at) = line.rfind(RUNNING)
            && let Some(target) = executable_target(&line[at + RUNNING.len()..])
        {
            return Some((at, Self::Target(target)));
        }
        if let Some(at) = line.rfind(DOC_TESTS) {
            let name = &line[at + DOC_TESTS.len()..];
            if is_crate_name(name) {
                let id = format!("{name}::doc");
                return Some((at, Self::Target(Target { id, executable: None })));
            }
        }
        let rerun = line.rfind(RERUN)?;
        let at = line[..rerun].rfind("error: ")?;
        let what = &line[at + "error: ".len()..rerun];
        let arguments = line[rerun + RERUN.len()..].trim();
        let quoted = arguments.trim_matches(['`', '\'']);
        (matches!(what, "test" | "doctest" | "bench" | "example") && quoted.len() < arguments.len())
            .then_some((at, Self::TargetFailed(quoted)))
    }
}

fn is_crate_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|char| char.is_alphanumeric() || "_-".contains(char))
}

/// Reads `unittests src/lib.rs (target/debug/deps/name-<hash>)` and its older forms without a
/// source (before 1.62) or without brackets (before 1.55).
fn executable_target(text: &str) -> Option<Target<'_>> {
    let (source, path) = match text.rsplit_once(" (") {
        Some((source, path)) => (source, path.strip_suffix(')')?),
        None => ("", text),
    };
    let path = path.trim_matches('`').split(' ').next()?;
    let stem = Executable::file_stem(path);
    let (name, hash) = stem.rsplit_once('-')?;
    if hash.len() != 16 || !hash.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let unit = source.strip_prefix("unittests ");
    let id = format!("{}{name}", unit.map_or("", source_kind));
    let source = unit.unwrap_or(source);
    Some(Target { id, executable: Some(Executable { path, stem, source }) })
}

/// What goes before the name of a crate's own unit tests, so that a library and a program of one
/// name stay apart.
fn source_kind(source: &str) -> &'static str {
    let source = source.replace('\\', "/");
    if source.starts_with("examples/") || source.contains("/examples/") {
        "example/"
    } else if source.starts_with("benches/") {
        "bench/"
    } else if source.contains("/bin/") || source.ends_with("main.rs") {
        "bin/"
    } else {
        ""
    }
}

/// The id of the target in the arguments that cargo names after a failure: `-p a --test b` is `a::b`.
pub(in crate::input) fn rerun_target(arguments: &str) -> String {
    let mut package = None;
    let mut target = None;
    let mut words = arguments.split_whitespace();
    while let Some(word) = words.next() {
        match word.strip_prefix("--").unwrap_or(word) {
            "-p" | "package" => package = words.next(),
            "test" => target = words.next().map(str::to_owned),
            kind @ ("bin" | "example" | "bench") => {
                target = words.next().map(|name| format!("{kind}/{name}"));
            }
            "doc" => target = Some("doc".to_owned()),
            _ => {}
        }
    }
    match (package, target) {
        // That of a library is only named in the output, not here; nearly always it is this one.
        (Some(package), Some(target)) if target == "doc" => {
            format!("{}::doc", package.replace('-', "_"))
        }
        (Some(package), Some(target)) => format!("{package}::{target}"),
        (Some(package), None) => package.to_owned(),
        (None, Some(target)) => target,
        (None, None) => arguments.trim_start_matches("--").to_owned(),
    }
}

/// The number in `running 3 tests`.
pub(in crate::input) fn announced(line: &str) -> Option<u64> {
    let (number, unit) = line.strip_prefix("running ")?.split_once(' ')?;
    matches!(unit, "test" | "tests").then(|| number.parse().ok())?
}

/// The counts in `test result: ok. 2 passed; 0 failed; …`.
pub(in crate::input) fn summary(line: &str) -> Option<Summary> {
    let counts = line.strip_prefix("test result: ")?;
    let counts = counts.strip_prefix("ok. ").or_else(|| counts.strip_prefix("FAILED. "))?;
    let mut counts = counts.split(';').map(|count| count.trim().split_once(' '));
    let mut next = |what: &str| {
        let (number, word) = counts.next()??;
        (word == what).then(|| number.parse::<u64>().ok())?
    };
    let (passed, failed, ignored) = (next("passed")?, next("failed")?, next("ignored")?);
    let passed = passed.saturating_add(next("measured").unwrap_or(0));
    Some(Summary { passed, failed, ignored })
}

/// A line that starts a test, and perhaps ends it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TestLine<'t> {
    /// Without ` - should panic` and its like.
    pub(super) name: &'t str,
    /// How it ended, and why it was ignored, if the line says so.
    pub(super) end: Option<(Outcome, Option<&'t str>)>,
    /// What stands where the outcome should be.
    pub(super) tail: &'t str,
    /// Whether something else stands before it.
    pub(super) is_stuck: bool,
}

/// Reads `test name ... ok`, also behind what a test wrote without a line end.
pub(super) fn test_line(line: &str) -> Option<TestLine<'_>> {
    if let Some((name, tail)) = line.strip_prefix("test ").and_then(split_name) {
        let name = plain_name(name);
        return Some(TestLine { name, end: outcome(tail), tail, is_stuck: false });
    }
    let at = line.rfind("test ")?;
    let (name, tail) = split_name(&line[at + "test ".len()..])?;
    let (name, end) = (plain_name(name), outcome(tail)?);
    looks_like_a_test(name).then_some(TestLine { name, end: Some(end), tail, is_stuck: true })
}

fn split_name(text: &str) -> Option<(&str, &str)> {
    let (name, tail) =
        text.split_once(" ... ").or_else(|| Some((text.strip_suffix(" ...")?, "")))?;
    (!name.trim().is_empty()).then_some((name.trim_end(), tail))
}

fn outcome(tail: &str) -> Option<(Outcome, Option<&str>)> {
    match tail {
        "ok" => Some((Outcome::Passed, None)),
        "FAILED" | "FAILED (time limit exceeded)" => Some((Outcome::Failed, None)),
        "ignored" => Some((Outcome::Skipped, None)),
        _ if tail.starts_with("bench: ") => Some((Outcome::Passed, None)),
        _ => tail.strip_prefix("ignored, ").map(|why| (Outcome::Skipped, Some(why))),
    }
}

/// The outcome on a line of its own, behind the output of a test that was not captured.
pub(super) fn bare_outcome(line: &str) -> Option<Outcome> {
    match line {
        "ok" => Some(Outcome::Passed),
        "FAILED" => Some(Outcome::Failed),
        _ => None,
    }
}

/// The outcome that may be stuck to output without a line end.
pub(super) fn stuck_outcome(line: &str) -> Option<Outcome> {
    match line {
        _ if line.ends_with("ok") => Some(Outcome::Passed),
        _ if line.ends_with("FAILED") => Some(Outcome::Failed),
        _ => None,
    }
}

/// The name in `name --- FAILED`, which `-q` prints among its dots.
pub(super) fn quiet_failure(line: &str) -> Option<&str> {
    line.strip_suffix(" --- FAILED").map(plain_name).filter(|name| !name.is_empty())
}

/// How many tests passed, failed and were ignored by a line of `-q`: `..i. 88/100`.
pub(super) fn dots(line: &str) -> Option<Summary> {
    let (dots, counter) = line.split_once(' ').unwrap_or((line, ""));
    let is_counter = |char: char| char.is_ascii_digit() || char == '/';
    if dots.is_empty() || !counter.chars().all(is_counter) {
        return None;
    }
    let mut summary = Summary::default();
    for dot in dots.bytes() {
        match dot {
            b'.' => summary.passed += 1,
            b'F' => summary.failed += 1,
            b'i' => summary.ignored += 1,
            _ => return None,
        }
    }
    Some(summary)
}

/// A name without what libtest and rustdoc append to it.
fn plain_name(name: &str) -> &str {
    let suffixes = [" - should panic", " - compile fail", " - compile"];
    suffixes.iter().find_map(|suffix| name.strip_suffix(suffix)).unwrap_or(name)
}

/// Whether a name is a path of Rust, or a place in documentation.
pub(super) fn looks_like_a_test(name: &str) -> bool {
    let is_path = name.chars().all(|char| char.is_alphanumeric() || "_:#".contains(char));
    is_path || (name.contains(" - ") && name.contains("(line "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(line: &str) -> Option<String> {
        match CargoLine::find(line)?.1 {
            CargoLine::Target(target) => Some(target.id),
            CargoLine::TargetFailed(arguments) => Some(rerun_target(arguments)),
        }
    }

    #[test]
    fn targets_have_the_names_of_their_executables() {
        let cases = [
            (
                "     Running unittests src/lib.rs (target/debug/deps/hay_loft-0123456789abcdef)",
                "hay_loft",
            ),
            (
                "     Running unittests src/main.rs (target/debug/deps/hay_loft-0123456789abcdef)",
                "bin/hay_loft",
            ),
            (
                r"     Running unittests src\bin\rake.rs (target\debug\deps\rake-0123456789abcdef.exe)",
                "bin/rake",
            ),
            (
                "     Running unittests examples/mow.rs (target/debug/examples/mow-0123456789abcdef)",
                "example/mow",
            ),
            ("     Running tests/it/main.rs (target/debug/deps/it-0123456789abcdef)", "it"),
            (
                "     Running unittests benches/mow.rs (target/release/deps/mow-0123456789abcdef)",
                "bench/mow",
            ),
            ("     Running unittests (target/debug/deps/hay_loft-0123456789abcdef)", "hay_loft"),
            ("     Running target/debug/deps/hay_loft-0123456789abcdef", "hay_loft"),
            ("     Running `/t/debug/deps/hay_loft-0123456789abcdef --quiet`", "hay_loft"),
            ("   Doc-tests hay_loft", "hay_loft::doc"),
            ("test b ...      Running tests/it.rs (target/debug/deps/it-0123456789abcdef)", "it"),
            ("error: test failed, to rerun pass `-p hay-loft --lib`", "hay-loft"),
            ("error: test failed, to rerun pass `--lib`", "lib"),
            ("error: test failed, to rerun pass `-p hay-loft --test it`", "hay-loft::it"),
            ("error: test failed, to rerun pass `-p hay --bin rake`", "hay::bin/rake"),
            ("..error: test failed, to rerun pass '--test it'", "it"),
            ("error: doctest failed, to rerun pass `-p hay-loft --doc`", "hay_loft::doc"),
        ];
        for (line, id) in cases {
            assert_eq!(target(line).as_deref(), Some(id), "{line}");
        }
    }

    #[test]
    fn what_only_resembles_a_line_of_cargo_is_none() {
        for line in [
            "     Running `rustc --crate-name hay src/lib.rs`",
            "     Running (like the wind)",
            "   Doc-tests are nice",
            "error: hay failed, to rerun pass `--lib`",
            "error: test failed, to rerun pass on it",
        ] {
            assert_eq!(target(line), None, "{line}");
        }
    }

    #[test]
    fn suffixes_are_no_part_of_a_name() {
        let name = |line| test_line(line).map(|line| line.name);
        assert_eq!(name("test a::b - should panic ... ok"), Some("a::b"));
        assert_eq!(
            name("test src/lib.rs - a (line 3) - compile fail ... ok"),
            Some("src/lib.rs - a (line 3)")
        );
        assert_eq!(
            name("test src/lib.rs - a (line 3) - compile ... ok"),
            Some("src/lib.rs - a (line 3)")
        );
        assert_eq!(name("some outputtest a::b ... ok"), Some("a::b"));
        assert_eq!(name("the best test is ... ok"), Some("is"));
        assert_eq!(name("a test of hay ... maybe"), None);
    }
}
