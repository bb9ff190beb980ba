//! Straight to a git host: fetches the newest commit and the folders on the way, makes the commits that a collector
//! would make, and pushes. When somebody else was faster, all of that again; nothing is ever forced.
//!
//! A push whose answer is lost may have arrived. So the keys of results are written down before they are pushed
//! ([`Tries`]), and looked for before they are pushed again under another.
//!
//! [`Tries`]: crate::spool::Tries

mod failure;
mod git;

use std::time::{Duration, Instant};

use pony_formats::ResultKey;
use pony_store::{Addition, Arrival, CommitId, Extension, PartialClone, Prepared, StoreError};

use super::{Delivered, DeliveryError, NotAttached, Shipment, arrival_of};
use crate::target::GitUrl;
pub(crate) use failure::{GitFailure, Kind};
use git::{Git, Pushed};

/// For how long it is tried to be faster than others.
const PATIENCE: Duration = Duration::from_secs(600);

/// The longest pause after a lost race. It doubles from the first on, and is drawn at random below that.
const PAUSE_MAX: Duration = Duration::from_secs(8);
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// How often what is lacking is fetched: once for each folder on the way, and the days before it.
const FETCHES_MAX: usize = 12;

/// What a host says when two pushes meet in it, so that the branch may be where it was for another moment.
const COLLISIONS: [&str; 5] = [
    "cannot lock ref",
    "failed to lock",
    "failed to update ref",
    "incorrect old value",
    "reference already exists",
];

/// Hands submissions over in one push.
pub(super) fn submit(
    shipments: &mut [Shipment],
    url: &GitUrl,
) -> Vec<Result<Delivered, DeliveryError>> {
    // One that can never be stored keeps none of the others.
    let prepared = shipments.iter().map(|shipment| Prepared::new(&shipment.parcel.submission));
    let prepared: Vec<_> = prepared.collect();
    let (mut parts, mut sound) = (Vec::new(), Vec::new());
    for (shipment, prepared) in shipments.iter_mut().zip(&prepared) {
        if let Ok(prepared) = prepared {
            sound.push(prepared);
            parts.push(shipment);
        }
    }
    let outcome = Delivery::new(url, &sound, &mut parts).and_then(|mut delivery| delivery.run());
    let mut keys = outcome.as_ref().ok().map_or(&[][..], Vec::as_slice).iter();
    let outcomes = prepared.into_iter().zip(shipments.iter());
    let outcomes = outcomes.map(|(prepared, shipment)| match (prepared, &outcome) {
        (Err(error), _) => Err(DeliveryError::Store(error)),
        (Ok(_), Err(failure)) => {
            Err(DeliveryError::GitHost { address: url.to_string(), failure: failure.clone() })
        }
        (Ok(_), Ok(_)) => {
            let key = keys.next().map(ToString::to_string).unwrap_or_default();
            let complaints = shipment.attachments.iter().map(|attachment| NotAttached {
                name: attachment.name.clone(),
                reason: "a git host stores no files".to_owned(),
            });
            Ok(Delivered { key, place: url.to_string(), complaints: complaints.collect() })
        }
    });
    outcomes.collect()
}

/// Submissions on their way into one push.
struct Delivery<'d, 's> {
    git: Git<'d>,
    clone: PartialClone,
    url: &'d GitUrl,
    prepared: &'d [&'d Prepared],
    shipments: &'d mut [&'s mut Shipment],
    arrivals: Vec<Arrival>,
    /// Whether the host gives out single folders.
    gives_single_objects: bool,
}

