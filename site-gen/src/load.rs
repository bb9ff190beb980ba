//! What there is to do: which packages are new, which have something new, which stay as they are.

use std::collections::BTreeMap;

use pony_formats::ResultKey;
use pony_store::{CommitId, Snapshot, StoreError};

use crate::SiteError;
use crate::folder::SiteFolder;
use crate::history::Package;

/// Why a result that is listed cannot be read, when nothing else is known.
pub(crate) const MISSING: &str = "listed, but not there";

/// What is to be done.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Sorted by name.
    pub(crate) packages: Vec<Work>,
    /// Whether nothing is left of an earlier build.
    pub(crate) from_scratch: bool,
    /// The commits since that build.
    pub(crate) commits: Commits,
}

/// What is to be done for one package.
#[derive(Debug)]
pub(crate) struct Work {
    /// The true name.
    pub(crate) name: String,
    /// What is known already; `None` when it is built from scratch.
    pub(crate) known: Option<Package>,
    /// Results that are not known yet, oldest first: all of them when it is built from scratch.
    pub(crate) added: Vec<ResultKey>,
    /// Known results with other uploaded files or other notes, oldest first.
    pub(crate) attached: Vec<ResultKey>,
    /// Whether other tests are known to fail than when the site was built last.
    pub(crate) reannotated: bool,
}

impl Work {
    /// Whether anything but the time is another than when the site was built last.
    pub(crate) fn has_news(&self) -> bool {
        self.known.is_none()
            || !self.added.is_empty()
            || !self.attached.is_empty()
            || self.reannotated
    }

    /// A package from scratch.
    pub(crate) fn anew(snapshot: &Snapshot, name: String) -> Result<Self, SiteError> {
        let added = snapshot.results(&name)?;
        Ok(Self { name, known: None, added, attached: vec![], reannotated: false })
    }
}

/// The commit that added each result.
#[derive(Debug, Default)]
pub(crate) struct Commits {
    by_package: BTreeMap<String, BTreeMap<ResultKey, CommitId>>,
}

impl Commits {
    /// All since `base`, or since the beginning. `None` when there is no way from `base` to here, or a damaged
    /// history hides it: only the ids of commits are missing then.
    pub(crate) fn since(
        snapshot: &Snapshot,
        base: Option<&CommitId>,
    ) -> Result<Option<Self>, SiteError> {
        let changes = match snapshot.changes_since(base) {
            Ok(changes) => changes,
            Err(StoreError::Damaged { .. }) => None,
            Err(other) => return Err(other.into()),
        };
        let Some(oldest_first) = changes else { return Ok(None) };
        let mut commits = Self::default();
        for change in oldest_first {
            // Of several commits the first one added the result, the others attached files to it.
            if let Some(known) = commits.by_package.get_mut(&change.package) {
                known.entry(change.key).or_insert(change.commit_id);
            } else {
                let first = BTreeMap::from([(change.key, change.commit_id)]);
                commits.by_package.insert(change.package, first);
            }
        }
        Ok(Some(commits))
    }

    /// Empty when the history does not say.
    pub(crate) fn of(&self, package: &str, key: ResultKey) -> String {
        let commit = self.by_package.get(package).and_then(|known| known.get(&key));
        commit.map(ToString::to_string).unwrap_or_default()
    }
}

/// Compares what `snapshot` holds with what is on the site.
///
/// # Errors
/// When the repository cannot be read.
pub(crate) fn plan(snapshot: &Snapshot, folder: &SiteFolder) -> Result<Plan, SiteError> {
    if let Some(base) = folder.base()
        && let Some(mut growth) = snapshot.growth_since(&base)?
        && let Some(commits) = Commits::since(snapshot, Some(&base))?
    {
        let mut packages = Vec::new();
        for name in snapshot.packages()? {
            let added = growth.added.remove(&name).unwrap_or_default();
            let attached = growth.attached.remove(&name).unwrap_or_default();
            let known = folder.read(&state_file(&pony_formats::names::url_component(&name)));
            let known = known.and_then(|text| Package::from_text(&name, &text));
            packages.push(match known {
                Some(known) => {
                    Work { name, known: Some(known), added, attached, reannotated: false }
                }
                None => Work::anew(snapshot, name)?,
            });
        }
        return Ok(Plan { packages, from_scratch: false, commits });
    }
    Ok(Plan { packages: anew(snapshot)?, from_scratch: true, commits: Commits::default() })
}

/// Everything from scratch.
///
/// # Errors
/// When the repository cannot be read.
pub(crate) fn anew(snapshot: &Snapshot) -> Result<Vec<Work>, SiteError> {
    snapshot.packages()?.into_iter().map(|name| Work::anew(snapshot, name)).collect()
}

/// The file with what is remembered of a package.
pub(crate) fn state_file(folder: &str) -> String {
    format!("p/{folder}/state.json")
}
