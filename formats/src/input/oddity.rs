//! [`Oddities`]: what a reader tolerated, for people who want to know before they rely on it.

use std::collections::HashSet;

use super::quote::quote;
use super::terminal::Screen;
use super::{Format, Position, Report};

/// Something in an input that does not keep it from being read, but may not be meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Oddity {
    /// Where it is.
    pub position: Position,
    /// What is odd, and what was made of it. One line.
    pub message: String,
}

/// The first oddities of one input, at most [`Limits::oddities_max`](crate::Limits::oddities_max),
/// and how many there were. Two are equal when both agree.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Oddities {
    first: Vec<Oddity>,
    total: u64,
}

impl Oddities {
    /// The first of them, as they were found.
    pub fn first(&self) -> &[Oddity] {
        &self.first
    }

    /// How many there were.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Counts some that are not described.
    pub(super) fn count(&mut self, number: u64) {
        self.total = self.total.saturating_add(number);
    }

    /// Adds one, if any are looked for. Nothing is computed for those that are only counted.
    pub(super) fn add(&mut self, max: usize, oddity: impl FnOnce() -> Oddity) {
        self.count(u64::from(max > 0));
        if self.first.len() < max {
            self.first.push(oddity());
        }
    }
}

/// The oddities of a text, which are found by their offset in it.
#[derive(Debug)]
pub(super) struct Notes<'t> {
    screen: &'t Screen<'t>,
    max: usize,
    oddities: Oddities,
}

impl<'t> Notes<'t> {
    /// No notes yet.
    pub(super) fn new(screen: &'t Screen<'t>, max: usize) -> Self {
        Self { screen, max, oddities: Oddities::default() }
    }

    /// Whether anybody reads them.
    pub(super) fn are_wanted(&self) -> bool {
        self.max > 0
    }

    /// Notes something about the line at a byte offset.
    pub(super) fn add(&mut self, offset: usize, message: impl FnOnce() -> String) {
        let position = || self.screen.position(offset);
        self.oddities.add(self.max, || Oddity { position: position(), message: message() });
    }

    /// Notes what looks like runs inside another, and where they begin.
    pub(super) fn add_inner(&mut self, starts: impl ExactSizeIterator<Item = usize>, what: &str) {
        let number = starts.len();
        for first in starts.take(1) {
            self.add(first, || {
                format!("output of a test that looks like {what}, {number} of them, not counted")
            });
        }
    }

    /// All of them.
    pub(super) fn into_oddities(self) -> Oddities {
        self.oddities
    }
}

/// Notes bytes that are no text, and ids that come again. JUnit does both by itself, with their places.
pub(super) fn note_what_any_format_can_have(report: &mut Report, input: &[u8], max: usize) {
    if max == 0 || report.format == Format::Junit {
        return;
    }
    if report.sanitised {
        let at = str::from_utf8(input).map_or_else(|error| error.valid_up_to(), |_| 0);
        let message = "bytes or characters that had to be replaced to make text of them";
        report
            .oddities
            .add(max, || Oddity { position: Position::of(input, at), message: message.to_owned() });
    }
    let mut ids = HashSet::new();
    let mut again = report.tests.iter().filter(|test| !ids.insert(test.id.as_str()));
    if let Some(first) = again.next() {
        let number = again.count() + 1;
        let (position, id) = (Position::of(input, 0), &first.id);
        let message =
            format!("tests have the id of another one, {number} of them, such as `{}`", quote(id));
        report.oddities.add(max, || Oddity { position, message });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_are_kept_and_all_are_counted() {
        let screen = Screen::of(b"a\nb\n");
        let mut notes = Notes::new(&screen, 2);
        notes.add(2, || "one".to_owned());
        notes.add(0, || "two".to_owned());
        notes.add(0, || panic!("nobody reads this"));
        let oddities = notes.into_oddities();
        let shown = oddities.first().iter().map(|odd| (odd.position.line, odd.message.as_str()));
        assert_eq!(shown.collect::<Vec<_>>(), [(2, "one"), (1, "two")]);
        assert_eq!(oddities.total(), 3);
    }
}
