//! What is remembered, and that it follows from the results alone.

use super::*;
use crate::history::tests::{package, row};

#[test]
fn lines_are_tagsets_with_failing_ones_first() {
    let mut reordered = row(3, "a", true);
    reordered.tags.reverse();
    let rows = vec![row(1, "a", false), row(2, "b", false), reordered.clone(), row(4, "c", true)];
    let package = package("p", rows);
    let lines = package.lines();
    let seen: Vec<_> =
        lines.iter().map(|line| (line.latest.host.as_str(), line.results())).collect();
    assert_eq!(seen, [("b", 1), ("a", 2), ("c", 1)]);
    assert_eq!(lines[1].latest, &reordered);
}

#[test]
fn what_is_remembered_does_not_grow_with_the_results() {
    let hosts = ["a", "b", "c"];
    let rows = (0..5_000).map(|hour| row(hour, hosts[hour as usize % 3], hour % 7 != 0));
    let mut package = package("p", rows.collect());
    package.settle();
    assert_eq!(package.results, 5_000);
    assert!(package.rows.len() <= RECENT + FAILED + 3 * OF_LINE, "{}", package.rows.len());
    assert_eq!(package.lines().iter().map(Line::results).sum::<usize>(), 5_000);
    assert!(package.to_text().len() < 100_000);
}

#[test]
fn the_oldest_of_too_many_build_lines_is_forgotten() {
    let host = |number: i64| format!("runner-{number}");
    let rows = (0..300).map(|number| row(number, &host(number), false));
    let package = package("p", rows.collect());
    assert_eq!(package.lines().len(), LINES);
    assert!(package.lines().iter().all(|line| line.latest.host != "runner-99"));
    // From now on the order counts across build lines.
    assert!(!package.continues_with(&row(298, "runner-200", true)));
    assert!(package.continues_with(&row(300, "runner-0", true)));
}

#[test]
fn it_does_not_matter_when_the_rest_is_forgotten() {
    let rows: Vec<Row> = (0..700)
        .map(|hour| row(hour, ["a", "b", "c", "d"][hour as usize * 7 % 11 % 4], hour % 5 != 0))
        .collect();
    let mut at_once = package("p", rows.clone());
    at_once.settle();
    let mut in_steps = Package::new("p");
    for row in rows {
        assert!(in_steps.continues_with(&row));
        in_steps.add(row);
        in_steps.settle();
        let text = in_steps.to_text();
        in_steps = Package::from_text("p", text.as_bytes()).unwrap();
    }
    assert_eq!(in_steps, at_once);
}
