//! A table of readers of one file.

use std::io::Write;
use std::path::Path;

use crate::Failure;
use crate::measure::{self, Reader, Sample};

/// Measures and prints. The first reader of a table is ours; each line says how many times as fast as
/// its own reader ours is: the median of the ratios of neighbours in time.
pub(crate) fn write(
    out: &mut dyn Write,
    title: &str,
    file: &Path,
    readers: &[Reader],
    rounds: usize,
) -> Result<(), Failure> {
    let bytes = std::fs::metadata(file)?.len() as f64;
    writeln!(out, "\n{title}, {:.1} MB, median of {rounds}", bytes / 1e6)?;
    writeln!(
        out,
        "{:32} {:>8} {:>7} {:>9} {:>8} {:>7}",
        "", "CPU ms", "MB/s", "peak MiB", "count", "ours is"
    )?;
    let mut samples: Vec<Result<Vec<Sample>, String>> =
        readers.iter().map(|_| Ok(Vec::new())).collect();
    for _ in 0..rounds {
        for (reader, samples) in readers.iter().zip(&mut samples) {
            let Ok(list) = samples else { continue };
            match measure::child(reader, file) {
                Ok(sample) => list.push(sample),
                Err(error) => *samples = Err(error.to_string()),
            }
        }
    }
    let ours: Vec<f64> = match samples.first() {
        Some(Ok(list)) => list.iter().map(|sample| sample.cpu).collect(),
        _ => Vec::new(),
    };
    for (reader, samples) in readers.iter().zip(samples) {
        match samples {
            Err(error) => {
                let error: String = error.chars().take(60).collect();
                writeln!(out, "{:32} cannot: {error}", reader.name)?;
            }
            Ok(list) => {
                let cpu = median(list.iter().map(|sample| sample.cpu));
                let peak = median(list.iter().map(|sample| sample.peak));
                let ratio = median(list.iter().zip(&ours).map(|(sample, ours)| sample.cpu / ours));
                let (ms, rate, count) = (cpu * 1e3, bytes / 1e6 / cpu, list[0].count);
                let name = reader.name;
                writeln!(out, "{name:32} {ms:8.1} {rate:7.0} {peak:9.1} {count:8} {ratio:6.2}x")?;
            }
        }
    }
    Ok(())
}

pub(crate) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
