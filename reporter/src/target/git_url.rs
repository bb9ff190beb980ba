//! [`GitUrl`]: a repository elsewhere, as `git push` understands it, and a branch of it.

use std::fmt;
use std::path::Path;

use percent_encoding::percent_decode_str;

/// The branch that holds results where no other is named.
const BRANCH: &str = "main";

/// The address of a git repository. Credentials in it are kept apart: neither `Display` nor `Debug` shows them.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct GitUrl {
    /// Without credentials; ssh keeps its user, who is no secret.
    shown: String,
    /// `name:secret` or `token`, as it stood in the address.
    userinfo: Option<String>,
    branch: Option<String>,
}

/// What an address says of who somebody is, decoded. A name alone may be a token, so it counts as a secret, too.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Credentials {
    pub(crate) name: String,
    pub(crate) password: Option<String>,
}

impl GitUrl {
    /// Whether git takes this for an address rather than a path: `https://…`, `user@host:path`. What is there is
    /// a path.
    pub(crate) fn is_meant_by(text: &str) -> bool {
        let (before, _) = text.split_once('/').unwrap_or((text, ""));
        // A single letter is a drive of Windows.
        before.find(':').is_some_and(|at| at > 1) && !Path::new(text).exists()
    }

    /// Reads an address. An error is a reason.
    pub(crate) fn parse(text: &str, branch: Option<String>) -> Result<Self, String> {
        if text.chars().any(|character| character.is_whitespace() || character.is_control()) {
            return Err("an address has no blanks".to_owned());
        }
        if let Some(branch) = branch.as_deref().filter(|branch| !is_branch(branch)) {
            return Err(format!("git has no branch called {branch:?}"));
        }
        let (shown, userinfo) = match text.split_once("://") {
            Some((scheme, rest)) => {
                let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
                let (userinfo, host) = match authority.rsplit_once('@') {
                    Some((userinfo, host)) => (Some(userinfo), host),
                    None => (None, authority),
                };
                let user = userinfo.and_then(|text| text.split(':').next());
                match (scheme, user) {
                    ("ssh" | "git+ssh" | "ssh+git", Some(user)) => {
                        (format!("{scheme}://{user}@{host}/{path}"), userinfo)
                    }
                    _ => (format!("{scheme}://{host}/{path}"), userinfo),
                }
            }
            None => (text.to_owned(), None),
        };
        let userinfo = userinfo.filter(|userinfo| !shown.contains(&format!("//{userinfo}@")));
        // git asks for them line by line.
        if userinfo.is_some_and(|text| decoded(text).is_none_or(|it| it.contains(char::is_control)))
        {
            return Err("the name or password in the address is no text".to_owned());
        }
        Ok(Self { shown, userinfo: userinfo.map(str::to_owned), branch })
    }

    /// A repository on this machine, to be reached through git.
    pub(crate) fn of_path(path: &Path, branch: Option<String>) -> Result<Self, String> {
        let text = path.to_str().ok_or("the path is not UTF-8")?;
        if text.contains(char::is_control) {
            return Err("the path has control characters".to_owned());
        }
        Self::parse("", branch).map(|url| Self { shown: text.to_owned(), ..url })
    }

    /// Who somebody is to a web host. ssh takes no password in an address, and has its user shown.
    pub(crate) fn credentials(&self) -> Option<Credentials> {
        let userinfo = self.userinfo.as_deref().filter(|_| self.shown.starts_with("http"))?;
        let (name, password) = match userinfo.split_once(':') {
            Some((name, password)) => (name, Some(password)),
            None => (userinfo, None),
        };
        let password = password.and_then(decoded);
        Some(Credentials { name: decoded(name)?, password })
    }

    /// The scheme and the host, as git's configuration of credentials names it.
    pub(crate) fn host(&self) -> &str {
        let start = self.shown.find("://").map_or(0, |at| at + "://".len());
        let end = self.shown[start..].find('/').map_or(self.shown.len(), |at| start + at);
        &self.shown[..end]
    }

    /// What nobody else may know, in every way in which it may be written.
    pub(crate) fn secrets(&self) -> Vec<String> {
        let Some(userinfo) = &self.userinfo else { return Vec::new() };
        let secret = userinfo.split_once(':').map_or(userinfo.as_str(), |(_, secret)| secret);
        [Some(secret.to_owned()), decoded(secret)].into_iter().flatten().collect()
    }

    /// The text without what must not be shown.
    pub(crate) fn censor(&self, text: &str) -> String {
        let Some(userinfo) = &self.userinfo else { return text.to_owned() };
        let text = text.replace(&format!("{userinfo}@"), "");
        // `git@` is no secret, and `git` a word.
        let secrets = self.secrets().into_iter().filter(|secret| secret.len() >= 6);
        secrets.fold(text, |text, secret| text.replace(&secret, "***"))
    }

    /// The branch that holds the results.
    pub(crate) fn branch(&self) -> &str {
        self.branch.as_deref().unwrap_or(BRANCH)
    }

