//! [`PackageHistory`]: what was found on all build lines of a package, put together test by test.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use pony_formats::ResultKey;
use serde::{Deserialize, Serialize};

use super::{Commit, Failing, LineDigest, LineHistory, TestHistory, Trunk};
use crate::annotations::{Excuse, Excuses};

/// Build lines that are put together: those with the newest results.
pub(crate) const LINES_MAX: usize = 50;

/// What is worth showing of a package.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct PackageHistory {
    /// The branch that counts; empty when no result names one.
    pub(crate) trunk: Trunk,
    /// The line with the newest result first. Each has its own remarkable tests and those of the others.
    pub(crate) lines: Vec<LineDigest>,
    /// Which failures are no news.
    #[serde(skip)]
    pub(crate) excuses: Excuses,
}

/// Why a test is worth a look, the most urgent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    /// It began to fail at the newest commit of a line.
    NewlyFailing,
    /// It fails, and that is known.
    Failing,
    /// It is flaky, whether it failed last or not.
    Flaky,
    /// It was repaired at the newest commit of a line.
    Fixed,
    /// It is something of the above, and somebody says that this is known.
    Known,
    /// It was something of the above once.
    Calm,
}

/// A test on one build line.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Standing<'a> {
    /// The line.
    pub(crate) line: &'a LineDigest,
    /// The test there.
    pub(crate) test: &'a TestHistory,
    /// What people say of it.
    pub(crate) excuse: Option<&'a Excuse>,
}

/// A test on all build lines.
#[derive(Debug, Clone)]
pub(crate) struct Concern<'a> {
    /// The test.
    pub(crate) id: &'a str,
    /// Why it is worth a look.
    pub(crate) kind: Kind,
    /// In the order of the lines; lines that do not have the test are left out.
    pub(crate) on: Vec<Standing<'a>>,
    /// The result with which its verdict changed last on any line.
    pub(crate) changed: Option<ResultKey>,
}

/// What changed with one result.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Turn<'a> {
    /// Tests that began to fail.
    pub(crate) failing: Vec<&'a str>,
    /// Tests that were repaired.
    pub(crate) fixed: Vec<&'a str>,
    /// Whether the run as a whole began to fail, or ceased to.
    pub(crate) whole: Option<bool>,
}

impl PackageHistory {
    /// Puts together the histories of build lines, the one with the newest result first. `read` gives the
    /// history of a line when it is called with its index; only one is held at a time.
    /// `None` when one cannot be had.
    pub(crate) fn of(
        trunk: Trunk,
        count: usize,
        read: impl Fn(usize) -> Option<LineHistory>,
    ) -> Option<Self> {
        let mut lines: Vec<LineDigest> =
            (0..count).map(|index| Some(read(index)?.digest())).collect::<Option<_>>()?;
        let wanted: BTreeSet<String> =
            lines.iter().flat_map(|line| line.history.tests.keys().cloned()).collect();
        // With one line there are no others to look at.
        for (index, digest) in lines.iter_mut().enumerate().filter(|_| count > 1) {
            let mut whole = read(index)?;
            whole.tests.retain(|id, _| wanted.contains(id));
            digest.history.include(whole);
        }
        lines.retain(|line| line.history.newest > 0);
        Some(Self { trunk, lines, excuses: Excuses::default() })
    }

