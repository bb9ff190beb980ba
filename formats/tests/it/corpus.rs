//! Real output of real test runners, with the tallies it has to give.
//!
//! The corpus is not part of this repository. It is looked for in `$PONY_CORPUS`, else in
//! `../shared/corpus` beside the workspace: folders of files, each with a `MANIFEST.tsv`. Without it the tests
//! say that they check nothing; with `PONY_REQUIRE_CORPUS` set they fail. `PONY_CORPUS=none` is none at all.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use pony_formats::{Format, Limits, Report, Summary, Tally, parse, read};

/// What a manifest says of one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Expectation {
    /// It can be read and has the tallies of its row.
    Ok,
    /// It has to be refused, unless all that is wrong are characters that XML forbids and the reader
    /// says that it made them visible.
    Error,
    /// It is broken; refusing it is as good as making sense of it.
    ErrorOrRecover,
}

/// One file to read.
pub(crate) struct Row {
    /// Where it is.
    pub(crate) path: PathBuf,
    /// What to read it as.
    pub(crate) format: Format,
    /// What should come of it.
    pub(crate) expectation: Expectation,
    /// Its tally, if it can be read.
    pub(crate) tally: Tally,
    /// How many of the passed tests may as well be skipped, because sources disagree.
    pub(crate) passed_or_skipped: u64,
}

/// One line of a manifest, by the name of its column.
pub(crate) type Columns = BTreeMap<String, String>;

/// The parts of the corpus, and the column that names the folder of a file in each.
const PARTS: [(&str, &str); 3] = [("junit", ""), ("cargo", "crate"), ("python", "package")];

/// One line of any manifest.
pub(crate) struct Entry {
    /// Which part of the corpus it is in.
    pub(crate) part: &'static str,
    /// What messages call it: folder and file.
    pub(crate) name: String,
    /// Where the file is.
    pub(crate) path: PathBuf,
    /// What it is read as.
    pub(crate) format: Format,
    /// What the manifest says.
    pub(crate) columns: Columns,
}

/// The folder of the corpus, if there is one.
pub(crate) fn folder() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus");
    let folder = std::env::var_os("PONY_CORPUS").map_or(beside, PathBuf::from);
    let found = folder.is_dir();
    let required = std::env::var_os("PONY_REQUIRE_CORPUS").is_some();
    assert!(found || !required, "no corpus at {}: set PONY_CORPUS", folder.display());
    if !found {
        println!("NOT CHECKED: no corpus at {}", folder.display());
    }
    found.then_some(folder)
}

/// Every line of every manifest.
pub(crate) fn entries(corpus: &Path) -> Vec<Entry> {
    let mut entries = Vec::new();
    for (part, group) in PARTS {
        let folder = corpus.join(part);
        for columns in manifest(&folder) {
            let name = match group {
                "" => columns["local"].clone(),
                group => format!("{}/{}", columns[group], columns["file"]),
            };
            let (path, format) = (folder.join(&name), format_of(part, &name));
            entries.push(Entry { part, name, path, format, columns });
        }
    }
    entries
}

/// What a file is, by what made it: that is in its name.
fn format_of(part: &str, name: &str) -> Format {
    let file = name.rsplit('/').next().unwrap_or(name);
    match part {
        _ if part == "junit" || file.ends_with(".xml") => Format::Junit,
        "cargo" if file.ends_with(".jsonl") => Format::LibtestJson,
        "cargo" if file.starts_with("nextest") => Format::NextestText,
        "cargo" => Format::CargoTest,
        _ if file.starts_with("pytest") => Format::PytestText,
        _ => Format::PythonText,
    }
}

#[test]
fn every_line_of_the_manifests_is_checked() {
    let Some(corpus) = folder() else { return };
    let entries = entries(&corpus);
    // What the tests of this folder check: corpus_junit, corpus_text (three) and corpus_libtest (two).
    let checked = [
        Format::Junit,
        Format::CargoTest,
        Format::PythonText,
        Format::PytestText,
        Format::LibtestJson,
        Format::NextestText,
    ];
    let mut counted: BTreeMap<(&str, String, &str), usize> = BTreeMap::new();
    for entry in entries.iter().filter(|entry| checked.contains(&entry.format)) {
        assert!(entry.path.is_file(), "{} is missing", entry.name);
        let key = (entry.part, entry.format.to_string(), entry.columns["expect"].as_str());
        *counted.entry(key).or_default() += 1;
    }
    for ((part, format, expectation), count) in &counted {
        println!("  {part}: {count} as {format}, {expectation}");
    }
    let lines: usize = PARTS
        .iter()
        .map(|(part, _)| {
            let text = std::fs::read_to_string(corpus.join(part).join("MANIFEST.tsv")).unwrap();
            text.lines().skip(1).filter(|line| !line.is_empty()).count()
        })
        .sum();
    let sum: usize = counted.values().sum();
    println!("corpus: {sum} of {lines} lines of the manifests are checked");
    assert_eq!(sum, lines);
}

