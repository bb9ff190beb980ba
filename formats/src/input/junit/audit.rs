//! [`audit`]: what in a document is odd, although it can be read.
//!
//! A pass of its own, so that reading costs nothing more when nobody asks.

mod totals;

use std::collections::HashMap;

use super::case::id;
use super::finding::seconds;
use crate::input::Position;
use crate::input::oddity::{Oddities, Oddity};
use crate::limits::Limits;
use crate::xml::{Event, Leniency, Reader, Stream, Tag, shown};

use totals::Totals;

/// The oddities of a document that was read. None when the limits ask for none.
pub(super) fn audit(text: &str, limits: &Limits) -> Oddities {
    let mut audit = Audit::new(limits.oddities_max);
    if limits.oddities_max == 0 {
        return audit.oddities;
    }
    // Unlike a document in one piece, a stream always knows where it is.
    let stream = Stream::new(text.as_bytes(), text.len());
    let mut reader = Reader::new(stream, Leniency::Report, limits);
    while let Ok(Some(event)) = reader.next() {
        match event {
            Event::Start => {
                audit.position = reader.position();
                audit.start(reader.tag());
            }
            Event::Text(text) => {
                let text = text.trim();
                let said = (!text.is_empty()).then(|| shown(text));
                audit.position = reader.position();
                said.into_iter().for_each(|said| audit.text(&said));
            }
            Event::End => audit.end(),
        }
        audit.sanitised(reader.sanitised());
    }
    audit.oddities
}

/// An open element.
enum Open {
    Suite(Box<Suite>),
    Case(Case),
    /// An element that says how its parent ended.
    Finding,
    /// `system-out` or `system-err`.
    Output,
    Other,
}

struct Suite {
    position: Position,
    name: Option<String>,
    totals: Totals,
    has_text: bool,
}

struct Case {
    position: Position,
    failures: u64,
    errors: u64,
    skipped: u64,
    not_run: bool,
    has_text: bool,
}

struct Audit {
    /// Where the last event began.
    position: Position,
    open: Vec<Open>,
    /// Where the first test of each id is.
    ids: HashMap<String, Position>,
    was_sanitised: bool,
    oddities: Oddities,
    oddities_max: usize,
}

impl Audit {
    fn new(oddities_max: usize) -> Self {
        Self {
            position: Position::START,
            open: Vec::new(),
            ids: HashMap::new(),
            was_sanitised: false,
            oddities: Oddities::default(),
            oddities_max,
        }
    }

    fn note(&mut self, position: Position, message: impl FnOnce() -> String) {
        self.oddities.add(self.oddities_max, || Oddity { position, message: message() });
    }

    fn start(&mut self, tag: Tag<'_>) {
        let open = match tag.name() {
            "testsuite" | "testsuites" => self.start_suite(tag),
            "testcase" => self.start_case(tag),
            name @ ("failure" | "error" | "skipped") => self.start_finding(name),
            "system-out" | "system-err" => Open::Output,
            _ => Open::Other,
        };
        self.open.push(open);
    }

    fn start_suite(&mut self, tag: Tag<'_>) -> Open {
        self.check_time(tag);
        let is_time = |text: &str| {
            text.parse::<jiff::Timestamp>().is_ok() || text.parse::<jiff::civil::DateTime>().is_ok()
        };
        if let Some(text) = tag.attribute("timestamp").filter(|text| !is_time(text.trim())) {
            self.note(self.position, || format!("timestamp `{}` is no ISO 8601 time", shown(text)));
        }
        let name = tag.attribute("name").filter(|name| !name.is_empty()).map(str::to_owned);
        let totals = Totals::declared(tag);
        let position = self.position;
        Open::Suite(Box::new(Suite { position, name, totals, has_text: false }))
    }

