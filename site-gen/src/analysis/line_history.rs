//! [`LineHistory`]: every test of one build line; [`LineDigest`]: what is worth showing of it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use pony_formats::{ClientInfo, ResultKey, Step, StepStatus, TestResult, names};
use serde::{Deserialize, Serialize};

use super::revision::is_commit_id;
use super::{Revision, TestHistory, Verdict, WINDOW};

/// Remarkable tests that a digest has room for.
const REMARKABLE_MAX: usize = 1_000;

/// New and vanished tests that a digest names.
const NAMES_MAX: usize = 50;

/// The identity of a build line inside its package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct LineName {
    /// The machine.
    pub(crate) host: String,
    /// The platform.
    pub(crate) arch: String,
    /// The client's tags.
    pub(crate) tags: BTreeSet<String>,
}

impl LineName {
    /// The line that a result with this `client_info` belongs to.
    pub(crate) fn of(client_info: &ClientInfo) -> Self {
        Self {
            host: client_info.host().to_owned(),
            arch: client_info.arch().to_owned(),
            tags: client_info.tags().map(str::to_owned).collect(),
        }
    }

    /// The name of its file, another one for every line.
    pub(crate) fn file(&self) -> String {
        // No part of a tagset holds a NUL.
        let parts = self.tags.iter().map(String::as_str).chain(["", &self.host, &self.arch]);
        names::url_component(&parts.collect::<Vec<_>>().join("\0"))
    }
}

/// A commit as a build line knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Commit {
    /// Its number on the line, from 1, in the order of first results.
    pub(crate) at: u32,
    /// What the client called it; empty when it did not say.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) commit: String,
    /// Whether the checkout had changes of its own, so that it is no commit, really.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) dirty: bool,
    /// The first result of it.
    #[serde(with = "crate::history::as_text")]
    pub(crate) key: ResultKey,
}

impl Commit {
    /// The id, where it is that of a git commit and says all.
    pub(crate) fn id(&self) -> Option<&str> {
        (!self.dirty && is_commit_id(&self.commit)).then_some(&self.commit)
    }
}

/// What one result says.
#[derive(Debug)]
pub(crate) struct Observed<'a> {
    key: ResultKey,
    revision: &'a Revision,
    whole: Verdict,
    besides_tests: Verdict,
    /// Sorted by id.
    tests: Vec<(&'a str, Verdict)>,
}

impl<'a> Observed<'a> {
    /// Of several tests with the same id in one result, the worst counts: they may be of different steps.
    pub(crate) fn new(result: &'a TestResult, revision: &'a Revision) -> Self {
        let tests = result.submission.results_list.iter().flat_map(|step| step.tests());
        let mut tests: Vec<_> = tests.map(|test| (test.id.as_str(), Verdict::of(test))).collect();
        // Those of a step are sorted already, which costs a look at each.
        tests.sort_by_key(|(id, verdict)| (*id, Reverse(*verdict)));
        tests.dedup_by_key(|(id, _)| *id);
        let success = result.submission.client_info.success();
        let whole = if success { Verdict::Good } else { Verdict::Bad };
        let besides = !success && fails_besides_tests(&result.submission.results_list);
        let besides_tests = if besides { Verdict::Bad } else { Verdict::Good };
        Self { key: result.receipt.key, revision, whole, besides_tests, tests }
    }
}

/// Whether failing tests alone do not explain why a run failed: there are none, or a step failed that has none.
fn fails_besides_tests(steps: &[Step]) -> bool {
    let has_bad = |step: &Step| step.tests().iter().any(|test| test.outcome.is_bad());
    let has_failed = |step: &Step| matches!(step.status(), StepStatus::Failed(_));
    !steps.iter().any(has_bad) || steps.iter().any(|step| has_failed(step) && !has_bad(step))
}

/// Everything that is remembered of a build line.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LineHistory {
    pub(crate) name: LineName,
    /// How many commits it has seen: the number of the newest one.
    pub(crate) newest: u32,
    /// The commits that anything below names, and the newest [`WINDOW`]; oldest first.
    commits: Vec<Commit>,
    /// Whether runs as a whole were successful.
    pub(crate) whole: TestHistory,
    /// Whether runs failed for another reason than a failing test.
    pub(crate) besides_tests: TestHistory,
    pub(crate) tests: BTreeMap<String, TestHistory>,
}

impl LineHistory {
    pub(crate) fn new(name: LineName) -> Self {
        let (commits, tests) = (Vec::new(), BTreeMap::new());
        let (whole, besides_tests) = (TestHistory::new(1), TestHistory::new(1));
        Self { name, newest: 0, commits, whole, besides_tests, tests }
    }

    /// A commit by its number, if it is remembered.
    pub(crate) fn commit(&self, at: u32) -> Option<&Commit> {
        let place = self.commits.binary_search_by_key(&at, |commit| commit.at).ok()?;
        self.commits.get(place)
    }

