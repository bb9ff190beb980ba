//! `p/<package>/tests/index.html`: every test of a package that is worth a look.

use askama::Template;

use super::Frame;
use crate::analysis::{Kind, PackageHistory};
use crate::history::Package;
use crate::text;
use crate::view::{ConcernView, LineView, TestPages};

/// Tests of one kind that the page has room for.
const TESTS_MAX: usize = 500;

#[derive(Template)]
#[template(path = "test_list.html", whitespace = "minimize")]
struct TestList {
    frame: Frame,
    name: String,
    lead: String,
    groups: Vec<Group>,
    new: Vec<Names>,
    vanished: Vec<Names>,
    lines: Vec<LineView>,
}

/// Tests of one kind.
struct Group {
    title: &'static str,
    anchor: &'static str,
    tests: Vec<ConcernView>,
    total: String,
    more: Option<String>,
}

/// Tests of one build line, by their names only.
struct Names {
    machine: String,
    count: String,
    names: Vec<String>,
    more: Option<String>,
}

const GROUPS: [(Kind, &str, &str); 6] = [
    (Kind::NewlyFailing, "Newly failing", "newly-failing"),
    (Kind::Failing, "Failing", "failing"),
    (Kind::Flaky, "Flaky", "flaky"),
    (Kind::Fixed, "Fixed", "fixed"),
    (Kind::Known, "Known", "known"),
    (Kind::Calm, "Passing now, but not always", "calm"),
];

/// The page.
pub(crate) fn test_list(
    package: &Package,
    history: &PackageHistory,
    pages: &TestPages<'_>,
) -> Result<String, askama::Error> {
    let name = text::name(&package.name);
    let frame = Frame::new(format!("Tests worth a look · {name}"), 3)
        .crumb(name.clone(), Some("../index.html"))
        .crumb("Tests", None);
    let frame = Frame { commit: package.commit().map(str::to_owned), ..frame };
    let repository = package.repository();
    let concerns = pages.concerns();
    let groups = GROUPS.iter().filter_map(|(kind, title, anchor)| {
        let of_kind = concerns.iter().enumerate().filter(|(_, concern)| concern.kind == *kind);
        let total = of_kind.clone().count();
        let tests = of_kind
            .take(TESTS_MAX)
            .map(|(rank, concern)| ConcernView::new(concern, rank, repository, "../"));
        (total > 0).then(|| Group {
            title,
            anchor,
            tests: tests.collect(),
            total: text::count(total),
            more: (total > TESTS_MAX).then(|| text::count(total - TESTS_MAX)),
        })
    });
    let names = |count: usize, all: &[String], line: &crate::analysis::LineDigest| {
        (count > 0).then(|| Names {
            machine: LineView::machine(&line.history.name),
            count: text::count(count),
            names: all.iter().map(|id| text::name(id)).collect(),
            more: (count > all.len()).then(|| text::count(count - all.len())),
        })
    };
    let lines = &history.lines;
    let page = TestList {
        frame,
        lead: lead(concerns.len(), lines.len(), history.trunk.name()),
        groups: groups.collect(),
        new: lines.iter().filter_map(|line| names(line.new_count, &line.new, line)).collect(),
        vanished: lines
            .iter()
            .filter_map(|line| names(line.vanished_count, &line.vanished, line))
            .collect(),
        lines: lines.iter().map(|line| LineView::new(line, "../")).collect(),
        name,
    };
    page.render()
}

fn lead(tests: usize, lines: usize, trunk: &str) -> String {
    let on = match trunk {
        "" => String::new(),
        branch => format!(" of branch {}", text::name(branch)),
    };
    let (tests, lines) = (text::counted(tests, "test"), text::counted(lines, "build line"));
    format!("{tests} that did not always pass, from the results{on} on {lines}")
}
