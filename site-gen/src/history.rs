//! What is known of results without reading them in full: the rows of lists, and what is remembered of a package.

mod package;

use jiff::{SignedDuration, Timestamp};
use pony_formats::record::Summary;
use pony_formats::{ClientInfo, Receipt, ResultKey, Tally, TestResult};
use serde::{Deserialize, Serialize};

pub(crate) use package::Package;

use crate::analysis::{LineName, Revision};

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

impl Row {
    /// The row of a summary.
    pub(crate) fn new(summary: &Summary, commit: String) -> Self {
        Self::of(&summary.receipt, &summary.client_info, summary.tally, commit)
    }

    /// The row of a result, which is that of its summary.
    pub(crate) fn of_result(result: &TestResult, commit: String) -> Self {
        let submission = &result.submission;
        Self::of(&result.receipt, &submission.client_info, submission.tally(), commit)
    }

    fn of(receipt: &Receipt, info: &ClientInfo, tests: Tally, commit: String) -> Self {
        Self {
            key: receipt.key,
            received: receipt.received,
            commit,
            host: info.host().to_owned(),
            arch: info.arch().to_owned(),
            tags: info.tags().map(str::to_owned).collect(),
            success: info.success(),
            duration: info.duration(),
            tests,
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

/// Optional values, as [`as_text`].
pub(crate) mod as_optional_text {
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::{Deserialize as _, Deserializer, Serializer, de};

    pub(crate) fn serialize<T: Display, S: Serializer>(
        value: &Option<T>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => to.collect_str(value),
            None => to.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, T, D>(from: D) -> Result<Option<T>, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        let text = Option::<String>::deserialize(from)?;
        text.map(|text| text.parse().map_err(de::Error::custom)).transpose()
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

    /// A package with these results.
    pub(crate) fn package(name: &str, rows: Vec<Row>) -> Package {
        let mut package = Package::new(name);
        rows.into_iter().for_each(|row| package.add(row));
        package
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
