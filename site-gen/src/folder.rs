//! [`SiteFolder`]: the only place that writes.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher as _};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Component, Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use pony_store::Action;

use crate::SiteError;
use crate::state::{STATE_FILE, State};

/// The folders that the generator owns: what it did not write there goes away when a site is built
/// from scratch.
const OWNED: [&str; 6] = ["p", "rss2", "machine", "about", "search", "schema"];

/// Uploaded files, which others put beside a result.
const FILES: &str = "files";

/// How the names of files that are still being written start.
const TEMPORARY: &str = ".pony-";

/// Refuses a folder that [`build`](crate::build()) would refuse: what serves a site should ask first, so
/// that no other files are shown.
///
/// # Errors
/// [`SiteError::Foreign`] when `path` is neither absent, nor empty, nor a site;
/// [`SiteError::InsideRepository`] when it is a part of the `repository`.
pub fn check_folder(path: &Path, repository: &Path) -> Result<(), SiteError> {
    read_state(path, repository).map(drop)
}

/// What a folder says of itself, if it may become or be a site.
fn read_state(root: &Path, repository: &Path) -> Result<Option<State>, SiteError> {
    if is_inside(root, repository) {
        return Err(SiteError::InsideRepository { path: root.to_owned() });
    }
    let is_empty = match fs::read_dir(root) {
        // What a first build that was killed left does not make it somebody else's.
        Ok(entries) => entries.map_while(Result::ok).all(|entry| is_temporary(&entry.file_name())),
        Err(error) if error.kind() == ErrorKind::NotFound => true,
        Err(source) => return Err(failed(Action::Read, root, source)),
    };
    let state_file = root.join(STATE_FILE);
    match fs::read(&state_file) {
        Ok(text) => Ok(serde_json::from_slice(&text).ok()),
        Err(error) if error.kind() == ErrorKind::NotFound && is_empty => Ok(None),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            Err(SiteError::Foreign { path: root.to_owned() })
        }
        Err(source) => Err(failed(Action::Read, &state_file, source)),
    }
}

/// Files that may wait to be synced: what is noted of them takes memory.
const UNSYNCED_MAX: usize = 10_000;

/// The folder that a site is written to, by many threads.
#[derive(Debug)]
pub(crate) struct SiteFolder {
    root: PathBuf,
    /// What the folder said of itself when it was opened.
    state: Option<State>,
    /// What the site will be; written before the first change, so that an interrupted build is noticed.
    unfinished: State,
    written: Mutex<Written>,
}

/// What was done so far.
#[derive(Debug, Default)]
struct Written {
    is_marked: bool,
    files: usize,
    bytes: u64,
    /// Every file of the site that this build would have written, as a hash, by its part of the site.
    kept: HashMap<PathBuf, HashSet<u64>>,
    /// Files that may not be on disk yet.
    unsynced: BTreeSet<PathBuf>,
    /// Folders whose names may not be.
    unsynced_folders: BTreeSet<PathBuf>,
}

impl SiteFolder {
    /// Opens or creates the folder.
    ///
    /// # Errors
    /// When it holds something that is not ours, or is a part of the `repository`.
    pub(crate) fn open(
        root: &Path,
        repository: &Path,
        unfinished: State,
    ) -> Result<Self, SiteError> {
        let state = read_state(root, repository)?;
        if !root.is_dir() {
            pony_store::create_folder(root)?;
        }
        Ok(Self { root: root.to_owned(), state, unfinished, written: Mutex::default() })
    }

    /// What was done so far. A thread that panicked has left it whole: every change is one call.
    fn written(&self) -> MutexGuard<'_, Written> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The commit from which the site can be brought up to date.
    pub(crate) fn base(&self) -> Option<pony_store::CommitId> {
        self.state.as_ref()?.base_for(&self.unfinished)
    }

