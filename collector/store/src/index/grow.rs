//! From the trees of a repository to the tables of an index.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use gix::ObjectId;
use pony_formats::names::tree_component;
use pony_formats::record::{self, Files};

use super::IndexEntry;
use super::database::{Fault, Opened};
use super::tables::{self, Tables};
use crate::difference::{self, Difference, Hidden};
use crate::objects::{Objects, Unreadable as Object};
use crate::{CommitId, Snapshot, StoreError};

/// What to do with results that could not be read before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// Somebody may have brought back what was missing.
    TryAgain,
    Keep,
}

/// How many results are handed over at once while tables are filled, and how many such portions may wait.
const PORTION: usize = 256;
const PORTIONS_WAITING: usize = 2;

/// Brings the tables from their commit to another; only if they are at `from`, where that is given. `false` when
/// there is no way: then the tables are as they were.
pub(super) fn grow(
    database: &Opened,
    snapshot: &Snapshot,
    unreadable: Unreadable,
    from: Option<&CommitId>,
) -> Result<bool, Fault> {
    let read = database.begin_read()?;
    let Some(base) = tables::commit(&read)? else { return Ok(false) };
    let again = match unreadable {
        Unreadable::TryAgain => tables::unreadable(&read)?,
        Unreadable::Keep => vec![],
    };
    drop(read);
    if base == *snapshot.commit_id() && again.is_empty() {
        return Ok(true);
    }
    let transaction = database.begin_write()?;
    let tables = Tables::open(&transaction)?;
    // Somebody else may have been faster.
    let Some(base) = tables.commit()? else { return Ok(false) };
    if from.is_some_and(|from| *from != base) {
        return Ok(true);
    }
    let repo = snapshot.repository();
    let objects = Objects::new(&repo);
    let old = match base.to_object_id().map(|id| objects.commit(id)) {
        Some(Ok(commit)) => commit.tree,
        Some(Err(error)) if !error.is_damage() => return Err(error.into()),
        _ => return Ok(false),
    };
    let mut growth = Growth { objects: &objects, tables };
    match growth.between(Some(old), snapshot.tree()) {
        // Of the old tree; the new one's would be noted.
        Err(Fault::Unreadable(error)) if error.is_damage() => return Ok(false),
        outcome => outcome?,
    }
    for (path, _) in again {
        growth.again(snapshot.tree(), &path)?;
    }
    growth.tables.set_commit(snapshot.commit_id())?;
    drop(growth);
    transaction.commit()?;
    Ok(true)
}

/// Fills empty tables. One thread reads results, and this one writes what they say: each takes about as long.
pub(super) fn fill(database: &Opened, snapshot: &Snapshot) -> Result<(), Fault> {
    let transaction = database.begin_write()?;
    let mut tables = Tables::open(&transaction)?;
    thread::scope(|scope| {
        let (sender, receiver) = sync_channel(PORTIONS_WAITING);
        let portions = Portions { sender, found: Vec::new() };
        let reader = thread::Builder::new().spawn_scoped(scope, || read_all(snapshot, portions))?;
        let written = write_all(&mut tables, receiver);
        let read = reader.join().unwrap_or(Err(Fault::Content("reading the results panicked")));
        written.and(read)
    })?;
    tables.set_commit(snapshot.commit_id())?;
    drop(tables);
    transaction.commit()?;
    Ok(())
}

fn read_all(snapshot: &Snapshot, mut portions: Portions) -> Result<(), Fault> {
    let repo = snapshot.repository();
    let objects = Objects::new(&repo);
    let hidden =
        difference::visit(&objects, None, Some(snapshot.tree()), |result| match result.new {
            Some(folder) => portions.push(read(&objects, folder, &result)?),
            None => Ok(()),
        })?;
    for folder in hidden {
        portions.push(folder.into())?;
    }
    portions.send()
}

