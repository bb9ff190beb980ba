//! [`Recent`]: the newest results of something, and how many it had.

use pony_formats::TestResult;
use serde::{Deserialize, Serialize};

use crate::history::Row;

/// The newest results of a build line, oldest first, and how many there were. It is brought up to date one
/// result after another, so that a page of it costs the same however many there are.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Recent {
    /// All results, also those that are not in `rows`.
    pub(crate) results: usize,
    /// The newest of them, oldest first.
    pub(crate) rows: Vec<Row>,
    /// The newest result of the main line that could be read; only of build lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) main: Option<Row>,
    /// What it said of its failing tests.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) failing: Vec<Said>,
}

/// A failing test, and what it said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Said {
    pub(crate) id: String,
    /// The first line of its message, shortened.
    pub(crate) message: String,
}

/// Failing tests whose message is remembered.
const SAID_MAX: usize = 200;

/// Characters of a message that are remembered.
const MESSAGE_CHARS_MAX: usize = 200;

impl Said {
    /// Of all failing tests of a result.
    pub(crate) fn all(result: &TestResult) -> Vec<Self> {
        let tests = result.submission.results_list.iter().flat_map(|step| step.tests());
        let bad = tests.filter(|test| test.outcome.is_bad()).take(SAID_MAX);
        bad.map(|test| {
            let message = test.evidence.message.as_deref().unwrap_or_default().trim();
            let line = message.lines().next().unwrap_or_default();
            Self { id: test.id.clone(), message: line.chars().take(MESSAGE_CHARS_MAX).collect() }
        })
        .collect()
    }
}

impl Recent {
    /// Takes in a new result. At most `max` are kept.
    pub(crate) fn take(&mut self, row: Row, max: usize) {
        let place = self.rows.partition_point(|known| known.key < row.key);
        self.rows.insert(place, row);
        self.results += 1;
        let surplus = self.rows.len().saturating_sub(max);
        self.rows.drain(..surplus);
    }

    /// The newest of them alone.
    pub(crate) fn newest(&self, max: usize) -> Self {
        let surplus = self.rows.len().saturating_sub(max);
        let rows = self.rows.get(surplus..).unwrap_or_default().to_vec();
        Self { results: self.results, rows, ..Self::default() }
    }

    /// The newest result.
    pub(crate) fn latest(&self) -> Option<&Row> {
        self.rows.last()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::tests::row;

    #[test]
    fn the_newest_are_kept_and_all_are_counted() {
        let mut recent = Recent::default();
        for hour in 0..5 {
            recent.take(row(hour, "a", true), 3);
        }
        let kept: Vec<_> = recent.rows.iter().map(|row| row.key).collect();
        assert_eq!(kept, [2, 3, 4].map(|hour| row(hour, "a", true).key));
        assert_eq!(recent.results, 5);
        assert_eq!(recent.newest(1).rows, [row(4, "a", true)]);
    }
}
