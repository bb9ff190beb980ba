//! One result in full.

use pony_formats::{Step, TestResult, Value};
use pony_store::Artifact;

use super::row::shown_tags;
use super::since::{NoteView, page_of};
use super::step::{self, StepView};
use super::stream::{Entry, FullText, Listed};
use super::test::Tests;
use super::{ChangesView, LineView, RemarkView, Status, TestsView};
use crate::analysis::{LineName, ResultNotes, Revision, TESTED_COMMIT};
use crate::text::{self, When};

/// Keys of client_info that a page shows.
const INFO_MAX: usize = 1_000;

/// A result.
#[derive(Debug, Clone)]
pub(crate) struct ResultView {
    pub(crate) key: String,
    pub(crate) status: Status,
    pub(crate) package: String,
    pub(crate) host: String,
    pub(crate) arch: String,
    pub(crate) tags: Vec<String>,
    pub(crate) received: When,
    pub(crate) duration: Option<String>,
    pub(crate) counts: TestsView,
    /// Tests that the runner did not name.
    pub(crate) unnamed: Option<TestsView>,
    pub(crate) client: Option<String>,
    pub(crate) flags: Vec<String>,
    pub(crate) tested_commit: Option<String>,
    /// Its page at the host of the repository.
    pub(crate) tested_source: Option<String>,
    /// The page of all results of that commit.
    pub(crate) commit_page: Option<String>,
    /// The page of the build line.
    pub(crate) line_page: String,
    /// The page of the machine.
    pub(crate) machine_page: String,
    /// What changed since an earlier result.
    pub(crate) changes: Option<ChangesView>,
    /// The branch, and what else there is to say about it.
    pub(crate) branch: Option<String>,
    /// What people say of it.
    pub(crate) remarks: Vec<RemarkView>,
    /// Since when the run fails, when no test says so.
    pub(crate) note: Option<NoteView>,
    pub(crate) tests: Tests,
    pub(crate) steps: Listed<StepView>,
    pub(crate) info: Listed<Entry>,
    pub(crate) artifacts: Vec<ArtifactView>,
}

/// An uploaded file.
#[derive(Debug, Clone)]
pub(crate) struct ArtifactView {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) size: String,
    pub(crate) sha256: String,
    /// Below the result's folder; only where files are served.
    pub(crate) href: Option<String>,
}

impl ResultView {
    /// The view, and the texts that it shows only in part. Files are linked when `link_artifacts`.
    pub(crate) fn new<'a>(
        result: &'a TestResult,
        artifacts: &[Artifact],
        link_artifacts: bool,
        revision: &Revision,
        notes: Option<&ResultNotes>,
    ) -> (Self, Vec<FullText<'a>>) {
        let TestResult { receipt, submission } = result;
        let info = &submission.client_info;
        let visible = || artifacts.iter().filter(|artifact| artifact.visible);
        let href = |name: &str| {
            let found = visible().find(|artifact| artifact.filename == name);
            found.filter(|_| link_artifacts).and_then(|artifact| address_of(&artifact.filename))
        };
        let (steps, full) = step::views(&submission.results_list, href);
        let line = LineName::of(info);
        let unnamed = submission.results_list.iter().map(Step::unnamed_tests).sum();
        let unnamed = Some(TestsView::new(unnamed)).filter(|view| !view.words.is_empty());
        let view = Self {
            key: receipt.key.to_string(),
            status: Status::of_success(info.success()),
            package: text::name(info.package()),
            host: text::name(info.host()),
            arch: text::name(info.arch()),
            tags: shown_tags(info.tags()),
            received: When::of(receipt.received),
            duration: info.duration().map(text::duration),
            counts: TestsView::new(submission.tally()),
            unnamed,
            client: receipt.client.as_deref().map(text::name),
            flags: receipt.flags.iter().map(|flag| text::name(flag)).collect(),
            tested_commit: TESTED_COMMIT
                .iter()
                .find_map(|key| info.bag().get(*key).and_then(Value::as_str))
                .filter(|commit| !commit.is_empty())
                .map(text::name),
            tested_source: revision.repository.as_ref().and_then(|it| it.commit(&revision.commit)),
            commit_page: revision.is_exact().then(|| format!("../{}", page_of(&revision.commit))),
            line_page: format!("../{}", LineView::page(&line)),
            machine_page: format!("../../../{}", LineView::machine_page(&line.host)),
            changes: None,
            remarks: vec![],
            branch: branch(revision),
            note: notes.and_then(|notes| {
                let whole = notes.whole.as_ref().filter(|_| submission.tally().bad() == 0)?;
                Some(NoteView::new(whole, notes, revision.repository.as_ref()))
            }),
            tests: tests(&submission.results_list, |id| {
                let notes = notes?;
                Some(NoteView::new(notes.tests.get(id)?, notes, revision.repository.as_ref()))
            }),
            steps,
            info: Listed::new(
                info.bag().iter().map(|(key, value)| Entry::new(key, value)),
                INFO_MAX,
            ),
            artifacts: visible()
                .map(|artifact| ArtifactView::new(artifact, link_artifacts))
                .collect(),
        };
        (view, full)
    }

    /// `host · arch`, for titles.
    pub(crate) fn place(&self) -> String {
        match (self.host.as_str(), self.arch.as_str()) {
            ("", place) | (place, "") => place.to_owned(),
            (host, arch) => format!("{host} · {arch}"),
        }
    }
}

fn branch(revision: &Revision) -> Option<String> {
    let known = (!revision.branch.is_empty()).then(|| text::name(&revision.branch));
    let more =
        [(revision.change_request, "change request"), (revision.dirty, "with local changes")];
    let more = more.iter().filter(|(is_so, _)| *is_so).map(|(_, words)| (*words).to_owned());
    let words: Vec<_> = known.into_iter().chain(more).collect();
    (!words.is_empty()).then(|| words.join(", "))
}

fn tests(steps: &[Step], note: impl Fn(&str) -> Option<NoteView>) -> Tests {
    let several = steps.iter().filter(|step| !step.tests().is_empty()).count() > 1;
    let sourced = steps.iter().flat_map(|step| {
        let name = step.name().or(step.kind()).filter(|_| several);
        step.tests().iter().map(move |test| (test, name))
    });
    Tests::new(&sourced.collect::<Vec<_>>(), note)
}

impl ArtifactView {
    fn new(artifact: &Artifact, linked: bool) -> Self {
        Self {
            name: text::name(&artifact.filename),
            description: text::name(&artifact.description),
            size: format!("{} bytes", text::count(artifact.size)),
            sha256: artifact.sha256.to_string(),
            href: address_of(&artifact.filename).filter(|_| linked),
        }
    }
}

/// The address of a file below its result's folder. `None` for a name that no address can have.
fn address_of(name: &str) -> Option<String> {
    if name.bytes().all(|byte| byte == b'.') {
        return None;
    }
    let mut address = "files/".to_owned();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            address.push(char::from(byte));
        } else {
            address.push_str(&format!("%{byte:02X}"));
        }
    }
    Some(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_are_one_component_of_an_address() {
        let cases = [
            ("a b.txt", Some("files/a%20b.txt")),
            ("../../x", Some("files/..%2F..%2Fx")),
            ("javascript:alert(1)", Some("files/javascript%3Aalert%281%29")),
            ("é", Some("files/%C3%A9")),
            // Browsers take `%2e%2e` for `..` too, so these have no address.
            ("..", None),
            (".", None),
            ("", None),
        ];
        for (name, href) in cases {
            assert_eq!(address_of(name).as_deref(), href, "{name}");
        }
    }
}