/// The lines of a manifest.
pub(crate) fn manifest(folder: &Path) -> Vec<Columns> {
    let text = std::fs::read_to_string(folder.join("MANIFEST.tsv")).unwrap();
    let mut lines = text.lines().map(|line| line.split('\t').map(str::to_owned));
    let header: Vec<String> = lines.next().unwrap().collect();
    lines
        .map(|cells| {
            // Those at the end of a line may be missing.
            let cells = cells.chain(std::iter::repeat(String::new()));
            header.iter().cloned().zip(cells).collect()
        })
        .collect()
}

/// The `expect` column.
pub(crate) fn expectation(columns: &Columns) -> Expectation {
    match columns["expect"].as_str() {
        "ok" => Expectation::Ok,
        "error" => Expectation::Error,
        "error-or-recover" => Expectation::ErrorOrRecover,
        other => panic!("unknown expectation {other}"),
    }
}

/// A column that holds a count; 0 where there is none.
pub(crate) fn count(columns: &Columns, name: &str) -> u64 {
    columns.get(name).and_then(|cell| cell.parse().ok()).unwrap_or(0)
}

/// Reads every file, says how many there were of each kind, and fails with all that is wrong.
pub(crate) fn check(title: &str, rows: &[Row]) {
    let mut checked: BTreeMap<(String, Expectation, &str), usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    for row in rows {
        let ending = check_row(row).unwrap_or_else(|message| {
            wrong.push(format!("{}: {message}", row.path.display()));
            "wrong"
        });
        *checked.entry((row.format.to_string(), row.expectation, ending)).or_default() += 1;
    }
    println!("{title}: {} files checked, {} wrong", rows.len(), wrong.len());
    for ((format, expectation, ending), count) in checked {
        println!("  {format} {expectation:?}: {count} {ending}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// How reading went, or why that is wrong.
fn check_row(row: &Row) -> Result<&'static str, String> {
    let input = std::fs::read(&row.path).map_err(|error| error.to_string())?;
    let found = parse(row.format, &input, &Limits::DEFAULT);
    let streamed = stream(row.format, &input);
    if let Ok(report) = &found
        && streamed.as_ref() != Ok(report)
    {
        return Err(format!("read bit by bit it is another: {:?}", streamed.map(|r| r.tally())));
    }
    if found.is_err() && streamed.is_ok() {
        return Err("read bit by bit it is not refused".to_owned());
    }
    let found = found.map(|report| (report.tally(), report.sanitised));
    match (row.expectation, found) {
        (Expectation::Ok | Expectation::ErrorOrRecover, Ok((tally, _)))
            if is_expected(row, tally) =>
        {
            Ok("exact")
        }
        (Expectation::Error | Expectation::ErrorOrRecover, Err(_)) => Ok("refused"),
        (Expectation::Error, Ok((_, true))) => Ok("read, with forbidden characters made visible"),
        (Expectation::Error, Ok((tally, false))) => Err(format!("not refused, found {tally:?}")),
        (_, Ok((tally, _))) => Err(format!("expected {:?}, found {tally:?}", row.tally)),
        (_, Err(error)) => Err(error.to_string()),
    }
}

/// Reads a few bytes at a time.
fn stream(format: Format, input: &[u8]) -> Result<Report, String> {
    let (mut tests, mut suites) = (Vec::new(), Vec::new());
    let input = std::io::BufReader::with_capacity(100, input);
    let summary = read(format, input, &Limits::DEFAULT, &mut |entry| match entry {
        pony_formats::Entry::Test(test) => tests.push(test),
        pony_formats::Entry::Suite(suite) => suites.push(suite),
    });
    let Summary { format, unnamed, sanitised } = summary.map_err(|error| error.to_string())?;
    Ok(Report { format, tests, suites, unnamed, sanitised, oddities: Default::default() })
}

fn is_expected(row: &Row, tally: Tally) -> bool {
    let mut other = row.tally;
    other.passed = other.passed.saturating_sub(row.passed_or_skipped);
    other.skipped += row.passed_or_skipped;
    tally == row.tally || tally == other
}
