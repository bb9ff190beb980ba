//! House rules that clippy cannot check (CONTRIBUTING.md says why they exist).

use std::fs;
use std::path::{Path, PathBuf};

/// A source file: its path relative to the workspace, and its text.
struct Source {
    path: String,
    text: String,
}

/// Lines of a source file, its own tests left out.
const LINES_MAX: usize = 500;

/// Names that say nothing about what is inside.
const EMPTY_NAMES: [&str; 8] =
    ["utils", "util", "helpers", "helper", "common", "misc", "imp", "manager"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn sources() -> Vec<Source> {
    let mut sources = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && name != "target" && !name.starts_with('.') {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                let path = path.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/");
                sources.push(Source { path, text });
            }
        }
    }
    assert!(sources.len() > 30, "the walk found only {} files", sources.len());
    sources
}

/// Fails with every offender named.
#[track_caller]
fn assert_none(rule: &str, offenders: Vec<String>) {
    assert!(offenders.is_empty(), "{rule}:\n  {}", offenders.join("\n  "));
}

#[test]
fn every_file_opens_with_its_purpose() {
    let silent = sources().into_iter().filter(|source| !source.text.starts_with("//! "));
    assert_none("every file opens with a `//!` line", silent.map(|source| source.path).collect());
}

#[test]
fn files_stay_small() {
    let long = sources().into_iter().filter_map(|source| {
        let code = source.text.split("\n#[cfg(test)]\n").next().unwrap_or_default();
        let lines = code.lines().count();
        (lines > LINES_MAX).then(|| format!("{} has {lines} lines", source.path))
    });
    assert_none("a file over 500 lines hides a second purpose", long.collect());
}

#[test]
fn names_say_what_is_inside() {
    let empty = sources().into_iter().filter(|source| {
        source.path.split('/').any(|part| EMPTY_NAMES.contains(&part.trim_end_matches(".rs")))
    });
    assert_none(
        "a name that fits everything says nothing",
        empty.map(|source| source.path).collect(),
    );
}

#[test]
fn nothing_is_left_unfinished() {
    // Split, so that this file does not contain what it looks for.
    let marks =
        [concat!("FIX", "ME"), concat!("TO", "DO"), concat!("#[ign", "ore"), concat!("XX", "X ")];
    let mut found = Vec::new();
    for source in sources() {
        for (index, line) in source.text.lines().enumerate() {
            if marks.iter().any(|mark| line.contains(mark)) {
                found.push(format!("{}:{}: {}", source.path, index + 1, line.trim()));
            }
        }
    }
    assert_none("finish it, or write it down where users look", found);
}

#[test]
fn every_allowance_has_a_reason() {
    let mut found = Vec::new();
    for source in sources() {
        for opening in ["#[allow(", "#![allow(", "#[expect(", "#![expect("] {
            for (at, _) in source.text.match_indices(opening) {
                let attribute = source.text[at..].split(")]").next().unwrap_or_default();
                let quoted = source.text[..at].ends_with('"');
                if !quoted && !attribute.contains("reason = ") {
                    found.push(format!("{}: {attribute}", source.path));
                }
            }
        }
    }
    assert_none("say why the lint is wrong here", found);
}

#[test]
fn no_file_names_somebodys_machine() {
    let homes = [
        concat!("/ho", "me/"),
        concat!("/ro", "ot/"),
        concat!("/Use", "rs/"),
        concat!("C:\\Use", "rs"),
    ];
    let mut found = Vec::new();
    for source in sources() {
        for (index, line) in source.text.lines().enumerate() {
            if homes.iter().any(|home| line.contains(home)) {
                found.push(format!("{}:{}: {}", source.path, index + 1, line.trim()));
            }
        }
    }
    assert_none("a path of one machine", found);
}

#[test]
fn formats_repeats_the_clippy_settings_of_the_workspace() {
    let shared = fs::read_to_string(root().join("clippy.toml")).unwrap();
    let formats = fs::read_to_string(root().join("formats/clippy.toml")).unwrap();
    for setting in shared.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        assert!(formats.contains(setting), "formats/clippy.toml lacks `{setting}`");
    }
}
