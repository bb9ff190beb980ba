//! A test keeps its id, and so its history, when the runner changes or its report has another form.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::programs::{command, peer, run};

fn write(folder: &Path, path: &str, text: &str) {
    let path = folder.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// A workspace of two packages that have nothing but their own names to tell them apart.
fn workspace() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    write(
        root,
        "Cargo.toml",
        "[workspace]\nmembers = [\"hay-loft\", \"tool-shed\"]\nresolver = \"3\"\n\n[profile.dev]\ndebug = false\n",
    );
    write(root, ".config/nextest.toml", "[profile.default.junit]\npath = \"junit.xml\"\n");
    let test = "#[test]\nfn stands() {}\n\n#[test]\nfn falls() { assert_eq!(1, 2) }\n";
    for name in ["hay-loft", "tool-shed"] {
        let file = |path: &str, text: &str| write(root, &format!("{name}/{path}"), text);
        file(
            "Cargo.toml",
            &format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n"),
        );
        file(
            "src/lib.rs",
            &format!("//! A place.\n\n//! ```\n//! assert_eq!(2, 1 + 1);\n//! ```\n\n{test}"),
        );
        file("src/main.rs", &format!("fn main() {{}}\n\n{test}"));
        file("tests/it/main.rs", test);
    }
    folder
}

const EXPECTED: [&str; 12] = [
    "hay-loft::bin/hay-loft::falls",
    "hay-loft::bin/hay-loft::stands",
    "hay-loft::falls",
    "hay-loft::it::falls",
    "hay-loft::it::stands",
    "hay-loft::stands",
    "tool-shed::bin/tool-shed::falls",
    "tool-shed::bin/tool-shed::stands",
    "tool-shed::falls",
    "tool-shed::it::falls",
    "tool-shed::it::stands",
    "tool-shed::stands",
];

/// The program in the workspace, with the toolchain of whoever runs the tests.
fn pony(folder: &Path, arguments: &[&str]) -> Command {
    let mut pony = command("pony-report", folder);
    pony.args(arguments)
        .env("HOME", std::env::var_os("HOME").unwrap_or_default())
        .env("RUSTC_BOOTSTRAP", "1")
        .env("NEXTEST_EXPERIMENTAL_LIBTEST_JSON", "1");
    pony
}

/// The ids of the newest result of a package.
fn stored(folder: &Path, package: &str) -> BTreeSet<String> {
    let site = folder.join("site");
    let arguments = ["build", "--repo", "r.git", "--out", "site"];
    let built = run(command("pony-site", folder).args(arguments), b"");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let all = fs::read(site.join(format!("p/{package}/show_all/index.json"))).unwrap();
    let all: serde_json::Value = serde_json::from_slice(&all).unwrap();
    let key = all["results"][0]["key"].as_str().unwrap();
    let result = fs::read(site.join(format!("p/{package}/{key}/result.json"))).unwrap();
    let result: serde_json::Value = serde_json::from_slice(&result).unwrap();
    let tests = result["results_list"][0]["tests"].as_array().unwrap().iter();
    tests.map(|test| test["id"].as_str().unwrap().to_owned()).collect()
}

/// Runs pony with arguments that store a result, and gives the ids of its tests.
fn ids(folder: &Path, package: &str, arguments: &[&str]) -> BTreeSet<String> {
    let (verb, rest) = arguments.split_first().unwrap();
    let mut words = vec![*verb, "--repo", "r.git", "--package", package];
    words.extend(rest);
    let output = run(&mut pony(folder, &words), b"");
    let shown = [output.stdout, output.stderr].concat();
    let shown = String::from_utf8_lossy(&shown);
    assert!(shown.contains(&format!("{package}: ")), "{words:?}: {shown}");
    stored(folder, package)
}

#[test]
fn two_packages_alike_stay_apart_under_every_runner_and_in_every_form() {
    let workspace = workspace();
    let folder = workspace.path();
    let expected: BTreeSet<String> = EXPECTED.map(str::to_owned).into();
    let docs = [("hay_loft", "hay-loft"), ("tool_shed", "tool-shed")];
    let docs = docs.map(|(name, package)| format!("{name}::doc::{package}/src/lib.rs - (line 2)"));
    let with_docs: BTreeSet<String> = expected.iter().cloned().chain(docs).collect();

    let cargo = ["cargo", "test", "--no-fail-fast"];
    let text = ids(folder, "text", &[&["run", "--"], &cargo[..]].concat());
    assert_eq!(text, with_docs);
    let json = ["--", "-Z", "unstable-options", "--format", "json"];
    assert_eq!(ids(folder, "json", &[&["run", "--"], &cargo[..], &json].concat()), with_docs);
    // A script is no cargo, but prints like it.
    let script = "cargo test --no-fail-fast --tests 2>&1 | cat";
    assert_eq!(ids(folder, "script", &["run", "--", "sh", "-c", script]), expected);
    // One package alone, run from elsewhere.
    let elsewhere = "hay-loft/src";
    let manifest = ["--manifest-path", "../Cargo.toml"];
    let words =
        [&["run", "--repo", "../../r.git", "--package", "part", "--"], &cargo[..], &manifest];
    run(&mut pony(&folder.join(elsewhere), &words.concat()), b"");
    let part: BTreeSet<String> =
        with_docs.iter().filter(|id| id.starts_with("hay")).cloned().collect();
    assert_eq!(stored(folder, "part"), part);

    let log = run(Command::new("cargo").args(&cargo[1..]).current_dir(folder), b"");
    fs::write(folder.join("stdout"), &log.stdout).unwrap();
    // Standard output alone: nobody can tell whose the tests are.
    let bare = ids(folder, "stdout", &["submit", "--manifest-path", "Cargo.toml", "stdout"]);
    let paths =
        ["falls", "stands", "hay-loft/src/lib.rs - (line 2)", "tool-shed/src/lib.rs - (line 2)"];
    assert_eq!(bare, paths.map(str::to_owned).into());
    let printed = "cargo test --no-fail-fast > both 2>&1";
    run(Command::new("sh").args(["-c", printed]).current_dir(folder), b"");
    let submitted = ids(folder, "submit", &["submit", "--manifest-path", "Cargo.toml", "both"]);
    assert_eq!(submitted, with_docs);
    nextest(folder, &expected);
}

fn nextest(folder: &Path, expected: &BTreeSet<String>) {
    if peer("cargo", &["nextest", "--version"]).is_none() {
        return;
    }
    let nextest = ["cargo", "nextest", "run", "--no-fail-fast"];
    let forms: [(&str, &[&str]); 3] = [
        ("nextest", &[]),
        ("libtest-json", &["--message-format", "libtest-json"]),
        ("libtest-json-plus", &["--message-format", "libtest-json-plus"]),
    ];
    for (package, more) in forms {
        let found = ids(folder, package, &[&["run", "--"], &nextest[..], more].concat());
        assert_eq!(found, *expected, "{package}");
    }
    let junit = ids(folder, "junit", &["submit", "target/nextest/default/junit.xml"]);
    assert_eq!(junit, *expected);
}
