//! [`SiteError`].

use std::path::PathBuf;

use pony_store::Action;

/// Why a site could not be built. Messages are one line and name their subject.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SiteError {
    /// The repository could not be read.
    #[error(transparent)]
    Store(#[from] pony_store::StoreError),
    /// The base URL is none.
    #[error("`{url}` is no address of a site: expected http:// or https://, a host and a path")]
    BaseUrl {
        /// What was given, with control characters escaped.
        url: String,
    },
    /// The folder holds something that is not ours to overwrite.
    #[error("`{path}` is not empty and holds no site: choose an empty or a new folder")]
    Foreign {
        /// The folder.
        path: PathBuf,
    },
    /// The folder is, or is inside, the results repository.
    #[error("`{path}` is part of the results repository: choose a folder outside of it")]
    InsideRepository {
        /// The folder.
        path: PathBuf,
    },
    /// Something else writes to the site.
    #[error("the site changed while it was built: let only one build at a time write to a folder")]
    Changed,
    /// The operating system refused to read or write.
    #[error("cannot {action} `{path}`")]
    Io {
        /// What was tried.
        action: Action,
        /// With which file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A page could not be rendered, which is a fault of this program.
    #[error("cannot render a page")]
    Render(#[from] askama::Error),
}
