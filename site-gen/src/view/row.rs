//! One result in a list, and strips of recent ones.

use jiff::Timestamp;
use pony_formats::Tally;

use super::since::{CommitView, page_of};
use super::{LineView, Status};
use crate::history::Row;
use crate::text::{self, When};

/// Stands for an empty host: a link needs words.
pub(super) const UNNAMED: &str = "unnamed machine";

/// A result in a list.
#[derive(Debug, Clone)]
pub(crate) struct RowView {
    /// Its page.
    pub(crate) href: String,
    /// The page of its build line.
    pub(crate) line: String,
    pub(crate) status: Status,
    pub(crate) received: When,
    pub(crate) stale: bool,
    pub(crate) host: String,
    pub(crate) arch: String,
    pub(crate) tags: Vec<String>,
    pub(crate) duration: Option<String>,
    pub(crate) tests: TestsView,
    /// What was tested, and the page of all results of it.
    pub(crate) commit: Option<CommitLink>,
}

/// A commit and its page.
#[derive(Debug, Clone)]
pub(crate) struct CommitLink {
    pub(crate) label: String,
    pub(crate) href: String,
}

impl RowView {
    /// `to_package` leads from the page to the folder of the package.
    pub(crate) fn new(row: &Row, to_package: &str, now: Timestamp) -> Self {
        Self {
            href: format!("{to_package}{}/index.html", row.key),
            line: format!("{to_package}{}", LineView::page(&row.line())),
            status: Status::of_success(row.success),
            received: When::of(row.received),
            stale: row.is_stale(now),
            host: if row.host.is_empty() { UNNAMED.to_owned() } else { text::name(&row.host) },
            arch: text::name(&row.arch),
            tags: shown_tags(row.tags.iter().map(String::as_str)),
            duration: row.duration.map(text::duration),
            tests: TestsView::new(row.tests),
            commit: row.tested.is_exact().then(|| CommitLink {
                label: CommitView::short(&row.tested.commit),
                href: format!("{to_package}{}", page_of(&row.tested.commit)),
            }),
        }
    }
}

/// The tags for people: members beginning `__` are the protocol's.
pub(super) fn shown_tags<'a>(tags: impl Iterator<Item = &'a str>) -> Vec<String> {
    tags.filter(|tag| !tag.starts_with("__")).map(text::name).collect()
}

/// Counts of tests in words and as a bar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TestsView {
    /// The shortest useful form: `3 of 5,120 failed`.
    pub(crate) brief: String,
    /// Every count that is not zero.
    pub(crate) words: String,
    pub(crate) bad: bool,
    pub(crate) bar: Vec<Segment>,
}

/// A part of a bar that is a thousand units wide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) class: &'static str,
    pub(crate) x: u64,
    pub(crate) width: u64,
}

/// The width of a bar.
const BAR: u64 = 1000;

/// The least width of a segment: one failure among ten thousand tests must be seen.
const SEGMENT_MIN: u64 = 24;

impl TestsView {
    pub(crate) fn new(tally: Tally) -> Self {
        let counts = [
            (tally.failed, "failed"),
            (tally.errored, "errored"),
            (tally.passed, "passed"),
            (tally.skipped, "skipped"),
        ];
        let present = counts.iter().filter(|(count, _)| *count > 0);
        let words: Vec<_> =
            present.map(|(count, word)| format!("{} {word}", text::count(*count))).collect();
        let brief = match tally {
            Tally { total: 0, .. } => "no tests".to_owned(),
            _ if tally.bad() > 0 => {
                format!("{} of {} failed", text::count(tally.bad()), text::count(tally.total))
            }
            Tally { passed: 0, .. } => format!("{} skipped", text::count(tally.skipped)),
            _ => format!("{} passed", text::count(tally.passed)),
        };
        Self { brief, words: words.join(", "), bad: tally.bad() > 0, bar: bar(tally) }
    }
}

fn bar(tally: Tally) -> Vec<Segment> {
    let total = tally.total.max(1);
    // The counts come from outside: multiply in 128 bits.
    let share = |count: u64| (u128::from(count) * u128::from(BAR) / u128::from(total)) as u64;
    let least = |count: u64| if count == 0 { 0 } else { share(count).clamp(SEGMENT_MIN, BAR) };
    let bad = least(tally.bad());
    let skipped = least(tally.skipped).min(BAR - bad);
    let passed = if tally.passed == 0 { 0 } else { BAR - bad - skipped };
    let parts = [("bad", bad), ("ok", passed), ("none", skipped)];
    let mut x = 0;
    let mut segments = Vec::new();
    for (class, width) in parts {
        if width > 0 {
            segments.push(Segment { class, x, width });
        }
        x += width;
    }
    segments
}

/// Recent results as a row of small shapes, oldest first.
#[derive(Debug, Clone)]
pub(crate) struct Strip {
    /// What the shapes say, in words.
    pub(crate) label: String,
    pub(crate) marks: Vec<Mark>,
}

/// One shape of a strip.
#[derive(Debug, Clone)]
pub(crate) struct Mark {
    pub(crate) status: Status,
}

impl Strip {
    /// The first `length` of `newest_first`.
    pub(crate) fn new<'a>(newest_first: impl Iterator<Item = &'a Row>, length: usize) -> Self {
        let mark = |row: &Row| Mark { status: Status::of_success(row.success) };
        let mut marks: Vec<_> = newest_first.take(length).map(mark).collect();
        marks.reverse();
        let failed = marks.iter().filter(|mark| mark.status == Status::Failed).count();
        let label = match marks.len() {
            0 => "no results".to_owned(),
            1 if failed == 1 => "one result, failed".to_owned(),
            1 => "one result, passed".to_owned(),
            many => format!("last {many} results: {} passed, {failed} failed", many - failed),
        };
        Self { label, marks }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(passed: u64, failed: u64, errored: u64, skipped: u64) -> Tally {
        let total = [passed, failed, errored, skipped].into_iter().fold(0, u64::saturating_add);
        Tally { total, passed, failed, errored, skipped }
    }

    #[test]
    fn counts_say_the_worst_first() {
        let brief = |t| TestsView::new(t).brief;
        assert_eq!(brief(tally(0, 0, 0, 0)), "no tests");
        assert_eq!(brief(tally(5117, 2, 1, 0)), "3 of 5,120 failed");
        assert_eq!(brief(tally(5, 0, 0, 2)), "5 passed");
        assert_eq!(brief(tally(0, 0, 0, 2)), "2 skipped");
        assert_eq!(TestsView::new(tally(5, 1, 0, 2)).words, "1 failed, 5 passed, 2 skipped");
    }

    #[test]
    fn one_failure_among_many_can_be_seen() {
        let bar = TestsView::new(tally(1_000_000, 1, 0, 0)).bar;
        assert_eq!(bar[0], Segment { class: "bad", x: 0, width: SEGMENT_MIN });
        assert_eq!(bar[1], Segment { class: "ok", x: SEGMENT_MIN, width: BAR - SEGMENT_MIN });
    }

    #[test]
    fn bars_never_leave_their_frame() {
        let max = u64::MAX;
        for t in [
            tally(max, max, max, max),
            tally(0, 1, 0, max),
            tally(1, 10_000, 0, 1),
            tally(0, 0, 0, 0),
        ] {
            let bar = TestsView::new(t).bar;
            assert!(bar.last().is_none_or(|last| last.x + last.width <= BAR), "{t:?} {bar:?}");
        }
    }
}
