//! `sitemap.xml`: the pages that last, for search engines (<https://www.sitemaps.org/protocol.html>).

use askama::Template;

use crate::history::Package;

#[derive(Template)]
#[template(path = "sitemap.xml", escape = "xml", whitespace = "minimize")]
struct Sitemap {
    /// Each with the day of its newest result.
    pages: Vec<(String, Option<String>)>,
}

/// The most addresses that a map may have.
const PAGES_MAX: usize = 50_000;

/// The map. Results are left out: each is reached from its package, and there may be too many of them.
pub(crate) fn sitemap(base_url: &str, packages: &[&Package]) -> Result<String, askama::Error> {
    let mut pages = vec![(base_url.to_owned(), None), (format!("{base_url}about/"), None)];
    for package in packages {
        let day = package.latest().map(|row| row.received.strftime("%Y-%m-%d").to_string());
        for page in ["", "tests/", "show_all/"] {
            pages.push((format!("{base_url}p/{}/{page}", package.folder()), day.clone()));
        }
    }
    pages.truncate(PAGES_MAX);
    Sitemap { pages }.render()
}
