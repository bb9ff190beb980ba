//! Holds the table "who may depend on whom" of ARCHITECTURE.md against `cargo metadata`.

use std::collections::BTreeSet;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};

/// Every package with the packages of ours it may use, besides in tests.
const MAY_USE: [(&str, &[&str]); 7] = [
    ("pony-formats", &[]),
    ("pony-store", &["pony-formats"]),
    ("pony-report", &["pony-formats", "pony-store"]),
    ("pony-site", &["pony-formats", "pony-store"]),
    ("pony-collector", &["pony-formats", "pony-store", "pony-site"]),
    ("xtask", &[]),
    ("pony-tests", &[]),
];

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

/// The names of the crates that a package uses outside its tests.
fn uses(package: &Package) -> BTreeSet<&str> {
    let normal = package.dependencies.iter().filter(|d| d.kind != DependencyKind::Development);
    normal.map(|dependency| dependency.name.as_str()).collect()
}

#[test]
fn data_flows_one_way() {
    let metadata = workspace();
    let listed: BTreeSet<&str> = MAY_USE.iter().map(|row| row.0).collect();
    let present: BTreeSet<&str> = metadata.packages.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(present, listed, "the code map of ARCHITECTURE.md names every package");
    for package in &metadata.packages {
        let (name, allowed) = MAY_USE.iter().find(|row| *row.0 == *package.name).unwrap();
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
