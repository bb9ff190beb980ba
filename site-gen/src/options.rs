//! [`Options`]: how to render.

use crate::SiteError;

/// How to render.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The absolute address the site will be served from, for feeds. Links inside the site are always
    /// relative.
    pub base_url: Option<String>,
    /// Whether uploaded files are served below each result's page (`files/<name>`), so that links to
    /// them work.
    pub link_artifacts: bool,
    /// Whether a collector serves the site, so that its pages may ask it for builds.
    pub live: bool,
    /// Where readers can clone the results repository from, as git takes it; shown as text.
    pub clone_url: Option<String>,
    /// The address of a WebSub hub that the feeds name, when `base_url` is known.
    pub hub: Option<String>,
    /// Now, in UTC: what is stale is decided by it.
    pub now: jiff::Timestamp,
}

impl Options {
    /// The address of the site with a final slash.
    pub(crate) fn checked_base_url(&self) -> Result<Option<String>, SiteError> {
        self.base_url.as_deref().map(base_url).transpose()
    }

    /// Refuses a hub that is no address.
    pub(crate) fn check_hub(&self) -> Result<(), SiteError> {
        self.hub.as_deref().map_or(Ok(()), |hub| base_url(hub).map(drop))
    }
}

/// The address of a site, with a final slash: `http://` or `https://`, a host and perhaps a path.
///
/// # Errors
/// [`SiteError::BaseUrl`] when it is none.
pub fn base_url(url: &str) -> Result<String, SiteError> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let is_address = rest.is_some_and(|rest| {
        !rest.is_empty()
            && !rest.starts_with('/')
            && rest.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"'<>?#".contains(&byte))
    });
    if !is_address {
        return Err(SiteError::BaseUrl { url: url.escape_debug().to_string() });
    }
    Ok(format!("{}/", url.trim_end_matches('/')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(url: &str) -> Option<String> {
        let options = Options { base_url: Some(url.to_owned()), ..Options::default() };
        options.checked_base_url().ok().flatten()
    }

    #[test]
    fn a_base_url_is_an_absolute_http_address() {
        assert_eq!(checked("https://example.org/ci").as_deref(), Some("https://example.org/ci/"));
        assert_eq!(checked("http://localhost:8000/").as_deref(), Some("http://localhost:8000/"));
        for wrong in [
            "",
            "example.org",
            "https://",
            "https:///x",
            "javascript:alert(1)",
            "https://a/?q",
            "https://a/#f",
            "https://a/\"b",
            "https://a b",
            "file:///srv",
        ] {
            assert_eq!(checked(wrong), None, "{wrong}");
        }
    }
}
