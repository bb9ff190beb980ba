//! `p/<package>/test/<test>/index.html`: one test on all build lines.

use askama::Template;

use super::Frame;
use crate::analysis::{Concern, PackageHistory};
use crate::history::Package;
use crate::text;
use crate::view::{ConcernView, StandingView};

#[derive(Template)]
#[template(path = "test.html", whitespace = "minimize")]
struct TestPage {
    frame: Frame,
    id: String,
    summary: ConcernView,
    standings: Vec<StandingView>,
    /// Build lines that do not have the test.
    others: Option<String>,
}

/// The page.
pub(crate) fn test(
    package: &Package,
    history: &PackageHistory,
    concern: &Concern<'_>,
) -> Result<String, askama::Error> {
    let (name, id) = (text::name(&package.name), text::name(concern.id));
    let frame = Frame::new(format!("{id} · {name}"), 4)
        .crumb(name, Some("../../index.html"))
        .crumb("Tests", Some("../../tests/index.html"))
        .crumb(id.clone(), None);
    let repository = package.repository();
    let without = history.lines.len() - concern.on.len();
    let page = TestPage {
        frame: Frame {
            commit: package.commit().map(str::to_owned),
            json: Some("../../tests/index.json".to_owned()),
            ..frame
        },
        id,
        summary: ConcernView::new(concern, 0, repository, "../../"),
        standings: concern
            .on
            .iter()
            .map(|standing| StandingView::new(standing, repository, "../../"))
            .collect(),
        others: (without > 0).then(|| text::counted(without, "other build line")),
    };
    page.render()
}
