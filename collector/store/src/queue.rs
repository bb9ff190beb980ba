//! [`Queue`]: lets many threads share a writer, and makes batches of what waits.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use pony_formats::ResultKey;

use crate::writer::{Write, Written};
use crate::{Appended, Arrival, Artifact, CommitId, Prepared, StoreError, Writer};

/// Commits in a batch, at most.
const BATCH_MAX: usize = 256;

/// Bytes from which on no more is added to a batch.
const BATCH_BYTES_MAX: usize = 32 * 1024 * 1024;

/// A writer on a thread of its own.
///
/// While it makes one batch durable, others arrive; when it is done they are the next batch. So nobody is
/// made to wait for company, and the busier it is, the more share the cost of a sync. What is pushed first
/// is written first.
///
/// It holds whatever is pushed: how much may wait is up to those who push. When it is dropped, what waits is
/// still written, and then the lock is given back; [`Queue::finish`] waits for that.
#[derive(Debug)]
pub struct Queue {
    jobs: Sender<Job>,
    /// `None` once it has ended.
    thread: Mutex<Option<JoinHandle<()>>>,
    is_lost: Arc<AtomicBool>,
    path: PathBuf,
}

/// Is told what has become of something that was pushed. Called on the thread that writes, which does
/// nothing else meanwhile; dropped without being called if that has ended.
type Done<T> = Box<dyn FnOnce(Result<T, StoreError>) + Send>;

/// What waits.
enum Job {
    Result {
        prepared: Box<Prepared>,
        arrival: Box<Arrival>,
        done: Done<Appended>,
    },
    Artifact {
        package: String,
        key: ResultKey,
        artifact: Box<Artifact>,
        done: Done<CommitId>,
    },
    /// Nothing: the last.
    End,
}

impl Queue {
    /// Starts the thread. `on_loss` is called when a sync has failed, also behind something
    /// that was acknowledged, or the thread has panicked: nothing is written after that.
    ///
    /// # Errors
    /// When there can be no more threads.
    pub fn start(
        writer: Writer,
        on_loss: impl Fn() + Send + 'static,
    ) -> Result<Self, std::io::Error> {
        let (jobs, waiting) = channel();
        let is_lost = Arc::new(AtomicBool::new(false));
        let path = writer.path().to_owned();
        let worker = Worker { writer, is_lost: Arc::clone(&is_lost), on_loss };
        let thread = thread::Builder::new().name("writer".to_owned());
        let thread = thread.spawn(move || worker.run(&waiting))?;
        Ok(Self { jobs, thread: Mutex::new(Some(thread)), is_lost, path })
    }

    /// Has a submission appended, as [`Writer::append`] does it. Returns at once; `done` is called when the
    /// result is durable, or will not be.
    pub fn push(
        &self,
        prepared: Prepared,
        arrival: Arrival,
        done: impl FnOnce(Result<Appended, StoreError>) + Send + 'static,
    ) {
        let (prepared, arrival) = (Box::new(prepared), Box::new(arrival));
        self.send(Job::Result { prepared, arrival, done: Box::new(done) });
    }

    /// Appends a submission and waits for it.
    ///
    /// # Errors
    /// As [`Writer::append`].
    pub fn append(&self, prepared: Prepared, arrival: Arrival) -> Result<Appended, StoreError> {
        self.wait(|done| self.push(prepared, arrival, done))
    }

    /// Records an uploaded file, as [`Writer::attach`] does it, and waits for it.
    ///
    /// # Errors
    /// As [`Writer::attach`].
    pub fn attach(
        &self,
        package: &str,
        key: ResultKey,
        artifact: &Artifact,
    ) -> Result<CommitId, StoreError> {
        let (package, artifact) = (package.to_owned(), Box::new(artifact.clone()));
        self.wait(|done| self.send(Job::Artifact { package, key, artifact, done }))
    }

    /// Has everything refused from now on with [`StoreError::DiskLost`]: for one who has seen a sync fail
    /// elsewhere on the same disk.
    pub fn refuse(&self) {
        self.is_lost.store(true, Ordering::SeqCst);
    }

