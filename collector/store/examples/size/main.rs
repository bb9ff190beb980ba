//! What one stored run costs: fills repositories with made-up runs, maintains them, and compares the bytes
//! on disk with the runs' JUnit XML, each compressed by gzip.
//!
//! ```text
//! cargo run --release -p pony-store --example size               2 000 runs, 50 a day and all on one day
//! cargo run --release -p pony-store --example size -- 500 PATH   500 runs; the repositories stay in PATH
//! ```

mod runs;

use std::error::Error;
use std::io::{Write as _, stdout};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::{SignedDuration, Timestamp};
use pony_store::{Arrival, PackScope, Store};

/// The day of the first run.
const FIRST: &str = "2026-01-05T00:00:00Z";

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let count: u32 = args.next().map_or(Ok(2_000), |text| text.parse())?;
    let place = tempfile::tempdir()?;
    let folder = args.next().map_or(place.path().to_owned(), Into::into);
    writeln!(stdout(), "{count} runs of 1 000 tests; kB a run, 1 kB = 1 000 bytes\n")?;
    for (name, per_day) in [("50 a day", 50), ("one day", count)] {
        let path = folder.join(format!("{}.git", name.replace(' ', "-")));
        measure(&path, name, count, per_day)?;
    }
    Ok(())
}

/// Fills a repository and says what it costs.
fn measure(path: &Path, name: &str, count: u32, per_day: u32) -> Result<(), Box<dyn Error>> {
    let store = Store::create(path)?;
    let pause = SignedDuration::from_secs(24 * 3600 / i64::from(per_day.max(1)));
    let mut time: Timestamp = FIRST.parse()?;
    let mut writer = store.writer(Duration::ZERO)?;
    let mut gzipped = 0;
    for run in 0..count {
        let made = runs::run(run, time)?;
        gzipped += gzip(made.junit.as_bytes())?;
        writer.append(&made.submission, &Arrival::at(time))?;
        time += pause;
    }
    drop(writer);
    let each = |bytes: u64| bytes as f64 / f64::from(count) / 1000.0;
    let written = bytes_of(path)?;
    let mut out = stdout().lock();
    writeln!(out, "{name:10} JUnit XML, gzip -9   {:8.2}", each(gzipped))?;
    writeln!(out, "{name:10} as written           {:8.2}", each(written))?;
    let clock = Instant::now();
    let maintained = store.maintain(Duration::ZERO, PackScope::Recent)?;
    let seconds = clock.elapsed().as_secs_f64();
    let now = bytes_of(path)?;
    writeln!(
        out,
        "{name:10} maintained           {:8.2}   {seconds:.1} s, {:?}",
        each(now),
        maintained.tool
    )?;
    writeln!(out, "{name:10} share of the XML     {:8.3}", now as f64 / gzipped as f64)?;
    let clone = path.with_extension("clone");
    git(
        &["clone", "--quiet", "--mirror", &format!("file://{}", path.canonicalize()?.display())],
        &clone,
    )?;
    writeln!(out, "{name:10} mirror clone         {:8.2}", each(bytes_of(&clone)?))?;
    git(&["repack", "-adFq", "--depth=50", "--window=250"], &clone)?;
    writeln!(out, "{name:10} the same, repacked   {:8.2}\n", each(bytes_of(&clone)?))?;
    Ok(())
}

/// Clones to `folder`, or works in it.
fn git(args: &[&str], folder: &Path) -> Result<(), Box<dyn Error>> {
    let mut command = Command::new("git");
    match args[0] {
        "clone" => command.args(args).arg(folder),
        _ => command.arg("-C").arg(folder).args(args),
    };
    let status = command.status()?;
    if status.success() { Ok(()) } else { Err(format!("git {args:?}: {status}").into()) }
}

fn gzip(bytes: &[u8]) -> std::io::Result<u64> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?.len() as u64)
}

/// The size of all files below a folder.
fn bytes_of(folder: &Path) -> std::io::Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        bytes += if metadata.is_dir() { bytes_of(&entry.path())? } else { metadata.len() };
    }
    Ok(bytes)
}
