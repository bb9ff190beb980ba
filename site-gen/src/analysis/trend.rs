//! [`steps`]: at which results a series of durations went up or down for good.
//!
//! The series is fitted with levels: of all ways to cut it, the one is taken that minimises the sum of the
//! distances to the median of each part, plus a price for every cut. This is the L1-Potts functional (M. Storath,
//! A. Weinmann, M. Unser: "Jump-penalized least absolute values estimation of scalar or circle-valued
//! signals", Information and Inference 6, 2017), with which asv finds regressions, too. Medians
//! make it blind to single outliers: a run on a busy machine is no step.
//!
//! Durations are compared by their logarithms, so that a step is a ratio. The price is
//! `2 · ln(n) · noise`, at least 0.3: *noise* is the median of the distances between neighbours, which a few
//! steps do not disturb, over 0.954, which makes it the deviation of normal noise. The shortest part that can pay for
//! its two cuts is then some results long. A cut counts when the levels differ by a tenth or more.

/// The least price of a cut: three results that are each a tenth off.
const PRICE_MIN: f64 = 0.3;

/// The least ratio of two levels that is worth a word.
const RATIO_MIN: f64 = 1.1;

/// The least number of results on either side of a cut.
const LEVEL_MIN: usize = 3;

/// The median distance of two neighbours in normal noise, in deviations: 0.6745 · √2.
const NEIGHBOURS: f64 = 0.954;

/// Durations that are looked at; the work is cubic in it.
pub(crate) const SERIES_MAX: usize = 50;

/// A step in a series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct LevelStep {
    /// The first place on the new level.
    pub(crate) at: usize,
    /// Seconds before, the median.
    pub(crate) before: f64,
    /// Seconds from there on.
    pub(crate) after: f64,
}

/// The steps in the last [`SERIES_MAX`] of these seconds, oldest first. Places count from the beginning of
/// the slice. Values that are no positive number count as a microsecond.
pub(crate) fn steps(seconds: &[f64]) -> Vec<LevelStep> {
    let skipped = seconds.len().saturating_sub(SERIES_MAX);
    let seconds = seconds.get(skipped..).unwrap_or_default();
    let logs: Vec<f64> = seconds
        .iter()
        .map(|one| if one.is_finite() { one.max(1e-6).ln() } else { 1e-6f64.ln() })
        .collect();
    let cuts = cuts(&logs);
    let bounds: Vec<usize> = [0].into_iter().chain(cuts).chain([logs.len()]).collect();
    let level = |from: usize, to: usize| median(logs.get(from..to).unwrap_or_default()).exp();
    let mut found = Vec::new();
    for window in bounds.windows(3) {
        let &[from, at, to] = window else { continue };
        let (before, after) = (level(from, at), level(at, to));
        if (before / after).max(after / before) >= RATIO_MIN {
            found.push(LevelStep { at: skipped + at, before, after });
        }
    }
    found
}

/// Where to cut, by dynamic programming over the end of the last part.
fn cuts(logs: &[f64]) -> Vec<usize> {
    let price = price(logs);
    // For each prefix: the least cost, and where its last part begins.
    let mut best: Vec<(f64, usize)> = vec![(-price, 0)];
    for end in 1..=logs.len() {
        let mut least = (f64::INFINITY, 0);
        for begin in 0..end {
            let Some((before, _)) = best.get(begin) else { continue };
            let part = logs.get(begin..end).unwrap_or_default();
            if part.len() < LEVEL_MIN.min(logs.len()) {
                continue;
            }
            let middle = median(part);
            let cost = before + price + part.iter().map(|one| (one - middle).abs()).sum::<f64>();
            if cost < least.0 {
                least = (cost, begin);
            }
        }
        best.push(least);
    }
    let mut cuts = Vec::new();
    let mut end = logs.len();
    while let Some(&(_, begin)) = best.get(end).filter(|(_, begin)| *begin > 0) {
        cuts.push(begin);
        end = begin;
    }
    cuts.reverse();
    cuts
}

fn price(logs: &[f64]) -> f64 {
    let pairs = logs.iter().zip(logs.iter().skip(1));
    let distances: Vec<f64> = pairs.map(|(one, other)| (one - other).abs()).collect();
    let noise = median(&distances) / NEIGHBOURS;
    (2.0 * (logs.len().max(2) as f64).ln() * noise).max(PRICE_MIN)
}

/// The lower one of two in the middle; 0 of nothing.
fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len().saturating_sub(1) / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seconds on some levels, each with a little noise that is the same every time.
    fn series(levels: &[(f64, usize)]) -> Vec<f64> {
        let flat = levels.iter().flat_map(|(level, count)| std::iter::repeat_n(*level, *count));
        flat.enumerate()
            .map(|(at, level)| level * (1.0 + 0.01 * ((at * 7 % 5) as f64 - 2.0)))
            .collect()
    }

    fn places(seconds: &[f64]) -> Vec<usize> {
        steps(seconds).iter().map(|step| step.at).collect()
    }

    #[test]
    fn a_level_without_steps_has_none() {
        assert!(steps(&[]).is_empty() && steps(&[1.0]).is_empty() && steps(&[1.0, 9.0]).is_empty());
        assert!(steps(&series(&[(12.0, 40)])).is_empty());
    }

    #[test]
    fn a_step_is_found_where_it_is_with_both_levels() {
        let found = steps(&series(&[(10.0, 20), (16.0, 10)]));
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].at, 20);
        assert!((found[0].before - 10.0).abs() < 0.3 && (found[0].after - 16.0).abs() < 0.5);
        assert_eq!(places(&series(&[(10.0, 12), (20.0, 8), (10.0, 12)])), [12, 20]);
    }

    #[test]
    fn a_busy_afternoon_is_no_step() {
        let mut seconds = series(&[(10.0, 30)]);
        seconds[14] = 40.0;
        seconds[22] = 35.0;
        assert!(places(&seconds).is_empty(), "{:?}", steps(&seconds));
    }

    #[test]
    fn noise_that_is_wild_hides_small_steps_and_not_large_ones() {
        let wild = |level: f64, at: usize| level * [0.7, 1.3, 1.0, 0.8, 1.2][at * 3 % 5];
        let small: Vec<f64> =
            (0..40).map(|at| wild(if at < 20 { 10.0 } else { 11.5 }, at)).collect();
        assert!(places(&small).is_empty(), "{:?}", steps(&small));
        let large: Vec<f64> =
            (0..40).map(|at| wild(if at < 20 { 10.0 } else { 60.0 }, at)).collect();
        assert_eq!(places(&large), [20]);
    }

    #[test]
    fn only_the_newest_are_looked_at_and_anything_may_be_claimed() {
        let seconds = series(&[(10.0, 100), (30.0, 20)]);
        assert_eq!(places(&seconds), [100]);
        let odd = [f64::NAN, f64::INFINITY, -1.0, 0.0, 1e300, f64::MIN_POSITIVE];
        let _ = steps(&odd.repeat(9));
    }
}
