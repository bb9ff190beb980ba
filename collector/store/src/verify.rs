//! [`verify`]: whether everything in a repository is as it was written.
//!
//! Every check is a module of its own that adds to the [`Findings`]. What a check cannot look at, it says in a note:
//! a check that was not made must not look like one that found nothing.

mod files;
mod fsck;
mod history;
mod index;
mod objects;
mod results;

use std::fmt;

use crate::{CommitId, Store, StoreError};

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    /// One line for each thing that is damaged, with the name of the object, commit, result or file.
    pub damage: Vec<String>,
    /// One line for each thing that is worth knowing and no damage, such as a check that could not be made.
    pub notes: Vec<String>,
    /// How much was looked at.
    pub checked: Checked,
}

/// How much was looked at. Displays as a list in words.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Checked {
    /// Commits of the history.
    pub commits: u64,
    /// Objects that were read and whose names were calculated anew: commits, folders and files.
    pub objects: u64,
    /// Results that were read.
    pub results: u64,
    /// Uploaded files.
    pub files: u64,
    /// Whether the index was compared with a new one.
    pub index: bool,
    /// Whether `git fsck` was run.
    pub fsck: bool,
}

impl Findings {
    /// Takes note of damage.
    fn damaged(&mut self, subject: impl fmt::Display, reason: impl fmt::Display) {
        self.damage.push(one_line(&format!("{subject}: {reason}")));
    }

    fn note(&mut self, sentence: impl fmt::Display) {
        self.notes.push(one_line(&sentence.to_string()));
    }

    /// An error that is damage is a finding; any other ends the verification.
    fn found(&mut self, error: StoreError) -> Result<(), StoreError> {
        match error {
            StoreError::Damaged { subject, reason } => {
                self.damaged(subject, reason);
                Ok(())
            }
            other => Err(other),
        }
    }
}

impl fmt::Display for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { commits, objects, results, files, index, fsck } = self;
        write!(
            f,
            "{commits} commits, {objects} objects, {results} results, {files} uploaded files, format"
        )?;
        f.write_str(if *index { ", index" } else { "" })?;
        f.write_str(if *fsck { ", git fsck" } else { "" })
    }
}

/// Checks everything, and goes on after what is damaged. Writes nothing.
///
/// - Every object that the history needs is there and is what its name says.
/// - The history is one of results that were added: it goes from first parent to first parent to a first commit,
///   and no result was changed or removed. With `since`, that commit is in it.
/// - Every result can be read, is where it belongs, and no key is taken twice.
/// - The content of uploaded files is there, of the size and hash that was recorded; where there is a folder of it.
/// - The index, if there is one, is what a new one would be.
/// - `git fsck --strict` finds nothing, where git is installed.
///
/// # Errors
/// When something cannot be looked at, such as for want of permission. Damage is no error.
pub fn verify(store: &Store, since: Option<&CommitId>) -> Result<Findings, StoreError> {
    let mut findings = Findings::default();
    let snapshot = store.snapshot()?;
    store.note_format(&mut findings.notes);
    objects::check(&snapshot, &mut findings)?;
    history::check(&snapshot, since, &mut findings)?;
    results::check(&snapshot, &mut findings)?;
    files::check(store, &snapshot, &mut findings)?;
    index::check(store, &snapshot, &mut findings)?;
    fsck::check(store.git_dir(), &mut findings);
    Ok(findings)
}

/// Text that may come from outside, as one line without control characters.
fn one_line(text: &str) -> String {
    text.chars()
        .flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] })
        .collect()
}
