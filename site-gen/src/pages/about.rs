//! `about/index.html`: what this site is, how to have the data, and what scripts can read.

use askama::Template;

use super::Frame;

#[derive(Template)]
#[template(path = "about.html", whitespace = "minimize")]
struct About<'a> {
    frame: Frame,
    /// Where the results repository can be cloned from.
    clone_url: Option<&'a str>,
    /// The address of the site; `…` where nobody said.
    base: &'a str,
}

/// The page. It says nothing of results, so it changes only with the options.
pub(crate) fn about(
    base_url: Option<&str>,
    clone_url: Option<&str>,
) -> Result<String, askama::Error> {
    let mut frame = Frame::new("About this site".to_owned(), 1).crumb("About", None);
    frame.json = None;
    About { frame, clone_url, base: base_url.unwrap_or("…/") }.render()
}
