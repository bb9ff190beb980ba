//! Renders a results repository as a static site: HTML, RSS and JSON.

use std::path::Path;

use pony_store::Store;

/// How to render.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The absolute address the site will be served from, for feeds. Links inside the site are always
    /// relative.
    pub base_url: Option<String>,
    /// Whether uploaded files are served below each result's page, so that links to them work.
    pub link_artifacts: bool,
    /// Now, in UTC: what is stale is decided by it.
    pub now: jiff::Timestamp,
}

/// What a build did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// Files written or replaced.
    pub files_written: usize,
}

/// Brings the site in `out` up to date with the newest commit of `store`.
///
/// # Errors
/// When the repository cannot be read or the site cannot be written.
pub fn build(_store: &Store, _out: &Path, _options: &Options) -> Result<Built, SiteError> {
    Ok(Built { files_written: 0 })
}

/// Why a site could not be built.
#[derive(Debug, thiserror::Error)]
pub enum SiteError {
    /// The repository could not be read.
    #[error(transparent)]
    Store(#[from] pony_store::StoreError),
}
