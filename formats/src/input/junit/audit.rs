//! [`audit`]: what in a document is odd, although it can be read.
//!
//! A pass of its own, so that reading costs nothing more when nobody asks. What is odd is noted with the
//! number of its event; a second pass finds where those events are.

mod totals;

use std::collections::HashMap;

use super::case::id;
use super::finding::seconds;
use crate::input::Position;
use crate::input::oddity::{Oddities, Oddity};
use crate::limits::Limits;
use crate::xml::{Event, Reader, decode, shown};

use totals::Totals;

/// The oddities of a document that was read. None when the limits ask for none.
pub(super) fn audit(input: &[u8], limits: &Limits) -> Oddities {
    let mut oddities = Oddities::default();
    if limits.oddities_max == 0 {
        return oddities;
    }
    let Ok(text) = decode(input, limits) else { return oddities };
    let mut audit = Audit { limits_max: limits.oddities_max, ..Audit::default() };
    let mut reader = Reader::new(&text, limits);
    while let Ok(Some(event)) = reader.next() {
        audit.event += 1;
        match event {
            Event::Start(name) => audit.start(name, &|name| reader.attribute(name)),
            Event::Text(text) => audit.text(&text),
            Event::End => audit.end(),
        }
        audit.sanitised(reader.sanitised());
    }
    let places = positions(&audit.notes, Reader::new(&text, limits));
    let place = |event| places.get(&event).copied().unwrap_or(Position { line: 1, column: 1 });
    for note in audit.notes {
        let message = match note.first {
            None => note.message,
            Some(first) => {
                let Position { line, column } = place(first);
                format!("{}, the first is at {line}:{column}", note.message)
            }
        };
        oddities.add(limits.oddities_max, || Oddity { position: place(note.event), message });
    }
    oddities.count(audit.uncounted);
    oddities
}

/// Where the events of these notes begin.
fn positions(notes: &[Note], mut reader: Reader<'_>) -> HashMap<u64, Position> {
    let wanted = notes.iter().flat_map(|note| [Some(note.event), note.first]).flatten();
    let mut wanted: Vec<u64> = wanted.collect();
    wanted.sort_unstable();
    wanted.dedup();
    let mut places = HashMap::new();
    let mut event = 0;
    for number in wanted {
        while event < number {
            event += 1;
            if !matches!(reader.next(), Ok(Some(_))) {
                return places;
            }
        }
        places.insert(number, reader.position());
    }
    places
}

/// An oddity at an event.
struct Note {
    event: u64,
    message: String,
    /// Of a test that comes again: the event of the first.
    first: Option<u64>,
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
    event: u64,
    name: Option<String>,
    totals: Totals,
    has_text: bool,
    has_output: bool,
}

#[derive(Default)]
struct Case {
    event: u64,
    failures: u64,
    errors: u64,
    skipped: u64,
    not_run: bool,
    has_text: bool,
}

#[derive(Default)]
struct Audit {
    /// The number of the last event, from 1.
    event: u64,
    open: Vec<Open>,
    /// The event of the first test of each id.
    ids: HashMap<String, u64>,
    was_sanitised: bool,
    limits_max: usize,
    notes: Vec<Note>,
    /// Oddities beyond the limit.
    uncounted: u64,
}

/// Looks up an attribute of the element that opened last.
type Attributes<'r> = &'r dyn Fn(&str) -> Option<&'r str>;

impl Audit {
    fn note(&mut self, event: u64, message: impl FnOnce() -> String) {
        self.note_again(event, None, message);
    }

    fn note_again(&mut self, event: u64, first: Option<u64>, message: impl FnOnce() -> String) {
        if self.notes.len() < self.limits_max {
            self.notes.push(Note { event, message: message(), first });
        } else {
            self.uncounted += 1;
        }
    }

