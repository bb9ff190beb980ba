//! The steps of a result.

use pony_formats::excerpt::whole_name;
use pony_formats::{Step, StepStatus, Value};

use super::stream::{Budget, Entry, FullText, Listed, Stream};
use super::{Status, TestsView};
use crate::text;

/// Steps that a page shows.
const STEPS_MAX: usize = 1_000;

/// Bytes of captured text of all steps together.
const TEXT_BYTES_MAX: usize = 2 * 1024 * 1024;

/// One step.
#[derive(Debug, Clone)]
pub(crate) struct StepView {
    pub(crate) status: Status,
    /// `exit status 2`, `signal 9`.
    pub(crate) ended: String,
    pub(crate) name: Option<String>,
    pub(crate) kind: Option<String>,
    pub(crate) command: Option<String>,
    pub(crate) duration: Option<String>,
    pub(crate) tests: Option<TestsView>,
    pub(crate) streams: Vec<Stream>,
    /// Keys that have no place of their own.
    pub(crate) other: Vec<Entry>,
}

/// The views of `steps`, and the texts that they show only in part.
///
/// `href` is the address of a file of the result, by its name.
pub(super) fn views(
    steps: &[Step],
    href: impl Fn(&str) -> Option<String>,
) -> (Listed<StepView>, Vec<FullText<'_>>) {
    let mut budget = Budget::new(TEXT_BYTES_MAX);
    let mut full = Vec::new();
    let views = steps.iter().enumerate();
    let views = views.map(|(index, step)| {
        let whole = |stream: &str| href(&whole_name(index, stream));
        StepView::new(index + 1, step, &whole, &mut budget, &mut full)
    });
    (Listed::new(views, STEPS_MAX), full)
}

impl StepView {
    fn new<'a>(
        number: usize,
        step: &'a Step,
        whole: &dyn Fn(&str) -> Option<String>,
        budget: &mut Budget,
        full: &mut Vec<FullText<'a>>,
    ) -> Self {
        let (status, ended) = ended(step.status());
        let texts =
            [("Output", "output", step.output()), ("Error output", "errout", step.errout())];
        let mut streams = Vec::new();
        for (title, name, captured) in texts {
            let Some(mut stream) = budget.stream(title, captured) else { continue };
            // What is shown as output may be `out`, which the original client calls it.
            let other = || (name == "output").then(|| whole("out")).flatten();
            stream.whole = whole(name).or_else(other);
            if let Some(text) = captured.filter(|_| stream.text.is_cut()) {
                let whole = FullText { step: number, name, text };
                stream.full = Some(whole.file());
                full.push(whole);
            }
            streams.push(stream);
        }
        let tally = step.tally();
        let other = step.bag().iter().filter(|(key, value)| !has_own_place(step, key, value));
        Self {
            status,
            ended,
            name: step.name().map(text::name),
            kind: step.kind().map(text::name),
            command: step.command().map(|command| text::name(&command)),
            duration: step.duration().map(text::duration),
            tests: (tally.total > 0).then(|| TestsView::new(tally)),
            streams,
            other: other.map(|(key, value)| Entry::new(key, value)).collect(),
        }
    }

    /// What to call it.
    pub(crate) fn title(&self) -> &str {
        self.name.as_deref().or(self.kind.as_deref()).unwrap_or("unnamed step")
    }
}

/// Whether a key is shown in its own place, which takes a value that fits.
fn has_own_place(step: &Step, key: &str, value: &Value) -> bool {
    let is_text = |value: &Value| value.as_str().is_some();
    match key {
        "type" | "name" | "output" | "errout" => is_text(value),
        // Version control steps of the original client call their output `out`.
        "out" => is_text(value) && !step.bag().get("output").is_some_and(is_text),
        "command" => is_text(value) || value.as_array().is_some(),
        "status" => value.as_int().is_some(),
        "duration" => step.duration().is_some(),
        "unnamed_tests" => value.as_struct().is_some(),
        _ => false,
    }
}

fn ended(status: StepStatus) -> (Status, String) {
    match status {
        StepStatus::Succeeded => (Status::Passed, "succeeded".to_owned()),
        StepStatus::Failed(-1) => (Status::Failed, "did not start".to_owned()),
        StepStatus::Failed(status) if status < 0 => {
            (Status::Failed, format!("signal {}", status.unsigned_abs()))
        }
        StepStatus::Failed(status) => (Status::Failed, format!("exit status {status}")),
        StepStatus::Unknown => (Status::Unknown, "no status".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_is_lost() {
        let step = Step::default()
            .with("status", Value::Nil)
            .with("name", 7i64)
            .with("type", "build")
            .with("output", "said")
            .with("out", "said as well")
            .with("colour", "red");
        let (views, _) = views(std::slice::from_ref(&step), |_| None);
        let view = &views.items[0];
        let keys: Vec<_> = view.other.iter().map(|entry| entry.key.as_str()).collect();
        assert_eq!(keys, ["colour", "name", "out", "status"]);
        assert_eq!((view.title(), view.streams.len()), ("build", 1));
    }

    #[test]
    fn steps_end_in_words() {
        let words = |status: i64| ended(StepStatus::Failed(status)).1;
        assert_eq!(words(2), "exit status 2");
        assert_eq!(words(-9), "signal 9");
        assert_eq!(words(-1), "did not start");
        assert_eq!(words(i64::MIN), "signal 9223372036854775808");
        assert_eq!(ended(StepStatus::Unknown), (Status::Unknown, "no status".to_owned()));
    }
}
