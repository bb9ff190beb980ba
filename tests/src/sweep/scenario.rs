//! [`Scenario`]: one submission, and the repository that it meets.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, ensure};

use crate::census::MARK;
use crate::collector::{Client, Collector, submission};
use crate::place::{Place, has_extension, said};

/// What one point of a sweep is about.
#[derive(Debug, Clone, Copy)]
pub struct Scenario {
    /// In words.
    pub name: &'static str,
    /// Makes the home that every point begins with a copy of.
    pub prepare: fn(&Place, &Path) -> anyhow::Result<()>,
    /// Who is traced.
    pub subject: Subject,
}

/// Who is traced, and what for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// `pony-report submit --repo`.
    Submit,
    /// `pony-report retry --repo`: what waits in the spool.
    Retry,
    /// A running collector, for one call.
    Call,
    /// A running collector, for one uploaded file.
    Upload,
}

/// All of them.
pub const SCENARIOS: [Scenario; 7] = [
    Scenario { name: "first commit", prepare: nothing, subject: Subject::Submit },
    Scenario { name: "later commit", prepare: three_results, subject: Subject::Submit },
    Scenario { name: "packed refs", prepare: packed_refs, subject: Subject::Submit },
    Scenario { name: "roll-up of packs", prepare: many_packs, subject: Subject::Submit },
    Scenario { name: "replay of a spool", prepare: spool, subject: Subject::Retry },
    Scenario { name: "call to a collector", prepare: three_results, subject: Subject::Call },
    Scenario { name: "upload to a collector", prepare: three_results, subject: Subject::Upload },
];

/// The mark of the submission that meets the fault.
pub(super) fn mark() -> String {
    format!("{MARK}faulty")
}

/// `pony-report submit` with a mark.
pub fn submit(place: &Place, home: &Path, mark: &str) -> Command {
    let mut command = place.command("pony-report", home);
    command.args(submit_args(mark));
    command
}

/// What `pony-report` is told to submit with a mark.
pub fn submit_args(mark: &str) -> Vec<String> {
    let words =
        ["submit", "--strict", "--repo", "results.git", "--package", "hayloft", "--tag", mark];
    words.iter().copied().chain(["report.xml"]).map(str::to_owned).collect()
}

/// Submits; it must succeed.
pub(super) fn must_submit(place: &Place, home: &Path, mark: &str) -> anyhow::Result<()> {
    let output = submit(place, home, mark).output().context("cannot run pony-report")?;
    ensure!(output.status.success(), "pony-report submit: {}", said(&output));
    Ok(())
}

fn nothing(_: &Place, home: &Path) -> anyhow::Result<()> {
    let report = r#"<testsuite name="s"><testcase classname="a" name="b"/></testsuite>"#;
    fs::write(home.join("report.xml"), report).context("cannot write a report")?;
    fs::create_dir_all(home.join("state")).context("cannot make the spool's folder")
}

fn three_results(place: &Place, home: &Path) -> anyhow::Result<()> {
    nothing(place, home)?;
    (0..3).try_for_each(|index| must_submit(place, home, &format!("{MARK}{index}")))
}

fn packed_refs(place: &Place, home: &Path) -> anyhow::Result<()> {
    three_results(place, home)?;
    place.git(&home.join("results.git"), &["pack-refs", "--all"])?;
    Ok(())
}

fn spool(place: &Place, home: &Path) -> anyhow::Result<()> {
    three_results(place, home)?;
    // Nobody listens on port 1.
    let mut command = place.command("pony-report", home);
    command.args([
        "submit",
        "--strict",
        "--server",
        "http://127.0.0.1:1/",
        "--package",
        "hayloft",
        "--tag",
    ]);
    let output = command.args([&mark(), "report.xml"]).output()?;
    ensure!(output.status.code() == Some(75), "nothing was spooled: {}", said(&output));
    Ok(())
}

/// As many packs as there can be without the next submission joining some.
fn many_packs(place: &Place, home: &Path) -> anyhow::Result<()> {
    nothing(place, home)?;
    let packs = |home: &Path| -> anyhow::Result<usize> {
        let listing = fs::read_dir(home.join("results.git/objects/pack"))?;
        let names = listing.filter_map(|entry| Some(entry.ok()?.path()));
        Ok(names.filter(|path| has_extension(path, &["pack"])).count())
    };
    let (before, trial) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let before = before.path().join("home");
    must_submit(place, home, &format!("{MARK}0"))?;
    for index in 1..1_000 {
        fs::remove_dir_all(&before).ok();
        crate::place::copy_folder(home, &before)?;
        let count = packs(home)?;
        must_submit(place, home, &format!("{MARK}{index}"))?;
        if packs(home)? <= count {
            // The one before is what we want.
            fs::remove_dir_all(home.join("results.git"))?;
            crate::place::copy_folder(&before.join("results.git"), &home.join("results.git"))?;
            drop(trial);
            return Ok(());
        }
    }
    anyhow::bail!("packs are never joined")
}

/// What a client of a collector does, before and during the trace.
pub(super) struct Errand {
    client: Client,
    auth_key: Option<String>,
}

impl Errand {
    pub(super) fn prepare(collector: &Collector, subject: Subject) -> anyhow::Result<Self> {
        let client = Client::new(&collector.url);
        let auth_key = match subject {
            Subject::Upload => {
                let first = client.submit(&submission("hayloft", &format!("{MARK}owner"), "x")?)?;
                Some(first.auth_key)
            }
            _ => None,
        };
        Ok(Self { client, auth_key })
    }

    /// Whether the collector acknowledged.
    pub(super) fn run(&self, mark: &str) -> anyhow::Result<bool> {
        Ok(match &self.auth_key {
            Some(auth_key) => self.client.upload(auth_key, mark, mark.as_bytes()).is_ok(),
            None => self.client.submit(&submission("hayloft", mark, "x")?).is_ok(),
        })
    }
}
