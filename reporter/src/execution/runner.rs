//! [`Runner`]: the test runners that are known, and how each is asked for its results in a form for programs, beside
//! what it prints for people.
//!
//! Everything about a runner is a row of a table; what is done with a row is the same for all. What the person typed
//! stays as it is, and nothing is asked of a runner that the person has asked for another report already.

use std::ffi::OsString;
use std::fs;
use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::input::Source;

/// The places of the report and of our script in the words that ask for one.
const FILE: &str = "{file}";
const SCRIPT: &str = "{script}";

/// What a runner is known by, and what it is told.
#[derive(Debug)]
pub(super) struct Runner {
    /// How commands of it begin, behind any launcher. `*` stands for digits and dots.
    begins: &'static [&'static [&'static str]],
    /// The words that ask for a report in a file, put behind its own. Empty where it always writes one, or cannot.
    asks: &'static [&'static str],
    /// Beginnings of words with which the person says how reports are written, so that nothing is asked.
    unless: &'static [&'static str],
    /// Files in the folder here that say the same where they have the word `reporter`.
    configured: &'static [&'static str],
    /// What runs in the runner and writes the report, where it cannot do so by itself.
    script: Option<&'static str>,
    /// Patterns of reports that it writes by itself.
    writes: &'static [&'static str],
    /// Variables that make it print colours although it does not print to a terminal.
    colours: &'static [(&'static str, &'static str)],
}

/// Bytes of a configuration that are read.
const CONFIGURATION_BYTES_MAX: usize = 1024 * 1024;

/// A row from which others differ.
const PLAIN: Runner = Runner {
    begins: &[],
    asks: &[],
    unless: &[],
    configured: &[],
    script: None,
    writes: &[],
    colours: &[],
};

/// What starts a runner, to be looked behind. A launcher may start another.
const LAUNCHERS: [&[&str]; 13] = [
    &["python*", "-m"],
    &["py", "-m"],
    &["coverage", "run", "-m"],
    &["uv", "run"],
    &["poetry", "run"],
    &["pipenv", "run"],
    &["pdm", "run"],
    &["hatch", "run"],
    &["npx"],
    &["npm", "exec", "--"],
    &["pnpm", "exec"],
    &["yarn", "exec"],
    &["xvfb-run"],
];

