//! [`Package`]: what is remembered of a package's results, so that one more costs the same however many there are.
//!
//! It follows from the results alone: those that come in the order of their keys, in one build or in many, leave
//! the same behind.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use jiff::Timestamp;
use pony_formats::{ResultKey, names};
use serde::{Deserialize, Serialize};

use super::{Row, Unreadable};
use crate::analysis::{LineName, Repository, Rhythm, Silence, Trunk, TrunkFinder};

/// The newest results that are remembered, whatever their build line.
const RECENT: usize = 50;

/// The newest failed results that are.
const FAILED: usize = 50;

/// The newest results of each build line that are.
const OF_LINE: usize = 12;

/// Build lines that are remembered: those with the newest results. Where every run has a host of its own,
/// there are as many lines as results.
const LINES: usize = 200;

/// Results that may be held beyond those that are remembered, before some are forgotten.
const SLACK: usize = 1_000;

/// What is known of a package.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Package {
    /// The true name.
    pub(crate) name: String,
    /// How many results can be read.
    pub(crate) results: usize,
    /// Those that are remembered, oldest first.
    pub(crate) rows: Vec<Row>,
    /// Oldest first.
    pub(crate) unreadable: Vec<Unreadable>,
    /// By name.
    #[serde(with = "entries")]
    known: BTreeMap<LineName, KnownLine>,
    /// Whether a build line was forgotten, so that the order of results counts across lines.
    forgot: bool,
    trunk: TrunkFinder,
    seen_at: Option<Place>,
}

/// Where the source can be seen, by the newest result that says so.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Place {
    #[serde(with = "super::as_text")]
    key: ResultKey,
    repository: Repository,
}

/// What is remembered of a build line besides its newest results.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct KnownLine {
    results: usize,
    #[serde(with = "super::as_text")]
    newest: ResultKey,
    /// The first result since it was forgotten, or of all.
    #[serde(with = "super::as_text")]
    since: ResultKey,
    rhythm: Rhythm,
    /// The newest commit of its main line, by its first result; null when it has none.
    #[serde(with = "super::as_optional_text")]
    main: Option<ResultKey>,
}

/// The results of one tagset: builds of the same thing at different times.
#[derive(Debug, Clone)]
pub(crate) struct Line<'a> {
    /// Its newest result.
    pub(crate) latest: &'a Row,
    /// Those that are remembered, newest first.
    pub(crate) rows: Vec<&'a Row>,
    known: &'a KnownLine,
}

impl Line<'_> {
    /// How many results it has.
    pub(crate) fn results(&self) -> usize {
        self.known.results
    }

    /// Whether it is silent, by its own rhythm.
    pub(crate) fn silence(&self, now: Timestamp) -> Option<Silence> {
        self.known.rhythm.silence(self.latest.received, now)
    }
}

