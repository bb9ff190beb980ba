//! [`CleanExcerpt`]: secrets are taken out of a stream before it is cut, or half of one could be left at the cut.

use pony_formats::excerpt::Excerpt;

use super::{MARK, Patterns};

/// The longest secret that is sure to be found in a stream, in bytes. So much of it waits for what comes next.
pub(crate) const SECRET_BYTES_MAX: usize = 1024 * 1024;

/// What a pattern may look at before a place: one character.
const CONTEXT_BYTES: usize = 4;

/// Takes secrets out of a stream that comes in pieces. A secret may have many lines, and lie in many pieces.
#[derive(Debug)]
pub(super) struct Redactor {
    patterns: Patterns,
    pending: Vec<u8>,
    /// How much of what is pending has been handed on, and is only looked back at.
    done: usize,
}

impl Redactor {
    pub(super) fn new(patterns: Patterns) -> Self {
        Self { patterns, pending: Vec::new(), done: 0 }
    }

    /// Takes the next piece, and hands on what is sure to be no part of a secret any more.
    pub(super) fn push(&mut self, piece: &[u8], hand_on: impl FnMut(&[u8])) {
        self.pending.extend_from_slice(piece);
        if self.pending.len() >= 2 * SECRET_BYTES_MAX {
            self.flush(self.pending.len() - SECRET_BYTES_MAX, hand_on);
        }
    }

    /// Hands on the rest.
    pub(super) fn finish(&mut self, hand_on: impl FnMut(&[u8])) {
        self.finish_before(0, hand_on);
    }

    /// Hands on the rest but for so many bytes at the end, up to [`SECRET_BYTES_MAX`], and but for a secret that
    /// reaches into them.
    pub(super) fn finish_before(&mut self, beyond: usize, hand_on: impl FnMut(&[u8])) {
        self.flush(self.pending.len() - beyond, hand_on);
    }

    /// Hands on what is before `end`, or before the secret that lies across it.
    fn flush(&mut self, end: usize, mut hand_on: impl FnMut(&[u8])) {
        let secrets = self.patterns.find(&self.pending, self.done);
        let across = secrets.iter().find(|secret| secret.start < end && secret.end > end);
        let end = match across {
            Some(secret) if secret.start > self.done => secret.start,
            // Longer than any.
            Some(secret) => secret.end,
            None => end,
        };
        let mut at = self.done;
        for secret in secrets.iter().filter(|secret| secret.end <= end) {
            hand_on(&self.pending[at..secret.start]);
            hand_on(MARK.as_bytes());
            at = secret.end;
        }
        hand_on(&self.pending[at..end]);
        self.done = CONTEXT_BYTES.min(end);
        self.pending.drain(..end - self.done);
    }
}

/// An excerpt of a stream without secrets.
#[derive(Debug)]
pub(crate) struct CleanExcerpt {
    redactor: Redactor,
    excerpt: Excerpt,
    last: Option<u8>,
}

impl CleanExcerpt {
    pub(super) fn new(patterns: Patterns, bytes_max: usize) -> Self {
        Self { redactor: Redactor::new(patterns), excerpt: Excerpt::new(bytes_max), last: None }
    }

    /// Adds the next bytes, as they were printed.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.last = bytes.last().copied().or(self.last);
        let Self { redactor, excerpt, .. } = self;
        redactor.push(bytes, |clean| excerpt.push(clean));
    }

    /// The last byte that was printed.
    pub(crate) fn last(&self) -> Option<u8> {
        self.last
    }

    /// The excerpt of what was pushed.
    pub(crate) fn finish(mut self) -> Excerpt {
        let excerpt = &mut self.excerpt;
        self.redactor.finish(|clean| excerpt.push(clean));
        self.excerpt
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cleaned(pattern: &str, pieces: &[&[u8]]) -> Vec<u8> {
        let mut redactor = Redactor::new(Patterns::of(&[pattern]));
        let mut clean = Vec::new();
        for piece in pieces {
            redactor.push(piece, |bytes| clean.extend_from_slice(bytes));
        }
        redactor.finish(|bytes| clean.extend_from_slice(bytes));
        clean
    }

    #[test]
    fn a_secret_may_have_many_lines_and_lie_in_many_pieces() {
        let pieces: [&[u8]; 4] = [b"a BEGIN", b"\n", b"key\nEN", b"D b\xff"];
        assert_eq!(cleaned("(?s)BEGIN.*?END", &pieces), b"a [redacted] b\xff");
    }

    #[test]
    fn wherever_a_secret_lies_in_a_long_stream_it_is_found() {
        let secret = b"s3cret word";
        for before in [0, 1, SECRET_BYTES_MAX - 5, SECRET_BYTES_MAX, 2 * SECRET_BYTES_MAX - 5] {
            let filling = vec![b'.'; before];
            let text = [&filling, &secret[..], &vec![b'-'; 3 * SECRET_BYTES_MAX]].concat();
            let expected = [&filling, &b"[redacted]"[..], &vec![b'-'; 3 * SECRET_BYTES_MAX]];
            let pieces: Vec<&[u8]> = text.chunks(64 * 1024).collect();
            assert!(cleaned(r"\bs3cret word\b", &pieces) == expected.concat(), "after {before}");
        }
    }

    #[test]
    fn places_are_seen_as_in_the_whole() {
        let line = "xkey\n".repeat(SECRET_BYTES_MAX / 2);
        let clean = cleaned(r"^xkey|(?m)^key", &[line.as_bytes()]);
        assert!(clean == line.replacen("xkey", MARK, 1).into_bytes(), "nothing else begins there");
    }
}
