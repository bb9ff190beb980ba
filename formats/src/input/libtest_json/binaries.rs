//! [`Binaries`]: the events of nextest, whose binaries run at the same time.
//!
//! The name of a test is `package::binary$path`, with `@stress-1` before the `$` in a stress run and
//! `#3` at the end if it took three attempts. Suites are not to be trusted (0.9.143): a suite ends
//! too early and begins again where a binary has ignored tests, and each half counts all of these;
//! where all tests of a binary are ignored, none of them has an end.

use std::collections::{BTreeMap, HashMap};

use super::event::{Binary, Counts, TIMEOUT, TestEnd};
use super::suite::{Finished, not_finished};
use crate::input::cargo_targets::{CargoTargets, binary_id};
use crate::input::census::many;
use crate::model::{Attempt, Evidence, Outcome, Tally, TestCase};

/// Attempts that are kept of one test. All that is known of each is that it failed.
const ATTEMPTS_MAX: usize = 100;

/// Where a test belongs, and its name there.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Name {
    package: String,
    binary: String,
    path: String,
}

/// Package and binary.
type Key = (String, String);

/// All that nextest reports.
#[derive(Debug)]
pub(super) struct Binaries<'t> {
    targets: &'t CargoTargets,
    tests: Vec<Slot>,
    /// Indices into `tests`.
    running: HashMap<Name, Vec<usize>>,
    suites: BTreeMap<Key, Suite>,
    /// How many of them have begun and not ended.
    open: usize,
    /// Where suites are not named: the one that began last, if it has not ended.
    block: Option<Key>,
    /// The sum of all suites.
    counts: Counts,
    /// How many tests have ended so.
    named: Counts,
}

#[derive(Debug)]
struct Slot {
    test: TestCase,
    key: Key,
    is_running: bool,
}

/// The suites of one binary.
#[derive(Debug, Default)]
struct Suite {
    kind: Option<String>,
    begun: u64,
    ended: u64,
    /// Each suite counts all of them.
    ignored: u64,
    ignored_named: u64,
}

impl Name {
    /// Takes `package::binary$path` apart. `None` for a name that is not nextest's.
    pub(super) fn parse(name: &str) -> Option<Self> {
        let (place, path) = name.split_once('$')?;
        let place = place.rsplit_once("@stress-").map_or(place, |(place, _)| place);
        let (package, binary) = place.split_once("::")?;
        let is_name = |name: &str| {
            let odd = |char: char| char.is_whitespace() || char == ':' || char.is_control();
            !name.is_empty() && !name.contains(odd)
        };
        let all_named = is_name(package) && is_name(binary) && !path.is_empty();
        all_named.then(|| Self {
            package: package.to_owned(),
            binary: binary.to_owned(),
            path: path.to_owned(),
        })
    }

    fn key(&self) -> Key {
        (self.package.clone(), self.binary.clone())
    }

    /// Splits the number of attempts off the end of `path#3`.
    fn without_attempts(&self) -> Option<(Self, usize)> {
        let (path, attempts) = self.path.rsplit_once('#')?;
        let attempts = attempts.parse().ok().filter(|number| *number > 1)?;
        Some((Self { path: path.to_owned(), ..self.clone() }, attempts))
    }
}

impl<'t> Binaries<'t> {
    pub(super) fn new(targets: &'t CargoTargets) -> Self {
        Self {
            targets,
            tests: Vec::new(),
            running: HashMap::new(),
            suites: BTreeMap::new(),
            open: 0,
            block: None,
            counts: Counts::default(),
            named: Counts::default(),
        }
    }

    /// Whether a suite is open, so that what looks like libtest itself was printed by a test.
    pub(super) fn is_open(&self) -> bool {
        self.open > 0
    }

    /// A suite that says which binary it is.
    pub(super) fn begin(&mut self, binary: Binary) {
        let suite = self.suites.entry((binary.package, binary.name)).or_default();
        suite.begun += 1;
        suite.kind.get_or_insert(binary.kind);
        self.open += 1;
    }

    /// A suite that only its first test places.
    pub(super) fn begin_with(&mut self, first: &Name) {
        let key = first.key();
        self.suites.entry(key.clone()).or_default().begun += 1;
        self.open += 1;
        self.block = Some(key);
    }

    /// The end of a suite, if need be of the last that began.
    pub(super) fn end(&mut self, binary: Option<Binary>, counts: Option<Counts>) {
        let key = match binary {
            Some(binary) => Some((binary.package, binary.name)),
            None => self.block.take(),
        };
        let Some(key) = key else { return };
        let suite = self.suites.entry(key).or_default();
        if suite.begun > suite.ended {
            self.open -= 1;
            suite.ended += 1;
        }
        if let Some(counts) = counts {
            self.counts.passed = self.counts.passed.saturating_add(counts.passed);
            self.counts.failed = self.counts.failed.saturating_add(counts.failed);
            suite.ignored = suite.ignored.max(counts.ignored);
        }
    }

