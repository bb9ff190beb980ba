//! Names of tests, on the page of their result or, when there are many, on pages of their own: no page is too large
//! for a browser.

use super::test::BriefTest;
use crate::text;

/// Names that stand on the page of a result itself.
const INLINE_MAX: usize = 1_000;

/// About how many bytes a page of names has at most.
const PORTION_BYTES_MAX: usize = 400 * 1024;

/// Bytes of markup around a name, about.
const MARKUP_BYTES: usize = 100;

/// Tests with the same outcome.
#[derive(Debug, Clone)]
pub(crate) struct Names {
    /// All of them, unless they have pages of their own.
    pub(crate) inline: Vec<BriefTest>,
    /// The pages with all of them.
    pub(crate) portions: Vec<Portion>,
    total: usize,
}

/// One page of names.
#[derive(Debug, Clone)]
pub(crate) struct Portion {
    /// `passed-1.html`, beside the page of the result.
    pub(crate) file: String,
    pub(crate) tests: Vec<BriefTest>,
}

impl Names {
    /// `kind` is what their pages are called.
    pub(super) fn new(tests: impl ExactSizeIterator<Item = BriefTest>, kind: &str) -> Self {
        let total = tests.len();
        if total <= INLINE_MAX {
            return Self { inline: tests.collect(), portions: vec![], total };
        }
        let mut portions: Vec<Portion> = Vec::new();
        let mut bytes = usize::MAX;
        for test in tests {
            let note = test.note.as_ref().map_or(0, String::len);
            let size = MARKUP_BYTES + test.id.len() + note;
            bytes = bytes.saturating_add(size);
            if bytes > PORTION_BYTES_MAX {
                let file = format!("{kind}-{}.html", portions.len() + 1);
                portions.push(Portion { file, tests: vec![] });
                bytes = size;
            }
            if let Some(portion) = portions.last_mut() {
                portion.tests.push(test);
            }
        }
        Self { inline: vec![], portions, total }
    }

    pub(crate) fn len(&self) -> usize {
        self.total
    }

    /// How many there are, in words.
    pub(crate) fn count(&self) -> String {
        text::count(self.total)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.total == 0
    }
}

impl Portion {
    /// How many there are, in words.
    pub(crate) fn count(&self) -> String {
        text::counted(self.tests.len(), "test")
    }

    /// The first of them.
    pub(crate) fn first(&self) -> &str {
        self.tests.first().map_or("", |test| &test.id)
    }

    /// The last of them.
    pub(crate) fn last(&self) -> &str {
        self.tests.last().map_or("", |test| &test.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(count: usize, length: usize) -> Names {
        let test =
            |number| BriefTest { id: format!("{number:0length$}"), note: None, duration: None };
        Names::new((0..count).map(test), "passed")
    }

    #[test]
    fn few_names_stay_on_the_page() {
        let few = names(INLINE_MAX, 20);
        assert_eq!((few.inline.len(), few.portions.len()), (INLINE_MAX, 0));
    }

    #[test]
    fn many_names_are_all_on_pages_of_a_bounded_size() {
        for length in [20, 2_000] {
            let many = names(10_000, length);
            assert!(many.inline.is_empty() && many.portions.len() > 1);
            let total: usize = many.portions.iter().map(|portion| portion.tests.len()).sum();
            assert_eq!((total, many.count().as_str()), (10_000, "10,000"));
            for portion in &many.portions {
                assert!(portion.tests.len() * (length + MARKUP_BYTES) <= PORTION_BYTES_MAX);
            }
        }
    }
}
