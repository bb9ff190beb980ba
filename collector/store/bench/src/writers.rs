//! Everybody who can write results into a repository. All start from the same files and write the same
//! trees, one commit for each result.

mod fast_import;
mod git2_loose;
mod gix_loose;
mod plumbing;
mod pony;

use std::path::Path;

use jiff::Timestamp;
use pony_formats::names::tree_component;
use pony_formats::record::{self, Files};
use pony_formats::{Receipt, ResultKey, Submission};

use crate::measure::{Sample, sample};
use crate::repository::SALT;
use crate::{Failure, data};

/// The branch that they write to.
const BRANCH: &str = "refs/heads/main";

/// A result that is ready to be written.
pub(crate) struct Item {
    submission: Submission,
    time: Timestamp,
    /// The folder of the result.
    folder: String,
    /// The files in it.
    files: Files,
    /// The files that are there before the receipt.
    submitted: Files,
    message: String,
}

impl Item {
    fn new(number: u64) -> Result<Self, Failure> {
        let (submission, time) = (data::submission(number)?, data::arrival(number)?);
        let key = ResultKey::new(time, SALT);
        let receipt = Receipt {
            key,
            number: None,
            received: time,
            submission_id: None,
            sent: None,
            client: None,
            client_ip: None,
            flags: Default::default(),
        };
        let package = submission.client_info.package();
        let date = time.strftime("%Y/%m/%d");
        let folder = format!("{}/{date}/{key}", tree_component(package));
        let files = record::encode(&receipt, &submission);
        let submitted = record::encode_submission(&submission);
        let message = format!("ok {package} on host: 100 tests passed\n\nResult-Key: {key}\n");
        Ok(Self { submission, time, folder, files, submitted, message })
    }
}

/// A writer, and how it is compared.
pub(crate) struct Contestant {
    /// What the table calls it. Unique.
    pub(crate) name: &'static str,
    /// How many results it writes: fewer for the slow.
    pub(crate) results: u64,
    /// How many times as fast ours is to be, as the goals have it.
    pub(crate) goal: Option<f64>,
    open: fn(&Path) -> Opened,
}

/// A repository that was opened by a writer, to be written to.
type Opened = Result<Box<dyn FnOnce(&[Item]) -> Result<(), Failure>>, Failure>;

/// Results in a batch, where there are batches.
const BATCH: usize = 100;

/// All writers, ours first.
pub(crate) const CONTESTANTS: [Contestant; 10] = [
    Contestant { name: "pony-store, durable", results: 500, goal: None, open: pony::from_files },
    Contestant {
        name: "pony-store, durable, 3 200 results",
        results: 3_200,
        goal: None,
        open: pony::from_files,
    },
    Contestant {
        name: "pony-store, durable, from submissions",
        results: 500,
        goal: None,
        open: pony::from_submissions,
    },
    Contestant {
        name: "pony-store, durable, one at a time",
        results: 100,
        goal: None,
        open: pony::one_at_a_time,
    },
    Contestant {
        name: "git fast-import, not synced",
        results: 500,
        goal: Some(4.0),
        open: fast_import::careless,
    },
    Contestant {
        name: "git fast-import, level 1, not synced",
        results: 500,
        goal: None,
        open: fast_import::careless_level_1,
    },
    Contestant {
        name: "git fast-import, durable",
        results: 500,
        goal: Some(4.5),
        open: fast_import::durable,
    },
    Contestant {
        name: "gix, loose, durable",
        results: 50,
        goal: Some(30.0),
        open: gix_loose::open,
    },
    Contestant {
        name: "git2, loose, durable",
        results: 50,
        goal: Some(30.0),
        open: git2_loose::open,
    },
    Contestant {
        name: "git commands, durable",
        results: 6,
        goal: Some(200.0),
        open: plumbing::open,
    },
];

/// In the child: has one of them write. What they write is made, and the repository opened, before.
pub(crate) fn write(name: &str, repo: &Path, first: u64) -> Result<Sample, Failure> {
    let contestant = CONTESTANTS.iter().find(|contestant| contestant.name == name);
    let contestant = contestant.ok_or_else(|| format!("no writer `{name}`"))?;
    let items = (first..first + contestant.results).map(Item::new);
    let items = items.collect::<Result<Vec<_>, Failure>>()?;
    let write = (contestant.open)(repo)?;
    let ((), sample) = sample(|| write(&items))?;
    Ok(sample)
}
