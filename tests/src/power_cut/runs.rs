//! [`RUNS`]: the runs that are recorded.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, ensure};

use super::recording::{Promise, Recorder, Recording};
use crate::census::MARK;
use crate::collector::{Client, Collector, key_in, submission};
use crate::place::{Place, has_extension, said};
use crate::strace::{Call, all_quoted, calls};

/// Everything that may change a folder, or tell somebody of it. What is here and not understood is an error
/// when it meets the folder.
const CALLS: &str = "open,openat,creat,close,dup,dup2,dup3,fcntl,lseek,write,writev,pwrite64,pwritev,\
                     pwritev2,ftruncate,truncate,fallocate,copy_file_range,sendfile,fsync,fdatasync,\
                     sync_file_range,rename,renameat,renameat2,unlink,unlinkat,rmdir,mkdir,mkdirat,link,\
                     linkat,symlink,symlinkat,sendto,sendmsg";

/// Clients of the recorded collector, and what each sends.
const CLIENTS: usize = 8;
const SUBMISSIONS_EACH: usize = 4;

/// How long a collector may take to end.
const STOP_PATIENCE: Duration = Duration::from_secs(60);

/// Each writer syncs the folder above that of the branches: one that was killed may have made the latter anew,
/// which happens in none of these runs.
/// The index is derived: when it is damaged it is made anew.
const SPARE: [&str; 3] = ["refs", "pony/index.redb", "pony"];

/// A new repository has a process id in its lock file from the start.
const SPARE_AT_FIRST: [&str; 4] = ["refs", "pony.lock", "pony/index.redb", "pony"];

/// Beside these, after a cut nobody uploads with an auth key that was given before, so the secret that makes them
/// is not missed; and the folders of the repository are there before.
const SPARE_IN_COLLECTOR: [&str; 5] =
    ["refs", "pony/index.redb", "pony", "pony/.tmp*", "the folder of the repository"];

/// A run to be recorded.
#[derive(Debug, Clone, Copy)]
pub struct RecordedRun {
    /// In words.
    pub name: &'static str,
    /// How many results there are before; all of them are on the disk.
    before: usize,
    play: fn(&Place, &Path, &mut Recorder) -> anyhow::Result<()>,
    /// Kinds of sync whose use these states need not show; the reasons are beside the lists.
    pub spare_syncs: &'static [&'static str],
}

/// The shortest of them.
pub const SHORT: &str = "a submission";

/// All of them.
pub const RUNS: [RecordedRun; 4] = [
    RecordedRun { name: SHORT, before: 2, play: one_submission, spare_syncs: &SPARE },
    RecordedRun {
        name: "first submissions",
        before: 0,
        play: two_submissions,
        spare_syncs: &SPARE_AT_FIRST,
    },
    RecordedRun {
        name: "submissions that join packs",
        before: 26,
        play: until_packs_are_joined,
        spare_syncs: &SPARE,
    },
    RecordedRun {
        name: "a collector with eight clients",
        before: 3,
        play: collector_with_clients,
        spare_syncs: &SPARE_IN_COLLECTOR,
    },
];

/// Plays a run below strace, in a new folder.
pub(super) fn record(place: &Place, run: &RecordedRun, folder: &Path) -> anyhow::Result<Recording> {
    let home = folder.join("home");
    let data = home.join("data");
    fs::create_dir_all(&data)?;
    let report = r#"<testsuite name="s"><testcase classname="a" name="b"/></testsuite>"#;
    fs::write(home.join("report.xml"), report)?;
    for index in 0..run.before {
        let output = submit(place.command("pony-report", &home), index).output()?;
        ensure!(output.status.success(), "pony-report submit: {}", said(&output));
    }
    let mut recorder = Recorder::new(&data, promise)?;
    (run.play)(place, &home, &mut recorder)?;
    recorder.finish()
}

fn submit(mut command: Command, index: usize) -> Command {
    command.args([
        "submit",
        "--strict",
        "--repo",
        "data/results.git",
        "--package",
        "hayloft",
        "--tag",
    ]);
    command.args([&format!("{MARK}{index}"), "report.xml"]);
    command
}

fn strace(place: &Place, home: &Path) -> Command {
    let mut command = place.tool("strace", home);
    command.args(["-f", "-y", "-xx", "-s", "16777216", "-qq", "-o", "trace"]);
    command.args(["-e", &format!("trace={CALLS}"), "--"]);
    command
}

