//! One stream of TAP after the other, with the subtests inside them.

use super::diagnostic::{Diagnostic, is_statistic};
use super::level::{Level, judge};
use super::line::{INDENT, Plan, Point, TapLine, unescaped};
use super::prove;
use crate::model::{Outcome, TestCase};

/// Levels of subtests; what is further in is no TAP.
const DEPTH_MAX: usize = 32;

/// The id of what is wrong with the number of tests.
const PLAN: &str = "plan";

/// Reads line by line.
pub(super) struct Reader<'t> {
    stream: Stream<'t>,
    tests: Vec<TestCase>,
    points: usize,
    has_bailed_out: bool,
}

/// One TAP document. The first level is the outermost one.
#[derive(Default)]
struct Stream<'t> {
    /// The file that prove ran.
    name: Option<&'t str>,
    has_version: bool,
    levels: Vec<Level<'t>>,
    /// The last test point: what belongs to it comes after it.
    pending: Option<Pending<'t>>,
    /// Test points whose subtests stand in braces after them, the innermost last.
    braced: Vec<Pending<'t>>,
    /// What prove said at the end of the file.
    verdict: Option<&'t str>,
    ids: IdBudget,
}

/// How much longer ids may still get by the names of what is around them: one long name around
/// many tests must not take more memory than the input could fill.
#[derive(Debug, Default, Clone, Copy)]
struct IdBudget {
    left: usize,
    is_spent: bool,
}

impl IdBudget {
    /// Puts a name before the ids. What cannot be afforded is dropped: nothing will be returned.
    fn prefix(&mut self, name: &str, tests: &mut Vec<TestCase>) {
        let cost = (name.len() + 2).saturating_mul(tests.len());
        match self.left.checked_sub(cost) {
            Some(left) => {
                self.left = left;
                tests.iter_mut().for_each(|test| test.id.insert_str(0, &format!("{name}::")));
            }
            None => {
                self.is_spent = true;
                tests.clear();
            }
        }
    }
}

struct Pending<'t> {
    depth: usize,
    point: Point<'t>,
    diagnostic: Diagnostic<'t>,
    /// The indentation of the YAML block that is being read.
    yaml: Option<usize>,
    /// Whether nothing came in between.
    takes_notes: bool,
}

impl<'t> Reader<'t> {
    /// `id_bytes_max` bounds what the names of subtests add to the ids of the tests in them.
    pub(super) fn new(id_bytes_max: usize) -> Self {
        let ids = IdBudget { left: id_bytes_max, is_spent: false };
        Self {
            stream: Stream { ids, ..Stream::default() },
            tests: Vec::new(),
            points: 0,
            has_bailed_out: false,
        }
    }

    /// Test points so far.
    pub(super) fn points(&self) -> usize {
        self.points
    }

    pub(super) fn has_bailed_out(&self) -> bool {
        self.has_bailed_out
    }

    /// Whether there are more or longer names than the limit allows, so that tests are missing.
    pub(super) fn has_spent_ids(&self) -> bool {
        self.stream.ids.is_spent
    }

    pub(super) fn feed(&mut self, line: &'t str) {
        let content = line.trim_start_matches(' ');
        let indentation = line.len() - content.len();
        if self.stream.take_yaml(line, content, indentation) {
            return;
        }
        let depth = indentation / INDENT;
        let tap = match TapLine::read(content) {
            _ if !indentation.is_multiple_of(INDENT) || depth > DEPTH_MAX => TapLine::Other,
            tap => tap,
        };
        match tap {
            TapLine::Point(point) => self.point(depth, point),
            TapLine::Plan(plan) => self.plan(depth, plan),
            TapLine::BailOut(reason) => self.bail_out(reason),
            TapLine::Version if depth == 0 => {
                if !self.stream.is_untouched() {
                    self.next_stream(None);
                }
                self.stream.has_version = true;
            }
            TapLine::Version => self.stream.flush(),
            TapLine::Subtest(name) => {
                self.stream.flush();
                self.stream.level(depth).subtest = Some(name);
            }
            TapLine::Brace => self.stream.close_brace(depth),
            TapLine::Comment(comment) if is_statistic(comment) => {}
            TapLine::Comment(_) | TapLine::Other => self.other(line, content, indentation),
        }
    }

