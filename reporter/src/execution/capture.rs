//! [`Capture`]: what a command prints, kept for people and for the readers.
//!
//! People get an excerpt of each stream. The readers get everything up to their limit, from
//! temporary files: standard output, standard error, and both together in the order of arrival, line by
//! line, so that no line is torn by one of the other stream.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, Write as _};
use std::time::{Duration, Instant};

use tempfile::SpooledTempFile;

use super::weave;
use crate::plan::Reading;
use crate::redaction::{CleanExcerpt, Redaction, SECRET_BYTES_MAX};

/// What is kept in memory before a temporary file is made.
const MEMORY_BYTES: usize = 1024 * 1024;

/// A line longer than this may be torn.
const LINE_BYTES_MAX: usize = 64 * 1024;

/// Which stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stream {
    Stdout,
    Stderr,
}

/// What has arrived so far.
#[derive(Debug)]
pub(super) struct Capture {
    streams: [Kept; 2],
    combined: Transcript,
    /// When something last happened.
    latest: Instant,
}

#[derive(Debug)]
struct Kept {
    excerpt: CleanExcerpt,
    transcript: Transcript,
    /// The beginning of a line whose end has not arrived.
    line: Vec<u8>,
    /// Whether bytes that arrived are still being shown to the person.
    busy: bool,
}

impl Capture {
    /// Keeps as much as is to be read of each stream, and of both, for the readers.
    pub(super) fn new(reading: &Reading) -> Self {
        let Reading { limits, redaction, .. } = reading;
        let bytes_max = limits.input_bytes_max;
        let kept = || Kept {
            excerpt: redaction.excerpt(limits.stream_bytes_max),
            transcript: Transcript::new(bytes_max),
            line: Vec::new(),
            busy: false,
        };
        Self {
            streams: [kept(), kept()],
            combined: Transcript::new(bytes_max),
            latest: Instant::now(),
        }
    }

    /// Keeps bytes that have arrived and are now shown to the person.
    pub(super) fn begin(&mut self, stream: Stream, bytes: &[u8]) {
        let kept = &mut self.streams[stream as usize];
        kept.busy = true;
        kept.excerpt.push(bytes);
        kept.transcript.push(bytes);
        let line_end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let (whole, rest) = bytes.split_at(line_end);
        if !whole.is_empty() || kept.line.len() + rest.len() > LINE_BYTES_MAX {
            self.combined.push(&kept.line);
            self.combined.push(whole);
            kept.line.clear();
        }
        kept.line.extend_from_slice(rest);
    }

    /// Notes that they have been shown.
    pub(super) fn end(&mut self, stream: Stream) {
        self.streams[stream as usize].busy = false;
        self.latest = Instant::now();
    }

    /// Whether both streams have been silent for so long.
    pub(super) fn is_idle(&self, time: Duration) -> bool {
        self.streams.iter().all(|kept| !kept.busy) && self.latest.elapsed() > time
    }

    /// Takes everything out.
    pub(super) fn finish(&mut self) -> io::Result<([CleanExcerpt; 2], Transcripts)> {
        for kept in &mut self.streams {
            self.combined.push(&std::mem::take(&mut kept.line));
        }
        let [stdout, stderr] = &mut self.streams;
        let transcripts = Transcripts {
            combined: self.combined.take()?,
            stdout: stdout.transcript.take()?,
            stderr: stderr.transcript.take()?,
        };
        let none = || Redaction::default().excerpt(0);
        let excerpts = [stdout, stderr].map(|kept| std::mem::replace(&mut kept.excerpt, none()));
        Ok((excerpts, transcripts))
    }
}

/// Everything that a command printed.
#[derive(Debug)]
pub(super) struct Transcripts {
    combined: Transcript,
    stdout: Transcript,
    stderr: Transcript,
}

impl Transcripts {
    /// Whether there was more than the readers take.
    pub(super) fn is_cut(&self) -> bool {
        self.combined.beyond() > 0
    }

