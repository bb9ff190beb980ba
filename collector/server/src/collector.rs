//! [`Collector`]: what all requests share. Everything here may block.

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use pony_formats::names::url_component;
use pony_formats::{ClientInfo, Receipt, ResultKey, Submission, SubmissionId, TestResult};
use pony_store::{
    Appended, Arrival, Artifact, Contents, Identity, Index, IndexEntry, Maintenance, Prepared,
    Queue, Results, Scope, Snapshot, Store, StoreError,
};
use tokio::sync::Semaphore;

use crate::access::{Access, Allowance};
use crate::auth_key::AuthKeys;
use crate::cli::Plan;
use crate::coordinator::{Coordinator, Newest};
use crate::durable::DiskLost;
use crate::failure::Failure;
use crate::refresher::{Refresher, full};
use crate::registry::Registry;
use crate::shorten;

/// How long to wait for a writer that is about to finish.
const LOCK_PATIENCE: Duration = Duration::from_secs(2);

/// Calls that are worked on at the same time. Bounds the memory that submissions take when read, and leaves
/// threads for readers.
const CALLS_MAX: usize = 16;

/// Bytes of all submissions that are being received or wait to be read. Hundreds of connections, each
/// just below the limit for one, must not take all memory.
const RECEIVED_BYTES_MAX: usize = 1024 * 1024 * 1024;

/// Who sends a submission, and what they call it.
pub(crate) struct Sender {
    pub(crate) address: IpAddr,
    /// The name of the client, if it is known.
    pub(crate) client: Option<String>,
    pub(crate) submission_id: Option<SubmissionId>,
}

/// How many submissions were stored, and how many could not be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counts {
    pub(crate) stored: u64,
    pub(crate) failed: u64,
}

/// The repository, what is known of it, and who may add to it.
pub(crate) struct Collector {
    pub(crate) plan: Plan,
    pub(crate) access: Access,
    pub(crate) auth_keys: AuthKeys,
    /// One permit for each call that may be worked on.
    pub(crate) calls: Arc<Semaphore>,
    /// One permit for each byte that may be held.
    pub(crate) memory: Arc<Semaphore>,
    /// Told when the disk did not keep what was written: nothing can be acknowledged after that.
    pub(crate) disk_lost: Arc<DiskLost>,
    store: Store,
    queue: Queue,
    pub(crate) maintenance: Maintenance,
    index: Arc<Index>,
    storing: Arc<tokio::sync::Mutex<()>>,
    /// The content of uploaded files.
    pub(crate) contents: Contents,
    coordinator: Mutex<Coordinator>,
    stored: AtomicU64,
    failed: AtomicU64,
    refresher: Refresher,
}

impl Collector {
    /// Takes the repository for itself and learns what is in it. `address` is where it will answer.
    pub(crate) fn open(plan: Plan, address: SocketAddr) -> anyhow::Result<Self> {
        let store = Store::open_or_create(&plan.repo)?;
        let mut writer = store.writer(LOCK_PATIENCE)?;
        let index = writer.index()?;
        let mut coordinator = learn(&index)?;
        for number in store.snapshot()?.cuts()?.iter().filter_map(|cut| cut.next_number) {
            coordinator.number_from(number);
        }
        let folder = plan.repo.join("pony");
        pony_store::create_folder(&folder)?;
        // Everything below the site is shown to everybody.
        if is_below(&folder, &plan.site) {
            return Err(Failure::Exposed { site: plan.site }.into());
        }
        pony_site::check_folder(&plan.site, &plan.repo).map_err(|error| Failure::File {
            action: "serve",
            path: plan.site.clone(),
            source: io::Error::other(full(&error)),
        })?;
        let secret = folder.join("secret");
        let auth_keys = AuthKeys::open(&secret).map_err(|source| Failure::File {
            action: "use",
            path: secret,
            source,
        })?;
        let access = guard(&plan, &folder, address)?;
        let contents = Contents::of(&plan.repo);
        contents.prepare()?;
        let disk_lost = Arc::new(DiskLost::default());
        let lost = Arc::clone(&disk_lost);
        let maintenance = writer.maintenance();
        let queue = Queue::start(writer, move || lost.raise()).map_err(Failure::Runtime)?;
        let rendering = Store::open(&plan.repo)?;
        let refresher = Refresher::start(rendering, plan.site.clone(), site_url(&plan, address));
        Ok(Self {
            plan,
            access,
            auth_keys,
            calls: Arc::new(Semaphore::new(CALLS_MAX)),
            memory: Arc::new(Semaphore::new(RECEIVED_BYTES_MAX.min(Semaphore::MAX_PERMITS))),
            disk_lost,
            store,
            queue,
            maintenance,
            index,
            storing: Arc::default(),
            contents,
            coordinator: Mutex::new(coordinator),
            stored: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            refresher,
        })
    }

