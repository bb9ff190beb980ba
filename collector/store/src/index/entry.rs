//! [`IndexEntry`]: what the index knows of a result, and its stored form.

use std::borrow::Cow;
use std::collections::BTreeSet;

use jiff::Timestamp;
use pony_formats::record::Heading;
use pony_formats::{Receipt, ResultKey, Tagset};
use serde::{Deserialize, Serialize};

/// What the index knows of a result.
#[derive(Debug, Clone, PartialEq)]
pub struct IndexEntry {
    /// The receipt, as it is stored.
    pub receipt: Receipt,
    /// The build line that it belongs to, which says the package.
    pub tagset: Tagset,
    /// Whether every step succeeded, by the client's own word.
    pub success: bool,
    /// How long the whole run took, in seconds, when the client said so.
    pub duration: Option<f64>,
}

impl IndexEntry {
    /// The permanent name of the result.
    pub fn key(&self) -> ResultKey {
        self.receipt.key
    }

    /// The package that it is of.
    pub fn package(&self) -> &str {
        &self.tagset.package
    }
}

impl From<Heading> for IndexEntry {
    fn from(heading: Heading) -> Self {
        let Heading { receipt, client_info } = heading;
        Self {
            receipt,
            tagset: client_info.tagset(),
            success: client_info.success(),
            // Only what JSON can hold.
            duration: client_info.duration().filter(|seconds| seconds.is_finite()),
        }
    }
}

/// The stored form, as JSON. A change here needs a new [`super::tables::SCHEMA`].
#[derive(Serialize, Deserialize)]
struct Stored<'e> {
    key: i64,
    #[serde(borrow)]
    package: Cow<'e, str>,
    #[serde(borrow)]
    host: Cow<'e, str>,
    #[serde(borrow)]
    arch: Cow<'e, str>,
    tags: Cow<'e, BTreeSet<String>>,
    success: bool,
    /// Milliseconds since 1970: more is not in a receipt.
    received: i64,
    duration: Option<f64>,
    number: Option<u32>,
    submission_id: Option<Cow<'e, str>>,
    sent: Option<Cow<'e, str>>,
    client: Option<Cow<'e, str>>,
    client_ip: Option<Cow<'e, str>>,
    flags: Cow<'e, BTreeSet<String>>,
}

impl IndexEntry {
    pub(super) fn to_bytes(&self) -> Result<Vec<u8>, serde_json::Error> {
        let Self { receipt, tagset, success, duration } = self;
        serde_json::to_vec(&Stored {
            key: receipt.key.as_i64(),
            package: Cow::from(&tagset.package),
            host: Cow::from(&tagset.host),
            arch: Cow::from(&tagset.arch),
            tags: Cow::Borrowed(&tagset.tags),
            success: *success,
            received: receipt.received.as_millisecond(),
            duration: *duration,
            number: receipt.number,
            submission_id: receipt.submission_id.as_ref().map(|id| Cow::from(id.as_str())),
            sent: receipt.sent.as_deref().map(Cow::from),
            client: receipt.client.as_deref().map(Cow::from),
            client_ip: receipt.client_ip.as_deref().map(Cow::from),
            flags: Cow::Borrowed(&receipt.flags),
        })
    }

    /// `None` when the bytes are not those of an entry.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let stored: Stored<'_> = serde_json::from_slice(bytes).ok()?;
        let receipt = Receipt {
            key: ResultKey::from_i64(stored.key)?,
            number: stored.number,
            submission_id: stored.submission_id.and_then(|id| id.parse().ok()),
            received: Timestamp::from_millisecond(stored.received).ok()?,
            sent: stored.sent.map(Cow::into_owned),
            client: stored.client.map(Cow::into_owned),
            client_ip: stored.client_ip.map(Cow::into_owned),
            flags: stored.flags.into_owned(),
        };
        let tagset = Tagset {
            package: stored.package.into_owned(),
            host: stored.host.into_owned(),
            arch: stored.arch.into_owned(),
            tags: stored.tags.into_owned(),
        };
        Some(Self { receipt, tagset, success: stored.success, duration: stored.duration })
    }
}
