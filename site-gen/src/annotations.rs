//! What people say of results afterwards: known failures, tests in quarantine, notes on results and machines.
//!
//! They come as files into `annotations/` of the results repository, by pull request or push; see `file` for their
//! form. Results stay as they are, and so do the pages that only show what was submitted: what an annotation changes
//! is what counts as news.
//!
//! Nothing here looks at a clock. Whether an annotation has expired is decided by the newest result of its package,
//! so that a site of the same commit is always the same.

mod file;
mod notes;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use pony_store::{AnnotationFile, NotRead};
use serde::{Deserialize, Serialize};
use wildmatch::WildMatch;

use crate::analysis::{Kind, LineName};
use crate::history::{Package, as_text};

pub(crate) use notes::{Note, Noted, Notes};

/// Problems that are told: more help nobody.
const PROBLEMS_MAX: usize = 100;

/// All annotations of a repository.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Annotations {
    /// By package.
    excuses: BTreeMap<String, Vec<Excuse>>,
    pub(crate) notes: Notes,
    /// Some of them, in the order of the files.
    pub(crate) problems: Vec<Problem>,
    /// How many more there are.
    #[serde(default)]
    pub(crate) more_problems: usize,
    /// What is damaged, as [`crate::Built::unreadable`] has it.
    #[serde(skip)]
    pub(crate) damage: Vec<String>,
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
    /// Reads the files. What is wrong in one becomes a problem, and everything else counts. `packages` are the names
    /// of all that there are.
    pub(crate) fn read<'a>(
        files: Vec<AnnotationFile>,
        packages: impl Iterator<Item = &'a str>,
    ) -> Self {
        let mut all = Self::default();
        for AnnotationFile { path, content } in files {
            match content {
                Ok(content) => file::read_into(&mut all, &path, &content),
                Err(reason) => {
                    if matches!(reason, NotRead::Damaged(_)) {
                        all.damage.push(format!("{path}: {reason}"));
                    }
                    all.problems.push(Problem { place: path, message: reason.to_string() });
                }
            }
        }
        let packages: BTreeSet<&str> = packages.collect();
        for (package, excuses) in &all.excuses {
            if !packages.contains(&**package) {
                let message = format!("there is no package `{package}`");
                let place = |excuse: &Excuse| excuse.place.clone();
                let problem = |place| Problem { place, message: message.clone() };
                all.problems.extend(excuses.iter().map(place).map(problem));
            }
        }
        all.more_problems = all.problems.len().saturating_sub(PROBLEMS_MAX);
        all.problems.truncate(PROBLEMS_MAX);
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
}

impl Excuses {
    /// The first that holds for a test on a build line and covers what it does there; or else the first that holds.
    pub(crate) fn on(&self, test: &str, line: &LineName, kind: Kind) -> Option<&Excuse> {
        let holds = |(pattern, excuse): &&(WildMatch, Excuse)| {
            excuse.host.as_ref().is_none_or(|host| *host == line.host) && pattern.matches(test)
        };
        let mut holding = self.valid.iter().filter(holds).map(|(_, excuse)| excuse);
        let first = holding.next()?;
        if first.covers(kind) {
            return Some(first);
        }
        Some(holding.find(|excuse| excuse.covers(kind)).unwrap_or(first))
    }

    /// Whether others hold than those of `earlier`.
    pub(crate) fn hold_otherwise_than(&self, earlier: &Self) -> bool {
        self.valid != earlier.valid
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
