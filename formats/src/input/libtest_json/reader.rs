//! [`Reader`]: from lines to tests, for all that prints these events.

use std::collections::{HashMap, HashSet};

use super::binaries::{Binaries, Name};
use super::event::{Counts, Event, TestEnd, find_events};
use super::suite::{Finished, Place, Suite};
use crate::input::cargo_targets::CargoTargets;
use crate::input::cargo_test::compile::Compilation;
use crate::input::cargo_test::line::{CargoLine, announced, rerun_target, summary};
use crate::input::census::many;
use crate::model::{Outcome, Tally, TestCase};

/// Suites open at the same time: more than binaries that die in a row, and far more than harnesses
/// inside harnesses.
const OPEN_MAX: usize = 64;

/// Reads line by line.
pub(super) struct Reader<'t> {
    /// What is known of the targets from elsewhere.
    targets: &'t CargoTargets,
    place: Place,
    /// Suites that have begun, each inside the one before it.
    open: Vec<Suite>,
    suites: usize,
    /// The beginning of a suite that waits for its first test to say whose it is.
    awaited: Option<Option<u64>>,
    nextest: Binaries<'t>,
    names: usize,
    finished: Finished,
    /// The number of tests that a harness is running which prints text.
    text: Option<u64>,
    compilation: Compilation<'t>,
    /// Targets that failed, by number, with the id that cargo's word on it gives.
    failed: Vec<(usize, String)>,
    /// How their processes ended.
    causes: HashMap<usize, &'t str>,
    /// Targets with a test that made the run red.
    red: HashSet<usize>,
    found_anything: bool,
}

impl<'t> Reader<'t> {
    pub(super) fn new(targets: &'t CargoTargets) -> Self {
        Self {
            targets,
            place: Place::default(),
            open: Vec::new(),
            suites: 0,
            awaited: None,
            nextest: Binaries::new(targets),
            names: 0,
            finished: Finished::default(),
            text: None,
            compilation: Compilation::default(),
            failed: Vec::new(),
            causes: HashMap::new(),
            red: HashSet::new(),
            found_anything: false,
        }
    }

    pub(super) fn feed(&mut self, line: &'t str) {
        let mut found = false;
        find_events(line, |event| {
            found = true;
            self.event(event);
        });
        if !found {
            self.text_line(line);
        }
    }

    fn event(&mut self, event: Event) {
        self.found_anything = true;
        match event {
            Event::SuiteStarted { binary: Some(binary), .. } => {
                self.names += 1;
                self.nextest.begin(binary);
            }
            Event::SuiteStarted { tests, binary: None } => {
                self.names += 1;
                self.begin_awaited();
                self.awaited = Some(tests);
            }
            Event::SuiteEnded { counts, binary } => {
                self.begin_awaited();
                if binary.is_some() || self.nextest.is_open() {
                    self.nextest.end(binary, counts);
                } else {
                    self.settle(counts);
                }
            }
            Event::TestStarted { name } => {
                self.names += 1;
                match self.whose(&name) {
                    Whose::Nextest(name) => self.nextest.start_test(name),
                    Whose::Suite => self.innermost().start_test(name),
                    Whose::Output => {}
                }
            }
            Event::TestEnded(end) => match self.whose(&end.name) {
                Whose::Nextest(name) => {
                    self.names += usize::from(!self.nextest.end_test(name, end));
                }
                Whose::Suite => self.end_test(end),
                Whose::Output => {}
            },
        }
    }

    /// Says which kind of suite the test belongs to, and begins the one that waits for it.
    fn whose(&mut self, name: &str) -> Whose {
        if let Some(name) = Name::parse(name) {
            if self.awaited.take().is_some() {
                self.nextest.begin_with(&name);
            }
            if self.nextest.is_open() {
                return Whose::Nextest(name);
            }
        }
        self.begin_awaited();
        if self.nextest.is_open() { Whose::Output } else { Whose::Suite }
    }

    fn begin_awaited(&mut self) {
        if let Some(tests) = self.awaited.take()
            && !self.nextest.is_open()
        {
            if self.open.last().is_some_and(Suite::is_settled) {
                self.close_innermost();
            }
            if self.open.len() >= OPEN_MAX {
                self.close_all();
            }
            self.suites += 1;
            self.open.push(Suite::new(self.place.clone(), Some(self.suites), tests));
        }
    }

    /// The suite that a test belongs to; one without a beginning if need be.
    fn innermost(&mut self) -> &mut Suite {
        if self.open.is_empty() {
            self.open.push(Suite::new(self.place.clone(), None, None));
        }
        let last = self.open.len() - 1;
        &mut self.open[last]
    }

    /// Ends a test in the innermost suite in which it is running.
    fn end_test(&mut self, end: TestEnd) {
        match self.open.iter().rposition(|suite| suite.is_running(&end.name)) {
            Some(index) => self.open[index].end_test(end),
            None => {
                self.names += 1;
                self.innermost().end_test(end);
            }
        }
    }

