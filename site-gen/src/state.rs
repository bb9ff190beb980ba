//! What a site says of itself, so that the next build knows what is left to do.

use pony_store::CommitId;
use serde::{Deserialize, Serialize};

use crate::Options;

/// The file that holds it. Also what marks a folder as ours.
pub(crate) const STATE_FILE: &str = ".pony-site.json";

/// The layout of the site's files. Raise it to have every site built from scratch.
const FORMAT: u32 = 5;

/// How a site was built. A site that was built in another way is built from scratch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct State {
    /// The layout of the site's files.
    format: u32,
    /// The version of the generator.
    generator: String,
    base_url: Option<String>,
    link_artifacts: bool,
    live: bool,
    #[serde(default)]
    clone_url: Option<String>,
    #[serde(default)]
    hub: Option<String>,
    /// The commit that the site shows; null while it is being changed.
    commit: Option<String>,
    /// Whether folders of the repository could not be read.
    #[serde(default)]
    damage: bool,
}

impl State {
    /// The state of a site in the making.
    pub(crate) fn unfinished(base_url: Option<&str>, options: &Options) -> Self {
        Self {
            format: FORMAT,
            generator: env!("CARGO_PKG_VERSION").to_owned(),
            base_url: base_url.map(str::to_owned),
            link_artifacts: options.link_artifacts,
            live: options.live,
            clone_url: options.clone_url.clone(),
            hub: options.hub.clone(),
            commit: None,
            damage: false,
        }
    }

    /// The state of a finished site.
    pub(crate) fn finished(self, commit: &CommitId, damage: bool) -> Self {
        Self { commit: Some(commit.to_string()), damage, ..self }
    }

    /// Whether folders of the repository could not be read.
    pub(crate) fn has_damage(&self) -> bool {
        self.damage
    }

    /// Whether the site is complete, and on disk.
    pub(crate) fn is_finished(&self) -> bool {
        self.commit.is_some()
    }

    /// The commit that a site in this state can be brought up to date from, to become one like
    /// `wanted`.
    pub(crate) fn base_for(&self, wanted: &Self) -> Option<CommitId> {
        let commit = self.commit.as_ref()?;
        let kind = |state: &Self| Self { commit: None, damage: false, ..state.clone() };
        let same = kind(self) == kind(wanted);
        commit.parse().ok().filter(|_| same)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_finished_site_of_the_same_kind_is_a_base() {
        let commit: CommitId = "0123456789".repeat(4).parse().unwrap();
        let wanted = State::unfinished(None, &Options::default());
        let finished = wanted.clone().finished(&commit, false);
        assert_eq!(finished.base_for(&wanted), Some(commit.clone()));
        assert_eq!(wanted.base_for(&wanted), None, "unfinished");
        assert_eq!(
            finished
                .base_for(&State::unfinished(None, &Options { live: true, ..Options::default() })),
            None
        );
        assert_eq!(
            finished.base_for(&State::unfinished(Some("https://x/"), &Options::default())),
            None
        );
        let older = State { generator: "0.0.1".into(), ..finished };
        assert_eq!(older.base_for(&wanted), None);
    }
}
