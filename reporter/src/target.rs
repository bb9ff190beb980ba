//! [`Target`]: where a submission goes.

mod git_url;

use std::fmt;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use pony_formats::names::url_component;
use ureq::http::uri::Authority;

pub(crate) use git_url::{Credentials, GitUrl};

/// A repository, a git host or a collector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// A results repository on this machine; an absolute path.
    Repository(PathBuf),
    /// A results repository that git is to push to.
    GitHost(GitUrl),
    /// A collector.
    Server(ServerUrl),
}

impl Target {
    /// The same target with the other's credentials, if both are the same and this has none.
    #[must_use]
    pub(crate) fn with_credentials_of(mut self, other: &Self) -> Self {
        match (&mut self, other) {
            (Self::Server(url), Self::Server(other))
                if url.base == other.base && url.userinfo.is_none() =>
            {
                url.userinfo.clone_from(&other.userinfo);
            }
            (Self::GitHost(url), Self::GitHost(other)) => url.borrow_credentials(other),
            _ => {}
        }
        self
    }
}

impl Target {
    /// Whether somebody at the terminal may be asked for credentials on the way.
    pub(crate) fn may_ask(&self) -> bool {
        matches!(self, Self::GitHost(_))
    }

    /// What of its address nobody else may know.
    pub(crate) fn secrets(&self) -> Vec<String> {
        match self {
            Self::Repository(_) => Vec::new(),
            Self::GitHost(url) => url.secrets(),
            Self::Server(url) => url.secrets(),
        }
    }

    /// The same repository, but the branch that `other` names, if it names one. An error is a reason.
    pub(crate) fn with_branch_of(self, other: &Self) -> Result<Self, String> {
        match (self, other) {
            (Self::GitHost(url), Self::GitHost(other)) => {
                Ok(Self::GitHost(url.with_branch_of(other)))
            }
            (Self::Repository(path), Self::GitHost(other)) => match other.named_branch() {
                Some(branch) => GitUrl::of_path(&path, Some(branch.to_owned())).map(Self::GitHost),
                None => Ok(Self::Repository(path)),
            },
            (target, _) => Ok(target),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Repository(path) => write!(f, "{}", path.display()),
            Self::GitHost(url) => match url.named_branch() {
                Some(branch) => write!(f, "{url} ({branch})"),
                None => write!(f, "{url}"),
            },
            Self::Server(url) => write!(f, "{url}"),
        }
    }
}

/// The base address of a collector. Credentials in it are kept apart: neither `Display` nor
/// `Debug` shows them.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct ServerUrl {
    /// Without credentials, ends in the slash that relative addresses are joined to.
    base: String,
    /// `name:secret`, as it stood in the address.
    userinfo: Option<String>,
}

impl ServerUrl {
    /// Reads an address as the original client does: what follows its last slash is replaced by
    /// `xmlrpc`, so `http://host`, `http://host/` and `http://host/xmlrpc` are the same, and a
    /// prefix must end in a slash.
    pub(crate) fn parse(url: &str) -> Result<Self, String> {
        let expected = "expected an address such as http://host:8000/";
        let (scheme, rest) = url.split_once("://").ok_or(expected)?;
        let scheme = scheme.to_ascii_lowercase();
        if !matches!(scheme.as_str(), "http" | "https") {
            return Err(expected.to_owned());
        }
        if rest.contains(['?', '#']) {
            return Err("an address with `?` or `#` cannot be extended by `xmlrpc`".to_owned());
        }
        if rest.chars().any(|character| character.is_whitespace() || character.is_control()) {
            return Err("an address has no blanks".to_owned());
        }
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (userinfo, host) = match authority.rsplit_once('@') {
            Some((userinfo, host)) => (Some(userinfo.to_owned()), host),
            None => (None, authority),
        };
        let authority: Authority = host.parse().map_err(|_| expected)?;
        let port = host.strip_prefix(authority.host()).unwrap_or_default();
        if authority.host().is_empty() {
            return Err(expected.to_owned());
        }
        if !port.is_empty() && authority.port_u16().is_none() {
            return Err("expected a port up to 65535 after the host".to_owned());
        }
        let folder =
            path.rsplit_once('/').map_or(String::new(), |(folder, _)| folder.to_owned() + "/");
        Ok(Self { base: format!("{scheme}://{host}/{folder}"), userinfo })
    }