    /// Whether the repository had folders that could not be read when the site was built last.
    pub(crate) fn had_damage(&self) -> bool {
        self.state.as_ref().is_some_and(State::has_damage)
    }

    /// The content of a file, if it is there.
    pub(crate) fn read(&self, path: &str) -> Option<Vec<u8>> {
        fs::read(self.root.join(path)).ok()
    }

    /// Whether a file is there.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.root.join(path).is_file()
    }

    /// Forgets what this build has written to a part of the site so far: what does not belong there goes with
    /// [`SiteFolder::prune`].
    pub(crate) fn start_over(&self, part: &str) {
        self.written().kept.remove(Path::new(part));
    }

    /// Forgets all that this build has written so far.
    pub(crate) fn start_all_over(&self) {
        self.written().kept.clear();
    }

    /// Writes a file unless it has this content already. Others see the old file or the new one,
    /// never a part.
    pub(crate) fn write(&self, path: &str, content: impl AsRef<[u8]>) -> Result<(), SiteError> {
        let content = content.as_ref();
        self.written().keep(Path::new(path));
        if self.holds(path, content) {
            if !self.state.as_ref().is_some_and(State::is_finished) {
                // Written by a build that did not come to its end.
                self.note_unsynced(Path::new(path))?;
            }
            return Ok(());
        }
        self.mark()?;
        self.replace(path, content)?;
        self.note_unsynced(Path::new(path))?;
        let mut written = self.written();
        written.files += 1;
        written.bytes += content.len() as u64;
        Ok(())
    }

    /// Says that the site is being changed, before the first change. Nobody changes anything meanwhile.
    fn mark(&self) -> Result<(), SiteError> {
        let mut written = self.written();
        if !written.is_marked {
            let text = state_text(&self.unfinished);
            self.replace(STATE_FILE, text.as_bytes())?;
            // A power cut must not leave the changes and lose this.
            self.sync(Path::new(STATE_FILE))?;
            self.sync_folder(Path::new(""))?;
            written.is_marked = true;
        }
        Ok(())
    }

    /// Removes all files of a folder but the named ones. Folders in it stay.
    pub(crate) fn keep_only(&self, folder: &str, names: &[&str]) -> Result<(), SiteError> {
        for entry in self.entries(Path::new(folder))? {
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if !is_folder && !names.iter().any(|name| entry.file_name() == *name) {
                self.remove(Path::new(folder), &entry)?;
            }
        }
        self.remove_empty_folders(Path::new(folder));
        Ok(())
    }

    /// Removes the files in all folders in a folder but the named ones.
    pub(crate) fn keep_only_folders(&self, folder: &str, names: &[&str]) -> Result<(), SiteError> {
        let names: HashSet<&str> = names.iter().copied().collect();
        for entry in self.entries(Path::new(folder))? {
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if let Some(name) = entry.file_name().to_str()
                && is_folder
                && !names.contains(&name)
            {
                self.keep_only(&format!("{folder}/{name}"), &[])?;
            }
        }
        Ok(())
    }

    /// Removes what this build did not write, from the whole site.
    pub(crate) fn prune(&self) -> Result<(), SiteError> {
        OWNED.iter().try_for_each(|folder| self.prune_below(folder))
    }

    /// Removes what this build did not write, from one folder.
    pub(crate) fn prune_below(&self, folder: &str) -> Result<(), SiteError> {
        let mut folders = vec![PathBuf::from(folder)];
        while let Some(folder) = folders.pop() {
            for entry in self.entries(&folder)? {
                let path = folder.join(entry.file_name());
                // Of the entry itself: a link to a folder is not followed.
                let kind = entry.file_type();
                let kind = kind.map_err(|source| failed(Action::Read, &entry.path(), source))?;
                if kind.is_dir() {
                    folders.extend((!is_uploads(&path)).then_some(path));
                } else if !self.written().keeps(&path) {
                    self.remove(&folder, &entry)?;
                    self.remove_empty_folders(&folder);
                }
            }
        }
        Ok(())
    }

    /// What is in a folder; nothing when it is not there.
    fn entries(&self, folder: &Path) -> Result<Vec<fs::DirEntry>, SiteError> {
        let place = self.root.join(folder);
        let entries = match fs::read_dir(&place) {
            Ok(entries) => entries.collect::<Result<_, _>>(),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(vec![]),
            Err(error) => Err(error),
        };
        entries.map_err(|source| failed(Action::Read, &place, source))
    }

    fn remove(&self, folder: &Path, entry: &fs::DirEntry) -> Result<(), SiteError> {
        self.mark()?;
        let place = entry.path();
        fs::remove_file(&place).map_err(|source| failed(Action::Remove, &place, source))?;
        let mut written = self.written();
        written.unsynced.remove(&folder.join(entry.file_name()));
        written.unsynced_folders.extend(folder.ancestors().map(Path::to_owned));
        Ok(())
    }

    /// Says that the site is complete, when all of it is on disk. Returns how many files were written.
    ///
    /// Syncing everything here takes a fraction of what syncing each file as it is written would.
    pub(crate) fn finish(
        self,
        commit: &pony_store::CommitId,
        has_damage: bool,
    ) -> Result<(usize, u64), SiteError> {
        let state = self.unfinished.clone().finished(commit, has_damage);
        let mut written = std::mem::take(&mut *self.written());
        if written.is_marked || self.state.as_ref() != Some(&state) {
            self.sync_all(&mut written)?;
            self.replace(STATE_FILE, state_text(&state).as_bytes())?;
        }
        Ok((written.files, written.bytes))
    }

    fn note_unsynced(&self, path: &Path) -> Result<(), SiteError> {
        let mut written = self.written();
        written.unsynced.insert(path.to_owned());
        written.unsynced_folders.extend(path.ancestors().skip(1).map(Path::to_owned));
        if written.unsynced.len() < UNSYNCED_MAX {
            return Ok(());
        }
        let unsynced = std::mem::take(&mut written.unsynced);
        let unsynced_folders = std::mem::take(&mut written.unsynced_folders);
        drop(written);
        self.sync_all(&mut Written { unsynced, unsynced_folders, ..Written::default() })
    }

    fn sync_all(&self, written: &mut Written) -> Result<(), SiteError> {
        for path in std::mem::take(&mut written.unsynced) {
            self.sync(&path)?;
        }
        for folder in std::mem::take(&mut written.unsynced_folders) {
            self.sync_folder(&folder)?;
        }
        Ok(())
    }

    fn sync(&self, path: &Path) -> Result<(), SiteError> {
        let place = self.root.join(path);
        // Windows syncs only what is open for writing.
        let file = fs::File::options().write(true).open(&place);
        file.and_then(|file| file.sync_all()).map_err(|source| failed(Action::Sync, &place, source))
    }

    /// Folders cannot be opened on Windows; NTFS journals names itself.
    fn sync_folder(&self, folder: &Path) -> Result<(), SiteError> {
        let place = self.root.join(folder);
        match fs::File::open(&place).and_then(|folder| folder.sync_all()) {
            _ if cfg!(windows) => Ok(()),
            // It became empty and was removed.
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            synced => synced.map_err(|source| failed(Action::Sync, &place, source)),
        }
    }

    fn remove_empty_folders(&self, folder: &Path) {
        for folder in folder.ancestors().filter(|folder| !folder.as_os_str().is_empty()) {
            // Refused when something is left in it, which is what is wanted.
            if fs::remove_dir(self.root.join(folder)).is_err() {
                break;
            }
        }
    }

    fn holds(&self, path: &str, content: &[u8]) -> bool {
        let path = self.root.join(path);
        let same_size = fs::symlink_metadata(&path)
            .is_ok_and(|file| file.is_file() && file.len() == content.len() as u64);
        same_size && fs::read(&path).is_ok_and(|found| found == content)
    }

    fn replace(&self, path: &str, content: &[u8]) -> Result<(), SiteError> {
        let place = self.root.join(path);
        let write = || -> io::Result<()> {
            // Names from outside are encoded long before; this holds should that ever be forgotten.
            if !Path::new(path).components().all(|part| matches!(part, Component::Normal(_))) {
                return Err(io::Error::new(ErrorKind::InvalidInput, "leads out of the site"));
            }
            let folder = place.parent().unwrap_or(&self.root);
            fs::create_dir_all(folder)?;
            let mut file = temporary_in(folder)?;
            file.write_all(content)?;
            file.persist(&place).map_err(|error| error.error)?;
            Ok(())
        };
        write().map_err(|source| failed(Action::Write, &place, source))
    }
}

