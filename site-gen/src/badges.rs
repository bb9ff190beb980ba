//! Badges: the state of something in two words, as a picture and as shields.io reads it.

use askama::Template;
use pony_formats::Tally;
use serde_json::json;

use crate::history::Row;
use crate::text;
use crate::view::{Status, TestsView};

/// Pixels that a character takes, on average, in the font of badges.
const CHARACTER: usize = 7;

/// Pixels beside a text.
const PADDING: usize = 12;

/// Characters of a label.
const LABEL_MAX: usize = 40;

#[derive(Template)]
#[template(path = "badge.svg", escape = "xml", whitespace = "minimize")]
struct Picture<'a> {
    badge: &'a Badge,
    colour: &'static str,
    left: usize,
    right: usize,
}

/// A badge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Badge {
    label: String,
    message: String,
    status: Status,
}

impl Badge {
    /// Of the newest results of some build lines.
    pub(crate) fn new<'a>(label: &str, latest: impl Iterator<Item = &'a Row>) -> Self {
        let (mut tests, mut lines, mut failing) = (Tally::default(), 0, 0);
        for row in latest {
            tests += row.tests;
            lines += 1;
            failing += usize::from(!row.success);
        }
        let (status, message) = match (lines, failing) {
            (0, _) => (Status::Unknown, "no results".to_owned()),
            (_, 0) if tests.total == 0 => (Status::Passed, "passed".to_owned()),
            (_, 0) => (Status::Passed, TestsView::new(tests).brief),
            _ if tests.bad() == 0 => (Status::Failed, "failed".to_owned()),
            _ => (Status::Failed, TestsView::new(tests).brief),
        };
        let label = text::xml(&text::name(&label.chars().take(LABEL_MAX).collect::<String>()));
        Self { label, message, status }
    }

    /// As SVG.
    pub(crate) fn svg(&self) -> Result<String, askama::Error> {
        let width = |text: &str| text.chars().count() * CHARACTER + PADDING;
        // Dark enough for white text at a contrast of 4.5.
        let colour = match self.status {
            Status::Passed => "#1e7a46",
            Status::Failed => "#b3261e",
            _ => "#5f6663",
        };
        let (left, right) = (width(&self.label), width(&self.shown()));
        Picture { badge: self, colour, left, right }.render()
    }

    /// What shields.io's endpoint badge reads: <https://shields.io/badges/endpoint-badge>.
    pub(crate) fn json(&self) -> String {
        let color = match self.status {
            Status::Passed => "brightgreen",
            Status::Failed => "red",
            _ => "lightgrey",
        };
        let badge = json!({
            "schemaVersion": 1,
            "label": self.label,
            "message": self.message,
            "color": color,
            "isError": self.status == Status::Failed,
        });
        pony_formats::json::pretty(&badge)
    }

    /// The message with its shape, which stands beside the colour.
    fn shown(&self) -> String {
        format!("{} {}", self.status.glyph(), self.message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::tests::row;

    #[test]
    fn a_badge_has_counts_a_shape_and_a_colour() {
        let rows = [row(1, "a", true), row(2, "b", false)];
        let badge = Badge::new("cart & <ox>", rows.iter());
        insta::assert_snapshot!(format!("{}\n{}", badge.svg().unwrap(), badge.json()));
    }

    #[test]
    fn a_badge_says_what_there_is() {
        let message = |rows: &[Row]| Badge::new("x", rows.iter()).message;
        assert_eq!(message(&[]), "no results");
        let silent = |success| Row { tests: Tally::default(), ..row(1, "a", success) };
        assert_eq!(message(&[silent(true)]), "passed");
        assert_eq!(message(&[silent(false)]), "failed");
    }
}
