//! Which machines have gone silent, by their own rhythm.

use jiff::{SignedDuration, Timestamp};

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

/// Whether a build line whose results arrived at these times, newest first, is silent.
///
/// Its rhythm is made of the gaps between its last twenty days with results (UTC), so that many results in an
/// hour are no rhythm of minutes; its *usual* gap is the one that nine of ten gaps do not exceed (nearest
/// rank), so that free weekends are usual and one outage is not. It is silent when its newest
/// result is older than twice that. With results of fewer than three days there is no rhythm.
pub(crate) fn silence(
    newest_first: impl Iterator<Item = Timestamp>,
    now: Timestamp,
) -> Option<Silence> {
    let mut newest_first = newest_first.peekable();
    let since = *newest_first.peek()?;
    let mut days = Vec::with_capacity(DAYS);
    for day in newest_first.map(|time| time.as_second().div_euclid(DAY.as_secs())) {
        if days.last() != Some(&day) {
            days.push(day);
        }
        if days.len() == DAYS {
            break;
        }
    }
    if days.len() < DAYS_MIN {
        return None;
    }
    let mut gaps: Vec<i64> =
        days.iter().zip(days.iter().skip(1)).map(|(later, earlier)| later - earlier).collect();
    gaps.sort_unstable();
    let usual_days = *gaps.get((gaps.len() * 9).div_ceil(10) - 1)?;
    let silent_for = now.duration_since(since);
    (silent_for > DAY * 2 * i32::try_from(usual_days).unwrap_or(i32::MAX / 2)).then_some(Silence {
        since,
        usual_days,
        is_news: silent_for
            <= FORGOTTEN_AFTER.max(DAY * 4 * i32::try_from(usual_days).unwrap_or(1)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Silent `hours` after the last of results at these hours?
    fn usual_days(results: impl IntoIterator<Item = i64>, hours: i64) -> Option<i64> {
        let start: Timestamp = "2026-03-02T03:00:00Z".parse().unwrap();
        let at = |hours: i64| start + SignedDuration::from_hours(hours);
        let mut times: Vec<_> = results.into_iter().collect();
        times.reverse();
        let newest = times[0];
        silence(times.into_iter().map(at), at(newest + hours)).map(|silence| silence.usual_days)
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
        assert_eq!(silence(std::iter::empty(), Timestamp::UNIX_EPOCH), None);
    }

    #[test]
    fn what_is_silent_for_a_season_is_no_news() {
        let start: Timestamp = "2026-03-02T03:00:00Z".parse().unwrap();
        let times = || (0..5).rev().map(|night| start + DAY * night);
        let is_news = |days: i32| silence(times(), start + DAY * days).unwrap().is_news;
        assert!(is_news(30) && !is_news(100));
    }
}
