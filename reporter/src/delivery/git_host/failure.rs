//! [`GitFailure`]: what git said went wrong, told apart by its words.
//!
//! git's exit status is the same for everything about a remote, so its messages (untranslated) and those of common
//! hosts are looked at. What is not known is taken for a network that does not work now: kept, and tried again.

/// Characters of a message that are passed on.
const CHARS_MAX: usize = 300;

/// What kind of failure it is, which says the exit status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// There is no git here.
    NoGit,
    /// Temporary files do not work.
    Io,
    /// The network or the host does not work now.
    Unreachable,
    /// Others were faster for as long as it was tried.
    Contended,
    /// No credentials, or not the right ones.
    Forbidden,
    /// The host does not take this push: the branch is protected, or it does not like what is in it.
    Refused,
    /// The host cannot write what is pushed: no room, or it is too much at once.
    NoRoom,
    /// There is no such repository or branch.
    NotThere,
    /// The store refuses what is there, with this exit status.
    Store(u8),
}

impl Kind {
    /// Whether the host said no to a push, so that less of it may be taken.
    pub(super) fn is_refusal(self) -> bool {
        matches!(self, Self::Refused | Self::NoRoom)
    }
}

/// Why a git host does not have a submission.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{sentence}")]
pub(crate) struct GitFailure {
    pub(crate) kind: Kind,
    sentence: String,
}

/// Words by which a kind is known, the first that fit.
const WORDS: [(Kind, &[&str]); 3] = [
    (
        Kind::NotThere,
        &[
            "does not appear to be a git repository",
            "repository not found",
            "not found: did you run",
            "repository not exported",
            "could not be found or you don't have permission",
        ],
    ),
    (
        Kind::Forbidden,
        &[
            "authentication failed",
            "could not read username",
            "could not read password",
            "permission denied",
            "permission to",
            "access denied",
            "returned error: 401",
            "returned error: 403",
            "terminal prompts disabled",
            "host key verification failed",
            "service not enabled",
            "not allowed to push",
        ],
    ),
    // `https://host/r.git/` not found.
    (Kind::NotThere, &["' not found"]),
];

impl GitFailure {
    pub(super) fn new(kind: Kind, sentence: String) -> Self {
        Self { kind, sentence }
    }

    /// What git wrote to standard error before it gave up.
    pub(super) fn of_git(errors: &str) -> Self {
        let lower = errors.to_lowercase();
        let fits = |(_, words): &&(Kind, &[&str])| words.iter().any(|word| lower.contains(word));
        let kind = WORDS.iter().find(fits).map_or(Kind::Unreachable, |(kind, _)| *kind);
        let said = errors.lines().map(str::trim).filter(|line| {
            // ssh says `Warning:`.
            let is = |word: &str| {
                line.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
            };
            !line.is_empty() && !is("hint:") && !is("warning:")
        });
        let plain = |line: &str| {
            let line = line.strip_prefix("remote:").unwrap_or(line).trim();
            let line = line.strip_prefix("fatal:").or(line.strip_prefix("error:")).unwrap_or(line);
            line.trim().to_owned()
        };
        let said: Vec<String> = said.map(plain).filter(|line| !line.is_empty()).collect();
        // The first is the cause, unless the one that git ends with is the only one.
        let sentence = said.first().map_or("git says nothing", String::as_str);
        Self { kind, sentence: bounded(sentence) }
    }
}

/// The beginning of a message.
pub(super) fn bounded(text: &str) -> String {
    let mut short: String = text.chars().take(CHARS_MAX).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_git_says_is_told_apart() {
        let cases = [
            (
                "fatal: '/srv/r.git' does not appear to be a git repository\nfatal: Could not read from \
                 remote repository.\n",
                Kind::NotThere,
                "'/srv/r.git' does not appear to be a git repository",
            ),
            (
                "remote: Permission to ox/r.git denied to bot.\nfatal: unable to access 'https://h/r.git/': \
                 The requested URL returned error: 403\n",
                Kind::Forbidden,
                "Permission to ox/r.git denied to bot.",
            ),
            (
                "fatal: could not read Username for 'https://h': terminal prompts disabled\n",
                Kind::Forbidden,
                "could not read Username for 'https://h': terminal prompts disabled",
            ),
            (
                "fatal: repository 'https://h/r.git/' not found\n",
                Kind::NotThere,
                "repository 'https://h/r.git/' not found",
            ),
            (
                "ssh: connect to host h port 22: Connection refused\r\nfatal: Could not read from remote \
                 repository.\n",
                Kind::Unreachable,
                "ssh: connect to host h port 22: Connection refused",
            ),
            (
                "fatal: unable to access 'https://h/': Could not resolve host: h\n",
                Kind::Unreachable,
                "unable to access 'https://h/': Could not resolve host: h",
            ),
            ("", Kind::Unreachable, "git says nothing"),
        ];
        for (errors, kind, sentence) in cases {
            let failure = GitFailure::of_git(errors);
            assert_eq!((failure.kind, failure.to_string()), (kind, sentence.to_owned()));
        }
    }
}