    /// The rules and what they know. Held for moments only.
    pub(crate) fn coordinator(&self) -> MutexGuard<'_, Coordinator> {
        self.coordinator.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has a submission stored. Returns when it waits for the disk; `done` is told when the result survives a
    /// power cut, or why it is not stored.
    pub(crate) fn add(
        self: &Arc<Self>,
        submission: Submission,
        sender: Sender,
        mut flags: BTreeSet<String>,
        done: impl FnOnce(Result<Receipt, StoreError>) + Send + 'static,
    ) {
        let now = Timestamp::now();
        let (client_info, prepared) = match self.prepare(submission, &mut flags, now) {
            Ok(prepared) => prepared,
            Err(error) => {
                if matches!(error, StoreError::DiskLost { .. }) {
                    self.lose_disk();
                }
                return done(Err(error));
            }
        };
        let collector = Arc::clone(self);
        let stored = move |outcome: Result<Appended, StoreError>| {
            let receipt = outcome.map(|appended| appended.receipt);
            let counter = match &receipt {
                Ok(receipt) => {
                    remember(&mut collector.coordinator(), receipt, &client_info);
                    collector.refresher.refresh();
                    &collector.stored
                }
                Err(_) => &collector.failed,
            };
            counter.fetch_add(1, Ordering::Relaxed);
            done(receipt);
        };
        let arrival = Arrival {
            submission_id: sender.submission_id,
            client: sender.client,
            client_ip: self.plan.store_addresses.then(|| sender.address.to_string()),
            flags,
            ..Arrival::at(now)
        };
        // Numbers rise in the order in which results are written: while the rules are held, nobody
        // else gets between the number and the queue.
        let mut coordinator = self.coordinator();
        let arrival = Arrival { number: Some(coordinator.take_number()), ..arrival };
        self.queue.push(prepared, arrival, stored);
    }

    /// Makes a submission ready, with files for the streams that are too long to be in it.
    fn prepare(
        &self,
        mut submission: Submission,
        flags: &mut BTreeSet<String>,
        now: Timestamp,
    ) -> Result<(ClientInfo, Prepared), StoreError> {
        let max = self.plan.stream_bytes_max;
        let prepared = if shorten::is_needed(&submission.results_list, max) {
            flags.insert("shortened".to_owned());
            // How much is stored is ours to say, and may change: a retry is told by what was sent.
            let sent = Identity::of(&submission)?;
            let wholes = shorten::shorten(&mut submission.results_list, max, &self.contents)?;
            Prepared::new(&submission)?.with_artifacts(now, &wholes)?.standing_for(sent)
        } else {
            Prepared::new(&submission)?
        };
        Ok((submission.client_info, prepared))
    }

    /// Lets one file be stored at a time, so that what it leaves for others can be counted.
    pub(crate) async fn storing(&self) -> tokio::sync::OwnedMutexGuard<()> {
        Arc::clone(&self.storing).lock_owned().await
    }

    /// All files of a result, the newest last. `None` when there is no such result.
    pub(crate) fn uploads(&self, key: ResultKey) -> Result<Option<Vec<Artifact>>, StoreError> {
        let snapshot = self.store.snapshot()?;
        let Some(package) = snapshot.package_of(key)? else { return Ok(None) };
        Ok(Some(snapshot.artifacts(&package, key)?))
    }

    /// The client with a token that a result is of, if there was one.
    pub(crate) fn client_of(&self, key: ResultKey) -> Result<Option<String>, StoreError> {
        Ok(self.index_now()?.result(key)?.and_then(|entry| entry.receipt.client))
    }

    /// Records an uploaded file. `false` when there is no such result.
    pub(crate) fn attach(&self, key: ResultKey, artifact: &Artifact) -> Result<bool, StoreError> {
        let Some(package) = self.store.snapshot()?.package_of(key)? else { return Ok(false) };
        self.queue.attach(&package, key, artifact)?;
        self.refresher.refresh();
        Ok(true)
    }

    /// The key that somebody means: by itself, or by the number of the original protocol.
    pub(crate) fn key_named(&self, name: &str) -> Option<ResultKey> {
        let Ok(number) = name.parse() else { return name.parse().ok() };
        // The index may be a batch behind.
        let recent = self.coordinator().key_of(number);
        recent.or_else(|| match self.index.numbered(number) {
            Ok(key) => key,
            Err(error) => {
                tracing::warn!(error = full(&error), "a number cannot be looked up");
                None
            }
        })
    }

    /// A stored triple.
    pub(crate) fn read(&self, key: ResultKey) -> Result<Option<TestResult>, StoreError> {
        let snapshot = self.store.snapshot()?;
        match snapshot.package_of(key)? {
            Some(package) => snapshot.read(&package, key),
            None => Ok(None),
        }
    }

