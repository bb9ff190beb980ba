//! [`Revision`]: what a client says of the source that it tested; [`Trunk`]: whether that is the main line.

use pony_formats::{Bag, ResultKey, Value};
use serde::{Deserialize, Serialize};

/// Keys under which clients say which commit they tested, the most telling first.
pub(crate) const TESTED_COMMIT: [&str; 4] = ["commit", "revision", "vcs_revision", "git_commit"];

/// Names of main branches, the most telling first.
const MAIN_BRANCHES: [&str; 5] = ["main", "master", "trunk", "default", "develop"];

/// Bytes of a commit or branch; a longer one is none.
const NAME_BYTES_MAX: usize = 200;

/// The source that a result is about.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Revision {
    /// What the client calls the commit; empty when it did not say.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) commit: String,
    /// The branch; empty when there was none, or nobody said.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) branch: String,
    /// Whether the checkout had changes of its own.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) dirty: bool,
    /// Whether it is of a pull or merge request: its branch may be somebody else's `main`.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) change_request: bool,
    /// Where the source can be seen, if that is a host that we know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) repository: Option<Repository>,
}

fn is_false(value: &bool) -> bool {
    !value
}

impl Revision {
    /// Reads `commit`, `branch`, `dirty`, `change_request` and `repository` of a `client_info`. GitHub's
    /// address of a CI run tells the repository too.
    pub(crate) fn of(client_info: &Bag) -> Self {
        let text = |key: &str| client_info.get(key).and_then(Value::as_str);
        let name = |text: &str| {
            let fits = text.len() <= NAME_BYTES_MAX && !text.chars().any(char::is_control);
            fits.then(|| text.trim().to_owned())
        };
        let branch = text("branch").map(|branch| {
            let short = branch.strip_prefix("refs/heads/").unwrap_or(branch);
            // As Jenkins says it.
            short.strip_prefix("origin/").unwrap_or(short)
        });
        let run = text("ci_url").and_then(|url| url.split_once("/actions/runs/"));
        let addresses = [text("repository"), run.map(|(repository, _)| repository)];
        Self {
            commit: TESTED_COMMIT
                .iter()
                .find_map(|key| text(key))
                .and_then(name)
                .unwrap_or_default(),
            branch: branch.and_then(name).unwrap_or_default(),
            dirty: matches!(client_info.get("dirty"), Some(Value::Bool(true))),
            change_request: match client_info.get("change_request") {
                Some(Value::String(number)) => !number.is_empty(),
                Some(Value::Int(_) | Value::Bool(true)) => true,
                _ => false,
            },
            repository: addresses.into_iter().flatten().find_map(Repository::parse),
        }
    }

    /// Whether this names one state of the source, so that two results of it are of the same thing.
    pub(crate) fn is_exact(&self) -> bool {
        !self.commit.is_empty() && !self.dirty
    }
}

/// The branch that everything is compared with.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Trunk(String);

impl Trunk {
    /// Its name; empty when no result names a branch.
    pub(crate) fn name(&self) -> &str {
        &self.0
    }

    /// Whether this is on the main line. A result that names no branch is: a detached checkout, or a client
    /// that does not know of branches.
    pub(crate) fn has(&self, revision: &Revision) -> bool {
        !revision.change_request && (revision.branch.is_empty() || revision.branch == self.0)
    }
}

/// Finds the trunk of a package: the first of the usual names that occurs, or else the branch of the oldest
/// result that has one. It does not matter in which order results come.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct TrunkFinder(Option<Candidate>);

/// The less, the better.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Candidate {
    /// The place among the usual names.
    rank: usize,
    /// The oldest result of it.
    #[serde(with = "crate::history::as_text")]
    key: ResultKey,
    branch: String,
}

impl TrunkFinder {
    /// Looks at what a result is about.
    pub(crate) fn add(&mut self, revision: &Revision, key: ResultKey) {
        if revision.change_request || revision.branch.is_empty() {
            return;
        }
        let usual = MAIN_BRANCHES.iter().position(|name| *name == revision.branch);
        let rank = usual.unwrap_or(MAIN_BRANCHES.len());
        let is_better = |best: &Candidate| (rank, key) < (best.rank, best.key);
        if self.0.as_ref().is_none_or(is_better) {
            self.0 = Some(Candidate { rank, key, branch: revision.branch.clone() });
        }
    }

    /// What was found so far.
    pub(crate) fn found(&self) -> Trunk {
        Trunk(self.0.as_ref().map(|best| best.branch.clone()).unwrap_or_default())
    }
}

/// A repository on a host whose addresses we know, as `https://<host>/<path>`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Repository {
    host: String,
    path: String,
}

impl Repository {
    /// Reads an address as git takes it: `https://host/path.git`, `ssh://git@host/path`, `git@host:path`.
    /// `None` for an unknown host, and for everything that is not plainly owner and name.
    pub(crate) fn parse(address: &str) -> Option<Self> {
        let (host, path) = match address.split_once("://") {
            Some(("https" | "http" | "ssh" | "git", rest)) => rest.split_once('/')?,
            Some(_) => return None,
            None => address.split_once(':')?,
        };
        let host = host.rsplit_once('@').map_or(host, |(_, host)| host).to_ascii_lowercase();
        let known = ["github.com", "codeberg.org"].contains(&host.as_str())
            || host.strip_prefix("gitlab.").is_some_and(|rest| !rest.is_empty());
        let plain = |text: &str| {
            !text.is_empty()
                && !text.starts_with('.')
                && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
        };
        let path = path.trim_end_matches('/');
        let path = path.strip_suffix(".git").unwrap_or(path);
        let parts = path.split('/');
        let depth = if host.starts_with("gitlab.") { 2..=10 } else { 2..=2 };
        let fits = depth.contains(&parts.clone().count()) && parts.clone().all(plain);
        (known && plain(&host) && fits && address.len() <= NAME_BYTES_MAX)
            .then(|| Self { host, path: path.to_owned() })
    }

