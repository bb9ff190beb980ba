//! What people say of results afterwards: known failures, tests in quarantine, notes on results and machines.
//!
//! They come as files into `annotations/` of the results repository, by pull request or push; see `file` for their
//! form. Results stay as they are, and so do the pages that only show what was submitted: what an annotation changes
//! is what counts as news.
//!
//! Nothing here looks at a clock. Whether an annotation has expired is decided by the newest result of its package,
//! so that a site of the same commit is always the same.

mod file;

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use pony_formats::ResultKey;
use pony_store::AnnotationFile;
use serde::{Deserialize, Serialize};
use wildmatch::WildMatch;

use crate::analysis::{Kind, LineName};
use crate::history::{Package, as_text};

/// All annotations of a repository.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Annotations {
    /// By package.
    excuses: BTreeMap<String, Vec<Excuse>>,
    pub(crate) notes: Vec<Note>,
    pub(crate) problems: Vec<Problem>,
}

/// Why a test may fail without being news.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Excuse {
    pub(crate) kind: ExcuseKind,
    /// The id; `*` stands for anything, `?` for one character.
    pub(crate) test: String,
    /// The machine that it is for; null for all.
    pub(crate) host: Option<String>,
    pub(crate) reason: String,
    pub(crate) link: Option<String>,
    /// The last day on which it holds, UTC.
    #[serde(with = "as_text")]
    pub(crate) expires: Date,
    /// The file and line that say so: `annotations/known.toml:3`.
    pub(crate) place: String,
}

/// What an excuse is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ExcuseKind {
    /// That the test fails.
    Known,
    /// Whatever the test does.
    Quarantine,
}

/// A remark on a result or a machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Note {
    #[serde(flatten)]
    pub(crate) on: Noted,
    pub(crate) text: String,
    pub(crate) link: Option<String>,
    /// As of an [`Excuse`].
    pub(crate) place: String,
}

/// What a note is on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Noted {
    /// A result, by its key.
    Result(#[serde(with = "as_text")] ResultKey),
    /// A machine, by its host.
    Machine(String),
}

/// Something that is no annotation.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Problem {
    /// `annotations/known.toml:3`.
    pub(crate) place: String,
    pub(crate) message: String,
}

/// The excuses of a package, seen from its newest result.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Excuses {
    valid: Vec<(WildMatch, Excuse)>,
    /// Those that hold no longer.
    pub(crate) expired: Vec<Excuse>,
}

impl Annotations {
    /// Reads the files. What is wrong in one becomes a problem, and everything else counts.
    pub(crate) fn read(files: Vec<AnnotationFile>) -> Self {
        let mut all = Self::default();
        for AnnotationFile { path, content } in files {
            match content {
                Ok(content) => file::read_into(&mut all, &path, &content),
                Err(message) => all.problems.push(Problem { place: path, message }),
            }
        }
        all
    }

    /// Those of a package.
    pub(crate) fn of(&self, package: &Package) -> Excuses {
        let newest = package.latest().map_or(Timestamp::MIN, |row| row.received);
        let today = jiff::tz::Offset::UTC.to_datetime(newest).date();
        let mut excuses = Excuses::default();
        for excuse in self.excuses.get(&package.name).into_iter().flatten() {
            match excuse.expires < today {
                true => excuses.expired.push(excuse.clone()),
                false => excuses.valid.push((WildMatch::new(&excuse.test), excuse.clone())),
            }
        }
        excuses
    }

    /// Whether the excuses of a package are others than `earlier`.
    pub(crate) fn differ_for(&self, package: &str, earlier: &Self) -> bool {
        self.excuses.get(package) != earlier.excuses.get(package)
    }

    /// The notes on a result or a machine.
    pub(crate) fn notes_on<'a>(&'a self, it: &'a Noted) -> impl Iterator<Item = &'a Note> {
        self.notes.iter().filter(move |note| note.on == *it)
    }

    /// The results and machines that have other notes than `earlier`; some come twice.
    pub(crate) fn noted_otherwise<'a>(
        &'a self,
        earlier: &'a Self,
    ) -> impl Iterator<Item = &'a Noted> {
        let both = self.notes.iter().chain(&earlier.notes).map(|note| &note.on);
        both.filter(|it| !self.notes_on(it).eq(earlier.notes_on(it)))
    }
}

impl Excuses {
    /// The first that holds for a test on a build line.
    pub(crate) fn on(&self, test: &str, line: &LineName) -> Option<&Excuse> {
        let holds = |(pattern, excuse): &&(WildMatch, Excuse)| {
            excuse.host.as_ref().is_none_or(|host| *host == line.host) && pattern.matches(test)
        };
        self.valid.iter().find(holds).map(|(_, excuse)| excuse)
    }
}

impl Excuse {
    /// Whether it takes what is worth a look in a test for known.
    pub(crate) fn covers(&self, kind: Kind) -> bool {
        match self.kind {
            ExcuseKind::Known => matches!(kind, Kind::NewlyFailing | Kind::Failing),
            ExcuseKind::Quarantine => kind != Kind::Calm,
        }
    }
}

#[cfg(test)]
mod tests;
