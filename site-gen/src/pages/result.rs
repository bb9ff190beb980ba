//! `p/<package>/<key>/index.html`: one result.

use askama::Template;
use pony_formats::ResultKey;

use super::Frame;
use crate::text::{self, When};
use crate::view::{Portion, ResultView, Status};

#[derive(Template)]
#[template(path = "result.html", whitespace = "minimize")]
struct ResultPage<'a> {
    frame: Frame,
    commit: &'a str,
    view: &'a ResultView,
}

#[derive(Template)]
#[template(path = "portion.html", whitespace = "minimize")]
struct PortionPage<'a> {
    frame: Frame,
    portion: &'a Portion,
}

#[derive(Template)]
#[template(path = "unreadable.html", whitespace = "minimize")]
struct UnreadablePage<'a> {
    frame: Frame,
    package: String,
    status: Status,
    key: String,
    received: When,
    reason: String,
    commit: &'a str,
}

/// A page with the names of some of its tests.
pub(crate) fn portion(
    view: &ResultView,
    portion: &Portion,
    commit: &str,
) -> Result<String, askama::Error> {
    let (label, _) = portion.file.split_once('.').unwrap_or_default();
    let frame = Frame::new(format!("{label} · {}", view.package), 3)
        .crumb(view.package.clone(), Some("../index.html"))
        .crumb(view.key.clone(), Some("index.html"))
        .crumb(label, None);
    let commit = Some(commit.to_owned()).filter(|commit| !commit.is_empty());
    let json = Some("result.json".to_owned());
    PortionPage { frame: Frame { commit, json, ..frame }, portion }.render()
}

/// The page of a result that `commit` added; a `live` one can ask for a build.
pub(crate) fn result(view: &ResultView, commit: &str, live: bool) -> Result<String, askama::Error> {
    let title = format!("{} · {} {}", view.package, view.place(), view.status.word());
    let mut frame = frame(title, view.package.clone(), &view.key, commit);
    frame.json = Some("result.json".to_owned());
    frame.has_form = live;
    frame.description = Some(match view.counts.words.as_str() {
        "" => format!("Received {} UTC", view.received.text),
        words => format!("{words}; received {} UTC", view.received.text),
    });
    ResultPage { frame, commit, view }.render()
}

/// The page of a result that cannot be read.
pub(crate) fn unreadable(
    package: &str,
    key: ResultKey,
    reason: &str,
    commit: &str,
) -> Result<String, askama::Error> {
    let package = text::name(package);
    let key_text = key.to_string();
    let title = format!("{package} · unreadable result");
    let mut frame = frame(title, package.clone(), &key_text, commit);
    frame.json = None;
    let page = UnreadablePage {
        frame,
        package,
        status: Status::Warning,
        key: key_text,
        received: When::of(key.time()),
        reason: text::name(reason),
        commit,
    };
    page.render()
}

fn frame(title: String, package: String, key: &str, commit: &str) -> Frame {
    let frame = Frame::new(title, 3).crumb(package, Some("../index.html")).crumb(key, None);
    Frame { commit: Some(commit.to_owned()).filter(|commit| !commit.is_empty()), ..frame }
}
