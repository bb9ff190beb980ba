//! `index.html`: all packages, the failing ones first.

use askama::Template;
use jiff::Timestamp;
use pony_store::Cut;

use super::{FeedLink, Frame};
use crate::analysis::PackageHistory;
use crate::annotations::Annotations;
use crate::digest::Digest;
use crate::history::Package;
use crate::text::{self, When};
use crate::view::{ArchiveView, Attention, Listed, ProblemView, Status, Strip, TestsView};

/// Results in the strip of a package.
const STRIP: usize = 24;

#[derive(Template)]
#[template(path = "index.html", whitespace = "minimize")]
struct Index {
    frame: Frame,
    lead: String,
    attention: Attention,
    /// In files of annotations.
    problems: Listed<ProblemView>,
    packages: Vec<PackageRow>,
    archives: Vec<ArchiveView>,
}

struct PackageRow {
    href: String,
    name: String,
    status: Status,
    /// `2 of 6 failing`.
    lines: String,
    /// `1 stale`.
    note: Option<String>,
    tests: TestsView,
    strip: Strip,
    last: Option<When>,
}

/// The page. `packages` are sorted by name; `cuts` are results that were moved elsewhere,
/// of the `annotations`, what is wrong is shown.
pub(crate) fn index(
    packages: &[(&Package, &PackageHistory)],
    cuts: &[Cut],
    annotations: &Annotations,
    commit: &str,
    now: Timestamp,
) -> Result<String, askama::Error> {
    let mut rows: Vec<_> =
        packages.iter().map(|(package, _)| PackageRow::new(package, now)).collect();
    rows.sort_by_key(|row| match row.status {
        Status::Failed => 0,
        Status::Warning | Status::Unknown | Status::Flaky => 1,
        Status::Passed => 2,
    });
    let mut frame = Frame::new("Test results".to_owned(), 0);
    frame.commit = Some(commit.to_owned());
    frame.feeds = vec![
        FeedLink { title: "Changes", href: "rss2/changes.xml".to_owned() },
        FeedLink { title: "All results", href: "rss2/all.xml".to_owned() },
        FeedLink { title: "Silent machines", href: "rss2/silent.xml".to_owned() },
        FeedLink { title: "Failures", href: "rss2/failed.xml".to_owned() },
    ];
    let failing = rows.iter().filter(|row| row.status == Status::Failed).count();
    let lead = match failing {
        0 => format!("{}, none failing", text::counted(rows.len(), "package")),
        _ => format!("{}, {} failing", text::counted(rows.len(), "package"), text::count(failing)),
    };
    frame.description = Some(lead.clone());
    let attention = Attention::of_all(packages, now);
    let items = annotations.problems.iter().map(ProblemView::new).collect();
    let problems = Listed { items, more: annotations.more_problems };
    let archives = ArchiveView::all(cuts);
    Index { frame, lead, attention, problems, packages: rows, archives }.render()
}

impl PackageRow {
    fn new(package: &Package, now: Timestamp) -> Self {
        let digest = Digest::of(package, now);
        let to_package = format!("p/{}/", package.folder());
        let unreadable = package.unreadable.len();
        let notes = [(digest.stale, "stale"), (unreadable, "unreadable")];
        let notes = notes.iter().filter(|(number, _)| *number > 0);
        let notes: Vec<_> =
            notes.map(|(number, word)| format!("{} {word}", text::count(*number))).collect();
        Self {
            href: format!("{to_package}index.html"),
            name: text::name(&package.name),
            status: digest.status(),
            lines: match digest.failing {
                0 => format!("{} passing", text::count(digest.lines)),
                failing => {
                    format!("{} of {} failing", text::count(failing), text::count(digest.lines))
                }
            },
            note: (!notes.is_empty()).then(|| notes.join(", ")),
            tests: TestsView::new(digest.tests),
            strip: Strip::new(package.rows.iter().rev(), STRIP),
            last: package.latest().map(|row| When::of(row.received)),
        }
    }
}
