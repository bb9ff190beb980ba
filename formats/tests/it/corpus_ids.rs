//! A test of a crate has one id, whichever runner told of it in whichever form, so that its history goes on
//! when the runner changes.
//!
//! What differs has to be in the nature of a form: documentation is never run by nextest; a binary that died
//! took the names of its tests with it in the text of `cargo test`, but not under nextest, which runs each
//! alone; `-q` names failed tests only; and standard output alone has no names of binaries.

use std::collections::BTreeSet;
use std::path::Path;

use pony_formats::{
    CargoTarget, CargoTargets, Format, Limits, Outcome, Report, TestCase, announced_executables,
    parse_with,
};

use crate::corpus::{self, Columns, Expectation, Line};

type Ids = BTreeSet<String>;

#[test]
fn every_form_gives_a_test_the_same_id() {
    let Some(corpus) = corpus::folder() else { return };
    let mut entries = corpus::entries(&corpus);
    entries.retain(|entry| entry.part == "cargo" && has_tests(&entry.columns));
    let crates: BTreeSet<String> =
        entries.iter().map(|entry| entry.columns["crate"].clone()).collect();
    let mut wrong = Vec::new();
    for name in crates {
        let tests = Crate::new(&corpus.join("cargo").join(&name));
        for entry in entries.iter().filter(|entry| entry.columns["crate"] == name) {
            match tests.compare(entry) {
                Ok(words) => println!("  {}: {words}", entry.name),
                Err(problem) => wrong.push(format!("{}: {problem}", entry.name)),
            }
        }
    }
    let compared = entries.len();
    println!("ids: {compared} files compared, {} wrong", wrong.len());
    assert!(compared > 50 && wrong.is_empty(), "{}", wrong.join("\n"));
}

fn has_tests(row: &Columns) -> bool {
    corpus::expectation(row) == Expectation::Ok && corpus::count(row, "passed") > 0
}

/// What is known of one crate: its targets, and all tests that it has.
struct Crate {
    targets: CargoTargets,
    unit: Ids,
    docs: Ids,
    /// Those of both that are not run unless asked for.
    ignored: Ids,
}

impl Crate {
    fn new(folder: &Path) -> Self {
        let targets = targets(folder);
        let all = |file: &str, format| match std::fs::read(folder.join(file)) {
            Ok(input) => parse_with(format, &input, &Limits::DEFAULT, &targets)
                .map_or_else(|_| Vec::new(), |report| report.tests),
            Err(_) => Vec::new(),
        };
        let (mut unit, mut docs, mut ignored) = (Ids::new(), Ids::new(), Ids::new());
        let nextest = all("nextest-libtest-json-plus.jsonl", Format::LibtestJson);
        let text = all("test.txt", Format::CargoTest);
        let of_docs = text.into_iter().filter(|test| test.id.contains("::doc::"));
        for test in nextest.into_iter().chain(of_docs) {
            if test.outcome == Outcome::Skipped {
                ignored.insert(test.id.clone());
            }
            if test.id.contains("::doc::") { &mut docs } else { &mut unit }.insert(test.id);
        }
        Self { targets, unit, docs, ignored }
    }