    /// What a step of a result wrote to a stream.
    pub(crate) fn stream(
        &self,
        key: ResultKey,
        step: usize,
        stream: &str,
    ) -> Result<Option<String>, StoreError> {
        let snapshot = self.store.snapshot()?;
        match snapshot.package_of(key)? {
            Some(package) => snapshot.stream(&package, key, step, stream),
            None => Ok(None),
        }
    }

    /// What the index knows of results; those that it does not know are left out.
    pub(crate) fn entries(&self, keys: &[ResultKey]) -> Result<Vec<IndexEntry>, StoreError> {
        let index = self.index_now()?;
        keys.iter().filter_map(|key| index.result(*key).transpose()).collect()
    }

    /// The results in scope, newest first, or those before one of them: `None` when there is no such result.
    pub(crate) fn results(
        &self,
        scope: Scope,
        before: Option<ResultKey>,
    ) -> Result<Option<Results<'_>>, StoreError> {
        let index = self.index_now()?;
        let results = index.newest_first(scope);
        match before {
            None => Ok(Some(results)),
            Some(key) => Ok(index.result(key)?.map(|entry| results.before(entry))),
        }
    }

    /// The index, with everything that was acknowledged: the writer brings it up to date behind the answers.
    fn index_now(&self) -> Result<&Index, StoreError> {
        self.index.catch_up(|| self.store.snapshot())?;
        Ok(&self.index)
    }

    /// Where the site shows a result: a whole address when ours is known, or else a path.
    pub(crate) fn page_of(&self, package: &str, key: ResultKey) -> String {
        let base = self.plan.base_url.as_deref().unwrap_or("/");
        format!("{base}p/{}/{key}/", url_component(package))
    }

    /// What became of submissions since the start.
    pub(crate) fn counts(&self) -> Counts {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counts { stored: count(&self.stored), failed: count(&self.failed) }
    }

    /// The repository as it is now.
    pub(crate) fn snapshot(&self) -> Result<Snapshot, StoreError> {
        self.store.snapshot()
    }

    /// Has nothing acknowledged any more: a sync has failed.
    pub(crate) fn lose_disk(&self) {
        self.queue.refuse();
        self.disk_lost.raise();
    }

    /// Waits until everything that was accepted is written, and gives the lock back.
    pub(crate) fn finish(&self) {
        self.queue.finish();
        self.access.finish();
        self.index.close();
    }
}

/// Who may submit. Nobody but this machine, when it is not said: so there must be somebody when others can
/// reach us.
fn guard(plan: &Plan, folder: &Path, address: SocketAddr) -> anyhow::Result<Access> {
    let file = folder.join("strangers");
    let allowance = Allowance::open(&file, plan.strangers_bytes_max);
    let allowance =
        allowance.map_err(|source| Failure::File { action: "use", path: file, source })?;
    let access = Access::open(Registry::of(folder), plan.is_open, allowance)?;
    if !address.ip().is_loopback() && !access.has_callers()? {
        return Err(Failure::Unguarded { address: plan.listen.clone() }.into());
    }
    Ok(access)
}

/// Whether a folder is `upper` or in it.
fn is_below(folder: &Path, upper: &Path) -> bool {
    match (folder.canonicalize(), upper.canonicalize()) {
        (Ok(folder), Ok(upper)) => folder.starts_with(upper),
        // It does not exist yet, so there is nothing in it.
        _ => false,
    }
}

/// What links in feeds start with. Readers of feeds need absolute ones, so the address that we listen
/// on has to do when nothing else is said; but "every address" is none.
fn site_url(plan: &Plan, address: SocketAddr) -> Option<String> {
    let own = (!address.ip().is_unspecified()).then(|| format!("http://{address}/"));
    plan.base_url.clone().or(own)
}

/// Fills the rules from the newest result of each build line. What cannot be read is passed over: it must not
/// keep the others from being served.
fn learn(index: &Index) -> Result<Coordinator, StoreError> {
    let mut coordinator = Coordinator::default();
    for (path, reason) in index.unreadable()? {
        tracing::warn!(path, reason, "unreadable results");
    }
    if let Some(number) = index.last_number()? {
        coordinator.number_taken(number);
    }
    for entry in index.latest()? {
        let newest = newest(&entry.receipt, entry.success, entry.duration);
        coordinator.add(entry.tagset, newest);
    }
    Ok(coordinator)
}

fn remember(coordinator: &mut Coordinator, receipt: &Receipt, client_info: &ClientInfo) {
    if let Some(number) = receipt.number {
        coordinator.add_number(number, receipt.key);
    }
    let newest = newest(receipt, client_info.success(), client_info.duration());
    coordinator.add(client_info.tagset(), newest);
}

fn newest(receipt: &Receipt, success: bool, duration: Option<f64>) -> Newest {
    let duration = duration.and_then(|seconds| SignedDuration::try_from_secs_f64(seconds).ok());
    Newest { key: receipt.key, received: receipt.received, success, duration }
}
