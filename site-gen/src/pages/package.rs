//! `p/<package>/index.html`: the latest result of every build line.

use askama::Template;
use jiff::Timestamp;

use super::{FeedLink, Frame, UnreadableList};
use crate::analysis::PackageHistory;
use crate::digest::Digest;
use crate::history::Package;
use crate::text;
use crate::view::{Attention, Matrix, Plot, RowView, Status, Strip};

/// Results in the strip of a build line.
const STRIP: usize = 12;

#[derive(Template)]
#[template(path = "package.html", whitespace = "minimize")]
struct PackagePage {
    frame: Frame,
    name: String,
    status: Status,
    lead: String,
    total: String,
    attention: Attention,
    matrix: Matrix,
    /// Of the newest results of all build lines.
    plot: Option<Plot>,
    lines: Vec<LineRow>,
    unreadable: UnreadableList,
}

struct LineRow {
    latest: RowView,
    strip: Strip,
}

/// The page.
pub(crate) fn package(
    package: &Package,
    history: &PackageHistory,
    now: Timestamp,
) -> Result<String, askama::Error> {
    let name = text::name(&package.name);
    let digest = Digest::of(package, now);
    let feed = |title, file| FeedLink {
        title,
        href: format!("../../rss2/_generic/{}/{file}.xml", package.folder()),
    };
    let mut frame = Frame::new(name.clone(), 2).crumb(name.clone(), None);
    frame.feeds = vec![
        feed("Feed of changes", "changes"),
        feed("Feed of all results", "all"),
        feed("Feed of failures", "failed"),
    ];
    frame.commit = package.commit().map(str::to_owned);
    frame.description = Some(format!("{name}: {}", lead(digest)));
    let lines = package.lines();
    let lines = lines.iter().map(|line| LineRow {
        latest: RowView::new(line.latest, "", now),
        strip: Strip::new(line.rows.iter().copied(), STRIP),
    });
    let page = PackagePage {
        frame,
        name,
        status: digest.status(),
        lead: lead(digest),
        total: text::count(package.results),
        attention: Attention::of_package(package, history, now),
        matrix: Matrix::new(package, &history.trunk),
        plot: Plot::pass_rate(package.recent()),
        lines: lines.collect(),
        unreadable: UnreadableList::new(package, ""),
    };
    page.render()
}

fn lead(digest: Digest) -> String {
    let mut lead = text::counted(digest.lines, "build line");
    match digest.failing {
        0 => lead.push_str(", none failing"),
        failing => lead.push_str(&format!(", {} failing", text::count(failing))),
    }
    if digest.stale > 0 {
        lead.push_str(&format!(", {} stale", text::count(digest.stale)));
    }
    lead
}
