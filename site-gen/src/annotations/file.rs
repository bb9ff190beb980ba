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
//! Keys that are not known are refused: a misspelt one would be overlooked for ever. What is wrong with one entry
//! does not touch the others.

use std::collections::BTreeSet;

use jiff::civil::Date;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};
use toml::value::Datetime;

use super::{Annotations, Excuse, ExcuseKind, Note, Noted, Problem};

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

/// The file that is read, to say where in it something is.
struct Places<'a> {
    path: &'a str,
    /// The bytes after which a line ends.
    ends: Vec<usize>,
}

impl<'a> Places<'a> {
    fn of(path: &'a str, content: &[u8]) -> Self {
        let bytes = content.iter().enumerate();
        Self { path, ends: bytes.filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at).collect() }
    }

    /// `annotations/known.toml:3`.
    fn at(&self, byte: usize) -> String {
        format!("{}:{}", self.path, 1 + self.ends.partition_point(|end| *end < byte))
    }
}

/// Adds what the file at `path` says.
pub(super) fn read_into(all: &mut Annotations, path: &str, content: &[u8]) {
    let places = Places::of(path, content);
    let (entries, mut wrongs) = match std::str::from_utf8(content) {
        Ok(text) => entries(text),
        Err(error) => (vec![], vec![(error.valid_up_to(), "the text is not UTF-8".to_owned())]),
    };
    for (kind, entry) in entries {
        let place = places.at(entry.span().start);
        let added = match &*kind {
            "known" => all.excuse(ExcuseKind::Known, entry, place),
            "quarantine" => all.excuse(ExcuseKind::Quarantine, entry, place),
            _ => all.note(entry, place),
        };
        wrongs.extend(added.err());
    }
    // In the order of the file, as people read it.
    wrongs.sort_by_key(|(byte, _)| *byte);
    let problems = wrongs.into_iter();
    all.problems
        .extend(problems.map(|(byte, message)| Problem { place: places.at(byte), message }));
}

/// What is in the lists, each entry with the name of its list; and what is wrong.
type Entries<'a> = (Vec<(String, Spanned<DeValue<'a>>)>, Vec<Wrong>);

fn entries(text: &str) -> Entries<'_> {
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut wrongs: Vec<Wrong> = errors.iter().map(|error| wrong(error, 0)).collect();
    let (mut entries, mut odd) = (Vec::new(), Vec::new());
    for (name, value) in table.into_inner() {
        let (at, kind) = (name.span().start, name.into_inner().into_owned());
        match value.into_inner() {
            DeValue::Array(list) if matches!(&*kind, "known" | "quarantine" | "note") => {
                entries.extend(list.into_iter().map(|entry| (kind.clone(), entry)));
            }
            _ => odd.push((at, format!("`{kind}` is none of [[known]], [[quarantine]], [[note]]"))),
        }
    }
    // What follows an error up to the next entry may have been meant otherwise, and so may what is before it.
    let starts: BTreeSet<usize> = entries.iter().map(|(_, entry)| entry.span().start).collect();
    let broken = wrongs.iter().filter_map(|(at, _)| starts.range(..=at).next_back());
    let broken: BTreeSet<usize> = broken.copied().collect();
    entries.retain(|(_, entry)| !broken.contains(&entry.span().start));
    wrongs.extend(odd);
    (entries, wrongs)
}

fn wrong(error: &toml::de::Error, otherwise: usize) -> Wrong {
    let message = error.message().trim().replace('\n', "; ");
    (error.span().map_or(otherwise, |span| span.start), message)
}

fn written<T: DeserializeOwned>(entry: Spanned<DeValue<'_>>) -> Result<T, Wrong> {
    let at = entry.span().start;
    T::deserialize(ValueDeserializer::from(entry)).map_err(|error| wrong(&error, at))
}

impl Annotations {
    fn excuse(
        &mut self,
        kind: ExcuseKind,
        entry: Spanned<DeValue<'_>>,
        place: String,
    ) -> Result<(), Wrong> {
        let WrittenExcuse { package, test, host, reason, link, expires } = written(entry)?;
        let (expires, link) = (date(&expires)?, checked_link(link)?);
        let excuse = Excuse { kind, test, host, reason, link, expires, place };
        self.excuses.entry(package).or_default().push(excuse);
        Ok(())
    }

    fn note(&mut self, entry: Spanned<DeValue<'_>>, place: String) -> Result<(), Wrong> {
        let at = entry.span().start;
        let WrittenNote { result, machine, text, link } = written(entry)?;
        let (on, link) = (noted(at, result, machine)?, checked_link(link)?);
        self.notes.add(Note { on, text, link, place });
        Ok(())
    }
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
