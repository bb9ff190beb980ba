//! Results that were moved into another repository.

use pony_store::Cut;

use crate::text;

/// Where results are that this site had.
#[derive(Debug, Clone)]
pub(crate) struct ArchiveView {
    pub(crate) name: String,
    /// Where it is, as text.
    pub(crate) place: String,
    /// The same, where that is an address.
    pub(crate) href: Option<String>,
    /// `1 234 results received before 2026-01-01`.
    pub(crate) what: String,
}

impl ArchiveView {
    pub(crate) fn all(cuts: &[Cut]) -> Vec<Self> {
        cuts.iter().map(Self::new).collect()
    }

    fn new(cut: &Cut) -> Self {
        // Whoever writes to the repository chooses it, so only what leads to a page is a link.
        let is_address = ["http://", "https://"].iter().any(|scheme| cut.url.starts_with(scheme));
        let results = text::counted(usize::try_from(cut.results).unwrap_or(usize::MAX), "result");
        Self {
            name: text::name(&cut.name),
            place: text::name(&cut.url),
            href: is_address.then(|| cut.url.clone()),
            what: format!("{results} received before {}", cut.before),
        }
    }
}