    fn point(&mut self, depth: usize, point: Point<'t>) {
        if depth == 0 && self.stream.is_complete() {
            if self.stream.name.is_some() && point.number.is_none() && point.description.is_empty()
            {
                // What prove says when all is well.
                self.stream.verdict = Some("");
                return;
            }
            if point.number == Some(1) {
                self.next_stream(None);
            }
        }
        self.points += 1;
        self.stream.flush();
        let pending = Pending {
            depth,
            point,
            diagnostic: Diagnostic::default(),
            yaml: None,
            takes_notes: true,
        };
        self.stream.pending = Some(pending);
    }

    fn plan(&mut self, depth: usize, plan: Plan<'t>) {
        if depth == 0 && self.stream.level(0).plan.is_some() {
            self.next_stream(None);
        }
        self.stream.flush();
        self.stream.level(depth).plan = Some(plan);
    }

    fn bail_out(&mut self, reason: &str) {
        let mut test = TestCase::new("Bail out!", Outcome::Errored);
        let reason = if reason.is_empty() { "the tests were stopped" } else { reason };
        test.evidence.message = Some(unescaped(reason).into_owned());
        self.has_bailed_out = true;
        self.stream.flush();
        test.evidence.details = self.stream.count_complaint();
        self.stream.close_levels();
        self.stream.level(0).tests.push(test);
        self.next_stream(None);
    }

    fn other(&mut self, line: &'t str, content: &'t str, indentation: usize) {
        let stream = &mut self.stream;
        if let Some(file) = prove::header(line)
            && (stream.is_untouched() || stream.verdict.is_some())
        {
            self.next_stream(Some(file.0));
            if let Some(reason) = file.1 {
                self.stream.level(0).plan = Some(Plan { count: 0, reason });
            }
        } else if stream.name.is_some() && prove::is_verdict(line) {
            stream.verdict = Some(stream.verdict.unwrap_or(line));
            stream.flush();
        } else if let Some(pending) = &mut stream.pending {
            pending.takes_notes &= !content.is_empty();
            let is_note = content.starts_with('#') || indentation > pending.depth * INDENT;
            if content.trim_end() == "---" && indentation > pending.depth * INDENT {
                pending.yaml = Some(indentation);
            } else if is_note && pending.takes_notes && !pending.point.is_ok {
                let from = indentation.min(pending.depth * INDENT);
                pending.diagnostic.notes.push(&line[from..]);
            }
        }
    }

    /// Ends one stream, and begins another one.
    fn next_stream(&mut self, name: Option<&'t str>) {
        let mut stream = std::mem::take(&mut self.stream);
        let tests = stream.finish(self.has_bailed_out);
        self.stream = Stream { name, ids: stream.ids, ..Stream::default() };
        self.tests.extend(tests);
    }

    /// Ends the last stream.
    pub(super) fn end(&mut self) {
        if !self.has_bailed_out {
            self.next_stream(None);
        }
    }

    pub(super) fn into_tests(self) -> Vec<TestCase> {
        self.tests
    }
}

