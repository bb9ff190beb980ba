//! The collector's interface for programs keeps to its own description, whatever is sent.

use std::process::Command;

use tempfile::tempdir;

use crate::programs::{self, Collector};

/// What must hold for every answer. That everything else is refused, and nothing valid is, cannot be asked: the
/// description does not say what test output looks like.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
     response_headers_conformance,response_schema_conformance";

#[test]
fn what_schemathesis_makes_of_the_description_is_answered_as_it_says() {
    if programs::peer("schemathesis", &["--version"]).is_none() {
        return;
    }
    let folder = tempdir().unwrap();
    let collector = Collector::start(folder.path());
    let mut run = Command::new("schemathesis");
    run.arg("run").arg(format!("{}api/v1/openapi.json", collector.url)).current_dir(folder.path());
    run.args([
        "--seed",
        "1",
        "--checks",
        CHECKS,
        "--phases",
        "coverage,fuzzing",
        "--max-examples",
        "10",
    ]);
    let output = run.args(["--generation-database", "none"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let end: String = said.chars().rev().take(4000).collect::<Vec<_>>().into_iter().rev().collect();
    assert!(output.status.success(), "{end}");
    assert!(said.contains("Tested: 10"), "{end}");
}
