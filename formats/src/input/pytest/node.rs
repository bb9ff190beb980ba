//! [`Node`]: what pytest calls a test, and a subtest of it.

use super::line::is_node;

/// The words for how a subtest ended: those of pytest 9, and of the plugin pytest-subtests before it.
const SUBTEST_WORDS: [(&str, bool); 6] = [
    ("SUBFAILED", true),
    ("SUBPASSED", false),
    ("SUBSKIPPED", false),
    ("SUBFAIL", true),
    ("SUBPASS", false),
    ("SUBSKIP", false),
];

/// A test, `tests/test_x.py::TestY::test_z[a]`, or a subtest of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Node<'t> {
    /// The test.
    pub(super) test: &'t str,
    /// How the subtest describes itself: `[even] (i=1)`. Empty for the test itself.
    pub(super) subtest: &'t str,
}

impl<'t> Node<'t> {
    /// A test itself.
    pub(super) fn of(test: &'t str) -> Self {
        Self { test, subtest: "" }
    }

    /// The id that pytest's JUnit XML gives a test: module and classes with dots, `::`, the name. There is none for
    /// a subtest; it has its description behind that, as in the text of unittest.
    pub(super) fn id(self) -> String {
        let (path, parameters) = self.split();
        let mut parts = path.split("::");
        let file = parts.next().unwrap_or_default();
        let mut id = file.strip_suffix(".py").unwrap_or(file).replace(['/', '\\'], ".");
        let mut parts = parts.peekable();
        while let Some(part) = parts.next() {
            id.push_str(if parts.peek().is_some() { "." } else { "::" });
            id.push_str(part);
        }
        self.with_subtest(id + parameters)
    }

    /// The title that pytest gives its report: its classes and name with dots.
    pub(super) fn title(self) -> String {
        let (path, parameters) = self.split();
        let names = path.split_once("::").map_or(path, |(_, names)| names);
        self.with_subtest(names.replace("::", ".") + parameters)
    }

    fn split(self) -> (&'t str, &'t str) {
        self.test.split_at(self.test.find('[').unwrap_or(self.test.len()))
    }

    fn with_subtest(self, mut name: String) -> String {
        if !self.subtest.is_empty() {
            name.push(' ');
            name.push_str(self.subtest);
        }
        name
    }
}

/// A line about a subtest: which, and whether it failed.
///
/// | where | pytest 9 | pytest-subtests |
/// | --- | --- | --- |
/// | with `-v` | `t.py::a SUBFAILED[even] (i=1)  [ 5%]` | `t.py::a [even] (i=1) SUBFAIL  [ 5%]` |
/// | in the short summary | `SUBFAILED[even] (i=1) t.py::a` | `[even] (i=1) SUBFAIL t.py::a` |
pub(super) fn subtest(line: &str) -> Option<(Node<'_>, bool)> {
    if !line.contains("SUB") {
        return None;
    }
    let line = without_percent(line);
    let (at, word, has_failed) = SUBTEST_WORDS.iter().find_map(|(word, has_failed)| {
        let at = line.match_indices(word).map(|(at, _)| at);
        let mut at = at.filter(|at| *at == 0 || line.as_bytes()[at - 1] == b' ');
        Some((at.next()?, *word, *has_failed))
    })?;
    let (before, after) = (line[..at].trim_end(), &line[at + word.len()..]);
    let node = if is_node(before) {
        let (test, described) = end_of_test(before);
        // The word may as well be in a parameter, or in why a test was skipped.
        let is_whole = !test.contains('[') || test.ends_with(']');
        if !is_whole || !described.is_empty() && !after.is_empty() {
            return None;
        }
        Node { test, subtest: if described.is_empty() { after.trim() } else { described } }
    } else {
        let start = start_of_test(after)?;
        let described = after[..start].trim();
        Node {
            test: after[start..].trim_end(),
            subtest: if before.is_empty() { described } else { before },
        }
    };
    Some((node, has_failed))
}

/// Splits a description off a test: it begins at the first blank outside the brackets of the parameters.
fn end_of_test(text: &str) -> (&str, &str) {
    let blank = text.find(' ').unwrap_or(text.len());
    let end = match text.find('[').filter(|bracket| *bracket < blank) {
        Some(_) => text.find("] ").map_or(text.len(), |at| at + 1),
        None => blank,
    };
    (&text[..end], text[end..].trim_start())
}

/// Where a test begins behind a description.
fn start_of_test(text: &str) -> Option<usize> {
    let starts = text.match_indices(' ').map(|(at, _)| at + 1);
    let is_file = |at: &usize| {
        text[*at..]
            .split_once("::")
            .is_some_and(|(file, _)| file.ends_with(".py") && is_node(&text[*at..]))
    };
    starts.into_iter().find(is_file)
}

/// A line without the progress at its end, ` [ 50%]`.
pub(super) fn without_percent(line: &str) -> &str {
    let line = line.trim_end();
    match line.rsplit_once('[') {
        Some((line, percent)) if percent.ends_with("%]") => line.trim_end(),
        _ => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_those_of_junit_xml() {
        let id = |test| Node::of(test).id();
        assert_eq!(
            id("tests/test_x.py::TestY::test_z[a::b/c]"),
            "tests.test_x.TestY::test_z[a::b/c]"
        );
        assert_eq!(id("test_x.py::test_z"), "test_x::test_z");
        assert_eq!(id("tests/test_x.py"), "tests.test_x");
        assert_eq!(Node::of("tests/test_x.py::TestY::test_z[a]").title(), "TestY.test_z[a]");
        let node = Node { test: "t.py::T::a", subtest: "(i=1)" };
        assert_eq!((node.id(), node.title()), ("t.T::a (i=1)".to_owned(), "T.a (i=1)".to_owned()));
    }

    #[test]
    fn a_subtest_is_known_by_test_and_description() {
        let failed = |test, subtest| Some((Node { test, subtest }, true));
        let cases = [
            ("t.py::a SUBFAILED[even] (i=1)        [100%]", failed("t.py::a", "[even] (i=1)")),
            ("t.py::a[x y] SUBFAILED(i=1)", failed("t.py::a[x y]", "(i=1)")),
            ("t.py::a SUBFAILED", failed("t.py::a", "")),
            ("t.py::a [even] (i=1) SUBFAIL         [100%]", failed("t.py::a", "[even] (i=1)")),
            ("t.py::a[x] (i='y z') SUBFAIL", failed("t.py::a[x]", "(i='y z')")),
            ("SUBFAILED[a - b] (i=1) t.py::a[x y]", failed("t.py::a[x y]", "[a - b] (i=1)")),
            ("[even] (i=1) SUBFAIL t.py::a", failed("t.py::a", "[even] (i=1)")),
            ("SUBFAIL t.py::a", failed("t.py::a", "")),
            ("t.py::a PASSED", None),
            ("a SUBFAILED attempt", None),
            ("t.py::a[x SUBFAILED] PASSED          [100%]", None),
            ("t.py::a SKIPPED (see SUBSKIPPING)    [100%]", None),
        ];
        for (line, expected) in cases {
            assert_eq!(subtest(line), expected, "{line}");
        }
        assert_eq!(subtest("t.py::a SUBPASSED(i=1)").map(|found| found.1), Some(false));
    }
}
