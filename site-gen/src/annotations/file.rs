//! A file of annotations, in TOML 1.0:
//!
//! ```toml
//! [[known]]                       # it fails, and somebody knows
//! package = "hayloft"
//! test = "tests.test_hay::test_stack"   # `*` stands for anything, `?` for one character
//! host = "shed"                   # only on this machine; may be left out
//! reason = "runs out of file handles"
//! link = "https://example.org/issues/12"  # may be left out
//! expires = 2026-12-31            # the last day on which it holds
//!
//! [[quarantine]]                  # whatever it does is no news; the same keys
//!
//! [[note]]
//! machine = "shed"                # or: result = "1767312000000123456"
//! text = "The disk was replaced."
//! link = "https://example.org/log/3"      # may be left out
//! ```
//!
//! Keys that are not known are refused: a misspelt one would be overlooked for ever.

use jiff::civil::Date;
use serde::Deserialize;
use toml::Spanned;
use toml::value::Datetime;

use super::{Annotations, Excuse, ExcuseKind, Note, Noted, Problem};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    known: Vec<Spanned<WrittenExcuse>>,
    #[serde(default)]
    quarantine: Vec<Spanned<WrittenExcuse>>,
    #[serde(default)]
    note: Vec<Spanned<WrittenNote>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenExcuse {
    package: String,
    test: String,
    host: Option<String>,
    reason: String,
    link: Option<Spanned<String>>,
    expires: Spanned<Datetime>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenNote {
    result: Option<Spanned<String>>,
    machine: Option<String>,
    text: String,
    link: Option<Spanned<String>>,
}

/// What is wrong, and the byte at which it is.
type Wrong = (usize, String);

/// Adds what the file at `path` says.
pub(super) fn read_into(all: &mut Annotations, path: &str, content: &[u8]) {
    let place = |byte: usize| {
        let before = content.get(..byte).unwrap_or(content);
        format!("{path}:{}", 1 + before.iter().filter(|byte| **byte == b'\n').count())
    };
    let mut problem = |(byte, message): Wrong| {
        all.problems.push(Problem { place: place(byte), message });
    };
    let file = match parse(content) {
        Ok(file) => file,
        Err(wrong) => return problem(wrong),
    };
    let known = file.known.into_iter().map(|one| (ExcuseKind::Known, one));
    let quarantine = file.quarantine.into_iter().map(|one| (ExcuseKind::Quarantine, one));
    for (kind, written) in known.chain(quarantine) {
        let place = place(written.span().start);
        let WrittenExcuse { package, test, host, reason, link, expires } = written.into_inner();
        match (date(&expires), checked_link(link)) {
            (Ok(expires), Ok(link)) => {
                let excuse = Excuse { kind, test, host, reason, link, expires, place };
                all.excuses.entry(package).or_default().push(excuse);
            }
            (Err(wrong), _) | (_, Err(wrong)) => problem(wrong),
        }
    }
    for written in file.note {
        let at = written.span().start;
        let WrittenNote { result, machine, text, link } = written.into_inner();
        match (noted(at, result, machine), checked_link(link)) {
            (Ok(on), Ok(link)) => all.notes.push(Note { on, text, link, place: place(at) }),
            (Err(wrong), _) | (_, Err(wrong)) => problem(wrong),
        }
    }
}

fn parse(content: &[u8]) -> Result<File, Wrong> {
    let text = std::str::from_utf8(content)
        .map_err(|error| (error.valid_up_to(), "the text is not UTF-8".to_owned()))?;
    toml::from_str(text).map_err(|error| {
        let message = error.message().trim().replace('\n', "; ");
        (error.span().map_or(0, |span| span.start), message)
    })
}

fn date(written: &Spanned<Datetime>) -> Result<Date, Wrong> {
    let parts = written.get_ref();
    let day = match (parts.date, parts.time) {
        (Some(day), None) => {
            let year = i16::try_from(day.year).unwrap_or(i16::MAX);
            i8::try_from(day.month)
                .ok()
                .zip(i8::try_from(day.day).ok())
                .and_then(|(month, day)| Date::new(year, month, day).ok())
        }
        _ => None,
    };
    day.ok_or_else(|| (written.span().start, format!("`expires` is no day: {parts}")))
}

fn checked_link(link: Option<Spanned<String>>) -> Result<Option<String>, Wrong> {
    let Some(link) = link else { return Ok(None) };
    let at = link.span().start;
    let link = link.into_inner();
    match link.starts_with("https://") || link.starts_with("http://") {
        true => Ok(Some(link)),
        false => Err((at, "`link` begins neither with https:// nor with http://".to_owned())),
    }
}

fn noted(
    at: usize,
    result: Option<Spanned<String>>,
    machine: Option<String>,
) -> Result<Noted, Wrong> {
    match (result, machine) {
        (Some(key), None) => key
            .get_ref()
            .parse()
            .map(Noted::Result)
            .map_err(|_| (key.span().start, "`result` is no result key".to_owned())),
        (None, Some(host)) => Ok(Noted::Machine(host)),
        _ => Err((at, "a note is on one `result` or one `machine`".to_owned())),
    }
}
