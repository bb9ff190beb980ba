//! Rendering one run and a history, ours and junit2html in turn.

use std::fs;
use std::path::{Path, PathBuf};

use crate::measure::{Files, Sample, Words, files, median, sample};
use crate::table::{Better, Table};
use crate::{Failure, Plan, words};

/// Samples of one corpus, in pairs.
struct Pairs {
    ours: Vec<Sample>,
    peer: Vec<Sample>,
    /// What ours wrote: the site, and the repository.
    site: Files,
    repository: Files,
    /// Bytes of XML.
    read: u64,
}

/// Everything that is compared with junit2html.
pub(crate) fn tables(plan: &Plan, table: &mut Table<'_>) -> Result<(), Failure> {
    let small = pairs(plan, &["--suites", "100", "--tests", "100", "--seed", "11"])?;
    let large = pairs(plan, &["--suites", "500", "--tests", "200", "--seed", "11"])?;
    for (name, pairs, peaks) in
        [("10 000", &small, [83.0, 48.0]), ("100 000", &large, [230.0, 160.0])]
    {
        let what = format!("{name} tests: CPU less than junit2html, times");
        table.line(&what, pairs.ratio(), Better::More, [3.0, 8.0], &pairs.note())?;
        let peak = median(pairs.ours.iter().map(|sample| sample.peak));
        table.line(&format!("{name} tests: peak MiB"), peak, Better::Less, peaks, "")?;
        let written = (pairs.site.bytes + pairs.repository.bytes) as f64 / pairs.read as f64;
        let note = format!("site {}, repository {}", pairs.site.bytes, pairs.repository.bytes);
        let what = format!("{name} tests: bytes written over XML");
        table.line(&what, written, Better::Less, [3.0, 2.0], &note)?;
    }
    let growth = large.cpu() / small.cpu();
    table.line("CPU at 100 000 over 10 000 tests", growth, Better::Less, [12.0, 10.5], "")?;
    let count = large.site.count as f64;
    table.line("100 000 tests: files", count, Better::Less, [1050.0, 520.0], "")?;
    let page = large.site.largest_page as f64 / 1e6;
    table.line("100 000 tests: largest page, MB", page, Better::Less, [2.0, 1.0], "")?;
    let history = ["--runs", "50", "--suites", "40", "--tests", "50", "--seed", "7"];
    let history = pairs(plan, &history)?;
    let what = "50 runs of 2 000: CPU less than the matrix, times";
    table.line(what, history.ratio(), Better::More, [2.0, 4.0], &history.note())
}

impl Pairs {
    fn cpu(&self) -> f64 {
        median(self.ours.iter().map(|sample| sample.cpu))
    }

    fn ratio(&self) -> f64 {
        median(self.ours.iter().zip(&self.peer).map(|(ours, peer)| peer.cpu / ours.cpu))
    }

    fn note(&self) -> String {
        let peer = median(self.peer.iter().map(|sample| sample.cpu));
        format!("{:.3} s, junit2html {peer:.3} s", self.cpu())
    }
}

/// Makes a corpus and has both render it, in turn.
fn pairs(plan: &Plan, corpus: &[&str]) -> Result<Pairs, Failure> {
    let place = tempfile::tempdir_in(&plan.folder)?;
    let runs = place.path().join("corpus");
    let mut made = words(&[&plan.python, &plan.corpus, "--out", &text(&runs)]);
    made.extend(words(corpus));
    sample(&[made])?;
    let runs = xml_files(&runs)?;
    let mut read = 0;
    for run in &runs {
        read += fs::metadata(run)?.len();
    }
    let (repo, site) = (place.path().join("results.git"), place.path().join("site"));
    let page = place.path().join("peer.html");
    let ours = ours(plan, &runs, &repo, &site);
    let mut peer = words(&[&plan.python, "-m", "junit2htmlreport"]);
    if let [_, _, ..] = &runs[..] {
        peer.extend(words(&["--report-matrix", &text(&page)]));
        peer.extend(runs.iter().map(|run| text(run)));
    } else {
        peer.extend(runs.iter().map(|run| text(run)));
        peer.push(text(&page));
    }
    let mut pairs = Pairs {
        ours: vec![],
        peer: vec![],
        site: Files::default(),
        repository: Files::default(),
        read,
    };
    for _ in 0..plan.rounds {
        for folder in [&repo, &site].into_iter().filter(|folder| folder.exists()) {
            fs::remove_dir_all(folder)?;
        }
        pairs.ours.push(sample(&ours)?);
        pairs.peer.push(sample(std::slice::from_ref(&peer))?);
    }
    (pairs.site, pairs.repository) = (files(&site)?, files(&repo)?);
    Ok(pairs)
}

fn ours(plan: &Plan, runs: &[PathBuf], repo: &Path, site: &Path) -> Vec<Words> {
    let (report, build) = (plan.program("pony-report"), plan.program("pony-site"));
    let submit = |run: &PathBuf| {
        words(&[&report, "submit", "--repo", &text(repo), "--package", "bench", &text(run)])
    };
    let mut commands: Vec<Words> = runs.iter().map(submit).collect();
    commands.push(words(&[&build, "build", "--repo", &text(repo), "--out", &text(site)]));
    commands
}

/// The XML files of a corpus, under names that tell them apart and in order.
fn xml_files(corpus: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for entry in corpus.read_dir()? {
        let folder = entry?.path();
        let file = folder.join("junit.xml");
        if file.is_file() {
            let own = folder.with_extension("xml");
            fs::rename(file, &own)?;
            files.push(own);
        }
    }
    files.sort();
    if files.is_empty() { Err("the generator made no `run-*/junit.xml`".into()) } else { Ok(files) }
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