fn traced_submission(
    place: &Place,
    home: &Path,
    recorder: &mut Recorder,
    index: usize,
) -> anyhow::Result<()> {
    let mut command = strace(place, home);
    command.arg(place.programs.join("pony-report"));
    let output = submit(command, index).output().context("cannot run strace")?;
    ensure!(output.status.success(), "pony-report submit: {}", said(&output));
    add_trace(home, recorder)
}

fn add_trace(home: &Path, recorder: &mut Recorder) -> anyhow::Result<()> {
    let trace = fs::read(home.join("trace")).context("strace wrote nothing")?;
    recorder.add(&calls(&String::from_utf8_lossy(&trace))?)
}

fn one_submission(place: &Place, home: &Path, recorder: &mut Recorder) -> anyhow::Result<()> {
    traced_submission(place, home, recorder, 100)
}

fn two_submissions(place: &Place, home: &Path, recorder: &mut Recorder) -> anyhow::Result<()> {
    (100..102).try_for_each(|index| traced_submission(place, home, recorder, index))
}

fn until_packs_are_joined(
    place: &Place,
    home: &Path,
    recorder: &mut Recorder,
) -> anyhow::Result<()> {
    let packs = || -> anyhow::Result<usize> {
        let listing = fs::read_dir(home.join("data/results.git/objects/pack"))?;
        let paths = listing.filter_map(|entry| Some(entry.ok()?.path()));
        Ok(paths.filter(|path| has_extension(path, &["pack"])).count())
    };
    let mut rest = 1_000;
    for index in 100.. {
        let before = packs()?;
        traced_submission(place, home, recorder, index)?;
        if packs()? < before {
            // And two more on top of it.
            rest = 3;
        }
        rest -= 1;
        if rest == 0 {
            break;
        }
    }
    Ok(())
}

fn collector_with_clients(
    place: &Place,
    home: &Path,
    recorder: &mut Recorder,
) -> anyhow::Result<()> {
    let mut command = strace(place, home);
    command.arg(place.programs.join("pony-collector"));
    // The site is made of the repository: it may be lost.
    command.args(["serve", "--repo", "data/results.git", "--site", "site"]);
    command.args(["--listen", "127.0.0.1:0"]);
    let mut collector = Collector::start_as(command, home)?;
    let url = collector.url.clone();
    let client = |number: usize| -> anyhow::Result<()> {
        let client = Client::new(&url);
        for index in 0..SUBMISSIONS_EACH {
            let mark = format!("{MARK}{number}-{index}");
            let receipt = client.submit(&submission("hayloft", &mark, "x")?)?;
            if index == 0 {
                client.upload(&receipt.auth_key, "log.txt", mark.as_bytes())?;
            }
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let client = &client;
        let threads: Vec<_> =
            (0..CLIENTS).map(|number| scope.spawn(move || client(number))).collect();
        threads.into_iter().try_for_each(|thread| match thread.join() {
            Ok(outcome) => outcome,
            Err(_) => Err(anyhow::anyhow!("a client ended early")),
        })
    })?;
    // What runs is strace; whose lock the repository has is the collector.
    let id = fs::read_to_string(home.join("data/results.git/pony.lock"))?;
    Command::new("kill").arg(id.trim()).status().context("cannot run kill")?;
    collector.ended(STOP_PATIENCE)?.context("the collector does not end")?;
    add_trace(home, recorder)
}

/// What a call tells somebody outside: the line that a submission ends with, or an answer over HTTP.
fn promise(call: &Call) -> Option<Promise> {
    if !["write", "writev", "sendto", "sendmsg"].contains(&&*call.name) {
        return None;
    }
    let text = || String::from_utf8_lossy(&all_quoted(&call.args[1..].join(","))).into_owned();
    if call.name == "write" && call.descriptor(0) == Some(1) {
        let text = text();
        let (_, rest) = text.split_once("; result ")?;
        return Some(Promise::Result(rest.split(' ').next()?.parse().ok()?));
    }
    let path = call.path_of(0)?;
    if !(path.starts_with("socket:") || path.starts_with("TCP")) {
        return None;
    }
    let text = text();
    if !text.starts_with("HTTP/1.1 200") {
        return None;
    }
    if text.contains("content-length: 0\r\n") {
        return Some(Promise::File);
    }
    let keys = text.split(['<', '>']).filter(|part| part.len() == 32);
    keys.filter_map(key_in).next().map(Promise::Result)
}