const RUNNERS: [Runner; 9] = [
    // pytest 8: docs.pytest.org, "Creating JUnitXML format files".
    Runner {
        begins: &[&["pytest"], &["py.test"]],
        asks: &["--junit-xml={file}"],
        // Without its plugin it does not know the option.
        unless: &["--junit", "no:junitxml", "-pno:junitxml"],
        colours: &[("PY_COLORS", "1")],
        ..PLAIN
    },
    // nose 1.3 and pynose 1.5: their plugin xunit.
    Runner {
        begins: &[&["nosetests"], &["nosetests-*"], &["nose"], &["pynose"]],
        asks: &["--with-xunit", "--xunit-file={file}"],
        unless: &["--with-xunit", "--xunit-file"],
        ..PLAIN
    },
    // nose2 0.15: its plugin junitxml.
    Runner {
        begins: &[&["nose2"], &["nose2-*"]],
        asks: &["--plugin=nose2.plugins.junitxml", "--junit-xml", "--junit-xml-path={file}"],
        unless: &["--junit-xml", "-X"],
        ..PLAIN
    },
    // CMake 3.21: ctest(1).
    Runner {
        begins: &[&["ctest"], &["ctest*"]],
        asks: &["--output-junit", FILE],
        unless: &["--output-junit", "--build-and-test", "--help", "--version", "-S", "-SP"],
        colours: &[("CLICOLOR_FORCE", "1")],
        ..PLAIN
    },
    // Vitest 3: vitest.dev, "Reporters".
    Runner {
        begins: &[&["vitest"]],
        asks: &["--reporter=default", "--reporter=junit", "--outputFile.junit={file}"],
        unless: &["--reporter", "--outputFile"],
        configured: &[
            "vitest.config.js",
            "vitest.config.mjs",
            "vitest.config.ts",
            "vitest.config.mts",
            "vite.config.js",
            "vite.config.mjs",
            "vite.config.ts",
            "vite.config.mts",
        ],
        colours: &[("FORCE_COLOR", "1")],
        ..PLAIN
    },
    // Jest 30: jestjs.io, "Custom Reporters".
    Runner {
        begins: &[&["jest"]],
        asks: &["--reporters=default", "--reporters={script}"],
        unless: &["--reporters", "--json", "--outputFile", "--watch"],
        configured: &[
            "package.json",
            "jest.config.js",
            "jest.config.cjs",
            "jest.config.mjs",
            "jest.config.ts",
            "jest.config.json",
        ],
        script: Some(include_str!("runner/jest.cjs")),
        colours: &[("FORCE_COLOR", "1")],
        ..PLAIN
    },
    // Mocha 11: mochajs.org, "Third-party reporters".
    Runner {
        begins: &[&["mocha"]],
        asks: &["--reporter={script}"],
        unless: &["--reporter", "-R", "--watch", "-w", "--parallel", "-p"],
        configured: &[
            "package.json",
            ".mocharc.js",
            ".mocharc.cjs",
            ".mocharc.json",
            ".mocharc.jsonc",
            ".mocharc.yaml",
            ".mocharc.yml",
        ],
        script: Some(include_str!("runner/mocha.cjs")),
        colours: &[("FORCE_COLOR", "1")],
        ..PLAIN
    },
    // The plugins surefire and failsafe of Maven, and Gradle's tasks of type Test.
    Runner {
        begins: &[&["mvn"], &["mvnw"], &["mvnd"], &["gradle"], &["gradlew"]],
        writes: &[
            "**/target/surefire-reports/TEST-*.xml",
            "**/target/failsafe-reports/TEST-*.xml",
            "**/build/test-results/**/TEST-*.xml",
        ],
        ..PLAIN
    },
    // Stable libtest has no form but its text, which is read. nextest's text has the durations, too.
    Runner { begins: &[&["cargo"]], colours: &[("CARGO_TERM_COLOR", "always")], ..PLAIN },
];

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
    /// What to run for a command, so that results can be read. `is_told` says that the person has named reports.
    pub(super) fn of(words: &[OsString], is_told: bool) -> Self {
        let mut asked = Self::nothing_of(words);
        let Some((runner, at)) = find(words) else { return asked };
        if io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none() {
            asked.variables = runner.colours.to_vec();
        }
        if is_told || runner.is_told(&words[at..]) {
            return asked;
        }
        asked.writes = runner.writes;
        // Without a folder, what it prints is read.
        if !runner.asks.is_empty()
            && let Ok(folder) = tempfile::Builder::new().prefix("pony-").tempdir()
        {
            let script = folder.path().join("reporter.cjs");
            if runner.script.is_some_and(|text| fs::write(&script, text).is_err()) {
                return asked;
            }
            let places = [(FILE, report(folder.path())), (SCRIPT, script)];
            let added = runner.asks.iter().map(|word| with_paths(word, &places));
            // Behind the others, as some options take all words that follow.
            let end = words.iter().position(|word| word == "--").filter(|end| *end >= at);
            let end = end.unwrap_or(words.len());
            asked.words.splice(end..end, added);
            asked.folder = Some(folder);
        }
        asked
    }

    /// A command that is asked nothing.
    pub(super) fn nothing_of(words: &[OsString]) -> Self {
        Self { words: words.to_vec(), ..Self::default() }
    }

    /// The report that was asked for, if the runner wrote it.
    pub(super) fn report(&self) -> Option<PathBuf> {
        let file = report(self.folder.as_ref()?.path());
        file.metadata().is_ok_and(|metadata| metadata.len() > 0).then_some(file)
    }
}

impl Runner {
    /// Whether its words or its configuration say how reports are to be written.
    fn is_told(&self, words: &[OsString]) -> bool {
        let mentions = |file: &&str| {
            let file = Source::File(PathBuf::from(file)).read_up_to(CONFIGURATION_BYTES_MAX);
            file.is_ok_and(|text| String::from_utf8_lossy(&text).contains("reporter"))
        };
        if self.configured.iter().any(mentions) {
            return true;
        }
        let words = words.iter().filter_map(|word| word.to_str());
        let mut words = words.take_while(|word| *word != "--");
        words.any(|word| self.unless.iter().any(|start| word.starts_with(start)))
    }
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
        let asked = Asked::of(&words, false);
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
        assert_eq!(Asked::of(&words, true).words, words);
    }
}
