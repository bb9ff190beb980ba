//! [`Terminal`]: captured output with the colours that a terminal would have shown.
//!
//! Of ECMA-48 only *select graphic rendition* means something here: colours of the text, bold, faint, italic and
//! underlined. Everything else that is no text (titles, links, cursor movements) is left out.

use anstyle_parse::{Params, Parser, Perform, Utf8Parser};

use crate::text;

/// Changes of the style in one text; from there on it is plain, so that a page stays a page.
const CHANGES_MAX: usize = 5_000;

/// Text that is fit to be shown, and how parts of it look.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Terminal {
    pub(crate) text: String,
    /// From which byte on which style is in force.
    pub(crate) styles: Vec<(usize, Style)>,
}

/// How a part of a text looks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Style {
    colour: Option<Colour>,
    bold: bool,
    faint: bool,
    italic: bool,
    underlined: bool,
}

/// The colours that a terminal has names for; the bright ones count as the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Colour {
    Grey,
    Red,
    Green,
    Yellow,
    Blue,
    Magenta,
    Cyan,
}

/// A part of a text with one style.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Span<'a> {
    /// Classes in the style sheet; empty for plain text.
    pub(crate) class: String,
    pub(crate) text: &'a str,
}

impl Terminal {
    /// Reads captured output. Line ends become LF; what cannot be seen becomes a visible escape.
    pub(crate) fn read(captured: &str) -> Self {
        let mut screen = Screen::default();
        let mut parser = Parser::<Utf8Parser>::new();
        for byte in captured.bytes() {
            parser.advance(&mut screen, byte);
        }
        screen.end_line();
        screen.shown
    }
}

/// The parts of `text`, which begins at the byte `start` of the whole that `styles` are of.
pub(crate) fn spans<'a>(text: &'a str, start: usize, styles: &[(usize, Style)]) -> Vec<Span<'a>> {
    let first = styles.partition_point(|(at, _)| *at <= start);
    let mut style =
        first.checked_sub(1).and_then(|at| styles.get(at)).map_or(Style::default(), |it| it.1);
    let mut spans = Vec::new();
    let mut from = 0;
    let ends = styles.iter().skip(first).map(|(at, next)| (at - start, Some(*next)));
    for (to, next) in ends.chain([(text.len(), None)]) {
        let to = to.min(text.len());
        if let Some(part) = text.get(from..to).filter(|part| !part.is_empty()) {
            spans.push(Span { class: style.class(), text: part });
        }
        from = to;
        style = next.unwrap_or_default();
    }
    spans
}

impl Style {
    fn class(self) -> String {
        let colour = self.colour.map(|colour| match colour {
            Colour::Grey => "t-grey",
            Colour::Red => "t-red",
            Colour::Green => "t-green",
            Colour::Yellow => "t-yellow",
            Colour::Blue => "t-blue",
            Colour::Magenta => "t-magenta",
            Colour::Cyan => "t-cyan",
        });
        let flags = [
            (self.bold, "t-bold"),
            (self.faint, "t-faint"),
            (self.italic, "t-italic"),
            (self.underlined, "t-under"),
        ];
        let flags = flags.into_iter().filter_map(|(is_set, class)| is_set.then_some(class));
        colour.into_iter().chain(flags).collect::<Vec<_>>().join(" ")
    }

    /// Takes in the parameters of one *select graphic rendition*.
    fn select(&mut self, params: &Params) {
        let mut params = params.iter().map(|param| param.first().copied().unwrap_or_default());
        while let Some(param) = params.next() {
            match param {
                0 => *self = Self::default(),
                1 => self.bold = true,
                2 => self.faint = true,
                3 => self.italic = true,
                4 => self.underlined = true,
                22 => (self.bold, self.faint) = (false, false),
                23 => self.italic = false,
                24 => self.underlined = false,
                30..=37 => self.colour = Colour::named(param - 30),
                90 => self.colour = Some(Colour::Grey),
                91..=97 => self.colour = Colour::named(param - 90),
                39 => self.colour = None,
                // Colours by number, or as red, green and blue, of the text or of the ground: only the text's
                // first sixteen have a name.
                38 | 48 => match params.next() {
                    Some(5) => {
                        let number = params.next().unwrap_or_default();
                        if param == 38 {
                            self.colour = Colour::named(number % 8).filter(|_| number < 16);
                        }
                    }
                    Some(2) => {
                        let _ = params.nth(2);
                    }
                    _ => {}
                },
                _ => {}
            }
        }
    }
}

