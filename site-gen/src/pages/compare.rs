//! `p/<package>/compare/index.html`: any two results side by side.
//!
//! The comparison itself is made by `site.js` from the `result.json` of both. Without scripts the page leads to
//! the comparisons that are there already: on the page of every result, and of every commit.

use askama::Template;

use super::Frame;
use crate::history::{Package, Row};
use crate::text::{self, When};
use crate::view::LineView;

/// Results that can be chosen from: the newest of those that are remembered. Others can be named in the address.
const CHOICES_MAX: usize = 200;

#[derive(Template)]
#[template(path = "compare.html", whitespace = "minimize")]
struct Compare {
    frame: Frame,
    name: String,
    choices: Vec<Choice>,
}

struct Choice {
    key: String,
    label: String,
}

/// The page.
pub(crate) fn compare(package: &Package) -> Result<String, askama::Error> {
    let name = text::name(&package.name);
    let mut frame = Frame::new(format!("Compare · {name}"), 3)
        .crumb(name.clone(), Some("../index.html"))
        .crumb("Compare", None);
    frame.commit = package.commit().map(str::to_owned);
    frame.json = None;
    let choices = package.rows.iter().rev().take(CHOICES_MAX).map(Choice::new).collect();
    Compare { frame, name, choices }.render()
}

impl Choice {
    fn new(row: &Row) -> Self {
        let commit = match row.tested.commit.as_str() {
            "" => String::new(),
            commit => format!(", {}", crate::view::CommitView::short(commit)),
        };
        let verdict = if row.success { "✓" } else { "✗" };
        Self {
            key: row.key.to_string(),
            label: format!(
                "{verdict} {} UTC, {}{commit}",
                When::of(row.received).text,
                LineView::machine(&row.line())
            ),
        }
    }
}