    /// Waits until everything that was pushed before is written, or refused, and the lock given back. What is
    /// pushed later is refused. Not to be called from `done`.
    pub fn finish(&self) {
        // Fails when the thread has ended before.
        let _ = self.jobs.send(Job::End);
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        // It may have panicked: whoever waited was told.
        let _ = thread.map(JoinHandle::join);
    }

    fn wait<T: Send + 'static>(&self, push: impl FnOnce(Done<T>)) -> Result<T, StoreError> {
        let (sender, receiver) = channel();
        // The receiver is here, below.
        push(Box::new(move |outcome| drop(sender.send(outcome))));
        receiver.recv().unwrap_or_else(|_| Err(self.stopped()))
    }

    fn send(&self, job: Job) {
        if let Err(unsent) = self.jobs.send(job) {
            unsent.0.refuse(&self.stopped());
        }
    }

    fn stopped(&self) -> StoreError {
        let source = std::io::Error::other("the thread that writes has stopped");
        StoreError::io(crate::Action::Write, &self.path)(source)
    }
}

/// The thread.
struct Worker<F: Fn()> {
    writer: Writer,
    is_lost: Arc<AtomicBool>,
    on_loss: F,
}

impl<F: Fn()> Drop for Worker<F> {
    fn drop(&mut self) {
        if thread::panicking() {
            // Or its owner would go on, and have everything refused for ever.
            (self.on_loss)();
        }
    }
}

impl<F: Fn()> Worker<F> {
    fn run(mut self, waiting: &Receiver<Job>) {
        while let Ok(first) = waiting.recv() {
            let mut bytes = first.bytes();
            let mut batch = vec![first];
            while batch.len() < BATCH_MAX
                && bytes < BATCH_BYTES_MAX
                && let Ok(job) = waiting.try_recv()
            {
                bytes += job.bytes();
                batch.push(job);
            }
            let is_last = batch.iter().any(|job| matches!(job, Job::End));
            self.write(batch);
            if is_last {
                return;
            }
        }
    }

    fn write(&mut self, batch: Vec<Job>) {
        if self.is_lost.load(Ordering::SeqCst) {
            let error = self.writer.lost();
            batch.into_iter().for_each(|job| job.refuse(&error));
            return;
        }
        let writes: Vec<Write<'_>> = batch.iter().filter_map(Job::write).collect();
        let mut outcomes = self.writer.write_all(&writes).into_iter();
        // Before anybody is told: who asks again must be refused.
        self.note_loss();
        for job in batch {
            job.finish(&mut outcomes);
        }
        self.writer.tidy();
        self.note_loss();
    }

    fn note_loss(&self) {
        if self.writer.is_poisoned() && !self.is_lost.swap(true, Ordering::SeqCst) {
            (self.on_loss)();
        }
    }
}

impl Job {
    fn write(&self) -> Option<Write<'_>> {
        match self {
            Self::Result { prepared, arrival, .. } => Some(Write::Result { prepared, arrival }),
            Self::Artifact { package, key, artifact, .. } => {
                Some(Write::Artifact { package, key: *key, artifact })
            }
            Self::End => None,
        }
    }

    /// About what it takes in a pack.
    fn bytes(&self) -> usize {
        match self {
            Self::Result { prepared, .. } => prepared.packed_bytes(),
            Self::Artifact { .. } | Self::End => 0,
        }
    }

    /// Tells who waits, with the next outcome if it is one that has any.
    fn finish(self, outcomes: &mut impl Iterator<Item = Result<Written, StoreError>>) {
        match self {
            Self::Result { done, .. } => {
                if let Some(outcome) = outcomes.next() {
                    done(outcome.and_then(Written::into_appended));
                }
            }
            Self::Artifact { done, .. } => {
                if let Some(outcome) = outcomes.next() {
                    done(outcome.map(|written| written.commit_id));
                }
            }
            Self::End => {}
        }
    }

    fn refuse(self, error: &StoreError) {
        self.finish(&mut std::iter::once(Err(error.again())));
    }
}
