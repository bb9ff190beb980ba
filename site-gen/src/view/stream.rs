//! Captured text of a result, shortened so that a page stays a page.

use pony_formats::{Value, json};

use crate::terminal::{self, Span, Style, Terminal};
use crate::text::{self, Excerpt};

/// Bytes of one captured text that a page shows.
const STREAM_BYTES_MAX: usize = 256 * 1024;

/// Captured text under its title.
#[derive(Debug, Clone)]
pub(crate) struct Stream {
    pub(crate) title: &'static str,
    pub(crate) text: Excerpt,
    /// How it looked on a terminal.
    styles: Vec<(usize, Style)>,
    /// The file beside the page that holds the whole text, when the page does not.
    pub(crate) full: Option<String>,
    /// The address, below the result's, of the file that holds what was not stored in the result.
    pub(crate) whole: Option<String>,
}

/// A file with the whole of a text that a page shows in part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FullText<'a> {
    /// The step, from 1.
    pub(crate) step: usize,
    /// `output` or `errout`.
    pub(crate) name: &'static str,
    /// As it was captured.
    pub(crate) text: &'a str,
}

impl FullText<'_> {
    /// The name of the file.
    pub(crate) fn file(&self) -> String {
        format!("step-{}-{}.txt", self.step, self.name)
    }
}

impl Stream {
    /// The beginning, or all of it, as it looked on a terminal.
    pub(crate) fn head(&self) -> Vec<Span<'_>> {
        terminal::spans(&self.text.head, 0, &self.styles)
    }

    /// The end, as it looked on a terminal.
    pub(crate) fn tail(&self) -> Vec<Span<'_>> {
        let start = self.text.total - self.text.tail.len();
        terminal::spans(&self.text.tail, start, &self.styles)
    }

    pub(crate) fn size(&self) -> String {
        format!("{} bytes", text::count(self.text.total))
    }

    pub(crate) fn omitted(&self) -> String {
        text::count(self.text.omitted)
    }

    pub(crate) fn shown(&self) -> String {
        text::count(self.text.total - self.text.omitted)
    }
}

/// The bytes of captured text that a part of a page may still show.
#[derive(Debug)]
pub(super) struct Budget {
    left: usize,
}

impl Budget {
    pub(super) fn new(bytes: usize) -> Self {
        Self { left: bytes }
    }

    /// What can be shown of `text`; nothing at all when there is nothing in it.
    pub(super) fn stream(&mut self, title: &'static str, text: Option<&str>) -> Option<Stream> {
        let Terminal { text: shown, styles } = Terminal::read(text?);
        if shown.trim().is_empty() {
            return None;
        }
        let text = Excerpt::of(shown, STREAM_BYTES_MAX.min(self.left));
        self.left -= text.head.len() + text.tail.len();
        Some(Stream { title, text, styles, full: None, whole: None })
    }
}

/// A key and its value in a table.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) value: Excerpt,
}

/// Bytes of one value in a table.
const VALUE_BYTES_MAX: usize = 4 * 1024;

impl Entry {
    pub(super) fn new(key: &str, value: &Value) -> Self {
        let value = match value {
            Value::String(text) => text::output(text),
            other => text::output(&json::to_json(other).to_string()),
        };
        Self { key: text::name(key), value: Excerpt::of(value, VALUE_BYTES_MAX) }
    }
}

/// The beginning of a list that may be long.
#[derive(Debug, Clone)]
pub(crate) struct Listed<T> {
    pub(crate) items: Vec<T>,
    /// How many are not in `items`.
    pub(crate) more: usize,
}

impl<T> Listed<T> {
    /// The first `max` of `all`.
    pub(super) fn new(all: impl ExactSizeIterator<Item = T>, max: usize) -> Self {
        let more = all.len().saturating_sub(max);
        Self { items: all.take(max).collect(), more }
    }

    /// How many there are, in words.
    pub(crate) fn count(&self) -> String {
        text::count(self.items.len() + self.more)
    }

    /// How many are not listed, in words.
    pub(crate) fn rest(&self) -> String {
        text::count(self.more)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.items.is_empty() && self.more == 0
    }
}
