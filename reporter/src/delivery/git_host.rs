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

use super::{Delivered, DeliveryError, Shipment, arrival_of};
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

/// How many pushes in a row may be refused while it is looked for the submission that the host does not take.
const REFUSALS_MAX: usize = 32;

/// Hands submissions over in one push, or in several where the host refuses one of them.
pub(super) fn submit(
    shipments: &mut [Shipment],
    url: &GitUrl,
) -> Vec<Result<Delivered, DeliveryError>> {
    let mut outcomes: Vec<_> = shipments.iter().map(|_| None).collect();
    let mut parts = Vec::new();
    for (index, shipment) in shipments.iter_mut().enumerate() {
        if let Some(file) = shipment.attachments.first() {
            // They would be gone for good with the entry in the spool.
            let (address, name) = (url.to_string(), file.name.clone());
            outcomes[index] = Some(Err(DeliveryError::NoPlaceForFiles { address, name }));
            continue;
        }
        match Prepared::new(&shipment.parcel.submission) {
            Ok(prepared) => {
                let arrival = arrival_of(&shipment.parcel);
                parts.push(Part { index, prepared, arrival, shipment });
            }
            // One that can never be stored keeps none of the others.
            Err(error) => outcomes[index] = Some(Err(DeliveryError::Store(error))),
        }
    }
    let failed = |failure| DeliveryError::GitHost { address: url.to_string(), failure };
    let delivered = |key: &ResultKey| Delivered {
        key: key.to_string(),
        place: url.to_string(),
        complaints: Vec::new(),
    };
    let unheard = || failed(GitFailure::new(Kind::Io, "nothing is known of it".to_owned()));
    push_all(parts, url, |batch, outcome| {
        let mut keys = outcome.as_ref().map(|keys| keys.iter());
        for part in batch {
            outcomes[part.index] = Some(match &mut keys {
                Ok(keys) => keys.next().map(delivered).ok_or_else(unheard),
                Err(failure) => Err(failed(GitFailure::clone(failure))),
            });
        }
    });
    outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(|| Err(unheard()))).collect()
}

/// Pushes all at once, or in parts. Says what has become of each.
fn push_all(
    parts: Vec<Part<'_>>,
    url: &GitUrl,
    mut tell: impl FnMut(&[Part<'_>], Result<Vec<ResultKey>, GitFailure>),
) {
    if parts.is_empty() {
        return;
    }
    match Delivery::new(url) {
        Ok(mut delivery) => push_in_halves(parts, |batch| delivery.run(batch), tell),
        Err(failure) => tell(&parts, Err(failure)),
    }
}

/// Pushes all at once. What is refused is pushed again in halves, so that one that the host does not take (too large,
/// or it holds what looks like a secret) keeps none of the others. Ends when so many are refused in a row that the host
/// may be refusing everything.
///
/// A half is halved before the other one is pushed, or all attempts could go into batches that have something bad in
/// them. Which half comes first is drawn, or those behind many bad ones would never be reached.
fn push_in_halves<P, K>(
    parts: Vec<P>,
    mut push: impl FnMut(&mut [P]) -> Result<K, GitFailure>,
    mut tell: impl FnMut(&[P], Result<K, GitFailure>),
) {
    let mut batches = vec![parts];
    let mut refusals = 0;
    while let Some(mut batch) = batches.pop() {
        match push(&mut batch) {
            Ok(keys) => {
                refusals = 0;
                tell(&batch, Ok(keys));
            }
            Err(failure) => {
                refusals += 1;
                let may_go_on = failure.kind.is_refusal() && refusals < REFUSALS_MAX;
                if may_go_on && batch.len() > 1 {
                    let rest = batch.split_off(batch.len() / 2);
                    let halves = if fastrand::bool() { [batch, rest] } else { [rest, batch] };
                    batches.extend(halves);
                    continue;
                }
                if !may_go_on {
                    batches.drain(..).for_each(|batch| tell(&batch, Err(failure.clone())));
                }
                tell(&batch, Err(failure));
            }
        }
    }
}

/// A submission on its way.
struct Part<'s> {
    /// Its place among all.
    index: usize,
    prepared: Prepared,
    arrival: Arrival,
    shipment: &'s mut Shipment,
}

/// What is known of the host.
struct Delivery<'d> {
    git: Git<'d>,
    clone: PartialClone,
    url: &'d GitUrl,
    /// Whether the host gives out single folders.
    gives_single_objects: bool,
}