    fn compare(&self, entry: &Line) -> Result<String, String> {
        let row = &entry.columns;
        let input = std::fs::read(&entry.path).unwrap();
        let report = parse_with(entry.format, &input, &Limits::DEFAULT, &self.targets);
        let report = report.map_err(|error| error.to_string())?;
        let is_nextest = row["file"].starts_with("nextest");
        let has_names = is_nextest || !announced_executables(&input).is_empty();
        let mut expected = self.unit.clone();
        if !is_nextest {
            expected.extend(self.docs.clone());
        }
        let plain = |ids: &Ids| match has_names {
            true => ids.clone(),
            false => ids.iter().map(|id| self.without_binary(id).to_owned()).collect(),
        };
        let mut found: Ids = report.tests.iter().map(|test| test.id.clone()).collect();
        let died = self.died(&report, has_names);
        found.retain(|id| !died.contains(id));
        let known = plain(&expected);
        if let Some(id) = found.difference(&known).next() {
            return Err(format!("`{id}` is no test of this crate"));
        }
        let may_be_missing =
            |id: &&String| self.ignored.contains(*id) || self.was_cut_short(&report, id);
        let needed: Ids = expected.iter().filter(|id| !may_be_missing(id)).cloned().collect();
        let needed = plain(&needed);
        let missing: Vec<&String> = needed.difference(&found).collect();
        let is_whole = is_nextest
            || corpus::count(row, "filtered") == 0 && row["command"].contains("no-fail-fast");
        let loses_names = report.unnamed.total + died.len() as u64;
        if is_whole && missing.len() as u64 > loses_names {
            return Err(format!("{missing:?} missing, and {loses_names} tests without a name"));
        }
        let names = if has_names { "" } else { " without binaries" };
        Ok(format!("{} ids{names}, {} tests without", found.len(), report.unnamed.total))
    }

    fn without_binary<'a>(&self, id: &'a str) -> &'a str {
        let binaries = self.targets.all().iter().map(CargoTarget::binary_id);
        let doc = id.split_once("::doc::").map(|(_, path)| path);
        let longest_first = {
            let mut all: Vec<String> = binaries.collect();
            all.sort_by_key(|id| std::cmp::Reverse(id.len()));
            all
        };
        let path = |binary: &String| id.strip_prefix(binary)?.strip_prefix("::");
        doc.or_else(|| longest_first.iter().find_map(path)).unwrap_or(id)
    }

    /// Whether the binary of a test has an errored one: what had not begun by then never did.
    fn was_cut_short(&self, report: &Report, id: &str) -> bool {
        let path = self.without_binary(id);
        let binary = id.strip_suffix(path).unwrap_or_default().trim_end_matches(':');
        let errored = report.tests.iter().filter(|test| test.outcome == Outcome::Errored);
        let is_of = |test: &TestCase| {
            test.id
                .strip_prefix(binary)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
        };
        !binary.is_empty() && errored.into_iter().any(is_of)
    }

    /// The errored tests that stand for a whole binary.
    fn died(&self, report: &Report, has_names: bool) -> Ids {
        let binaries: Ids = self.targets.all().iter().map(CargoTarget::binary_id).collect();
        let errored = report.tests.iter().filter(|test| test.outcome == Outcome::Errored);
        let is_binary = |id: &&String| {
            let of_name = |binary: &String| binary.ends_with(&format!("::{id}"));
            binaries.contains(*id)
                || !has_names && (id.starts_with("test binary ") || binaries.iter().any(of_name))
        };
        errored.map(|test| &test.id).filter(is_binary).cloned().collect()
    }
}

/// The targets that have tests, as nextest names them, and the executables that cargo announces.
fn targets(folder: &Path) -> CargoTargets {
    let events = std::fs::read_to_string(folder.join("nextest-libtest-json-plus.jsonl")).unwrap();
    let mut targets: Vec<CargoTarget> = Vec::new();
    for line in events.lines() {
        let event: serde_json::Value = serde_json::from_str(line).unwrap_or_default();
        let text = |key: &str| event["nextest"][key].as_str().map(str::to_owned);
        let (Some(package), Some(kind), Some(name)) =
            (text("crate"), text("kind"), text("test_binary"))
        else {
            continue;
        };
        let target = CargoTarget { package, kind, name, source: String::new() };
        if !targets.contains(&target) {
            targets.push(target);
        }
    }
    let mut known = CargoTargets::new(targets.clone());
    for file in ["test.txt", "test.jsonl.stderr"] {
        for path in announced_executables(&std::fs::read(folder.join(file)).unwrap_or_default()) {
            let stem = path.rsplit('/').next().and_then(|file| file.rsplit_once('-'));
            let is_it = |target: &CargoTarget| {
                stem.is_some_and(|(name, _)| name == target.name.replace('-', "_"))
            };
            if let Some(index) = targets.iter().position(is_it) {
                known.add_executable(&path, index);
            }
        }
    }
    known
}