    /// Both streams together, and standard output alone.
    pub(super) fn texts(&mut self) -> io::Result<(Vec<u8>, Vec<u8>)> {
        let stdout = self.stdout.bytes()?;
        let combined = match weave::weave(&stdout, &self.stderr.bytes()?) {
            Some(woven) => woven,
            None => self.combined.bytes()?,
        };
        Ok((combined, stdout))
    }

    /// A file with a stream and what stands behind it, and how many bytes at its end are more than is kept.
    pub(super) fn whole(&mut self, stream: Stream, behind: &[u8]) -> io::Result<(File, usize)> {
        let transcript = match stream {
            Stream::Stdout => &mut self.stdout,
            Stream::Stderr => &mut self.stderr,
        };
        transcript.push(behind);
        let taken = transcript.take()?;
        let beyond = taken.beyond();
        Ok((taken.file.into_file()?, beyond))
    }
}

/// A text that moves from memory to a temporary file when it grows. Of one that is too long, as much more is there as
/// the longest secret has: the part of one at the end could not be told from other text.
#[derive(Debug)]
struct Transcript {
    file: SpooledTempFile,
    length: usize,
    /// What is to be read of it.
    bytes_max: usize,
    /// Why writing stopped.
    broken: Option<io::Error>,
}

impl Transcript {
    fn new(bytes_max: usize) -> Self {
        Self { file: SpooledTempFile::new(MEMORY_BYTES), length: 0, bytes_max, broken: None }
    }

    fn push(&mut self, bytes: &[u8]) {
        let room = self.bytes_max.saturating_add(SECRET_BYTES_MAX) - self.length;
        let bytes = &bytes[..bytes.len().min(room)];
        if self.broken.is_none() {
            self.length += bytes.len();
            self.broken = self.file.write_all(bytes).err();
        }
    }

    /// How many bytes are there beyond what is to be read.
    fn beyond(&self) -> usize {
        self.length.saturating_sub(self.bytes_max)
    }

    fn take(&mut self) -> io::Result<Self> {
        let taken = std::mem::replace(self, Self::new(0));
        match taken.broken {
            Some(error) => Err(error),
            None => Ok(taken),
        }
    }

    fn bytes(&mut self) -> io::Result<Vec<u8>> {
        self.file.rewind()?;
        let mut bytes = Vec::new();
        self.file.read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Project;
    use pony_formats::Limits;

    fn reading(input_bytes_max: usize) -> Reading {
        let limits = Limits { input_bytes_max, ..Limits::DEFAULT };
        Reading { from: None, limits, project: Project::Unknown, redaction: Redaction::default() }
    }

    #[test]
    fn streams_are_combined_by_whole_lines() {
        let mut capture = Capture::new(&reading(1000));
        capture.begin(Stream::Stdout, b"one\ntw");
        capture.begin(Stream::Stderr, b"warning\n");
        capture.begin(Stream::Stdout, b"o\nthree");
        let (excerpts, mut transcripts) = capture.finish().unwrap();
        let (combined, stdout) = transcripts.texts().unwrap();
        assert_eq!(combined, b"one\nwarning\ntwo\nthree");
        assert_eq!(stdout, b"one\ntwo\nthree");
        let texts = excerpts.map(|excerpt| excerpt.finish().into_text(None).text);
        assert_eq!(texts, ["one\ntwo\nthree", "warning\n"]);
    }

    #[test]
    fn more_than_the_readers_take_is_known_to_be_cut() {
        let mut capture = Capture::new(&reading(5));
        capture.begin(Stream::Stdout, b"123\n");
        capture.begin(Stream::Stderr, b"45\n");
        let (excerpts, transcripts) = capture.finish().unwrap();
        assert!(transcripts.is_cut());
        assert_eq!(
            excerpts.map(|excerpt| excerpt.finish().into_text(None).text),
            ["123\n", "45\n"]
        );
    }
}
