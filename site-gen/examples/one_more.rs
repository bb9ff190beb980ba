//! What one more result costs when there are many already:
//! `cargo run --release -p pony-site --example one_more -- 1000 10000 100000`.
//!
//! For each number of results: five machines test one package of 20 tests in turn (`TESTS=1000` for more; the
//! site then has 200 kB for each result); the site is built from scratch, then one result comes at a time and the site is brought up to date. CPU time of this process, from
//! the kernel, so only on Linux; the middle of nine.

use std::io::{self, Write as _};
use std::ops::Range;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use pony_formats::{ClientInfo, Outcome, Step, Submission, Tagset, TestCase};
use pony_site::Options;
use pony_store::{Arrival, Prepared, Store, Writer};

const TESTS: usize = 20;

/// Results that are stored at once.
const BATCH: usize = 500;

const MACHINES: usize = 5;
const SAMPLES: usize = 9;

fn main() -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "stored  full CPU s  full CPU ms/result  one more CPU ms  peak MiB")?;
    for count in std::env::args().skip(1) {
        measure(count.parse()?, &mut out)?;
    }
    Ok(())
}

fn measure(count: usize, out: &mut impl io::Write) -> anyhow::Result<()> {
    let place = tempfile::tempdir()?;
    let store = Store::create(&place.path().join("results.git"))?;
    let mut writer = store.writer(Duration::from_secs(5))?;
    for start in (0..count).step_by(BATCH) {
        append(&mut writer, start..count.min(start + BATCH))?;
    }
    let build = |number: usize| -> anyhow::Result<f64> {
        let options = Options { now: time(number), ..Options::default() };
        let before = cpu_seconds()?;
        pony_site::build(&store, &place.path().join("site"), &options)?;
        Ok(cpu_seconds()? - before)
    };
    let full = build(count)?;
    let mut more = Vec::new();
    for number in count..count + SAMPLES {
        append(&mut writer, number..number + 1)?;
        more.push(build(number + 1)?);
    }
    more.sort_by(f64::total_cmp);
    writeln!(
        out,
        "{count:6}  {full:10.2}  {:18.2}  {:15.1}  {:8}",
        full * 1e3 / count as f64,
        more[SAMPLES / 2] * 1e3,
        peak_mebibytes()?
    )?;
    Ok(())
}

/// A result every half hour.
fn time(number: usize) -> Timestamp {
    let start = Timestamp::from_second(1_767_225_600).unwrap_or_default();
    start + SignedDuration::from_mins(30 * number as i64)
}

fn append(writer: &mut Writer, numbers: Range<usize>) -> anyhow::Result<()> {
    let results =
        numbers.map(|number| Ok((Prepared::new(&submission(number)?)?, Arrival::at(time(number)))));
    let results = results.collect::<anyhow::Result<Vec<_>>>()?;
    for appended in writer.append_all(&results) {
        appended?;
    }
    Ok(())
}

/// One machine after the other tests each commit. One test is flaky, one fails for a while.
fn submission(number: usize) -> anyhow::Result<Submission> {
    let (machine, commit) = (number % MACHINES, number / MACHINES);
    let tagset = Tagset {
        package: "cart".into(),
        host: format!("machine-{machine}"),
        arch: "linux-x86_64".into(),
        tags: ["nightly".to_owned()].into(),
    };
    let tests = std::env::var("TESTS").ok().and_then(|text| text.parse().ok()).unwrap_or(TESTS);
    let tests = (0..tests).map(|index| {
        let bad = match index {
            7 => (number * 7919) % 10 < 3,
            8 => commit % 40 > 30,
            9 => machine == 3,
            _ => false,
        };
        let outcome = if bad { Outcome::Failed } else { Outcome::Passed };
        let name = format!("cart::module_{}::test_{index:04}", index % 40);
        let duration = Some(((index * 37 + number * 11) % 900) as f64 / 1e3);
        TestCase { duration, ..TestCase::new(name, outcome) }
    });
    let client_info = ClientInfo::new(&tagset, false)?
        .with("commit", format!("{:040x}", commit + 0xabc_def0))?
        .with("branch", "main")?
        .with("repository", "https://github.com/ox/cart")?;
    Ok(Submission { client_info, results_list: vec![Step::default().with_tests(tests.collect())] })
}

/// Of all threads: those that render stay as long as the process.
fn cpu_seconds() -> anyhow::Result<f64> {
    let mut nanoseconds = 0.0;
    for thread in std::fs::read_dir("/proc/self/task")? {
        let stat = std::fs::read_to_string(thread?.path().join("schedstat"))?;
        nanoseconds += stat.split(' ').next().unwrap_or_default().parse::<f64>()?;
    }
    Ok(nanoseconds / 1e9)
}

fn peak_mebibytes() -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    Ok(line.unwrap_or_default().trim().trim_end_matches(" kB").trim().parse::<u64>()? / 1024)
}
