//! Which machines have gone silent, by their own rhythm.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// Days with results that a rhythm is taken from.
const DAYS: usize = 20;

/// The least number of days with results that make a rhythm.
const DAYS_MIN: usize = 3;

/// A machine that has been silent for longer than this is no news any more.
const FORGOTTEN_AFTER: SignedDuration = SignedDuration::from_hours(90 * 24);

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// A build line from which a result was expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Silence {
    /// When its newest result arrived.
    pub(crate) since: Timestamp,
    /// Days between results that are usual for it.
    pub(crate) usual_days: i64,
    /// Whether somebody may still want to know.
    pub(crate) is_news: bool,
}

/// The days on which a build line has results.
///
/// Its rhythm is made of the gaps between its last twenty days with results (UTC), so that many results in an
/// hour are no rhythm of minutes; its *usual* gap is the one that nine of ten gaps do not exceed (nearest
/// rank), so that free weekends are usual and one outage is not. It is silent when its newest
/// result is older than twice that. With results of fewer than three days there is no rhythm.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Rhythm {
    /// Days since 1970, the newest last.
    days: BTreeSet<i64>,
}

impl Rhythm {
    /// Takes in the time of a result. It does not matter in which order they come.
    pub(crate) fn add(&mut self, received: Timestamp) {
        self.days.insert(received.as_second().div_euclid(DAY.as_secs()));
        if self.days.len() > DAYS {
            self.days.pop_first();
        }
    }

    /// Whether a build line with its newest result `since` then is silent.
    pub(crate) fn silence(&self, since: Timestamp, now: Timestamp) -> Option<Silence> {
        let days = &self.days;
        if days.len() < DAYS_MIN {
            return None;
        }
        let later = days.iter().skip(1);
        let mut gaps: Vec<i64> = later.zip(days).map(|(later, earlier)| later - earlier).collect();
        gaps.sort_unstable();
        let usual_days = *gaps.get((gaps.len() * 9).div_ceil(10) - 1)?;
        let silent_for = now.duration_since(since);
        (silent_for > DAY * 2 * i32::try_from(usual_days).unwrap_or(i32::MAX / 2)).then_some(
            Silence {
                since,
                usual_days,
                is_news: silent_for
                    <= FORGOTTEN_AFTER.max(DAY * 4 * i32::try_from(usual_days).unwrap_or(1)),
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rhythm(times: impl IntoIterator<Item = Timestamp>) -> Rhythm {
        let mut rhythm = Rhythm::default();
        times.into_iter().for_each(|time| rhythm.add(time));
        rhythm
    }

    /// Silent `hours` after the last of results at these hours?
    fn usual_days(results: impl IntoIterator<Item = i64>, hours: i64) -> Option<i64> {
        let start: Timestamp = "2026-03-02T03:00:00Z".parse().unwrap();
        let at = |hours: i64| start + SignedDuration::from_hours(hours);
        let times: Vec<_> = results.into_iter().collect();
        let newest = times[times.len() - 1];
        rhythm(times.into_iter().map(at))
            .silence(at(newest), at(newest + hours))
            .map(|silence| silence.usual_days)
    }

    #[test]
    fn a_nightly_machine_is_silent_after_two_nights() {
        let nightly = || (0..10).map(|night| night * 24);
        assert_eq!(usual_days(nightly(), 48), None);
        assert_eq!(usual_days(nightly(), 49), Some(1));
    }

    #[test]
    fn weekends_are_part_of_the_rhythm() {
        let workdays = || (0..4 * 7).filter(|day| day % 7 < 5).map(|day| day * 24);
        assert_eq!(usual_days(workdays(), 3 * 24 + 5), None);
        assert_eq!(usual_days(workdays(), 6 * 24 + 1), Some(3));
    }

    #[test]
    fn a_weekly_machine_may_take_a_fortnight() {
        let weekly = || (0..6).map(|week| week * 7 * 24);
        assert_eq!(usual_days(weekly(), 13 * 24), None);
        assert_eq!(usual_days(weekly(), 15 * 24), Some(7));
    }

    #[test]
    fn many_results_a_day_are_one_beat() {
        let busy = || (0..15 * 24).filter(|hour| hour % 24 < 10);
        assert_eq!(usual_days(busy(), 30), None);
    }

    #[test]
    fn one_outage_does_not_change_the_rhythm() {
        let nights = || (0..30).map(|night| if night < 20 { night * 24 } else { (night + 9) * 24 });
        assert_eq!(usual_days(nights(), 3 * 24), Some(1));
    }

    #[test]
    fn without_a_rhythm_nothing_is_silent() {
        assert_eq!(usual_days([0, 1, 2, 30], 9999), None);
    }

    #[test]
    fn what_is_silent_for_a_season_is_no_news() {
        let start: Timestamp = "2026-03-02T03:00:00Z".parse().unwrap();
        let rhythm = rhythm((0..5).map(|night| start + DAY * night));
        let is_news =
            |days: i32| rhythm.silence(start + DAY * 4, start + DAY * days).unwrap().is_news;
        assert!(is_news(30) && !is_news(100));
    }
}
