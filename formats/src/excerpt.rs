//! [`Excerpt`]: the beginning and the end of a captured stream, in bounded memory.
//!
//! Whoever stores a result keeps at most [`Limits::stream_bytes_max`](crate::Limits) of each stream of a
//! step in it. A line between the ends says how many bytes were left out, and in which file the whole is:
//!
//! ```text
//! [pony left out 73400320 bytes here; the whole is in the file steps-00-output.txt]
//! ```
//!
//! A stream is shortened once, by whoever has the whole of it: our own client does it before it sends anything, to
//! its own limit; for others, which send everything, the collector does. The step says of which streams bytes were
//! left out ([`Step::left_out`](crate::Step)), and those are never shortened again.

use std::collections::VecDeque;

/// How far from a cut a line's end is looked for.
const LINE_BYTES: usize = 4 * 1024;

/// The keys of a step that hold streams. Version control steps of the original client call theirs `out`.
pub const STREAMS: [&str; 3] = ["output", "errout", "out"];

/// The beginning and the end of what was pushed.
#[derive(Debug)]
pub struct Excerpt {
    head_bytes: usize,
    tail_bytes: usize,
    head: Vec<u8>,
    tail: VecDeque<u8>,
    left_out: u64,
}

/// What is kept of a stream, as text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kept {
    /// All of it, or both ends and the line between them.
    pub text: String,
    /// Bytes that are not in the text.
    pub left_out: u64,
    /// Whether bytes had to be replaced to make text of it.
    pub replaced: bool,
}

impl From<String> for Kept {
    /// All of a stream.
    fn from(text: String) -> Self {
        Self { text, ..Self::default() }
    }
}

/// A file that holds what an excerpt leaves out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Whole<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its size, when it is itself cut off at a limit.
    pub cut_at: Option<u64>,
}

/// The name of the file with the whole of a stream: `steps-00-output.txt` for the first step.
pub fn whole_name(step: usize, stream: &str) -> String {
    format!("steps-{step:02}-{stream}.txt")
}

impl Excerpt {
    /// Keeps all of what is a text of up to `bytes_max` bytes; otherwise half of them from each end.
    pub fn new(bytes_max: usize) -> Self {
        let head_bytes = bytes_max / 2;
        let tail_bytes = bytes_max - head_bytes;
        Self { head_bytes, tail_bytes, head: Vec::new(), tail: VecDeque::new(), left_out: 0 }
    }

    /// The excerpt of a whole.
    pub fn of(whole: &[u8], bytes_max: usize) -> Self {
        let mut excerpt = Self::new(bytes_max);
        excerpt.push(whole);
        excerpt
    }

    /// Adds the next bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        let room = self.head_bytes - self.head.len();
        let (head, rest) = bytes.split_at(room.min(bytes.len()));
        self.head.extend_from_slice(head);
        // What would only be pushed out again need not go in.
        let spare = rest.len().saturating_sub(self.tail_bytes);
        self.left_out += spare as u64;
        let rest = &rest[spare..];
        let excess = (self.tail.len() + rest.len()).saturating_sub(self.tail_bytes);
        self.left_out += excess as u64;
        self.tail.drain(..excess);
        self.tail.extend(rest);
    }

    /// Whether anything is left out. Bytes that are no UTF-8 take three times their room as text.
    pub fn is_cut(&self) -> bool {
        let kept = || self.head.iter().chain(&self.tail).copied().collect::<Vec<u8>>();
        self.left_out > 0 || text_length(&kept()) > self.head_bytes.saturating_add(self.tail_bytes)
    }

    /// The excerpt as text. Cuts are made between lines where these are short, and never inside a character.
    pub fn into_text(mut self, whole: Option<Whole<'_>>) -> Kept {
        if !self.is_cut() {
            self.head.extend(self.tail);
            return to_text(self.head, 0);
        }
        let head_kept = fitting_prefix(&self.head, self.head_bytes);
        self.left_out += (self.head.len() - head_kept) as u64;
        self.head.truncate(head_kept);
        let surplus = surplus_prefix(self.tail.make_contiguous(), self.tail_bytes);
        self.left_out += surplus as u64;
        self.tail.drain(..surplus);
        let near = self.head.len().saturating_sub(LINE_BYTES);
        if let Some(at) = self.head[near..].iter().rposition(|byte| *byte == b'\n') {
            self.left_out += (self.head.len() - near - at - 1) as u64;
            self.head.truncate(near + at + 1);
        }
        if let Some(at) = self.tail.iter().take(LINE_BYTES).position(|byte| *byte == b'\n') {
            self.left_out += at as u64 + 1;
            self.tail.drain(..=at);
        }
        let place = match whole {
            None => String::new(),
            Some(Whole { name, cut_at: None }) => format!("; the whole is in the file {name}"),
            Some(Whole { name, cut_at: Some(bytes) }) => {
                format!("; the first {bytes} bytes are in the file {name}")
            }
        };
        let note = format!("\n[pony left out {} bytes here{place}]\n", self.left_out);
        self.head.extend_from_slice(note.as_bytes());
        self.head.extend(self.tail);
        to_text(self.head, self.left_out)
    }
}

/// The length of the text that bytes become.
fn text_length(bytes: &[u8]) -> usize {
    let lengths = bytes.utf8_chunks().map(|chunk| chunk.valid().len() + replaced(chunk.invalid()));
    lengths.sum()
}

/// The length of what takes the place of bytes that are no UTF-8.
fn replaced(invalid: &[u8]) -> usize {
    if invalid.is_empty() { 0 } else { char::REPLACEMENT_CHARACTER.len_utf8() }
}

