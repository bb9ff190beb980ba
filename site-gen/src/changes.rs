//! The feed of changes: what began to fail and what was repaired, one item for each result that changed
//! something. A result like the one before it is no item.

use jiff::Timestamp;

use crate::SiteError;
use crate::analysis::{Commit, LineDigest, LineName, PackageHistory, Turn};
use crate::feeds::{self, Address, Feed, Item, Links};
use crate::history::Package;
use crate::text;
use crate::view::LineView;

/// The last part of the feed's address.
pub(crate) const NAME: &str = "changes";

/// Items of a feed.
const ITEMS_MAX: usize = 50;

/// Tests that an item names of each kind.
const NAMED_MAX: usize = 20;

/// A change with what it belongs to.
type Change<'a> = (&'a Package, &'a LineDigest, &'a Commit, Turn<'a>);

/// The feed of all packages.
pub(crate) fn overall(
    packages: &[(&Package, &PackageHistory)],
    address: Address<'_>,
) -> Result<Feed, SiteError> {
    let changes = packages.iter().flat_map(|(package, history)| of(package, history));
    let mut changes: Vec<_> = changes.collect();
    changes.sort_by_key(|(_, _, commit, _)| std::cmp::Reverse(commit.key));
    changes.truncate(ITEMS_MAX);
    let links = address.at(1);
    let title = "Test results: newly failing and fixed".to_owned();
    feed(title, &changes, links, links.page(""), format!("rss2/{NAME}"))
}

/// The feed of a package.
pub(crate) fn of_package(
    package: &Package,
    history: &PackageHistory,
    address: Address<'_>,
) -> Result<Feed, SiteError> {
    let links = address.at(3);
    let folder = package.folder();
    let title = format!("{}: newly failing and fixed", text::name(&package.name));
    let own = format!("rss2/_generic/{folder}/{NAME}");
    feed(title, &of(package, history), links, links.page(&format!("p/{folder}/")), own)
}

/// The feed of a build line, whose `history` has that line only.
pub(crate) fn of_line(
    package: &Package,
    line: &LineName,
    history: &PackageHistory,
    address: Address<'_>,
) -> Result<Feed, SiteError> {
    let links = address.at(4);
    let (package_name, machine) = (text::name(&package.name), LineView::machine(line));
    let title = format!("{package_name} on {machine}: newly failing and fixed");
    let folder = format!("p/{}/line/{}/", package.folder(), line.file());
    let own = format!("{folder}{NAME}");
    feed(title, &of(package, history), links, links.page(&folder), own)
}

fn of<'a>(package: &'a Package, history: &'a PackageHistory) -> Vec<Change<'a>> {
    let turns = history.turns(ITEMS_MAX).into_iter();
    turns.map(|(line, commit, turn)| (package, line, commit, turn)).collect()
}

fn feed(
    title: String,
    changes: &[Change<'_>],
    links: Links<'_>,
    link: String,
    own: String,
) -> Result<Feed, SiteError> {
    let items = changes.iter().map(|change| item(change, links)).collect::<Result<_, _>>()?;
    Ok(Feed {
        title: text::xml(&title),
        description: "What began to fail and what was repaired, as soon as it is known.",
        link,
        own,
        base_url: links.base_url.map(str::to_owned),
        hub: links.hub.map(str::to_owned),
        built: changes.first().map(|(_, _, commit, _)| commit.key.time()),
        items,
    })
}

fn item(
    (package, line, commit, turn): &Change<'_>,
    links: Links<'_>,
) -> Result<Item, askama::Error> {
    let received: Timestamp = commit.key.time();
    let mut parts = Vec::new();
    for (tests, word) in [(&turn.failing, "newly failing"), (&turn.fixed, "fixed")] {
        match tests.as_slice() {
            [] => {}
            [one] => parts.push(format!("{} {word}", text::name(one))),
            many => parts.push(format!("{} {word}", text::counted(many.len(), "test"))),
        }
    }
    if parts.is_empty() {
        parts.push(match turn.whole {
            Some(true) => "the run fails, though no test does newly".to_owned(),
            _ => "the run succeeds again".to_owned(),
        });
    }
    let machine = LineView::machine(&line.history.name);
    let title = format!("{}: {} on {machine}", text::name(&package.name), parts.join(", "));
    let mut lines = vec![format!("build line: {machine}")];
    if let Some(id) = commit.id() {
        lines.push(format!("commit: {id}"));
    }
    for (tests, word) in [(&turn.failing, "newly failing"), (&turn.fixed, "fixed")] {
        lines.extend(tests.iter().take(NAMED_MAX).map(|id| format!("{word}: {}", text::name(id))));
        if tests.len() > NAMED_MAX {
            lines.push(format!("{word}: {} more", text::count(tests.len() - NAMED_MAX)));
        }
    }
    Ok(Item {
        title: text::xml(&title),
        link: links.page(&format!("p/{}/{}/", package.folder(), commit.key)),
        // The result that brought the change; it stays the same whatever comes later.
        guid: format!("pony-change-{}", commit.key),
        is_perma_link: false,
        description: text::xml(&feeds::lines_of_html(&lines)?),
        published: received,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::tests::row;

    fn history() -> PackageHistory {
        let line = crate::analysis::line_of_results(
            "a <b>",
            &[
                ("aaaaaaa", &[("t", 'P'), ("u", 'F')]),
                ("bbbbbbb", &[("t", 'F'), ("u", 'P')]),
                ("ccccccc", &[("t", 'F'), ("u", 'P')]),
            ],
        );
        PackageHistory::of(Default::default(), 1, |_| Some(line.clone())).unwrap()
    }

    #[test]
    fn only_results_that_changed_something_are_items() {
        let package = crate::history::tests::package("p", vec![row(1, "a", true)]);
        let address = Address { base_url: Some("https://ci.example/"), hub: None };
        let feed = of_package(&package, &history(), address).unwrap().rss().unwrap();
        assert_eq!(feed.matches("<item>").count(), 1);
        let item = &feed[feed.find("<item>").unwrap()..feed.find("</item>").unwrap()];
        insta::assert_snapshot!(item);
    }

    #[test]
    fn a_feed_without_changes_is_a_feed() {
        let feed = overall(&[], Address::default()).unwrap().rss().unwrap();
        assert!(!feed.contains("<item>") && feed.contains("</channel>"));
    }
}
