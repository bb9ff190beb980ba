//! The rules of the original server: which result is the newest of its build line, and whether a
//! machine should build. Pure: the time is passed in.
//!
//! Everything here is derived from the results or forgotten at a restart: a request for a build,
//! and the promise of a machine that it is building.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::{SignedDuration, Timestamp};
use pony_formats::{ResultKey, Tagset};
use sha2::{Digest, Sha256};

/// How old a result may be before a new one is wanted.
const STALE: SignedDuration = SignedDuration::from_hours(24);

/// How long a machine may take that does not say, on a line without an earlier duration.
const ALLOWANCE_DEFAULT: SignedDuration = SignedDuration::from_hours(1);

/// The longest that any machine may keep others from building.
const ALLOWANCE_MAX: SignedDuration = SignedDuration::from_hours(4);

/// Running reservations that are remembered. Anybody can make one for a line that does not exist.
const RESERVATIONS_MAX: usize = 10_000;

/// Numbers that are remembered. The index knows all of those before, and is never further behind than a batch.
const NUMBERS_MAX: usize = 4_096;

/// The newest results, and who is building what.
#[derive(Debug, Default)]
pub(crate) struct Coordinator {
    packages: BTreeMap<String, BTreeMap<Tagset, Newest>>,
    /// The results that were numbered last, by their numbers. Older ones are in the index.
    numbers: BTreeMap<u32, ResultKey>,
    /// Greater than every number that was given, also to a result that was then not stored.
    next_number: u32,
    requested: BTreeSet<Tagset>,
    reservations: HashMap<LineHash, Reservation>,
}

/// A build line as 32 bytes: strangers choose its names, and how long they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct LineHash([u8; 32]);

impl LineHash {
    fn of(tagset: &Tagset) -> Self {
        let mut hash = Sha256::new();
        for member in tagset.wire_members() {
            // With its length: no two lists of members give the same bytes.
            hash.update((member.len() as u64).to_be_bytes());
            hash.update(member);
        }
        Self(hash.finalize().into())
    }
}

/// What the rules need to know of the newest result of a build line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Newest {
    pub(crate) key: ResultKey,
    pub(crate) received: Timestamp,
    pub(crate) success: bool,
    /// How long the build took.
    pub(crate) duration: Option<SignedDuration>,
}

/// A machine said that it builds.
#[derive(Debug)]
struct Reservation {
    start: Timestamp,
    allowance: SignedDuration,
}

impl Reservation {
    fn is_running(&self, now: Timestamp) -> bool {
        // A clock that was set back ends it, rather than keep it for longer.
        let age = now.duration_since(self.start);
        !age.is_negative() && age < self.allowance
    }
}

/// Whether to build, and why, for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Advice {
    pub(crate) build: bool,
    pub(crate) reason: &'static str,
}

/// What a machine wants to do when it is told to build.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Intent {
    /// Only to know.
    Ask,
    /// To build, in about this time; `None` when it does not know.
    Build(Option<SignedDuration>),
}

impl Coordinator {
    /// Takes note of a stored result. Its arrival ends the reservation of its line.
    pub(crate) fn add(&mut self, tagset: Tagset, result: Newest) {
        self.reservations.remove(&LineHash::of(&tagset));
        let lines = self.packages.entry(tagset.package.clone()).or_default();
        let newest = lines.entry(tagset).or_insert(result);
        if result.key > newest.key {
            *newest = result;
        }
    }

    /// Takes note of the number of a stored result. Where two collectors' results were merged, a number may
    /// be taken twice: the later result keeps it.
    pub(crate) fn add_number(&mut self, number: u32, key: ResultKey) {
        let holder = self.numbers.entry(number).or_insert(key);
        *holder = key.max(*holder);
        if self.numbers.len() > NUMBERS_MAX {
            self.numbers.pop_first();
        }
        self.number_taken(number);
    }

