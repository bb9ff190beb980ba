//! Delivery: hands submissions to their target, once.

mod collector;
mod git_host;
mod repository;
mod wire;

use pony_formats::{Tally, Value};
use pony_store::{Arrival, StoreError};

use crate::attachment::Attachment;
use crate::parcel::Parcel;
use crate::spool::{Entry, Tries};
use crate::target::{ServerUrl, Target};
pub(crate) use git_host::{GitFailure, Kind as GitFailureKind};

/// A submission with everything that is known of its way.
#[derive(Debug)]
pub(crate) struct Shipment {
    pub(crate) parcel: Parcel,
    /// Files that go with it.
    pub(crate) attachments: Vec<Attachment>,
    /// Where it waits; `None` where there is no spool.
    pub(crate) entry: Option<Entry>,
    /// Pushes of it that may have arrived.
    pub(crate) tries: Tries,
}

/// A submission that is safe with its target.
#[derive(Debug)]
pub(crate) struct Delivered {
    /// The key it has there.
    pub(crate) key: String,
    /// A repository's path, or the address of the result's page.
    pub(crate) place: String,
    /// Files that were not delivered. The result is stored all the same.
    pub(crate) complaints: Vec<NotAttached>,
}

/// Why a file that goes with a submission was not delivered.
#[derive(Debug, thiserror::Error)]
#[error("{name} is not stored beside the result: {reason}")]
pub(crate) struct NotAttached {
    pub(crate) name: String,
    pub(crate) reason: String,
}

/// Why a submission was not delivered.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DeliveryError {
    /// Nobody answers, or not now. Sending again may help.
    #[error("cannot reach the collector at {server}: {reason}")]
    Unreachable { server: ServerUrl, reason: String },
    /// The collector will never take this submission.
    #[error("the collector at {server} rejected the submission: {reason}")]
    Rejected { server: ServerUrl, reason: String },
    /// The collector takes nothing from this client.
    #[error(
        "the collector at {server} refuses access (HTTP status {status}): check the name and password in the address"
    )]
    Forbidden { server: ServerUrl, status: u16 },
    /// The submission is stored, but a file that goes with it is not yet. To send all again is safe: the
    /// submission has an id, and what has arrived is marked.
    #[error("result {key} is stored, but not yet its file {name}: {reason}")]
    FileOnItsWay { key: String, name: String, reason: String },
    /// Whatever answers there is no collector.
    #[error("no collector at {server}: {reason}")]
    NotACollector { server: ServerUrl, reason: String },
    /// A git host does not have it, for all that is known.
    #[error("cannot store in {address}: {failure}")]
    GitHost { address: String, failure: GitFailure },
    /// A git host stores results alone.
    #[error(
        "cannot store in {address}: a git host has no place for {name}, which goes with the result: name a collector or a folder with --server or --repo"
    )]
    NoPlaceForFiles { address: String, name: String },
    /// The repository does not take it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl DeliveryError {
    /// Whether the same submission would be refused for ever.
    pub(crate) fn is_rejection(&self) -> bool {
        matches!(
            self,
            Self::Rejected { .. }
                | Self::Store(StoreError::TooLarge { .. } | StoreError::SubmissionIdTaken { .. })
        )
    }
}

/// Hands submissions over, and says what has become of each, in their order.
pub(crate) fn deliver(
    shipments: &mut [Shipment],
    target: &Target,
) -> Vec<Result<Delivered, DeliveryError>> {
    let each = shipments.iter_mut();
    match target {
        Target::Server(server) => {
            each.map(|one| collector::submit(&one.parcel, &mut one.attachments, server)).collect()
        }
        Target::Repository(path) => {
            each.map(|one| repository::append(&one.parcel, &mut one.attachments, path)).collect()
        }
        Target::GitHost(url) => git_host::submit(shipments, url),
    }
}

/// What a repository is to know of a submission that arrives without a collector.
fn arrival_of(parcel: &Parcel) -> Arrival {
    let now = jiff::Timestamp::now();
    let mut arrival = Arrival { submission_id: Some(parcel.id.clone()), ..Arrival::at(now) };
    let client_info = parcel.submission.client_info.bag();
    if client_info.get("sanitised") == Some(&Value::Bool(true)) {
        arrival.flags.insert("sanitised".to_owned());
    }
    arrival
}

/// The counts of a submission in words: `12 passed, 1 failed`.
pub(crate) fn in_words(tally: Tally) -> String {
    let counts = [
        (tally.passed, "passed"),
        (tally.failed, "failed"),
        (tally.errored, "errored"),
        (tally.skipped, "skipped"),
    ];
    let words: Vec<String> = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    if words.is_empty() { "no tests".to_owned() } else { words.join(", ") }
}
