//! How durations are written: milliseconds with three significant digits, but never finer than a microsecond, as
//! timers are not.

/// `None` for what reading would refuse.
pub(super) fn write_milliseconds(seconds: f64) -> Option<String> {
    let milliseconds = seconds * 1000.0;
    if !is_duration(milliseconds) {
        return None;
    }
    match rounded_microseconds(milliseconds) {
        Some(microseconds) => Some(write(microseconds)),
        None => write_exactly(milliseconds),
    }
}

pub(super) fn is_duration(milliseconds: f64) -> bool {
    milliseconds.is_finite() && milliseconds >= 0.0
}

/// The definition: rounded twice, each time as decimal numbers are.
fn write_exactly(milliseconds: f64) -> Option<String> {
    let rounded = format!("{milliseconds:.2e}").parse().unwrap_or(milliseconds);
    if !is_duration(rounded) {
        return None;
    }
    let text = format!("{rounded:.3}");
    Some(text.trim_end_matches('0').trim_end_matches('.').to_owned())
}

/// The same with numbers, which takes a tenth of the time, and there is one for each test. `None` where the last
/// digit is too close to call, and for more than days.
fn rounded_microseconds(milliseconds: f64) -> Option<u64> {
    let microseconds = milliseconds * 1e3;
    let unit: u32 = match microseconds {
        ..1e3 => 1,
        ..1e4 => 10,
        ..1e5 => 100,
        ..1e6 => 1_000,
        ..1e7 => 10_000,
        ..1e8 => 100_000,
        ..1e9 => 1_000_000,
        _ => return None,
    };
    let units = microseconds / f64::from(unit);
    // Below 100 microseconds the first rounding moves the value by up to a twentieth.
    let is_clear = (units.fract() - 0.5).abs() > 0.06;
    is_clear.then(|| units.round() as u64 * u64::from(unit))
}

fn write(microseconds: u64) -> String {
    let (whole, part) = (microseconds / 1_000, microseconds % 1_000);
    if part == 0 {
        return whole.to_string();
    }
    format!("{whole}.{part:03}").trim_end_matches('0').to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn there_are_three_digits_and_no_part_of_a_microsecond() {
        let written = |seconds| write_milliseconds(seconds).unwrap();
        assert_eq!(written(0.0), "0");
        assert_eq!(written(-0.0), "0");
        assert_eq!(written(0.000_000_4), "0");
        assert_eq!(written(0.000_012_3), "0.012");
        assert_eq!(written(0.001_234), "1.23");
        assert_eq!(written(0.12), "120");
        assert_eq!(written(9.999), "10000");
        assert_eq!(written(123_456.0), "123000000");
        assert_eq!(written(1e15), format!("1{}", "0".repeat(18)));
        assert_eq!(write_milliseconds(f64::MAX), None);
        assert_eq!(write_milliseconds(-1.0), None);
        assert_eq!(write_milliseconds(f64::NAN), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]
        #[test]
        fn the_short_way_leads_where_the_long_one_does(digits in 0_u64..2_000_000, size in -9_i32..7) {
            let milliseconds = digits as f64 / 1_000.0 * 10_f64.powi(size);
            if let Some(microseconds) = rounded_microseconds(milliseconds) {
                prop_assert_eq!(Some(write(microseconds)), write_exactly(milliseconds));
            }
        }
    }
}
