//! What somebody should look at first.

use jiff::Timestamp;

use super::line::LineView;
use super::since::SinceView;
use super::stream::Listed;
use super::{ConcernView, ExcuseView};
use crate::analysis::{Kind, PackageHistory, Since};
use crate::history::Package;
use crate::text::{self, When};

/// Tests of one kind in a list.
const TESTS_MAX: usize = 15;

/// Machines in a list.
const MACHINES_MAX: usize = 10;

/// Things to look at, of one package or of several.
#[derive(Debug, Clone)]
pub(crate) struct Attention {
    pub(crate) newly_failing: Listed<Item<ConcernView>>,
    /// Build lines whose run fails though none of its tests does, or only known ones that do not explain it.
    pub(crate) broken: Listed<Item<BrokenView>>,
    pub(crate) silent: Listed<Item<SilentView>>,
    pub(crate) failing: Listed<Item<ConcernView>>,
    pub(crate) flaky: Listed<Item<ConcernView>>,
    pub(crate) fixed: Listed<Item<ConcernView>>,
    pub(crate) known: Listed<Item<ConcernView>>,
    /// Annotations that hold no longer.
    pub(crate) expired: Listed<Item<ExcuseView>>,
    pub(crate) vanished: Listed<Item<VanishedView>>,
}

/// A thing with the package that it belongs to, where there are several.
#[derive(Debug, Clone)]
pub(crate) struct Item<T> {
    pub(crate) package: Option<PackageLink>,
    pub(crate) it: T,
}

/// A package and its page.
#[derive(Debug, Clone)]
pub(crate) struct PackageLink {
    pub(crate) name: String,
    pub(crate) href: String,
}

/// A build line whose run fails.
#[derive(Debug, Clone)]
pub(crate) struct BrokenView {
    pub(crate) machine: String,
    pub(crate) since: SinceView,
}

/// A build line from which a result was expected.
#[derive(Debug, Clone)]
pub(crate) struct SilentView {
    pub(crate) machine: String,
    /// Its newest result.
    pub(crate) href: String,
    pub(crate) since: When,
    /// `every day`.
    pub(crate) usual: String,
}

/// A build line with tests that are gone.
#[derive(Debug, Clone)]
pub(crate) struct VanishedView {
    pub(crate) machine: String,
    /// `3 tests`.
    pub(crate) count: String,
    /// Where they are named.
    pub(crate) href: String,
}

impl Attention {
    /// Of several packages, for a page at the root of the site.
    pub(crate) fn of_all(packages: &[(&Package, &PackageHistory)], now: Timestamp) -> Self {
        let mut found = Found::default();
        for (package, history) in packages {
            let to_package = format!("p/{}/", package.folder());
            let link = PackageLink {
                name: text::name(&package.name),
                href: format!("{to_package}index.html"),
            };
            found.add(package, history, Some(&link), &to_package, now);
        }
        found.listed()
    }

    /// Of one package, for its own page.
    pub(crate) fn of_package(package: &Package, history: &PackageHistory, now: Timestamp) -> Self {
        let mut found = Found::default();
        found.add(package, history, None, "", now);
        found.listed()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.newly_failing.is_empty()
            && self.broken.is_empty()
            && self.silent.is_empty()
            && self.failing.is_empty()
            && self.flaky.is_empty()
            && self.fixed.is_empty()
            && self.known.is_empty()
            && self.expired.is_empty()
            && self.vanished.is_empty()
    }
}

/// Everything of each kind.
#[derive(Default)]
struct Found {
    /// With the result key of their last change, so that the newest come first.
    tests: Vec<(Kind, Option<pony_formats::ResultKey>, Item<ConcernView>)>,
    broken: Vec<Item<BrokenView>>,
    silent: Vec<Item<SilentView>>,
    vanished: Vec<Item<VanishedView>>,
    expired: Vec<Item<ExcuseView>>,
    /// How many tests of each kind there are beyond those that are listed of their package.
    more: std::collections::HashMap<Kind, usize>,
}

impl Found {
    fn add(
        &mut self,
        package: &Package,
        history: &PackageHistory,
        link: Option<&PackageLink>,
        to_package: &str,
        now: Timestamp,
    ) {
        let repository = package.repository();
        let concerns = history.concerns();
        let mut listed: std::collections::HashMap<Kind, usize> = std::collections::HashMap::new();
        for (rank, concern) in concerns.iter().enumerate() {
            let count = listed.entry(concern.kind).or_default();
            *count += 1;
            if *count > TESTS_MAX {
                *self.more.entry(concern.kind).or_default() += 1;
                continue;
            }
            let it = ConcernView::new(concern, rank, repository, to_package);
            let item = Item { package: link.cloned(), it };
            self.tests.push((concern.kind, concern.changed, item));
        }
        for line in &history.lines {
            let machine = LineView::machine(&line.history.name);
            let failing = history.broken(line);
            if let Some(since) = failing.and_then(|failing| Since::new(&line.history, failing)) {
                let since = SinceView::new(&since, repository, to_package);
                let it = BrokenView { machine: machine.clone(), since };
                self.broken.push(Item { package: link.cloned(), it });
            }
            if line.vanished_count > 0 {
                let count = text::counted(line.vanished_count, "test");
                let href = format!("{to_package}tests/index.html#vanished");
                let it = VanishedView { machine, count, href };
                self.vanished.push(Item { package: link.cloned(), it });
            }
        }
        let expired = history.excuses.expired.iter().map(ExcuseView::new);
        self.expired.extend(expired.map(|it| Item { package: link.cloned(), it }));
        for line in package.lines() {
            let silence = line.silence(now).filter(|silence| silence.is_news);
            let Some(silence) = silence else { continue };
            let it = SilentView {
                machine: LineView::machine(&line.latest.line()),
                href: format!("{to_package}{}/index.html", line.latest.key),
                since: When::of(silence.since),
                usual: match silence.usual_days {
                    1 => "every day".to_owned(),
                    days => format!("every {} days", text::count(days)),
                },
            };
            self.silent.push(Item { package: link.cloned(), it });
        }
    }

    fn listed(mut self) -> Attention {
        // Stable: tests that changed with the same result stay in their order.
        self.tests.sort_by_key(|(_, changed, _)| std::cmp::Reverse(*changed));
        let of = |kind: Kind| {
            let tests = self.tests.iter().filter(|(other, ..)| *other == kind);
            let items: Vec<_> = tests.map(|(.., item)| item.clone()).collect();
            let mut listed = Listed::new(items.into_iter(), TESTS_MAX);
            listed.more += self.more.get(&kind).copied().unwrap_or_default();
            listed
        };
        Attention {
            newly_failing: of(Kind::NewlyFailing),
            failing: of(Kind::Failing),
            flaky: of(Kind::Flaky),
            fixed: of(Kind::Fixed),
            known: of(Kind::Known),
            expired: Listed::new(self.expired.into_iter(), TESTS_MAX),
            broken: Listed::new(self.broken.into_iter(), MACHINES_MAX),
            silent: Listed::new(self.silent.into_iter(), MACHINES_MAX),
            vanished: Listed::new(self.vanished.into_iter(), MACHINES_MAX),
        }
    }
}
