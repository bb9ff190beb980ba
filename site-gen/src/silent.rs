//! The feed of silent machines: build lines from which a result was expected, by their own rhythm.

use jiff::{SignedDuration, Timestamp};

use crate::SiteError;
use crate::feeds::{self, Address, Feed, Item, Links};
use crate::history::Package;
use crate::text;
use crate::view::LineView;

/// The last part of the feed's address.
pub(crate) const NAME: &str = "silent";

/// Items of the feed.
const ITEMS_MAX: usize = 50;

/// The feed of all packages, as it is `now`.
pub(crate) fn overall(
    packages: &[&Package],
    address: Address<'_>,
    now: Timestamp,
) -> Result<Feed, SiteError> {
    let links = address.at(1);
    let mut items = Vec::new();
    for package in packages {
        items.extend(of(package, links, now)?);
    }
    items.sort_by_key(|item| std::cmp::Reverse(item.published));
    items.truncate(ITEMS_MAX);
    Ok(Feed {
        title: "Test results: silent machines".to_owned(),
        description: "Machines that used to send results, and do not any more.",
        link: links.page(""),
        own: format!("rss2/{NAME}"),
        base_url: links.base_url.map(str::to_owned),
        hub: links.hub.map(str::to_owned),
        built: items.first().map(|item| item.published),
        items,
    })
}

fn of(package: &Package, links: Links<'_>, now: Timestamp) -> Result<Vec<Item>, SiteError> {
    let mut items = Vec::new();
    for line in package.lines() {
        let Some(silence) = line.silence(now).filter(|silence| silence.is_news) else { continue };
        let machine = LineView::machine(&line.latest.line());
        let last = text::When::of(silence.since).text;
        let usual = match silence.usual_days {
            1 => "every day".to_owned(),
            days => format!("every {} days", text::count(days)),
        };
        let lines = [
            format!("build line: {machine}"),
            format!("last result: {last} UTC"),
            format!("usually: {usual}"),
        ];
        let patience = SignedDuration::from_hours(silence.usual_days.saturating_mul(48));
        let title = format!("{}: {machine} is silent", text::name(&package.name));
        items.push(Item {
            title: text::xml(&title),
            link: links.page(&format!("p/{}/{}/", package.folder(), line.latest.key)),
            // Once for each silence: the next one begins with another result.
            guid: format!("pony-silent-{}", line.latest.key),
            is_perma_link: false,
            description: text::xml(&feeds::lines_of_html(&lines)?),
            published: silence.since.checked_add(patience).unwrap_or(silence.since),
        });
    }
    Ok(items)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::tests::row;

    #[test]
    fn a_machine_that_stops_is_one_item_for_as_long_as_it_is_silent() {
        let rows = (0..5).map(|day| row(day * 24, "atlas", true)).collect();
        let package = crate::history::tests::package("cart", rows);
        let newest = package.latest().unwrap().received;
        let address = Address { base_url: Some("https://ci.example/"), hub: None };
        let feed = |hours: i64| {
            let now = newest + SignedDuration::from_hours(hours);
            overall(&[&package], address, now).unwrap()
        };
        assert!(feed(40).items.is_empty());
        let (sooner, later) = (feed(50), feed(200));
        assert_eq!(sooner.items[0].guid, later.items[0].guid);
        assert_eq!(sooner.rss().unwrap(), later.rss().unwrap(), "nothing new to say");
        assert_eq!(sooner.items[0].title, "cart: atlas linux-x86_64 (py3.14) is silent");
    }
}
