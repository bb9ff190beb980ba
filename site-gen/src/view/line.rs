//! Build lines, by their machines.

use pony_formats::names;

use super::row::{UNNAMED, shown_tags};
use crate::analysis::{LineDigest, LineName};
use crate::text;

/// A build line.
#[derive(Debug, Clone)]
pub(crate) struct LineView {
    /// Its page.
    pub(crate) href: String,
    pub(crate) host: String,
    pub(crate) arch: String,
    pub(crate) tags: Vec<String>,
    /// The history of all its tests, as JSON.
    pub(crate) json: String,
}

impl LineView {
    pub(crate) fn new(line: &LineDigest, to_package: &str) -> Self {
        let name = &line.history.name;
        Self {
            href: format!("{to_package}{}", Self::page(name)),
            host: Self::host(name),
            arch: text::name(&name.arch),
            tags: Self::tags(name),
            json: format!("{to_package}history/{}.json", name.file()),
        }
    }

    /// The page of a build line, below its package's folder.
    pub(crate) fn page(name: &LineName) -> String {
        format!("line/{}/index.html", name.file())
    }

    /// The page of a machine, below the root of the site.
    pub(crate) fn machine_page(host: &str) -> String {
        format!("machine/{}/index.html", names::url_component(host))
    }

    /// What to call the machine.
    pub(crate) fn host(name: &LineName) -> String {
        if name.host.is_empty() { UNNAMED.to_owned() } else { text::name(&name.host) }
    }

    /// The tags that are for people.
    pub(crate) fn tags(name: &LineName) -> Vec<String> {
        shown_tags(name.tags.iter().map(String::as_str))
    }

    /// `atlas linux-x86_64 (py3.14)`.
    pub(crate) fn machine(name: &LineName) -> String {
        let mut machine = Self::host(name);
        if !name.arch.is_empty() {
            machine = format!("{machine} {}", text::name(&name.arch));
        }
        let tags = Self::tags(name);
        if tags.is_empty() { machine } else { format!("{machine} ({})", tags.join(", ")) }
    }
}
