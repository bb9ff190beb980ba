//! `p/<package>/show_all/index.html`: every result of a package, newest first, in pages.
//!
//! Older pages are counted from the beginning of time and always full, so that a new result
//! changes the newest page only; and the one before it when a page has become full.

use askama::Template;
use jiff::Timestamp;

use super::{Frame, UnreadableList};
use crate::history::{Package, Row};
use crate::text;
use crate::view::RowView;

/// Results on a page; the newest page has up to twice as many less one.
pub(crate) const PAGE: usize = 100;

/// The results of one page.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Chunk<'a> {
    /// From 1, oldest first; `None` for the newest page.
    pub(crate) number: Option<usize>,
    /// How many older pages the package has.
    pub(crate) older_pages: usize,
    /// Oldest first.
    pub(crate) rows: &'a [Row],
}

impl Chunk<'_> {
    /// The folder of the page below the package's folder.
    pub(crate) fn folder(&self) -> String {
        match self.number {
            None => "show_all".to_owned(),
            Some(number) => format!("show_all/{number}"),
        }
    }

    fn to_package(self) -> &'static str {
        if self.number.is_none() { "../" } else { "../../" }
    }

    fn newer(&self) -> Option<String> {
        self.number.map(|number| match number < self.older_pages {
            true => format!("../{}/index.html", number + 1),
            false => "../index.html".to_owned(),
        })
    }

    fn older(&self) -> Option<String> {
        match self.number {
            None if self.older_pages > 0 => Some(format!("{}/index.html", self.older_pages)),
            Some(number) if number > 1 => Some(format!("../{}/index.html", number - 1)),
            _ => None,
        }
    }
}

#[derive(Template)]
#[template(path = "show_all.html", whitespace = "minimize")]
struct ShowAll {
    frame: Frame,
    name: String,
    lead: String,
    rows: Vec<RowView>,
    newer: Option<String>,
    older: Option<String>,
    unreadable: UnreadableList,
}

/// One page.
pub(crate) fn show_all(
    package: &Package,
    chunk: &Chunk<'_>,
    now: Timestamp,
) -> Result<String, askama::Error> {
    let name = text::name(&package.name);
    let to_package = chunk.to_package();
    let depth = if chunk.number.is_none() { 3 } else { 4 };
    let mut frame = Frame::new(format!("All results · {name}"), depth)
        .crumb(name.clone(), Some(&format!("{to_package}index.html")));
    frame = match chunk.number {
        None => frame.crumb("All results", None),
        Some(number) => frame
            .crumb("All results", Some("../index.html"))
            .crumb(format!("Page {}", text::count(number)), None),
    };
    let rows = chunk.rows.iter().rev().map(|row| RowView::new(row, to_package, now)).collect();
    let nothing = Package::default();
    let (lead, listed) = match chunk.number {
        None => {
            frame.commit = package.commit().map(str::to_owned);
            (format!("{}, newest first", text::counted(package.results, "result")), package)
        }
        Some(number) => {
            frame.commit = chunk.rows.last().map(|row| row.commit.clone());
            let first = (number - 1) * PAGE + 1;
            let last = first + chunk.rows.len() - 1;
            let (first, last) = (text::count(first), text::count(last));
            (format!("Results {first} to {last} in the order of arrival"), &nothing)
        }
    };
    let unreadable = UnreadableList::new(listed, to_package);
    let (newer, older) = (chunk.newer(), chunk.older());
    ShowAll { frame, name, lead, rows, newer, older, unreadable }.render()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_link_to_their_neighbours() {
        let page = |number| Chunk { number, older_pages: 2, rows: &[] };
        let links = [Some(1), Some(2), None].map(|number| {
            let page = page(number);
            (page.newer(), page.older())
        });
        let link = |text: &str| Some(text.to_owned());
        assert_eq!(
            links,
            [
                (link("../2/index.html"), None),
                (link("../index.html"), link("../1/index.html")),
                (None, link("2/index.html")),
            ]
        );
    }
}
