//! [`Excerpt`]: the beginning and the end of a captured stream, in bounded memory.
//!
//! Whoever stores a result keeps at most [`Limits::stream_bytes_max`](crate::Limits) of each stream of a
//! step in it. A line between the ends says how many bytes were left out, and in which file the whole is:
//!
//! ```text
//! [pony left out 73400320 bytes here; the whole is in the file steps-00-output.txt]
//! ```

use std::collections::VecDeque;

/// How far from a cut a line's end is looked for.
const LINE_BYTES: usize = 4 * 1024;

/// The keys of a step that hold streams. Version control steps of the original client call theirs `out`.
pub const STREAMS: [&str; 3] = ["output", "errout", "out"];

/// The beginning and the end of what was pushed.
#[derive(Debug)]
pub struct Excerpt {
    end_bytes: usize,
    head: Vec<u8>,
    tail: VecDeque<u8>,
    left_out: u64,
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
    /// Keeps all of what has up to `bytes_max` bytes; otherwise half of them from each end.
    pub fn new(bytes_max: usize) -> Self {
        let end_bytes = bytes_max / 2;
        Self { end_bytes, head: Vec::new(), tail: VecDeque::new(), left_out: 0 }
    }

    /// The excerpt of a whole.
    pub fn of(whole: &[u8], bytes_max: usize) -> Self {
        let mut excerpt = Self::new(bytes_max);
        excerpt.push(whole);
        excerpt
    }

    /// Adds the next bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        let room = self.end_bytes - self.head.len();
        let (head, rest) = bytes.split_at(room.min(bytes.len()));
        self.head.extend_from_slice(head);
        // What would only be pushed out again need not go in.
        let spare = rest.len().saturating_sub(self.end_bytes);
        self.left_out += spare as u64;
        let rest = &rest[spare..];
        let excess = (self.tail.len() + rest.len()).saturating_sub(self.end_bytes);
        self.left_out += excess as u64;
        self.tail.drain(..excess);
        self.tail.extend(rest);
    }

    /// Whether anything is left out.
    pub fn is_cut(&self) -> bool {
        self.left_out > 0
    }

    /// The excerpt as text, and whether bytes had to be replaced for that. Cuts are made between lines
    /// where these are short.
    pub fn into_text(mut self, whole: Option<Whole<'_>>) -> (String, bool) {
        if self.left_out == 0 {
            self.head.extend(self.tail);
            return to_text(self.head);
        }
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
        to_text(self.head)
    }
}

fn to_text(bytes: Vec<u8>) -> (String, bool) {
    match String::from_utf8(bytes) {
        Ok(text) => (text, false),
        Err(error) => (String::from_utf8_lossy(error.as_bytes()).into_owned(), true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn excerpt(pieces: &[&[u8]]) -> (String, bool) {
        let mut excerpt = Excerpt::new(16);
        pieces.iter().for_each(|piece| excerpt.push(piece));
        excerpt.into_text(None)
    }

    #[test]
    fn what_fits_is_whole() {
        assert_eq!(excerpt(&[b"0123456789", b"abcdef"]), ("0123456789abcdef".to_owned(), false));
        assert_eq!(excerpt(&[b"a\xffb"]), ("a\u{fffd}b".to_owned(), true));
        assert_eq!(excerpt(&[]), (String::new(), false));
    }

    #[test]
    fn what_does_not_fit_keeps_both_ends_and_says_so() {
        let cut = excerpt(&[b"0123456789", b"abcdefghi"]).0;
        assert_eq!(cut, "01234567\n[pony left out 3 bytes here]\nbcdefghi");
    }

    #[test]
    fn cuts_are_made_between_lines() {
        let cut = excerpt(&[b"one\ntwo3456789", b"abc\nlast\n"]).0;
        assert_eq!(cut, "one\n\n[pony left out 14 bytes here]\nlast\n");
    }

    #[test]
    fn the_line_says_where_the_whole_is() {
        let name = &whole_name(0, "output");
        let text = |cut_at| {
            let whole = Some(Whole { name, cut_at });
            Excerpt::of(&[b'x'; 100], 2).into_text(whole).0
        };
        let line =
            "x\n[pony left out 98 bytes here; the whole is in the file steps-00-output.txt]\nx";
        assert_eq!(text(None), line);
        assert!(
            text(Some(50))
                .contains("here; the first 50 bytes are in the file steps-00-output.txt]")
        );
    }

    proptest! {
        #[test]
        fn pieces_do_not_matter(bytes in "[a-z\n]{0,60}", at in 0_usize..60) {
            let bytes = bytes.as_bytes();
            let (one, other) = bytes.split_at(at.min(bytes.len()));
            prop_assert_eq!(excerpt(&[one, other]), excerpt(&[bytes]));
        }
    }
}
