//! What is known of every result without reading it in full: the rows of all lists, and the build
//! lines they form.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use pony_formats::record::Summary;
use pony_formats::{ResultKey, Tally, names};
use serde::{Deserialize, Serialize};

use crate::analysis::{LineName, Repository, Revision, Trunk};

/// From this age on, the newest result of a build line says little: the original collector
/// asks for a new build then.
const STALE_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// One result in a list, as pages show it and `show_all/index.json` publishes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Row {
    /// The result key, nineteen digits; also the folder of the result's page.
    #[serde(with = "as_text")]
    pub(crate) key: ResultKey,
    /// When the result arrived: RFC 3339, UTC, by the collector's clock.
    #[serde(with = "as_text")]
    pub(crate) received: Timestamp,
    /// The commit of the results repository that added it, hex; empty when its history is damaged.
    pub(crate) commit: String,
    /// The machine.
    pub(crate) host: String,
    /// The platform.
    pub(crate) arch: String,
    /// The client's tags in the client's order.
    pub(crate) tags: Vec<String>,
    /// Whether every step succeeded, by the client's own word.
    pub(crate) success: bool,
    /// Seconds the run took; null when the client did not say.
    pub(crate) duration: Option<f64>,
    /// The counts of all tests: `total`, `passed`, `failed`, `errored`, `skipped`.
    pub(crate) tests: Tally,
    /// What was tested: `commit`, `branch`, `dirty`, `change_request`, `repository`, as far as it is known.
    #[serde(default)]
    pub(crate) tested: Revision,
}

/// A result that is stored but cannot be read back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Unreadable {
    /// The result key.
    #[serde(with = "as_text")]
    pub(crate) key: ResultKey,
    /// The commit of the results repository that added it, hex.
    pub(crate) commit: String,
    /// What is wrong with it.
    pub(crate) reason: String,
}

/// All results of a package.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Package {
    /// The true name.
    pub(crate) name: String,
    /// Oldest first.
    pub(crate) rows: Vec<Row>,
    /// Oldest first.
    pub(crate) unreadable: Vec<Unreadable>,
}

/// A result that was taken out of a package.
#[derive(Debug)]
pub(crate) enum Taken {
    Row(Box<Row>),
    Unreadable(Unreadable),
}

impl Taken {
    /// The commit that added it.
    pub(crate) fn commit(&self) -> &str {
        match self {
            Self::Row(row) => &row.commit,
            Self::Unreadable(result) => &result.commit,
        }
    }

    /// Whether the newest result of the package is just this one.
    pub(crate) fn is_in(&self, package: &Package) -> bool {
        match self {
            Self::Row(row) => package.rows.last() == Some(row),
            Self::Unreadable(result) => {
                package.unreadable.last().is_some_and(|last| last.key == result.key)
            }
        }
    }
}

/// The results of one tagset: builds of the same thing at different times.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Line<'a> {
    /// Its newest result.
    pub(crate) latest: &'a Row,
    /// All of them, newest first.
    pub(crate) rows: Vec<&'a Row>,
}

impl Row {
    /// The row of a summary.
    pub(crate) fn new(summary: &Summary, commit: String) -> Self {
        let info = &summary.client_info;
        Self {
            key: summary.receipt.key,
            received: summary.receipt.received,
            commit,
            host: info.host().to_owned(),
            arch: info.arch().to_owned(),
            tags: info.tags().map(str::to_owned).collect(),
            success: info.success(),
            duration: info.duration(),
            tests: summary.tally,
            tested: Revision::of(info.bag()),
        }
    }

    /// The build line that it belongs to.
    pub(crate) fn line(&self) -> LineName {
        let tags = self.tags.iter().cloned().collect();
        LineName { host: self.host.clone(), arch: self.arch.clone(), tags }
    }

    /// Whether it is a day old or older.
    pub(crate) fn is_stale(&self, now: Timestamp) -> bool {
        now.duration_since(self.received) >= STALE_AFTER
    }
}

impl Package {
    /// The folder of its pages below `p/`.
    pub(crate) fn folder(&self) -> String {
        names::url_component(&self.name)
    }

