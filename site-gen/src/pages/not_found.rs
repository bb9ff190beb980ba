//! `404.html`, which static hosts show for any address without a page.

use askama::Template;
use pony_store::Cut;

use super::Frame;
use crate::view::ArchiveView;

#[derive(Template)]
#[template(path = "not_found.html", whitespace = "minimize")]
struct NotFound {
    frame: Frame,
    archives: Vec<ArchiveView>,
}

/// The page. It appears at addresses of any depth, so its links are right everywhere only when the
/// address of the site is known.
pub(crate) fn not_found(base_url: Option<&str>, cuts: &[Cut]) -> Result<String, askama::Error> {
    let mut frame = Frame::new("Not found".to_owned(), 0).crumb("Not found", None);
    frame.root = base_url.unwrap_or_default().to_owned();
    frame.json = None;
    NotFound { frame, archives: ArchiveView::all(cuts) }.render()
}
