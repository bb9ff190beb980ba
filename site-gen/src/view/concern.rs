//! Tests that are worth a look, on all build lines of their package.

use pony_formats::names;

use super::since::{ProofView, SinceView};
use super::{ExcuseView, LineView, Runs, Status};
use crate::analysis::{Concern, Kind, LineDigest, Repository, Since, Standing};
use crate::annotations::Excuse;
use crate::text;

/// Tests of a package that have a page of their own.
const PAGES_MAX: usize = 100;

/// Build lines that a list names of a test.
const LINES_NAMED: usize = 3;

/// Which tests of a package have a page, and where.
#[derive(Debug)]
pub(crate) struct TestPages<'a> {
    concerns: &'a [Concern<'a>],
    pages: Vec<(&'a Concern<'a>, String)>,
}

impl<'a> TestPages<'a> {
    /// The most urgent ones, up to a limit: a site has no room for a page of every test.
    pub(crate) fn of(concerns: &'a [Concern<'a>]) -> Self {
        let most_urgent = concerns.iter().take(PAGES_MAX);
        let pages = most_urgent.map(|concern| (concern, names::url_component(concern.id)));
        Self { concerns, pages: pages.collect() }
    }

    /// Where a test is shown, below its package's folder; `rank` is its place in the order of urgency.
    pub(crate) fn page(id: &str, rank: usize) -> String {
        let anchor = names::url_component(id);
        match rank < PAGES_MAX {
            true => format!("test/{anchor}/index.html"),
            false => format!("tests/index.html#{anchor}"),
        }
    }

    /// All of them, with and without a page.
    pub(crate) fn concerns(&self) -> &'a [Concern<'a>] {
        self.concerns
    }

    /// The tests with their folders.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'a Concern<'a>, &str)> {
        self.pages.iter().map(|(concern, folder)| (*concern, folder.as_str()))
    }
}

/// A test in a list.
#[derive(Debug, Clone)]
pub(crate) struct ConcernView {
    pub(crate) id: String,
    /// Its page; only a place in a list when `rank` is beyond those that have one.
    pub(crate) href: String,
    /// The name of its place in the list of tests.
    pub(crate) anchor: String,
    pub(crate) status: Status,
    /// `newly failing`.
    pub(crate) word: &'static str,
    /// `2 of 5 build lines: `; empty when there is but one.
    pub(crate) lines: String,
    /// Some of those, by machine.
    pub(crate) machines: String,
    /// Of the build line where it began first.
    pub(crate) since: Option<SinceView>,
    /// Why it is called flaky.
    pub(crate) flaky: Option<String>,
    /// Why it is no news, where it is so on all build lines; of several reasons the first.
    pub(crate) excuse: Option<ExcuseView>,
    /// `and 2 other reasons on other build lines`, where there are several.
    pub(crate) more_excuses: Option<String>,
}

impl ConcernView {
    /// `rank` is its place in the order of urgency; `to_package` leads to the folder of the package.
    pub(crate) fn new(
        concern: &Concern<'_>,
        rank: usize,
        repository: Option<&Repository>,
        to_package: &str,
    ) -> Self {
        let anchor = names::url_component(concern.id);
        let failing: Vec<_> = concern.failing().collect();
        let first = failing.iter().min_by_key(|(standing, failing)| {
            standing.line.history.commit(failing.first).map(|commit| commit.key)
        });
        let since = first
            .and_then(|(standing, failing)| Since::new(&standing.line.history, *failing))
            .map(|since| SinceView::new(&since, repository, to_package));
        let shown: Vec<&LineDigest> = match failing.is_empty() {
            false => failing.iter().map(|(standing, _)| standing.line).collect(),
            true => concern
                .on
                .iter()
                .filter(|standing| standing.kind() == concern.kind)
                .map(|standing| standing.line)
                .collect(),
        };
        let mut machines: Vec<_> = shown
            .iter()
            .take(LINES_NAMED)
            .map(|line| LineView::machine(&line.history.name))
            .collect();
        if shown.len() > LINES_NAMED {
            machines.push(format!("{} more", text::count(shown.len() - LINES_NAMED)));
        }
        let href = format!("{to_package}{}", TestPages::page(concern.id, rank));
        let (status, word) = words(concern.kind);
        let excuses = reasons(concern);
        Self {
            id: text::name(concern.id),
            href,
            anchor,
            status,
            word,
            lines: match concern.on.len() {
                1 => String::new(),
                all => {
                    format!("{} of {} build lines: ", text::count(shown.len()), text::count(all))
                }
            },
            machines: machines.join("; "),
            since,
            flaky: concern.on.iter().find_map(why_flaky),
            excuse: excuses.first().copied().map(ExcuseView::new),
            more_excuses: (excuses.len() > 1).then(|| {
                let others = text::counted(excuses.len() - 1, "other reason");
                format!("and {others} on other build lines")
            }),
        }
    }
}

