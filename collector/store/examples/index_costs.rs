//! What the index costs, on a repository of as many results as are asked for:
//! `cargo run --release -p pony-store --example index_costs -- 100000`.
//!
//! Says the seconds and the CPU seconds of a rebuild, of opening an index that is up to date, of the newest
//! result of each tagset, and of taking in 100 new results; against a plain read of all trees and receipts with
//! git itself (`git ls-tree -r` and `git cat-file --batch`), where git is installed.

use std::error::Error;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use pony_formats::{ClientInfo, Receipt, ResultKey, Step, Submission, Tagset, names, record};
use pony_store::{Arrival, Index, Store};

/// Results of one package on one day.
const PER_DAY: usize = 100;
const PACKAGES: usize = 50;
const HOSTS: usize = 20;
/// Results that are imported as one commit.
const PER_COMMIT: usize = 1_000;
const NEW: usize = 100;

fn main() -> Result<(), Box<dyn Error>> {
    let count = std::env::args().nth(1).map_or(Ok(10_000), |text| text.parse())?;
    let folder = tempfile::tempdir()?;
    let (repo, place) = (folder.path().join("results.git"), folder.path().join("index.redb"));
    let store = Store::create(&repo)?;
    import(&repo, count)?;
    let mut out = io::stdout().lock();
    let line = |out: &mut dyn Write, what: &str, (time, cpu): (Duration, Duration)| {
        writeln!(out, "{what:44} {:9.4} s  {:9.4} s CPU", time.as_secs_f64(), cpu.as_secs_f64())
    };
    writeln!(out, "{count} results")?;
    line(&mut out, "peer: git reads trees and receipts", measured(|| peer(&repo))?)?;
    let snapshot = store.snapshot()?;
    let build = measured(|| Index::open(&place, &snapshot).map(drop).map_err(Into::into))?;
    line(&mut out, "build", build)?;
    let open = measured(|| {
        let snapshot = Store::open(&repo)?.snapshot()?;
        Index::open(&place, &snapshot).map(drop).map_err(Into::into)
    })?;
    line(&mut out, "open the repository and the index", open)?;
    let index = Index::open(&place, &snapshot)?;
    let mut lines = 0;
    let latest = measured(|| {
        lines = index.latest()?.len();
        Ok(())
    })?;
    line(&mut out, &format!("newest of each of {lines} tagsets"), latest)?;
    append(&store)?;
    let snapshot = store.snapshot()?;
    line(
        &mut out,
        &format!("take in {NEW} new results"),
        measured(|| Ok(index.update(&snapshot)?))?,
    )?;
    append(&store)?;
    let snapshot = store.snapshot()?;
    line(&mut out, &format!("take in {NEW} more"), measured(|| Ok(index.update(&snapshot)?))?)?;
    drop(index);
    writeln!(out, "{:44} {:9.1} MB", "size of the index", place.metadata()?.len() as f64 / 1e6)?;
    Ok(())
}

fn measured(
    work: impl FnOnce() -> Result<(), Box<dyn Error>>,
) -> Result<(Duration, Duration), Box<dyn Error>> {
    let (start, cpu) = (Instant::now(), cpu_time());
    work()?;
    Ok((start.elapsed(), cpu_time().saturating_sub(cpu)))
}

/// Of this process and the children it has waited for, in ticks of 10 ms (`proc(5)`); zero elsewhere than on Linux.
fn cpu_time() -> Duration {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = text.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11).take(4);
    let ticks: u64 = fields.filter_map(|field| field.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

fn submission(number: usize) -> Result<Submission, Box<dyn Error>> {
    let tagset = Tagset {
        package: format!("package-{}", number % PACKAGES),
        host: format!("host-{}", number / PACKAGES % HOSTS),
        arch: "linux-x86_64".to_owned(),
        tags: ["stable".to_owned()].into(),
    };
    let client_info = ClientInfo::new(&tagset, true)?.with("duration", number as f64 / 7.0)?;
    Ok(Submission { client_info, results_list: vec![Step::default().with("status", 0)] })
}

fn append(store: &Store) -> Result<(), Box<dyn Error>> {
    let mut writer = store.writer(Duration::ZERO)?;
    for number in 0..NEW {
        writer.append(&submission(number)?, &Arrival::at(jiff::Timestamp::now()))?;
    }
    Ok(())
}

/// Writes results with `git fast-import`, many to a commit: what is measured is the index.
fn import(repo: &Path, count: usize) -> Result<(), Box<dyn Error>> {
    let mut git = Command::new("git")
        .args(["-C", &repo.to_string_lossy(), "fast-import", "--quiet"])
        .stdin(Stdio::piped())
        .spawn()?;
    let mut stream = BufWriter::new(git.stdin.take().ok_or("no pipe")?);
    let start: jiff::Timestamp = "2020-01-01T00:00:00Z".parse()?;
    let step = jiff::SignedDuration::from_hours(24) / (PER_DAY * PACKAGES) as i32;
    for number in 0..count {
        if number % PER_COMMIT == 0 {
            let from = if number == 0 { "from refs/heads/main^0\n" } else { "" };
            write!(
                stream,
                "commit refs/heads/main\ncommitter x <x@localhost> 1600000000 +0000\ndata 0\n{from}"
            )?;
        }
        let received = start + step * number as i32;
        let key = ResultKey::new(received, number as u32);
        let receipt = Receipt {
            key,
            number: Some(number as u32),
            received,
            submission_id: None,
            client: None,
            client_ip: None,
            flags: Default::default(),
        };
        let submission = submission(number)?;
        let mut folder = names::tree_component(submission.client_info.package());
        write!(folder, "/{}/{key}", received.strftime("%Y/%m/%d"))?;
        for (path, content) in record::encode(&receipt, &submission) {
            writeln!(stream, "M 100644 inline {folder}/{path}\ndata {}", content.len())?;
            stream.write_all(&content)?;
            writeln!(stream)?;
        }
    }
    drop(stream);
    match git.wait()?.success() {
        true => Ok(()),
        false => Err("git fast-import failed".into()),
    }
}

/// What git needs for the objects that a rebuild reads.
fn peer(repo: &Path) -> Result<(), Box<dyn Error>> {
    let list = repo.join("peer.txt");
    let mut names = Command::new("git")
        .args(["ls-tree", "-r", "--format=%(objectname)", "main"])
        .current_dir(repo)
        .stdout(File::create(&list)?)
        .spawn()?;
    names.wait()?;
    let mut read = Command::new("git")
        .args(["cat-file", "--batch"])
        .current_dir(repo)
        .stdin(File::open(&list)?)
        .stdout(Stdio::null())
        .spawn()?;
    read.wait()?;
    Ok(())
}