    /// The page of a commit. `None` unless it is the id of one.
    pub(crate) fn commit(&self, id: &str) -> Option<String> {
        is_commit_id(id)
            .then(|| format!("https://{}/{}{}/commit/{id}", self.host, self.path, self.infix()))
    }

    /// The page of what changed after `good` up to `bad`. `None` unless both are ids of commits.
    pub(crate) fn compare(&self, good: &str, bad: &str) -> Option<String> {
        (is_commit_id(good) && is_commit_id(bad)).then(|| {
            format!("https://{}/{}{}/compare/{good}...{bad}", self.host, self.path, self.infix())
        })
    }

    /// GitLab keeps its own pages apart from paths of groups.
    fn infix(&self) -> &'static str {
        if self.host.starts_with("gitlab.") { "/-" } else { "" }
    }
}

/// Whether this is the id of a git commit, perhaps shortened. Then it is harmless in a shell and an address.
pub(crate) fn is_commit_id(text: &str) -> bool {
    (7..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

impl From<Repository> for String {
    fn from(repository: Repository) -> Self {
        format!("https://{}/{}", repository.host, repository.path)
    }
}

impl TryFrom<String> for Repository {
    type Error = &'static str;

    fn try_from(address: String) -> Result<Self, Self::Error> {
        Self::parse(&address).ok_or("no repository on a known host")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn revision(keys: &[(&str, &str)]) -> Revision {
        let keys = keys.iter().map(|(key, text)| ((*key).to_owned(), Value::from(*text)));
        Revision::of(&keys.collect())
    }

    #[test]
    fn addresses_of_known_hosts_become_links() {
        let cases = [
            (
                "https://github.com/ox/cart.git",
                "https://github.com/ox/cart/compare/aaaaaaa...bbbbbbb",
            ),
            ("git@github.com:ox/cart.git", "https://github.com/ox/cart/compare/aaaaaaa...bbbbbbb"),
            (
                "ssh://git@codeberg.org/ox/cart",
                "https://codeberg.org/ox/cart/compare/aaaaaaa...bbbbbbb",
            ),
            (
                "https://user:secret@gitlab.com/meadow/ox/cart/",
                "https://gitlab.com/meadow/ox/cart/-/compare/aaaaaaa...bbbbbbb",
            ),
        ];
        for (address, link) in cases {
            let repository = Repository::parse(address).unwrap();
            assert_eq!(repository.compare("aaaaaaa", "bbbbbbb").as_deref(), Some(link));
        }
    }

    #[test]
    fn what_is_not_plainly_a_repository_is_no_link() {
        for odd in [
            "https://evil.example/ox/cart",
            "https://github.com.evil.example/ox/cart",
            "https://github.com@evil.example/ox/cart",
            "javascript://github.com/ox/cart",
            "https://github.com/ox",
            "https://github.com/ox/cart/../../evil",
            "https://github.com/ox/ca\"rt",
            "https://github.com/ox/cart?x",
            "https://gitlab./ox/cart",
            "/srv/git/cart.git",
            "",
        ] {
            let parsed = Repository::parse(odd);
            assert!(parsed.is_none(), "{odd}: {parsed:?}");
        }
        let repository = Repository::parse("https://github.com/ox/cart").unwrap();
        for odd in ["", "main", "../..", "abc", "aaaaaaa;reboot"] {
            assert_eq!(repository.commit(odd), None, "{odd}");
        }
    }

    #[test]
    fn a_run_of_github_tells_its_repository() {
        let run = "https://github.com/ox/cart/actions/runs/7/attempts/1";
        assert_eq!(
            revision(&[("ci_url", run)]).repository,
            Repository::parse("git@github.com:ox/cart")
        );
    }

    /// The trunk of results in this order.
    fn found(revisions: impl Iterator<Item = Revision>) -> Trunk {
        let mut finder = TrunkFinder::default();
        let start = jiff::Timestamp::UNIX_EPOCH;
        for (number, revision) in (1..).zip(revisions) {
            finder
                .add(&revision, ResultKey::new(start + jiff::SignedDuration::from_secs(number), 0));
        }
        finder.found()
    }

    #[test]
    fn the_trunk_is_called_as_usual_or_else_as_the_oldest_result_says() {
        let trunk = |branches: &[&str]| {
            let all = branches.iter().map(|name| revision(&[("branch", name)]));
            found(all).name().to_owned()
        };
        assert_eq!(trunk(&["fix-7", "master", "main"]), "main");
        assert_eq!(trunk(&["2.x", "fix-7"]), "2.x");
        assert_eq!(trunk(&["refs/heads/master"]), "master");
        assert_eq!(trunk(&["", ""]), "");
    }

    #[test]
    fn a_change_request_is_never_the_main_line() {
        let main = revision(&[("branch", "main")]);
        let request = revision(&[("branch", "main"), ("change_request", "12")]);
        let trunk = found([main.clone(), request.clone()].into_iter());
        assert!(trunk.has(&main) && trunk.has(&revision(&[])));
        assert!(!trunk.has(&request) && !trunk.has(&revision(&[("branch", "fix-7")])));
    }

    #[test]
    fn what_cannot_be_a_name_is_none() {
        assert_eq!(revision(&[("commit", &"x".repeat(201))]).commit, "");
        assert_eq!(revision(&[("commit", "a\nb"), ("branch", "\u{8}")]), Revision::default());
    }
}
