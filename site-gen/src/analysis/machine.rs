//! [`Machine`]: what one machine tests.

use std::collections::BTreeMap;

use super::{LineName, Recent};

/// Build lines of a machine that are remembered: those with the newest results. Where every run has tags of its
/// own, there are as many lines as results.
const LINES_MAX: usize = 300;

/// Results that are remembered of each.
pub(crate) const MACHINE_ROWS_MAX: usize = 12;

/// The build lines of a host, whatever their package.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Machine {
    pub(crate) host: String,
    /// Whether it has lines that are not remembered.
    pub(crate) has_older: bool,
    /// By package and line.
    pub(crate) lines: BTreeMap<(String, LineName), Recent>,
}

impl Machine {
    pub(crate) fn new(host: &str) -> Self {
        Self { host: host.to_owned(), ..Self::default() }
    }

    /// Says what is known of a line now.
    pub(crate) fn put(&mut self, package: &str, line: &LineName, recent: &Recent) {
        self.lines.insert((package.to_owned(), line.clone()), recent.newest(MACHINE_ROWS_MAX));
        while self.lines.len() > LINES_MAX {
            let age = |recent: &Recent| recent.latest().map(|row| row.key);
            let lines = self.lines.iter();
            let oldest = lines.min_by_key(|(_, recent)| age(recent)).map(|(name, _)| name.clone());
            let Some(oldest) = oldest else { break };
            self.lines.remove(&oldest);
            self.has_older = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::tests::row;

    /// A line of a package with a result at each of these hours.
    fn put(machine: &mut Machine, package: &str, hours: std::ops::Range<i64>) {
        let mut recent = Recent::default();
        let line = row(0, "atlas", true).line();
        hours.for_each(|hour| recent.take(row(hour, "atlas", true), 50));
        machine.put(package, &line, &recent);
    }

    #[test]
    fn a_line_that_is_put_again_is_replaced() {
        let mut machine = Machine::new("atlas");
        put(&mut machine, "cart", 0..20);
        put(&mut machine, "cart", 0..21);
        let line = machine.lines.values().next().unwrap();
        assert_eq!((machine.lines.len(), line.results, line.rows.len()), (1, 21, 12));
    }

    #[test]
    fn the_lines_with_the_newest_results_are_kept_in_whatever_order_they_come() {
        let machine = |order: Vec<i64>| {
            let mut machine = Machine::new("atlas");
            order.into_iter().for_each(|at| put(&mut machine, &format!("p{at}"), at..at + 1));
            machine
        };
        let all = LINES_MAX as i64 + 7;
        let (rising, falling) = (machine((0..all).collect()), machine((0..all).rev().collect()));
        assert_eq!(rising, falling);
        assert!(rising.has_older && rising.lines.len() == LINES_MAX);
        assert!(!rising.lines.keys().any(|(package, _)| package == "p6"));
    }
}
