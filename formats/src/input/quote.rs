//! [`quote`]: a piece of an input inside a message about it.

/// Characters of a piece that are shown.
const CHARS_MAX: usize = 200;

/// The piece on one line, without characters that a terminal obeys, and not longer than a message should be.
pub(super) fn quote(text: &str) -> String {
    let mut quoted = String::new();
    let mut chars = text.chars();
    for char in chars.by_ref().take(CHARS_MAX) {
        match char.is_control() {
            true => quoted.extend(char.escape_default()),
            false => quoted.push(char),
        }
    }
    if chars.next().is_some() {
        quoted.push('…');
    }
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_is_short_and_harmless() {
        assert_eq!(quote("no `hay`\u{0}\u{1b}[1m\r é"), "no `hay`\\u{0}\\u{1b}[1m\\r é");
        let long = quote(&"ä".repeat(1_000));
        assert_eq!(long.chars().count(), CHARS_MAX + 1);
        assert!(long.ends_with('…'));
    }
}
