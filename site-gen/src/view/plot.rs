//! Small plots as inline SVG: what a series of results looks like, in a picture and in words.
//!
//! Failures differ from the rest by their place and shape, not by colour alone. The words go into `title` and
//! `desc`, which screen readers read.

use crate::history::Row;
use crate::text::{self, When};

/// Units that one result has in a picture.
const SLOT: u32 = 20;

/// How wide and high a picture is.
pub(crate) const HEIGHT: u32 = 100;

/// The least height of a bar that stands for something.
const BAR_MIN: u32 = 4;

/// A picture of some results, oldest first.
#[derive(Debug, Clone)]
pub(crate) struct Plot {
    /// What the page calls its parts: `tests`, `durations`.
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    /// What can be seen, in words.
    pub(crate) desc: String,
    pub(crate) width: u32,
    pub(crate) marks: Vec<PlotMark>,
    /// Where the results stand: the oldest and the newest.
    pub(crate) from: String,
    pub(crate) to: String,
    /// What the upper edge stands for.
    pub(crate) top: String,
}

/// A rectangle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PlotMark {
    pub(crate) class: &'static str,
    pub(crate) x: u32,
    pub(crate) y: u32,
    pub(crate) width: u32,
    pub(crate) height: u32,
}

impl Plot {
    /// How many tests passed, were skipped and failed. `None` when there is nothing to see.
    pub(crate) fn tests(rows: &[Row]) -> Option<Self> {
        let most = rows.iter().map(|row| row.tests.total).max().filter(|most| *most > 0)?;
        // The counts come from outside: multiply in 128 bits.
        let height = |count: u64| match count {
            0 => 0,
            _ => ((u128::from(count) * u128::from(HEIGHT) / u128::from(most)) as u32)
                .clamp(BAR_MIN, HEIGHT),
        };
        let mut marks = Vec::new();
        for (at, row) in (0..).zip(rows) {
            let bad = height(row.tests.bad());
            let none = height(row.tests.skipped).min(HEIGHT - bad);
            let ok = height(row.tests.passed).min(HEIGHT - bad - none);
            // Failures hang from the top, where they cannot be overlooked; the rest stands on the ground.
            let parts =
                [("bad", 0, bad), ("ok", HEIGHT - ok, ok), ("none", HEIGHT - ok - none, none)];
            marks.extend(parts.into_iter().filter(|(_, _, height)| *height > 0).map(
                |(class, y, height)| PlotMark { class, x: at * SLOT, y, width: SLOT - 4, height },
            ));
        }
        let failed = rows.iter().filter(|row| row.tests.bad() > 0).count();
        let least = rows.iter().map(|row| row.tests.total).min().unwrap_or_default();
        let desc = format!(
            "{}, oldest first: {} to {} tests; {} with failing tests{}",
            text::counted(rows.len(), "result"),
            text::count(least),
            text::count(most),
            text::count(failed),
            match rows.last().map(|row| row.tests.bad()) {
                Some(bad) if bad > 0 => format!(", {} in the newest", text::count(bad)),
                _ => String::new(),
            }
        );
        Self::new("tests", "Tests", desc, rows, marks, format!("{} tests", text::count(most)))
    }

    /// The share of tests that passed, of those that ran. `None` when fewer than two results say so.
    pub(crate) fn pass_rate(rows: &[Row]) -> Option<Self> {
        let rate = |row: &Row| {
            let (good, bad) = (row.tests.passed as f64, row.tests.bad() as f64);
            (good + bad > 0.0).then(|| good / (good + bad))
        };
        let known: Vec<f64> = rows.iter().filter_map(rate).collect();
        let (newest, lowest) = (*known.last()?, known.iter().copied().reduce(f64::min)?);
        if known.len() < 2 {
            return None;
        }
        let mut marks = Vec::new();
        for (at, row) in (0..).zip(rows) {
            let Some(rate) = rate(row) else { continue };
            // Rounded down: only when all tests passed does a bar reach the top.
            let height = ((rate * f64::from(HEIGHT)) as u32).clamp(BAR_MIN, HEIGHT);
            let class = if rate < 1.0 { "bad-edge" } else { "calm" };
            let mark =
                PlotMark { class, x: at * SLOT, y: HEIGHT - height, width: SLOT - 4, height };
            marks.push(mark);
        }
        let all = known.iter().filter(|rate| **rate >= 1.0).count();
        let desc = format!(
            "{}, oldest first: all tests passed in {}; {} at least, {} in the newest",
            text::counted(known.len(), "result"),
            text::count(all),
            percent(lowest),
            percent(newest)
        );
        Self::new("rate", "Pass rate", desc, rows, marks, "100 %".to_owned())
    }

