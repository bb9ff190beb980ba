//! A made-up history of a few packages, the same every time.

use jiff::{SignedDuration, Timestamp};
use pony_formats::{
    ClientInfo, Evidence, Outcome, Step, Submission, Tagset, Tally, TestCase, Value,
};

/// When the history ends.
pub(crate) const END: &str = "2026-03-09T12:00:00Z";

/// One machine that tests one package.
struct Builder {
    package: &'static str,
    host: &'static str,
    arch: &'static str,
    tags: &'static [&'static str],
    tests: usize,
    /// Every how many runs one fails; 0 for never.
    fails: usize,
    runs: usize,
    /// Hours between runs.
    every: i64,
    /// Hours since the newest run.
    age: i64,
}

const BUILDERS: [Builder; 10] = [
    line("ndarray", "atlas", "linux-x86_64", &["py3.14", "openblas"], 340, 6, 8, 6, 1),
    line("ndarray", "win-arm-02", "windows-aarch64", &["py3.13"], 338, 1, 5, 12, 3),
    line("ndarray", "mini", "macos-aarch64", &["py3.14", "accelerate"], 340, 0, 6, 8, 2),
    line("ndarray", "big-endian.lab.example.org", "linux-s390x", &["py3.12"], 331, 0, 3, 24, 40),
    line("grepper", "atlas", "linux-x86_64", &["nightly"], 57, 0, 8, 6, 1),
    line("grepper", "mini", "macos-aarch64", &[], 57, 5, 6, 6, 4),
    line("Sphinx docs/theme", "nook", "freebsd-amd64", &["docs", "html"], 24, 0, 3, 20, 5),
    line(
        "a-package-with-a-name-that-is-longer-than-most",
        "pi",
        "linux-armv6l",
        LONG,
        12,
        2,
        5,
        30,
        9,
    ),
    line("khmer", "nook", "linux-x86_64", &["py2.7"], 0, 0, 2, 48, 200),
    line("khmer", "atlas", "linux-x86_64", &["py3.14"], 96, 0, 3, 24, 7),
];

const LONG: &[&str] =
    &["cross", "release", "musl", "a-very-long-tag-that-says-everything-about-the-build"];

#[expect(clippy::too_many_arguments, reason = "a table reads better than ten struct literals")]
const fn line(
    package: &'static str,
    host: &'static str,
    arch: &'static str,
    tags: &'static [&'static str],
    tests: usize,
    fails: usize,
    runs: usize,
    every: i64,
    age: i64,
) -> Builder {
    Builder { package, host, arch, tags, tests, fails, runs, every, age }
}

/// All submissions in the order in which they arrived.
pub(crate) fn history() -> Vec<(Submission, Timestamp)> {
    let end: Timestamp = END.parse().unwrap();
    let mut history: Vec<_> = BUILDERS
        .iter()
        .enumerate()
        .flat_map(|(index, builder)| {
            (0..builder.runs).map(move |run| {
                let back = builder.age + builder.every * (builder.runs - 1 - run) as i64;
                let minutes = SignedDuration::from_mins(index as i64 * 3);
                let received = end - SignedDuration::from_hours(back) - minutes;
                (builder.submission(run), received)
            })
        })
        .collect();
    history.sort_by_key(|(_, received)| *received);
    history
}

impl Builder {
    fn submission(&self, run: usize) -> Submission {
        let failed = self.fails > 0 && (run + 1).is_multiple_of(self.fails);
        let tagset = Tagset {
            package: self.package.into(),
            host: self.host.into(),
            arch: self.arch.into(),
            tags: self.tags.iter().map(|&tag| tag.to_owned()).collect(),
        };
        let commit = format!("{:040x}", 0x5eed_1234_5678_9abc_u64.wrapping_mul(run as u64 + 3));
        let client_info = ClientInfo::new(&tagset, !failed)
            .and_then(|info| info.with("duration", 31.4 + run as f64 * 17.3))
            .and_then(|info| info.with("tempdir", format!("/tmp/build-{run}")))
            .and_then(|info| info.with("commit", commit))
            .and_then(|info| info.with("branch", if run == 4 { "fix-7" } else { "main" }))
            .and_then(|info| info.with("dirty", run == 2 && self.age == 2))
            .and_then(|info| info.with("repository", "https://github.com/ox/cart.git"))
            .and_then(|info| {
                info.with("dependencies", Value::Array(vec!["six".into(), "nose".into()]))
            })
            .unwrap();
        let mut steps = vec![checkout(), compile(run == 3 && self.age == 1)];
        steps.push(self.test_step(run, failed));
        Submission { client_info, results_list: steps }
    }

