//! Whatever is damaged is found, and named.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use pony_formats::ResultKey;
use pony_store::{Artifact, CommitId, Findings, Index, Sha256Hex, Store, StoreError};

use crate::fixture::{Fixture, append, git};

fn verify(fixture: &Fixture) -> Findings {
    pony_store::verify(&Store::open(fixture.path()).unwrap(), None).unwrap()
}

/// The damage, of which there must be some in words like these.
#[track_caller]
fn assert_damaged(findings: &Findings, words: &str) {
    assert!(findings.damage.iter().any(|line| line.contains(words)), "{findings:#?}");
    assert!(findings.damage.iter().all(|line| !line.contains('\n')));
}

fn path_of(package: &str, key: ResultKey) -> String {
    format!("{package}/{}/{key}", key.time().strftime("%Y/%m/%d"))
}

/// Commits what `change` does to a clone with a working tree, and pushes it.
fn push(fixture: &Fixture, change: impl FnOnce(&Path)) {
    let clone = fixture.clone_of();
    change(&clone);
    git(&clone, &["add", "--all"]);
    git(&clone, &["commit", "--quiet", "-m", "by hand"]);
    git(&clone, &["push", "--quiet"]);
}

fn packs(fixture: &Fixture, extension: &str) -> Vec<PathBuf> {
    let listing = fs::read_dir(fixture.path().join("objects/pack")).unwrap();
    let paths = listing.map(|entry| entry.unwrap().path());
    paths.filter(|path| path.extension().is_some_and(|end| end == extension)).collect()
}

#[test]
fn a_sound_repository_is_sound() {
    let fixture = Fixture::new();
    fixture.fill(&["hayloft", "barn", "x/y"]);
    drop(fixture.writer().index().unwrap());
    fixture.fill(&["hayloft"]);
    let findings = verify(&fixture);
    assert_eq!((&findings.damage, &findings.notes), (&vec![], &vec![]));
    let checked = findings.checked;
    assert_eq!((checked.commits, checked.results, checked.files), (5, 4, 0));
    assert!(checked.index && checked.fsck && checked.objects > 40, "{checked}");
    // A clone is looked at as well, and left alone.
    let clone = fixture.clone_of();
    let findings = pony_store::verify(&Store::open(&clone).unwrap(), None).unwrap();
    assert_eq!(findings.damage, [""; 0]);
    assert!(!clone.join(".git/pony").exists());
}

#[test]
fn one_flipped_bit_in_a_pack_or_its_index_is_found() {
    let fixture = Fixture::new();
    let mut writer = fixture.writer();
    append(&mut writer, "hayloft");
    append(&mut writer, "barn");
    drop(writer);
    for extension in ["pack", "idx"] {
        let path = packs(&fixture, extension).into_iter().max().unwrap();
        let sound = fs::read(&path).unwrap();
        make_writable(&path);
        for at in (0..sound.len()).step_by(sound.len() / 12) {
            let mut flipped = sound.clone();
            flipped[at] ^= 4;
            fs::write(&path, &flipped).unwrap();
            let store = match Store::open(fixture.path()) {
                Ok(store) => store,
                // The newest commit itself.
                Err(StoreError::Damaged { .. } | StoreError::NotAResultsRepository { .. }) => {
                    continue;
                }
                Err(error) => panic!("{extension}, byte {at}: {error}"),
            };
            match pony_store::verify(&store, None) {
                Ok(findings) => assert!(!findings.damage.is_empty(), "{extension}, byte {at}"),
                Err(error) => assert_eq!(error.exit_status(), 3, "{extension}, byte {at}: {error}"),
            }
        }
        fs::write(&path, &sound).unwrap();
    }
    assert_eq!(verify(&fixture).damage, [""; 0]);
}

