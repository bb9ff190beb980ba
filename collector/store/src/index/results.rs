//! [`Results`]: the results of the index in the order of time, read in portions.

use std::collections::VecDeque;

use pony_formats::Tagset;

use super::{Index, IndexEntry};
use crate::StoreError;

/// Which results.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Those of all packages.
    All,
    /// Those of one package.
    Package(String),
    /// Those of one build line.
    Tagset(Tagset),
}

/// Results, newest first. Ends after the first error.
#[derive(Debug)]
pub struct Results<'i> {
    index: &'i Index,
    scope: Scope,
    portion: VecDeque<IndexEntry>,
    /// The last one of the portion before.
    last: Option<IndexEntry>,
    is_over: bool,
}

impl<'i> Results<'i> {
    pub(super) fn new(index: &'i Index, scope: Scope) -> Self {
        Self { index, scope, portion: VecDeque::new(), last: None, is_over: false }
    }
}

impl Results<'_> {
    /// Only those before this one.
    #[must_use]
    pub fn before(self, entry: IndexEntry) -> Self {
        Self { last: Some(entry), portion: VecDeque::new(), is_over: false, ..self }
    }
}

impl Iterator for Results<'_> {
    type Item = Result<IndexEntry, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.portion.is_empty() && !self.is_over {
            match self.index.portion(&self.scope, self.last.as_ref()) {
                Ok(portion) => self.portion = portion.into(),
                Err(error) => {
                    self.is_over = true;
                    return Some(Err(error));
                }
            }
            self.is_over = self.portion.is_empty();
            self.last = self.portion.back().cloned();
        }
        self.portion.pop_front().map(Ok)
    }
}
