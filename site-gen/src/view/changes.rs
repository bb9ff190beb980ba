//! What changed since another result, ready to be shown.

use super::stream::Listed;
use crate::analysis::{Comparison, Named};
use crate::text;

/// Transitions between two results.
#[derive(Debug, Clone)]
pub(crate) struct ChangesView {
    /// The earlier result's page.
    pub(crate) href: String,
    /// The two results side by side, for those who run scripts.
    pub(crate) compare: String,
    pub(crate) groups: Vec<ChangeGroup>,
    /// How many tests fail in both; `None` when none does.
    pub(crate) still_failing: Option<String>,
}

/// Tests with the same transition.
#[derive(Debug, Clone)]
pub(crate) struct ChangeGroup {
    pub(crate) status: super::Status,
    pub(crate) title: &'static str,
    pub(crate) tests: Listed<ChangedTest>,
}

/// A test, and what there is to say of it.
#[derive(Debug, Clone)]
pub(crate) struct ChangedTest {
    pub(crate) id: String,
    /// `12 ms → 1.4 s`.
    pub(crate) note: Option<String>,
}

impl ChangesView {
    /// For the page of the later result, which is called `key`.
    pub(crate) fn new(comparison: &Comparison, key: &str) -> Self {
        use super::Status;
        let plain = |id: &String| ChangedTest { id: text::name(id), note: None };
        let slower = group(Status::Warning, "Slower", &comparison.slower, |test| ChangedTest {
            id: text::name(&test.id),
            note: Some(format!("{} → {}", text::duration(test.before), text::duration(test.after))),
        });
        let groups = [
            group(Status::Failed, "Newly failing", &comparison.newly_failing, plain),
            group(Status::Passed, "Fixed", &comparison.fixed, plain),
            group(Status::Unknown, "Vanished", &comparison.vanished, plain),
            group(Status::Unknown, "New", &comparison.new, plain),
            slower,
        ];
        let before = comparison.before;
        Self {
            href: format!("../{before}/index.html"),
            compare: format!("../compare/index.html?a={before}&b={key}"),
            groups: groups.into_iter().filter(|group| !group.tests.is_empty()).collect(),
            still_failing: (comparison.still_failing > 0)
                .then(|| text::counted(comparison.still_failing, "test")),
        }
    }
}

fn group<T>(
    status: super::Status,
    title: &'static str,
    named: &Named<T>,
    view: impl Fn(&T) -> ChangedTest,
) -> ChangeGroup {
    let items: Vec<_> = named.tests.iter().map(view).collect();
    let more = named.count - items.len();
    ChangeGroup { status, title, tests: Listed { items, more } }
}
