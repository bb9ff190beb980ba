//! `p/<package>/line/<line>/latest/index.html`: a lasting address of the newest result of a build line.

use askama::Template;

use crate::analysis::{LineName, Recent};
use crate::view::LineView;

#[derive(Template)]
#[template(path = "redirect.html", whitespace = "minimize")]
struct Redirect {
    title: String,
    href: String,
}

/// The page. `None` when the line has no result.
pub(crate) fn line_latest(
    name: &LineName,
    recent: &Recent,
) -> Result<Option<String>, askama::Error> {
    let Some(latest) = recent.latest() else { return Ok(None) };
    let title = format!("Latest result of {}", LineView::machine(name));
    let href = format!("../../../{}/index.html", latest.key);
    Redirect { title, href }.render().map(Some)
}
