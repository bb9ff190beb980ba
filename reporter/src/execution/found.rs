//! [`Found`]: the tests that a command ran.

use std::path::PathBuf;

use pony_formats::{Report, Suite, Tally, TestCase};

use super::capture::Transcripts;
use super::junit_files::JunitFiles;
use crate::input::{self, InputError, Source};
use crate::plan::Reading;

/// The tests of a run.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) tests: Vec<TestCase>,
    pub(super) suites: Vec<Suite>,
    pub(super) unnamed: Tally,
    pub(super) sanitised: bool,
    /// The first thing that should have been readable and was not.
    pub(super) trouble: Option<InputError>,
    /// Whether results that a file or a named format promised are missing, so that nobody knows whether the
    /// tests passed. A wrong guess at what a command printed is no such thing.
    pub(super) incomplete: bool,
}

impl Found {
    /// What the JUnit files say; without any, the report that the runner was asked for, if it wrote it; or else what
    /// the command printed.
    pub(super) fn after(
        transcripts: &mut Transcripts,
        files: &JunitFiles,
        asked: Option<PathBuf>,
        reading: &Reading,
    ) -> Self {
        let mut found = Self::default();
        let (sources, missing) = files.written();
        found.incomplete = missing.is_some();
        found.trouble = missing;
        let mut reports = 0;
        for source in sources {
            match input::read(&source, reading) {
                Ok(input) => {
                    found.add(input.report);
                    reports += 1;
                }
                Err(error) => {
                    found.incomplete = true;
                    found.trouble = found.trouble.or(Some(error));
                }
            }
        }
        // A format that the person names is that of what is printed.
        let asked = asked.filter(|_| reports == 0 && reading.from.is_none());
        if let Some(file) = asked {
            match input::read(&Source::File(file), reading) {
                Ok(input) => {
                    found.add(input.report);
                    reports += 1;
                }
                Err(error) => found.trouble = found.trouble.or(Some(error)),
            }
        }
        if reports == 0 {
            match printed(transcripts, reading) {
                Ok(Some(report)) => found.add(report),
                Ok(None) => {}
                Err(error) => {
                    found.incomplete |= reading.from.is_some();
                    found.trouble = found.trouble.or(Some(error));
                }
            }
        }
        found
    }

    fn add(&mut self, report: Report) {
        self.unnamed += report.unnamed;
        self.sanitised |= report.sanitised;
        self.tests.extend(report.tests);
        self.suites.extend(report.suites);
    }
}

/// Reads the streams together, then standard output alone. That a command prints no tests is fine,
/// unless a format was named.
fn printed(transcripts: &mut Transcripts, reading: &Reading) -> Result<Option<Report>, InputError> {
    let name = input::PRINTED;
    if transcripts.is_cut() {
        let max = reading.limits.input_bytes_max;
        return Err(InputError::TooLarge { name: name.to_owned(), max });
    }
    let unreadable = |source| InputError::Unreadable { name: name.to_owned(), source };
    let (combined, stdout) = transcripts.texts().map_err(unreadable)?;
    let together = input::read_printed(&combined, reading);
    if let Ok(report) = together {
        return Ok(Some(report));
    }
    let alone = input::read_printed(&stdout, reading);
    match (alone, together) {
        (Ok(report), _) => Ok(Some(report)),
        (Err(InputError::UnknownFormat { .. }), Err(InputError::UnknownFormat { .. })) => Ok(None),
        (Err(InputError::UnknownFormat { .. }), Err(error)) | (Err(error), _) => Err(error),
    }
}