impl<'d, 's> Delivery<'d, 's> {
    fn new(
        url: &'d GitUrl,
        prepared: &'d [&'d Prepared],
        shipments: &'d mut [&'s mut Shipment],
    ) -> Result<Self, GitFailure> {
        let git = Git::new(url)?;
        let clone = PartialClone::open(git.path(), &url.to_string()).map_err(of_store)?;
        let arrivals = shipments.iter().map(|shipment| arrival_of(&shipment.parcel)).collect();
        Ok(Self { git, clone, url, prepared, shipments, arrivals, gives_single_objects: true })
    }

    /// Returns the keys of the results.
    fn run(&mut self) -> Result<Vec<ResultKey>, GitFailure> {
        if self.prepared.is_empty() {
            return Ok(Vec::new());
        }
        let start = Instant::now();
        let mut pause = FIRST_PAUSE;
        let mut tip = self.tip()?;
        loop {
            let (head, keys) = self.extend(tip.as_ref())?;
            if tip.as_ref() == Some(&head) {
                return Ok(keys);
            }
            self.note(&keys)?;
            let reason = match self.git.push(&head.to_string())? {
                Pushed::Yes => return Ok(keys),
                Pushed::Unknown(failure) => return Err(failure),
                // The keys stay noted: a host may move the branch, and refuse behind that.
                Pushed::No(reason) => reason,
            };
            let before = std::mem::replace(&mut tip, self.tip()?);
            if before == tip && !COLLISIONS.iter().any(|words| reason.contains(words)) {
                return Err(refused(&reason, self.url));
            }
            if start.elapsed() > PATIENCE {
                let seconds = PATIENCE.as_secs();
                let sentence = format!("others were faster for {seconds} seconds: {reason}");
                return Err(GitFailure::new(Kind::Contended, sentence));
            }
            std::thread::sleep(pause.mul_f64(fastrand::f64()));
            pause = (2 * pause).min(PAUSE_MAX);
        }
    }

    /// The newest commit. `None` where the branch is to be made.
    fn tip(&self) -> Result<Option<CommitId>, GitFailure> {
        if let Some(id) = self.git.fetch_tip(!self.gives_single_objects)? {
            let id = id.parse().map_err(|error| {
                GitFailure::new(Kind::Io, format!("git names a commit {id:?}: {error}"))
            })?;
            return Ok(Some(id));
        }
        if self.url.named_branch().is_some() {
            return Ok(None);
        }
        // Where others have their branches, one for results is not made by a slip.
        let branches = self.git.branches()?;
        let branch = self.url.branch();
        if branches.is_empty() || branches.iter().any(|name| name == branch) {
            return Ok(None);
        }
        let sentence = format!(
            "it has no branch `{branch}`: name another repository, or a branch for results with --branch"
        );
        Err(GitFailure::new(Kind::NotThere, sentence))
    }

    /// Makes the commits, with whatever has to be fetched for that.
    fn extend(&mut self, tip: Option<&CommitId>) -> Result<(CommitId, Vec<ResultKey>), GitFailure> {
        let mut lacked = Vec::new();
        for _ in 0..FETCHES_MAX {
            let parts = self.prepared.iter().zip(&self.arrivals).zip(&*self.shipments);
            let additions = parts.map(|((prepared, arrival), shipment)| {
                let earlier = shipment.tries.keys();
                Addition { prepared, arrival, earlier }
            });
            let additions: Vec<_> = additions.collect();
            match self.clone.extend(tip, &additions).map_err(of_store)? {
                Extension::Made { head, keys } => return Ok((head, keys)),
                Extension::Lacks(names) if names == lacked => break,
                Extension::Lacks(names) => {
                    self.fetch(&names)?;
                    lacked = names;
                }
            }
        }
        let sentence = format!("it does not give out all of its folders: {}", lacked.join(" "));
        Err(GitFailure::new(Kind::Unreachable, sentence))
    }

    fn fetch(&mut self, names: &[String]) -> Result<(), GitFailure> {
        if self.gives_single_objects && self.git.fetch_objects(names).is_ok() {
            return Ok(());
        }
        // Old, or behind a proxy that knows only the old protocol.
        self.gives_single_objects = false;
        self.git.fetch_tip(true).map(drop)
    }

    /// Writes down what is about to be pushed.
    fn note(&mut self, keys: &[ResultKey]) -> Result<(), GitFailure> {
        for (shipment, key) in self.shipments.iter_mut().zip(keys) {
            shipment.tries.note(*key).map_err(|error| {
                GitFailure::new(Kind::Io, format!("cannot note a push in the spool: {error}"))
            })?;
        }
        Ok(())
    }
}

/// A push that was not lost to somebody else.
fn refused(reason: &str, url: &GitUrl) -> GitFailure {
    // What receive-pack says when it cannot write.
    let is_full = ["unpack", "temporary object directory"].iter().any(|word| reason.contains(word));
    let kind = if is_full { Kind::Unreachable } else { Kind::Forbidden };
    GitFailure::new(kind, format!("it refuses the push to its branch `{}`: {reason}", url.branch()))
}

fn of_store(error: StoreError) -> GitFailure {
    GitFailure::new(Kind::Store(error.exit_status()), crate::messages::chain(&error))
}
