//! [`Runner`]: the test runners that are known, and how each is asked for its results in a form for programs, beside
//! what it prints for people.
//!
//! Everything about a runner is a row of a table; what is done with a row is the same for all. What the person typed
//! stays as it is, and nothing is asked of a runner that the person has asked for another report already.

mod known;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::input::Source;
use known::{LAUNCHERS, RUNNERS, Runner};

/// The places of the report and of our script in the words that ask for one.
const FILE: &str = "{file}";
const SCRIPT: &str = "{script}";

/// Bytes of a configuration that are read.
const CONFIGURATION_BYTES_MAX: usize = 1024 * 1024;

/// Words with which a runner says something of itself, and tests nothing.
const QUESTIONS: [&str; 3] = ["--help", "-h", "--version"];

/// Variables with which the person says whether programs print colours.
const COLOUR_VARIABLES: [&str; 4] = ["NO_COLOR", "FORCE_COLOR", "PY_COLORS", "CARGO_TERM_COLOR"];

/// Beginnings of words that say the same.
const COLOUR_WORDS: [&str; 2] = ["--color", "--no-color"];

/// A command with what it is asked besides.
#[derive(Debug, Default)]
pub(super) struct Asked {
    /// The command to run.
    pub(super) words: Vec<OsString>,
    /// Variables to run it with.
    pub(super) variables: Vec<(&'static str, &'static str)>,
    /// Patterns of reports that it writes by itself.
    pub(super) writes: &'static [&'static str],
    /// The folder of the report that was asked for. It goes when this is dropped.
    folder: Option<TempDir>,
}

impl Asked {
    /// What to run for a command, so that results can be read. `is_told` says that the person has named reports,
    /// `is_watched` that what it prints to either stream is shown on a terminal.
    pub(super) fn of(words: &[OsString], is_told: bool, is_watched: bool) -> Self {
        let mut asked = Self::nothing_of(words);
        let Some((runner, at)) = find(words) else { return asked };
        // Behind the others, as some options take all words that follow.
        let end = words[at..].iter().position(|word| word == "--").map(|end| at + end);
        let end = end.unwrap_or(words.len());
        let own: Vec<&str> = words[at..end].iter().filter_map(|word| word.to_str()).collect();
        let mut added = Vec::new();
        if is_watched && !runner.has_colours(&own) {
            added.extend(runner.colours.iter().map(OsString::from));
            asked.variables = runner.colour_variables.to_vec();
        }
        if !is_told && !runner.is_told(&own) {
            asked.writes = runner.writes;
            // Without a folder, what it prints is read.
            asked.folder = runner.folder();
            if let Some(folder) = &asked.folder {
                let places = [(FILE, report(folder.path())), (SCRIPT, script(folder.path()))];
                added.extend(runner.asks.iter().map(|word| with_paths(word, &places)));
            }
        }
        asked.words.splice(end..end, added);
        asked
    }

    /// A command that is asked nothing.
    pub(super) fn nothing_of(words: &[OsString]) -> Self {
        Self { words: words.to_vec(), ..Self::default() }
    }

    /// Whether a report was asked for.
    pub(super) fn for_report(&self) -> bool {
        self.folder.is_some()
    }

    /// The report that was asked for, if the runner wrote it.
    pub(super) fn report(&self) -> Option<PathBuf> {
        let file = report(self.folder.as_ref()?.path());
        file.metadata().is_ok_and(|metadata| metadata.len() > 0).then_some(file)
    }
}

impl Runner {
    /// Whether its words or its configuration say how reports are to be written, or it is not to test anything.
    fn is_told(&self, own: &[&str]) -> bool {
        own.iter().any(|word| {
            QUESTIONS.contains(word) || self.unless.iter().any(|start| word.starts_with(start))
        }) || self.is_configured(self.configured_by, own)
    }

    /// Whether the person has said somewhere if it prints colours.
    fn has_colours(&self, own: &[&str]) -> bool {
        let begins = |word: &&str| {
            let starts = COLOUR_WORDS.iter().chain(self.colours_unless);
            starts.into_iter().any(|start| word.starts_with(start))
        };
        COLOUR_VARIABLES.iter().any(|name| std::env::var_os(name).is_some())
            || own.iter().any(begins)
            || self.is_configured("--color", own)
    }

    /// Whether a text is in a variable for it or in one of its files: those of the person, and those in the folder here,
    /// in one that its words name, and in all above.
    fn is_configured(&self, text: &str, own: &[&str]) -> bool {
        let is_in_variable = |name: &&str| {
            let value = std::env::var_os(name).unwrap_or_default();
            // The name may be the option.
            let says = format!("{name}={}", value.to_string_lossy()).to_lowercase();
            !value.is_empty() && says.contains(text)
        };
        let is_in_file = |path: PathBuf| {
            let file = Source::File(path).read_up_to(CONFIGURATION_BYTES_MAX);
            file.is_ok_and(|content| String::from_utf8_lossy(&content).contains(text))
        };
        let named = own.iter().filter_map(|word| fs::canonicalize(word).ok());
        let named = named.filter(|path| path.is_dir());
        let folders: Vec<PathBuf> = named.chain(std::env::current_dir()).collect();
        let folders: BTreeSet<&Path> = folders.iter().flat_map(|it| it.ancestors()).collect();
        let home = std::env::var_os("HOME").map(PathBuf::from);
        let of_person =
            home.iter().flat_map(|home| self.files_at_home.iter().map(|it| home.join(it)));
        let here = folders.iter().flat_map(|folder| self.files.iter().map(|it| folder.join(it)));
        self.variables.iter().any(is_in_variable) || of_person.chain(here).any(is_in_file)
    }

