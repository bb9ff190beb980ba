//! Collects the rows of all results: from the repository, and from the last build where there was
//! one.

use std::collections::{BTreeMap, BTreeSet};

use pony_formats::ResultKey;
use pony_store::{Change, CommitId, Snapshot, StoreError};

use crate::folder::SiteFolder;
use crate::history::{Package, Row, Unreadable};
use crate::{SiteError, published};

/// Why a result that is listed cannot be read, when nothing else is known.
pub(crate) const MISSING: &str = "listed, but not there";

/// Everything the pages are made from, except full results.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// Sorted by name.
    pub(crate) packages: Vec<Package>,
    /// The results whose pages have to be rendered.
    pub(crate) changed: BTreeSet<(String, ResultKey)>,
    /// Those of them that were not there when the site was built last.
    pub(crate) added: BTreeSet<(String, ResultKey)>,
    /// Whether that is all of them.
    pub(crate) from_scratch: bool,
}

impl Loaded {
    /// The changed results of a package.
    pub(crate) fn changed_of(&self, package: &str) -> BTreeSet<ResultKey> {
        of_package(&self.changed, package).collect()
    }

    /// Whether a result was not there when the site was built last.
    pub(crate) fn is_added(&self, package: &str, key: ResultKey) -> bool {
        self.from_scratch || of_package(&self.added, package).any(|added| added == key)
    }
}

fn of_package<'a>(
    results: &'a BTreeSet<(String, ResultKey)>,
    package: &'a str,
) -> impl Iterator<Item = ResultKey> + 'a {
    results.iter().filter(move |(name, _)| name == package).map(|(_, key)| *key)
}

/// Loads what `snapshot` holds.
///
/// # Errors
/// When the repository cannot be read; a result that cannot be read is listed as such.
pub(crate) fn load(snapshot: &Snapshot, folder: &SiteFolder) -> Result<Loaded, SiteError> {
    if let Some(base) = folder.base()
        && let Some(changes) = changes_since(snapshot, Some(&base))?
        && let Some(loaded) = continued(snapshot, folder, &changes)?
    {
        return Ok(loaded);
    }
    load_anew(snapshot)
}

/// Loads what `snapshot` holds, whatever is on the site.
///
/// # Errors
/// As [`load`].
pub(crate) fn load_anew(snapshot: &Snapshot) -> Result<Loaded, SiteError> {
    let changes = changes_since(snapshot, None)?;
    from_scratch(snapshot, &changes.unwrap_or_default())
}

/// `None` when there is no way from `base` to here, or a damaged history hides it: only the ids of
/// commits are missing then.
fn changes_since(
    snapshot: &Snapshot,
    base: Option<&CommitId>,
) -> Result<Option<Changes>, SiteError> {
    match snapshot.changes_since(base) {
        Ok(changes) => Ok(changes.map(Changes::new)),
        Err(StoreError::Damaged { .. }) => Ok(None),
        Err(other) => Err(other.into()),
    }
}

fn from_scratch(snapshot: &Snapshot, changes: &Changes) -> Result<Loaded, SiteError> {
    let mut packages = Vec::new();
    let mut changed = BTreeSet::new();
    for name in snapshot.packages()? {
        let mut package = Package { name, ..Package::default() };
        for key in snapshot.results(&package.name)? {
            let commit = changes.commit(&package.name, key);
            add(&mut package, snapshot, key, commit)?;
            changed.insert((package.name.clone(), key));
        }
        packages.push(package);
    }
    Ok(Loaded { packages, added: changed.clone(), changed, from_scratch: true })
}

/// `None` when the last build cannot be read back, or what is new is not just newer: something has gone since
/// then, is not what it was, or comes before what its build line had already.
fn continued(
    snapshot: &Snapshot,
    folder: &SiteFolder,
    changes: &Changes,
) -> Result<Option<Loaded>, SiteError> {
    let names = snapshot.packages()?;
    let Some(earlier) = folder.read("index.json").and_then(|text| published::package_names(&text))
    else {
        return Ok(None);
    };
    if !earlier.iter().all(|name| names.contains(name)) {
        return Ok(None);
    }
    let mut packages = Vec::new();
    let mut added = BTreeSet::new();
    for name in names {
        let mut package = Package { name, ..Package::default() };
        if earlier.contains(&package.name) {
            let at = format!("p/{}", package.folder());
            let read = |path: &str| folder.read(&format!("{at}/{path}"));
            match published::read_back(&package.name, read) {
                Some(known) => package = known,
                None => return Ok(None),
            }
        }
        let changed = changes.of_package(&package.name);
        let trunk = (!package.rows.is_empty()).then(|| package.trunk());
        let mut new = Vec::new();
        for key in changed {
            let earlier = package.take(key);
            let commit = match &earlier {
                Some(earlier) => earlier.commit().to_owned(),
                None => changes.commit(&package.name, key),
            };
            add(&mut package, snapshot, key, commit)?;
            match earlier {
                Some(earlier) if !earlier.is_in(&package) => return Ok(None),
                Some(_) => {}
                None => new.push(key),
            }
        }
        package.sort();
        // What counts as the main line is decided for all results at once.
        if trunk.is_some_and(|trunk| trunk != package.trunk()) || !package.ends_with(&new) {
            return Ok(None);
        }
        added.extend(new.into_iter().map(|key| (package.name.clone(), key)));
        let mut keys: Vec<ResultKey> = package.keys().collect();
        keys.sort_unstable();
        if keys != snapshot.results(&package.name)? {
            return Ok(None);
        }
        packages.push(package);
    }
    let changed = changes.commits.keys().cloned().collect();
    Ok(Some(Loaded { packages, changed, added, from_scratch: false }))
}

/// Adds a result of the repository to its package.
fn add(
    package: &mut Package,
    snapshot: &Snapshot,
    key: ResultKey,
    commit: String,
) -> Result<(), SiteError> {
    let reason = match snapshot.summary(&package.name, key) {
        Ok(Some(summary)) => {
            package.rows.push(Row::new(&summary, commit));
            return Ok(());
        }
        Ok(None) => MISSING.to_owned(),
        Err(StoreError::Damaged { reason, .. }) => reason,
        Err(other) => return Err(other.into()),
    };
    package.unreadable.push(Unreadable { key, commit, reason });
    Ok(())
}

/// The commit that added each changed result.
#[derive(Debug, Default)]
struct Changes {
    commits: BTreeMap<(String, ResultKey), String>,
}

impl Changes {
    /// Of several commits the first one added the result, the others attached files to it.
    fn new(oldest_first: Vec<Change>) -> Self {
        let mut commits = BTreeMap::new();
        for change in oldest_first {
            let commit = change.commit_id.to_string();
            commits.entry((change.package, change.key)).or_insert(commit);
        }
        Self { commits }
    }

    fn of_package(&self, package: &str) -> Vec<ResultKey> {
        let keys = self.commits.keys().filter(|(name, _)| name == package);
        keys.map(|(_, key)| *key).collect()
    }

    /// Empty when the history does not say.
    fn commit(&self, package: &str, key: ResultKey) -> String {
        self.commits.get(&(package.to_owned(), key)).cloned().unwrap_or_default()
    }
}
