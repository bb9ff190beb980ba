//! Holds the table "who may depend on whom" of ARCHITECTURE.md against `cargo metadata`.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};

/// What the code map calls the packages that others may use.
const SHORT_NAMES: [(&str, &str); 3] =
    [("formats", "pony-formats"), ("store", "pony-store"), ("site-gen", "pony-site")];

/// Outside crates that only one package may name.
const RESERVED: [(&str, &str); 5] = [
    ("gix", "pony-store"),
    ("axum", "pony-collector"),
    ("tokio", "pony-collector"),
    ("askama", "pony-site"),
    ("quick-xml", "pony-formats"),
];

/// Crates that read a clock, a disk, the network or do async: never in formats.
const IMPURE: [&str; 8] =
    ["gix", "tokio", "ureq", "tempfile", "axum", "async-trait", "futures", "walkdir"];

fn workspace() -> Metadata {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    MetadataCommand::new().manifest_path(manifest).no_deps().exec().unwrap()
}

/// Every package of the code map with the packages of ours it may use, besides in tests.
fn may_use() -> BTreeMap<String, BTreeSet<&'static str>> {
    let page = include_str!("../../ARCHITECTURE.md");
    let rows = page.lines().skip_while(|line| !line.starts_with("| folder |")).skip(2);
    let rows = rows.take_while(|line| line.starts_with('|'));
    let cells = rows.map(|row| row.split('|').map(str::trim).collect::<Vec<_>>());
    cells
        .map(|cells| {
            let package = cells[2].split('`').nth(1).unwrap();
            let words: Vec<&str> = cells[4].split([',', ' ']).collect();
            let used = SHORT_NAMES.iter().filter(|(short, _)| words.contains(short));
            (package.to_owned(), used.map(|(_, name)| *name).collect())
        })
        .collect()
}

/// The names of the crates that a package uses outside its tests.
fn uses(package: &Package) -> BTreeSet<&str> {
    let normal = package.dependencies.iter().filter(|d| d.kind != DependencyKind::Development);
    normal.map(|dependency| dependency.name.as_str()).collect()
}

#[test]
fn data_flows_one_way() {
    let metadata = workspace();
    let may_use = may_use();
    let listed: BTreeSet<&str> = may_use.keys().map(String::as_str).collect();
    let present: BTreeSet<&str> = metadata.packages.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(present, listed, "the code map of ARCHITECTURE.md names every package");
    for package in &metadata.packages {
        let (name, allowed) = (&package.name, &may_use[package.name.as_str()]);
        for used in uses(package).intersection(&listed) {
            assert!(
                allowed.contains(used),
                "{name} must not use {used}: a shared type goes down into formats, shared I/O goes down \
                 into store; there is never an arrow to the right (ARCHITECTURE.md, code map)"
            );
        }
    }
}

#[test]
fn outside_crates_stay_in_their_room() {
    for package in &workspace().packages {
        for (krate, owner) in RESERVED {
            let elsewhere = package.name != owner && uses(package).contains(krate);
            assert!(
                !elsewhere,
                "{} must not name {krate}: that is {owner}'s (ARCHITECTURE.md)",
                package.name
            );
        }
    }
}

#[test]
fn formats_is_pure() {
    let metadata = workspace();
    let formats = metadata.packages.iter().find(|p| p.name == "pony-formats").unwrap();
    for krate in IMPURE {
        assert!(
            !uses(formats).contains(krate),
            "formats never does I/O, so it cannot need {krate}"
        );
    }
}

#[test]
fn one_edition_and_one_oldest_toolchain() {
    let metadata = workspace();
    let kinds: BTreeSet<_> =
        metadata.packages.iter().map(|p| (p.edition.to_string(), p.rust_version.clone())).collect();
    assert_eq!(kinds.len(), 1, "{kinds:?}");
}