    /// The branch, if one was named.
    pub(crate) fn named_branch(&self) -> Option<&str> {
        self.branch.as_deref()
    }

    /// The same repository, but the branch that the other names, if it names one.
    pub(super) fn with_branch_of(self, other: &Self) -> Self {
        Self { branch: other.branch.clone().or(self.branch), ..self }
    }

    /// Takes the other's credentials, if both are the same repository and this has none.
    pub(super) fn borrow_credentials(&mut self, other: &Self) {
        if self.shown == other.shown && self.userinfo.is_none() {
            self.userinfo.clone_from(&other.userinfo);
        }
    }
}

fn decoded(text: &str) -> Option<String> {
    percent_decode_str(text).decode_utf8().ok().map(Into::into)
}

/// The rules of `git check-ref-format --branch`, and no braces.
fn is_branch(name: &str) -> bool {
    let is_plain = |character: char| {
        !character.is_control() && !character.is_whitespace() && !"~^:?*[\\{}".contains(character)
    };
    name != "@"
        && name.chars().all(is_plain)
        && !name.starts_with('-')
        && !name.contains("..")
        && name.split('/').all(|part| {
            !part.is_empty()
                && !part.starts_with('.')
                && !part.ends_with('.')
                && !part.ends_with(".lock")
        })
}

impl fmt::Display for GitUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.shown)
    }
}

impl fmt::Debug for GitUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GitUrl").field("shown", &self.shown).field("branch", &self.branch).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_git_takes_for_an_address_is_one() {
        for url in
            ["https://host/r.git", "file:///r.git", "ssh://git@host/r", "git@host:r.git", "host:r"]
        {
            assert!(GitUrl::is_meant_by(url), "{url}");
        }
        for path in
            ["r.git", "/srv/r.git", "./host:r", "C:\\r.git", "C:/r.git", "", "../a:b", "~/r:x"]
        {
            assert!(!GitUrl::is_meant_by(path), "{path}");
        }
    }

    #[test]
    fn credentials_are_for_git_and_never_shown() {
        let cases = [
            ("https://ox:s3cret@host/r.git", "https://host/r.git"),
            ("https://s3cret@host:8443/r.git", "https://host:8443/r.git"),
            ("ssh://git@host/r.git", "ssh://git@host/r.git"),
            ("ssh://git:s3cret@host/r.git", "ssh://git@host/r.git"),
            ("git@host:r.git", "git@host:r.git"),
            ("file:///srv/r.git", "file:///srv/r.git"),
        ];
        for (text, shown) in cases {
            let url = GitUrl::parse(text, None).unwrap();
            assert_eq!(url.to_string(), shown);
            assert!(!format!("{url:?}").contains("s3cret"));
            assert!(!url.censor(&format!("cannot open {text}")).contains("s3cret"), "{text}");
        }
    }

    #[test]
    fn a_web_host_is_told_who_somebody_is() {
        let told = |text: &str| {
            let url = GitUrl::parse(text, None).unwrap();
            let credentials = url.credentials().map(|it| (it.name, it.password));
            (url.host().to_owned(), credentials)
        };
        let both = |name: &str, password: &str| Some((name.to_owned(), Some(password.to_owned())));
        let host = "https://host:8443".to_owned();
        assert_eq!(told("https://o%78:p%40ss@host:8443/r.git"), (host.clone(), both("ox", "p@ss")));
        assert_eq!(told("https://tok@host:8443"), (host, Some(("tok".to_owned(), None))));
        for none in ["https://host/r.git", "ssh://git:s3cret@host/r.git", "git@host:r.git"] {
            assert_eq!(told(none).1, None, "{none}");
        }
        assert!(GitUrl::parse("https://ox:a%0apassword=b@host/", None).is_err());
        let url = GitUrl::parse("https://s3cret%2btoken@host/r.git", None).unwrap();
        let said = "no password for 'https://s3cret%2btoken@host' (s3cret+token)";
        assert_eq!(url.censor(said), "no password for 'https://host' (***)");
    }

    #[test]
    fn a_branch_is_one_that_git_can_have() {
        for name in ["main", "pony/results", "v1.0", "ä"] {
            assert!(is_branch(name), "{name}");
        }
        for name in ["", "-x", "a b", "a..b", "a/", "/a", ".a", "a.lock", "a~1", "@{u}", "@", "a\n"]
        {
            assert!(!is_branch(name), "{name}");
        }
    }

    #[test]
    fn credentials_are_only_lent_to_the_same_repository() {
        let known = GitUrl::parse("https://ox:s3cret@host/r.git", None).unwrap();
        let lent = |text: &str, branch: Option<&str>| {
            let mut url = GitUrl::parse(text, branch.map(str::to_owned)).unwrap();
            url.borrow_credentials(&known);
            url.credentials().is_some()
        };
        assert!(lent("https://host/r.git", None) && lent("https://host/r.git", Some("main")));
        assert!(lent("https://host/r.git", Some("x")), "whatever the branch");
        assert!(!lent("https://other/r.git", None) && !lent("https://host/s.git", None));
    }
}
