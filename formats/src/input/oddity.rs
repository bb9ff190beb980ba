//! [`Oddities`]: what a reader tolerated, for people who want to know before they rely on it.

use super::Position;

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

    /// Adds one. Nothing is computed for those that are only counted.
    pub(super) fn add(&mut self, max: usize, oddity: impl FnOnce() -> Oddity) {
        self.total = self.total.saturating_add(1);
        if self.first.len() < max {
            self.first.push(oddity());
        }
    }
}

/// The oddities of a text, which are found by their offset in it.
#[derive(Debug)]
pub(super) struct Notes<'t> {
    text: &'t str,
    max: usize,
    oddities: Oddities,
}

impl<'t> Notes<'t> {
    /// No notes yet.
    pub(super) fn new(text: &'t str, max: usize) -> Self {
        Self { text, max, oddities: Oddities::default() }
    }

    /// Notes something about the line at a byte offset.
    pub(super) fn add(&mut self, offset: usize, message: impl FnOnce() -> String) {
        let text = self.text.as_bytes();
        let position = || Position::of(text, offset);
        self.oddities.add(self.max, || Oddity { position: position(), message: message() });
    }

    /// All of them.
    pub(super) fn into_oddities(self) -> Oddities {
        self.oddities
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_are_kept_and_all_are_counted() {
        let mut notes = Notes::new("a\nb\n", 2);
        notes.add(2, || "one".to_owned());
        notes.add(0, || "two".to_owned());
        notes.add(0, || panic!("nobody reads this"));
        let oddities = notes.into_oddities();
        let shown = oddities.first().iter().map(|odd| (odd.position.line, odd.message.as_str()));
        assert_eq!(shown.collect::<Vec<_>>(), [(2, "one"), (1, "two")]);
        assert_eq!(oddities.total(), 3);
    }
}
