//! Feeds: RSS 2.0 at the addresses and in the words of the original collector, as scripts subscribe to them; and
//! the same as Atom and JSON Feed beside it.

mod forms;

pub(crate) use forms::{Feed, Item};

use askama::Template;

use crate::history::{Package, Row};
use crate::text;

/// Items of a feed of all packages.
const ITEMS_MAX: usize = 50;

/// Which results a feed has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Selection {
    /// All of them.
    All,
    /// Those that failed.
    Failed,
}

impl Selection {
    /// The last part of the feed's address.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Failed => "failed",
        }
    }

    fn has(self, row: &Row) -> bool {
        self == Self::All || !row.success
    }

    fn titled(self, title: String) -> String {
        match self {
            Self::All => title,
            Self::Failed => format!("{title}: failures"),
        }
    }
}

/// Where the site is, for those who read its feeds.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Address<'a> {
    /// The address of the site, with a final slash.
    pub(crate) base_url: Option<&'a str>,
    /// The WebSub hub of the feeds.
    pub(crate) hub: Option<&'a str>,
}

impl<'a> Address<'a> {
    /// The links of a feed that is `depth` folders below the root.
    pub(crate) fn at(self, depth: usize) -> Links<'a> {
        Links { base_url: self.base_url, hub: self.hub, depth }
    }
}

/// Where the links of a feed lead.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Links<'a> {
    /// The address of the site, with a final slash. Without one, links are relative to the feed, and
    /// names of items are no links.
    pub(crate) base_url: Option<&'a str>,
    /// The WebSub hub.
    pub(crate) hub: Option<&'a str>,
    /// Folders between the feed and the root of the site.
    pub(crate) depth: usize,
}

/// The body of an item, which is HTML: subscribers split each line at the first `": "`.
#[derive(Template)]
#[template(path = "feed_item.html")]
struct Description {
    status: &'static str,
    key: String,
    package: String,
    host: String,
    arch: String,
    tags: String,
}

/// Lines of text, which become HTML.
#[derive(Template)]
#[template(path = "feed_lines.html")]
struct Lines<'a> {
    lines: &'a [String],
}

/// The feed of all packages: the newest results.
pub(crate) fn overall(
    packages: &[&Package],
    selection: Selection,
    address: Address<'_>,
) -> Result<Feed, askama::Error> {
    let mut rows: Vec<(&Package, &Row)> = Vec::new();
    for package in packages {
        let newest = package.rows.iter().rev().filter(|row| selection.has(row)).take(ITEMS_MAX);
        rows.extend(newest.map(|row| (*package, row)));
    }
    rows.sort_by_key(|(_, row)| std::cmp::Reverse(row.key));
    rows.truncate(ITEMS_MAX);
    let links = address.at(1);
    let title = selection.titled("pony-build feed".to_owned());
    of_rows(&title, &rows, links, links.page(""), format!("rss2/{}", selection.name()))
}

/// The feed of a package: the newest result of every build line.
pub(crate) fn of_package(
    package: &Package,
    selection: Selection,
    address: Address<'_>,
) -> Result<Feed, askama::Error> {
    let lines = package.lines();
    let latest = lines.iter().map(|line| line.latest).filter(|row| selection.has(row));
    let mut rows: Vec<_> = latest.map(|row| (package, row)).collect();
    rows.sort_by_key(|(_, row)| std::cmp::Reverse(row.key));
    let links = address.at(3);
    let title = selection.titled(format!("pony-build feed for {}", text::name(&package.name)));
    let folder = package.folder();
    let own = format!("rss2/_generic/{folder}/{}", selection.name());
    of_rows(&title, &rows, links, links.page(&format!("p/{folder}/")), own)
}

fn of_rows(
    title: &str,
    rows: &[(&Package, &Row)],
    links: Links<'_>,
    link: String,
    own: String,
) -> Result<Feed, askama::Error> {
    let items = rows.iter().map(|(package, row)| Item::of_row(package, row, links));
    Ok(Feed {
        title: text::xml(title),
        description: "Test results from many machines.",
        link,
        own,
        base_url: links.base_url.map(str::to_owned),
        hub: links.hub.map(str::to_owned),
        built: rows.first().map(|(_, row)| row.received),
        items: items.collect::<Result<_, _>>()?,
    })
}

/// Lines of text as HTML.
pub(crate) fn lines_of_html(lines: &[String]) -> Result<String, askama::Error> {
    Lines { lines }.render()
}

impl Links<'_> {
    /// `folder` is relative to the root of the site: empty, or ends with a slash.
    pub(crate) fn page(self, folder: &str) -> String {
        match self.base_url {
            Some(base) => format!("{base}{folder}"),
            None => format!("{}{folder}index.html", "../".repeat(self.depth)),
        }
    }
}

