//! [`Report`]: the table of what was tried and what came of it.

use std::fmt::Write as _;

use crate::place::Place;

/// What begins the block in a document that [`Report::write_into`] replaces.
pub const BEGIN: &str = "<!-- begin: cargo xtask faults -->";
/// What ends it.
pub const END: &str = "<!-- end: cargo xtask faults -->";

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

/// Everything that was tried in one run.
#[derive(Debug, Clone, Default)]
pub struct Report {
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

    /// A document with the block between [`BEGIN`] and [`END`] replaced by the table. `None` when it has no
    /// such block.
    pub fn write_into(&self, document: &str, place: &Place) -> Option<String> {
        let (before, rest) = document.split_once(BEGIN)?;
        let (_, after) = rest.split_once(END)?;
        Some(format!("{before}{BEGIN}\n{}{END}{after}", self.table(place)))
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
    let today = jiff::Timestamp::now().strftime("%Y-%m-%d");
    format!(
        "Commit {commit}{changed}; {} {}, kernel {}, {cores} cores, {version}; {today}.",
        std::env::consts::OS,
        std::env::consts::ARCH,
        kernel.trim(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_block_is_replaced_and_nothing_else() {
        let place = Place { programs: Default::default() };
        let row = Row { what: "kills".to_owned(), count: "3 cycles".to_owned(), ..Row::default() };
        let report = Report { command: "x".to_owned(), seed: 1, rows: vec![row] };
        let document = format!("before\n{BEGIN}\nold\n{END}\nafter\n");
        let text = report.write_into(&document, &place).unwrap();
        assert!(text.starts_with(&format!("before\n{BEGIN}\n| what")), "{text}");
        assert!(text.contains("| kills | 3 cycles | 0 |  |") && !text.contains("old"), "{text}");
        assert!(text.ends_with(&format!("{END}\nafter\n")), "{text}");
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