    /// Gives no result a number up to this one.
    pub(crate) fn number_taken(&mut self, number: u32) {
        self.next_number = self.next_number.max(number.saturating_add(1));
    }

    /// Takes note that lower numbers were given to results that are not here any more.
    pub(crate) fn number_from(&mut self, number: u32) {
        self.next_number = self.next_number.max(number);
    }

    /// The number of the next result: one more than the greatest. Nobody else gets it.
    pub(crate) fn take_number(&mut self) -> u32 {
        let number = self.next_number;
        self.next_number = number.saturating_add(1);
        number
    }

    /// The result with this number.
    pub(crate) fn key_of(&self, number: u32) -> Option<ResultKey> {
        self.numbers.get(&number).copied()
    }

    /// How many build lines there are.
    pub(crate) fn line_count(&self) -> usize {
        self.packages.values().map(BTreeMap::len).sum()
    }

    /// The build lines of a package.
    pub(crate) fn tagsets(&self, package: &str) -> impl Iterator<Item = &Tagset> {
        self.packages.get(package).into_iter().flat_map(BTreeMap::keys)
    }

    /// All packages by name, and how many build lines each has.
    pub(crate) fn packages(&self) -> impl Iterator<Item = (&str, usize)> {
        self.packages.iter().map(|(name, lines)| (name.as_str(), lines.len()))
    }

    /// The newest result of each build line of a package.
    pub(crate) fn newest_of(&self, package: &str) -> Vec<ResultKey> {
        let lines = self.packages.get(package).into_iter().flat_map(BTreeMap::values);
        lines.map(|newest| newest.key).collect()
    }

    /// The newest result of a build line.
    pub(crate) fn newest(&self, tagset: &Tagset) -> Option<Newest> {
        self.packages.get(&tagset.package)?.get(tagset).copied()
    }

    /// Makes the next machine that asks about this line build. `false` for an unknown line.
    pub(crate) fn request(&mut self, tagset: Tagset) -> bool {
        let known = self.newest(&tagset).is_some();
        if known {
            self.requested.insert(tagset);
        }
        known
    }

    /// Answers a machine, and remembers that it builds if it was told to and will.
    pub(crate) fn should_build(
        &mut self,
        tagset: &Tagset,
        intent: Intent,
        now: Timestamp,
    ) -> Advice {
        let advice = self.advise(tagset, now);
        if let (true, Intent::Build(allowance)) = (advice.build, intent) {
            let earlier = self.newest(tagset).and_then(|newest| newest.duration);
            let allowance = allowance.or(earlier).unwrap_or(ALLOWANCE_DEFAULT).min(ALLOWANCE_MAX);
            self.reserve(LineHash::of(tagset), Reservation { start: now, allowance });
        }
        advice
    }

    fn advise(&mut self, tagset: &Tagset, now: Timestamp) -> Advice {
        let yes = |reason| Advice { build: true, reason };
        let no = |reason| Advice { build: false, reason };
        if self.requested.remove(tagset) {
            return yes("a build was requested");
        }
        if self
            .reservations
            .get(&LineHash::of(tagset))
            .is_some_and(|reservation| reservation.is_running(now))
        {
            return no("another machine may be building this now");
        }
        match self.newest(tagset) {
            None => yes("no result for this tagset yet"),
            Some(newest) if now.duration_since(newest.received) >= STALE => {
                yes("the newest result is a day old or older")
            }
            Some(newest) if !newest.success => yes("the newest build failed"),
            Some(_) => no("the newest result is up to date"),
        }
    }

