//! Jobs that push to one git host at the same moment, while the network is cut now and then.
//!
//! Each round starts all jobs at once; every job submits one result of its own. Where the network is cut, jobs
//! that could not deliver run `pony-report retry` until they have. In the end every result is there exactly once, the history
//! is linear, and git finds everything whole.

use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};

use crate::census::{Census, MARK, fsck};
use crate::git_server::{Daemon, Habits, WebHost};
use crate::place::Place;
use crate::proxy::Proxy;
use crate::report::{Row, Violation};

/// What the jobs push through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// `git http-backend`.
    Http,
    /// `git daemon`.
    Daemon,
    /// A path.
    File,
}

/// How much is done.
#[derive(Debug, Clone, Copy)]
pub struct Effort {
    /// Who pushes at the same time.
    pub jobs: usize,
    /// How often.
    pub rounds: usize,
    /// Whether the network is cut at random moments.
    pub cut: bool,
    /// What random choices begin with.
    pub seed: u64,
}

/// How often a job may fail to deliver while the network is cut, before that is called a failure of its own.
const RETRIES_MAX: usize = 200;

/// The end of a submission that is to be tried later.
const TRY_LATER: i32 = 75;

/// Every way, and what it is called.
pub const WAYS: [(&str, Way); 3] =
    [("http-backend", Way::Http), ("daemon", Way::Daemon), ("file", Way::File)];

/// Has jobs push.
///
/// # Errors
/// When the test itself does not work. Broken promises are in the row.
pub fn run(place: &Place, (name, way): (&str, Way), effort: Effort) -> anyhow::Result<Row> {
    let Effort { jobs, rounds, cut, seed } = effort;
    let folder = place.disk_folder()?;
    let beneath = if cut { ", the network cut at random" } else { "" };
    let mut row = Row {
        what: format!("{jobs} jobs pushing at once by {name}{beneath}"),
        count: format!("{} results", jobs * rounds),
        ..Row::default()
    };
    match pushed(place, way, folder.path(), effort) {
        Ok(later) if cut => row.remark = format!("{later} times delivered by a retry"),
        Ok(_) => {}
        Err(error) => {
            let home = folder.path().display();
            let reproduce =
                format!("pony-faults pushes --only {name} --seed {seed}; look at {home}");
            row.violations.push(Violation { what: format!("{error:#}"), reproduce });
            let _ = folder.keep();
        }
    }
    Ok(row)
}

/// A host with an empty repository, and how it is reached.
struct Host {
    repository: PathBuf,
    url: String,
    proxy: Option<Proxy>,
    _daemon: Option<Daemon>,
}

impl Host {
    fn start(place: &Place, way: Way, home: &Path) -> anyhow::Result<Self> {
        let root = home.join("host");
        std::fs::create_dir(&root)?;
        place.git(&root, &["init", "--quiet", "--bare", "--initial-branch=main", "r.git"])?;
        let repository = root.join("r.git");
        // As git hosts have it.
        for setting in ["uploadpack.allowFilter", "receive.fsckObjects"] {
            place.git(&repository, &["config", setting, "true"])?;
        }
        let (scheme, to, daemon) = match way {
            Way::Http => ("http", WebHost::start(&root, Habits::default())?.address, None),
            Way::Daemon => {
                let daemon = Daemon::start(place, &root)?;
                ("git", daemon.address, Some(daemon))
            }
            Way::File => {
                let url = format!("file://{}", repository.display());
                return Ok(Self { repository, url, proxy: None, _daemon: None });
            }
        };
        let proxy = Proxy::start(to)?;
        let url = format!("{scheme}://{}/r.git", proxy.address);
        Ok(Self { repository, url, proxy: Some(proxy), _daemon: daemon })
    }
}

fn pushed(place: &Place, way: Way, home: &Path, effort: Effort) -> anyhow::Result<usize> {
    let host = Host::start(place, way, home)?;
    let mut later = 0;
    for round in 0..effort.rounds {
        later += one_round(place, &host, home, round, effort)
            .with_context(|| format!("round {round}"))?;
    }
    check(place, &host.repository, effort.jobs * effort.rounds)?;
    Ok(later)
}

