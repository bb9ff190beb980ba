//! `p/<package>/latest/index.html` and `p/<package>/line/<line>/latest/index.html`: lasting addresses of the newest result
//! of a package and of a build line.

use askama::Template;

use crate::analysis::{LineName, Recent};
use crate::history::Package;
use crate::text;
use crate::view::LineView;

#[derive(Template)]
#[template(path = "redirect.html", whitespace = "minimize")]
struct Redirect {
    title: String,
    href: String,
}

/// The page of a package. `None` when it has no result.
pub(crate) fn package_latest(package: &Package) -> Result<Option<String>, askama::Error> {
    let Some(latest) = package.latest() else { return Ok(None) };
    let title = format!("Latest result of {}", text::name(&package.name));
    Redirect { title, href: format!("../{}/index.html", latest.key) }.render().map(Some)
}

/// The page of a build line. `None` when the line has no result.
pub(crate) fn line_latest(
    name: &LineName,
    recent: &Recent,
) -> Result<Option<String>, askama::Error> {
    let Some(latest) = recent.latest() else { return Ok(None) };
    let title = format!("Latest result of {}", LineView::machine(name));
    let href = format!("../../../{}/index.html", latest.key);
    Redirect { title, href }.render().map(Some)
}