    fn reserve(&mut self, line: LineHash, reservation: Reservation) {
        if self.reservations.len() >= RESERVATIONS_MAX {
            let now = reservation.start;
            self.reservations.retain(|_, running| running.is_running(now));
        }
        // At worst something is built twice.
        if self.reservations.len() < RESERVATIONS_MAX || self.reservations.contains_key(&line) {
            self.reservations.insert(line, reservation);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-01-02T12:00:00Z".parse().unwrap()
    }

    fn after(seconds: i64) -> Timestamp {
        now() + SignedDuration::from_secs(seconds)
    }

    #[test]
    fn only_the_last_numbers_are_remembered() {
        let mut coordinator = Coordinator::default();
        let key = ResultKey::new(now(), 7);
        (0..NUMBERS_MAX as u32 + 2).for_each(|number| coordinator.add_number(number, key));
        assert_eq!(coordinator.key_of(1), None);
        assert_eq!(coordinator.key_of(2), Some(key));
        assert_eq!(coordinator.key_of(NUMBERS_MAX as u32 + 1), Some(key));
        assert_eq!(coordinator.take_number(), NUMBERS_MAX as u32 + 2);
    }

    fn line(host: &str) -> Tagset {
        Tagset {
            package: "orchard".into(),
            host: host.into(),
            arch: "linux".into(),
            tags: BTreeSet::from(["nightly".into()]),
        }
    }

    fn result(received: Timestamp, success: bool) -> Newest {
        Newest { key: ResultKey::new(received, 0), received, success, duration: None }
    }

    /// A coordinator that knows one good result of `line("barn")`, a minute old.
    fn coordinator() -> Coordinator {
        let mut coordinator = Coordinator::default();
        coordinator.add(line("barn"), result(after(-60), true));
        coordinator
    }

    fn builds(coordinator: &mut Coordinator, host: &str, intent: Intent, at: Timestamp) -> bool {
        coordinator.should_build(&line(host), intent, at).build
    }

    #[test]
    fn a_line_without_results_is_built() {
        assert!(builds(&mut coordinator(), "shed", Intent::Ask, now()));
    }

    #[test]
    fn a_good_result_lasts_a_day() {
        let day = 24 * 3600 - 60;
        assert!(!builds(&mut coordinator(), "barn", Intent::Ask, now()));
        assert!(!builds(&mut coordinator(), "barn", Intent::Ask, after(day - 1)));
        assert!(builds(&mut coordinator(), "barn", Intent::Ask, after(day)));
    }

    #[test]
    fn a_failed_build_is_tried_again() {
        let mut coordinator = coordinator();
        coordinator.add(line("barn"), result(now(), false));
        assert!(builds(&mut coordinator, "barn", Intent::Ask, now()));
    }

    #[test]
    fn an_older_result_that_comes_late_is_not_the_newest() {
        let mut coordinator = coordinator();
        coordinator.add(line("barn"), result(after(-600), false));
        assert!(coordinator.newest(&line("barn")).unwrap().success);
    }

    #[test]
    fn asking_reserves_nothing() {
        let mut coordinator = coordinator();
        assert!(builds(&mut coordinator, "shed", Intent::Ask, now()));
        assert!(builds(&mut coordinator, "shed", Intent::Build(None), now()));
        assert!(!builds(&mut coordinator, "shed", Intent::Ask, now()));
    }

    #[test]
    fn a_reservation_lasts_as_long_as_was_said() {
        let mut coordinator = coordinator();
        let allowance = Some(SignedDuration::from_secs(600));
        assert!(builds(&mut coordinator, "shed", Intent::Build(allowance), now()));
        assert!(!builds(&mut coordinator, "shed", Intent::Build(allowance), after(599)));
        assert!(builds(&mut coordinator, "shed", Intent::Ask, after(600)));
        assert!(builds(&mut coordinator, "shed", Intent::Ask, after(-1)), "the clock was set back");
        assert!(builds(&mut coordinator, "coop", Intent::Ask, now()), "another host");
    }

    #[test]
    fn no_reservation_lasts_longer_than_four_hours() {
        let mut coordinator = coordinator();
        let for_ever = Some(SignedDuration::MAX);
        assert!(builds(&mut coordinator, "shed", Intent::Build(for_ever), now()));
        assert!(!builds(&mut coordinator, "shed", Intent::Ask, after(4 * 3600 - 1)));
        assert!(builds(&mut coordinator, "shed", Intent::Ask, after(4 * 3600)));
    }

    #[test]
    fn the_last_duration_is_the_allowance_of_a_machine_that_does_not_say() {
        let mut coordinator = coordinator();
        let duration = Some(SignedDuration::from_secs(90));
        coordinator.add(line("barn"), Newest { duration, ..result(now(), false) });
        assert!(builds(&mut coordinator, "barn", Intent::Build(None), now()));
        assert!(!builds(&mut coordinator, "barn", Intent::Ask, after(89)));
        assert!(builds(&mut coordinator, "barn", Intent::Ask, after(90)));

        assert!(builds(&mut coordinator, "shed", Intent::Build(None), now()));
        assert!(!builds(&mut coordinator, "shed", Intent::Ask, after(3599)));
        assert!(builds(&mut coordinator, "shed", Intent::Ask, after(3600)));
    }

    #[test]
    fn a_result_ends_the_reservation() {
        let mut coordinator = coordinator();
        assert!(builds(&mut coordinator, "shed", Intent::Build(None), now()));
        coordinator.add(line("shed"), result(after(60), false));
        assert!(builds(&mut coordinator, "shed", Intent::Ask, after(61)));
    }

    #[test]
    fn numbers_rise_and_are_never_used_again() {
        let mut coordinator = coordinator();
        assert_eq!(coordinator.take_number(), 0);
        assert_eq!(coordinator.take_number(), 1, "the first is still being stored");
        coordinator.add_number(7, ResultKey::new(after(-60), 0));
        coordinator.add_number(0, ResultKey::new(after(-60), 0));
        assert_eq!(coordinator.take_number(), 8);
        assert_eq!(coordinator.key_of(7), Some(ResultKey::new(after(-60), 0)));
        assert_eq!(coordinator.key_of(8), None);
        coordinator.number_from(20);
        coordinator.number_from(10);
        assert_eq!(coordinator.take_number(), 20, "some were moved elsewhere");
        coordinator.add_number(7, ResultKey::new(now(), 0));
        coordinator.add_number(7, ResultKey::new(after(-90), 0));
        assert_eq!(coordinator.key_of(7), Some(ResultKey::new(now(), 0)), "the later one keeps it");
    }

    #[test]
    fn a_request_is_answered_once_before_everything_else() {
        let mut coordinator = coordinator();
        assert!(coordinator.request(line("barn")));
        assert!(builds(&mut coordinator, "barn", Intent::Ask, now()));
        assert!(!builds(&mut coordinator, "barn", Intent::Ask, now()));
        assert!(!coordinator.request(line("nowhere")));
    }

    #[test]
    fn a_reservation_is_small_however_long_its_names() {
        let hash = |package: &str, tag: &str| {
            let tags = BTreeSet::from([tag.to_owned()]);
            LineHash::of(&Tagset { package: package.into(), tags, ..line("barn") })
        };
        assert_eq!(size_of_val(&hash(&"x".repeat(1_000_000), "")), 32);
        assert_eq!(hash("a", "b"), hash("a", "b"));
        assert_ne!(hash("a", "b"), hash("ab", ""));
        assert_ne!(hash("a", "b"), hash("a", "c"));
    }

    #[test]
    fn strangers_cannot_fill_the_memory_with_reservations() {
        let mut coordinator = coordinator();
        for number in 0..RESERVATIONS_MAX + 10 {
            builds(&mut coordinator, &format!("host{number}"), Intent::Build(None), now());
        }
        assert_eq!(coordinator.reservations.len(), RESERVATIONS_MAX);
        builds(&mut coordinator, "late", Intent::Build(None), after(5 * 3600));
        assert_eq!(coordinator.reservations.len(), 1);
    }
}
