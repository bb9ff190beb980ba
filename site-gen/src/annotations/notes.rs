//! Notes on results and machines, by what they are on.

use std::collections::{BTreeMap, BTreeSet};

use pony_formats::ResultKey;
use serde::{Deserialize, Serialize};

use crate::history::as_text;

/// A remark on a result or a machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Note {
    #[serde(flatten)]
    pub(crate) on: Noted,
    pub(crate) text: String,
    pub(crate) link: Option<String>,
    /// As of an [`Excuse`](super::Excuse).
    pub(crate) place: String,
}

/// What a note is on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Noted {
    /// A result, by its key.
    Result(#[serde(with = "as_text")] ResultKey),
    /// A machine, by its host.
    Machine(String),
}

/// All notes. Those on one thing are in the order of the files.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "Vec<Note>", into = "Vec<Note>")]
pub(crate) struct Notes(BTreeMap<Noted, Vec<Note>>);

impl Notes {
    pub(super) fn add(&mut self, note: Note) {
        self.0.entry(note.on.clone()).or_default().push(note);
    }

    /// The notes on a result or a machine.
    pub(crate) fn on(&self, it: &Noted) -> &[Note] {
        self.0.get(it).map_or(&[], Vec::as_slice)
    }

    /// The results and machines that have other notes than `earlier`.
    pub(crate) fn others_than<'a>(&'a self, earlier: &'a Self) -> impl Iterator<Item = &'a Noted> {
        let both: BTreeSet<&Noted> = self.0.keys().chain(earlier.0.keys()).collect();
        both.into_iter().filter(|it| self.on(it) != earlier.on(it))
    }
}

impl From<Vec<Note>> for Notes {
    fn from(notes: Vec<Note>) -> Self {
        let mut all = Self::default();
        notes.into_iter().for_each(|note| all.add(note));
        all
    }
}

impl From<Notes> for Vec<Note> {
    fn from(notes: Notes) -> Self {
        notes.0.into_values().flatten().collect()
    }
}
