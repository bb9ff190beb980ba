//! `p/<package>/line/<line>/index.html`: one build line: its tests against its commits, how long it takes, its
//! newest results.

use askama::Template;
use jiff::Timestamp;

use super::{FeedLink, Frame};
use crate::analysis::{LineHistory, LineName, Recent, Repository, SERIES_MAX, steps};
use crate::history::Row;
use crate::text::{self, When};
use crate::view::{Grid, LineView, Plot, RowView, Status};

/// Results that are remembered of a build line, and listed on its page.
pub(crate) const RECENT_MAX: usize = SERIES_MAX;

#[derive(Template)]
#[template(path = "line.html", whitespace = "minimize")]
struct LinePage {
    frame: Frame,
    package: String,
    host: String,
    arch: String,
    tags: Vec<String>,
    machine: String,
    history: String,
    status: Status,
    total: String,
    latest: When,
    latest_href: String,
    plots: Vec<Plot>,
    steps: Vec<StepNote>,
    grid: Option<Grid>,
    rows: Vec<RowView>,
}

/// Where the duration went up or down.
struct StepNote {
    status: Status,
    /// `1.6 times as long`.
    what: String,
    /// `12 s → 19 s`.
    levels: String,
    /// The first result on the new level.
    href: String,
    received: When,
    commit: Option<String>,
}

/// The page. `None` when the line has no result. `history` is left out when no result is on the main line.
pub(crate) fn line(
    package: &str,
    name: &LineName,
    recent: &Recent,
    history: Option<&LineHistory>,
    repository: Option<&Repository>,
) -> Result<Option<String>, askama::Error> {
    let Some(latest) = recent.latest() else { return Ok(None) };
    let package = text::name(package);
    let machine = LineView::machine(name);
    let mut frame = Frame::new(format!("{machine} · {package}"), 4)
        .crumb(package.clone(), Some("../../index.html"))
        .crumb(machine, None);
    frame.commit = Some(latest.commit.clone());
    frame.feeds =
        vec![FeedLink { title: "Changes of this build line", href: "changes.xml".into() }];
    let tests = crate::view::TestsView::new(latest.tests).brief;
    frame.description = Some(format!("Latest result: {tests}"));
    let grid = history.filter(|line| line.newest > 0).map(|line| Grid::new(line, repository));
    let page = LinePage {
        frame,
        package,
        host: LineView::host(name),
        arch: text::name(&name.arch),
        tags: LineView::tags(name),
        machine: format!("../../../../{}", LineView::machine_page(&name.host)),
        history: format!("../../history/{}.json", name.file()),
        status: Status::of_success(latest.success),
        total: text::counted(recent.results, "result"),
        latest: When::of(latest.received),
        latest_href: format!("../../{}/index.html", latest.key),
        plots: [Plot::tests, Plot::pass_rate, Plot::durations]
            .into_iter()
            .filter_map(|plot| plot(&recent.rows))
            .collect(),
        steps: step_notes(&recent.rows),
        grid,
        rows: recent
            .rows
            .iter()
            .rev()
            .map(|row| RowView::new(row, "../../", Timestamp::MIN))
            .collect(),
    };
    page.render().map(Some)
}

/// Of the results that say how long they took.
fn step_notes(rows: &[Row]) -> Vec<StepNote> {
    let timed: Vec<(&Row, f64)> = rows
        .iter()
        .filter_map(|row| Some((row, row.duration?)))
        .filter(|(_, seconds)| seconds.is_finite() && *seconds > 0.0)
        .collect();
    let seconds: Vec<f64> = timed.iter().map(|(_, seconds)| *seconds).collect();
    let note = |step: crate::analysis::LevelStep| {
        let (row, _) = timed.get(step.at)?;
        let is_slower = step.after > step.before;
        let ratio = (step.after / step.before).max(step.before / step.after);
        Some(StepNote {
            status: if is_slower { Status::Warning } else { Status::Passed },
            what: format!("{ratio:.1} times as {}", if is_slower { "long" } else { "fast" }),
            levels: format!("{} → {}", text::duration(step.before), text::duration(step.after)),
            href: format!("../../{}/index.html", row.key),
            received: When::of(row.received),
            commit: row
                .tested
                .is_exact()
                .then(|| crate::view::CommitView::short(&row.tested.commit)),
        })
    };
    steps(&seconds).into_iter().rev().filter_map(note).collect()
}
