//! `result.json`: one result complete.
//!
//! It is written straight from the result. A tree of JSON values of a result with a hundred thousand tests would take
//! several times the memory of the result itself.

use std::collections::BTreeSet;

use jiff::Timestamp;
use pony_formats::json::{StoredBag, StoredSteps};
use pony_formats::{ResultKey, TestResult};
use pony_store::Artifact;
use serde::{Deserialize, Serialize};

use super::{FORMAT, one_line};
use crate::analysis::{Comparison, ResultNotes};
use crate::history::as_text;

/// `result.json`.
#[derive(Serialize)]
struct Document<'a> {
    /// 1.
    format: u32,
    /// The commit of the results repository that added the result, hex; empty when its history is damaged.
    commit: &'a str,
    receipt: PublicReceipt<'a>,
    /// As the client sent it, in the JSON of the results repository.
    client_info: StoredBag<'a>,
    /// The files that were uploaded for it.
    artifacts: Vec<File<'a>>,
    /// What the page says of failing tests besides the result itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    history: Option<&'a ResultNotes>,
    /// What changed since the result of its build line `before` it on the main line: `newly_failing`, `fixed`,
    /// `new`, `vanished` and `slower` tests, each with their `count` and the names of the first hundred, and how
    /// many are `still_failing`.
    #[serde(skip_serializing_if = "Option::is_none")]
    changes: Option<&'a Comparison>,
    /// As the client sent it, in the JSON of the results repository.
    results_list: StoredSteps<'a>,
}

/// Without the client's address: whoever may read the repository finds it there, the site is for
/// everybody.
#[derive(Serialize)]
struct PublicReceipt<'a> {
    #[serde(with = "as_text")]
    result_key: ResultKey,
    /// RFC 3339 in UTC.
    #[serde(with = "as_text")]
    received: Timestamp,
    /// Who submitted it; null when the collector does not know.
    client: Option<&'a str>,
    flags: &'a BTreeSet<String>,
}

/// An uploaded file.
#[derive(Serialize)]
struct File<'a> {
    filename: &'a str,
    description: &'a str,
    /// Bytes.
    size: u64,
    sha256: &'a pony_store::Sha256Hex,
}

/// `result.json`.
pub(crate) fn result(
    result: &TestResult,
    artifacts: &[Artifact],
    commit: &str,
    notes: Option<&ResultNotes>,
    changes: Option<&Comparison>,
) -> String {
    let TestResult { receipt, submission } = result;
    let visible = artifacts.iter().filter(|artifact| artifact.visible);
    let files = visible.map(|artifact| File {
        filename: &artifact.filename,
        description: &artifact.description,
        size: artifact.size,
        sha256: &artifact.sha256,
    });
    one_line(&Document {
        format: FORMAT,
        commit,
        receipt: PublicReceipt {
            result_key: receipt.key,
            received: receipt.received,
            client: receipt.client.as_deref(),
            flags: &receipt.flags,
        },
        client_info: StoredBag(submission.client_info.bag()),
        artifacts: files.collect(),
        history: notes,
        changes,
        results_list: StoredSteps(&submission.results_list),
    })
}

/// What [`result`] wrote and cannot be made again.
#[derive(Debug, Deserialize)]
pub(crate) struct Noted {
    pub(crate) history: ResultNotes,
    pub(crate) changes: Option<Comparison>,
    pub(crate) commit: String,
}

/// What of it cannot be made again. `None` when it is odd.
pub(crate) fn read_notes(text: &[u8]) -> Option<Noted> {
    serde_json::from_slice(text).ok()
}
