//! `pony-faults`: see the library.

use std::io::Write as _;
fn main() -> anyhow::Result<()> {
    let programs = std::env::current_exe()?.parent().map(Into::into).unwrap_or_default();
    let place = pony_tests::place::Place { programs };
    let want = std::env::args().nth(1).unwrap_or_default();
    let depth = if std::env::args().nth(2).is_some() { pony_tests::sweep::Depth::Full } else { pony_tests::sweep::Depth::Short };
    let mut report = pony_tests::report::Report::default();
    for run in pony_tests::power_cut::RUNS {
        if want == "cut" {
            let effort = pony_tests::power_cut::Effort { states: 3000, mutant_states: 2000, fsck_every: 100, workers: 2, seed: 1 };
            let begin = std::time::Instant::now();
            report.rows.extend(pony_tests::power_cut::run(&place, &run, effort)?);
            writeln!(std::io::stderr(), "{:?}", begin.elapsed())?;
        }
    }
    for scenario in pony_tests::sweep::scenario::SCENARIOS {
        if scenario.name.contains(&want) {
            report.rows.push(pony_tests::sweep::run(&place, &scenario, depth, 2)?);
        }
    }
    write!(std::io::stdout(), "{}{}", report.complaints(), report.table(&place))?;
    Ok(())
}