    /// Every test worth a look: the most urgent first, then those that changed last.
    pub(crate) fn concerns(&self) -> Vec<Concern<'_>> {
        let mut tests: BTreeMap<&str, Vec<Standing<'_>>> = BTreeMap::new();
        for line in &self.lines {
            for (id, test) in &line.history.tests {
                let kind = Standing::kind_of(test, line.history.newest);
                let excuse = self.excuses.on(id, &line.history.name, kind);
                tests.entry(id).or_default().push(Standing { line, test, excuse });
            }
        }
        let mut concerns: Vec<_> = tests.into_iter().map(|(id, on)| Concern::new(id, on)).collect();
        concerns.sort_by_key(|concern| (concern.kind, Reverse(concern.changed), concern.id));
        concerns
    }

    /// How the run of a build line fails, when it does so for another reason than a test that is news.
    pub(crate) fn broken(&self, line: &LineDigest) -> Option<Failing> {
        let LineHistory { name, newest, whole, besides_tests, tests, .. } = &line.history;
        if line.failing == 0 {
            return whole.failing(*newest);
        }
        let is_excused = |(id, test): &(&String, &TestHistory)| {
            let kind = Standing::kind_of(test, *newest);
            test.failing(*newest).is_some()
                && self.excuses.on(id, name, kind).is_some_and(|excuse| excuse.covers(kind))
        };
        let excused = tests.iter().filter(is_excused).count();
        besides_tests.failing(*newest).filter(|_| excused == line.failing)
    }

    /// What changed with which result on which line, the newest first; at most `max`.
    pub(crate) fn turns(&self, max: usize) -> Vec<(&LineDigest, &Commit, Turn<'_>)> {
        let mut all = Vec::new();
        for line in &self.lines {
            let mut turns: BTreeMap<u32, Turn<'_>> = BTreeMap::new();
            let mut excused = BTreeSet::new();
            for (id, test) in &line.history.tests {
                for (at, bad) in turning_points(test) {
                    let kind = if bad { Kind::NewlyFailing } else { Kind::Fixed };
                    let excuse = self.excuses.on(id, &line.history.name, kind);
                    if excuse.is_some_and(|excuse| excuse.covers(kind)) {
                        excused.insert((at, bad));
                        continue;
                    }
                    let turn = turns.entry(at).or_default();
                    if bad { turn.failing.push(id) } else { turn.fixed.push(id) }
                }
            }
            let besides_tests = turning_points(&line.history.besides_tests);
            for (at, bad) in turning_points(&line.history.whole) {
                // A run that fails because of what is known, and of nothing else, is no news either.
                let is_explained =
                    excused.contains(&(at, bad)) && !besides_tests.contains(&(at, bad));
                if turns.contains_key(&at) || !is_explained {
                    turns.entry(at).or_default().whole = Some(bad);
                }
            }
            let named = turns.into_iter().rev().take(max);
            all.extend(named.filter_map(|(at, turn)| Some((line, line.history.commit(at)?, turn))));
        }
        all.sort_by_key(|(_, commit, _)| Reverse(commit.key));
        all.truncate(max);
        all
    }
}

/// The commits at which a test began to fail (true), or was repaired (false).
fn turning_points(test: &TestHistory) -> Vec<(u32, bool)> {
    let timeline = test.timeline();
    let mut points = Vec::new();
    for (index, run) in timeline.iter().enumerate() {
        // A test that fails from its first day on is a change when the line is older than the test. Where
        // earlier runs have been forgotten, the oldest one that is left is none.
        let is_first = index == 0;
        let came_bad = is_first && run.bad && run.first == test.first() && run.first > 1;
        if !is_first || came_bad {
            points.push((run.first, run.bad));
        }
    }
    points
}

impl<'a> Concern<'a> {
    fn new(id: &'a str, on: Vec<Standing<'a>>) -> Self {
        let kind = on.iter().map(Standing::kind).min().unwrap_or(Kind::Calm);
        let changed = on.iter().filter_map(Standing::changed).max();
        Self { id, kind, on, changed }
    }

    /// The lines on which it fails.
    pub(crate) fn failing(&self) -> impl Iterator<Item = (&Standing<'a>, Failing)> {
        self.on.iter().filter_map(|standing| Some((standing, standing.failing()?)))
    }
}