    fn start(&mut self, name: &str, attribute: Attributes<'_>) {
        let open = match name {
            "testsuite" | "testsuites" => self.start_suite(attribute),
            "testcase" => self.start_case(attribute),
            "failure" | "error" | "skipped" => self.start_finding(name),
            "system-out" | "system-err" => Open::Output,
            _ => Open::Other,
        };
        self.open.push(open);
    }

    fn start_suite(&mut self, attribute: Attributes<'_>) -> Open {
        self.check_time(attribute);
        let is_time = |text: &str| {
            text.parse::<jiff::Timestamp>().is_ok() || text.parse::<jiff::civil::DateTime>().is_ok()
        };
        if let Some(text) = attribute("timestamp").filter(|text| !is_time(text.trim())) {
            self.note(self.event, || format!("timestamp `{}` is no ISO 8601 time", shown(text)));
        }
        let name = attribute("name").filter(|name| !name.is_empty()).map(str::to_owned);
        let totals = Totals::declared(attribute);
        let event = self.event;
        Open::Suite(Box::new(Suite { event, name, totals, has_text: false, has_output: false }))
    }

    fn start_case(&mut self, attribute: Attributes<'_>) -> Open {
        self.check_time(attribute);
        if self.open.iter().any(|open| matches!(open, Open::Case(_))) {
            self.note(self.event, || "a test inside a test, counted as one of its own".to_owned());
        }
        let name = attribute("name").filter(|name| !name.is_empty());
        if name.is_none() {
            self.note(self.event, || "a test without a name".to_owned());
        }
        let suites = self.open.iter().rev().filter_map(|open| match open {
            Open::Suite(suite) => suite.name.as_deref(),
            _ => None,
        });
        let class = attribute("classname").or(attribute("class"));
        let id = id(class, attribute("name"), suites.into_iter().next());
        if let Some(first) = self.ids.get(&id).copied() {
            let shown = shown(&id);
            self.note_again(self.event, Some(first), || format!("another test `{shown}`"));
        } else {
            self.ids.insert(id, self.event);
        }
        let not_run = matches!(attribute("status"), Some("notrun" | "disabled"))
            || attribute("result") == Some("suppressed");
        Open::Case(Case { event: self.event, not_run, ..Case::default() })
    }

    fn start_finding(&mut self, name: &str) -> Open {
        match self.open.last_mut() {
            Some(Open::Case(case)) => match name {
                "failure" => case.failures += 1,
                "error" => case.errors += 1,
                _ => case.skipped += 1,
            },
            Some(Open::Suite(_)) if name == "skipped" => {
                self.note(self.event, || "`skipped` outside of a test, left out".to_owned());
            }
            Some(Open::Suite(_)) => {
                let counted = "counted as one errored test of the suite";
                self.note(self.event, || format!("`{name}` outside of a test, {counted}"));
            }
            _ => return Open::Other,
        }
        Open::Finding
    }

    fn check_time(&mut self, attribute: Attributes<'_>) {
        if let Some(time) = attribute("time").filter(|time| seconds(time).is_none()) {
            let time = shown(time);
            self.note(self.event, || format!("time `{time}` is no number of seconds, left out"));
        }
    }

    fn text(&mut self, text: &str) {
        if text.trim().is_empty() {
            return;
        }
        let has_text = match &mut self.open[..] {
            [.., Open::Suite(suite), Open::Output] if !suite.has_output => {
                suite.has_output = true;
                let event = suite.event;
                return self.note(event, || "output of a suite, which is not kept".to_owned());
            }
            [.., Open::Suite(suite)] => &mut suite.has_text,
            [.., Open::Case(case)] => &mut case.has_text,
            _ => return,
        };
        if !std::mem::replace(has_text, true) {
            let text = shown(text.trim());
            self.note(self.event, || format!("text between elements, left out: `{text}`"));
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
            self.note(case.event, || format!("a test with {results} results, the worst counts"));
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
            self.note(suite.event, || format!("{name} declares {complaint}"));
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
            self.note(self.event, || message.to_owned());
        }
    }
}

#[cfg(test)]
mod tests;