    fn start_case(&mut self, tag: Tag<'_>) -> Open {
        self.check_time(tag);
        if self.open.iter().any(|open| matches!(open, Open::Case(_))) {
            self.note(self.position, || {
                "a test inside a test, counted as one of its own".to_owned()
            });
        }
        let name = tag.attribute("name").filter(|name| !name.is_empty());
        if name.is_none() {
            self.note(self.position, || "a test without a name".to_owned());
        }
        let suites = self.open.iter().rev().filter_map(|open| match open {
            Open::Suite(suite) => suite.name.as_deref(),
            _ => None,
        });
        let class = tag.attribute("classname").or(tag.attribute("class"));
        let id = id(class, tag.attribute("name"), suites.into_iter().next());
        if let Some(first) = self.ids.get(&id).copied() {
            self.note(self.position, || {
                let Position { line, column } = first;
                format!("another test `{}`, the first is at {line}:{column}", shown(&id))
            });
        } else {
            self.ids.insert(id, self.position);
        }
        let not_run = matches!(tag.attribute("status"), Some("notrun" | "disabled"))
            || tag.attribute("result") == Some("suppressed");
        let (failures, errors, skipped, has_text) = Default::default();
        Open::Case(Case { position: self.position, failures, errors, skipped, not_run, has_text })
    }

    fn start_finding(&mut self, name: &str) -> Open {
        match self.open.last_mut() {
            Some(Open::Case(case)) => match name {
                "failure" => case.failures += 1,
                "error" => case.errors += 1,
                _ => case.skipped += 1,
            },
            Some(Open::Suite(_)) if name == "skipped" => {
                self.note(self.position, || "`skipped` outside of a test, left out".to_owned());
            }
            Some(Open::Suite(_)) => {
                let counted = "counted as one errored test of the suite";
                self.note(self.position, || format!("`{name}` outside of a test, {counted}"));
            }
            _ => return Open::Other,
        }
        Open::Finding
    }

    fn check_time(&mut self, tag: Tag<'_>) {
        if let Some(time) = tag.attribute("time").filter(|time| seconds(time).is_none()) {
            let time = shown(time);
            self.note(self.position, || format!("time `{time}` is no number of seconds, left out"));
        }
    }

    /// Takes text that is more than blanks.
    fn text(&mut self, text: &str) {
        let has_text = match &mut self.open[..] {
            [.., Open::Suite(suite)] => &mut suite.has_text,
            [.., Open::Case(case)] => &mut case.has_text,
            _ => return,
        };
        if !std::mem::replace(has_text, true) {
            self.note(self.position, || format!("text between elements, left out: `{text}`"));
        }
    }

    fn end(&mut self) {
        match self.open.pop() {
            Some(Open::Case(case)) => self.end_case(&case),
            Some(Open::Suite(suite)) => self.end_suite(&suite),
            _ => {}
        }
    }

    fn end_case(&mut self, case: &Case) {
        let results = case.failures + case.errors + case.skipped;
        if results > 1 {
            self.note(case.position, || format!("a test with {results} results, the worst counts"));
        }
        let suite = self.open.iter_mut().rev().find_map(|open| match open {
            Open::Suite(suite) => Some(suite),
            _ => None,
        });
        if let Some(suite) = suite {
            suite.totals.count(case.failures, case.errors, case.skipped, case.not_run);
        }
    }

    fn end_suite(&mut self, suite: &Suite) {
        if let Some(complaint) = suite.totals.complaint() {
            let name = suite.name.as_ref().map(|name| format!("suite `{}`", shown(name)));
            let name = name.unwrap_or_else(|| "a suite".to_owned());
            self.note(suite.position, || format!("{name} declares {complaint}"));
        }
        let outer = self.open.iter_mut().rev().find_map(|open| match open {
            Open::Suite(outer) => Some(outer),
            _ => None,
        });
        if let Some(outer) = outer {
            outer.totals.add_inner(&suite.totals);
        }
    }

    fn sanitised(&mut self, is_sanitised: bool) {
        if is_sanitised && !self.was_sanitised {
            self.was_sanitised = true;
            let message = "characters that XML forbids, kept as escapes such as `\\x1b`";
            self.note(self.position, || message.to_owned());
        }
    }
}

#[cfg(test)]
mod tests;
