//! The index: what it costs to build it, and to open it where there is much.

use std::fs;
use std::hint::black_box;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use jiff::{SignedDuration, Timestamp};
use pony_formats::names::tree_component;
use pony_formats::{ClientInfo, Receipt, ResultKey, Step, Submission, Tagset, record};
use pony_store::{Index, Store};

use crate::measure::{Sample, child, median, sample};
use crate::{Failure, Plan};

/// Results of one package on one day.
const PER_DAY: u64 = 100;

/// Packages, of which each has as many results.
const PACKAGES: u64 = 50;

/// Machines of each package.
const HOSTS: u64 = 20;

/// Results that are imported as one commit.
const PER_COMMIT: u64 = 1_000;

/// In the child: opens the index of a repository. Builds it first if there is none.
pub(crate) fn open(repo: &Path, results: &str) -> Result<Sample, Failure> {
    let place = repo.join("bench.redb");
    let ((), sample) = sample(|| {
        let snapshot = Store::open(repo)?.snapshot()?;
        let index = black_box(Index::open(&place, &snapshot)?);
        if index.len()? != results.parse::<u64>()? {
            return Err("the index has not all results".into());
        }
        index.close();
        Ok(())
    })?;
    Ok(sample)
}

/// Measures and prints.
pub(crate) fn write(out: &mut dyn Write, plan: &Plan) -> Result<(), Failure> {
    writeln!(out, "\nIndex, median of {}", plan.rounds)?;
    let [built, opened] = plan.indexed;
    let repo = repository(plan, built)?;
    let build = || {
        remove(&repo.join("bench.redb"))?;
        child("index", &repo, &[built.to_string()])
    };
    line(out, &format!("build with {built} results"), plan.rounds, "2 s", build)?;
    let repo = repository(plan, opened)?;
    // Also builds it.
    child("index", &repo, &[opened.to_string()])?;
    let open = || child("index", &repo, &[opened.to_string()]);
    line(out, &format!("open with {opened} results"), plan.rounds, "0.1 s", open)
}

fn line(
    out: &mut dyn Write,
    what: &str,
    rounds: usize,
    goal: &str,
    measure: impl Fn() -> Result<Sample, Failure>,
) -> Result<(), Failure> {
    let samples = (0..rounds).map(|_| measure()).collect::<Result<Vec<_>, Failure>>()?;
    let wall = median(samples.iter().map(|sample| sample.wall));
    let cpu = median(samples.iter().map(|sample| sample.cpu));
    Ok(writeln!(out, "{what:28} {wall:7.3} s (goal {goal}), CPU {cpu:7.3} s")?)
}

fn remove(path: &Path) -> Result<(), Failure> {
    if path.exists() {
        fs::remove_file(path)?;
    }
    Ok(())
}

/// A repository with so many small results, made if it is not there.
fn repository(plan: &Plan, results: u64) -> Result<PathBuf, Failure> {
    let path = plan.folder.join(format!("indexed-{results}.git"));
    if !path.exists() {
        let growing = plan.folder.join("growing.git");
        if growing.exists() {
            fs::remove_dir_all(&growing)?;
        }
        Store::create(&growing)?;
        import(&growing, results)?;
        fs::rename(growing, &path)?;
    }
    Ok(path)
}

fn submission(number: u64) -> Result<Submission, Failure> {
    let tagset = Tagset {
        package: format!("package-{}", number % PACKAGES),
        host: format!("host-{}", number / PACKAGES % HOSTS),
        arch: "linux-x86_64".to_owned(),
        tags: ["stable".to_owned()].into(),
    };
    let client_info = ClientInfo::new(&tagset, true)?.with("duration", number as f64 / 7.0)?;
    Ok(Submission { client_info, results_list: vec![Step::default().with("status", 0)] })
}

/// Writes results with `git fast-import`, many to a commit: what is measured is the index.
fn import(repo: &Path, results: u64) -> Result<(), Failure> {
    let mut git = Command::new("git")
        .args(["fast-import", "--quiet"])
        .current_dir(repo)
        .stdin(Stdio::piped())
        .spawn()?;
    let mut stream = BufWriter::new(git.stdin.take().ok_or("no standard input")?);
    let start: Timestamp = "2020-01-01T00:00:00Z".parse()?;
    let step = SignedDuration::from_hours(24) / i32::try_from(PER_DAY * PACKAGES)?;
    for number in 0..results {
        if number % PER_COMMIT == 0 {
            let from = if number == 0 { "from refs/heads/main^0\n" } else { "" };
            write!(
                stream,
                "commit refs/heads/main\ncommitter x <x@localhost> 1600000000 +0000\ndata 0\n{from}"
            )?;
        }
        let received = start.checked_add(step * i32::try_from(number)?)?;
        let key = ResultKey::new(received, u32::try_from(number)?);
        let receipt = Receipt {
            key,
            number: Some(u32::try_from(number)?),
            received,
            submission_id: None,
            sent: None,
            client: None,
            client_ip: None,
            flags: Default::default(),
        };
        let submission = submission(number)?;
        let package = tree_component(submission.client_info.package());
        let folder = format!("{package}/{}/{key}", received.strftime("%Y/%m/%d"));
        for (path, content) in record::encode(&receipt, &submission) {
            writeln!(stream, "M 100644 inline {folder}/{path}\ndata {}", content.len())?;
            stream.write_all(&content)?;
            writeln!(stream)?;
        }
    }
    stream.flush()?;
    drop(stream);
    let status = git.wait()?;
    if status.success() { Ok(()) } else { Err(format!("git fast-import: {status}").into()) }
}