impl Standing<'_> {
    /// How it fails there, if it does.
    pub(crate) fn failing(&self) -> Option<Failing> {
        self.test.failing(self.line.history.newest)
    }

    /// Why it is worth a look there.
    pub(crate) fn kind(&self) -> Kind {
        let kind = Self::kind_of(self.test, self.line.history.newest);
        match self.excuse {
            Some(excuse) if excuse.covers(kind) => Kind::Known,
            _ => kind,
        }
    }

    /// Why a test is worth a look on a line whose newest commit is `newest`.
    pub(crate) fn kind_of(test: &TestHistory, newest: u32) -> Kind {
        let is_flaky = test.flaky(newest).is_some();
        let repaired = || {
            let timeline = test.timeline();
            timeline.len() > 1 && timeline.last().is_some_and(|run| !run.bad && run.first == newest)
        };
        match test.failing(newest) {
            // A flaky test that fails once more is no news.
            _ if is_flaky => Kind::Flaky,
            Some(failing) if failing.first == newest && newest > 1 => Kind::NewlyFailing,
            Some(_) => Kind::Failing,
            None if repaired() => Kind::Fixed,
            None => Kind::Calm,
        }
    }

    fn changed(&self) -> Option<ResultKey> {
        if !self.test.is_remarkable() {
            return None;
        }
        let timeline = self.test.timeline();
        self.line.history.commit(timeline.last()?.first).map(|commit| commit.key)
    }
}

#[cfg(test)]
mod tests {
    use super::super::line_history::tests::line;
    use super::*;

    fn package(lines: Vec<LineHistory>) -> PackageHistory {
        PackageHistory::of(Trunk::default(), lines.len(), |at| lines.get(at).cloned()).unwrap()
    }

    fn two_lines() -> PackageHistory {
        package(vec![
            line(
                "a",
                &[
                    ("aaaaaaa", &[("t", 'P'), ("u", 'P'), ("v", 'F'), ("calm", 'P')]),
                    ("bbbbbbb", &[("t", 'F'), ("u", 'P'), ("v", 'P'), ("calm", 'P')]),
                ],
            ),
            line(
                "b",
                &[
                    ("aaaaaaa", &[("t", 'P'), ("u", 'F'), ("calm", 'P')]),
                    ("bbbbbbb", &[("t", 'P'), ("u", 'F'), ("calm", 'P')]),
                ],
            ),
        ])
    }

    #[test]
    fn tests_are_put_together_over_all_lines() {
        let package = two_lines();
        let concerns = package.concerns();
        let seen: Vec<_> = concerns.iter().map(|one| (one.id, one.kind, one.on.len())).collect();
        assert_eq!(
            seen,
            [("t", Kind::NewlyFailing, 2), ("u", Kind::Failing, 2), ("v", Kind::Fixed, 1)]
        );
        assert_eq!(concerns[0].failing().count(), 1);
    }

    #[test]
    fn a_flaky_test_that_fails_again_is_no_news() {
        let package = package(vec![line(
            "a",
            &[("aaaaaaa", &[("t", 'R')]), ("bbbbbbb", &[("t", 'P')]), ("ccccccc", &[("t", 'F')])],
        )]);
        assert_eq!(package.concerns()[0].kind, Kind::Flaky);
    }

    #[test]
    fn turns_name_what_changed_with_each_result_newest_first() {
        let package = two_lines();
        let turns = package.turns(10);
        assert_eq!(turns.len(), 1, "{turns:?}");
        let (line, commit, turn) = &turns[0];
        assert_eq!((line.history.name.host.as_str(), commit.commit.as_str()), ("a", "bbbbbbb"));
        assert_eq!((turn.failing.as_slice(), turn.fixed.as_slice()), (&["t"][..], &["v"][..]));
        assert_eq!(turn.whole, None, "it failed before as well");
    }

    #[test]
    fn a_test_that_comes_bad_is_a_turn_but_the_first_result_of_a_line_is_none() {
        let package = package(vec![line(
            "a",
            &[("aaaaaaa", &[("old", 'F')]), ("bbbbbbb", &[("old", 'F'), ("new", 'F')])],
        )]);
        let turns = package.turns(10);
        assert_eq!(turns.len(), 1);
        assert_eq!(turns[0].2.failing, ["new"]);
        assert_eq!(package.concerns()[0].kind, Kind::NewlyFailing);
    }

    #[test]
    fn a_package_without_lines_is_empty() {
        let package = package(vec![]);
        assert!(package.concerns().is_empty() && package.turns(9).is_empty());
    }
}