    fn test_step(&self, run: usize, failed: bool) -> Step {
        let tests = (0..self.tests).map(|index| self.test(index, run, failed)).collect();
        let output = "\u{1b}[1mrunning tests\u{1b}[0m\n".to_owned()
            + &(0..40).map(|n| format!("collected module {n}\n")).collect::<String>();
        Step::default()
            .with("type", "test")
            .with("name", "tests")
            .with("command", "['python', '-m', 'pytest', '--junit-xml=report.xml', '-q']")
            .with("status", Value::Int(failed.into()))
            .with("duration", 12.25 + run as f64)
            .with("output", output)
            .with_unnamed_tests(Tally { total: 4, passed: 4, ..Tally::default() })
            .with_tests(tests)
    }

    fn test(&self, index: usize, run: usize, failed: bool) -> TestCase {
        let modules = ["core", "linalg::decompose", "io.text", "random", "fft::real"];
        let id = format!(
            "{}.{}::test_{}_{index:03}",
            self.package.split([' ', '/']).next().unwrap_or_default(),
            modules[index % modules.len()],
            ["shape", "round_trip", "overflow_is_an_error", "broadcast"][index % 4],
        );
        let outcome = match index {
            7 | 19 if failed => Outcome::Failed,
            23 if failed => Outcome::Errored,
            11 => Outcome::Skipped,
            13 => Outcome::ExpectedFailure,
            17 if run.is_multiple_of(3) => Outcome::Flaky,
            _ => Outcome::Passed,
        };
        let mut test = TestCase::new(id, outcome);
        test.duration = Some(0.001 * ((index * 37 + run) % 900) as f64);
        test.evidence = evidence(outcome);
        if outcome.is_bad() {
            test.file = Some(format!("tests/test_{}.py", modules[index % modules.len()]));
            test.line = Some(10 + index as i64);
        }
        if outcome == Outcome::Flaky {
            test.attempts = vec![pony_formats::Attempt {
                outcome: Outcome::Failed,
                duration: Some(2.0),
                evidence: evidence(Outcome::Failed),
            }];
        }
        test
    }
}

fn evidence(outcome: Outcome) -> Evidence {
    let text = |text: &str| Some(text.to_owned());
    match outcome {
        Outcome::Skipped => Evidence { message: text("needs a GPU"), ..Evidence::default() },
        Outcome::ExpectedFailure => {
            Evidence { message: text("upstream bug, see the tracker"), ..Evidence::default() }
        }
        Outcome::Failed => Evidence {
            message: text("assert (3, 4) == (4, 3)"),
            kind: text("AssertionError"),
            details: text(
                "def test_shape(tmp_path):\n    array = load(tmp_path / 'a.npy')\n>   assert array.shape == (4, 3)\n\
                 E   assert (3, 4) == (4, 3)\nE     At index 0 diff: 3 != 4\n\ntests/test_core.py:42: AssertionError",
            ),
            output: text("loading a.npy\nshape is (3, 4)\n"),
            errout: None,
        },
        Outcome::Errored => Evidence {
            message: text("fixture 'database' timed out after 30 s"),
            kind: text("TimeoutError"),
            details: None,
            output: None,
            errout: text(
                "\u{1b}[33mwarning\u{1b}[0m: retrying connection (1/3)\nwarning: retrying connection (2/3)\n",
            ),
        },
        _ => Evidence::default(),
    }
}

fn checkout() -> Step {
    let clone = pony_formats::Bag::from([
        ("status".into(), Value::Int(0)),
        ("output".into(), "Cloning into 'work'...\n".into()),
    ]);
    Step::default()
        .with("type", "setup")
        .with("name", "checkout")
        .with("command", "git clone https://example.org/project.git work")
        .with("status", Value::Int(0))
        .with("out", "")
        .with("errout", "")
        .with("version_type", "git")
        .with("clone", Value::Struct(clone))
}

fn compile(big: bool) -> Step {
    let output: String = (0..if big { 6000 } else { 20 })
        .map(|n| format!("cc -O2 -Wall -c src/module_{n}.c -o build/module_{n}.o\n"))
        .collect();
    Step::default()
        .with("type", "build")
        .with("name", "compile")
        .with("command", "['python', 'setup.py', 'build_ext', '--inplace']")
        .with("status", Value::Int(0))
        .with("duration", 94.0)
        .with("output", output)
        .with("errout", "module_7.c:12:5: warning: unused variable 'n' [-Wunused-variable]\n")
}