impl<'t> Stream<'t> {
    fn level(&mut self, depth: usize) -> &mut Level<'t> {
        if self.levels.len() <= depth {
            self.levels.resize_with(depth + 1, Level::default);
        }
        &mut self.levels[depth]
    }

    fn is_untouched(&self) -> bool {
        !self.has_version && self.levels.is_empty() && self.pending.is_none()
    }

    /// Whether all tests of the plan were seen.
    fn is_complete(&self) -> bool {
        let Some(level) = self.levels.first() else { return false };
        let pending = self.pending.as_ref().is_some_and(|pending| pending.depth == 0);
        let points = level.points + u64::from(pending);
        level.plan.as_ref().is_some_and(|plan| plan.count > 0 && plan.count <= points)
    }

    /// Whether the line is part of a YAML block.
    fn take_yaml(&mut self, line: &'t str, content: &'t str, indentation: usize) -> bool {
        let Some(pending) = &mut self.pending else { return false };
        let Some(block) = pending.yaml else { return false };
        if indentation == block && content.trim_end() == "..." {
            pending.yaml = None;
            return true;
        }
        if indentation < block && !content.is_empty() {
            pending.yaml = None;
            return false;
        }
        pending.diagnostic.yaml.push(line.get(block..).unwrap_or_default());
        true
    }

    /// Settles the last test point: nothing that follows belongs to it.
    fn flush(&mut self) {
        let Some(pending) = self.pending.take() else { return };
        if pending.point.opens && self.braced.len() < DEPTH_MAX {
            self.braced.push(pending);
        } else {
            self.settle(pending);
        }
    }

    fn close_brace(&mut self, depth: usize) {
        self.flush();
        if let Some(pending) = self.braced.pop_if(|pending| pending.depth == depth) {
            self.settle(pending);
        }
    }

    fn settle(&mut self, pending: Pending<'t>) {
        let Pending { depth, point, diagnostic, .. } = pending;
        let inside = self.take_inside(depth + 1);
        let level = self.level(depth);
        level.points += 1;
        level.number_max = level.number_max.max(point.number.unwrap_or(0));
        let number = point.number.unwrap_or(level.points);
        let subtest = level.subtest.take().map(unescaped);
        let name = match (point.description.as_ref(), subtest) {
            ("", Some(subtest)) => subtest.into_owned(),
            ("", None) => format!("test {number}"),
            (description, _) => description.to_owned(),
        };
        let mut test = TestCase::new(name, Outcome::Passed);
        judge(&mut test, &point);
        diagnostic.describe(&mut test);
        match inside {
            None => {
                let is_group = diagnostic.block().is_suite() && test.outcome == Outcome::Passed;
                level.tests.extend((!is_group).then_some(test));
            }
            Some(mut inside) => {
                self.ids.prefix(&test.id, &mut inside.tests);
                let has_own_reason = diagnostic.block().has_own_reason();
                self.level(depth).tests.extend(inside.under(test, has_own_reason));
            }
        }
    }

    /// What stands further in, as the level that is one further in.
    fn take_inside(&mut self, depth: usize) -> Option<Level<'t>> {
        while self.levels.len() > depth + 1 {
            self.fold_last();
        }
        if self.levels.len() > depth { self.levels.pop() } else { None }
    }

    /// Moves the tests of a subtest that was never ended one level out.
    fn fold_last(&mut self) {
        let Some(mut last) = self.levels.pop() else { return };
        let depth = self.levels.len().saturating_sub(1);
        if let Some(name) = self.level(depth).subtest.take() {
            self.ids.prefix(&unescaped(name), &mut last.tests);
        }
        self.level(depth).tests.append(&mut last.tests);
    }

    fn close_levels(&mut self) {
        self.flush();
        while let Some(pending) = self.braced.pop() {
            self.settle(pending);
        }
        let is_complete = self.is_complete();
        while self.levels.len() > 1 {
            if is_complete {
                // No subtest of anything: no TAP.
                self.levels.pop();
            } else {
                self.fold_last();
            }
        }
    }

    fn finish(&mut self, has_bailed_out: bool) -> Vec<TestCase> {
        if self.is_untouched() && self.verdict.is_none() {
            return Vec::new();
        }
        self.close_levels();
        if !has_bailed_out {
            let test = self.plan_test();
            self.level(0).tests.extend(test);
        }
        let mut tests = std::mem::take(&mut self.level(0).tests);
        if let Some(name) = self.name {
            self.ids.prefix(name, &mut tests);
        }
        tests
    }

    /// The test that says that the number of tests is not what was planned.
    fn plan_test(&mut self) -> Option<TestCase> {
        let complaint = self.count_complaint();
        let verdict = self.verdict.filter(|verdict| verdict.starts_with("Dubious"));
        let level = self.level(0);
        let skipped = level.plan.as_ref().filter(|plan| plan.count == 0 && level.points == 0);
        if let Some(plan) = skipped {
            let mut test = TestCase::new(PLAN, Outcome::Skipped);
            let reason = unescaped(plan.reason).into_owned();
            test.evidence.message = Some(reason).filter(|reason| !reason.is_empty());
            return Some(test);
        }
        let is_red = level.tests.iter().any(|test| test.outcome.is_bad());
        let message = complaint.or_else(|| verdict.filter(|_| !is_red).map(str::to_owned))?;
        Some(TestCase::errored(PLAN, message))
    }

    fn count_complaint(&mut self) -> Option<String> {
        let level = self.level(0);
        if level.plan.is_none() {
            let points = level.points;
            return Some(format!("no plan: the output ends early, after {points} tests"));
        }
        level.count_complaint()
    }
}
