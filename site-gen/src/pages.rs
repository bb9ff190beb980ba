//! One module per page: views in, HTML out.

mod about;
mod commit;
mod compare;
mod index;
mod line;
mod machine;
mod not_found;
mod package;
mod redirect;
mod result;
mod search;
mod show_all;
mod sitemap;
mod test;
mod test_list;

pub(crate) use about::about;
pub(crate) use commit::commit;
pub(crate) use compare::compare;
pub(crate) use index::index;
pub(crate) use line::{RECENT_MAX as LINE_RECENT_MAX, line};
pub(crate) use machine::machine;
pub(crate) use not_found::not_found;
pub(crate) use package::package;
pub(crate) use redirect::{line_latest, package_latest};
pub(crate) use result::{portion, result, unreadable};
pub(crate) use search::search;
pub(crate) use show_all::{Chunk, PAGE as CHUNK, show_all};
pub(crate) use sitemap::sitemap;
pub(crate) use test::test;
pub(crate) use test_list::test_list;

use crate::history::{Package, Unreadable};
use crate::text;

/// What every page has around its content.
#[derive(Debug, Clone, Default)]
pub(crate) struct Frame {
    pub(crate) title: String,
    /// Leads from the page to the root of the site: empty, or ends with a slash.
    pub(crate) root: String,
    /// The permanent address, where a page has several.
    pub(crate) canonical: Option<String>,
    pub(crate) feeds: Vec<FeedLink>,
    pub(crate) crumbs: Vec<Crumb>,
    /// The newest commit that the page shows something of. Not the newest of the repository: then
    /// every page would change with every result.
    pub(crate) commit: Option<String>,
    /// The same content as JSON.
    pub(crate) json: Option<String>,
    /// What a chat shows below the title.
    pub(crate) description: Option<String>,
    /// Whether the page has a form for the server that it comes from.
    pub(crate) has_form: bool,
    pub(crate) version: &'static str,
}

/// A feed with the same content.
#[derive(Debug, Clone)]
pub(crate) struct FeedLink {
    pub(crate) title: &'static str,
    pub(crate) href: String,
}

impl FeedLink {
    /// The same feed as Atom.
    fn atom(&self) -> String {
        format!("{}.atom", self.href.trim_end_matches(".xml"))
    }

    /// The same feed as JSON Feed.
    fn json(&self) -> String {
        format!("{}.json", self.href.trim_end_matches(".xml"))
    }
}

/// A step on the way from the root; the page itself has no link.
#[derive(Debug, Clone)]
pub(crate) struct Crumb {
    pub(crate) label: String,
    pub(crate) href: Option<String>,
}

impl Frame {
    /// A page `depth` folders below the root.
    fn new(title: String, depth: usize) -> Self {
        Self {
            title,
            root: "../".repeat(depth),
            json: Some("index.json".to_owned()),
            version: env!("CARGO_PKG_VERSION"),
            ..Self::default()
        }
    }

    /// Adds the way to a page: label and link, no link for the page itself.
    fn crumb(mut self, label: impl Into<String>, href: Option<&str>) -> Self {
        self.crumbs.push(Crumb { label: label.into(), href: href.map(str::to_owned) });
        self
    }
}

/// Unreadable results that a page lists.
const UNREADABLE_MAX: usize = 50;

/// The results of a package that cannot be read.
#[derive(Debug, Clone)]
struct UnreadableList {
    title: String,
    items: Vec<UnreadableItem>,
    more: usize,
}

#[derive(Debug, Clone)]
struct UnreadableItem {
    key: String,
    href: String,
    reason: String,
}

impl UnreadableList {
    /// Newest first.
    fn new(package: &Package, to_package: &str) -> Self {
        let all = &package.unreadable;
        let item = |result: &Unreadable| UnreadableItem {
            key: result.key.to_string(),
            href: format!("{to_package}{}/index.html", result.key),
            reason: text::name(&result.reason),
        };
        Self {
            title: text::counted(all.len(), "unreadable result"),
            items: all.iter().rev().take(UNREADABLE_MAX).map(item).collect(),
            more: all.len().saturating_sub(UNREADABLE_MAX),
        }
    }

    fn is_empty(&self) -> bool {
        self.items.is_empty()
    }
}

#[cfg(test)]
mod tests;