impl Colour {
    /// The ground may be light or dark: black and white are the text's own colour.
    fn named(number: u16) -> Option<Self> {
        Some(match number {
            1 => Self::Red,
            2 => Self::Green,
            3 => Self::Yellow,
            4 => Self::Blue,
            5 => Self::Magenta,
            6 => Self::Cyan,
            _ => return None,
        })
    }
}

/// What the parser writes to.
#[derive(Default)]
struct Screen {
    shown: Terminal,
    style: Style,
    /// A carriage return that may belong to a line feed.
    returned: bool,
}

impl Screen {
    /// A carriage return alone is a progress bar that draws over itself: each state gets a line.
    fn end_line(&mut self) {
        if std::mem::take(&mut self.returned) {
            self.shown.text.push('\n');
        }
    }
}

impl Perform for Screen {
    fn print(&mut self, character: char) {
        self.end_line();
        text::push_visible(&mut self.shown.text, character);
    }

    fn execute(&mut self, byte: u8) {
        match byte {
            b'\r' => {
                self.end_line();
                self.returned = true;
            }
            b'\n' => {
                self.returned = false;
                self.shown.text.push('\n');
            }
            b'\t' => {
                self.end_line();
                self.shown.text.push('\t');
            }
            _ => {}
        }
    }

    fn csi_dispatch(&mut self, params: &Params, intermediates: &[u8], ignore: bool, action: u8) {
        if action != b'm' || !intermediates.is_empty() || ignore {
            return;
        }
        if params.is_empty() {
            self.style = Style::default();
        } else {
            self.style.select(params);
        }
        let at = self.shown.text.len();
        let styles = &mut self.shown.styles;
        let has_room = styles.len() < CHANGES_MAX;
        match styles.last_mut() {
            Some(last) if last.0 == at => last.1 = self.style,
            _ if has_room => styles.push((at, self.style)),
            // The last one ends here, and nothing begins any more.
            Some(last) => last.1 = Style::default(),
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(captured: &str) -> Vec<(String, String)> {
        let read = Terminal::read(captured);
        let spans = spans(&read.text, 0, &read.styles);
        spans.into_iter().map(|span| (span.class, span.text.to_owned())).collect()
    }

    fn span(class: &str, text: &str) -> (String, String) {
        (class.to_owned(), text.to_owned())
    }

    #[test]
    fn colours_become_classes() {
        assert_eq!(
            shown("a\u{1b}[1;31mb\u{1b}[0mc\u{1b}[92md\u{1b}[39me"),
            [
                span("", "a"),
                span("t-red t-bold", "b"),
                span("", "c"),
                span("t-green", "d"),
                span("", "e")
            ]
        );
        assert_eq!(
            shown("\u{1b}[38;5;4mb\u{1b}[38;5;200mx\u{1b}[48;2;1;2;3;4mu\u{1b}[m."),
            [span("t-blue", "b"), span("", "x"), span("t-under", "u"), span("", ".")]
        );
    }

    #[test]
    fn lines_stay_and_everything_else_goes() {
        let cases = [
            ("\u{1b}[31mred\u{1b}[0m\r\nnext\ttab", "red\nnext\ttab"),
            ("10%\r20%\r\n", "10%\n20%\n"),
            ("\u{1b}]8;;javascript:alert(1)\u{7}link\u{1b}]8;;\u{7}", "link"),
            ("a\u{202e}b\u{9b}31mc", "a\\u{202e}b\\u{9b}31mc"),
            ("\u{1b}[2J\u{1b}[Hcleared", "cleared"),
            ("naïve 名 🐎", "naïve 名 🐎"),
        ];
        for (raw, plain) in cases {
            assert_eq!(Terminal::read(raw).text, plain, "{raw:?}");
        }
    }

    #[test]
    fn a_part_of_a_text_looks_as_it_does_in_the_whole() {
        let read = Terminal::read("plain \u{1b}[32mgreen green\u{1b}[0m plain");
        let part = &read.text[8..19];
        let parts: Vec<_> =
            spans(part, 8, &read.styles).into_iter().map(|it| (it.class, it.text)).collect();
        assert_eq!(parts, [("t-green".to_owned(), "een green"), (String::new(), " p")]);
    }

    #[test]
    fn a_text_that_changes_its_colour_all_the_time_becomes_plain() {
        let read = Terminal::read(&"\u{1b}[31ma\u{1b}[32mb".repeat(CHANGES_MAX));
        assert_eq!(read.styles.len(), CHANGES_MAX);
        assert_eq!(read.styles.last().unwrap().1, Style::default());
        assert_eq!(read.text.len(), 2 * CHANGES_MAX);
    }
}
