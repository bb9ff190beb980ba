//! [`Excerpt`]: the beginning and the end of a stream, in bounded memory.

use std::collections::VecDeque;

/// Bytes that are kept at each end: more than a person reads, and little enough for both streams of a
/// step to fit into what a collector takes (16 MiB unless configured).
const END_BYTES: usize = 2 * 1024 * 1024;

/// How far from a cut a line's end is looked for.
const LINE_BYTES: usize = 4 * 1024;

/// The beginning and the end of what was pushed.
#[derive(Debug)]
pub(crate) struct Excerpt {
    end_bytes: usize,
    head: Vec<u8>,
    tail: VecDeque<u8>,
    left_out: u64,
}

impl Default for Excerpt {
    fn default() -> Self {
        Self::with_ends_of(END_BYTES)
    }
}

impl Excerpt {
    /// An excerpt that keeps at most so many bytes at each end.
    pub(crate) fn with_ends_of(end_bytes: usize) -> Self {
        Self { end_bytes, head: Vec::new(), tail: VecDeque::new(), left_out: 0 }
    }

    /// The excerpt of a whole.
    pub(crate) fn of(whole: &[u8]) -> Self {
        let mut excerpt = Self::default();
        excerpt.push(whole);
        excerpt
    }

    /// Adds the next bytes.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        let room = self.end_bytes - self.head.len();
        let (head, rest) = bytes.split_at(room.min(bytes.len()));
        self.head.extend_from_slice(head);
        self.tail.extend(rest);
        let excess = self.tail.len().saturating_sub(self.end_bytes);
        self.tail.drain(..excess);
        self.left_out += excess as u64;
    }

    /// The excerpt as text, and whether bytes had to be replaced for that. A line between the ends
    /// says how many bytes were left out; cuts are made between lines where these are short.
    pub(crate) fn into_text(mut self) -> (String, bool) {
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
        let note = format!("\n[pony-report left out {} bytes here]\n", self.left_out);
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

    fn excerpt(pieces: &[&[u8]]) -> (String, bool) {
        let mut excerpt = Excerpt::with_ends_of(8);
        pieces.iter().for_each(|piece| excerpt.push(piece));
        excerpt.into_text()
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
        assert_eq!(cut, "01234567\n[pony-report left out 3 bytes here]\nbcdefghi");
    }

    #[test]
    fn cuts_are_made_between_lines() {
        let cut = excerpt(&[b"one\ntwo3456789", b"abc\nlast\n"]).0;
        assert_eq!(cut, "one\n\n[pony-report left out 14 bytes here]\nlast\n");
    }
}
