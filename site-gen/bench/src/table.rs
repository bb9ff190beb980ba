//! Figures beside their floors and goals.

use std::io::Write;

use crate::Failure;

/// Which figures are good.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Better {
    /// Large ones.
    More,
    /// Small ones.
    Less,
}

/// The figures so far.
pub(crate) struct Table<'o> {
    out: &'o mut dyn Write,
    /// How many are worse than their floor.
    pub(crate) missed: usize,
}

impl<'o> Table<'o> {
    pub(crate) fn new(out: &'o mut dyn Write) -> Result<Self, Failure> {
        writeln!(out, "{:52} {:>10} {:>10} {:>10}", "", "measured", "floor", "goal")?;
        Ok(Self { out, missed: 0 })
    }

    /// Prints a figure. `note` says what it is made of.
    pub(crate) fn line(
        &mut self,
        what: &str,
        value: f64,
        better: Better,
        [floor, goal]: [f64; 2],
        note: &str,
    ) -> Result<(), Failure> {
        let reaches = |bound: f64| match better {
            Better::More => value >= bound,
            Better::Less => value <= bound,
        };
        let verdict = match (reaches(goal), reaches(floor)) {
            (true, _) => "",
            (_, true) => "below its goal",
            _ => "MISSED",
        };
        self.missed += usize::from(!reaches(floor));
        writeln!(self.out, "{what:52} {value:10.2} {floor:10} {goal:10} {verdict:15} {note}")?;
        Ok(())
    }

    /// Prints something else.
    pub(crate) fn text(&mut self, text: &str) -> Result<(), Failure> {
        Ok(writeln!(self.out, "{text}")?)
    }
}
