//! Commits, and since which one a test fails, in words and links.

use pony_formats::names;

use crate::analysis::{
    Commit, Evidence, Note, Repository, ResultNotes, Since, Subject, is_commit_id,
};
use crate::text::{self, When};

/// Digits of a commit id that are shown.
const SHORT: usize = 12;

/// A commit.
#[derive(Debug, Clone)]
pub(crate) struct CommitView {
    /// The id, shortened, or what else is known of it.
    pub(crate) label: String,
    /// Whether the label is an id.
    pub(crate) is_id: bool,
    /// Its page, or its first result where it is no commit to speak of.
    pub(crate) href: String,
    /// Its page at the host of the repository.
    pub(crate) source: Option<String>,
    /// When its first result arrived.
    pub(crate) seen: When,
    pub(crate) dirty: bool,
}

impl CommitView {
    /// `to_package` leads from the page to the folder of the package.
    pub(crate) fn new(commit: &Commit, repository: Option<&Repository>, to_package: &str) -> Self {
        let seen = When::of(commit.key.time());
        let label = match commit.commit.as_str() {
            "" => format!("the result of {}", seen.text),
            commit => Self::short(commit),
        };
        Self {
            label,
            is_id: !commit.commit.is_empty(),
            href: match commit.dirty || commit.commit.is_empty() {
                true => format!("{to_package}{}/index.html", commit.key),
                false => format!("{to_package}{}", page_of(&commit.commit)),
            },
            source: commit.id().and_then(|id| repository?.commit(id)),
            seen,
            dirty: commit.dirty,
        }
    }
}

impl CommitView {
    /// An id, shortened; or what else clients call a commit, if that is not too long.
    pub(crate) fn short(commit: &str) -> String {
        match is_commit_id(commit) {
            true => commit.get(..SHORT).unwrap_or(commit).to_owned(),
            false => text::name(&text::Excerpt::of(commit.to_owned(), 40).head),
        }
    }
}

/// The page of a commit, below its package's folder.
pub(super) fn page_of(commit: &str) -> String {
    format!("commit/{}/index.html", names::url_component(commit))
}

/// Since when a test fails.
#[derive(Debug, Clone)]
pub(crate) struct SinceView {
    pub(crate) first: CommitView,
    pub(crate) good: Option<CommitView>,
    /// `3 commits`.
    pub(crate) commits: String,
    /// Whether the test failed when its build line began: `first` is only the oldest that is known.
    pub(crate) is_exact: bool,
    /// What changed between the two, at the host of the repository.
    pub(crate) compare: Option<String>,
    /// The command that narrows it down.
    pub(crate) bisect: Option<String>,
}

impl SinceView {
    pub(crate) fn new(since: &Since, repository: Option<&Repository>, to_package: &str) -> Self {
        let ids = since.good.as_ref().and_then(Commit::id).zip(since.first.id());
        let ids = ids.filter(|(good, bad)| good != bad);
        let view = |commit: &Commit| CommitView::new(commit, repository, to_package);
        Self {
            first: view(&since.first),
            good: since.good.as_ref().map(view),
            commits: text::counted(since.commits as usize, "commit"),
            is_exact: since.is_exact,
            compare: ids.and_then(|(good, bad)| repository?.compare(good, bad)),
            bisect: ids.map(|(good, bad)| format!("git bisect start {bad} {good}")),
        }
    }
}

/// A proof that a test is flaky.
#[derive(Debug, Clone)]
pub(crate) struct ProofView {
    pub(crate) good: String,
    pub(crate) bad: String,
    /// Whether both are the same result.
    pub(crate) inside: bool,
}

impl ProofView {
    pub(crate) fn new(proof: &Evidence, to_package: &str) -> Self {
        let page = |key| format!("{to_package}{key}/index.html");
        Self { good: page(proof.good), bad: page(proof.bad), inside: proof.good == proof.bad }
    }
}

/// What stands beside a failing test of a result.
#[derive(Debug, Clone)]
pub(crate) struct NoteView {
    /// The name of the main branch, when the result is of another one.
    pub(crate) elsewhere: Option<String>,
    pub(crate) since: Option<SinceView>,
    pub(crate) passes: bool,
    pub(crate) proofs: Vec<ProofView>,
}

impl NoteView {
    pub(crate) fn new(note: &Note, notes: &ResultNotes, repository: Option<&Repository>) -> Self {
        let trunk = match notes.trunk.name() {
            "" => "the main line".to_owned(),
            name => text::name(name),
        };
        Self {
            elsewhere: (notes.of == Subject::Branch).then_some(trunk),
            since: note.since.as_ref().map(|since| SinceView::new(since, repository, "../")),
            passes: note.passes && notes.of == Subject::Branch,
            proofs: note.flaky.iter().map(|proof| ProofView::new(proof, "../")).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::tests::row;

    fn commit(at: u32, commit: &str, dirty: bool) -> Commit {
        Commit { at, commit: commit.into(), dirty, key: row(at.into(), "a", true).key }
    }

    fn since(first: Commit, good: Commit) -> SinceView {
        let repository = Repository::parse("https://github.com/ox/cart");
        let since = Since { first, commits: 2, good: Some(good), is_exact: true };
        SinceView::new(&since, repository.as_ref(), "../")
    }

    #[test]
    fn two_commits_make_a_range_to_look_at_and_to_bisect() {
        let view = since(commit(5, "bbbbbbbb", false), commit(4, "aaaaaaaa", false));
        assert_eq!(view.bisect.as_deref(), Some("git bisect start bbbbbbbb aaaaaaaa"));
        assert_eq!(
            view.compare.as_deref(),
            Some("https://github.com/ox/cart/compare/aaaaaaaa...bbbbbbbb")
        );
        assert_eq!((view.first.label.as_str(), view.commits.as_str()), ("bbbbbbbb", "2 commits"));
    }

    #[test]
    fn without_two_commits_there_is_no_range() {
        let a = || commit(4, "aaaaaaaa", false);
        for odd in [
            commit(5, "", false),
            commit(5, "r1234", false),
            commit(5, "bbbbbbbb", true),
            commit(5, "aaaaaaaa", false),
            commit(5, "$(reboot)", false),
        ] {
            let view = since(odd, a());
            assert_eq!((view.bisect, view.compare), (None, None), "{:?}", view.first);
        }
    }

    #[test]
    fn a_commit_is_called_by_what_is_known_of_it() {
        let label = |text: &str| CommitView::new(&commit(1, text, false), None, "").label;
        assert_eq!(label(&"0123456789abcdef".repeat(2)), "0123456789ab");
        assert_eq!(label("r1234"), "r1234");
        assert_eq!(label(""), "the result of 2026-03-01 01:00");
    }
}
