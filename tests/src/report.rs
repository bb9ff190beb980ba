//! [`Report`]: the table of what was tried and what came of it.

use std::fmt::Write as _;

use crate::place::Place;

/// What ends the table of a test in a document.
const END: &str = "<!-- end -->";

/// A promise that was broken, and how to see it again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Where and what, in one line.
    pub what: String,
    /// What to run or to look at.
    pub reproduce: String,
}

/// A row of the table.
#[derive(Debug, Clone, Default)]
pub struct Row {
    /// What was tried.
    pub what: String,
    /// How often, with the unit: `412 points`.
    pub count: String,
    /// What else is worth knowing of it.
    pub remark: String,
    /// Promises that were broken.
    pub violations: Vec<Violation>,
    /// Why nothing was tried, if so.
    pub not_checked: Option<String>,
}

impl Row {
    /// A row for something that could not be tried here.
    pub fn not_checked(what: &str, why: &str) -> Self {
        Self { what: what.to_owned(), not_checked: Some(why.to_owned()), ..Self::default() }
    }
}

/// What came of one test.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// The name of the test on the command line.
    pub test: String,
    /// The command that was given.
    pub command: String,
    /// What random choices begin with.
    pub seed: u64,
    /// What was tried.
    pub rows: Vec<Row>,
}

impl Report {
    /// Whether nothing was broken, and everything was tried.
    pub fn is_clean(&self) -> bool {
        self.rows.iter().all(|row| row.violations.is_empty() && row.not_checked.is_none())
    }

    /// The table as Markdown, and what it was made on.
    pub fn table(&self, place: &Place) -> String {
        let mut text = String::from("| what | how many | violations | remark |\n");
        text.push_str("| --- | ---: | ---: | --- |\n");
        for row in &self.rows {
            let violations = match &row.not_checked {
                Some(why) => format!("not checked: {why}"),
                None => row.violations.len().to_string(),
            };
            // Writing to a string cannot fail.
            let _ =
                writeln!(text, "| {} | {} | {violations} | {} |", row.what, row.count, row.remark);
        }
        let _ = writeln!(text, "\nMade by `{}` (seed {}).", self.command, self.seed);
        let _ = writeln!(text, "{}", surroundings(place));
        text
    }

    /// Every broken promise, one a line.
    pub fn complaints(&self) -> String {
        let mut text = String::new();
        for row in &self.rows {
            for Violation { what, reproduce } in &row.violations {
                // Writing to a string cannot fail.
                let _ = writeln!(text, "{}: {what}\n    to reproduce: {reproduce}", row.what);
            }
        }
        text
    }

    /// A document with the table in the place of what is between the marks of this test,
    /// `<!-- begin: cargo xtask faults TEST -->` and `<!-- end -->`. `None` when it has none.
    pub fn write_into(&self, document: &str, place: &Place) -> Option<String> {
        let begin = format!("<!-- begin: cargo xtask faults {} -->", self.test);
        let (before, rest) = document.split_once(&begin)?;
        let (_, after) = rest.split_once(END)?;
        Some(format!("{before}{begin}\n{}{END}{after}", self.table(place)))
    }
}

/// The commit and the machine.
fn surroundings(place: &Place) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    let git = |args: &[&str]| place.git(&here, args).unwrap_or_default().trim().to_owned();
    let changed = if git(&["status", "--porcelain", "--untracked-files=no"]).is_empty() {
        ""
    } else {
        ", with changes that are not committed"
    };
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let commit = git(&["rev-parse", "--short=12", "HEAD"]);
    let version = git(&["--version"]);
    let profile = if cfg!(debug_assertions) { "debug" } else { "release" };
    let today = jiff::Timestamp::now().strftime("%Y-%m-%d");
    format!(
        "Commit {commit}{changed}, {profile} build; {} {}, kernel {}, {cores} cores, {version}; {today}.",
        std::env::consts::OS,
        std::env::consts::ARCH,
        kernel.trim(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_a_test_is_replaced_and_nothing_else() {
        let place = Place { programs: Default::default() };
        let row = Row { what: "kills".to_owned(), count: "3 cycles".to_owned(), ..Row::default() };
        let test = "kills".to_owned();
        let report = Report { test, command: "x".to_owned(), seed: 1, rows: vec![row] };
        let begin = "<!-- begin: cargo xtask faults kills -->\n";
        let other = "<!-- begin: cargo xtask faults clock -->\nother\n<!-- end -->\n";
        let document = format!("{other}before\n{begin}old\n<!-- end -->\nafter\n");
        let text = report.write_into(&document, &place).unwrap();
        assert!(text.starts_with(&format!("{other}before\n{begin}| what")), "{text}");
        assert!(text.contains("| kills | 3 cycles | 0 |  |") && !text.contains("old"), "{text}");
        assert!(text.ends_with("<!-- end -->\nafter\n"), "{text}");
        assert_eq!(report.write_into("no block", &place), None);
    }

    #[test]
    fn what_was_not_tried_is_not_clean() {
        let rows = vec![Row::not_checked("a full disk", "needs root")];
        let report = Report { rows, ..Report::default() };
        assert!(!report.is_clean());
        let place = Place { programs: Default::default() };
        assert!(report.table(&place).contains("not checked: needs root"));
    }
}
