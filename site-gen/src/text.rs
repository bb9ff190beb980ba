//! Text from outside, made fit to be shown. Escaping for HTML and XML is the templates' work; this is
//! what escaping does not do.

use std::fmt::Write as _;

use crate::terminal::Terminal;

/// Characters of a name that are shown; test ids can be megabytes long.
const NAME_CHARS_MAX: usize = 500;

/// Lines of what people wrote that are shown.
const LINES_MAX: usize = 30;

/// A name on one line: control characters, line ends and characters that reorder or hide text become
/// visible escapes such as `\u{202e}`; what is too long is cut, and says so.
pub(crate) fn name(text: &str) -> String {
    if text.len() <= NAME_CHARS_MAX && text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        // Nearly all names are so.
        return text.to_owned();
    }
    let mut shown = String::with_capacity(text.len().min(NAME_CHARS_MAX));
    for (index, character) in text.chars().enumerate() {
        if index == NAME_CHARS_MAX {
            let _ = write!(shown, "… ({} bytes)", text.len());
            break;
        }
        push_visible(&mut shown, character);
    }
    shown
}

/// What people wrote, line by line, each as [`name`] has it; what has too many lines is cut, and says so.
pub(crate) fn lines(text: &str) -> Vec<String> {
    let (all, mut shown) = (text.trim_end().lines(), Vec::new());
    let count = all.clone().count();
    shown.extend(all.take(LINES_MAX).map(name));
    if count > LINES_MAX {
        shown.push(format!("… ({} lines)", self::count(count)));
    }
    shown
}

/// Captured output without its colours: see [`Terminal`].
pub(crate) fn output(text: &str) -> String {
    Terminal::read(text).text
}

/// Text that XML 1.0 can hold: forbidden characters become U+FFFD.
pub(crate) fn xml(text: &str) -> String {
    let allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    text.chars().map(|c| if allowed(c) { c } else { '\u{fffd}' }).collect()
}

/// Adds a character, or what stands for it when it cannot be seen.
pub(crate) fn push_visible(shown: &mut String, character: char) {
    if is_invisible(character) {
        shown.extend(character.escape_unicode());
    } else {
        shown.push(character);
    }
}

/// Controls, and the format characters that change the order of what is read or cannot be seen.
fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Text that may have been shortened in the middle: the end of a log matters most, its beginning
/// says what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Excerpt {
    /// The beginning, or all of it.
    pub(crate) head: String,
    /// Bytes between `head` and `tail`; 0 when nothing is left out.
    pub(crate) omitted: usize,
    /// The end; empty when nothing is left out.
    pub(crate) tail: String,
    /// Bytes of the whole text.
    pub(crate) total: usize,
}

impl Excerpt {
    /// At most `bytes_max` bytes of `text`, an eighth of them from the beginning.
    pub(crate) fn of(text: String, bytes_max: usize) -> Self {
        let total = text.len();
        if total <= bytes_max {
            return Self { head: text, omitted: 0, tail: String::new(), total };
        }
        let head_end = text.floor_char_boundary(bytes_max / 8);
        let tail_start = text.ceil_char_boundary(total - (bytes_max - bytes_max / 8));
        let (head, tail) = (text[..head_end].to_owned(), text[tail_start..].to_owned());
        Self { head, omitted: tail_start - head_end, tail, total }
    }

    /// Whether anything is left out.
    pub(crate) fn is_cut(&self) -> bool {
        self.omitted > 0
    }
}

/// A number with commas: `10,000`.
pub(crate) fn count(number: impl TryInto<u64>) -> String {
    let digits = number.try_into().unwrap_or(u64::MAX).to_string();
    let mut shown = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

/// A number with its noun: `1 test`, `2 tests`.
pub(crate) fn counted(number: usize, noun: &str) -> String {
    format!("{} {noun}{}", count(number), if number == 1 { "" } else { "s" })
}

/// Seconds as people read them: `12 ms`, `3.4 s`, `2 min 5 s`, `1 h 30 min`.
pub(crate) fn duration(seconds: f64) -> String {
    // A client may claim anything; the cast saturates.
    let whole = seconds.round() as u64;
    match whole {
        _ if seconds < 0.0005 => "0 ms".to_owned(),
        _ if seconds < 0.9995 => format!("{:.0} ms", seconds * 1000.0),
        _ if seconds < 9.95 => format!("{seconds:.1} s"),
        0..60 => format!("{whole} s"),
        60..3600 => format!("{} min {} s", whole / 60, whole % 60),
        _ => format!("{} h {} min", count(whole / 3600), whole % 3600 / 60),
    }
}

/// A moment, for machines and for people. Always UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct When {
    /// RFC 3339, for `datetime`.
    pub(crate) iso: String,
    /// `2026-03-01 12:34`.
    pub(crate) text: String,
}

impl When {
    pub(crate) fn of(time: jiff::Timestamp) -> Self {
        Self {
            iso: time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            text: time.strftime("%Y-%m-%d %H:%M").to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_show_what_cannot_be_seen() {
        assert_eq!(name("a\u{202e}b\nc\u{1b}[31m"), "a\\u{202e}b\\u{a}c\\u{1b}[31m");
        assert_eq!(name("naïve 名 🐎"), "naïve 名 🐎");
        let long = name(&"é".repeat(600));
        assert!(long.ends_with("é… (1200 bytes)"), "{long}");
    }

    #[test]
    fn what_people_wrote_keeps_its_lines_and_each_is_escaped() {
        assert_eq!(lines("first\r\n\nsec\u{1b}ond\n"), ["first", "", "sec\\u{1b}ond"]);
        let long = lines(&"x\n".repeat(1_000));
        assert_eq!((long.len(), long[30].as_str()), (31, "… (1,000 lines)"));
        assert!(lines("").is_empty());
    }

    #[test]
    fn xml_holds_no_forbidden_character() {
        assert_eq!(xml("a\u{8}b\u{ffff}c\n🐎"), "a\u{fffd}b\u{fffd}c\n🐎");
    }

    #[test]
    fn long_text_is_cut_in_the_middle_between_characters() {
        let whole = Excerpt::of("abc".into(), 3);
        assert!(!whole.is_cut());
        let cut = Excerpt::of("é".repeat(50), 17);
        assert_eq!((cut.head.as_str(), cut.tail.as_str()), ("é", "ééééééé"));
        assert_eq!((cut.omitted, cut.total), (84, 100));
        let nothing = Excerpt::of("abc".into(), 0);
        assert_eq!((nothing.omitted, nothing.head.as_str()), (3, ""));
    }

    #[test]
    fn numbers_read_well() {
        assert_eq!(["0", "999", "1,000", "1,234,567"], [0u64, 999, 1000, 1_234_567].map(count)[..]);
        let cases = [
            (0.0, "0 ms"),
            (0.012, "12 ms"),
            (0.9999, "1.0 s"),
            (3.44, "3.4 s"),
            (59.4, "59 s"),
            (59.9, "1 min 0 s"),
            (125.0, "2 min 5 s"),
            (5400.0, "1 h 30 min"),
        ];
        for (seconds, text) in cases {
            assert_eq!(duration(seconds), text);
        }
    }
}
