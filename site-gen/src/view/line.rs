//! Build lines, by their machines.

use super::row::{UNNAMED, shown_tags};
use crate::analysis::{LineDigest, LineName};
use crate::text;

/// A build line.
#[derive(Debug, Clone)]
pub(crate) struct LineView {
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
            host: host(name),
            arch: text::name(&name.arch),
            tags: shown_tags(name.tags.iter().map(String::as_str)),
            json: format!("{to_package}history/{}.json", name.file()),
        }
    }

    /// `atlas linux-x86_64 (py3.14)`.
    pub(crate) fn machine(name: &LineName) -> String {
        let mut machine = host(name);
        if !name.arch.is_empty() {
            machine = format!("{machine} {}", text::name(&name.arch));
        }
        let tags = shown_tags(name.tags.iter().map(String::as_str));
        if tags.is_empty() { machine } else { format!("{machine} ({})", tags.join(", ")) }
    }
}

fn host(name: &LineName) -> String {
    if name.host.is_empty() { UNNAMED.to_owned() } else { text::name(&name.host) }
}