    /// Its build lines: failing first, then by tags, host and arch.
    pub(crate) fn lines(&self) -> Vec<Line<'_>> {
        let mut lines: BTreeMap<_, Vec<&Row>> = BTreeMap::new();
        for row in self.rows.iter().rev() {
            let tags: BTreeSet<&str> = row.tags.iter().map(String::as_str).collect();
            lines.entry((tags, &row.host, &row.arch)).or_default().push(row);
        }
        let lines = lines.into_values();
        let mut lines: Vec<_> =
            lines.filter_map(|rows| Some(Line { latest: rows.first().copied()?, rows })).collect();
        lines.sort_by_key(|line| line.latest.success);
        lines
    }

    /// The newest result.
    pub(crate) fn latest(&self) -> Option<&Row> {
        self.rows.last()
    }

    /// All results, readable or not.
    pub(crate) fn keys(&self) -> impl Iterator<Item = ResultKey> {
        let unreadable = self.unreadable.iter().map(|result| result.key);
        self.rows.iter().map(|row| row.key).chain(unreadable)
    }

    /// Puts results that were added into their order.
    pub(crate) fn sort(&mut self) {
        self.rows.sort_by_key(|row| row.key);
        self.unreadable.sort_by_key(|result| result.key);
    }

    /// The branch that others are compared with.
    pub(crate) fn trunk(&self) -> Trunk {
        Trunk::of(self.rows.iter().map(|row| &row.tested))
    }

    /// Where the source can be seen, by the newest result that says so.
    pub(crate) fn repository(&self) -> Option<&Repository> {
        self.rows.iter().rev().find_map(|row| row.tested.repository.as_ref())
    }

    /// Takes a result out, if it is there.
    pub(crate) fn take(&mut self, key: ResultKey) -> Option<Taken> {
        // It is among the newest, mostly.
        if let Some(at) = self.rows.iter().rposition(|row| row.key == key) {
            return Some(Taken::Row(Box::new(self.rows.remove(at))));
        }
        let at = self.unreadable.iter().position(|result| result.key == key)?;
        Some(Taken::Unreadable(self.unreadable.remove(at)))
    }

    /// Whether of every build line, the results in `new` are newer than all others.
    pub(crate) fn ends_with(&self, new: &[ResultKey]) -> bool {
        let mut begun = BTreeSet::new();
        let Some(first) = new.iter().min() else { return true };
        let late = self.rows.partition_point(|row| row.key < *first);
        self.rows.iter().skip(late).all(|row| {
            let is_new = new.contains(&row.key);
            if is_new {
                begun.insert(row.line());
            }
            is_new || !begun.contains(&row.line())
        })
    }

    /// The commit that added a result. Results have to be in their order.
    pub(crate) fn commit_of(&self, key: ResultKey) -> Option<&str> {
        match self.rows.binary_search_by_key(&key, |row| row.key) {
            Ok(at) => self.rows.get(at).map(|row| row.commit.as_str()),
            Err(_) => {
                let at = self.unreadable.binary_search_by_key(&key, |result| result.key).ok()?;
                self.unreadable.get(at).map(|result| result.commit.as_str())
            }
        }
    }

    /// The commit that added the newest result of this package.
    pub(crate) fn commit(&self) -> Option<&str> {
        let newest = self.rows.last().map(|row| (row.key, row.commit.as_str()));
        let damaged = self.unreadable.last().map(|result| (result.key, result.commit.as_str()));
        newest.max(damaged).map(|(_, commit)| commit)
    }
}

/// Values that are published as the text they are displayed as.
pub(crate) mod as_text {
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(crate) fn serialize<T: Display, S: Serializer>(
        value: &T,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_str(value)
    }

    pub(crate) fn deserialize<'de, T, D>(from: D) -> Result<T, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        String::deserialize(from)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A result of `host` that arrived `hours` after the first of March 2026.
    pub(crate) fn row(hours: i64, host: &str, success: bool) -> Row {
        let start: Timestamp = "2026-03-01T00:00:00Z".parse().unwrap();
        let received = start + SignedDuration::from_hours(hours);
        Row {
            key: ResultKey::new(received, 7),
            received,
            commit: "c0ffee".repeat(7)[..40].to_owned(),
            host: host.to_owned(),
            arch: "linux-x86_64".to_owned(),
            tags: vec!["py3.14".to_owned(), "__hidden".to_owned()],
            success,
            duration: Some(61.5),
            tests: Tally { total: 12, passed: 10, failed: 1, errored: 0, skipped: 1 },
            tested: Revision::default(),
        }
    }

    #[test]
    fn lines_are_tagsets_with_failing_ones_first() {
        let mut reordered = row(3, "a", true);
        reordered.tags.reverse();
        let package = Package {
            name: "p".into(),
            rows: vec![
                row(1, "a", false),
                row(2, "b", false),
                reordered.clone(),
                row(4, "c", true),
            ],
            unreadable: vec![],
        };
        let lines = package.lines();
        let seen: Vec<_> =
            lines.iter().map(|line| (line.latest.host.as_str(), line.rows.len())).collect();
        assert_eq!(seen, [("b", 1), ("a", 2), ("c", 1)]);
        assert_eq!(lines[1].latest, &reordered);
    }

    #[test]
    fn a_result_is_stale_from_its_first_birthday_in_hours_on() {
        let row = row(0, "a", true);
        assert!(!row.is_stale(row.received + SignedDuration::new(24 * 3600 - 1, 0)));
        assert!(row.is_stale(row.received + SignedDuration::from_hours(24)));
        assert!(!row.is_stale(row.received - SignedDuration::from_hours(99)), "from the future");
    }

    #[test]
    fn rows_read_back_as_they_were_published() {
        let mut row = row(1, "a \u{8}\u{202e}\"<", false);
        row.duration = Some(0.1 + 0.2);
        let text = serde_json::to_string(&row).unwrap();
        assert_eq!(serde_json::from_str::<Row>(&text).unwrap(), row);
        row.host = "atlas".to_owned();
        insta::assert_snapshot!(serde_json::to_string(&row).unwrap(), @r#"{"key":"1772326800000000007","received":"2026-03-01T01:00:00Z","commit":"c0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ff","host":"atlas","arch":"linux-x86_64","tags":["py3.14","__hidden"],"success":false,"duration":0.30000000000000004,"tests":{"total":12,"passed":10,"failed":1,"errored":0,"skipped":1},"tested":{}}"#);
    }
}
