//! [`ResultNotes`]: what a result's page says of its failing tests besides the result itself.
//!
//! They are made when the result arrives and stay as they are: a page of a result never changes.

use std::collections::BTreeMap;

use pony_formats::TestResult;
use serde::{Deserialize, Serialize};

use super::{Commit, Evidence, Failing, LineHistory, Revision, TestHistory, Trunk};

/// What is known of a result's failing tests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ResultNotes {
    /// What the result is of.
    pub(crate) of: Subject,
    /// The name of the main branch; empty when no result names one.
    pub(crate) trunk: Trunk,
    /// The run as a whole, when it failed.
    pub(crate) whole: Option<Note>,
    /// Failing tests by their ids; only those that the page shows in full.
    pub(crate) tests: BTreeMap<String, Note>,
}

/// Where a result belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Subject {
    /// To the newest commit of the main line, as it was then.
    NewestCommit,
    /// To an earlier one.
    EarlierCommit,
    /// To another branch or a change request.
    Branch,
}

/// What is known of a failing test on the main line of its build line.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Note {
    /// Since when it fails there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) since: Option<Since>,
    /// Whether it does not fail there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) passes: bool,
    /// Proofs that it is flaky.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) flaky: Vec<Evidence>,
}

/// Since when a test fails.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Since {
    /// The first bad commit.
    pub(crate) first: Commit,
    /// Bad commits since then.
    pub(crate) commits: u32,
    /// The last good commit before it; null when none is known.
    pub(crate) good: Option<Commit>,
    /// Whether the line is older than the failure, so that `first` is when it really began.
    pub(crate) is_exact: bool,
}

impl Since {
    /// With the commits that `failing` names.
    pub(crate) fn new(line: &LineHistory, failing: Failing) -> Option<Self> {
        Some(Self {
            first: line.commit(failing.first)?.clone(),
            commits: failing.commits,
            good: failing.good.and_then(|at| line.commit(at)).cloned(),
            is_exact: failing.first > 1,
        })
    }
}

impl ResultNotes {
    /// The notes on at most `max` failing tests of a result. `line` has taken it in, if it is one of the
    /// main line.
    pub(crate) fn new(
        line: &LineHistory,
        trunk: &Trunk,
        result: &TestResult,
        revision: &Revision,
        max: usize,
    ) -> Self {
        let of = match line.commit(line.newest) {
            _ if !trunk.has(revision) => Subject::Branch,
            Some(newest)
                if newest.key == result.receipt.key
                    || (revision.is_exact() && newest.commit == revision.commit) =>
            {
                Subject::NewestCommit
            }
            _ => Subject::EarlierCommit,
        };
        let whole = (!result.submission.client_info.success() && line.newest > 0)
            .then(|| note(line, Some(&line.whole), of));
        let steps = result.submission.results_list.iter();
        let bad = steps.flat_map(|step| step.tests()).filter(|test| test.outcome.is_bad());
        let tests =
            bad.take(max).map(|test| (test.id.clone(), note(line, line.tests.get(&test.id), of)));
        let tests = tests.filter(|(_, note)| *note != Note::default()).collect();
        Self { of, trunk: trunk.clone(), whole, tests }
    }
}

fn note(line: &LineHistory, test: Option<&TestHistory>, of: Subject) -> Note {
    let Some(test) = test else { return Note::default() };
    let flaky = test.flaky(line.newest).map(|flaky| flaky.evidence.to_vec()).unwrap_or_default();
    if of == Subject::EarlierCommit {
        return Note { flaky, ..Note::default() };
    }
    let since = test.failing(line.newest).and_then(|failing| Since::new(line, failing));
    let passes = test.last() == line.newest && test.is_bad() == Some(false);
    Note { since, passes, flaky }
}

#[cfg(test)]
mod tests {
    use super::super::line_history::tests::{line, result};
    use super::*;
    use pony_formats::Value;

    fn notes(line: &LineHistory, result: &TestResult) -> ResultNotes {
        let revision = Revision::of(result.submission.client_info.bag());
        let main = Revision { branch: "main".into(), ..Revision::default() };
        let mut trunk = super::super::TrunkFinder::default();
        trunk.add(&main, result.receipt.key);
        ResultNotes::new(line, &trunk.found(), result, &revision, 100)
    }

    #[test]
    fn a_failing_test_is_noted_with_its_first_bad_and_last_good_commit() {
        let line = line("a", &[("aaaaaaa", &[("t", 'P')]), ("bbbbbbb", &[("t", 'F')])]);
        let notes = notes(&line, &result(2, "bbbbbbb", &[("t", 'F')]));
        assert_eq!(notes.of, Subject::NewestCommit);
        let since = notes.tests["t"].since.as_ref().unwrap();
        assert_eq!(since.first.commit, "bbbbbbb");
        assert_eq!(since.good.as_ref().unwrap().commit, "aaaaaaa");
        assert!(since.is_exact);
        assert_eq!(notes.whole.unwrap().since.unwrap().first.commit, "bbbbbbb");
    }

    #[test]
    fn a_failure_of_a_branch_is_compared_with_the_main_line() {
        let line = line("a", &[("aaaaaaa", &[("old", 'F'), ("new", 'P')])]);
        let mut result = result(9, "ccccccc", &[("old", 'F'), ("new", 'F'), ("only", 'F')]);
        result.submission.client_info =
            result.submission.client_info.with("branch", Value::from("fix-7")).unwrap();
        let notes = notes(&line, &result);
        assert_eq!(notes.of, Subject::Branch);
        assert!(notes.tests["new"].passes);
        let since = notes.tests["old"].since.as_ref().unwrap();
        assert!(!since.is_exact, "it failed when the line began");
        assert!(!notes.tests.contains_key("only"));
    }

    #[test]
    fn an_earlier_commit_gets_no_since_but_proofs() {
        let results: [(&str, &[(&str, char)]); 3] =
            [("aaaaaaa", &[("t", 'P')]), ("bbbbbbb", &[("t", 'P')]), ("aaaaaaa", &[("t", 'F')])];
        let notes = notes(&line("a", &results), &result(3, "aaaaaaa", &[("t", 'F')]));
        assert_eq!(notes.of, Subject::EarlierCommit);
        let note = &notes.tests["t"];
        assert!(note.since.is_none() && !note.passes && note.flaky.len() == 1);
    }
}
