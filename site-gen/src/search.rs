//! The index that the search of `site.js` reads: packages, tests, and what failing tests said.
//!
//! It is split, and each part is a script, because browsers do not let a page that was opened from a disk read
//! other files: `search/packages.js` names the packages, `p/<package>/search/<n>.js` the tests of one. The first
//! part has the tests worth a look with their messages, the others have the rest, by name.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::analysis::{LineName, LineTests, Said};
use crate::history::Package;
use crate::text;
use crate::view::{LineView, TestPages, concern_words};

/// Tests of a part.
const PART: usize = 2_000;

/// What is known of the tests of a package's build lines; lines come one after another.
#[derive(Debug, Default)]
pub(crate) struct Names {
    /// Where each test is shown: the line that came first.
    lines: Vec<LineName>,
    /// Sorted by name.
    tests: Vec<(String, usize)>,
    /// What failing tests said.
    messages: BTreeMap<String, String>,
}

/// A test in the index.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Entry {
    /// One worth a look: its name, what is wrong with it, and its page.
    Quiet(String, &'static str, String),
    /// The same, and what it said.
    Said(String, &'static str, String, String),
    /// Some that always passed: what their names begin with, the number of the build line that they are shown on,
    /// and the rest of their names.
    Calm(String, usize, Vec<String>),
}

impl Entry {
    /// A test that always passed, on its own.
    fn calm(id: &str, line: usize) -> Self {
        let mut class = text::name(id);
        let rest = class.split_off(class.rfind("::").map_or(0, |at| at + 2));
        Self::Calm(class, line, vec![rest])
    }

    /// Takes in the entry of the next test, if both are of the same class. Gives it back otherwise.
    fn join(&mut self, next: Self) -> Option<Self> {
        match (self, next) {
            (Self::Calm(class, line, names), Self::Calm(other, other_line, more))
                if (&*class, *line) == (&other, other_line) =>
            {
                names.extend(more);
                None
            }
            (_, next) => Some(next),
        }
    }
}

impl Names {
    /// Takes in a line.
    pub(crate) fn add(&mut self, tests: LineTests, failing: Vec<Said>) {
        let place = self.lines.len();
        self.lines.push(tests.line.clone());
        self.tests.extend(tests.ids().map(|id| (id, place)));
        self.tests.sort_unstable();
        self.tests.dedup_by(|later, first| later.0 == first.0);
        for said in failing {
            self.messages.entry(said.id).or_insert(said.message);
        }
    }

    /// The parts of the index of a package, in their order. Each is a call with the folder of the package, tests,
    /// whether there are more, and the pages of build lines, whose numbers tests name.
    pub(crate) fn parts(
        &self,
        folder: &str,
        pages: &TestPages<'_>,
    ) -> impl Iterator<Item = String> {
        let concerns = pages.concerns();
        let remarkable = concerns.iter().enumerate().map(|(rank, concern)| {
            let (name, page) = (text::name(concern.id), TestPages::page(concern.id, rank));
            let words = concern_words(concern.kind);
            match self.messages.get(concern.id).filter(|message| !message.is_empty()) {
                Some(message) => Entry::Said(name, words, page, text::name(message)),
                None => Entry::Quiet(name, words, page),
            }
        });
        let known: BTreeSet<&str> = concerns.iter().map(|concern| concern.id).collect();
        let calm = self.tests.iter().filter(move |(id, _)| !known.contains(id.as_str()));
        let calm = calm.map(|(id, line)| Entry::calm(id, *line));
        let lines: Vec<String> = self.lines.iter().map(LineView::page).collect();
        let mut rest = remarkable.chain(calm).peekable();
        let (folder, mut is_first) = (folder.to_owned(), true);
        std::iter::from_fn(move || {
            let mut tests: Vec<Entry> = Vec::new();
            for test in rest.by_ref().take(PART) {
                let left = match tests.last_mut() {
                    Some(last) => last.join(test),
                    None => Some(test),
                };
                tests.extend(left);
            }
            if tests.is_empty() && !std::mem::take(&mut is_first) {
                return None;
            }
            is_first = false;
            let has_more = rest.peek().is_some();
            Some(call("tests", &(&folder, tests, has_more, &lines)))
        })
    }
}

/// `search/packages.js`.
pub(crate) fn packages(packages: &[&Package]) -> String {
    let list: Vec<_> = packages.iter().map(|one| (text::name(&one.name), one.folder())).collect();
    call("packages", &(list,))
}

/// A call of what `site.js` has for it; `arguments` are a tuple.
fn call(function: &str, arguments: &impl Serialize) -> String {
    // Nothing here has a key that is no string, which is the only way for this to fail.
    let list = serde_json::to_string(arguments).unwrap_or_default();
    let list = list.strip_prefix('[').and_then(|list| list.strip_suffix(']'));
    format!("pony.{function}({});\n", list.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{LineHistory, PackageHistory, Trunk, line_of_results};

    fn tests(line: LineHistory) -> LineTests {
        LineTests::from_text(line.into_text().as_bytes()).unwrap()
    }

    fn line(host: &str) -> LineHistory {
        line_of_results(
            host,
            &[
                ("aaaaaaa", &[("a & b", 'P'), ("</script>", 'P'), ("calm", 'P')]),
                ("bbbbbbb", &[("a & b", 'F'), ("</script>", 'P'), ("calm", 'P')]),
            ],
        )
    }

    #[test]
    fn tests_worth_a_look_come_first_with_what_they_said() {
        let mut names = Names::default();
        let said = Said { id: "a & b".into(), message: "1 != 2".into() };
        names.add(tests(line("h")), vec![said]);
        names.add(tests(line("i")), vec![]);
        let history = PackageHistory::of(Trunk::default(), 1, |_| Some(line("h"))).unwrap();
        let concerns = history.concerns();
        let pages = TestPages::of(&concerns);
        insta::assert_snapshot!(names.parts("p", &pages).collect::<String>(), @r#"pony.tests("p",[["a & b","newly failing","test/a~20~26~20b/index.html","1 != 2"],["",0,["</script>","calm"]]],false,["line/py3.14~00~00h~00linux-x86_64/index.html","line/py3.14~00~00i~00linux-x86_64/index.html"]);"#);
    }

    #[test]
    fn many_tests_come_in_parts_and_all_but_the_last_say_that_there_are_more() {
        let ids: Vec<String> = (0..PART + 1).map(|at| format!("t{at}")).collect();
        let all: Vec<(&str, char)> = ids.iter().map(|id| (id.as_str(), 'P')).collect();
        let mut names = Names::default();
        names.add(tests(line_of_results("h", &[("aaaaaaa", &all)])), vec![]);
        let no_pages = TestPages::of(&[]);
        let parts: Vec<_> = names.parts("p", &no_pages).collect();
        assert_eq!(parts.len(), 2);
        let pages = "[\"line/py3.14~00~00h~00linux-x86_64/index.html\"]);\n";
        assert!(parts[0].ends_with(&format!("],true,{pages}")), "{}", parts[0]);
        assert!(parts[1].ends_with(&format!("],false,{pages}")), "{}", parts[1]);
        let none: Vec<_> = Names::default().parts("p", &no_pages).collect();
        assert_eq!(none, ["pony.tests(\"p\",[],false,[]);\n"]);
    }
}
