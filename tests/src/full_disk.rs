//! A disk without room: everything acknowledged stays, and when there is room again it goes on.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, ensure};

use crate::census::{Census, MARK, fsck};
use crate::collector::{Client, Collector, submission};
use crate::place::{Place, said};
use crate::report::{Row, Violation};
use crate::sweep::scenario::submit;

/// Bytes that are set free when the disk is full.
const BALLAST: usize = 512 * 1024;

/// A small file system in memory, gone when dropped.
struct Mount<'p>(&'p Path);

impl Drop for Mount<'_> {
    fn drop(&mut self) {
        // If it stays, it is only in the way.
        let _ = Command::new("umount").args(["--lazy"]).arg(self.0).status();
    }
}

/// Fills disks of several sizes until nothing more is taken, gives room, and goes on.
///
/// # Errors
/// When the test itself does not work. Broken promises are in the row.
pub fn run(place: &Place, sizes: &[usize]) -> anyhow::Result<Row> {
    let what = "a full disk (tmpfs)";
    let folder = place.disk_folder()?;
    let mut row = Row { what: what.to_owned(), ..Row::default() };
    let (mut stored, mut refused) = (0, 0);
    for size in sizes {
        let disk = folder.path().join("disk");
        fs::create_dir_all(&disk)?;
        let mut command = Command::new("mount");
        command.args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"]).arg(&disk);
        let mounted = command.output().context("cannot run mount")?;
        if !mounted.status.success() {
            return Ok(Row::not_checked(what, &format!("mount: {}", said(&mounted))));
        }
        let _mount = Mount(&disk);
        match fill(place, &disk, folder.path()) {
            Ok((kept, turned_away)) => {
                stored += kept;
                refused += turned_away;
            }
            Err(error) => row.violations.push(Violation {
                what: format!("{size} bytes: {error:#}"),
                reproduce: "pony-faults full-disk".to_owned(),
            }),
        }
    }
    row.count = format!("{} disks", sizes.len());
    row.remark = format!("{stored} acknowledged, {refused} refused");
    Ok(row)
}

/// Returns how many were stored and how many refused.
fn fill(place: &Place, disk: &Path, outside: &Path) -> anyhow::Result<(usize, usize)> {
    let repository = disk.join("results.git");
    let report = r#"<testsuite name="s"><testcase classname="a" name="b"/></testsuite>"#;
    fs::write(disk.join("report.xml"), report)?;
    let ballast = disk.join("ballast");
    fs::write(&ballast, vec![1; BALLAST])?;
    let (mut stored, mut refused) = (Vec::new(), 0);
    // By a collector, with results of all sizes; its site is on another disk and so is its log.
    let mut command = place.command("pony-collector", outside);
    command.args(["serve", "--listen", "127.0.0.1:0", "--repo"]).arg(&repository);
    command.arg("--site").arg(outside.join("site"));
    let collector = Collector::start_as(command, outside)?;
    let client = Client::new(&collector.url);
    let send = |stored: &mut Vec<String>, index: usize| -> anyhow::Result<bool> {
        let mark = format!("{MARK}{index}");
        // Nothing that would shrink.
        let mut random = fastrand::Rng::with_seed(index as u64);
        let noise: String = (0..random.usize(0..100_000)).map(|_| random.alphanumeric()).collect();
        let is_stored = client.submit(&submission("hayloft", &mark, &noise)?).is_ok();
        if is_stored {
            stored.push(mark);
        }
        Ok(is_stored)
    };
    let mut index = 0;
    while refused < 20 {
        index += 1;
        refused += usize::from(!send(&mut stored, index)?);
        ensure!(index < 100_000, "the disk is never full");
    }
    check(place, &repository, &stored).context("when it is full")?;
    fs::remove_file(&ballast)?;
    ensure!(send(&mut stored, 1_000_000)?, "the same collector does not go on when there is room");
    drop(collector);
    check(place, &repository, &stored).context("when there is room again")?;
    // Without a collector, spool and all on the full disk.
    fs::write(&ballast, vec![1; BALLAST / 4])?;
    let mut turned_away = 0;
    for index in 2_000_000.. {
        let mark = format!("{MARK}{index}");
        if submit(place, disk, &mark).output()?.status.success() {
            stored.push(mark);
        } else {
            turned_away += 1;
        }
        if turned_away >= 5 {
            break;
        }
    }
    check(place, &repository, &stored).context("when it is full again")?;
    fs::remove_file(&ballast)?;
    let mark = format!("{MARK}last");
    let output = submit(place, disk, &mark).output()?;
    ensure!(output.status.success(), "it does not go on when there is room: {}", said(&output));
    stored.push(mark);
    check(place, &repository, &stored)?;
    Ok((stored.len(), refused + turned_away))
}

fn check(place: &Place, repository: &Path, stored: &[String]) -> anyhow::Result<()> {
    let census = Census::take(repository)?;
    for mark in stored {
        ensure!(census.count(mark) >= 1, "{mark} was acknowledged and is gone");
    }
    fsck(place, repository)
}