/// How many bytes from the beginning are a text of up to `max` bytes, without the beginning of a character
/// whose rest is missing.
fn fitting_prefix(bytes: &[u8], max: usize) -> usize {
    let begun = (1..=3.min(bytes.len())).find(|length| {
        let last = str::from_utf8(&bytes[bytes.len() - length..]);
        last.is_err_and(|error| error.valid_up_to() == 0 && error.error_len().is_none())
    });
    let (mut kept, mut room) = (0, max);
    for chunk in bytes[..bytes.len() - begun.unwrap_or(0)].utf8_chunks() {
        let valid = chunk.valid().floor_char_boundary(room);
        kept += valid;
        room -= valid;
        let replaced = replaced(chunk.invalid());
        if valid < chunk.valid().len() || replaced > room {
            break;
        }
        kept += chunk.invalid().len();
        room -= replaced;
    }
    kept
}

/// How many bytes to leave out from the beginning, so that the others are a text of up to `max` bytes, without
/// the rest of a character whose beginning is missing.
fn surplus_prefix(bytes: &[u8], max: usize) -> usize {
    let is_rest = |byte: &&u8| **byte & 0xC0 == 0x80;
    let mut left_out = bytes.iter().take(3).take_while(is_rest).count();
    let bytes = &bytes[left_out..];
    let mut excess = text_length(bytes).saturating_sub(max);
    for chunk in bytes.utf8_chunks() {
        let valid = chunk.valid().ceil_char_boundary(excess);
        left_out += valid;
        excess = excess.saturating_sub(valid);
        if excess == 0 {
            break;
        }
        left_out += chunk.invalid().len();
        excess = excess.saturating_sub(replaced(chunk.invalid()));
    }
    left_out
}

fn to_text(bytes: Vec<u8>, left_out: u64) -> Kept {
    match String::from_utf8(bytes) {
        Ok(text) => Kept { text, left_out, replaced: false },
        Err(error) => {
            let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
            Kept { text, left_out, replaced: true }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn excerpt(pieces: &[&[u8]]) -> Kept {
        let mut excerpt = Excerpt::new(16);
        pieces.iter().for_each(|piece| excerpt.push(piece));
        excerpt.into_text(None)
    }

    #[test]
    fn what_fits_is_whole() {
        assert_eq!(excerpt(&[b"0123456789", b"abcdef"]), "0123456789abcdef".to_owned().into());
        let replaced = Kept { text: "a\u{fffd}b".to_owned(), left_out: 0, replaced: true };
        assert_eq!(excerpt(&[b"a\xffb"]), replaced);
        assert_eq!(excerpt(&[]), Kept::default());
    }

    #[test]
    fn what_does_not_fit_keeps_both_ends_and_says_so() {
        let cut = excerpt(&[b"0123456789", b"abcdefghi"]);
        assert_eq!(cut.text, "01234567\n[pony left out 3 bytes here]\nbcdefghi");
        assert_eq!(cut.left_out, 3);
    }

    #[test]
    fn cuts_are_made_between_lines() {
        let cut = excerpt(&[b"one\ntwo3456789", b"abc\nlast\n"]).text;
        assert_eq!(cut, "one\n\n[pony left out 14 bytes here]\nlast\n");
    }

    #[test]
    fn the_line_says_where_the_whole_is() {
        let name = &whole_name(0, "output");
        let text = |cut_at| {
            let whole = Some(Whole { name, cut_at });
            Excerpt::of(&[b'x'; 100], 2).into_text(whole).text
        };
        let line =
            "x\n[pony left out 98 bytes here; the whole is in the file steps-00-output.txt]\nx";
        assert_eq!(text(None), line);
        assert!(
            text(Some(50))
                .contains("here; the first 50 bytes are in the file steps-00-output.txt]")
        );
    }

    #[test]
    fn what_has_an_odd_length_fits_as_well() {
        assert_eq!(Excerpt::of(b"abc", 3).into_text(None).text, "abc");
    }

    #[test]
    fn characters_are_not_cut() {
        let text = Excerpt::of("aääääääääää".as_bytes(), 9).into_text(None);
        assert_eq!(text.text, "aä\n[pony left out 14 bytes here]\nää");
        assert!(!text.replaced);
    }

    proptest! {
        #[test]
        fn no_bytes_make_a_text_that_is_too_long(
            bytes in prop::collection::vec(prop_oneof![any::<u8>(), Just(b'a'), Just(0xC3)], 0..60),
            bytes_max in 0_usize..40,
        ) {
            let excerpt = Excerpt::of(&bytes, bytes_max);
            let is_cut = excerpt.is_cut();
            prop_assert_eq!(is_cut, String::from_utf8_lossy(&bytes).len() > bytes_max);
            let text = excerpt.into_text(None).text;
            match text.split_once("\n[pony left out ").filter(|_| is_cut) {
                None => prop_assert_eq!(text, String::from_utf8_lossy(&bytes)),
                Some((head, rest)) => {
                    let (left_out, tail) = rest.split_once(" bytes here]\n").unwrap();
                    prop_assert!(head.len() + tail.len() <= bytes_max);
                    prop_assert!(left_out.parse::<usize>().unwrap() <= bytes.len());
                }
            }
        }

        #[test]
        fn pieces_do_not_matter(bytes in "[a-z\n]{0,60}", at in 0_usize..60) {
            let bytes = bytes.as_bytes();
            let (one, other) = bytes.split_at(at.min(bytes.len()));
            prop_assert_eq!(excerpt(&[one, other]), excerpt(&[bytes]));
        }
    }
}