    pub(super) fn start_test(&mut self, name: Name) {
        let key = name.key();
        let test = TestCase::new(self.id_of(&name), Outcome::Errored);
        self.running.entry(name).or_default().push(self.tests.len());
        self.tests.push(Slot { test, key, is_running: true });
    }

    /// Ends a test. False when it never began.
    pub(super) fn end_test(&mut self, name: Name, end: TestEnd) -> bool {
        let (name, attempts) = match name.without_attempts() {
            Some((shorter, attempts)) if !self.is_running(&name) => (shorter, attempts),
            _ => (name, 1),
        };
        match end.outcome {
            Outcome::Passed => self.named.passed += 1,
            Outcome::Failed => self.named.failed += 1,
            _ => self.suites.entry(name.key()).or_default().ignored_named += 1,
        }
        let key = name.key();
        let mut test = end.into_test(self.id_of(&name));
        let earlier =
            Attempt { outcome: Outcome::Failed, duration: None, evidence: Evidence::default() };
        test.attempts = vec![earlier; (attempts - 1).min(ATTEMPTS_MAX)];
        match test.outcome {
            Outcome::Passed if attempts > 1 => test.outcome = Outcome::Flaky,
            Outcome::Failed if test.evidence.kind.as_deref() == Some(TIMEOUT) => {
                test.outcome = Outcome::Errored;
            }
            _ => {}
        }
        let slot = Slot { test, key, is_running: false };
        let index = self.running.get_mut(&name).and_then(Vec::pop);
        match index {
            Some(index) => self.tests[index] = slot,
            None => self.tests.push(slot),
        }
        index.is_some()
    }

    fn is_running(&self, name: &Name) -> bool {
        self.running.get(name).is_some_and(|indices| !indices.is_empty())
    }

    /// The id under which nextest itself knows the binary, and the path of the test.
    fn id_of(&self, name: &Name) -> String {
        format!("{}::{}", self.binary_id(&name.package, &name.binary), name.path)
    }

    /// What nextest calls a binary everywhere but in these events. Its kind is missing from `libtest-json`.
    fn binary_id(&self, package: &str, binary: &str) -> String {
        let suite = self.suites.get(&(package.to_owned(), binary.to_owned()));
        match suite.and_then(|suite| suite.kind.as_deref()) {
            Some(kind) => binary_id(package, kind, binary),
            None => self.targets.id_without_kind(package, binary),
        }
    }

    /// What it all comes to.
    pub(super) fn finish(mut self) -> Finished {
        let mut finished = Finished::default();
        let mut unfinished: BTreeMap<&Key, u64> = BTreeMap::new();
        for slot in self.tests.iter().filter(|slot| slot.is_running) {
            *unfinished.entry(&slot.key).or_default() += 1;
        }
        let mut ignored: BTreeMap<Key, bool> = BTreeMap::new();
        for (key, suite) in &self.suites {
            let without_end = unfinished.get(key).copied().unwrap_or(0);
            let missing = suite.ignored.saturating_sub(suite.ignored_named);
            let is_over = suite.begun <= suite.ended;
            let are_ignored = is_over && without_end <= missing;
            ignored.insert(key.clone(), are_ignored);
            if are_ignored {
                finished.unnamed += many(Outcome::Skipped, missing - without_end);
            } else if without_end == 0 {
                finished.tests.push(self.died(key));
            }
        }
        let died = std::mem::take(&mut finished.tests);
        for mut slot in self.tests.drain(..) {
            if slot.is_running && ignored.get(&slot.key) == Some(&true) {
                slot.test.outcome = Outcome::Skipped;
            } else if slot.is_running {
                slot.test = not_finished(slot.test, None);
            }
            finished.tests.push(slot.test);
        }
        finished.tests.extend(died);
        finished.unnamed += self.lost();
        finished
    }

    fn died(&self, (package, binary): &Key) -> TestCase {
        TestCase::errored(self.binary_id(package, binary), "no summary of the test binary")
    }

    /// Tests that were counted, but have no event of their own.
    fn lost(&self) -> Tally {
        let passed = self.counts.passed.saturating_sub(self.named.passed);
        let failed = self.counts.failed.saturating_sub(self.named.failed);
        many(Outcome::Passed, passed) + many(Outcome::Failed, failed)
    }
}
