//! What a stored run of 1 000 tests costs on disk, against the JUnit XML of the same runs.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::SignedDuration;
use pony_store::{Arrival, PackScope, Store};

use crate::repository::SALT;
use crate::{Failure, Plan, data, runs};

/// Runs that are stored.
const RUNS: u32 = 2_000;

/// Seconds in a day.
const DAY: u32 = 86_400;

/// Prints what is on disk for each run, as it is written and after maintenance.
pub(crate) fn write(out: &mut dyn Write, plan: &Plan) -> Result<(), Failure> {
    writeln!(
        out,
        "\nBytes for each of {RUNS} runs of 1 000 tests of one package, all files counted"
    )?;
    for (name, per_day) in [("all on one day", RUNS), ("50 a day", 50)] {
        let path = plan.folder.join("runs.git");
        if path.exists() {
            fs::remove_dir_all(&path)?;
        }
        let gzipped = fill(&path, DAY / per_day)?;
        let each = |bytes: u64| bytes as f64 / f64::from(RUNS);
        let written = each(bytes_of(&path)?);
        Store::open(&path)?.maintain(Duration::ZERO, PackScope::Recent)?;
        let maintained = each(bytes_of(&path)?);
        let gzipped = each(gzipped);
        fs::remove_dir_all(&path)?;
        writeln!(
            out,
            "{name:16} JUnit XML, gzip -9 {gzipped:6.0}; as written {written:5.0}, maintained {maintained:5.0} \
             (goal 4000): {:.2} of JUnit (goal 0.25)",
            maintained / gzipped
        )?;
    }
    Ok(())
}

/// Stores the runs one at a time, `seconds` from one to the next. Returns the bytes of their JUnit XML, each
/// compressed.
fn fill(path: &Path, seconds: u32) -> Result<u64, Failure> {
    let store = Store::create(path)?;
    let mut time = data::arrival(0)?;
    let mut writer = store.writer(Duration::ZERO)?.reproducible(time, SALT);
    let mut gzipped = 0;
    for number in 0..RUNS {
        let run = runs::run(number, time)?;
        let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
        gzip.write_all(run.junit.as_bytes())?;
        gzipped += gzip.finish()?.len() as u64;
        writer.append(&run.submission, &Arrival::at(time))?;
        time = time.checked_add(SignedDuration::from_secs(seconds.into()))?;
    }
    Ok(gzipped)
}

/// The size of all files below a folder.
fn bytes_of(folder: &Path) -> Result<u64, Failure> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        bytes += if metadata.is_dir() { bytes_of(&entry.path())? } else { metadata.len() };
    }
    Ok(bytes)
}