#[test]
fn a_damaged_object_is_named_with_the_result_that_needs_it() {
    let fixture = Fixture::new();
    let keys = fixture.fill(&["hayloft", "barn"]);
    let path = path_of("hayloft", keys[0]);
    let id = fixture.git(&["rev-parse", &format!("main:{path}/results_list.json")]);
    let id = id.trim();
    loosen(&fixture);
    fs::remove_file(fixture.path().join("objects").join(&id[..2]).join(&id[2..])).unwrap();
    let findings = verify(&fixture);
    assert_damaged(&findings, &format!("blob {id} is missing"));
    let results: Vec<_> =
        findings.damage.iter().filter(|line| line.starts_with("result ")).collect();
    // Both results list the same steps.
    assert_eq!(results.len(), 2, "{findings:#?}");
    assert!(results.iter().any(|line| line.contains(&keys[0].to_string())));
}

#[test]
fn an_object_with_the_content_of_another_is_found() {
    let fixture = Fixture::new();
    let keys = fixture.fill(&["hayloft"]);
    let path = path_of("hayloft", keys[0]);
    let id = fixture.git(&["rev-parse", &format!("main:{path}/steps/00/output.txt")]);
    let other = fixture.git(&["hash-object", "-w", "--stdin"]);
    let (id, other) = (id.trim(), other.trim());
    let loose = |id: &str| fixture.path().join("objects").join(&id[..2]).join(&id[2..]);
    loosen(&fixture);
    fs::remove_file(loose(id)).unwrap();
    fs::copy(loose(other), loose(id)).unwrap();
    assert_damaged(&verify(&fixture), &format!("blob {id}: its content is that of {other}"));
}

#[test]
fn a_commit_that_is_no_longer_in_the_history_is_missed() {
    let fixture = Fixture::new();
    fixture.fill(&["hayloft", "barn"]);
    let old: CommitId = fixture.git(&["rev-parse", "main"]).trim().parse().unwrap();
    fixture.fill(&["stable"]);
    let store = Store::open(fixture.path()).unwrap();
    assert_eq!(pony_store::verify(&store, Some(&old)).unwrap().damage, [""; 0]);
    // As a push with force would.
    fixture.git(&["update-ref", "refs/heads/main", "main~2"]);
    fixture.fill(&["hayloft"]);
    let findings = pony_store::verify(&store, Some(&old)).unwrap();
    assert_damaged(&findings, &format!("head {old} is not an ancestor"));
    assert_eq!(verify(&fixture).damage, [""; 0]);
    let unknown: CommitId = "0".repeat(40).parse().unwrap();
    let findings = pony_store::verify(&store, Some(&unknown)).unwrap();
    assert_damaged(&findings, "is not an ancestor");
}

#[test]
fn a_result_that_was_removed_or_changed_is_found_in_the_history() {
    let fixture = Fixture::new();
    let keys = fixture.fill(&["hayloft", "barn"]);
    let (first, second) = (path_of("hayloft", keys[0]), path_of("barn", keys[1]));
    push(&fixture, |clone| {
        fs::remove_dir_all(clone.join(&first)).unwrap();
        let list = clone.join(&second).join("steps/00/output.txt");
        fs::write(list, "all is well").unwrap();
    });
    let findings = verify(&fixture);
    assert_damaged(&findings, &format!("removes result {first}"));
    assert_damaged(&findings, &format!("changes `steps` of result {second}"));
    let commit = fixture.git(&["rev-parse", "main"]);
    assert_damaged(&findings, &format!("commit {}", commit.trim()));
}

#[test]
fn a_result_in_another_place_is_found() {
    let fixture = Fixture::new();
    let keys = fixture.fill(&["hayloft"]);
    let path = path_of("hayloft", keys[0]);
    push(&fixture, |clone| {
        for place in [path.replace("hayloft/", "barn/"), format!("hayloft/1999/01/01/{}", keys[0])]
        {
            fs::create_dir_all(clone.join(&place)).unwrap();
            for file in ["receipt.json", "client_info.json", "results_list.json"] {
                fs::copy(clone.join(&path).join(file), clone.join(&place).join(file)).unwrap();
            }
        }
    });
    let findings = verify(&fixture);
    assert_damaged(&findings, "its files are those of result");
    assert_damaged(&findings, "packages \"barn\" and \"hayloft\" both have it");
    assert_damaged(&findings, "1999/01/01");
}