/// Returns how many submissions had to be tried again.
fn one_round(
    place: &Place,
    host: &Host,
    home: &Path,
    round: usize,
    effort: Effort,
) -> anyhow::Result<usize> {
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        if let Some(proxy) = host.proxy.as_ref().filter(|_| effort.cut) {
            let mut random = fastrand::Rng::with_seed(effort.seed + round as u64);
            let is_over = &is_over;
            // The more push at once, the longer one of them takes.
            let longest = 500 * effort.jobs as u64;
            scope.spawn(move || {
                while !is_over.load(Ordering::Relaxed) {
                    let calm = Duration::from_millis(random.u64(50..longest.max(100)));
                    let start = Instant::now();
                    while start.elapsed() < calm && !is_over.load(Ordering::Relaxed) {
                        std::thread::sleep(Duration::from_millis(20));
                    }
                    proxy.cut();
                    std::thread::sleep(Duration::from_millis(random.u64(1..300)));
                    proxy.mend();
                }
            });
        }
        let jobs = (0..effort.jobs).map(|job| Job::start(place, host, home, round, job));
        let jobs: Vec<Job> = jobs.collect::<Result<_, _>>()?;
        let delivered = jobs.into_iter().map(|job| job.deliver(place, effort.cut));
        let delivered: anyhow::Result<Vec<usize>> = delivered.collect();
        is_over.store(true, Ordering::Relaxed);
        Ok(delivered?.into_iter().sum())
    })
}

/// A machine with one result.
struct Job {
    home: PathBuf,
    child: Child,
}

impl Job {
    fn start(
        place: &Place,
        host: &Host,
        home: &Path,
        round: usize,
        job: usize,
    ) -> anyhow::Result<Self> {
        let home = home.join(format!("job-{job}"));
        std::fs::create_dir_all(&home)?;
        std::fs::write(home.join("log"), "1..2\nok 1 - opens\nnot ok 2 - shuts\n")?;
        let mut command = place.command("pony-report", &home);
        command
            .args(["submit", "--strict", "--quiet", "--repo", &host.url, "--from", "tap", "log"]);
        command.args(["--tag", &format!("{MARK}{round}-{job}")]);
        // Some of the same package, some of another.
        command.args(["--package", &format!("package-{}", job % 4)]);
        command.args(["--host", &format!("shed-{job}")]);
        let errors = std::fs::File::create(home.join("errors"))?;
        let child = command.stderr(errors).spawn().context("cannot run pony-report")?;
        Ok(Self { home, child })
    }

    /// Waits, and tries again for as long as that is what it is told. Returns how often.
    fn deliver(mut self, place: &Place, is_cut: bool) -> anyhow::Result<usize> {
        let mut status = self.child.wait()?;
        let mut retries = 0;
        while is_cut && status.code() == Some(TRY_LATER) && retries < RETRIES_MAX {
            retries += 1;
            let mut retry = place.command("pony-report", &self.home);
            let errors = std::fs::File::create(self.home.join("errors"))?;
            status = retry.args(["retry", "--quiet"]).stderr(errors).status()?;
        }
        let errors = std::fs::read_to_string(self.home.join("errors")).unwrap_or_default();
        ensure!(status.success(), "{status} after {retries} retries: {}", errors.trim());
        let spool = self.home.join("state/pony/spool");
        let left = crate::place::files_below(&spool)?;
        ensure!(left.is_empty(), "left in the spool: {left:?}");
        Ok(retries)
    }
}

/// Everything is there once, in one line of commits, and whole.
fn check(place: &Place, repository: &Path, results: usize) -> anyhow::Result<()> {
    let census = Census::take(repository)?;
    ensure!(census.marks.len() == results, "{} of {results} results", census.marks.len());
    for (mark, keys) in &census.marks {
        ensure!(keys.len() == 1, "{mark} is there {} times", keys.len());
    }
    ensure!(census.keys.len() == results, "{} results, {results} were sent", census.keys.len());
    let count = |words: &[&str]| -> anyhow::Result<usize> {
        let words = [&["rev-list", "--count", "main"], words].concat();
        Ok(place.git(repository, &words)?.trim().parse()?)
    };
    // The first commit holds no result.
    ensure!(count(&[])? == results + 1, "{} commits", count(&[])?);
    ensure!(count(&["--merges"])? == 0, "there are merges");
    fsck(place, repository)
}
