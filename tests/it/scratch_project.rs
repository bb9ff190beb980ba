//! `cargo xtask ci` in somebody else's project, with the files that the README shows.

use std::fs;
use std::path::{Path, PathBuf};

use crate::programs::{command, run};

/// The first code block of the README in `language` that contains `mark`.
fn readme_block(language: &str, mark: &str) -> String {
    let readme = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md")).unwrap();
    let fence = format!("```{language}\n");
    let blocks = readme.split(&fence).skip(1).filter_map(|rest| rest.split("```").next());
    let block = blocks.into_iter().find(|block| block.contains(mark));
    block.unwrap_or_else(|| panic!("README.md has no {language} block with `{mark}`")).to_owned()
}

fn write(folder: &Path, path: &str, text: &str) {
    let path = folder.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn scratch(test_body: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let package = |name: &str| {
        format!(
            "[package]\nname = \"{name}\"\nversion = \"1.2.3\"\nedition = \"2024\"\n\n[dependencies]\n"
        )
    };
    let root = format!("[workspace]\nmembers = [\"xtask\"]\n\n{}", package("barn"));
    write(folder.path(), "Cargo.toml", &root);
    write(folder.path(), ".cargo/config.toml", &readme_block("toml", "[alias]"));
    write(folder.path(), "xtask/Cargo.toml", &package("xtask"));
    write(folder.path(), "xtask/src/main.rs", &readme_block("rust", "pony-report"));
    write(
        folder.path(),
        "src/lib.rs",
        &format!(
            "//! A barn.\n\n#[cfg(test)]\nmod tests {{\n    #[test]\n    fn door_closes() {{\n        {test_body}\n    }}\n}}\n"
        ),
    );
    folder
}

fn xtask_ci(folder: &Path) -> (bool, String) {
    // From a folder below the project's: the results belong to the project all the same.
    let mut cargo = command(env!("CARGO"), &folder.join("src"));
    cargo.env("HOME", std::env::var_os("HOME").unwrap_or_default());
    let output = run(cargo.args(["xtask", "ci"]), b"");
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&text).into_owned())
}

/// The folder of the newest result on the site.
fn latest(folder: &Path) -> PathBuf {
    let package = folder.join("target/pony/site/p/barn");
    let all = fs::read(package.join("show_all/index.json")).unwrap();
    let all: serde_json::Value = serde_json::from_slice(&all).unwrap();
    package.join(all["results"][0]["key"].as_str().unwrap())
}

fn steps(folder: &Path) -> Vec<(String, i64)> {
    let result = fs::read(latest(folder).join("result.json")).unwrap();
    let result: serde_json::Value = serde_json::from_slice(&result).unwrap();
    assert_eq!(result["client_info"]["version"], "1.2.3");
    let steps = result["results_list"].as_array().unwrap().iter();
    steps
        .map(|step| (step["name"].as_str().unwrap().to_owned(), step["status"].as_i64().unwrap()))
        .collect()
}

#[test]
fn a_green_project_is_reported_and_rendered() {
    let folder = scratch("assert_eq!(2 + 2, 4);");
    let (green, shown) = xtask_ci(folder.path());
    assert!(green, "{shown}");
    let expected = ["fmt", "clippy", "build", "test"].map(|name| (name.to_owned(), 0));
    assert_eq!(steps(folder.path()), expected, "{shown}");
}

#[test]
fn a_red_project_is_reported_and_rendered_and_then_fails() {
    let folder = scratch("assert_eq!(2 + 2, 5);");
    let (green, shown) = xtask_ci(folder.path());
    assert!(!green, "{shown}");
    let steps = steps(folder.path());
    assert_eq!(steps.last().unwrap(), &("test".to_owned(), 101), "{shown}");
    let page = fs::read_to_string(latest(folder.path()).join("index.html")).unwrap();
    assert!(page.contains("tests::door_closes"));
}

#[test]
fn a_failed_delivery_fails_a_green_project_only_when_it_is_strict() {
    let folder = scratch("assert_eq!(2 + 2, 4);");
    let ci = |more: &[&str]| {
        let mut command = command("pony-report", folder.path());
        // Nobody listens there.
        command.args(["ci", "--quiet", "--server", "http://127.0.0.1:1/"]).args(more);
        command.env("HOME", std::env::var_os("HOME").unwrap_or_default());
        command.env("PONY_SPOOL", folder.path().join("spool"));
        let output = run(&mut command, b"");
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code(), errors)
    };
    let (status, errors) = ci(&[]);
    assert_eq!(status, Some(0), "{errors}");
    assert!(errors.contains("pony-report: warning: cannot reach the collector"), "{errors}");
    let (status, errors) = ci(&["--strict"]);
    assert_eq!(status, Some(75), "{errors}");
    assert!(errors.contains("pony-report: error: cannot reach the collector"), "{errors}");
}
