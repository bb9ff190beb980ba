//! Collects the rows of all results: from the repository, and from the last build where there was
//! one.

use std::collections::{BTreeMap, BTreeSet};

use pony_formats::ResultKey;
use pony_store::{Change, Snapshot, StoreError};

use crate::folder::SiteFolder;
use crate::history::{Package, Row, Unreadable};
use crate::{SiteError, published};

/// Everything the pages are made from, except full results.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// Sorted by name.
    pub(crate) packages: Vec<Package>,
    /// The results whose pages have to be rendered.
    pub(crate) changed: BTreeSet<(String, ResultKey)>,
    /// Whether that is all of them.
    pub(crate) from_scratch: bool,
}

/// Loads what `snapshot` holds.
///
/// # Errors
/// When the repository cannot be read; a result that cannot be read is listed as such.
pub(crate) fn load(snapshot: &Snapshot, folder: &SiteFolder) -> Result<Loaded, SiteError> {
    if let Some(base) = folder.base()
        && let Some(changes) = snapshot.changes_since(Some(&base))?
        && let Some(loaded) = continued(snapshot, folder, &Changes::new(changes))?
    {
        return Ok(loaded);
    }
    let changes = snapshot.changes_since(None)?.unwrap_or_default();
    from_scratch(snapshot, &Changes::new(changes))
}

fn from_scratch(snapshot: &Snapshot, changes: &Changes) -> Result<Loaded, SiteError> {
    let mut packages = Vec::new();
    let mut changed = BTreeSet::new();
    for name in snapshot.packages()? {
        let mut package = Package { name, ..Package::default() };
        for key in snapshot.results(&package.name)? {
            add(&mut package, snapshot, key, changes)?;
            changed.insert((package.name.clone(), key));
        }
        packages.push(package);
    }
    Ok(Loaded { packages, changed, from_scratch: true })
}

/// `None` when the last build cannot be read back.
fn continued(
    snapshot: &Snapshot,
    folder: &SiteFolder,
    changes: &Changes,
) -> Result<Option<Loaded>, SiteError> {
    let mut packages = Vec::new();
    for name in snapshot.packages()? {
        let new = changes.of_package(&name);
        let at = Package { name: name.clone(), ..Package::default() }.folder();
        let earlier = published::read_back(&name, |path| folder.read(&format!("p/{at}/{path}")));
        let mut package = match earlier {
            Some(package) => package,
            // A package that is new since the last build.
            None if folder.read(&format!("p/{at}/index.html")).is_none() => {
                Package { name: name.clone(), ..Package::default() }
            }
            None => return Ok(None),
        };
        let known: BTreeSet<ResultKey> = package.keys().collect();
        for key in new.filter(|key| !known.contains(key)) {
            add(&mut package, snapshot, key, changes)?;
        }
        package.sort();
        packages.push(package);
    }
    let changed = changes.commits.keys().cloned().collect();
    Ok(Some(Loaded { packages, changed, from_scratch: false }))
}

/// Adds a result of the repository to its package.
fn add(
    package: &mut Package,
    snapshot: &Snapshot,
    key: ResultKey,
    changes: &Changes,
) -> Result<(), SiteError> {
    let commit = changes.commit(&package.name, key);
    match snapshot.summary(&package.name, key) {
        Ok(Some(summary)) => package.rows.push(Row::new(&summary, commit)),
        Ok(None) => {
            let reason = "listed, but not there".to_owned();
            package.unreadable.push(Unreadable { key, commit, reason });
        }
        Err(StoreError::Damaged { reason, .. }) => {
            package.unreadable.push(Unreadable { key, commit, reason });
        }
        Err(other) => return Err(other.into()),
    }
    Ok(())
}

/// The commit that added each changed result.
#[derive(Debug)]
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

    fn of_package(&self, package: &str) -> impl Iterator<Item = ResultKey> {
        let first = ResultKey::new(jiff::Timestamp::MIN, 0);
        let from = (package.to_owned(), first);
        self.commits
            .range(from..)
            .take_while(move |((name, _), _)| name == package)
            .map(|((_, key), _)| *key)
    }

    fn commit(&self, package: &str, key: ResultKey) -> String {
        self.commits.get(&(package.to_owned(), key)).cloned().unwrap_or_default()
    }
}