    /// Takes in a result of the main line; results have to come in the order of their keys.
    pub(crate) fn observe(&mut self, result: &Observed<'_>) {
        let Observed { key, revision, .. } = *result;
        if let Some(known) = self.known(revision).cloned()
            && known.at != self.newest
        {
            self.whole.observe_again(known.at, known.key, result.whole, key);
            self.besides_tests.observe_again(known.at, known.key, result.besides_tests, key);
            for (id, verdict) in &result.tests {
                if let Some(test) = self.tests.get_mut(*id) {
                    test.observe_again(known.at, known.key, *verdict, key);
                }
            }
            return;
        }
        if self.known(revision).is_none() {
            self.newest = self.newest.saturating_add(1);
            self.commits.push(Commit {
                at: self.newest,
                commit: revision.commit.clone(),
                dirty: revision.dirty,
                key,
            });
        }
        let at = self.newest;
        self.whole.observe(at, result.whole, key);
        self.besides_tests.observe(at, result.besides_tests, key);
        let mut new = Vec::new();
        for (id, verdict) in &result.tests {
            if let Some(test) = self.tests.get_mut(*id) {
                test.observe(at, *verdict, key);
            } else {
                let mut test = TestHistory::new(at);
                test.observe(at, *verdict, key);
                new.push(((*id).to_owned(), test));
            }
        }
        // All at once: they are sorted.
        self.tests.append(&mut new.into_iter().collect());
        self.tests.retain(|_, test| at - test.last() < WINDOW);
    }

    /// The commit within the window that a result is of.
    fn known(&self, revision: &Revision) -> Option<&Commit> {
        let recent = self.commits.iter().rev().take_while(|known| self.newest - known.at < WINDOW);
        recent
            .into_iter()
            .find(|known| revision.is_exact() && !known.dirty && known.commit == revision.commit)
    }

    /// Adds the tests of the `whole` history of the same line, of which this is a part.
    pub(crate) fn include(&mut self, whole: Self) {
        self.commits = whole.commits;
        self.tests.extend(whole.tests);
        self.tidy();
    }

    /// Forgets commits that nothing names any more.
    fn tidy(&mut self) {
        let all = self.tests.values().chain([&self.whole, &self.besides_tests]);
        let named: BTreeSet<u32> = all.flat_map(TestHistory::named).collect();
        let newest = self.newest;
        self.commits.retain(|known| newest - known.at < WINDOW || named.contains(&known.at));
    }

    /// What is worth showing.
    pub(crate) fn digest(&self) -> LineDigest {
        let newest = self.newest;
        let named = |wanted: &dyn Fn(&TestHistory) -> bool| -> (usize, Vec<String>) {
            let mut all = self.tests.iter().filter(|(_, test)| wanted(test)).map(|(id, _)| id);
            let listed: Vec<_> = all.by_ref().take(NAMES_MAX).cloned().collect();
            (listed.len() + all.count(), listed)
        };
        let (new_count, new) = named(&|test| newest > 1 && test.first() == newest);
        let (vanished_count, vanished) = named(&|test| test.last() < newest);
        let failing = self.tests.values().filter(|test| test.failing(newest).is_some()).count();
        let mut remarkable: Vec<_> =
            self.tests.iter().filter(|(_, test)| test.is_remarkable()).collect();
        if remarkable.len() > REMARKABLE_MAX {
            remarkable.sort_by_key(|(_, test)| {
                let changed = test.timeline().last().map(|run| run.first);
                Reverse((test.failing(newest).is_some(), changed))
            });
            remarkable.truncate(REMARKABLE_MAX);
        }
        let tests = remarkable.into_iter().map(|(id, test)| (id.clone(), test.clone())).collect();
        let mut history = Self { tests, ..self.clone_without_tests() };
        history.tidy();
        LineDigest {
            history,
            count: self.tests.len() - vanished_count,
            failing,
            new_count,
            new,
            vanished_count,
            vanished,
        }
    }

    fn clone_without_tests(&self) -> Self {
        Self {
            name: self.name.clone(),
            newest: self.newest,
            commits: self.commits.clone(),
            whole: self.whole.clone(),
            besides_tests: self.besides_tests.clone(),
            tests: BTreeMap::new(),
        }
    }

    /// The text of its file.
    pub(crate) fn into_text(mut self) -> String {
        self.tidy();
        // Nothing in it has a key that is no string, which is the only way for this to fail.
        serde_json::to_string(&self).map(|text| text + "\n").unwrap_or_default()
    }

    /// Reads back what [`LineHistory::into_text`] wrote. `None` when it is odd.
    pub(crate) fn from_text(text: &[u8]) -> Option<Self> {
        serde_json::from_slice::<Stored>(text).ok()?.try_into().ok()
    }
}

