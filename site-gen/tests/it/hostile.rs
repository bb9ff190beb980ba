//! Whatever a repository holds, only the folder of the site is written to.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::place::{Place, options};
use crate::sample;

/// Names of folders that lead elsewhere, mean a device, or differ in nothing but their case.
const NAMES: [&str; 12] = [
    "..",
    ".",
    ".git",
    "CON",
    "nul.txt",
    "%2e%2e",
    "%2e%2e%2f%2e%2e%2fescape",
    "%00",
    "%ff",
    "Ndarray",
    "NDARRAY",
    "%zz",
];

/// Everything below a folder, links as themselves.
fn everything(folder: &Path) -> BTreeSet<PathBuf> {
    let (mut found, mut folders) = (BTreeSet::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            }
            found.insert(entry.path());
        }
    }
    found
}

/// A repository with results at names that git refuses, links and submodules among its folders.
fn hostile() -> Place {
    let place = Place::new();
    place.append(&sample::history()[..12]);
    let mut entries: Vec<_> =
        NAMES.iter().map(|name| ("040000", "tree", "ndarray", *name)).collect();
    entries.push(("120000", "blob", "README.md", "link"));
    entries.push(("160000", "commit", "0123456789012345678901234567890123456789", "submodule"));
    entries.push(("100755", "blob", "README.md", "grepper-run"));
    place.plant(&entries);
    place
}

#[test]
fn nothing_outside_the_site_is_touched() {
    let place = hostile();
    std::fs::create_dir_all(place.path("around/here")).unwrap();
    std::fs::write(place.path("around/bystander"), "mine").unwrap();
    let before = everything(&place.path(""));
    place.build("around/here/site");
    // And what the second build reads back of the first.
    place.append(&sample::history()[12..14]);
    place.build("around/here/site");
    let site = place.path("around/here/site");
    let repository = place.store.path().to_owned();
    let outside = |path: &&PathBuf| !path.starts_with(&site) && !path.starts_with(&repository);
    let after = everything(&place.path(""));
    assert_eq!(
        after.iter().filter(outside).collect::<Vec<_>>(),
        before.iter().filter(outside).collect::<Vec<_>>()
    );
    assert_eq!(std::fs::read_to_string(place.path("around/bystander")).unwrap(), "mine");
}

#[test]
fn results_in_a_folder_of_another_name_are_shown_as_damaged() {
    let place = hostile();
    let built = place.build_with("site", &options()).unwrap();
    assert!(built.unreadable.iter().any(|line| line.contains("its files are those of result")));
    for name in place.files("site").keys() {
        let plain = |c: char| c.is_ascii_alphanumeric() || "._-~/".contains(c);
        assert!(name.chars().all(plain), "{name:?}");
        assert!(name.split('/').all(|part| part != ".." && part != "."), "{name:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_link_in_the_place_of_a_page_is_replaced_and_not_followed() {
    let place = Place::new();
    place.append(&sample::history()[..3]);
    place.build("site");
    std::fs::write(place.path("bystander"), "mine").unwrap();
    std::fs::remove_file(place.path("site/index.html")).unwrap();
    std::os::unix::fs::symlink(place.path("bystander"), place.path("site/index.html")).unwrap();
    place.append(&sample::history()[3..4]);
    place.build("site");
    assert_eq!(std::fs::read_to_string(place.path("bystander")).unwrap(), "mine");
    assert!(place.text("site", "index.html").contains("Test results"));
}
