//! [`dialect`]: who wrote a document, as far as its first elements tell.

use crate::limits::Limits;
use crate::xml::{Event, Leniency, Reader, Tag, Whole, decode};

/// Elements that are looked at.
const ELEMENTS_MAX: usize = 64;

/// One element, with its attributes in their order.
#[derive(Default)]
struct Element(Vec<(String, String)>);

impl Element {
    fn of(tag: Tag<'_>) -> Self {
        Self(tag.attributes().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    fn is_named(&self, name: &str) -> bool {
        self.get("name") == Some(name)
    }

    /// The names of the attributes as they come.
    fn order(&self) -> String {
        let names: Vec<&str> = self.0.iter().map(|(name, _)| name.as_str()).collect();
        names.join(" ")
    }
}

/// The beginning of a document.
#[derive(Default)]
struct Beginning {
    /// `testsuites`, or the first `testsuite` where that is the root.
    root: Element,
    suite: Element,
    case: Element,
    /// The names of the properties before the first test.
    properties: Vec<String>,
}

type Rule = (&'static str, fn(&Beginning) -> bool);

/// What each runner writes that the others do not. The first that fits is right.
const RULES: [Rule; 22] = [
    ("pytest", |it| it.suite.is_named("pytest") || it.root.is_named("pytest tests")),
    ("nose", |it| it.suite.is_named("nosetests")),
    ("nose2", |it| it.suite.is_named("nose2-junit")),
    ("nextest", |it| it.root.is_named("nextest-run") || it.root.has("uuid")),
    ("cargo2junit", |it| name_of(&it.suite).starts_with("cargo test #")),
    ("surefire", |it| {
        it.suite.0.iter().any(|(_, value)| value.contains("maven.apache.org/surefire"))
            || it.properties.iter().any(|name| name == "surefire.test.class.path")
    }),
    ("jest", |it| it.root.is_named("jest tests")),
    ("vitest", |it| it.root.is_named("vitest tests")),
    ("mocha", |it| it.root.is_named("Mocha Tests")),
    ("playwright", |it| it.root.order() == "id name tests failures skipped errors time"),
    ("googletest", |it| it.root.is_named("AllTests") || it.case.get("result") == Some("completed")),
    ("ctest", |it| it.root.0.is_empty() && it.suite.has("disabled") && it.case.has("status")),
    ("go-junit-report or gotestsum", |it| it.properties.iter().any(|name| name == "go.version")),
    ("rspec", |it| name_of(&it.suite).starts_with("rspec")),
    ("minitest", |it| {
        let file = it.case.get("file").unwrap_or_default();
        it.suite.has("assertions") && (it.case.has("lineno") || file.ends_with(".rb"))
    }),
    ("phpunit", |it| it.case.has("class") && it.case.has("file")),
    ("catch2", |it| it.suite.get("hostname") == Some("tbd")),
    ("unittest-xml-reporting", |it| it.suite.has("file") && ends_in_a_date(name_of(&it.suite))),
    ("cucumber", |it| name_of(&it.suite).starts_with("Cucumber")),
    ("gradle", |it| {
        it.suite.order() == "name tests skipped failures errors timestamp hostname time"
    }),
    ("ant", |it| {
        let order = it.suite.order();
        order == "errors failures hostname name skipped tests time timestamp"
            || it.properties.iter().any(|name| name == "ant.version")
    }),
    ("pony-report", |it| it.root.is_named("pony-report")),
];

/// Whether it ends in `-20260102030405`.
fn ends_in_a_date(name: &str) -> bool {
    let date = name.rsplit_once('-').map_or("", |parts| parts.1);
    date.len() == 14 && date.bytes().all(|byte| byte.is_ascii_digit())
}

fn name_of(suite: &Element) -> &str {
    suite.get("name").unwrap_or_default()
}

/// Which runner's JUnit XML this looks like. A guess from names and attributes that are the runner's
/// own; `None` when there are none of those.
pub fn dialect(input: &[u8]) -> Option<&'static str> {
    let beginning = read(input)?;
    RULES.iter().find(|(_, fits)| fits(&beginning)).map(|rule| rule.0)
}

fn read(input: &[u8]) -> Option<Beginning> {
    let limits = Limits { input_bytes_max: usize::MAX, ..Limits::DEFAULT };
    let (text, _) = decode(input, Leniency::Report, &limits).ok()?;
    let mut reader = Reader::new(Whole::new(&text), Leniency::Report, &limits);
    let mut beginning = Beginning::default();
    let (mut elements, mut suites) = (0, 0);
    while let Ok(Some(event)) = reader.next() {
        let Event::Start = event else { continue };
        elements += 1;
        if elements > ELEMENTS_MAX {
            break;
        }
        let tag = reader.tag();
        match tag.name() {
            "testsuites" if elements == 1 => beginning.root = Element::of(tag),
            "testsuite" if suites == 0 => {
                suites = 1;
                beginning.suite = Element::of(tag);
            }
            "property" => beginning.properties.extend(tag.attribute("name").map(str::to_owned)),
            "testcase" => {
                beginning.case = Element::of(tag);
                break;
            }
            _ => {}
        }
    }
    Some(beginning)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runners_are_told_by_what_only_they_write() {
        let cases = [
            ("<testsuite name='pytest' errors='0'/>", Some("pytest")),
            (
                "<testsuites name='pytest tests'><testsuite name='mine'/></testsuites>",
                Some("pytest"),
            ),
            ("<testsuite name='nosetests' skip='0'/>", Some("nose")),
            ("<testsuites name='nextest-run' uuid='0'/>", Some("nextest")),
            (
                "<testsuites><testsuite name='p'><properties><property name='go.version' value='1'/>\
                 </properties></testsuite></testsuites>",
                Some("go-junit-report or gotestsum"),
            ),
            (
                "<testsuite name='a.B' tests='1' skipped='0' failures='0' errors='0' \
                 timestamp='t' hostname='h' time='1'/>",
                Some("gradle"),
            ),
            (
                "<testsuite><testcase class='C' file='c.php' assertions='1'/></testsuite>",
                Some("phpunit"),
            ),
            ("<testsuite name='C-20260102030405' file='c.py'/>", Some("unittest-xml-reporting")),
            ("<testsuites name='jest tests'/>", Some("jest")),
            ("<testsuite name='x' tests='1'><testcase name='y'/></testsuite>", None),
            ("no xml", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(dialect(text.as_bytes()), expected, "{text}");
        }
    }
}
