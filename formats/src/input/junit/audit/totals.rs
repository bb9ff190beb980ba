//! [`Totals`]: what a suite declares in its attributes, held against its elements.

use crate::xml::Tag;

/// The attributes and what they count, in the order of messages. `skip` is nose's, `skips` that of old
/// versions of pytest.
const COUNTS: [(&[&str], &str); 4] = [
    (&["tests"], "tests"),
    (&["failures"], "failures"),
    (&["errors"], "errors"),
    (&["skipped", "skips", "skip"], "skipped"),
];

/// Counts in the order of [`COUNTS`].
type Counts = [u64; 4];

/// The declared and the counted totals of one suite.
pub(super) struct Totals {
    declared: [Option<Result<u64, String>>; 4],
    /// Tests, and how many of them ended so; of several results the worst counts.
    tests: Counts,
    /// Elements: a test may have several.
    elements: Counts,
    /// Tests that say in an attribute that they did not run.
    not_run: u64,
    /// The same of all suites inside, at any depth.
    inner_tests: Counts,
    inner_elements: Counts,
    inner_not_run: u64,
}

impl Totals {
    /// Reads the attributes of a suite.
    pub(super) fn declared(tag: Tag<'_>) -> Self {
        let declared = COUNTS.map(|(names, _)| {
            let text = names.iter().find_map(|name| tag.attribute(name))?;
            Some(text.trim().parse().map_err(|_| text.to_owned()))
        });
        let [tests, elements, inner_tests, inner_elements] = [[0; 4]; 4];
        Self {
            declared,
            tests,
            elements,
            not_run: 0,
            inner_tests,
            inner_elements,
            inner_not_run: 0,
        }
    }

    /// Counts a test by the elements in it.
    pub(super) fn count(&mut self, failures: u64, errors: u64, skipped: u64, not_run: bool) {
        let (failed, errored) = (failures > 0 && errors == 0, errors > 0);
        let was_skipped = skipped > 0 && failures == 0 && errors == 0;
        let tests = [1, failed.into(), errored.into(), was_skipped.into()];
        add(&mut self.tests, tests);
        add(&mut self.elements, [1, failures, errors, skipped]);
        self.not_run += u64::from(not_run && skipped == 0);
    }

    /// Adds the counts of a suite inside.
    pub(super) fn add_inner(&mut self, inner: &Self) {
        add(&mut self.inner_tests, inner.tests);
        add(&mut self.inner_tests, inner.inner_tests);
        add(&mut self.inner_elements, inner.elements);
        add(&mut self.inner_elements, inner.inner_elements);
        self.inner_not_run += inner.not_run + inner.inner_not_run;
    }

    /// What does not agree, in words. Runners differ in what they count, so a total is right when it
    /// agrees with tests or with elements, of this suite alone or with those inside.
    pub(super) fn complaint(&self) -> Option<String> {
        let mut parts = Vec::new();
        for (index, (_, what)) in COUNTS.iter().enumerate() {
            match &self.declared[index] {
                Some(Err(text)) => {
                    parts.push(format!("`{}` {what}", crate::xml::shown(text)));
                }
                Some(Ok(declared)) if !self.agrees(index, *declared) => {
                    let counted = self.tests[index] + self.inner_tests[index];
                    parts.push(format!("{declared} {what} where {counted} {}", are(counted)));
                }
                _ => {}
            }
        }
        (!parts.is_empty()).then(|| parts.join(", "))
    }

    fn agrees(&self, index: usize, declared: u64) -> bool {
        let all = |own: &Counts, inner: &Counts| [own[index], own[index] + inner[index]];
        let tests = all(&self.tests, &self.inner_tests);
        let elements = all(&self.elements, &self.inner_elements);
        let is_skipped = index == COUNTS.len() - 1;
        let not_run = if is_skipped { self.not_run + self.inner_not_run } else { 0 };
        let counts = tests.into_iter().chain(elements);
        counts.into_iter().any(|count| (count..=count + not_run).contains(&declared))
    }
}

fn add(counts: &mut Counts, more: Counts) {
    counts.iter_mut().zip(more).for_each(|(count, more)| *count += more);
}

fn are(number: u64) -> &'static str {
    if number == 1 { "is" } else { "are" }
}