impl Item {
    fn of_row(package: &Package, row: &Row, links: Links<'_>) -> Result<Self, askama::Error> {
        let link = links.page(&format!("p/{}/{}/", package.folder(), row.key));
        let name = text::name(&package.name);
        let status = if row.success { "success" } else { "failure" };
        let tags: Vec<&str> =
            row.tags.iter().map(String::as_str).filter(|tag| !tag.starts_with("__")).collect();
        let mut sorted = tags.clone();
        sorted.sort_unstable();
        sorted.dedup();
        let verdict = if row.success { "succeeded" } else { "FAILED" };
        let description = Description {
            status,
            key: row.key.to_string(),
            package: name.clone(),
            host: text::name(&row.host),
            arch: text::name(&row.arch),
            tags: text::name(&tags.join(", ")),
        };
        let title =
            format!("Package {name} build {verdict} (tags {})", text::name(&sorted.join(", ")));
        Ok(Self {
            title: text::xml(&title),
            guid: match links.base_url {
                Some(_) => link.clone(),
                None => format!("pony-result-{}", row.key),
            },
            is_perma_link: links.base_url.is_some(),
            link,
            description: text::xml(&description.render()?),
            published: row.received,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::tests::row;

    fn package(name: &str) -> Package {
        let rows = vec![row(1, "a", false), row(2, "b", false), row(3, "a", true)];
        crate::history::tests::package(name, rows)
    }

    fn address(base_url: Option<&str>) -> Address<'_> {
        Address { base_url, hub: None }
    }

    fn rss(feed: Result<Feed, askama::Error>) -> String {
        feed.unwrap().rss().unwrap()
    }

    #[test]
    fn items_say_what_the_original_collector_said() {
        let feed =
            rss(of_package(&package("p q"), Selection::All, address(Some("https://ci.example/"))));
        let item = &feed[feed.find("<item>").unwrap()..];
        let item = &item[..item.find("</item>").unwrap()];
        insta::assert_snapshot!(item, @r#"
        <item>
        <title>Package p q build succeeded (tags py3.14)</title>
        <link>https://ci.example/p/p~20q/1772334000000000007/</link>
        <guid isPermaLink="true">https://ci.example/p/p~20q/1772334000000000007/</guid>
        <description>status: success&#60;br&#62;result_key: 1772334000000000007&#60;br&#62;package: p q&#60;br&#62;build host: a&#60;br&#62;build arch: linux-x86_64&#60;br&#62;tags: py3.14</description>
        <pubDate>Sun, 01 Mar 2026 03:00:00 GMT</pubDate>
        <source url="https://ci.example/rss2/_generic/p~20q/all.xml">pony-build feed for p q</source>
        "#);
    }

    #[test]
    fn failed_feed_of_a_package_forgets_what_was_repaired() {
        let feed = rss(of_package(&package("p"), Selection::Failed, address(None)));
        assert_eq!(feed.matches("<item>").count(), 1, "{feed}");
        assert!(feed.contains("build host: b"));
        assert!(feed.contains("<title>Package p build FAILED (tags py3.14)</title>"));
    }

    #[test]
    fn without_an_address_links_are_relative_and_names_are_no_links() {
        let feed = rss(of_package(&package("p"), Selection::All, address(None)));
        assert!(
            feed.contains("<link>../../../p/p/1772334000000000007/index.html</link>"),
            "{feed}"
        );
        assert!(
            feed.contains("<guid isPermaLink=\"false\">pony-result-1772334000000000007</guid>")
        );
        let feed = rss(overall(&[&package("p")], Selection::All, address(None)));
        assert!(feed.contains("<link>../p/p/1772334000000000007/index.html</link>"), "{feed}");
    }

    #[test]
    fn feed_of_all_packages_has_the_newest_fifty() {
        let rows = |host: &str| (0..40).map(|hour| row(hour, host, hour % 4 != 0)).collect();
        let packages = ["a", "b"].map(|name| crate::history::tests::package(name, rows(name)));
        let packages = packages.each_ref();
        let feed = rss(overall(&packages, Selection::All, address(None)));
        assert_eq!(feed.matches("<item>").count(), 50);
        assert_eq!(feed.matches("build host: a").count(), 25);
        let failed = rss(overall(&packages, Selection::Failed, address(None)));
        assert_eq!(failed.matches("<item>").count(), 20);
    }

    #[test]
    fn feeds_of_nothing_are_feeds() {
        let feed = rss(overall(&[], Selection::All, address(None)));
        assert!(!feed.contains("lastBuildDate") && feed.contains("</channel>"));
    }
}
