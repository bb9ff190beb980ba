//! The lines of TAP, without their indentation.

use std::borrow::Cow;

/// Spaces of one level of subtests.
pub(super) const INDENT: usize = 4;

/// What a line is. All that is no TAP is [`TapLine::Other`].
#[derive(Debug, PartialEq)]
pub(super) enum TapLine<'t> {
    Version,
    Plan(Plan<'t>),
    Point(Point<'t>),
    BailOut(&'t str),
    /// `# Subtest: name`.
    Subtest(&'t str),
    /// What follows the `#`.
    Comment(&'t str),
    /// `}`, which closes the braces that node-tap puts around buffered subtests.
    Brace,
    Other,
}

/// `1..count # reason`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Plan<'t> {
    pub(super) count: u64,
    pub(super) reason: &'t str,
}

/// `ok` or `not ok`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Point<'t> {
    pub(super) is_ok: bool,
    pub(super) number: Option<u64>,
    pub(super) description: Cow<'t, str>,
    pub(super) directive: Directive<'t>,
    /// Whether a brace opens its subtests after it.
    pub(super) opens: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Directive<'t> {
    None,
    Skip(Cow<'t, str>),
    Todo(Cow<'t, str>),
    /// Milliseconds, as node-tap writes them.
    Time(f64),
}

impl<'t> TapLine<'t> {
    /// Reads a line that begins with no space.
    pub(super) fn read(line: &'t str) -> Self {
        let line = line.trim_end();
        if let Some(comment) = line.strip_prefix('#') {
            let subtest = comment.strip_prefix(" Subtest").map(|rest| rest.strip_prefix(':'));
            return match subtest {
                Some(Some(name)) => Self::Subtest(name.trim()),
                _ => Self::Comment(comment),
            };
        }
        if line == "}" {
            return Self::Brace;
        }
        let point = point(line).map(Self::Point);
        let version = || line.strip_prefix("TAP version ").filter(|number| is_number(number));
        point
            .or_else(|| version().map(|_| Self::Version))
            .or_else(|| plan(line).map(Self::Plan))
            .or_else(|| bail_out(line).map(Self::BailOut))
            .unwrap_or(Self::Other)
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn plan(line: &str) -> Option<Plan<'_>> {
    let rest = line.strip_prefix("1..")?;
    let (count, reason) = rest.split_once('#').unwrap_or((rest, ""));
    let count = Some(count.trim()).filter(|count| is_number(count))?.parse().ok()?;
    let reason = keyword(reason.trim_start(), "skip").unwrap_or(reason.trim());
    Some(Plan { count, reason })
}

fn bail_out(line: &str) -> Option<&str> {
    const WORDS: &str = "bail out!";
    let words = line.get(..WORDS.len())?;
    words.eq_ignore_ascii_case(WORDS).then(|| line[WORDS.len()..].trim())
}

fn point(line: &str) -> Option<Point<'_>> {
    let after_not = line.strip_prefix("not ");
    let rest = after_not.unwrap_or(line).strip_prefix("ok")?;
    if !(rest.is_empty() || rest.starts_with([' ', '\t'])) {
        return None;
    }
    let rest = rest.trim_start();
    let end = rest.find(|char: char| !char.is_ascii_digit()).unwrap_or(rest.len());
    let is_word = rest[end..].is_empty() || rest[end..].starts_with([' ', '\t']);
    let number = Some(&rest[..end]).filter(|_| is_word).and_then(|digits| digits.parse().ok());
    let rest = if number.is_some() { rest[end..].trim_start() } else { rest };
    let rest = match rest.strip_prefix('-') {
        Some(after) if after.is_empty() || after.starts_with(' ') => after.trim_start(),
        _ => rest,
    };
    let (rest, opens) = match rest.strip_suffix('{') {
        Some(before) if before.is_empty() || before.ends_with(' ') => (before.trim_end(), true),
        _ => (rest, false),
    };
    let (description, directive) = directive(rest);
    Some(Point { is_ok: after_not.is_none(), number, description, directive, opens })
}

/// Splits at the first `#` that is not escaped and has a space before it, when a known directive
/// follows.
fn directive(text: &str) -> (Cow<'_, str>, Directive<'_>) {
    let whole = || (unescaped(text.trim_end()), Directive::None);
    let Some(hash) = delimiter(text) else { return whole() };
    let word = text[hash + 1..].trim_start();
    let directive = if let Some(reason) = keyword(word, "skip") {
        Directive::Skip(unescaped(reason))
    } else if let Some(reason) = keyword(word, "todo") {
        // Test::More's `todo_skip` does not run the test.
        match reason.strip_prefix('&').and_then(|rest| keyword(rest.trim_start(), "skip")) {
            Some(reason) => Directive::Skip(unescaped(reason)),
            None => Directive::Todo(unescaped(reason)),
        }
    } else if let Some(time) = word.strip_prefix("time=").and_then(|time| time.strip_suffix("ms"))
        && let Ok(time) = time.parse()
    {
        Directive::Time(time)
    } else {
        return whole();
    };
    (unescaped(text[..hash].trim_end()), directive)
}

fn delimiter(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 1,
            b'#' if at == 0 || bytes[at - 1].is_ascii_whitespace() => return Some(at),
            // A backslash that is escaped itself ends a word as a space does.
            b'#' if text[..at].ends_with("\\\\") => return Some(at),
            _ => {}
        }
        at += 1;
    }
    None
}

/// The reason after a keyword in any case, which may have letters after it: `# Skipped: why`.
fn keyword<'t>(text: &'t str, word: &str) -> Option<&'t str> {
    let begin = text.get(..word.len())?;
    if !begin.eq_ignore_ascii_case(word) {
        return None;
    }
    let rest = text[word.len()..].split_once(char::is_whitespace).map_or("", |(_, rest)| rest);
    // Mocha writes a dash for no reason.
    Some(rest.trim()).map(|reason| if reason == "-" { "" } else { reason })
}