impl<'d> Delivery<'d> {
    fn new(url: &'d GitUrl) -> Result<Self, GitFailure> {
        let git = Git::new(url)?;
        let clone = PartialClone::open(git.path(), &url.to_string()).map_err(of_store)?;
        Ok(Self { git, clone, url, gives_single_objects: true })
    }

    /// Pushes submissions together. Returns the keys of the results.
    fn run(&mut self, parts: &mut [Part<'_>]) -> Result<Vec<ResultKey>, GitFailure> {
        let start = Instant::now();
        let mut pause = FIRST_PAUSE;
        let mut tip = self.tip()?;
        loop {
            let (head, keys) = self.extend(tip.as_ref(), parts)?;
            if tip.as_ref() == Some(&head) {
                return Ok(keys);
            }
            note(parts, &keys)?;
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
    fn extend(
        &mut self,
        tip: Option<&CommitId>,
        parts: &[Part<'_>],
    ) -> Result<(CommitId, Vec<ResultKey>), GitFailure> {
        let additions = parts.iter().map(|part| {
            let Part { prepared, arrival, shipment, .. } = part;
            Addition { prepared, arrival, earlier: shipment.tries.keys() }
        });
        let additions: Vec<_> = additions.collect();
        let mut lacked = Vec::new();
        for _ in 0..FETCHES_MAX {
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
}

/// Writes down what is about to be pushed.
fn note(parts: &mut [Part<'_>], keys: &[ResultKey]) -> Result<(), GitFailure> {
    for (part, key) in parts.iter_mut().zip(keys) {
        part.shipment.tries.note(*key).map_err(|error| {
            GitFailure::new(Kind::Io, format!("cannot note a push in the spool: {error}"))
        })?;
    }
    Ok(())
}

/// A push that was not lost to somebody else.
fn refused(reason: &str, url: &GitUrl) -> GitFailure {
    // What receive-pack says when it cannot write.
    let is_full = ["unpack", "temporary object directory"].iter().any(|word| reason.contains(word));
    let kind = if is_full { Kind::NoRoom } else { Kind::Refused };
    GitFailure::new(kind, format!("it refuses the push to its branch `{}`: {reason}", url.branch()))
}

fn of_store(error: StoreError) -> GitFailure {
    GitFailure::new(Kind::Store(error.exit_status()), crate::messages::chain(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What waits after a retry of these, of which the host refuses pushes with a bad one; and how many pushes that took.
    fn retried(waiting: Vec<u32>, is_bad: impl Fn(u32) -> bool) -> (Vec<u32>, usize) {
        let (mut left, mut told, mut pushes) = (Vec::new(), 0, 0);
        let all = waiting.len();
        let push = |batch: &mut [u32]| {
            pushes += 1;
            let refusal = GitFailure::new(Kind::Refused, "no secrets here".to_owned());
            if batch.iter().any(|one| is_bad(*one)) { Err(refusal) } else { Ok(()) }
        };
        push_in_halves(waiting, push, |batch, outcome| {
            told += batch.len();
            left.extend(outcome.err().iter().flat_map(|_| batch));
        });
        assert_eq!(told, all, "each is told about once");
        left.sort_unstable();
        (left, pushes)
    }

    #[test]
    fn good_ones_among_bad_ones_arrive() {
        let (left, pushes) = retried((0..64).collect(), |one| one % 2 == 1);
        assert_eq!(left, (0..64).filter(|one| one % 2 == 1).collect::<Vec<_>>());
        assert_eq!(pushes, 127);
        let (left, _) = retried((0..200).collect(), |one| one % 2 == 1);
        assert_eq!(left.len(), 100);
    }

    #[test]
    fn good_ones_behind_many_bad_ones_arrive_in_time() {
        for bad in [0..150, 50..200] {
            let is_bad = |one| bad.contains(&one);
            let mut left: Vec<u32> = (0..200).collect();
            // Each time the chance is fair.
            for _ in 0..64 {
                left = retried(left, is_bad).0;
            }
            assert!(left.into_iter().all(is_bad));
        }
    }

    #[test]
    fn a_host_that_refuses_everything_is_soon_left_alone() {
        assert_eq!(retried((0..200).collect(), |_| true).1, REFUSALS_MAX);
    }
}