impl Package {
    /// Without any results.
    pub(crate) fn new(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    /// The folder of its pages below `p/`.
    pub(crate) fn folder(&self) -> String {
        names::url_component(&self.name)
    }

    /// Whether a result can be added and leave the same behind as if all had come in order.
    pub(crate) fn continues_with(&self, row: &Row) -> bool {
        let line = self.known.get(&row.line());
        let newest = if self.forgot { self.latest().map(|latest| latest.key) } else { None };
        line.is_none_or(|line| line.newest < row.key) && newest.is_none_or(|key| key < row.key)
    }

    /// Adds a result.
    pub(crate) fn add(&mut self, row: Row) {
        self.results += 1;
        self.trunk.add(&row.tested, row.key);
        if let Some(repository) = &row.tested.repository
            && self.seen_at.as_ref().is_none_or(|place| place.key < row.key)
        {
            self.seen_at = Some(Place { key: row.key, repository: repository.clone() });
        }
        let line = self.known.entry(row.line()).or_insert_with(|| KnownLine {
            results: 0,
            newest: row.key,
            since: row.key,
            rhythm: Rhythm::default(),
            main: None,
        });
        line.results += 1;
        line.newest = line.newest.max(row.key);
        line.rhythm.add(row.received);
        if self.known.len() > LINES {
            let oldest = self.known.iter().min_by_key(|(_, line)| line.newest);
            if let Some(oldest) = oldest.map(|(name, _)| name.clone()) {
                self.known.remove(&oldest);
                self.forgot = true;
            }
        }
        let place = self.rows.partition_point(|known| known.key < row.key);
        self.rows.insert(place, row);
        if self.rows.len() > RECENT + FAILED + OF_LINE * self.known.len() + SLACK {
            self.settle();
        }
    }

    /// Adds a result that cannot be read.
    pub(crate) fn add_unreadable(&mut self, result: Unreadable) {
        let place = self.unreadable.partition_point(|known| known.key < result.key);
        self.unreadable.insert(place, result);
    }

    /// Forgets what does not have to be remembered.
    pub(crate) fn settle(&mut self) {
        let (mut recent, mut failed) = (RECENT, FAILED);
        let mut of_line: BTreeMap<LineName, usize> = BTreeMap::new();
        let mut kept: Vec<Row> = Vec::new();
        for row in std::mem::take(&mut self.rows).into_iter().rev() {
            let name = row.line();
            let is_known = self.known.get(&name).is_some_and(|line| line.since <= row.key);
            let mut keep = take_one(&mut recent);
            keep |= !row.success && take_one(&mut failed);
            keep |= is_known && take_one(of_line.entry(name).or_insert(OF_LINE));
            if keep {
                kept.push(row);
            }
        }
        kept.reverse();
        self.rows = kept;
    }

    /// Notes the newest commit of a line's main line.
    pub(crate) fn note_main(&mut self, line: &LineName, newest: Option<ResultKey>) {
        if let Some(line) = self.known.get_mut(line) {
            line.main = newest;
        }
    }

    /// The build lines with a main line, the one with the newest commit first.
    pub(crate) fn main_lines(&self) -> Vec<&LineName> {
        let with_main = self.known.iter().filter(|(_, line)| line.main.is_some());
        let mut lines: Vec<_> = with_main.collect();
        lines.sort_by_key(|(_, line)| Reverse(line.main));
        lines.into_iter().map(|(name, _)| name).collect()
    }

    /// The newest results, whatever their build line, oldest first.
    pub(crate) fn recent(&self) -> &[Row] {
        let surplus = self.rows.len().saturating_sub(RECENT);
        self.rows.get(surplus..).unwrap_or_default()
    }

    /// Whether a build line is remembered to have a main line.
    pub(crate) fn has_main(&self, line: &LineName) -> bool {
        self.known.get(line).is_some_and(|line| line.main.is_some())
    }

    /// Whether a build line is remembered.
    pub(crate) fn has_line(&self, line: &LineName) -> bool {
        self.known.contains_key(line)
    }

    /// Whether a build line of a machine is remembered.
    pub(crate) fn has_host(&self, host: &str) -> bool {
        self.known.keys().any(|line| line.host == host)
    }

    /// Its build lines: failing first, then by tags, host and arch.
    pub(crate) fn lines(&self) -> Vec<Line<'_>> {
        let mut lines: BTreeMap<LineName, Vec<&Row>> = BTreeMap::new();
        for row in self.rows.iter().rev() {
            lines.entry(row.line()).or_default().push(row);
        }
        let mut lines: Vec<_> = lines
            .into_iter()
            .filter_map(|(name, rows)| {
                let known = self.known.get(&name)?;
                let line = Line { latest: rows.first().copied()?, rows, known };
                Some((name, line))
            })
            .collect();
        lines.sort_by(|(a, one), (b, other)| {
            let order = |name: &LineName| (name.tags.clone(), name.host.clone(), name.arch.clone());
            let urgent = one.latest.success.cmp(&other.latest.success);
            urgent.then_with(|| order(a).cmp(&order(b)))
        });
        lines.into_iter().map(|(_, line)| line).collect()
    }

    /// The newest result.
    pub(crate) fn latest(&self) -> Option<&Row> {
        self.rows.last()
    }

    /// The branch that others are compared with.
    pub(crate) fn trunk(&self) -> Trunk {
        self.trunk.found()
    }

    /// Where the source can be seen, by the newest result that says so.
    pub(crate) fn repository(&self) -> Option<&Repository> {
        self.seen_at.as_ref().map(|place| &place.repository)
    }

    /// The commit that added the newest result of this package.
    pub(crate) fn commit(&self) -> Option<&str> {
        let newest = self.rows.last().map(|row| (row.key, row.commit.as_str()));
        let damaged = self.unreadable.last().map(|result| (result.key, result.commit.as_str()));
        newest.max(damaged).map(|(_, commit)| commit)
    }

    /// The text of its file.
    pub(crate) fn to_text(&self) -> String {
        // Nothing in it has a key that is no string, which is the only way for this to fail.
        serde_json::to_string(self).map(|text| text + "\n").unwrap_or_default()
    }

    /// Reads back what [`Package::to_text`] wrote. `None` when it is odd.
    pub(crate) fn from_text(name: &str, text: &[u8]) -> Option<Self> {
        let package: Self = serde_json::from_slice(text).ok()?;
        let rows = &package.rows;
        let rising = rows.iter().zip(rows.iter().skip(1)).all(|(a, b)| a.key < b.key);
        (package.name == name && rising).then_some(package)
    }
}

/// Takes one of what is left, if there is any.
fn take_one(left: &mut usize) -> bool {
    let some = *left > 0;
    *left -= usize::from(some);
    some
}

/// A map with keys that are no strings, as a list.
mod entries {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<K: Serialize, V: Serialize, S: Serializer>(
        map: &BTreeMap<K, V>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_seq(map)
    }

    pub(super) fn deserialize<'de, K, V, D>(from: D) -> Result<BTreeMap<K, V>, D::Error>
    where
        K: Deserialize<'de> + Ord,
        V: Deserialize<'de>,
        D: Deserializer<'de>,
    {
        Ok(Vec::<(K, V)>::deserialize(from)?.into_iter().collect())
    }
}

#[cfg(test)]
mod tests;
