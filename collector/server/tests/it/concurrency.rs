//! Many clients at the same time.

use std::collections::BTreeMap;
use std::thread;

use pony_formats::{Value, json};

use crate::collector::{Place, client_info, git};

/// The numbers and the commits of the results, oldest first.
fn stored(place: &Place) -> Vec<(i64, String)> {
    let repo = place.repo();
    let format = "--format=%H %(trailers:key=Result-Key,valueonly,separator=)";
    let log = git(&repo, &["log", "--reverse", format, "main"]);
    let results =
        log.lines().filter_map(|line| line.split_once(' ')).filter(|(_, key)| !key.is_empty());
    let number = |(commit, key): (&str, &str)| {
        let path = git(&repo, &["ls-tree", "-r", "--name-only", commit])
            .lines()
            .find(|path| path.contains(key) && path.ends_with("receipt.json"))
            .unwrap()
            .to_owned();
        let receipt = git(&repo, &["show", &format!("{commit}:{path}")]);
        let receipt = json::from_text(receipt.as_bytes()).unwrap();
        (receipt.as_struct().unwrap()["number"].as_int().unwrap(), key.to_owned())
    };
    results.map(number).collect()
}

#[test]
fn numbers_are_given_once_and_rise_with_the_keys() {
    let place = Place::new();
    let collector = place.start(&[]);
    let answers: BTreeMap<i64, String> = thread::scope(|scope| {
        let clients: Vec<_> = (0..12)
            .map(|client| {
                let collector = &collector;
                scope.spawn(move || {
                    let package = format!("package-{}", client % 3);
                    let add = |_| (collector.add(client_info(&package, true)).0, package.clone());
                    (0..5).map(add).collect::<Vec<_>>()
                })
            })
            .collect();
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    });
    assert_eq!(answers.keys().copied().collect::<Vec<_>>(), (0..60).collect::<Vec<_>>());
    for (number, package) in &answers {
        let result = collector.call("get_results", &[Value::Int(*number)]);
        let info = result.as_array().unwrap()[1].as_struct().unwrap();
        assert_eq!(info["package"].as_str(), Some(&**package));
    }
    assert!(collector.terminate().success());
    let stored = stored(&place);
    assert!(stored.is_sorted(), "{stored:?}");
    assert_eq!(stored.len(), 60);
    place.fsck();
    // The next one goes on.
    let collector = place.start(&[]);
    assert_eq!(collector.add(client_info("package-0", true)).0, 60);
}