impl Written {
    fn keep(&mut self, path: &Path) {
        let part = part_of(path);
        match self.kept.get_mut(part) {
            Some(kept) => kept.insert(hash_of(path)),
            None => self.kept.entry(part.to_owned()).or_default().insert(hash_of(path)),
        };
    }

    /// Two files may have the same hash: one that does not belong there stays then.
    fn keeps(&self, path: &Path) -> bool {
        self.kept.get(part_of(path)).is_some_and(|kept| kept.contains(&hash_of(path)))
    }
}

/// The part of the site that a file belongs to: that of a package, or the root.
fn part_of(path: &Path) -> &Path {
    let package = path.ancestors().find(|folder| {
        folder.parent().is_some_and(|parent| OWNED.iter().any(|owned| parent == Path::new(owned)))
    });
    package.unwrap_or(Path::new(""))
}

fn hash_of(path: &Path) -> u64 {
    let mut hasher = DefaultHasher::new();
    path.hash(&mut hasher);
    hasher.finish()
}

/// Whether a folder is that of uploaded files: `p/<package>/<result>/files`, and no other of this name.
fn is_uploads(folder: &Path) -> bool {
    let parts: Vec<_> = folder.iter().map(|part| part.as_encoded_bytes()).collect();
    match parts.as_slice() {
        [first, _, result, last] => {
            *first == OWNED[0].as_bytes()
                && result.iter().all(u8::is_ascii_digit)
                && *last == FILES.as_bytes()
        }
        _ => false,
    }
}

