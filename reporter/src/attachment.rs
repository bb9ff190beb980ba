//! [`Attachment`]: a file that goes with a submission: the whole of a stream that is in it only in part.

use std::fs::File;
use std::io::{self, Read, Seek as _, Write as _};

use pony_formats::Limits;
use pony_formats::excerpt::{Kept, Whole, whole_name};

use crate::exit::Failure;
use crate::plan::Reading;
use crate::redaction::CleanExcerpt;

/// A file with its name. The content is on the disk, never in memory.
#[derive(Debug)]
pub(crate) struct Attachment {
    /// A plain name: letters, digits, dots and hyphens.
    pub(crate) name: String,
    file: File,
    bytes: u64,
    /// Whether the target has it already.
    pub(crate) has_arrived: bool,
}

impl Attachment {
    /// What a file holds, up to the limit for such files.
    pub(crate) fn new(name: String, file: File) -> io::Result<Self> {
        let bytes = file.metadata()?.len().min(Limits::DEFAULT.whole_bytes_max);
        Ok(Self { name, file, bytes, has_arrived: false })
    }

    /// Bytes.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// What people are told.
    pub(crate) fn description(&self) -> String {
        format!("what was printed, {} bytes", self.bytes)
    }

    /// All of it, from the beginning.
    pub(crate) fn content(&mut self) -> io::Result<impl Read + '_> {
        self.file.rewind()?;
        Ok((&self.file).take(self.bytes))
    }
}

/// What is kept of a stream, and the whole when that is more, both without secrets.
/// `whole` is asked only then, and only where files can go with a submission; it returns a file with what was
/// printed, and how many bytes at its end are more than is to be kept.
pub(crate) fn conclude(
    excerpt: CleanExcerpt,
    reading: &Reading,
    step: usize,
    stream: &str,
    whole: impl FnOnce() -> io::Result<(File, usize)>,
) -> Result<(Kept, Option<Attachment>), Failure> {
    let excerpt = excerpt.finish();
    if !excerpt.is_cut() || reading.limits.whole_bytes_max == 0 {
        return Ok((excerpt.into_text(None), None));
    }
    let attach = || {
        let (file, beyond) = whole()?;
        let file = reading.redaction.clean_file(file, beyond)?;
        let size = file.metadata()?.len();
        let attachment = Attachment::new(whole_name(step, stream), file)?;
        let bytes = attachment.bytes();
        io::Result::Ok((attachment, (beyond > 0 || bytes < size).then_some(bytes)))
    };
    let (attachment, cut_at) = attach().map_err(Failure::Capture)?;
    let kept = excerpt.into_text(Some(Whole { name: &attachment.name, cut_at }));
    Ok((kept, Some(attachment)))
}

/// A temporary file with this content.
pub(crate) fn file_of(content: &[u8]) -> io::Result<(File, usize)> {
    let mut file = tempfile::tempfile()?;
    file.write_all(content)?;
    Ok((file, 0))
}
