//! Reader of the text of pytest (5 to 9): verbose or one letter per test, with or without `-q`.
//!
//! An id is what pytest's JUnit XML says: `tests/test_x.py::TestY::test_z[a]` is
//! `tests.test_x.TestY::test_z[a]`. A subtest that failed is a test case, too, with its description behind the id
//! of its test: `tests.test_x::test_z [even] (i=1)`.
//!
//! The last line, `=== 1 failed, 2 passed in 0.12s ===`, is right about how many there were. Each of
//! its failures and errors is a test case, as in JUnit XML: a test that failed and whose tear-down
//! then broke is two. Without `-v` only the tests in the short summary have names. A session that
//! never gets to its last line gives an errored test: the one that was running, otherwise
//! `test run`; so does one that was interrupted without a failure, and a failure of pytest itself.

mod line;
mod node;
mod session;

use session::Session;

use super::oddity::Notes;
use super::quote::quote;
use super::terminal::{Line, Screen};
use super::{Format, ParseError, Report};
use crate::limits::Limits;
use crate::model::{Tally, TestCase};

/// The id of what fails when a session does not end.
const RUN: &str = "test run";

/// The heading of a session.
const STARTS: &str = "test session starts";

/// Sessions inside sessions: tests of plugins run pytest.
const OPEN_MAX: usize = 64;

/// The byte offset of the first line that only pytest writes.
pub(super) fn detect(screen: &Screen<'_>) -> Option<usize> {
    let is_own = |line: &Line<'_>| {
        let text = line::heading(line.text);
        text == Some(STARTS) || line::totals(text.unwrap_or(line.text)).is_some()
    };
    screen.lines().find(is_own).map(|line| line.start)
}

/// Reads the text.
///
/// # Errors
/// When no test ran, or nothing says so.
pub(super) fn parse(input: &[u8], limits: &Limits) -> Result<Report, ParseError> {
    let screen = Screen::read(input, limits)?;
    let mut reader = Reader::new(&screen, limits.oddities_max);
    screen.each_line(limits, |line| {
        reader.feed(line);
        reader.names
    })?;
    reader.end();
    if reader.tests.is_empty() && reader.unnamed.total == 0 {
        let why = if reader.has_finished { "no tests ran" } else { "no test results" };
        return Err(ParseError::at(
            input,
            input.len(),
            format!(
                "{why}: expected a last line such as `1 failed, 2 passed in 0.12s`, as pytest prints it"
            ),
        ));
    }
    let report =
        Report { oddities: reader.notes.into_oddities(), ..screen.report(Format::PytestText) };
    Ok(Report { tests: reader.tests, unnamed: reader.unnamed, ..report })
}

struct Reader<'t> {
    text: &'t str,
    /// Sessions that have begun and not ended, each inside the one before it.
    open: Vec<Session<'t>>,
    /// How many lines named a test or a session.
    names: usize,
    tests: Vec<TestCase>,
    unnamed: Tally,
    has_finished: bool,
    notes: Notes<'t>,
}

impl<'t> Reader<'t> {
    fn new(screen: &'t Screen<'t>, notes_max: usize) -> Self {
        let (tests, unnamed) = (Vec::new(), Tally::default());
        let (text, notes) = (screen.text(), Notes::new(screen, notes_max));
        Self { text, open: Vec::new(), names: 0, tests, unnamed, has_finished: false, notes }
    }

    fn feed(&mut self, line: Line<'t>) {
        let heading = line::heading(line.text);
        if heading == Some(STARTS) {
            if self.open.len() >= OPEN_MAX || self.open.iter().all(|open| !open.is_certain()) {
                self.end();
            }
            self.names += 1;
            let mut session = Session::new(true, line.start);
            session.may_doubt = self.open.is_empty();
            self.open.push(session);
            return;
        }
        if self.open.is_empty() {
            self.open.push(Session::new(false, line.start));
        }
        let Some(session) = self.open.last_mut() else { return };
        // `-q` leaves the frame away; where there is a heading it is no `-q`.
        let bare = (!session.is_headed).then_some(line.text);
        let bare = bare.filter(|text| line::totals(text).is_some());
        let before = session.len();
        if !heading.or(bare).is_some_and(|heading| session.heading(heading, line)) {
            session.feed(line);
        }
        self.names += session.len() - before;
        if session.totals.is_some() {
            self.end_session();
        }
    }

    fn end_session(&mut self) {
        let Some(session) = self.open.pop() else { return };
        match self.open.last_mut() {
            Some(outer) => outer.inner.push(session),
            None => self.close(session),
        }
    }

    /// Closes every open session. The first never ended, so those inside came after it.
    fn end(&mut self) {
        for mut session in std::mem::take(&mut self.open) {
            let after = std::mem::take(&mut session.inner);
            session.settle_for_doubtful();
            if session.is_certain() || !self.has_finished && after.is_empty() {
                self.close(session);
            }
            after.into_iter().for_each(|session| self.close(session));
        }
    }

    fn close(&mut self, session: Session<'t>) {
        let complaint = session.complaint();
        if let Some(totals) = session.totals {
            self.has_finished = true;
            let (tests, unnamed) = session.finish(self.text, totals, &mut self.notes);
            self.tests.extend(tests);
            self.unnamed += unnamed;
            if let Some(message) = complaint {
                self.add_errored(RUN.to_owned(), message);
            }
            return;
        }
        let (is_certain, start) = (session.is_certain(), session.start);
        let (tests, unnamed, running) = session.abandon(self.text);
        if !is_certain && unnamed.total == 0 {
            return;
        }
        self.tests.extend(tests);
        self.unnamed += unnamed;
        let message = complaint.unwrap_or_else(|| {
            "the session did not get to its end, a line such as `2 passed in 0.12s`".to_owned()
        });
        self.notes.add(start, || format!("{}, counted as one errored test", quote(&message)));
        self.add_errored(running.unwrap_or_else(|| RUN.to_owned()), message);
    }

    fn add_errored(&mut self, id: String, message: String) {
        self.tests.push(TestCase::errored(id, message));
    }
}

#[cfg(test)]
mod tests;
