//! `format.json`: which format a repository has, and what was moved out of it.
//!
//! ```json
//! {
//!   "archives": [
//!     {
//!       "before": "2026-01-01",
//!       "commit": "<the head of the archive when it had everything>",
//!       "history": "<the last commit of the history that was dropped>",
//!       "name": "2025",
//!       "next_number": 4711,
//!       "results": 1234,
//!       "url": "https://ci.example/2025.git"
//!     }
//!   ],
//!   "format": "pony-results",
//!   "version": { "major": 1, "minor": 1 }
//! }
//! ```
//!
//! `archives` came with 1.1; readers of 1.0 ignore it. A repository has 1.0 until something is moved.

use std::fmt;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::CommitId;
use crate::layout::FORMAT_FILE;

/// The newest format that is known.
pub(crate) const FORMAT: Version = Version { major: 1, minor: 1 };

/// What `format.json` calls this kind of repository.
const FORMAT_NAME: &str = "pony-results";

/// The member that lists what was moved.
const ARCHIVES: &str = "archives";

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Version {
    pub(crate) major: u32,
    pub(crate) minor: u32,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// Results that were moved into another repository: `format.json` names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// What the archive is called.
    pub name: String,
    /// Where it is: an address, or a path as it was given.
    pub url: String,
    /// The results that were received on earlier days (UTC) were moved.
    pub before: Date,
    /// A commit of the archive that holds them all.
    pub commit: CommitId,
    /// How many they were.
    pub results: u64,
    /// One more than the greatest number that a collector had given to one of them; `None` when none had
    /// a number.
    pub next_number: Option<u32>,
    /// When the history was dropped as well: its last commit. The archive has it, under a tag.
    pub history: Option<CommitId>,
}

/// A [`Cut`] as it is written.
#[derive(Serialize, Deserialize)]
struct Written {
    before: String,
    commit: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    history: Option<String>,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_number: Option<u32>,
    results: u64,
    url: String,
}

/// What is needed of `format.json`. Later versions may add members.
#[derive(Deserialize)]
struct Format {
    format: String,
    version: Version,
}

/// Reads the version. An error is a reason.
pub(crate) fn read_version(text: &[u8]) -> Result<Version, String> {
    let format: Format = serde_json::from_slice(text).map_err(unreadable)?;
    if format.format != FORMAT_NAME {
        return Err(format!("its `{FORMAT_FILE}` says that it holds {:?}", format.format));
    }
    Ok(format.version)
}

/// Reads what was moved, the earliest first. An error is a reason.
pub(crate) fn read_cuts(text: &[u8]) -> Result<Vec<Cut>, String> {
    let members: Map<String, Value> = serde_json::from_slice(text).map_err(unreadable)?;
    let Some(archives) = members.get(ARCHIVES) else { return Ok(vec![]) };
    let written: Vec<Written> = serde_json::from_value(archives.clone()).map_err(unreadable)?;
    written.into_iter().map(Cut::try_from).collect()
}

/// The text of `format.json` with these cuts instead of its own, and everything else as it was.
pub(crate) fn with_cuts(text: &[u8], cuts: &[Cut]) -> Result<String, String> {
    let mut members: Map<String, Value> = serde_json::from_slice(text).map_err(unreadable)?;
    let written: Vec<Written> = cuts.iter().map(Written::from).collect();
    let version = read_version(text)?.max(FORMAT);
    let values = [
        (ARCHIVES, serde_json::to_value(written).map_err(unreadable)?),
        ("version", serde_json::to_value(version).map_err(unreadable)?),
    ];
    members.extend(values.map(|(key, value)| (key.to_owned(), value)));
    Ok(pony_formats::json::pretty(&Value::Object(members)))
}

fn unreadable(error: serde_json::Error) -> String {
    format!("its `{FORMAT_FILE}` cannot be read: {error}")
}

impl From<&Cut> for Written {
    fn from(cut: &Cut) -> Self {
        Self {
            before: cut.before.to_string(),
            commit: cut.commit.to_string(),
            history: cut.history.as_ref().map(ToString::to_string),
            name: cut.name.clone(),
            next_number: cut.next_number,
            results: cut.results,
            url: cut.url.clone(),
        }
    }
}

impl TryFrom<Written> for Cut {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let commit = |text: &str| {
            let id: Result<CommitId, _> = text.parse();
            id.map_err(|error| format!("its `{FORMAT_FILE}` names a commit {text:?}: {error}"))
        };
        let before = written.before.parse().map_err(|_| {
            format!("its `{FORMAT_FILE}` names a day {:?}: expected 2026-01-31", written.before)
        })?;
        Ok(Self {
            before,
            commit: commit(&written.commit)?,
            history: written.history.as_deref().map(commit).transpose()?,
            name: written.name,
            next_number: written.next_number,
            results: written.results,
            url: written.url,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEW: &str = include_str!("init/format.json");

    fn cut(history: Option<&str>) -> Cut {
        Cut {
            name: "2025".to_owned(),
            url: "https://ci.example/2025.git".to_owned(),
            before: "2026-01-01".parse().unwrap(),
            commit: "a5".repeat(20).parse().unwrap(),
            results: 7,
            next_number: Some(8),
            history: history.map(|text| text.parse().unwrap()),
        }
    }

    #[test]
    fn what_was_moved_is_read_back() {
        assert_eq!(read_cuts(NEW.as_bytes()), Ok(vec![]));
        let cuts = [cut(None), cut(Some(&"5a".repeat(20)))];
        let text = with_cuts(NEW.as_bytes(), &cuts).unwrap();
        assert_eq!(read_cuts(text.as_bytes()).unwrap(), cuts);
        assert_eq!(read_version(text.as_bytes()).unwrap(), FORMAT);
        assert_eq!(with_cuts(text.as_bytes(), &cuts).unwrap(), text);
    }

    #[test]
    fn members_of_later_versions_are_kept() {
        let text = NEW.replacen('{', "{\"colour\": \"red\", ", 1);
        let text = with_cuts(text.as_bytes(), &[cut(None)]).unwrap();
        assert!(text.contains("\"colour\": \"red\""), "{text}");
    }

    #[test]
    fn what_is_no_cut_is_named() {
        let broken = |from: &str, to: &str| {
            let text = with_cuts(NEW.as_bytes(), &[cut(None)]).unwrap().replace(from, to);
            read_cuts(text.as_bytes()).unwrap_err()
        };
        assert!(broken("2026-01-01", "soon").contains("a day \"soon\""));
        assert!(broken(&"a5".repeat(20), "../x").contains("a commit \"../x\""));
        assert!(broken("\"results\": 7", "\"results\": -7").contains("cannot be read"));
    }
}