pub(super) fn unescaped(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        let escaped = (char == '\\').then(|| chars.next_if(|next| ['\\', '#'].contains(next)));
        plain.push(escaped.flatten().unwrap_or(char));
    }
    Cow::Owned(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> (bool, Option<u64>, String, String) {
        let TapLine::Point(point) = TapLine::read(line) else { panic!("{line} is no test point") };
        let directive = match point.directive {
            Directive::None => String::new(),
            Directive::Skip(reason) => format!("skip {reason}"),
            Directive::Todo(reason) => format!("todo {reason}"),
            Directive::Time(time) => format!("{time} ms"),
        };
        (point.is_ok, point.number, point.description.into_owned(), directive)
    }

    #[test]
    fn number_dash_and_description_are_optional() {
        assert_eq!(read("ok"), (true, None, "".into(), "".into()));
        assert_eq!(read("not ok 3"), (false, Some(3), "".into(), "".into()));
        assert_eq!(read("ok 42 - hay"), (true, Some(42), "hay".into(), "".into()));
        assert_eq!(read("ok - hay"), (true, None, "hay".into(), "".into()));
        assert_eq!(read("ok 2nd hay"), (true, None, "2nd hay".into(), "".into()));
        assert_eq!(read("ok 1 -5 is less"), (true, Some(1), "-5 is less".into(), "".into()));
        assert_eq!(TapLine::read("okay"), TapLine::Other);
    }

    #[test]
    fn a_directive_follows_the_first_hash_that_stands_alone() {
        let told = |line| {
            let (_, _, description, directive) = read(line);
            (description, directive)
        };
        assert_eq!(told("ok 1 hay # SKIP wet"), ("hay".into(), "skip wet".into()));
        assert_eq!(told("ok 1 - #SkIp wet"), ("".into(), "skip wet".into()));
        assert_eq!(told("ok 1 hay # Skipped: wet"), ("hay".into(), "skip wet".into()));
        assert_eq!(told("ok 1 hay # SKIP -"), ("hay".into(), "skip ".into()));
        assert_eq!(told("ok 1 hay \\# SKIP"), ("hay # SKIP".into(), "".into()));
        assert_eq!(told("ok 1 hay \\\\# todo a \\# b"), ("hay \\".into(), "todo a # b".into()));
        assert_eq!(told("ok 1 hay # straw # todo"), ("hay # straw # todo".into(), "".into()));
        assert_eq!(told("ok 1 see h://x#skip it"), ("see h://x#skip it".into(), "".into()));
        assert_eq!(told("not ok 1 # todo & SKIP wet"), ("".into(), "skip wet".into()));
        assert_eq!(told("ok 1 hay # time=1.5ms"), ("hay".into(), "1.5 ms".into()));
    }

    #[test]
    fn plans_versions_and_bails_are_told_apart() {
        assert_eq!(TapLine::read("TAP version 14"), TapLine::Version);
        assert_eq!(TapLine::read("1..3"), TapLine::Plan(Plan { count: 3, reason: "" }));
        let none = Plan { count: 0, reason: "no hay" };
        assert_eq!(TapLine::read("1..0 # SKIP no hay"), TapLine::Plan(none.clone()));
        assert_eq!(TapLine::read("1..0 # no hay"), TapLine::Plan(none));
        assert_eq!(TapLine::read("BAIL OUT!  fire"), TapLine::BailOut("fire"));
        assert_eq!(TapLine::read("# Subtest: barn"), TapLine::Subtest("barn"));
        assert_eq!(TapLine::read("1..x"), TapLine::Other);
    }
}
