//! The table of test runners, and what starts them.

/// What a runner is known by, and what it is told.
#[derive(Debug)]
pub(super) struct Runner {
    /// How commands of it begin, behind any launcher. `*` stands for digits and dots.
    pub(super) begins: &'static [&'static [&'static str]],
    /// The words that ask for a report in a file, put behind its own. Empty where it always writes one, or cannot.
    pub(super) asks: &'static [&'static str],
    /// Beginnings of words with which the person says how reports are written, so that nothing is asked.
    pub(super) unless: &'static [&'static str],
    /// The text by which a configuration says the same. It may be in variables and in files: of the person, and of the
    /// project.
    pub(super) configured_by: &'static str,
    pub(super) variables: &'static [&'static str],
    pub(super) files_at_home: &'static [&'static str],
    pub(super) files: &'static [&'static str],
    /// What runs in the runner and writes the report, where it cannot do so by itself.
    pub(super) script: Option<&'static str>,
    /// Patterns of reports that it writes by itself.
    pub(super) writes: &'static [&'static str],
    /// Words that make it print colours although it does not print to a terminal.
    pub(super) colours: &'static [&'static str],
    /// Beginnings of words of its own with which the person says whether it prints colours.
    pub(super) colours_unless: &'static [&'static str],
    /// Variables that do the same where no word does, and change nothing but the runner.
    pub(super) colour_variables: &'static [(&'static str, &'static str)],
}

/// A row from which others differ.
const PLAIN: Runner = Runner {
    begins: &[],
    asks: &[],
    unless: &[],
    configured_by: "",
    variables: &[],
    files_at_home: &[],
    files: &[],
    script: None,
    writes: &[],
    colours: &[],
    colours_unless: &[],
    colour_variables: &[],
};

/// What starts a runner, to be looked behind. A launcher may start another.
pub(super) const LAUNCHERS: [&[&str]; 13] = [
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

pub(super) const RUNNERS: [Runner; 9] = [
    // pytest 8: docs.pytest.org, "Creating JUnitXML format files".
    Runner {
        begins: &[&["pytest"], &["py.test"]],
        asks: &["--junit-xml={file}"],
        // Without its plugin it does not know the option.
        unless: &["--junit", "no:junitxml", "-pno:junitxml", "-c", "--config-file"],
        // Not `junit` alone: `junit_family` only says what a report is like.
        configured_by: "--junit",
        variables: &["PYTEST_ADDOPTS"],
        files: &["pytest.ini", ".pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg"],
        colours: &["--color=yes"],
        colours_unless: &["no:terminal", "-pno:terminal"],
        ..PLAIN
    },
    // nose 1.3 and pynose 1.5: their plugin xunit.
    Runner {
        begins: &[&["nosetests"], &["nosetests-*"], &["nose"], &["pynose"]],
        asks: &["--with-xunit", "--xunit-file={file}"],
        unless: &["--with-xunit", "--xunit-file", "-c", "--config"],
        configured_by: "xunit",
        variables: &["NOSE_WITH_XUNIT", "NOSE_XUNIT_FILE"],
        files_at_home: &[".noserc", "nose.cfg"],
        files: &["setup.cfg"],
        ..PLAIN
    },
    // nose2 0.15: its plugin junitxml.
    Runner {
        begins: &[&["nose2"], &["nose2-*"]],
        asks: &["--plugin=nose2.plugins.junitxml", "--junit-xml", "--junit-xml-path={file}"],
        unless: &["--junit-xml", "-X", "-c", "--config"],
        configured_by: "junit",
        files_at_home: &[".unittest.cfg", ".nose2.cfg"],
        files: &["unittest.cfg", "nose2.cfg"],
        ..PLAIN
    },
    // CMake 3.21: ctest(1).
    Runner {
        begins: &[&["ctest"], &["ctest*"]],
        asks: &["--output-junit", "{file}"],
        unless: &["--output-junit", "--build-and-test", "-S", "-SP"],
        ..PLAIN
    },
    // Vitest 3: vitest.dev, "Reporters".
    Runner {
        begins: &[&["vitest"]],
        asks: &["--reporter=default", "--reporter=junit", "--outputFile.junit={file}"],
        unless: &["--reporter", "--outputFile", "-c", "--config", "-r", "--root"],
        configured_by: "reporter",
        files: &[
            "vitest.config.js",
            "vitest.config.mjs",
            "vitest.config.cjs",
            "vitest.config.ts",
            "vitest.config.mts",
            "vitest.config.cts",
            "vite.config.js",
            "vite.config.mjs",
            "vite.config.cjs",
            "vite.config.ts",
            "vite.config.mts",
            "vite.config.cts",
        ],
        colours: &["--color"],
        ..PLAIN
    },
    // Jest 30: jestjs.io, "Custom Reporters".
    Runner {
        begins: &[&["jest"]],
        asks: &["--reporters=default", "--reporters={script}"],
        unless: &[
            "--reporters",
            "--json",
            "--outputFile",
            "--watch",
            "-c",
            "--config",
            "--rootDir",
        ],
        configured_by: "reporter",
        files: &[
            "package.json",
            "jest.config.js",
            "jest.config.mjs",
            "jest.config.cjs",
            "jest.config.ts",
            "jest.config.mts",
            "jest.config.cts",
            "jest.config.json",
        ],
        script: Some(include_str!("jest.cjs")),
        colours: &["--color"],
        ..PLAIN
    },
    // Mocha 11: mochajs.org, "Third-party reporters".
    Runner {
        begins: &[&["mocha"]],
        asks: &["--reporter={script}"],
        unless: &[
            "--reporter",
            "-R",
            "--watch",
            "-w",
            "--parallel",
            "-p",
            "--config",
            "--package",
            "--opts",
        ],
        configured_by: "reporter",
        variables: &["MOCHA_OPTIONS"],
        files: &[
            "package.json",
            ".mocharc.js",
            ".mocharc.mjs",
            ".mocharc.cjs",
            ".mocharc.ts",
            ".mocharc.mts",
            ".mocharc.cts",
            ".mocharc.json",
            ".mocharc.jsonc",
            ".mocharc.yaml",
            ".mocharc.yml",
        ],
        script: Some(include_str!("mocha.cjs")),
        colours: &["--color"],
        colours_unless: &["-c", "-C"],
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
    Runner { begins: &[&["cargo"]], colour_variables: &[("CARGO_TERM_COLOR", "always")], ..PLAIN },
];