/// Ends early where reading does, and drops the receiver where writing does.
fn write_all(tables: &mut Tables<'_>, portions: Receiver<Vec<Found>>) -> Result<(), Fault> {
    for found in portions.into_iter().flatten() {
        tables.take(&found)?;
    }
    Ok(())
}

/// What was found, on its way to the thread that writes.
struct Portions {
    sender: SyncSender<Vec<Found>>,
    found: Vec<Found>,
}

impl Portions {
    fn push(&mut self, found: Found) -> Result<(), Fault> {
        self.found.push(found);
        if self.found.len() < PORTION { Ok(()) } else { self.send() }
    }

    fn send(&mut self) -> Result<(), Fault> {
        let portion = std::mem::take(&mut self.found);
        // What writing failed with is told in the place of this.
        self.sender.send(portion).map_err(|_| Fault::Content("it was not written"))
    }
}

struct Growth<'g> {
    objects: &'g Objects<'g>,
    tables: Tables<'g>,
}

impl Growth<'_> {
    fn between(&mut self, old: Option<ObjectId>, new: ObjectId) -> Result<(), Fault> {
        let hidden = difference::visit(self.objects, old, Some(new), |result| self.take(&result))?;
        self.hide(hidden)
    }

    fn again(&mut self, root: ObjectId, path: &str) -> Result<(), Fault> {
        self.tables.remove_unreadable(path)?;
        let hidden =
            difference::visit_below(self.objects, root, path, |result| self.take(&result))?;
        self.hide(hidden)
    }

    fn hide(&mut self, folders: Vec<Hidden>) -> Result<(), Fault> {
        folders.into_iter().try_for_each(|folder| self.tables.take(&folder.into()))
    }

    fn take(&mut self, result: &Difference) -> Result<(), Fault> {
        self.tables.remove_unreadable(&result.path())?;
        self.tables.remove(&result.package.name, result.key)?;
        let Some(folder) = result.new else { return Ok(()) };
        self.tables.take(&read(self.objects, folder, result)?)
    }
}

/// What there is to say of a result, or of a folder of results.
#[expect(clippy::large_enum_variant, reason = "nearly all are entries, so no room is lost")]
pub(super) enum Found {
    Entry(IndexEntry),
    /// It cannot be read.
    Unreadable {
        /// From the root of the tree.
        path: String,
        reason: String,
    },
}

impl From<Hidden> for Found {
    fn from(Hidden { path, error }: Hidden) -> Self {
        Self::Unreadable { path, reason: error.to_string() }
    }
}

fn read(objects: &Objects<'_>, folder: ObjectId, result: &Difference) -> Result<Found, StoreError> {
    Ok(match entry(objects, folder, result)? {
        Ok(entry) => Found::Entry(entry),
        Err(reason) => Found::Unreadable { path: result.path(), reason },
    })
}

/// The entry of a result, or why it cannot be read.
fn entry(
    objects: &Objects<'_>,
    folder: ObjectId,
    result: &Difference,
) -> Result<Result<IndexEntry, String>, StoreError> {
    let files = match read_files(objects, folder) {
        Ok(files) => files,
        Err(error) if error.is_damage() => return Ok(Err(error.to_string())),
        Err(error) => return Err(error.into()),
    };
    let entry: IndexEntry = match record::decode_heading(&files) {
        Ok(heading) => heading.into(),
        Err(error) => return Ok(Err(error.to_string())),
    };
    let is_at_home =
        entry.key() == result.key && tree_component(entry.package()) == result.package.name;
    if is_at_home {
        return Ok(Ok(entry));
    }
    let (key, package) = (entry.key(), entry.package());
    Ok(Err(format!("its files are those of result {key} of package {package:?}")))
}

fn read_files(objects: &Objects<'_>, folder: ObjectId) -> Result<Files, Object> {
    let mut files = Files::new();
    for entry in objects.folder(folder)? {
        if !entry.is_folder && record::is_heading_file(&entry.name) {
            files.insert(entry.name, objects.file(entry.id)?);
        }
    }
    Ok(files)
}
