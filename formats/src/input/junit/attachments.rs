//! Files that a test names in its output.
//!
//! `[[ATTACHMENT|path]]` is the notation of Jenkins' JUnit Attachments plugin; Playwright's JUnit reporter
//! writes it as well. The output keeps it.

use memchr::memmem;

use crate::model::Evidence;
use crate::value::Value;

const OPENING: &str = "[[ATTACHMENT|";
const CLOSING: &str = "]]";

/// The paths in both outputs, as they stand there, in their order; `None` when there are none.
pub(super) fn named_in(evidence: &Evidence) -> Option<Value> {
    let texts = [&evidence.output, &evidence.errout].into_iter().flatten();
    let paths: Vec<Value> = texts.flat_map(|text| paths(text)).map(Value::from).collect();
    (!paths.is_empty()).then_some(Value::Array(paths))
}

fn paths(text: &str) -> impl Iterator<Item = &str> {
    memmem::find_iter(text.as_bytes(), OPENING).filter_map(|at| {
        let line = text[at + OPENING.len()..].lines().next()?;
        let path = line.split_once(CLOSING)?.0.trim();
        (!path.is_empty()).then_some(path)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_ends_with_its_brackets_and_on_its_line() {
        let found: Vec<&str> = paths(
            "a [[ATTACHMENT|/tmp/a b.png]] b [[ATTACHMENT|c]]\n[[ATTACHMENT|]] [[ATTACHMENT|\nd]]\n[[ATTACHMENT|ü",
        )
        .collect();
        assert_eq!(found, ["/tmp/a b.png", "c"]);
    }
}
