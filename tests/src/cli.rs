//! The command line: what was typed, and which tests that means.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use clap::{Parser, ValueEnum};
use pony_tests::place::Place;
use pony_tests::report::{Report, Row};
use pony_tests::sweep::Depth;
use pony_tests::sweep::scenario::SCENARIOS;
use pony_tests::{beside_git, clock, full_disk, kills, power_cut, pushes, sweep};

/// How git is disturbed in the long form, and in the other one.
const SUBMISSIONS: [usize; 2] = [2_000, 200];

/// States in which the lack of one kind of sync must be noticed.
const MUTANT_STATES: usize = 600;

/// Sizes of the disks that are filled, in bytes.
const DISKS: [usize; 3] = [2 << 20, 3 << 20, 5 << 20];

/// Injects faults into the real programs and checks that nothing acknowledged is lost.
#[derive(Debug, Parser)]
#[command(name = "pony-faults")]
struct Args {
    /// What to try; everything when nothing is named
    #[arg(value_enum)]
    tests: Vec<Test>,

    /// The long form: hours, or what the counts below say
    #[arg(long)]
    long: bool,

    /// What random choices begin with
    #[arg(long, default_value_t = 1)]
    seed: u64,

    /// How often collectors are killed [default: 2000 in the long form, or 40], and how often all jobs
    /// push [default: 20, or 2]
    #[arg(long)]
    cycles: Option<usize>,

    /// How many states of the disk are looked at, in all runs together [default: 100000, or 6000]
    #[arg(long)]
    states: Option<usize>,

    /// How many things are tried at the same time
    #[arg(long, default_value_t = 2)]
    workers: usize,

    /// Only the scenario, run or disturbance with this name
    #[arg(long)]
    only: Option<String>,

    /// Only this point of a sweep, as strace names it: fsync:error=EIO:when=3
    #[arg(long, requires = "only")]
    point: Option<String>,

    /// Also put the tables into this document
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Test {
    /// One fault at every system call of a submission
    Sweep,
    /// States of the disk after a power cut
    PowerCut,
    /// kill -9 beneath eight clients
    Kills,
    /// Maintenance, clones and pushes by git meanwhile
    BesideGit,
    /// Jobs that push to one git host at once, also while the network is cut
    Pushes,
    /// No room left; needs root
    FullDisk,
    /// A clock that jumps
    Clock,
}

/// Runs what was asked for. `false` when something was broken or could not be tried.
pub(crate) fn run() -> anyhow::Result<bool> {
    let args = Args::parse();
    let programs = std::env::current_exe().context("cannot find the programs")?;
    let place = Place { programs: programs.parent().map(Into::into).unwrap_or_default() };
    for program in ["pony-report", "pony-collector"] {
        let path = place.programs.join(program);
        ensure!(path.exists(), "{} is not built: use `cargo xtask faults`", path.display());
    }
    let tests = if args.tests.is_empty() { Test::value_variants() } else { &args.tests[..] };
    let words: Vec<String> = std::env::args().skip(1).collect();
    // What xtask runs is a release build.
    let program = if cfg!(debug_assertions) { "pony-faults" } else { "cargo xtask faults" };
    let command = format!("{program} {}", words.join(" ")).trim().to_owned();
    let mut is_clean = true;
    for test in tests {
        let mut rows = Vec::new();
        test.run(&place, &args, &mut rows)?;
        let (command, seed) = (command.clone(), args.seed);
        let report = Report { test: test.name(), command, seed, rows };
        is_clean &= report.is_clean();
        writeln!(std::io::stdout(), "{}{}", report.complaints(), report.table(&place))
            .context("cannot write to standard output")?;
        if let Some(path) = &args.write {
            write_into(path, &report, &place)?;
        }
    }
    Ok(is_clean)
}

fn write_into(path: &Path, report: &Report, place: &Place) -> anyhow::Result<()> {
    let shown = path.display();
    let document = std::fs::read_to_string(path).with_context(|| format!("cannot read {shown}"))?;
    let written = report.write_into(&document, place);
    let written = written.with_context(|| format!("{shown}: no marks for {}", report.test))?;
    std::fs::write(path, written).with_context(|| format!("cannot write {shown}"))
}

impl Test {
    /// What it is called on the command line.
    fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }

    fn run(self, place: &Place, args: &Args, rows: &mut Vec<Row>) -> anyhow::Result<()> {
        let is_wanted = |name: &str| args.only.as_ref().is_none_or(|only| only == name);
        match self {
            Self::Sweep => {
                let depth = if args.long { Depth::Full } else { Depth::Short };
                for scenario in SCENARIOS.iter().filter(|scenario| is_wanted(scenario.name)) {
                    rows.push(match &args.point {
                        Some(point) => sweep::run_one(place, scenario, point)?,
                        None => sweep::run(place, scenario, depth, args.workers)?,
                    });
                }
            }
            Self::PowerCut => {
                let states = args.states.unwrap_or(if args.long { 100_000 } else { 6_000 });
                let runs = power_cut::RUNS.iter().filter(|run| is_wanted(run.name));
                for run in runs {
                    rows.extend(power_cut::run(place, run, args.power_cut(states))?);
                }
            }
            Self::Kills => rows.push(kills::run(place, args.kills())?),
            Self::BesideGit => {
                let submissions = SUBMISSIONS[usize::from(!args.long)];
                let disturbances = beside_git::DISTURBANCES.iter();
                for disturbance in disturbances.filter(|disturbance| is_wanted(disturbance.name)) {
                    rows.push(beside_git::run(place, disturbance, submissions)?);
                }
            }
            Self::Pushes => {
                for way in pushes::WAYS.into_iter().filter(|(name, _)| is_wanted(name)) {
                    // There is no network before a path.
                    for cut in
                        [false, true].into_iter().filter(|cut| !cut || way.1 != pushes::Way::File)
                    {
                        rows.push(pushes::run(place, way, args.pushes(cut))?);
                    }
                }
            }
            Self::FullDisk => rows.push(full_disk::run(place, &DISKS)?),
            Self::Clock => rows.push(clock::run(place)?),
        }
        Ok(())
    }
}

impl Args {
    fn power_cut(&self, states: usize) -> power_cut::Effort {
        power_cut::Effort {
            states: states / power_cut::RUNS.len(),
            mutant_states: MUTANT_STATES,
            fsck_every: 200,
            workers: self.workers,
            seed: self.seed,
        }
    }

    fn pushes(&self, cut: bool) -> pushes::Effort {
        let (jobs, rounds) = if self.long { (32, 20) } else { (8, 2) };
        let rounds = self.cycles.unwrap_or(rounds);
        pushes::Effort { jobs, rounds, cut, seed: self.seed }
    }

    fn kills(&self) -> kills::Effort {
        kills::Effort {
            cycles: self.cycles.unwrap_or(if self.long { 2_000 } else { 40 }),
            cycles_each: 50,
            clients: 8,
            life_max: 300,
            seed: self.seed,
        }
    }
}
