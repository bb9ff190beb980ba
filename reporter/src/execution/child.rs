//! The command: started, shown to the person while it runs, and waited for.
//!
//! Two threads copy its standard output and standard error to ours as they arrive, byte for byte.
//! The command shares our process group, terminal and standard input, so Ctrl-C reaches it as it
//! would without us.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::capture::{Capture, Stream, Transcripts};
use crate::exit::{self, Failure};
use crate::plan::Reading;
use crate::redaction::CleanExcerpt;
use wait4::Wait4 as _;

/// How long a stream may be silent after the command has ended, before it is taken to be held open by
/// a process that the command left behind.
const STRAGGLER_PATIENCE: Duration = Duration::from_secs(2);

/// A command that has ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) status: CommandStatus,
    pub(super) duration: Duration,
    /// Bytes of memory that the largest of its processes had at once. Linux counts what we have when we start it, so a
    /// small command has as much as this program. `None` where the system does not say.
    pub(super) peak_memory: Option<u64>,
    /// Standard output and standard error, for people.
    pub(super) excerpts: [CleanExcerpt; 2],
    /// Everything it printed, for the readers.
    pub(super) transcripts: Transcripts,
}

/// How the command ended.
#[derive(Debug)]
pub(super) enum CommandStatus {
    Exited(i32),
    #[cfg(unix)]
    Signalled(i32),
    NotFound(String),
    NotExecutable(String),
}

impl CommandStatus {
    fn of(status: ExitStatus) -> Self {
        #[cfg(unix)]
        if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
            return Self::Signalled(signal);
        }
        // Without a signal there is a code.
        Self::Exited(status.code().unwrap_or(exit::IO))
    }

    fn of_start(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::NotFound(error.to_string()),
            _ => Self::NotExecutable(error.to_string()),
        }
    }

    /// What our own exit status is, which is what a shell's would be.
    pub(super) fn exit_status(&self) -> i32 {
        match self {
            Self::Exited(code) => *code,
            #[cfg(unix)]
            Self::Signalled(signal) => exit::SIGNAL_BASE + signal,
            Self::NotFound(_) => exit::NOT_FOUND,
            Self::NotExecutable(_) => exit::NOT_EXECUTABLE,
        }
    }

    /// `status` of the step: negative for a signal, -1 also for a command that did not start.
    pub(super) fn step_status(&self) -> i64 {
        match self {
            Self::Exited(code) => i64::from(*code),
            #[cfg(unix)]
            Self::Signalled(signal) => -i64::from(*signal),
            Self::NotFound(_) | Self::NotExecutable(_) => -1,
        }
    }

    /// Why it did not start.
    pub(super) fn start_error(&self) -> Option<&str> {
        match self {
            Self::NotFound(reason) | Self::NotExecutable(reason) => Some(reason),
            _ => None,
        }
    }
}

/// Runs the command to its end. What it prints is kept within the limits.
pub(super) fn run(
    command: &[OsString],
    variables: &[(&str, &str)],
    reading: &Reading,
) -> Result<Ended, Failure> {
    let started = Instant::now();
    let capture = Arc::new(Mutex::new(Capture::new(reading)));
    let (status, peak_memory) = match start(command, variables) {
        Ok(mut child) => {
            let done = tee_both(&mut child, &capture);
            let ended = child.wait4().map_err(Failure::Capture)?;
            wait_for_streams(&done, &capture);
            (CommandStatus::of(ended.status), Some(ended.rusage.maxrss).filter(|bytes| *bytes > 0))
        }
        Err(error) => (CommandStatus::of_start(&error), None),
    };
    let duration = started.elapsed();
    let (excerpts, transcripts) = lock(&capture).finish().map_err(Failure::Capture)?;
    Ok(Ended { status, duration, peak_memory, excerpts, transcripts })
}

fn start(command: &[OsString], variables: &[(&str, &str)]) -> io::Result<Child> {
    let (program, arguments) = command.split_first().ok_or(io::ErrorKind::NotFound)?;
    let mut command = Command::new(program);
    command.args(arguments).envs(variables.iter().copied());
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()
}

/// Starts a thread per stream. Each sends one message when its stream has ended.
fn tee_both(child: &mut Child, capture: &Arc<Mutex<Capture>>) -> Receiver<()> {
    let (sender, done) = mpsc::channel();
    if let Some(stdout) = child.stdout.take() {
        let (capture, sender) = (Arc::clone(capture), sender.clone());
        std::thread::spawn(move || {
            tee(stdout, io::stdout(), Stream::Stdout, &capture);
            // Nobody listens any more when the stream was given up.
            let _ = sender.send(());
        });
    }
    if let Some(stderr) = child.stderr.take() {
        let capture = Arc::clone(capture);
        std::thread::spawn(move || {
            tee(stderr, io::stderr(), Stream::Stderr, &capture);
            let _ = sender.send(());
        });
    }
    done
}

/// Copies until the end. When nobody reads our own stream any more, the command still runs on.
fn tee(mut from: impl Read, mut to: impl Write, stream: Stream, capture: &Mutex<Capture>) {
    let mut buffer = vec![0; 64 * 1024];
    let mut watched = true;
    loop {
        let bytes = match from.read(&mut buffer) {
            Ok(0) => return,
            Ok(length) => &buffer[..length],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) => return,
        };
        lock(capture).begin(stream, bytes);
        watched = watched && to.write_all(bytes).and_then(|()| to.flush()).is_ok();
        lock(capture).end(stream);
    }
}

/// Waits until both streams have ended, or nothing more is to be expected of them.
fn wait_for_streams(done: &Receiver<()>, capture: &Mutex<Capture>) {
    let mut open = 2;
    while open > 0 {
        match done.recv_timeout(Duration::from_millis(100)) {
            Ok(()) => open -= 1,
            Err(RecvTimeoutError::Timeout) if lock(capture).is_idle(STRAGGLER_PATIENCE) => return,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

/// A capture is whole after every statement, so a panic elsewhere does not spoil it.
fn lock(capture: &Mutex<Capture>) -> MutexGuard<'_, Capture> {
    capture.lock().unwrap_or_else(PoisonError::into_inner)
}