/// Why a test is no news: what is said of it on each build line where it would be, once each.
fn reasons<'a>(concern: &Concern<'a>) -> Vec<&'a Excuse> {
    let mut reasons: Vec<&Excuse> = Vec::new();
    let known = concern.on.iter().filter(|standing| standing.kind() == Kind::Known);
    for excuse in known.filter_map(|standing| standing.excuse) {
        if concern.kind == Kind::Known && !reasons.contains(&excuse) {
            reasons.push(excuse);
        }
    }
    reasons
}

/// What a kind is called.
pub(super) fn words(kind: Kind) -> (Status, &'static str) {
    match kind {
        Kind::NewlyFailing => (Status::Failed, "newly failing"),
        Kind::Failing => (Status::Failed, "failing"),
        Kind::Flaky => (Status::Flaky, "flaky"),
        Kind::Fixed => (Status::Passed, "fixed"),
        Kind::Known => (Status::Unknown, "known"),
        Kind::Calm => (Status::Passed, "passing"),
    }
}

/// What a kind is called, in a word.
pub(crate) fn concern_words(kind: Kind) -> &'static str {
    words(kind).1
}

fn why_flaky(standing: &Standing<'_>) -> Option<String> {
    let flaky = standing.test.flaky(standing.line.history.newest)?;
    Some(match flaky.evidence.len() {
        0 => format!(
            "changed {} times in {} (flip rate {} %)",
            flaky.flips,
            text::counted(flaky.verdicts as usize, "commit"),
            flaky.flip_rate()
        ),
        many => format!("passed and failed at {}", text::counted(many, "commit")),
    })
}

/// A test on one build line, in full.
#[derive(Debug, Clone)]
pub(crate) struct StandingView {
    pub(crate) line: LineView,
    pub(crate) status: Status,
    pub(crate) word: &'static str,
    pub(crate) since: Option<SinceView>,
    pub(crate) runs: Runs,
    pub(crate) flaky: Option<String>,
    pub(crate) proofs: Vec<ProofView>,
    /// What people say of it.
    pub(crate) excuse: Option<ExcuseView>,
}

impl StandingView {
    pub(crate) fn new(
        standing: &Standing<'_>,
        repository: Option<&Repository>,
        to_package: &str,
    ) -> Self {
        let Standing { line, test, excuse } = standing;
        let newest = line.history.newest;
        let since = standing.failing().and_then(|failing| Since::new(&line.history, failing));
        let (status, word) = match (standing.kind(), test.is_bad()) {
            _ if test.last() < newest => (Status::Unknown, "vanished"),
            (_, None) => (Status::Unknown, "skipped"),
            (Kind::Flaky, Some(true)) => (Status::Flaky, "flaky, failed last"),
            (Kind::Flaky, Some(false)) => (Status::Flaky, "flaky, passed last"),
            (kind, _) => words(kind),
        };
        let flaky = test.flaky(newest);
        let proofs = flaky.map(|flaky| flaky.evidence).unwrap_or_default();
        Self {
            line: LineView::new(line, to_package),
            status,
            word,
            since: since.map(|since| SinceView::new(&since, repository, to_package)),
            runs: Runs::new(test, &line.history, repository, to_package),
            flaky: why_flaky(standing),
            proofs: proofs.iter().rev().map(|proof| ProofView::new(proof, to_package)).collect(),
            excuse: excuse.map(ExcuseView::new),
        }
    }
}
