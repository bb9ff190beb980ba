//! Submissions like those of a busy collector, the same ones every time.

use jiff::{SignedDuration, Timestamp};
use pony_formats::{ClientInfo, Outcome, Step, Submission, Tagset, TestCase};

use crate::Failure;

/// Packages that results are of. Some have many more than others.
const PACKAGES: u64 = 500;

/// Client infos that there are in all.
const CLIENTS: u64 = 2_000;

/// From one result to the next: 1 440 a day.
const INTERVAL: SignedDuration = SignedDuration::from_secs(60);

/// When the first result arrives, seconds since 1970: the beginning of 2026.
const START: i64 = 1_767_225_600;

/// Random numbers that are the same every time (SplitMix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// From 0 to 1.
    fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// When a result arrives.
pub(crate) fn arrival(number: u64) -> Result<Timestamp, Failure> {
    let start = Timestamp::from_second(START)?;
    Ok(start.checked_add(INTERVAL * i32::try_from(number)?)?)
}

/// One of many different submissions: 60 % of them have 2 to 8 kB when stored, 30 % up to 40 kB, nearly all
/// others up to 200 kB.
pub(crate) fn submission(number: u64) -> Result<Submission, Failure> {
    let mut random = Random(number ^ 0x5555_0000_1234);
    let package = (PACKAGES as f64 * random.share().powi(3)) as u64;
    let client = random.below(CLIENTS);
    let size = match random.share() {
        share if share < 0.6 => 2_000 + random.below(6_000),
        share if share < 0.9 => 8_000 + random.below(32_000),
        share if share < 0.998 => 40_000 + random.below(160_000),
        _ => 1_000_000 + random.below(3_000_000),
    };
    let mut tests = Vec::new();
    let mut stored = 0;
    while stored < size {
        let test = test(package, tests.len() as u64, &mut random);
        stored += test.id.len() as u64 + 8;
        stored += test.evidence.message.as_ref().map_or(0, |message| message.len() as u64 + 150);
        tests.push(test);
    }
    let success = tests.iter().all(|test| !test.outcome.is_bad());
    let step = Step::default()
        .with("type", "test")
        .with("name", "unit tests")
        .with("status", i64::from(!success))
        .with("duration", random.below(900_000) as f64 / 1e3)
        .with("output", format!("running {} tests, seed {:x}\n", tests.len(), random.next()))
        .with_tests(tests);
    Ok(Submission { client_info: client_info(package, client, success)?, results_list: vec![step] })
}

fn test(package: u64, index: u64, random: &mut Random) -> TestCase {
    let mut test = TestCase::new(name(package, index), Outcome::Passed);
    test.duration = Some(random.below(900_000) as f64 / 1e6);
    if random.below(40) == 0 {
        fail(&mut test, random);
    } else if random.below(30) == 0 {
        test.outcome = Outcome::Skipped;
    }
    test
}

fn fail(test: &mut TestCase, random: &mut Random) {
    test.outcome = Outcome::Failed;
    test.evidence.message = Some(format!(
        "assertion failed: left == right, left: {}, right: {} at src/lib.rs:{}:{}",
        random.next(),
        random.next(),
        random.below(2_000),
        random.below(80)
    ));
}

fn name(package: u64, index: u64) -> String {
    let mut random = Random(package * 100_003 + index);
    let module = ["net", "io", "parse", "core", "alloc"][random.below(5) as usize];
    let verb = ["reads", "writes", "round_trips", "rejects"][random.below(4) as usize];
    format!("package_{package:04}::{module}_{:x}::test_{verb}_{index}", random.below(0xfff))
}

fn client_info(package: u64, client: u64, success: bool) -> Result<ClientInfo, Failure> {
    let mut random = Random(client * 31 + 7);
    let arch = ["linux-x86_64", "linux-aarch64", "macos-arm64", "windows-x86_64"];
    let tagset = Tagset {
        package: format!("package-{package:04}"),
        host: format!("host-{client}"),
        arch: arch[(client % 4) as usize].to_owned(),
        tags: [format!("rel-{}", client % 3)].into(),
    };
    let mut info = ClientInfo::new(&tagset, success)?;
    for variable in 0..10 {
        info = info.with(&format!("setting_{variable}"), format!("{:x}", random.next()))?;
    }
    Ok(info)
}
