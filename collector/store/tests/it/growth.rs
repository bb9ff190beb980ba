//! Whether a commit only adds to another one.

use pony_store::Artifact;

use crate::fixture::{Fixture, append, git};

#[test]
fn growth_is_what_was_added_and_what_got_files() {
    let fixture = Fixture::new();
    let first = fixture.fill(&["hayloft", "barn"]);
    let base = fixture.store.snapshot().unwrap();
    assert_eq!(base.growth_since(base.commit_id()).unwrap(), Some(Default::default()));
    let mut writer = fixture.writer();
    let added = ["hayloft", "x/y", "hayloft"].map(|name| append(&mut writer, name).receipt.key);
    let artifact = Artifact {
        filename: "log".into(),
        description: String::new(),
        size: 1,
        sha256: [1; 32].into(),
        visible: true,
    };
    writer.attach("barn", first[1], &artifact).unwrap();
    let growth = fixture.store.snapshot().unwrap().growth_since(base.commit_id()).unwrap().unwrap();
    assert_eq!(growth.added["hayloft"], [added[0], added[2]]);
    assert_eq!(growth.added["x/y"], [added[1]]);
    assert_eq!(growth.attached.into_iter().collect::<Vec<_>>(), [("barn".into(), vec![first[1]])]);
}

#[test]
fn what_is_gone_or_changed_is_no_growth() {
    for meddle in [
        |clone: &std::path::Path| git(clone, &["rm", "-r", "-q", "hayloft"]),
        |clone: &std::path::Path| {
            let list = git(clone, &["ls-files", "hayloft"]);
            let file = list.lines().find(|name| name.ends_with("client_info.json")).unwrap();
            std::fs::write(clone.join(file), "{}").unwrap();
            git(clone, &["add", "."])
        },
    ] {
        let fixture = Fixture::new();
        fixture.fill(&["hayloft", "barn"]);
        let base = fixture.store.snapshot().unwrap();
        let clone = fixture.clone_of();
        meddle(&clone);
        git(&clone, &["commit", "--quiet", "-m", "meddle"]);
        git(&clone, &["push", "--quiet"]);
        fixture.fill(&["barn"]);
        let snapshot = fixture.store.snapshot().unwrap();
        assert_eq!(snapshot.growth_since(base.commit_id()).unwrap(), None);
        assert_eq!(snapshot.growth_since(&"0".repeat(40).parse().unwrap()).unwrap(), None);
    }
}
