//! `search/index.html`: where `site.js` lists what was found.

use askama::Template;

use super::Frame;

#[derive(Template)]
#[template(path = "search.html", whitespace = "minimize")]
struct Search {
    frame: Frame,
}

/// The page, the same on every site.
pub(crate) fn search() -> Result<String, askama::Error> {
    let mut frame = Frame::new("Search".to_owned(), 1).crumb("Search", None);
    frame.json = None;
    Search { frame }.render()
}
