//! `pony-collector archive`: moving old results elsewhere, killed and started again.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::Duration;

use jiff::Timestamp;
use pony_formats::{ClientInfo, ResultKey, Step, Submission, Tagset};
use pony_store::{Arrival, Artifact, Contents, Store};

use crate::collector::{Place, client_info, git};

/// Results of many days; the last five are of 2026.
fn fill(place: &Place) -> BTreeSet<ResultKey> {
    let store = Store::create(&place.repo()).unwrap();
    let mut writer = store.writer(Duration::ZERO).unwrap();
    let contents = Contents::of(&place.repo());
    let mut keys = BTreeSet::new();
    let first: Timestamp = "2025-12-12T12:00:00Z".parse().unwrap();
    for day in 0..25_u32 {
        let time = first + jiff::SignedDuration::from_hours(24 * i64::from(day));
        let tagset = Tagset {
            package: "hayloft".to_owned(),
            host: "shed".to_owned(),
            arch: "linux-x86_64".to_owned(),
            tags: Default::default(),
        };
        let client_info = ClientInfo::new(&tagset, true).unwrap();
        let step = Step::default().with("output", format!("day {day}\n"));
        let submission = Submission { client_info, results_list: vec![step] };
        let arrival = Arrival { number: Some(day), ..Arrival::at(time) };
        let key = writer.append(&submission, &arrival).unwrap().receipt.key;
        let (size, sha256) = contents.store(&mut format!("file {}", day / 2).as_bytes()).unwrap();
        let (filename, description) = ("x.log".to_owned(), String::new());
        let artifact = Artifact { filename, description, size, sha256, visible: true };
        writer.attach("hayloft", key, &artifact).unwrap();
        keys.insert(key);
    }
    keys
}

fn command(place: &Place, more: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pony-collector"));
    command.args(["archive", "--before", "2026-01-01", "--to"]).arg(place.path("2025.git"));
    command.args(more).arg(place.repo());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

#[track_caller]
fn run(place: &Place, more: &[&str]) -> String {
    let Output { status, stdout, stderr } = command(place, more).output().unwrap();
    assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).unwrap()
}

/// The results of a repository that can be read in full, with content of the files that they name.
fn readable(path: &Path) -> BTreeSet<ResultKey> {
    let Ok(store) = Store::open(path) else { return BTreeSet::new() };
    let snapshot = store.snapshot().unwrap();
    let contents = Contents::of(path);
    let is_whole = |key: &ResultKey| {
        let artifacts = snapshot.artifacts("hayloft", *key).unwrap();
        snapshot.read("hayloft", *key).unwrap().is_some()
            && artifacts.len() == 1
            && contents.path_of(&artifacts[0].sha256).exists()
    };
    snapshot.results("hayloft").unwrap().into_iter().filter(is_whole).collect()
}

#[track_caller]
fn check_nothing_lost(place: &Place, keys: &BTreeSet<ResultKey>) {
    let (here, there) = (readable(&place.repo()), readable(&place.path("2025.git")));
    assert_eq!(here.union(&there).copied().collect::<BTreeSet<_>>(), *keys);
}

#[track_caller]
fn check_finished(place: &Place, keys: &BTreeSet<ResultKey>) {
    let archive = place.path("2025.git");
    let old = keys.iter().take(20).copied().collect();
    let new = keys.iter().skip(20).copied().collect();
    assert_eq!((readable(&archive), readable(&place.repo())), (old, new));
    place.fsck();
    git(&archive, &["fsck", "--strict", "--full"]);
    let contents = |path: &Path| count_files(Contents::of(path).folder());
    assert_eq!((contents(&archive), contents(&place.repo())), (10, 3));
    assert!(!place.repo().join("objects/tmp_pony_maintain").exists());
}

/// How many files there are below a folder.
fn count_files(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| if path.is_dir() { count_files(&path) } else { 1 }).sum()
}

/// Kills it once it has said so many lines, or after so long.
fn kill_after(mut child: Child, lines: usize, pause: Duration) {
    let mut said = BufReader::new(child.stdout.take().unwrap());
    for _ in 0..lines {
        said.read_line(&mut String::new()).unwrap();
    }
    thread::sleep(pause);
    // It may have ended.
    let _ = child.kill();
    child.wait().unwrap();
}

#[test]
fn results_move_and_the_archive_is_a_repository_like_any_other() {
    let place = Place::new();
    let keys = fill(&place);
    let said = run(&place, &["--url", "https://ci.example/2025.git"]);
    assert!(said.starts_with("copied 20 results to "), "{said}");
    check_finished(&place, &keys);
    assert!(run(&place, &[]).starts_with("nothing to do: "));
    // It can be cloned, and a collector can serve it.
    let archive = place.path("2025.git");
    git(&archive, &["clone", "--quiet", "--bare", ".", place.path("clone.git").to_str().unwrap()]);
    assert_eq!(
        Store::open(&place.path("clone.git"))
            .unwrap()
            .snapshot()
            .unwrap()
            .results("hayloft")
            .unwrap()
            .len(),
        20
    );
    let format = git(&place.repo(), &["show", "main:format.json"]);
    assert!(format.contains("\"url\": \"https://ci.example/2025.git\""), "{format}");
}

#[test]
fn killed_after_any_stage_it_goes_on_and_nothing_is_ever_in_neither() {
    for lines in 0..=7 {
        let place = Place::new();
        let keys = fill(&place);
        kill_after(command(&place, &["--drop-history"]).spawn().unwrap(), lines, Duration::ZERO);
        check_nothing_lost(&place, &keys);
        run(&place, &["--drop-history"]);
        check_finished(&place, &keys);
        assert_eq!(git(&place.repo(), &["rev-list", "--count", "main"]), "1\n");
    }
}

#[test]
fn killed_at_any_time_it_goes_on_and_nothing_is_ever_in_neither() {
    let place = Place::new();
    let keys = fill(&place);
    for round in 0..40_u32 {
        let child = command(&place, &["--drop-history"]).spawn().unwrap();
        kill_after(child, 0, Duration::from_millis(u64::from(round * 7)));
        check_nothing_lost(&place, &keys);
    }
    run(&place, &["--drop-history"]);
    check_finished(&place, &keys);
}

#[test]
fn a_collector_goes_on_with_rising_numbers() {
    let place = Place::new();
    fill(&place);
    let everything = jiff::tz::Offset::UTC.to_datetime(Timestamp::now()).date().to_string();
    let mut command = Command::new(env!("CARGO_BIN_EXE_pony-collector"));
    command.args(["archive", "--before", &everything, "--to"]).arg(place.path("all.git"));
    assert!(command.arg(place.repo()).status().unwrap().success());
    let collector = place.start(&[]);
    let (number, _) = collector.add(client_info("hayloft", true));
    assert_eq!(number, 25);
}

#[test]
fn while_a_collector_runs_nothing_is_moved() {
    let place = Place::new();
    let _collector = place.start(&[]);
    let output = command(&place, &[]).output().unwrap();
    assert_eq!(output.status.code(), Some(75));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("is being written by process "), "{said}");
    assert!(!place.path("2025.git").exists());
}

#[test]
fn a_day_to_come_is_refused() {
    let place = Place::new();
    let mut command = Command::new(env!("CARGO_BIN_EXE_pony-collector"));
    command.args(["archive", "--before", "9999-01-01", "--to", "x.git"]).arg(place.repo());
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(64));
}
