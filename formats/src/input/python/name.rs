//! [`TestName`]: what unittest, nose and nose2 call a test, and its id.

use crate::input::census::Certainty;

/// A test as a line names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TestName {
    /// Class or module, `::`, and the name, as the runner's JUnit XML has them.
    pub(super) id: String,
    /// The id without the parameters of a subtest.
    pub(super) base: String,
    /// Whether it is a fixture, which `Ran N tests` does not count.
    pub(super) is_fixture: bool,
    /// Free text, such as a docstring in place of the name, is doubtful.
    pub(super) certainty: Certainty,
}

/// The pretended tests that unittest reports failed fixtures as.
const FIXTURES: [&str; 4] = ["setUpClass", "tearDownClass", "setUpModule", "tearDownModule"];

impl TestName {
    /// Reads a name of known shape.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text.starts_with("Failure: ") {
            // nose pretends that a module which cannot be imported is this test.
            return Some(Self::sure("nose.failure.Failure".to_owned(), "runTest", ""));
        }
        if let Some(context) = text.strip_prefix("test suite for <") {
            let mut name = Self::sure(context.split('\'').nth(1)?.to_owned(), "suite", "");
            name.is_fixture = true;
            return Some(name);
        }
        if text == "_ErrorHolder" {
            let (id, base) = (text.to_owned(), text.to_owned());
            return Some(Self { id, base, is_fixture: true, certainty: Certainty::Sure });
        }
        Self::parse_method(text).or_else(|| Self::parse_path(text))
    }

    /// Reads `test_a (pkg.mod.Class)`, since Python 3.11 `test_a (pkg.mod.Class.test_a)`, and the
    /// subtests of both: `test_a (pkg.mod.Class.test_a) [label] (i=1)`.
    pub(super) fn parse_method(text: &str) -> Option<Self> {
        let (name, rest) = text.split_once(" (")?;
        let (path, suffix) = rest.split_once(')')?;
        let is_word = |word: &str| !word.is_empty() && !word.contains([' ', '\t', '(', ')']);
        let is_subtest = suffix.starts_with(" [") || suffix.starts_with(" (");
        let ends = suffix.ends_with(']') || suffix.ends_with(')');
        if !is_word(name) || !is_word(path) || !(suffix.is_empty() || is_subtest && ends) {
            return None;
        }
        let class = path.strip_suffix(name).and_then(|path| path.strip_suffix('.')).unwrap_or(path);
        if FIXTURES.contains(&name) {
            let (id, base) = (text.to_owned(), text.to_owned());
            return Some(Self { id, base, is_fixture: true, certainty: Certainty::Sure });
        }
        Some(Self::sure(class.to_owned(), name, suffix))
    }

    /// Reads `pkg.mod.test_f`, `pkg.mod.test_generated(1, 2)` and `Doctest: pkg.mod.f`.
    fn parse_path(text: &str) -> Option<Self> {
        let path = text.strip_prefix("Doctest: ").unwrap_or(text);
        let (path, arguments) = path.split_at(path.find('(').unwrap_or(path.len()));
        let is_path = path.chars().all(|char| char.is_alphanumeric() || "_.<>".contains(char));
        if !is_path || !(arguments.is_empty() || arguments.ends_with(')')) {
            return None;
        }
        let (module, name) = path.rsplit_once('.')?;
        let is_whole = !module.is_empty() && !name.is_empty();
        is_whole.then(|| Self::sure(module.to_owned(), &format!("{name}{arguments}"), ""))
    }

    /// Takes any text as a name.
    pub(super) fn of(text: &str) -> Self {
        Self::parse(text).unwrap_or_else(|| {
            let text = text.trim();
            let (id, base) = (text.to_owned(), text.to_owned());
            Self { id, base, is_fixture: false, certainty: Certainty::Doubtful }
        })
    }

    fn sure(class: String, name: &str, suffix: &str) -> Self {
        let base = format!("{class}::{name}");
        let id = format!("{base}{suffix}");
        Self { id, base, is_fixture: false, certainty: Certainty::Sure }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_those_of_junit_xml() {
        let cases = [
            ("test_a (pkg.mod.Barn)", "pkg.mod.Barn::test_a"),
            ("test_a (pkg.mod.Barn.test_a)", "pkg.mod.Barn::test_a"),
            (
                "test_a (pkg.mod.Barn.test_a) [hay ... ok] (i=1)",
                "pkg.mod.Barn::test_a [hay ... ok] (i=1)",
            ),
            ("setUpClass (pkg.mod.Barn)", "setUpClass (pkg.mod.Barn)"),
            ("pkg.mod.test_f", "pkg.mod::test_f"),
            ("pkg.mod.test_gen(1, 2.5)", "pkg.mod::test_gen(1, 2.5)"),
            ("Doctest: pkg.mod.f", "pkg.mod::f"),
            ("Failure: ImportError (no hay)", "nose.failure.Failure::runTest"),
            ("test suite for <class 'pkg.mod.Barn'>", "pkg.mod.Barn::suite"),
            ("The barn is full.", "The barn is full."),
        ];
        for (text, id) in cases {
            assert_eq!(TestName::of(text).id, id, "{text}");
        }
    }

    #[test]
    fn a_subtest_belongs_to_its_test() {
        assert_eq!(TestName::of("test_a (m.Barn.test_a) (i=1)").base, "m.Barn::test_a");
    }

    #[test]
    fn what_only_begins_like_a_name_is_none() {
        for text in ["a b (c)", "test_a (m.Barn) ... test_b (m.Barn)", "test_a (m.Barn) [x", "1 (2"]
        {
            assert_eq!(TestName::parse_method(text), None, "{text}");
        }
    }
}
