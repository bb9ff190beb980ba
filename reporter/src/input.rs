//! Inputs: files and pipes that hold what a test runner wrote or printed, read up to a limit.
//!
//! Only regular files are opened, so that no pipe or device without end can hold the program up.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use pony_formats::{
    CargoTargets, Format, Limits, ParseError, Report, detect, detect_text, looks_like, parse_with,
};

use crate::plan::{Project, Reading};

/// What messages call the output of a command.
pub(crate) const PRINTED: &str = "what the command printed";

/// Where an input comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    Stdin,
    File(PathBuf),
}

impl From<PathBuf> for Source {
    fn from(path: PathBuf) -> Self {
        if path.as_os_str() == "-" { Self::Stdin } else { Self::File(path) }
    }
}

impl Source {
    /// What messages call it.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Stdin => "-".to_owned(),
            Self::File(path) => path.display().to_string(),
        }
    }

    /// All of it.
    pub(crate) fn read(&self, limits: &Limits) -> Result<Vec<u8>, InputError> {
        self.read_up_to(limits.input_bytes_max)
    }

    /// All of it, unless that is more than so many bytes.
    pub(crate) fn read_up_to(&self, max: usize) -> Result<Vec<u8>, InputError> {
        let mut content = Vec::new();
        // One byte more than allowed, to tell a full input from one that is too large.
        let bound = max as u64 + 1;
        let read = match self {
            Self::Stdin => io::stdin().lock().take(bound).read_to_end(&mut content),
            Self::File(path) => self.open(path, max)?.take(bound).read_to_end(&mut content),
        };
        read.map_err(|source| InputError::Unreadable { name: self.name(), source })?;
        if content.len() > max {
            return Err(InputError::TooLarge { name: self.name(), max });
        }
        Ok(content)
    }

    fn open(&self, path: &Path, max: usize) -> Result<File, InputError> {
        let unreadable = |source| InputError::Unreadable { name: self.name(), source };
        let metadata = std::fs::metadata(path).map_err(unreadable)?;
        if !metadata.is_file() {
            let what = if metadata.is_dir() { "a folder" } else { "not a regular file" };
            return Err(InputError::NotAFile { name: self.name(), what });
        }
        if metadata.len() > max as u64 {
            return Err(InputError::TooLarge { name: self.name(), max });
        }
        File::open(path).map_err(unreadable)
    }
}

/// An input that was read.
#[derive(Debug)]
pub(crate) struct Input {
    /// What messages call it.
    pub(crate) name: String,
    /// What it says.
    pub(crate) report: Report,
    /// The input itself, where that is a log for people to read.
    pub(crate) log: Option<Vec<u8>>,
}

impl Input {
    /// What its step or suite is called: the file's name.
    pub(crate) fn label(&self) -> &str {
        let file_name = Path::new(&self.name).file_name().and_then(|name| name.to_str());
        file_name.filter(|name| *name != "-").unwrap_or("tests")
    }
}

/// Reads an input as the format that was given, or that it seems to be.
pub(crate) fn read(source: &Source, reading: &Reading) -> Result<Input, InputError> {
    let (content, report) = examine(source, reading)?;
    let log = report.format.is_for_people().then_some(content);
    Ok(Input { name: source.name(), report, log })
}

/// Reads an input, and keeps what was read.
pub(crate) fn examine(source: &Source, reading: &Reading) -> Result<(Vec<u8>, Report), InputError> {
    let content = source.read(&reading.limits)?;
    let format = reading.from.or_else(|| detect(&content));
    let report = interpret(&source.name(), &content, format, reading)?;
    Ok((content, report))
}

/// Reads what a command printed, which need not be test results. The readers take any markup for JUnit, to
/// say what is wrong with it, but a command may well print a page, alone or before its tests.
pub(crate) fn read_printed(content: &[u8], reading: &Reading) -> Result<Report, InputError> {
    let results = |format: &Format| *format != Format::Junit || has_suites(content);
    let guess = || detect(content).filter(results).or_else(|| detect_text(content));
    let format = reading.from.or_else(guess);
    interpret(PRINTED, content, format, reading)
}

fn interpret(
    name: &str,
    content: &[u8],
    format: Option<Format>,
    reading: &Reading,
) -> Result<Report, InputError> {
    let Some(format) = format else {
        let found = match looks_like(content) {
            Some(what) => format!("looks like {what}"),
            None if content.trim_ascii().is_empty() => "the input is empty".to_owned(),
            None => "no test results found".to_owned(),
        };
        return Err(InputError::UnknownFormat { name: name.to_owned(), found });
    };
    let targets = targets(content, format, reading)?;
    parse_with(format, content, &reading.limits, &targets).map_err(|error| InputError::Parse {
        name: name.to_owned(),
        error,
        hint: hint(content, format, reading.from),
    })
}

/// What cargo knows of the tests in an input, where somebody said which project they belong to.
fn targets(content: &[u8], format: Format, reading: &Reading) -> Result<CargoTargets, InputError> {
    let is_asked = matches!(format, Format::CargoTest | Format::LibtestJson);
    match &reading.project {
        Project::Named(project) if is_asked => {
            project.targets(content).map_err(|reason| InputError::NoProject { reason })
        }
        // A command that prints as cargo does may run anywhere.
        Project::Supposed(project) if is_asked => Ok(project.targets(content).unwrap_or_default()),
        _ => Ok(CargoTargets::default()),
    }
}

/// Whether it can be JUnit XML. Detection takes any markup for that.
fn has_suites(content: &[u8]) -> bool {
    let root = b"<testsuite";
    content.windows(root.len()).any(|bytes| bytes == root)
}

/// What an input that could not be read looks like, where that is something else.
fn hint(content: &[u8], tried: Format, given: Option<Format>) -> String {
    let is_other =
        |found: &Format| *found != tried && (*found != Format::Junit || has_suites(content));
    let other = detect(content).filter(|found| given.is_some() && is_other(found));
    match (other, looks_like(content)) {
        // That JSON looks like JSON helps nobody.
        (None, Some("JSON")) if tried == Format::Ctrf => String::new(),
        (None, Some(what)) if tried.is_markup() || given.is_some() => {
            format!("; looks like {what}")
        }
        (Some(other), _) => {
            format!("; looks like {other}: leave --from out, or use --from {other}")
        }
        (None, _) => String::new(),
    }
}

/// The names of all formats, for a message.
pub(crate) fn format_names() -> String {
    let mut names: Vec<String> = Format::all().map(|format| format.to_string()).collect();
    let last = names.pop().unwrap_or_default();
    format!("{} or {last}", names.join(", "))
}

/// An input that cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InputError {
    #[error("cannot read {name}: {source}")]
    Unreadable { name: String, source: io::Error },
    #[error("cannot read {name}: it is {what}")]
    NotAFile { name: String, what: &'static str },
    #[error("{name}: over the limit of {max} bytes: raise it with --max-size")]
    TooLarge { name: String, max: usize },
    #[error("{name}:1:1: {found}: expected one of {}; name it with --from", format_names())]
    UnknownFormat { name: String, found: String },
    #[error("{name}:{error}{hint}")]
    Parse { name: String, error: ParseError, hint: String },
    #[error("no cargo project: {reason}")]
    NoProject { reason: String },
    #[error("{pattern}: the command wrote no such file")]
    NotWritten { pattern: String },
}
