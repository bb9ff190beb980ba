//! A clock that jumps: keys rise all the same, and so do the times of commits.

use anyhow::{Context as _, ensure};
use pony_store::Store;

use crate::census::{Census, MARK, fsck};
use crate::place::{Place, has, said};
use crate::report::{Row, Violation};
use crate::sweep::scenario::submit_args;

/// Where the clock stands at each submission, as `faketime` understands it.
const JUMPS: [&str; 9] = [
    "+0",
    "-1d",
    "+10y",
    "2001-01-01 00:00:00",
    "1970-01-02 00:00:00",
    "+0",
    "2037-12-31 23:59:59",
    "-30y",
    "+1h",
];

/// Submits with a clock that stands elsewhere every time.
///
/// # Errors
/// When the test itself does not work. Broken promises are in the row.
pub fn run(place: &Place) -> anyhow::Result<Row> {
    let what = "a clock that jumps (faketime)";
    if !has("faketime", "--version") {
        return Ok(Row::not_checked(what, "no faketime here"));
    }
    let mut row = Row { what: what.to_owned(), ..Row::default() };
    row.count = format!("{} jumps", JUMPS.len());
    let folder = place.fast_folder()?;
    if let Err(error) = jump(place, folder.path()) {
        let reproduce = "pony-faults clock".to_owned();
        row.violations.push(Violation { what: format!("{error:#}"), reproduce });
    }
    Ok(row)
}

fn jump(place: &Place, home: &std::path::Path) -> anyhow::Result<()> {
    let report = r#"<testsuite name="s"><testcase classname="a" name="b"/></testsuite>"#;
    std::fs::write(home.join("report.xml"), report)?;
    for (index, time) in JUMPS.iter().enumerate() {
        let mut command = place.tool("faketime", home);
        command.args(["-f", &as_start(time)]).arg(place.programs.join("pony-report"));
        let output = command.args(submit_args(&format!("{MARK}{index}"))).output()?;
        ensure!(output.status.success(), "with the clock at {time}: {}", said(&output));
    }
    let repository = home.join("results.git");
    let census = Census::take(&repository)?;
    ensure!(census.keys.len() == JUMPS.len(), "{} results are there", census.keys.len());
    let changes = Store::open(&repository)?.snapshot()?.changes_since(None)?;
    let keys: Vec<_> = changes.context("no beginning")?.iter().map(|change| change.key).collect();
    ensure!(keys.is_sorted_by(|a, b| a < b), "keys do not rise: {keys:?}");
    let times = place.git(&repository, &["log", "--reverse", "--format=%ct", "main"])?;
    let times = times.lines().map(str::parse).collect::<Result<Vec<i64>, _>>()?;
    ensure!(times.is_sorted(), "times of commits go back: {times:?}");
    fsck(place, &repository)
}

/// `@` has the clock start there and go on, as a clock does.
fn as_start(time: &str) -> String {
    if time.starts_with(['+', '-']) { time.to_owned() } else { format!("@{time}") }
}
