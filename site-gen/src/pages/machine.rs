//! `machine/<host>/index.html`: all that a machine tests, whatever the package.

use askama::Template;
use jiff::Timestamp;
use pony_formats::names;

use super::Frame;
use crate::analysis::{LineName, MACHINE_ROWS_MAX, Machine, Recent};
use crate::text::{self, When};
use crate::view::{LineView, RemarkView, RowView, Status, Strip};

#[derive(Template)]
#[template(path = "machine.html", whitespace = "minimize")]
struct MachinePage {
    frame: Frame,
    host: String,
    status: Status,
    lead: String,
    seen: Option<When>,
    remarks: Vec<RemarkView>,
    lines: Vec<LineRow>,
    has_older: bool,
}

struct LineRow {
    package: String,
    package_href: String,
    href: String,
    latest: RowView,
    strip: Strip,
    results: String,
}

/// The page, with the notes on the machine.
pub(crate) fn machine(
    machine: &Machine,
    remarks: Vec<RemarkView>,
) -> Result<String, askama::Error> {
    let host = match machine.host.as_str() {
        "" => "unnamed machine".to_owned(),
        host => text::name(host),
    };
    let mut lines: Vec<_> = machine
        .lines
        .iter()
        .filter_map(|((package, name), recent)| Some((recent.latest()?, package, name, recent)))
        .collect();
    // Those that fail first, then those that were seen last.
    lines.sort_by_key(|(latest, ..)| (latest.success, std::cmp::Reverse(latest.key)));
    let newest = lines.iter().map(|(latest, ..)| *latest).max_by_key(|row| row.key);
    let mut frame = Frame::new(format!("{host} · machine"), 2).crumb(host.clone(), None);
    frame.commit = newest.map(|row| row.commit.clone());
    let failing = lines.iter().filter(|(latest, ..)| !latest.success).count();
    let of = text::counted(lines.len(), "build line");
    let lead = match failing {
        0 => format!("{of}, none failing"),
        bad => format!("{of}, {} failing", text::count(bad)),
    };
    frame.description = Some(lead.clone());
    let page = MachinePage {
        frame,
        status: Status::of_success(failing == 0),
        lead,
        remarks,
        seen: newest.map(|row| When::of(row.received)),
        has_older: machine.has_older,
        lines: lines
            .iter()
            .map(|(_, package, name, recent)| LineRow::new(package, name, recent))
            .collect::<Option<_>>()
            .unwrap_or_default(),
        host,
    };
    page.render()
}

impl LineRow {
    fn new(package: &str, name: &LineName, recent: &Recent) -> Option<Self> {
        let to_package = format!("../../p/{}/", names::url_component(package));
        Some(Self {
            package: text::name(package),
            package_href: format!("{to_package}index.html"),
            href: format!("{to_package}{}", LineView::page(name)),
            latest: RowView::new(recent.latest()?, &to_package, Timestamp::MIN),
            strip: Strip::new(recent.rows.iter().rev(), MACHINE_ROWS_MAX),
            results: text::count(recent.results),
        })
    }
}
