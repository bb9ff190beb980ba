//! A site, after some of its results were moved to an archive.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use pony_formats::{ClientInfo, Step, Submission, Tagset};
use pony_store::{Arrival, Store};

use crate::programs;

fn fill(repo: &Path) {
    let mut writer = Store::create(repo).unwrap().writer(Duration::ZERO).unwrap();
    for (package, day) in [("old", "2025-03-01"), ("both", "2025-03-02"), ("both", "2026-02-01")] {
        let time: Timestamp = format!("{day}T12:00:00Z").parse().unwrap();
        let tagset = Tagset {
            package: package.to_owned(),
            host: "shed".to_owned(),
            arch: "linux-x86_64".to_owned(),
            tags: Default::default(),
        };
        let client_info = ClientInfo::new(&tagset, true).unwrap();
        let results_list = vec![Step::default().with("output", day)];
        let submission = Submission { client_info, results_list };
        writer.append(&submission, &Arrival::at(time)).unwrap();
    }
}

fn build(folder: &Path, repo: &str, site: &str) -> BTreeMap<PathBuf, String> {
    let mut build = programs::command("pony-site", folder);
    programs::expect(build.args(["build", "--repo", repo, "--out", site]), b"", 0);
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.join(site)];
    while let Some(at) = folders.pop() {
        for entry in fs::read_dir(at).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder.join(site)).unwrap().to_owned();
                files.insert(name, fs::read_to_string(path).unwrap());
            }
        }
    }
    files
}

#[test]
fn a_site_forgets_archived_results_says_where_they_are_and_the_archive_has_a_site() {
    let folder = tempfile::tempdir().unwrap();
    fill(&folder.path().join("results.git"));
    let before = build(folder.path(), "results.git", "site");
    assert!(before.contains_key(Path::new("p/old/index.html")));
    let mut archive = programs::command("pony-collector", folder.path());
    archive.args(["archive", "--before", "2026-01-01", "--to", "2025.git"]);
    programs::expect(archive.args(["--url", "https://ci.example/2025.git", "results.git"]), b"", 0);

    let after = build(folder.path(), "results.git", "site");
    let scratch = build(folder.path(), "results.git", "scratch");
    let names: Vec<_> = after.keys().collect();
    assert_eq!(names, scratch.keys().collect::<Vec<_>>());
    assert!(!after.contains_key(Path::new("p/old/index.html")));
    for page in ["index.html", "404.html"] {
        let page = &after[Path::new(page)];
        assert!(page.contains("2 results received before 2026-01-01 are in 2025"), "{page}");
    }
    let archived = build(folder.path(), "2025.git", "archive");
    assert!(archived.contains_key(Path::new("p/old/index.html")));
    assert!(archived.contains_key(Path::new("p/both/latest/index.html")));
}