    /// Where calls are posted.
    pub(crate) fn endpoint(&self) -> String {
        format!("{}xmlrpc", self.base)
    }

    /// Where a file of a result is posted.
    pub(crate) fn upload_address(&self, name: &str, description: &str, auth_key: &str) -> String {
        let value = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        format!(
            "{}upload?description={}&filename={}&auth_key={}&visible=yes",
            self.base,
            value(description),
            value(name),
            value(auth_key)
        )
    }

    /// The page of a result, as every site of pony names it.
    pub(crate) fn result_page(&self, package: &str, key: &str) -> String {
        format!("{}p/{}/{}/", self.base, url_component(package), url_component(key))
    }

    fn secrets(&self) -> Vec<String> {
        let Some(userinfo) = &self.userinfo else { return Vec::new() };
        let secret = userinfo.split_once(':').map_or(userinfo.as_str(), |(_, secret)| secret);
        vec![secret.to_owned(), percent_decode_str(secret).decode_utf8_lossy().into_owned()]
    }

    /// The value of the `Authorization` header, when the address holds credentials.
    pub(crate) fn authorization(&self) -> Option<String> {
        let userinfo = self.userinfo.as_ref()?;
        let (name, secret) = userinfo.split_once(':').unwrap_or((userinfo, ""));
        let mut credentials: Vec<u8> = percent_decode_str(name).collect();
        credentials.push(b':');
        credentials.extend(percent_decode_str(secret));
        Some(format!("Basic {}", BASE64.encode(credentials)))
    }
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.base)
    }
}

impl fmt::Debug for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerUrl").field("base", &self.base).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_joined_as_the_original_client_joins_them() {
        let cases = [
            ("http://host:8000", "http://host:8000/xmlrpc"),
            ("http://host:8000/", "http://host:8000/xmlrpc"),
            ("HTTPS://host/some/prefix/", "https://host/some/prefix/xmlrpc"),
            ("http://host/some/prefix", "http://host/some/xmlrpc"),
            ("http://host/xmlrpc", "http://host/xmlrpc"),
            ("http://[::1]:80/x/", "http://[::1]:80/x/xmlrpc"),
        ];
        for (url, endpoint) in cases {
            assert_eq!(ServerUrl::parse(url).unwrap().endpoint(), endpoint, "{url}");
        }
    }

    #[test]
    fn other_addresses_are_refused() {
        for url in [
            "",
            "host:8000",
            "ftp://host/",
            "http://",
            "http:///x",
            "http://:80/",
            "http://h/?a",
            "http://h /",
            "http://127.0.0.1:99999/",
            "http://h:/",
            "http://h:x/",
            "http://h\\x/",
        ] {
            assert!(ServerUrl::parse(url).is_err(), "{url}");
        }
    }

    #[test]
    fn credentials_are_sent_but_never_shown() {
        let url = ServerUrl::parse("http://na%6de:s%40cret@host/").unwrap();
        // "name:s@cret"
        assert_eq!(url.authorization().unwrap(), "Basic bmFtZTpzQGNyZXQ=");
        assert!(!format!("{url} {url:?} {}", url.endpoint()).contains("cret"));
        assert_eq!(url.endpoint(), "http://host/xmlrpc");
    }

    #[test]
    fn credentials_are_only_lent_to_the_same_collector() {
        let target = |url| Target::Server(ServerUrl::parse(url).unwrap());
        let known = target("http://name:secret@host/");
        assert_eq!(target("http://host/").with_credentials_of(&known), known);
        let other = target("http://host:81/");
        assert_eq!(other.clone().with_credentials_of(&known), other);
    }

    #[test]
    fn a_result_has_a_page() {
        let url = ServerUrl::parse("http://host/x/").unwrap();
        assert_eq!(url.result_page("a/b c", "7"), "http://host/x/p/a~2fb~20c/7/");
    }
}
