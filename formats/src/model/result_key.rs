//! [`ResultKey`]: the permanent name of a result.

use std::fmt;
use std::str::FromStr;

/// Names one result for ever.
///
/// A key is a positive 64-bit number: the milliseconds since 1970 (UTC) times a million, plus a
/// number below a million that is drawn at random. So keys sort by time, two writers need not know of
/// each other, and the folder of a result follows from its key.
///
/// Written in decimal, always nineteen digits, so that text order is time order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResultKey(i64);

/// How many keys a millisecond holds.
const PER_MILLISECOND: i64 = 1_000_000;

/// The first number with nineteen digits: September 2001.
const MIN: i64 = 1_000_000_000_000_000_000;

impl ResultKey {
    /// A key for the millisecond `time`; `salt` is taken modulo a million.
    ///
    /// Times before September 2001 and after 2262 are moved to that bound: a broken clock must
    /// not keep a result from being stored.
    pub fn new(time: jiff::Timestamp, salt: u32) -> Self {
        let last = i64::MAX / PER_MILLISECOND - 1;
        let millisecond = time.as_millisecond().clamp(MIN / PER_MILLISECOND, last);
        Self(millisecond * PER_MILLISECOND + i64::from(salt) % PER_MILLISECOND)
    }

    /// The key as a number.
    pub fn as_i64(self) -> i64 {
        self.0
    }

    /// The key that a number names.
    pub fn from_i64(number: i64) -> Option<Self> {
        (number >= MIN).then_some(Self(number))
    }

    /// The millisecond the key was made in.
    pub fn time(self) -> jiff::Timestamp {
        // Every `i64` of milliseconds divided by a million is within jiff's range.
        jiff::Timestamp::from_millisecond(self.0 / PER_MILLISECOND).unwrap_or(jiff::Timestamp::MAX)
    }

    /// The smallest key after this one.
    #[must_use = "keys are values"]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for ResultKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:019}", self.0)
    }
}

/// The text is not a result key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a result key: expected 19 decimal digits")]
pub struct ResultKeyError;

impl FromStr for ResultKey {
    type Err = ResultKeyError;

    fn from_str(text: &str) -> Result<Self, ResultKeyError> {
        if text.len() != 19 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(ResultKeyError);
        }
        text.parse().ok().and_then(Self::from_i64).ok_or(ResultKeyError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> jiff::Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn text_order_is_time_order() {
        let early = ResultKey::new(time("2026-01-02T03:04:05.678Z"), 999_999);
        let late = ResultKey::new(time("2026-01-02T03:04:05.679Z"), 0);
        assert!(early < late && early.to_string() < late.to_string());
        assert_eq!(early.time(), time("2026-01-02T03:04:05.678Z"));
        assert_eq!(early.to_string().parse(), Ok(early));
    }

    #[test]
    fn broken_clocks_still_give_keys() {
        for broken in [jiff::Timestamp::MIN, jiff::Timestamp::UNIX_EPOCH, jiff::Timestamp::MAX] {
            let key = ResultKey::new(broken, u32::MAX);
            assert_eq!(key.to_string().parse(), Ok(key));
        }
    }

    #[test]
    fn other_text_is_refused() {
        for text in ["", "7", "+763899999123456789", "176389999912345678x", "99999999999999999999"]
        {
            assert_eq!(text.parse::<ResultKey>(), Err(ResultKeyError), "{text}");
        }
    }
}
