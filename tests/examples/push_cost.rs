//! What it costs to add one result to a large repository on a git host: `pony-report --repo URL`, against
//! `git clone --depth 1`, a commit and a push.
//!
//! `cargo run --release -p pony-tests --example push_cost -- 100000`, after `cargo build --release`.
//!
//! The host is `git http-backend` on this machine, behind a proxy that counts bytes. Says seconds, CPU seconds of the
//! client and the host together (all are children of this process), and bytes both ways.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use jiff::{SignedDuration, Timestamp};
use pony_formats::{ClientInfo, Outcome, Step, Submission, Tagset, TestCase};
use pony_store::{Arrival, Prepared, Store};
use pony_tests::git_server::{Habits, WebHost};
use pony_tests::place::Place;
use pony_tests::proxy::Proxy;

const PACKAGES: usize = 20;
const HOSTS: usize = 5;
const TESTS: usize = 20;
/// Results of all packages on one day.
const PER_DAY: usize = 500;
const BATCH: usize = 1_000;
/// How often each is measured; the median counts.
const TIMES: usize = 3;

fn main() -> anyhow::Result<()> {
    let count = std::env::args().nth(1).map_or(Ok(10_000), |text| text.parse())?;
    let programs = std::env::current_exe()?;
    let programs = programs.parent().and_then(Path::parent).context("no folder of programs")?;
    let place = Place { programs: programs.to_owned() };
    ensure!(
        programs.join("pony-report").exists(),
        "build pony-report first: cargo build --release"
    );
    let folder = place.disk_folder()?;
    let root = folder.path().join("host");
    fill(&root.join("r.git"), count)?;
    // A host packs as it sees fit, and knows nothing of our settings.
    place.git(&root.join("r.git"), &["config", "extensions.preciousObjects", "false"])?;
    place.git(&root.join("r.git"), &["repack", "-adq"])?;
    let proxy = Proxy::start(WebHost::start(&root, Habits::default())?.address)?;
    let url = format!("http://{}/r.git", proxy.address);
    let mut out = io::stdout().lock();
    writeln!(out, "{count} results; the median of {TIMES}")?;
    let ours = median(&proxy, |_| submit(&place, folder.path(), &url), || Ok(()))?;
    line(&mut out, "pony-report submit --repo URL", &ours)?;
    let peer = median(
        &proxy,
        |round| clone_and_push(&place, folder.path(), &url, round),
        || Ok(fs::remove_dir_all(folder.path().join("clone"))?),
    )?;
    line(&mut out, "git clone --depth 1, commit, push", &peer)?;
    let ratio = |of: fn(&Cost) -> f64| of(&peer) / of(&ours);
    writeln!(
        out,
        "{:36} {:8.1} × {:9.1} × {:11.1} ×",
        "ratio",
        ratio(|cost| cost.time.as_secs_f64()),
        ratio(|cost| cost.cpu.as_secs_f64()),
        ratio(|cost| cost.bytes as f64)
    )?;
    place.git(&root.join("r.git"), &["fsck", "--strict", "--no-dangling"])?;
    Ok(())
}

/// What one submission took.
#[derive(Debug, Clone, Copy)]
struct Cost {
    time: Duration,
    cpu: Duration,
    bytes: u64,
}

fn line(out: &mut impl io::Write, what: &str, cost: &Cost) -> anyhow::Result<()> {
    let Cost { time, cpu, bytes } = cost;
    let (time, cpu) = (time.as_secs_f64(), cpu.as_secs_f64());
    Ok(writeln!(out, "{what:36} {time:8.2} s {cpu:8.2} s CPU {:9.1} kB", *bytes as f64 / 1e3)?)
}

fn median(
    proxy: &Proxy,
    mut work: impl FnMut(usize) -> anyhow::Result<()>,
    tidy: impl Fn() -> anyhow::Result<()>,
) -> anyhow::Result<Cost> {
    let mut costs = Vec::new();
    for round in 0..TIMES {
        proxy.take_bytes();
        let (start, cpu) = (Instant::now(), cpu_time());
        work(round)?;
        let time = start.elapsed();
        let cpu = cpu_time().saturating_sub(cpu);
        tidy()?;
        costs.push(Cost { time, cpu, bytes: proxy.take_bytes() });
    }
    costs.sort_by_key(|cost| cost.time);
    Ok(costs[TIMES / 2])
}

/// Of this process and the children it has waited for, in ticks of 10 ms (`proc(5)`); zero elsewhere than on Linux.
fn cpu_time() -> Duration {
    let text = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = text.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11).take(4);
    let ticks: u64 = fields.filter_map(|field| field.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

fn submit(place: &Place, home: &Path, url: &str) -> anyhow::Result<()> {
    fs::write(home.join("log"), "1..2\nok 1 - opens\nnot ok 2 - shuts\n")?;
    let mut command = place.command("pony-report", home);
    command.args([
        "submit",
        "--strict",
        "--quiet",
        "--repo",
        url,
        "--package",
        "package-3",
        "--from",
        "tap",
    ]);
    let status = command.arg("log").stdin(Stdio::null()).status()?;
    ensure!(status.success(), "pony-report: {status}");
    Ok(())
}

/// What a script would do.
fn clone_and_push(place: &Place, home: &Path, url: &str, round: usize) -> anyhow::Result<()> {
    let clone = home.join("clone");
    place.git(home, &["clone", "--quiet", "--depth=1", url, "clone"])?;
    let result = clone.join(format!("package-3/2027/01/01/179879040000000000{round}"));
    fs::create_dir_all(&result)?;
    fs::write(result.join("client_info.json"), "{}\n")?;
    fs::write(result.join("results_list.json"), "[]\n")?;
    place.git(&clone, &["add", "--all"])?;
    place.git(&clone, &["commit", "--quiet", "--message", "a result"])?;
    place.git(&clone, &["push", "--quiet", "origin", "HEAD:main"])?;
    Ok(())
}

fn fill(path: &Path, count: usize) -> anyhow::Result<()> {
    let store = Store::create(path)?;
    let mut writer = store.writer(Duration::ZERO)?;
    let start: Timestamp = "2026-01-01T00:00:00Z".parse()?;
    let step = SignedDuration::from_hours(24) / PER_DAY as i32;
    let numbers: Vec<usize> = (0..count).collect();
    for numbers in numbers.chunks(BATCH) {
        let batch = numbers.iter().map(|number| {
            let arrival = Arrival::at(start + step * *number as i32);
            anyhow::Ok((Prepared::new(&submission(*number)?)?, arrival))
        });
        let batch = batch.collect::<anyhow::Result<Vec<_>>>()?;
        writer.append_all(&batch).into_iter().collect::<Result<Vec<_>, _>>()?;
    }
    Ok(())
}

fn submission(number: usize) -> anyhow::Result<Submission> {
    let tagset = Tagset {
        package: format!("package-{}", number % PACKAGES),
        host: format!("host-{}", number / PACKAGES % HOSTS),
        arch: "linux-x86_64".to_owned(),
        tags: ["stable".to_owned()].into(),
    };
    let tests = (0..TESTS).map(|test| {
        let mut case = TestCase::new(format!("suite::test_{test}"), Outcome::Passed);
        case.duration = Some(((number * 7 + test * 13) % 997) as f64 / 1e3);
        case
    });
    let step = Step::default().with("status", 0).with_tests(tests.collect());
    let client_info = ClientInfo::new(&tagset, true)?.with("duration", number as f64 / 7.0)?;
    Ok(Submission { client_info, results_list: vec![step] })
}
