//! [`Commits`]: which commit of the results repository added a result.

use std::sync::OnceLock;

use pony_formats::ResultKey;
use pony_store::Snapshot;

use crate::SiteError;
use crate::load;

/// The commits since the last build; and since the beginning, once somebody asks.
pub(in crate::build) struct Commits<'a> {
    snapshot: &'a Snapshot,
    since_base: load::Commits,
    all: OnceLock<load::Commits>,
}

impl<'a> Commits<'a> {
    pub(in crate::build) fn new(snapshot: &'a Snapshot, since_base: load::Commits) -> Self {
        Self { snapshot, since_base, all: OnceLock::new() }
    }

    /// The commit that added a result of a package, which is built from scratch unless it `continues`. Empty
    /// when the history does not say.
    pub(super) fn of(
        &self,
        package: &str,
        continues: bool,
        key: ResultKey,
    ) -> Result<String, SiteError> {
        if continues {
            return Ok(self.since_base.of(package, key));
        }
        if let Some(all) = self.all.get() {
            return Ok(all.of(package, key));
        }
        // Another thread may look at the same time; both find the same.
        let all = load::Commits::since(self.snapshot, None)?.unwrap_or_default();
        Ok(self.all.get_or_init(|| all).of(package, key))
    }
}