    /// A temporary folder for the report that it can be asked for, with the script that writes it, if there is one.
    fn folder(&self) -> Option<TempDir> {
        if self.asks.is_empty() {
            return None;
        }
        let folder = tempfile::Builder::new().prefix("pony-").tempdir().ok()?;
        let written = self.script.map_or(Ok(()), |text| fs::write(script(folder.path()), text));
        written.is_ok().then_some(folder)
    }
}

fn script(folder: &Path) -> PathBuf {
    folder.join("reporter.cjs")
}

fn report(folder: &Path) -> PathBuf {
    folder.join("report")
}

/// The word with paths in their places.
fn with_paths(word: &str, places: &[(&str, PathBuf)]) -> OsString {
    for (place, path) in places {
        if let Some((before, _)) = word.split_once(place) {
            let mut word = OsString::from(before);
            word.push(path);
            return word;
        }
    }
    word.into()
}

/// The runner of a command, and where its own words begin.
fn find(words: &[OsString]) -> Option<(&'static Runner, usize)> {
    let mut at = 0;
    while let Some(launcher) = LAUNCHERS.iter().find(|launcher| begins(&words[at..], launcher)) {
        at += launcher.len();
    }
    RUNNERS.iter().find_map(|runner| {
        let begin = runner.begins.iter().find(|begin| begins(&words[at..], begin))?;
        Some((runner, at + begin.len()))
    })
}

/// Whether a command begins with these words. The first is a program, wherever it is.
fn begins(words: &[OsString], with: &[&str]) -> bool {
    let program = words.first().and_then(|word| Path::new(word).file_name()?.to_str());
    let program = program.map(|name| name.trim_end_matches(".exe").trim_end_matches(".cmd"));
    let rest = words.iter().skip(1).map(|word| word.to_str());
    words.len() >= with.len()
        && std::iter::once(program).chain(rest).zip(with).all(|(word, pattern)| {
            word.is_some_and(|word| match pattern.strip_suffix('*') {
                Some(start) => word.strip_prefix(start).is_some_and(|version| {
                    version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
                }),
                None => word == *pattern,
            })
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is run, with the folder of the report left out.
    fn asked(command: &str) -> String {
        let words: Vec<OsString> = command.split(' ').map(OsString::from).collect();
        let asked = Asked::of(&words, false, false);
        let folder = asked.folder.as_ref().map(|folder| folder.path().display().to_string());
        let words: Vec<_> = asked.words.iter().map(|word| word.to_string_lossy()).collect();
        words.join(" ").replace(&folder.unwrap_or_else(|| "none".to_owned()), "T")
    }

    #[test]
    fn a_runner_is_x_starts_it() {
        for (command, expected) in [
            ("pytest -q -- a", "pytest -q --junit-xml=T/report -- a"),
            (
                ".venv/bin/python3.11 -m pytest",
                ".venv/bin/python3.11 -m pytest --junit-xml=T/report",
            ),
            (
                "uv run coverage run -m pytest x",
                "uv run coverage run -m pytest x --junit-xml=T/report",
            ),
            (
                "npm exec -- nose2 a -- b",
                "npm exec -- nose2 a --plugin=nose2.plugins.junitxml --junit-xml --junit-xml-path=T/report -- b",
            ),
            ("nosetests-3.11", "nosetests-3.11 --with-xunit --xunit-file=T/report"),
            (
                "python -m nose2 -v",
                "python -m nose2 -v --plugin=nose2.plugins.junitxml --junit-xml --junit-xml-path=T/report",
            ),
            ("ctest --test-dir build", "ctest --test-dir build --output-junit T/report"),
        ] {
            assert_eq!(asked(command), expected);
        }
        assert!(
            asked("npx vitest run")
                .starts_with("npx vitest run --reporter=default --reporter=junit ")
        );
    }

    #[test]
    fn others_and_those_that_are_told_already_are_left_alone() {
        for command in [
            "pytest --junitxml out.xml",
            "pytest -p no:junitxml",
            "pytest --version",
            "npx jest --config other.json",
            "vitest run -c other.ts",
            "mocha --config other.yml",
            "pytest-watch",
            "echo pytest",
            "python -m unittest",
            "python -m",
            "ctest -S script.cmake",
            "vitest run --reporter=verbose",
            "cargo test",
            "mvn verify",
            "pythonic -m pytest",
        ] {
            assert_eq!(asked(command), command);
        }
        assert_ne!(asked("pytest -- --junitxml"), "pytest -- --junitxml");
        let words = [OsString::from("pytest")];
        assert_eq!(Asked::of(&words, true, false).words, words);
    }
}