#[test]
fn replaced_objects_are_a_warning() {
    let fixture = Fixture::new();
    fixture.fill(&["hayloft", "barn"]);
    fixture.git(&["replace", "main", "main~1"]);
    let findings = verify(&fixture);
    assert_eq!(findings.damage, [""; 0]);
    let [note] = &findings.notes[..] else { panic!("{findings:#?}") };
    assert!(note.starts_with("refs/replace/") && note.contains("is ignored"), "{note}");
}

#[test]
fn uploaded_files_are_compared_with_their_records() {
    let fixture = Fixture::new();
    let key = fixture.fill(&["hayloft"])[0];
    // Of the four bytes `log\n`.
    let hex = "9b75290f6a6359a2a3471022cbba4b724e45105b313ae8f6c103a2f79e82a857";
    let artifact = |size: u64, sha256: Sha256Hex| Artifact {
        filename: "log".to_owned(),
        description: String::new(),
        size,
        sha256,
        visible: true,
    };
    let sha256 = Sha256Hex::try_from(hex.to_owned()).unwrap();
    fixture.writer().attach("hayloft", key, &artifact(4, sha256.clone())).unwrap();
    let findings = verify(&fixture);
    assert_eq!(findings.damage, [""; 0]);
    assert!(findings.notes[0].starts_with("1 uploaded files were not looked at"), "{findings:#?}");
    let folder = fixture.store.artifacts_path();
    fs::create_dir_all(&folder).unwrap();
    assert_damaged(
        &verify(&fixture),
        &format!("file {hex} of result {key}: its content is missing"),
    );
    let path = sha256.path_in(&folder);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, "log").unwrap();
    assert_damaged(&verify(&fixture), "its content has 3 bytes instead of 4");
    fs::write(&path, "log!").unwrap();
    assert_damaged(&verify(&fixture), "its content has the hash ");
}

#[test]
fn an_index_that_says_something_else_is_found() {
    let fixture = Fixture::new();
    fixture.fill(&["hayloft"]);
    let path = fixture.store.index_path();
    let mut writer = fixture.writer();
    let index = writer.index().unwrap();
    assert!(verify(&fixture).notes[0].contains("another process has it open"));
    drop((index, writer));
    assert!(verify(&fixture).checked.index);
    let mut content = fs::read(&path).unwrap();
    let starts: Vec<usize> =
        (0..content.len() - 4).filter(|at| content[*at..].starts_with(b"shed")).collect();
    assert!(!starts.is_empty());
    starts.into_iter().for_each(|at| content[at] = b'S');
    fs::write(&path, content).unwrap();
    assert_damaged(&verify(&fixture), "index.redb`: it has `");
    assert!(Index::inspect(&path).unwrap().is_some(), "it is left as it is");
}

/// Makes a file of its own of every object.
fn loosen(fixture: &Fixture) {
    for pack in packs(fixture, "pack") {
        let moved = fixture.folder.path().join("moved.pack");
        fs::rename(&pack, &moved).unwrap();
        fs::remove_file(pack.with_extension("idx")).unwrap();
        let mut unpack = Command::new("git");
        unpack.args(["unpack-objects", "-q"]).current_dir(fixture.path());
        assert!(unpack.stdin(fs::File::open(moved).unwrap()).status().unwrap().success());
    }
}

/// Some systems do not write to files that are only to be read.
fn make_writable(path: &Path) {
    let mut permissions = fs::metadata(path).unwrap().permissions();
    #[expect(clippy::permissions_set_readonly_false, reason = "a file of the test")]
    permissions.set_readonly(false);
    fs::set_permissions(path, permissions).unwrap();
}