/// Whether this is the name of a file that was still being written.
fn is_temporary(name: &std::ffi::OsStr) -> bool {
    name.as_encoded_bytes().starts_with(TEMPORARY.as_bytes())
}

/// A file that everybody whom the umask allows may read: temporary files are private otherwise,
/// and a web server runs as somebody else.
fn temporary_in(folder: &Path) -> io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(TEMPORARY);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder)
}

fn state_text(state: &State) -> String {
    let json = serde_json::to_value(state).unwrap_or_default();
    pony_formats::json::pretty(&json)
}

/// The folder in a repository, where git never looks, in which a collector keeps its site.
const OWN: &str = "pony/site";

/// Whether `path`, which may not exist yet, is the repository itself or something in it but the site.
fn is_inside(path: &Path, repository: &Path) -> bool {
    let (Ok(repository), Ok(path)) = (repository.canonicalize(), std::path::absolute(path)) else {
        return false;
    };
    let resolved = path.ancestors().find_map(|ancestor| {
        Some(ancestor.canonicalize().ok()?.join(path.strip_prefix(ancestor).ok()?))
    });
    // Where `..` in what does not exist yet will lead is anybody's guess.
    let leads_back = |path: &Path| path.components().any(|part| part == Component::ParentDir);
    resolved.is_some_and(|path| {
        path.starts_with(&repository)
            && (leads_back(&path) || !path.starts_with(repository.join(OWN)))
    })
}

fn failed(action: Action, path: &Path, source: io::Error) -> SiteError {
    SiteError::Io { action, path: path.to_owned(), source }
}

#[cfg(test)]
mod tests;
