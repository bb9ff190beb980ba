//! Every JUnit file of the corpus.

use std::path::Path;

use pony_formats::{Format, Tally, detect};

use crate::corpus::{Columns, Row, check, count, expectation, folder, manifest};

#[test]
fn junit_files_of_other_projects_have_the_tallies_their_elements_give() {
    let Some(folder) = folder() else {
        println!("junit: no corpus, nothing checked");
        return;
    };
    let mut rows = Vec::new();
    for columns in manifest(&folder.join("junit")) {
        rows.push(row(folder.join("junit").join(&columns["local"]), &columns));
    }
    for (part, group) in [("python", "package"), ("cargo", "crate")] {
        for columns in manifest(&folder.join(part)).iter().filter(|row| is_xml(&row["file"])) {
            rows.push(row(folder.join(part).join(&columns[group]).join(&columns["file"]), columns));
        }
    }
    check("junit", &rows);
    for row in rows.iter().filter(|row| row.tally.total > 0) {
        assert_eq!(detect(&std::fs::read(&row.path).unwrap()), Some(Format::Junit));
    }
}

fn row(path: impl AsRef<Path>, columns: &Columns) -> Row {
    let mut tally = Tally {
        total: 0,
        passed: count(columns, "passed"),
        failed: count(columns, "failed"),
        errored: count(columns, "errored"),
        skipped: count(columns, "skipped") + count(columns, "ignored"),
    };
    tally.total = tally.passed + tally.failed + tally.errored + tally.skipped;
    Row {
        path: path.as_ref().to_owned(),
        format: Format::Junit,
        expectation: expectation(columns),
        tally,
        passed_or_skipped: count(columns, "status_skips"),
    }
}

fn is_xml(name: &str) -> bool {
    name.ends_with(".xml")
}