/// What is worth showing of a build line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct LineDigest {
    /// With the remarkable tests only.
    #[serde(flatten)]
    pub(crate) history: LineHistory,
    /// How many tests there were at the newest commit.
    pub(crate) count: usize,
    /// How many of them fail.
    pub(crate) failing: usize,
    /// How many were first seen at the newest commit.
    pub(crate) new_count: usize,
    /// Some of those.
    pub(crate) new: Vec<String>,
    /// How many were seen before, but not at the newest commit.
    pub(crate) vanished_count: usize,
    /// Some of those.
    pub(crate) vanished: Vec<String>,
}

/// The names of all tests of a build line, without what is known of them.
#[derive(Debug, Deserialize)]
pub(crate) struct LineTests {
    pub(crate) line: LineName,
    tests: Vec<IdsAlike>,
}

impl LineTests {
    /// Reads what [`LineHistory::into_text`] wrote. `None` when it is odd.
    pub(crate) fn from_text(text: &[u8]) -> Option<Self> {
        serde_json::from_slice(text).ok()
    }

    /// In no particular order.
    pub(crate) fn ids(self) -> impl Iterator<Item = String> {
        self.tests.into_iter().flat_map(|alike| whole_ids(alike.ids))
    }
}

/// What is read of [`Alike`] when nothing but names is wanted.
#[derive(Debug, Deserialize)]
struct IdsAlike {
    ids: ByClass<String>,
}

/// Ids of tests, by their class: what they have up to their last `::` stands once.
type ByClass<T> = BTreeMap<T, Vec<T>>;

/// The class of a test, with the colons, and its name.
fn parts(id: &str) -> (&str, &str) {
    id.split_at(id.rfind("::").map_or(0, |at| at + 2))
}

fn whole_ids(ids: ByClass<String>) -> impl Iterator<Item = String> {
    let whole = |(class, names): (String, Vec<String>)| {
        names.into_iter().map(move |name| [&*class, &*name].concat())
    };
    ids.into_iter().flat_map(whole)
}

/// [`LineHistory`] in JSON. Most tests have the same history, so each history stands once.
#[derive(Debug, Deserialize)]
struct Stored {
    line: LineName,
    newest: u32,
    commits: Vec<Commit>,
    whole: TestHistory,
    besides_tests: TestHistory,
    tests: Vec<Alike<TestHistory, String>>,
}

/// The same, to be written.
#[derive(Debug, Serialize)]
struct Storing<'a> {
    line: &'a LineName,
    newest: u32,
    commits: &'a [Commit],
    whole: &'a TestHistory,
    besides_tests: &'a TestHistory,
    tests: Vec<Alike<&'a TestHistory, &'a str>>,
}

/// Tests with the same history.
#[derive(Debug, Serialize, Deserialize)]
struct Alike<H, I: Ord> {
    history: H,
    ids: ByClass<I>,
}

impl<'a> Storing<'a> {
    fn new(line: &'a LineHistory) -> Self {
        let mut tests: BTreeMap<&TestHistory, ByClass<&str>> = BTreeMap::new();
        for (id, history) in &line.tests {
            let (class, name) = parts(id);
            tests.entry(history).or_default().entry(class).or_default().push(name);
        }
        Self {
            line: &line.name,
            newest: line.newest,
            commits: &line.commits,
            whole: &line.whole,
            besides_tests: &line.besides_tests,
            tests: tests.into_iter().map(|(history, ids)| Alike { history, ids }).collect(),
        }
    }
}

impl TryFrom<Stored> for LineHistory {
    type Error = &'static str;

    /// Numbers of commits have to rise up to the newest: everything else counts on it.
    fn try_from(stored: Stored) -> Result<Self, Self::Error> {
        let Stored { line: name, newest, commits, whole, besides_tests, tests } = stored;
        let rising = commits.iter().zip(commits.iter().skip(1)).all(|(a, b)| a.at < b.at);
        let named = tests.iter().map(|alike| &alike.history).chain([&whole, &besides_tests]);
        let inside = named.flat_map(TestHistory::named).chain(commits.iter().map(|one| one.at));
        if !rising || !inside.into_iter().all(|at| at <= newest.max(1)) {
            return Err("commits out of order");
        }
        let each = |Alike { history, ids }: Alike<TestHistory, String>| {
            whole_ids(ids).map(move |id| (id, history.clone()))
        };
        let tests = tests.into_iter().flat_map(each).collect();
        Ok(Self { name, newest, commits, whole, besides_tests, tests })
    }
}

impl Serialize for LineHistory {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        Storing::new(self).serialize(to)
    }
}

impl<'de> Deserialize<'de> for LineHistory {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Stored::deserialize(from)?.try_into().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
pub(crate) mod tests;
