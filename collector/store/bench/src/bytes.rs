//! What a stored run of 1 000 tests costs on disk, against the JUnit XML of the same runs.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use pony_formats::output::write_junit;
use pony_store::{Arrival, Store};

use crate::repository::{SALT, fill, git, pack_bytes};
use crate::{Failure, Plan, data};

/// Runs that are stored.
const RUNS: u64 = 2_000;

/// Runs in a day, where there are several days.
const PER_DAY: u64 = 50;

/// Prints what is stored for each run, as it is written and repacked.
pub(crate) fn write(out: &mut dyn Write, plan: &Plan) -> Result<(), Failure> {
    writeln!(out, "\nBytes for each of {RUNS} runs of 1 000 tests of one package")?;
    let junit = junit_bytes()?;
    writeln!(out, "{:52} {junit:8.0}", "JUnit XML, each compressed with gzip -9")?;
    for (name, make) in [
        ("in batches of 1 000, about a day", batches as fn(&Path) -> Result<(), Failure>),
        ("one at a time, all on one day", one_day),
        ("one at a time, 50 a day", many_days),
    ] {
        let repo = plan.folder.join("runs.git");
        make(&repo)?;
        let written = pack_bytes(&repo)? as f64 / RUNS as f64;
        let repacked = repack(&repo)?;
        let packed = pack_bytes(&repacked)? as f64 / RUNS as f64;
        fs::remove_dir_all(&repo)?;
        fs::remove_dir_all(&repacked)?;
        writeln!(
            out,
            "{name:52} {written:8.0}, repacked {packed:5.0} (goal 4000): {:.2} of JUnit (goal 0.25)",
            packed / junit
        )?;
    }
    Ok(())
}

fn junit_bytes() -> Result<f64, Failure> {
    let (mut bytes, mut count) = (0, 0.0);
    for number in (0..RUNS).step_by(20) {
        let run = data::run(number)?;
        let mut xml = Vec::new();
        write_junit(
            &mut xml,
            "run",
            run.results_list.iter().map(|step| ("unit tests", step.tests())),
        )?;
        let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
        gzip.write_all(&xml)?;
        bytes += gzip.finish()?.len();
        count += 1.0;
    }
    Ok(bytes as f64 / count)
}

fn batches(repo: &Path) -> Result<(), Failure> {
    fill(repo, 0..RUNS, data::run)
}

fn one_day(repo: &Path) -> Result<(), Failure> {
    one_at_a_time(repo, 86_400 / RUNS)
}

fn many_days(repo: &Path) -> Result<(), Failure> {
    one_at_a_time(repo, 86_400 / PER_DAY)
}

/// As results come to a collector that has nothing else to do. `seconds` from one to the next.
fn one_at_a_time(repo: &Path, seconds: u64) -> Result<(), Failure> {
    let store = Store::open_or_create(repo)?;
    let start = data::arrival(0)?;
    let mut writer = store.writer(Default::default())?.reproducible(start, SALT);
    for number in 0..RUNS {
        let later = jiff::SignedDuration::from_secs((number * seconds).try_into()?);
        writer.append(&data::run(number)?, &Arrival::at(start.checked_add(later)?))?;
    }
    Ok(())
}

/// A clone that git has packed as it likes best.
fn repack(repo: &Path) -> Result<PathBuf, Failure> {
    let clone = repo.with_extension("clone");
    let (from, to) = (repo.to_string_lossy(), clone.to_string_lossy());
    let address = format!("file://{from}");
    git(repo, &["clone", "--quiet", "--mirror", &address, &to])?;
    fs::create_dir_all(clone.join("info"))?;
    fs::copy(repo.join("info/attributes"), clone.join("info/attributes"))?;
    git(&clone, &["repack", "--quiet", "-a", "-d", "-f"])?;
    Ok(clone)
}
