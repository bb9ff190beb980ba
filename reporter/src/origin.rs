//! Where a submission comes from: the package, the machine, the checkout and the CI system.

mod checkout;
mod ci;
mod github;
mod machine;
mod package;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use pony_formats::Value;

pub(crate) use machine::{arch, host};
pub(crate) use package::project;

/// The environment and the current folder. Detection sees nothing else of the process, so that it
/// can be tested without one.
#[derive(Debug, Default)]
pub(crate) struct Surroundings {
    variables: BTreeMap<String, String>,
    folder: PathBuf,
}

impl Surroundings {
    /// Those of this process. Variables that are not UTF-8 are left out.
    pub(crate) fn of_this_process() -> Self {
        let variables = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        Self { variables, folder: std::env::current_dir().unwrap_or_else(|_| PathBuf::from(".")) }
    }

    /// A variable, if it is set and not empty.
    pub(crate) fn var(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// All variables.
    pub(crate) fn variables(&self) -> impl Iterator<Item = (&str, &str)> {
        self.variables.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The current folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where pony keeps results for this person.
    pub(crate) fn data_folder(&self) -> Option<PathBuf> {
        self.home_of("XDG_DATA_HOME", ".local/share")
    }

    /// Where pony keeps what it has yet to do for this person.
    pub(crate) fn state_folder(&self) -> Option<PathBuf> {
        self.home_of("XDG_STATE_HOME", ".local/state")
    }

    /// The XDG base directories on every system but Windows.
    fn home_of(&self, variable: &str, below_home: &str) -> Option<PathBuf> {
        // The specification has relative paths ignored.
        let absolute = |path: &&str| Path::new(path).is_absolute();
        let folder = match self.var(variable).filter(absolute) {
            Some(folder) => PathBuf::from(folder),
            None if cfg!(windows) => PathBuf::from(self.var("LOCALAPPDATA")?),
            None => Path::new(self.var("HOME")?).join(below_home),
        };
        Some(folder.join("pony"))
    }
}

/// Something that was found out, and where.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fact {
    pub(crate) value: Value,
    /// A flag, a variable, a file, a command: whatever a person can look at.
    pub(crate) from: String,
}

impl Fact {
    pub(crate) fn new(value: impl Into<Value>, from: impl Into<String>) -> Self {
        Self { value: value.into(), from: from.into() }
    }

    /// The value, if it is text.
    pub(crate) fn text(&self) -> &str {
        self.value.as_str().unwrap_or_default()
    }

    /// The same with another text.
    fn map(self, change: impl FnOnce(&str) -> String) -> Self {
        Self { value: Value::String(change(self.text())), from: self.from }
    }
}

/// What `client_info` says besides the identity of the build line: `commit`, `branch`, `dirty`, `repository`,
/// `change_request`, `change_target`, `ci`, `ci_url`, `ci_job`, `ci_run` and `ci_attempt`, as far as they are known.
pub(crate) fn facts(surroundings: &Surroundings) -> BTreeMap<&'static str, Fact> {
    let mut facts = checkout::facts(surroundings.folder());
    if let Some(head) = github::head_of_merge(surroundings, facts.get("commit")) {
        facts.insert("commit", head);
    }
    for (key, fact) in ci::facts(surroundings) {
        // A checkout says what was tested; a CI system only what was asked for. But a CI system's
        // checkout is on no branch.
        facts.entry(key).or_insert(fact);
    }
    facts
}

/// Surroundings with these variables and no others.
#[cfg(test)]
pub(crate) fn surroundings_with(variables: &[(&str, &str)]) -> Surroundings {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Surroundings { variables: variables.iter().map(owned).collect(), folder: "/nowhere".into() }
}

#[cfg(test)]
mod tests {
    pub(super) use super::surroundings_with as surroundings;

    #[test]
    #[cfg(unix)]
    fn folders_follow_the_xdg_specification() {
        let state = |variables: &[(&str, &str)]| surroundings(variables).state_folder();
        assert_eq!(state(&[]), None);
        assert_eq!(state(&[("HOME", "/h")]), Some("/h/.local/state/pony".into()));
        let relative = [("HOME", "/h"), ("XDG_STATE_HOME", "x")];
        assert_eq!(state(&relative), Some("/h/.local/state/pony".into()));
        let absolute = [("HOME", "/h"), ("XDG_STATE_HOME", "/x")];
        assert_eq!(state(&absolute), Some("/x/pony".into()));
    }
}
