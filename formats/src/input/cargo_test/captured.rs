//! [`Captured`]: the end of a test binary's output, with what its tests wrote.
//!
//! `failures:` and a blank line, one block `---- name stdout ----` per test, then `failures:` and
//! the names, four blanks before each. `--show-output` prints the same before it for `successes:`.
//! Anything in a block may look like any of this, because tests wrote it; only the last list before
//! the summary is the real one.

use std::collections::HashSet;

use super::line::Summary;
use crate::input::terminal::Line;

/// The report of one test binary.
#[derive(Debug)]
pub(super) struct Captured<'t> {
    blocks: Vec<Block<'t>>,
    /// The list at whose end reading is, unless more output follows.
    list: Option<NameList<'t>>,
    successes: Vec<&'t str>,
    failures: Vec<&'t str>,
    /// What the blocks at which reading is are about.
    about: Verdict,
    /// The tests that can have a block, as far as tests have names at all.
    passed: HashSet<&'t str>,
    failed: HashSet<&'t str>,
}

/// The output of one test, as a range of the text.
#[derive(Debug)]
pub(super) struct Block<'t> {
    pub(super) name: &'t str,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// Which half of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Success,
    Failure,
}

impl Verdict {
    /// Reads the headings `failures:` and `successes:`.
    pub(super) fn heading(line: &str) -> Option<Self> {
        match line {
            "failures:" => Some(Self::Failure),
            "successes:" => Some(Self::Success),
            _ => None,
        }
    }
}

#[derive(Debug)]
struct NameList<'t> {
    verdict: Verdict,
    names: Vec<&'t str>,
    /// Where its heading begins.
    start: usize,
    /// Whether a blank line ended it.
    is_complete: bool,
}

impl<'t> Captured<'t> {
    /// Begins behind the first heading. `passed` and `failed` are the tests named so far.
    pub(super) fn new(about: Verdict, passed: HashSet<&'t str>, failed: HashSet<&'t str>) -> Self {
        let (successes, failures) = (Vec::new(), Vec::new());
        Self { blocks: Vec::new(), list: None, successes, failures, about, passed, failed }
    }

    /// Takes the next line.
    pub(super) fn feed(&mut self, line: Line<'t>) {
        if let Some(verdict) = Verdict::heading(line.text) {
            let is_next_half =
                verdict != self.about && self.list.as_ref().is_some_and(NameList::is_whole);
            if is_next_half {
                self.end(line.start);
                self.about = verdict;
            } else {
                self.list = Some(NameList::new(verdict, line.start));
            }
            return;
        }
        if self.list.as_mut().is_some_and(|list| list.feed(line)) {
            return;
        }
        self.list = None;
        if let Some(name) = block_name(line.text).filter(|name| self.may_have_a_block(name)) {
            self.end_block(line.start);
            self.blocks.push(Block { name, start: line.end, end: usize::MAX });
        }
    }

    /// Whether a summary can be the one at the end: it follows a list of as many tests as it counts,
    /// and some of them are known to have ended so, as far as tests have names at all.
    pub(super) fn accepts(&self, summary: Summary) -> bool {
        self.list.as_ref().is_some_and(|list| {
            let (count, known) = match list.verdict {
                Verdict::Success => (summary.passed, &self.passed),
                Verdict::Failure => (summary.failed, &self.failed),
            };
            let is_known = known.is_empty() || list.names.iter().any(|name| known.contains(name));
            list.names.len() as u64 == count && (count == 0 || is_known)
        })
    }

    fn may_have_a_block(&self, name: &str) -> bool {
        let known = match self.about {
            Verdict::Success => &self.passed,
            Verdict::Failure => &self.failed,
        };
        known.is_empty() || known.contains(name)
    }

    /// Ends at an offset: what was listed last is now known to be the real list.
    pub(super) fn end(&mut self, offset: usize) {
        let list = self.list.take().filter(NameList::is_whole);
        self.end_block(list.as_ref().map_or(offset, |list| list.start));
        match list {
            Some(list) if list.verdict == Verdict::Success => self.successes = list.names,
            Some(list) => self.failures = list.names,
            None => {}
        }
    }

    fn end_block(&mut self, offset: usize) {
        if let Some(block) = self.blocks.last_mut() {
            block.end = block.end.min(offset);
        }
    }

    /// Every block, in order.
    pub(super) fn blocks(&self) -> &[Block<'t>] {
        &self.blocks
    }

    /// The names in the list of a verdict.
    pub(super) fn names(&self, verdict: Verdict) -> &[&'t str] {
        match verdict {
            Verdict::Success => &self.successes,
            Verdict::Failure => &self.failures,
        }
    }
}

impl<'t> NameList<'t> {
    fn new(verdict: Verdict, start: usize) -> Self {
        Self { verdict, names: Vec::new(), start, is_complete: false }
    }

    /// Takes a line if it belongs to a list.
    fn feed(&mut self, line: Line<'t>) -> bool {
        if line.is_blank() {
            self.is_complete = true;
            return true;
        }
        match line.text.strip_prefix("    ") {
            Some(name) if !self.is_complete => {
                self.names.push(name);
                true
            }
            _ => false,
        }
    }

    fn is_whole(&self) -> bool {
        self.is_complete && !self.names.is_empty()
    }
}

/// The name in `---- name stdout ----`.
fn block_name(line: &str) -> Option<&str> {
    let name = line.strip_prefix("---- ")?.strip_suffix(" ----")?;
    name.strip_suffix(" stdout").or_else(|| name.strip_suffix(" stderr"))
}