    /// Gives the counts to the innermost suite that they add up for.
    fn settle(&mut self, counts: Option<Counts>) {
        self.innermost();
        let suites = &self.open;
        let fits = suites.iter().rposition(|suite| suite.accepts(counts));
        let fits = fits.or_else(|| suites.iter().rposition(|suite| suite.accepts_fewer(counts)));
        // What fits nowhere was printed by a test.
        let Some(index) = fits else { return };
        self.open.truncate(index + 1);
        self.open[index].settle(counts);
        if self.open[index].is_idle() {
            self.close_innermost();
        }
    }

    /// Moves a suite that has ended into the one around it, or into the results.
    fn close_innermost(&mut self) {
        let Some(suite) = self.open.pop() else { return };
        match self.open.last_mut() {
            Some(outer) => outer.inner.push(suite),
            None => self.take(vec![suite]),
        }
    }

    fn close_all(&mut self) {
        let open = std::mem::take(&mut self.open);
        self.take(open);
    }

    /// Takes suites, each inside the one before it, with those that ended inside them. What is
    /// inside one that died comes from the next binaries; if cargo did not announce any, from tests.
    fn take(&mut self, suites: Vec<Suite>) {
        let mut died: Option<Place> = None;
        let mut pending: Vec<Suite> = suites.into_iter().rev().collect();
        while let Some(mut suite) = pending.pop() {
            let place = suite.place.clone();
            let is_of_this_binary =
                |died: &Place| died.is_one_binary() && died.target == place.target;
            if died.as_ref().is_some_and(is_of_this_binary) {
                continue;
            }
            if !suite.is_settled() {
                died = Some(place.clone());
            }
            pending.extend(std::mem::take(&mut suite.inner).into_iter().rev());
            let finished = suite.finish(self.causes.get(&place.target).copied());
            self.add(place.target, finished);
        }
    }

    fn add(&mut self, target: usize, Finished { tests, unnamed }: Finished) {
        let tally = tests.iter().map(|test| test.outcome).collect::<Tally>() + unnamed;
        if tally.bad() > 0 {
            self.red.insert(target);
        }
        self.finished.tests.extend(tests);
        self.finished.unnamed += unnamed;
    }

    fn text_line(&mut self, line: &'t str) {
        match CargoLine::find(line) {
            Some((_, CargoLine::Target(target))) => {
                self.begin_awaited();
                self.text = None;
                let number = self.place.target + 1;
                let id = Some(self.targets.id_of(&target));
                self.place = Place { target: number, id, is_doc: target.is_doc() };
            }
            Some((_, CargoLine::TargetFailed(arguments))) => {
                let id = self.place.id.clone().unwrap_or_else(|| rerun_target(arguments));
                self.failed.push((self.place.target, id));
            }
            None if self.is_between_suites() => self.text_between_suites(line),
            None => {}
        }
        let has_failed = self.failed.last().is_some_and(|(target, _)| *target == self.place.target);
        if has_failed
            && self.place.id.is_some()
            && line.trim_start().starts_with("process didn't exit successfully: ")
            && let Some(at) = line.rfind('(')
        {
            self.causes.insert(self.place.target, line[at + 1..].trim_end_matches(')'));
        }
    }

    /// Whether no test can be printing.
    fn is_between_suites(&self) -> bool {
        let is_over = |suite: &Suite| suite.place.target != self.place.target;
        self.open.last().is_none_or(is_over) && self.awaited.is_none() && !self.nextest.is_open()
    }

    fn text_between_suites(&mut self, line: &'t str) {
        if let Some(tests) = announced(line) {
            self.text = Some(tests);
        } else if let Some(counts) = summary(line) {
            if self.text.take() == Some(counts.total()) {
                let unnamed = many(Outcome::Passed, counts.passed)
                    + many(Outcome::Failed, counts.failed)
                    + many(Outcome::Skipped, counts.ignored);
                self.add(self.place.target, Finished { tests: Vec::new(), unnamed });
            }
        } else if let Some(test) = self.compilation.feed(line) {
            self.found_anything = true;
            self.names += 1;
            self.finished.tests.push(test);
        }
    }

    /// How many events named a test or a suite.
    pub(super) fn names(&self) -> usize {
        self.names
    }

    /// The first error of cargo or the compiler, if no package was named for it.
    pub(super) fn first_error(&self) -> Option<&'t str> {
        self.compilation.first_error()
    }

    /// Everything, or `None` if there was nothing.
    pub(super) fn finish(mut self) -> Option<Finished> {
        self.begin_awaited();
        self.close_all();
        let nextest = std::mem::replace(&mut self.nextest, Binaries::new(self.targets)).finish();
        self.add(self.place.target, nextest);
        for (target, id) in std::mem::take(&mut self.failed) {
            // Before cargo announced anything: all of standard output came before standard error.
            if !self.red.contains(&target) && !self.red.contains(&0) {
                let mut test = TestCase::new(id, Outcome::Errored);
                test.evidence.message =
                    Some("the target failed although no test of it did".to_owned());
                self.finished.tests.push(test);
            }
        }
        self.found_anything.then_some(self.finished)
    }
}

/// Who reports a test.
enum Whose {
    Nextest(Name),
    Suite,
    /// Nobody: a test of nextest's printed it.
    Output,
}
