//! The index that the search of `site.js` reads: packages, tests, and what failing tests said.
//!
//! It is split, and each part is a script, because browsers do not let a page that was opened from a disk read
//! other files: `search/packages.js` names the packages, `p/<package>/search/<n>.js` the tests of one. The first
//! part has the tests worth a look with their messages, the others have the rest, by name.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::analysis::{LineHistory, LineName, Said};
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
    tests: BTreeMap<String, usize>,
    /// What failing tests said.
    messages: BTreeMap<String, String>,
}

impl Names {
    /// Takes in a line.
    pub(crate) fn add(&mut self, line: LineHistory, failing: Vec<Said>) {
        let place = self.lines.len();
        self.lines.push(line.name);
        for id in line.tests.into_keys() {
            self.tests.entry(id).or_insert(place);
        }
        for said in failing {
            self.messages.entry(said.id).or_insert(said.message);
        }
    }

    /// The parts of the index of a package, in their order.
    pub(crate) fn parts(&self, folder: &str, pages: &TestPages<'_>) -> Vec<String> {
        let concerns = pages.concerns();
        let remarkable = concerns.iter().enumerate().map(|(rank, concern)| {
            let message = self.messages.get(concern.id);
            entry(
                concern.id,
                concern_words(concern.kind),
                &TestPages::page(concern.id, rank),
                message.map(String::as_str),
            )
        });
        let known: std::collections::BTreeSet<&str> =
            concerns.iter().map(|concern| concern.id).collect();
        let calm = self.tests.iter().filter(|(id, _)| !known.contains(id.as_str()));
        let calm = calm.map(|(id, line)| {
            let page = self.lines.get(*line).map(LineView::page).unwrap_or_default();
            entry(id, "", &format!("{page}?calm={}", encoded(&text::name(id))), None)
        });
        let all: Vec<Value> = remarkable.chain(calm).collect();
        let chunks: Vec<&[Value]> =
            if all.is_empty() { vec![&[]] } else { all.chunks(PART).collect() };
        let last = chunks.len() - 1;
        let script = |(at, chunk): (usize, &&[Value])| {
            format!("pony.tests({}, {}, {});\n", json!(folder), json!(chunk), at < last)
        };
        chunks.iter().enumerate().map(script).collect()
    }
}

/// `search/packages.js`.
pub(crate) fn packages(packages: &[&Package]) -> String {
    let list = packages.iter().map(|one| json!([text::name(&one.name), one.folder()]));
    format!("pony.packages({});\n", Value::Array(list.collect()))
}

fn entry(id: &str, state: &str, href: &str, message: Option<&str>) -> Value {
    match message.filter(|message| !message.is_empty()) {
        Some(message) => json!([text::name(id), state, href, text::name(message)]),
        None => json!([text::name(id), state, href]),
    }
}

/// As a part of a query.
fn encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            true => encoded.push(char::from(byte)),
            false => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{PackageHistory, Trunk, line_of_results};

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
        names.add(line("h"), vec![said]);
        names.add(line("i"), vec![]);
        let history = PackageHistory::of(Trunk::default(), 1, |_| Some(line("h"))).unwrap();
        let concerns = history.concerns();
        let parts = names.parts("p", &TestPages::of(&concerns));
        insta::assert_snapshot!(parts.concat(), @r#"pony.tests("p", [["a & b","newly failing","test/a~20~26~20b/index.html","1 != 2"],["</script>","","line/py3.14~00~00h~00linux-x86_64/index.html?calm=%3C%2Fscript%3E"],["calm","","line/py3.14~00~00h~00linux-x86_64/index.html?calm=calm"]], false);"#);
    }

    #[test]
    fn many_tests_come_in_parts_and_all_but_the_last_say_that_there_are_more() {
        let ids: Vec<String> = (0..PART + 1).map(|at| format!("t{at}")).collect();
        let tests: Vec<(&str, char)> = ids.iter().map(|id| (id.as_str(), 'P')).collect();
        let mut names = Names::default();
        names.add(line_of_results("h", &[("aaaaaaa", &tests)]), vec![]);
        let parts = names.parts("p", &TestPages::of(&[]));
        assert_eq!(parts.len(), 2);
        assert!(parts[0].ends_with("], true);\n") && parts[1].ends_with("], false);\n"));
        assert_eq!(
            Names::default().parts("p", &TestPages::of(&[])),
            ["pony.tests(\"p\", [], false);\n"]
        );
    }
}