    /// How long the results took. `None` when fewer than two of them say so.
    pub(crate) fn durations(rows: &[Row]) -> Option<Self> {
        let known: Vec<f64> = rows.iter().filter_map(|row| row.duration).filter(is_time).collect();
        let longest = known.iter().copied().reduce(f64::max).filter(|longest| *longest > 0.0)?;
        let shortest = known.iter().copied().reduce(f64::min)?;
        if known.len() < 2 {
            return None;
        }
        let mut marks = Vec::new();
        for (at, row) in (0..).zip(rows) {
            let Some(seconds) = row.duration.filter(is_time) else { continue };
            let height = ((seconds / longest * f64::from(HEIGHT)) as u32).clamp(BAR_MIN, HEIGHT);
            let class = if row.success { "calm" } else { "bad-edge" };
            let mark =
                PlotMark { class, x: at * SLOT, y: HEIGHT - height, width: SLOT - 4, height };
            marks.push(mark);
        }
        let newest = rows.iter().rev().find_map(|row| row.duration).unwrap_or_default();
        let desc = format!(
            "{}, oldest first: {} to {}, the newest {}",
            text::counted(known.len(), "result"),
            text::duration(shortest),
            text::duration(longest),
            text::duration(newest)
        );
        Self::new("durations", "Duration", desc, rows, marks, text::duration(longest))
    }

    fn new(
        name: &'static str,
        title: &'static str,
        desc: String,
        rows: &[Row],
        marks: Vec<PlotMark>,
        top: String,
    ) -> Option<Self> {
        let day = |row: Option<&Row>| row.map(|row| When::of(row.received).text);
        let width = u32::try_from(rows.len()).unwrap_or(u32::MAX / SLOT) * SLOT;
        let (from, to) = (day(rows.first())?, day(rows.last())?);
        Some(Self { name, title, desc, width, marks, from, to, top })
    }
}

/// With one digit, rounded down: 100 % are all of them.
fn percent(share: f64) -> String {
    format!("{:.1} %", (share * 1000.0).floor() / 10.0)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "filters call it so")]
fn is_time(seconds: &f64) -> bool {
    seconds.is_finite() && *seconds >= 0.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::tests::row;
    use pony_formats::Tally;

    #[test]
    fn what_can_be_seen_can_be_read() {
        let mut rows = vec![row(1, "a", true), row(2, "a", false), row(3, "a", false)];
        rows[0].tests = Tally { total: 10, passed: 10, ..Tally::default() };
        rows[2].duration = Some(120.0);
        let tests = Plot::tests(&rows).unwrap();
        assert_eq!(
            tests.desc,
            "3 results, oldest first: 10 to 12 tests; 2 with failing tests, 1 in the newest"
        );
        let rates = Plot::pass_rate(&rows).unwrap();
        assert_eq!(
            rates.desc,
            "3 results, oldest first: all tests passed in 1; 90.9 % at least, 90.9 % in the newest"
        );
        assert_eq!([rates.marks[0].height, rates.marks[1].height], [HEIGHT, 90]);
        let durations = Plot::durations(&rows).unwrap();
        assert_eq!(
            durations.desc,
            "3 results, oldest first: 1 min 2 s to 2 min 0 s, the newest 2 min 0 s"
        );
        assert_eq!(durations.marks[2].height, HEIGHT);
    }

    #[test]
    fn marks_never_leave_their_frame_whatever_is_claimed() {
        let mut rows = vec![row(1, "a", true), row(2, "a", false), row(3, "a", true)];
        let max = u64::MAX;
        rows[0].tests = Tally { total: max, passed: max, failed: max, errored: max, skipped: max };
        rows[0].duration = Some(f64::INFINITY);
        rows[1].duration = Some(-5.0);
        rows[2].duration = Some(1e300);
        let plots = [Plot::tests(&rows), Plot::pass_rate(&rows), Plot::durations(&rows)];
        let plots = plots.into_iter().flatten();
        for mark in plots.flat_map(|plot| plot.marks) {
            assert!(mark.y + mark.height <= HEIGHT, "{mark:?}");
        }
    }

    #[test]
    fn nothing_to_see_is_no_plot() {
        let mut silent = row(1, "a", true);
        silent.tests = Tally::default();
        silent.duration = None;
        assert!(Plot::tests(&[]).is_none() && Plot::durations(&[]).is_none());
        assert!(Plot::pass_rate(&[]).is_none());
        assert!(Plot::pass_rate(&[silent.clone(), silent.clone()]).is_none());
        assert!(Plot::tests(std::slice::from_ref(&silent)).is_none());
        assert!(Plot::durations(&[silent]).is_none());
    }
}
