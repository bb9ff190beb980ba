//! Made-up runs of a package with a thousand tests, as JUnit XML and as submissions. The same number always
//! makes the same run.
//!
//! Durations are what costs. Each test has a mean, spread over four orders of magnitude as those of real
//! packages are (log-normal, half of the tests take less than 6 ms), and each run strays from it by 3 to 15 per
//! cent; they are written as most runners do, in seconds with three decimals.

use std::fmt::Write as _;

use jiff::Timestamp;
use pony_formats::{ClientInfo, Format, Limits, Step, Submission, Tagset, Value, parse};

use crate::Failure;

/// Tests of a run.
const TESTS: u32 = 1_000;

/// A test is added after this many runs.
const RUNS_PER_NEW_TEST: u32 = 100;

/// One run in so many has tests that fail.
const RUNS_PER_FAILURE: u64 = 20;

const AREAS: [&str; 25] = [
    "parser",
    "planner",
    "storage",
    "network",
    "cache",
    "session",
    "router",
    "template",
    "schema",
    "migration",
    "scheduler",
    "codec",
    "index",
    "query",
    "journal",
    "policy",
    "metrics",
    "upload",
    "account",
    "billing",
    "search",
    "export",
    "locale",
    "render",
    "console",
];
const VERBS: [&str; 20] = [
    "reads", "writes", "rejects", "keeps", "merges", "splits", "orders", "escapes", "retries",
    "closes", "opens", "counts", "rounds", "restores", "expires", "locks", "renames", "compares",
    "streams", "flushes",
];
const THINGS: [&str; 20] = [
    "empty_input",
    "unicode_names",
    "a_large_file",
    "nested_groups",
    "old_versions",
    "two_writers",
    "a_slow_client",
    "missing_columns",
    "duplicate_keys",
    "negative_offsets",
    "long_lines",
    "time_zones",
    "partial_records",
    "foreign_keys",
    "quoted_text",
    "broken_pipes",
    "leap_seconds",
    "deep_paths",
    "unknown_fields",
    "stale_handles",
];
const MACHINES: [(&str, &str); 5] = [
    ("shed", "linux-x86_64"),
    ("barn", "linux-aarch64"),
    ("coop", "macos-aarch64"),
    ("silo", "windows-x86_64"),
    ("byre", "freebsd-x86_64"),
];

/// One run in both forms.
pub(crate) struct Run {
    pub(crate) junit: String,
    pub(crate) submission: Submission,
}

/// Makes run `number`, which started at `time`.
pub(crate) fn run(number: u32, time: Timestamp) -> Result<Run, Failure> {
    let mut dice = Dice(u64::from(number) + 1);
    let (host, arch) = MACHINES[number as usize % MACHINES.len()];
    let fails = dice.below(RUNS_PER_FAILURE) == 0;
    let broken = dice.below(u64::from(TESTS)) as u32;
    let mut cases = String::new();
    let mut total = 0.0;
    for test in 0..TESTS + number / RUNS_PER_NEW_TEST {
        let seconds = duration(test, &mut dice);
        total += seconds;
        let (area, verb, thing) = name(test);
        write!(
            cases,
            "<testcase classname=\"tests.{area}.test_{area}_{}.Test{verb}\" name=\"test_{verb}_{thing}_{test}\" time=\"{seconds:.3}\"",
            test % 4
        )?;
        if fails && (test == broken || test == broken + 3) {
            let found = dice.below(1_000_000);
            write!(
                cases,
                "><failure message=\"AssertionError: expected {test}, found {found}\">{}</failure></testcase>",
                traceback(area, found)
            )?;
        } else {
            cases.push_str(" />");
        }
    }
    let junit = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><testsuites><testsuite name=\"pytest\" tests=\"{TESTS}\" time=\"{total:.3}\" timestamp=\"{time:.6}\" hostname=\"{host}\">{cases}</testsuite></testsuites>"
    );
    let report = parse(Format::Junit, junit.as_bytes(), &Limits::DEFAULT)?;
    let step = Step::default()
        .with("type", "test")
        .with("name", "pytest")
        .with("command", "pytest --junitxml=out.xml")
        .with("status", i64::from(fails))
        .with("duration", Value::Double(total * 1.07))
        .with_tests(report.tests);
    let tagset = Tagset {
        package: "orchard".to_owned(),
        host: host.to_owned(),
        arch: arch.to_owned(),
        tags: ["nightly".to_owned()].into(),
    };
    let client_info = ClientInfo::new(&tagset, !fails)?
        .with("started", format!("{time:.3}"))?
        .with("duration", Value::Double(total * 1.08))?
        .with("commit", format!("{:016x}{:016x}{:08x}", dice.next(), dice.next(), number))?;
    Ok(Run { junit, submission: Submission { client_info, results_list: vec![step] } })
}

fn name(test: u32) -> (&'static str, &'static str, &'static str) {
    let mut dice = Dice(u64::from(test) + 1_000_003);
    let mut pick = |words: &[&'static str]| words[dice.below(words.len() as u64) as usize];
    (pick(&AREAS), pick(&VERBS), pick(&THINGS))
}

/// Seconds: the mean is between 0.3 ms and 5 s, most are some milliseconds.
fn duration(test: u32, dice: &mut Dice) -> f64 {
    let mut own = Dice(u64::from(test) + 7_000_003);
    let mean = 0.006 * (1.9 * own.normal()).exp();
    let spread = 0.03 + 0.12 * own.unit();
    (mean * (spread * dice.normal()).exp()).clamp(0.0003, 60.0)
}

fn traceback(area: &str, found: u64) -> String {
    let mut text = String::new();
    for frame in 0..8 {
        let line = 10 + (found + frame * 37) % 900;
        text.push_str(&format!(
            "  File \"/build/orchard/{area}/part_{frame}.py\", line {line}, in step_{frame}\n    return self.next_{frame}(value, depth={line})\n"
        ));
    }
    text
}

/// Numbers that look random and never change: SplitMix64 (Steele, Lea, Flood 2014).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// From 0 up to 1.
    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Mean 0, deviation 1: twelve uniform numbers come close enough.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.unit()).sum::<f64>() - 6.0
    }
}
