//! [`Spool`]: a folder of submissions on their way.
//!
//! An entry is one file of canonical JSON: `submission_id`, `client_info`, `results_list` and one of `server`, `git` (an address without
//! credentials, the latter also with `branch` if one was named) and `repo` (an absolute path). It is written beside its name, synced, renamed and locked;
//! whoever holds the lock is sending it. The names sort by time. What was rejected is in the folder
//! `rejected`, with the reason in a file beside it. Files that go with a submission are in a folder beside
//! its entry, which is there before the entry and goes after it; so is a file with the keys of pushes that nobody
//! answered ([`Tries`]).

mod leftovers;
mod text;
mod tries;

use std::fs::{self, File, TryLockError};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use pony_store::{Action, StoreError};

use crate::attachment::Attachment;
use crate::delivery::Shipment;
use crate::origin::Surroundings;
use crate::parcel::Parcel;
use crate::target::Target;
use text::Document;
pub(crate) use tries::Tries;

/// The suffix of entries; everything else in the folder is left alone.
const SUFFIX: &str = ".json";
/// How the names of entries start that are not complete yet.
const PREFIX: &str = ".";
/// The folder of what is not sent again.
const REJECTED: &str = "rejected";
/// The extension of the folder of files beside an entry.
const FILES: &str = "files";
/// The extension of the file of tries beside an entry.
const TRIES: &str = "tries";

/// Where submissions wait.
#[derive(Debug)]
pub(crate) struct Spool {
    folder: PathBuf,
}

/// A submission in the spool that nobody else sends while this exists.
#[derive(Debug)]
pub(crate) struct Entry {
    path: PathBuf,
    /// Holds the lock.
    file: File,
}

/// An entry that was taken to be sent, and what is in it.
#[derive(Debug)]
pub(crate) struct Claimed {
    pub(crate) shipment: Shipment,
    pub(crate) target: Target,
}

/// What an entry holds, or the reason why it is none.
type Content = Result<(Parcel, Target), String>;

/// The spool does not work.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SpoolError {
    #[error("cannot {action} {}: {source}", path.display())]
    Io { action: Action, path: PathBuf, source: io::Error },
    #[error(transparent)]
    Folder(#[from] StoreError),
    #[error("{}: no submission: {reason}; moved to {}", path.display(), moved.display())]
    Damaged { path: PathBuf, reason: String, moved: PathBuf },
    #[error("{}: cannot be kept in the spool: the path is not UTF-8", path.display())]
    PathIsNotText { path: PathBuf },
}

impl Spool {
    /// The spool of this person: `PONY_SPOOL`, or a folder in their state folder.
    pub(crate) fn of(surroundings: &Surroundings) -> Option<Self> {
        let folder = match surroundings.var("PONY_SPOOL") {
            Some(folder) => PathBuf::from(folder),
            None => surroundings.state_folder()?.join("spool"),
        };
        let folder = std::path::absolute(&folder).unwrap_or(folder);
        Some(Self { folder })
    }

    /// Where it is.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Keeps a submission. When this returns, it survives a power cut.
    pub(crate) fn keep(
        &self,
        parcel: &Parcel,
        attachments: &mut [Attachment],
        target: &Target,
    ) -> Result<(Entry, Tries), SpoolError> {
        let document = Document::of(parcel, target)?;
        create_private_folder(&self.folder)?;
        self.remove_leftovers();
        // Temporary files are readable only by their owner, and the dot hides them from `entries`.
        let failed =
            |action| move |source| SpoolError::Io { action, path: self.folder.clone(), source };
        let file = tempfile::Builder::new()
            .prefix(PREFIX)
            .suffix(SUFFIX)
            .tempfile_in(&self.folder)
            .map_err(failed(Action::CreateIn))?;
        let lock = file.as_file().try_lock().map_err(io::Error::from);
        lock.map_err(failed(Action::Lock))?;
        let written = document.write(file.as_file()).and_then(|()| file.as_file().sync_all());
        written.map_err(failed(Action::Write))?;
        let unique = file.path().file_name().unwrap_or_default().to_string_lossy().into_owned();
        let now = jiff::Timestamp::now().as_millisecond();
        let path = self.folder.join(format!("{now:013}{unique}").replacen('.', "-", 1));
        let files = path.with_extension(FILES);
        let kept = keep_files(&files, attachments).and_then(|()| {
            let file = file.persist_noclobber(&path).map_err(|error| error.error);
            file.map_err(failed(Action::CreateIn))
        });
        // Without an entry, nobody would ever remove them.
        let file = kept.inspect_err(|_| drop(fs::remove_dir_all(&files)))?;
        sync_folder(&self.folder)?;
        let tries = Tries::of_new(path.with_extension(TRIES));
        Ok((Entry { path, file }, tries))
    }

    /// Removes what a reporter that was killed has left here.
    pub(crate) fn remove_leftovers(&self) {
        leftovers::remove(&self.folder);
    }

    /// The files of all entries, the oldest first. Empty when there is no spool yet.
    pub(crate) fn entries(&self) -> Result<Vec<PathBuf>, SpoolError> {
        let failed =
            |source| SpoolError::Io { action: Action::Read, path: self.folder.clone(), source };
        let listing = match fs::read_dir(&self.folder) {
            Ok(listing) => listing,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed(error)),
        };
        let mut paths = Vec::new();
        for item in listing {
            let item = item.map_err(failed)?;
            let name = item.file_name().to_string_lossy().into_owned();
            if name.ends_with(SUFFIX) && !name.starts_with(PREFIX) {
                paths.push(item.path());
            }
        }
        paths.sort();
        Ok(paths)
    }

    /// Takes an entry to send it. `None` when another process does so, or has done so. One that is damaged
    /// is moved out of the way.
    pub(crate) fn claim(&self, path: &Path) -> Result<Option<Claimed>, SpoolError> {
        let Some((entry, content)) = self.open(path)? else { return Ok(None) };
        match content {
            Ok((parcel, target)) => {
                let attachments = read_files(&path.with_extension(FILES))?;
                let place = path.with_extension(TRIES);
                let tries = Tries::read(place.clone()).map_err(|source| SpoolError::Io {
                    action: Action::Read,
                    path: place,
                    source,
                })?;
                let entry = Some(entry);
                let shipment = Shipment { parcel, attachments, entry, tries };
                Ok(Some(Claimed { shipment, target }))
            }
            Err(reason) => {
                let moved = entry.reject(&reason)?;
                Err(SpoolError::Damaged { path: path.to_owned(), reason, moved })
            }
        }
    }

    /// What an entry holds and where it is to go, or the reason why it is none. `None` when another process
    /// sends it.
    pub(crate) fn look(&self, path: &Path) -> Result<Option<Content>, SpoolError> {
        Ok(self.open(path)?.map(|(_, content)| content))
    }

    fn open(&self, path: &Path) -> Result<Option<(Entry, Content)>, SpoolError> {
        let failed =
            |source| SpoolError::Io { action: Action::Read, path: path.to_owned(), source };
        // Some systems lock only what may be written.
        let mut file = match File::options().read(true).write(true).open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        match file.try_lock() {
            Ok(()) if path.exists() => {}
            Ok(()) | Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        let mut text = Vec::new();
        file.read_to_end(&mut text).map_err(failed)?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        Ok(Some((Entry { path: path.to_owned(), file }, text::from_text(&text, &name))))
    }
}

impl Entry {
    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Removes it, because it has arrived.
    pub(crate) fn forget(self) -> Result<(), SpoolError> {
        let removed = fs::remove_file(&self.path);
        drop(self.file);
        let files = self.path.with_extension(FILES);
        let tries = self.path.with_extension(TRIES);
        let unless_gone = |removed: io::Result<()>| match removed {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        };
        let removed = removed
            .and_then(|()| unless_gone(fs::remove_dir_all(&files)))
            .and_then(|()| unless_gone(fs::remove_file(&tries)));
        removed.map_err(|source| SpoolError::Io { action: Action::Remove, path: self.path, source })
    }

    /// Removes files that have arrived before the others.
    pub(crate) fn forget_files<'a>(
        &self,
        arrived: impl Iterator<Item = &'a Attachment>,
    ) -> Result<(), SpoolError> {
        for attachment in arrived {
            let path = self.path.with_extension(FILES).join(&attachment.name);
            match fs::remove_file(&path) {
                Err(source) if source.kind() != io::ErrorKind::NotFound => {
                    return Err(SpoolError::Io { action: Action::Remove, path, source });
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Moves it to where nobody sends it again, and writes down why. Returns where that is.
    pub(crate) fn reject(self, reason: &str) -> Result<PathBuf, SpoolError> {
        let folder = self.path.parent().unwrap_or(Path::new(".")).join(REJECTED);
        create_private_folder(&folder)?;
        let moved = folder.join(self.path.file_name().unwrap_or_default());
        let failed = |source| SpoolError::Io { action: Action::Write, path: moved.clone(), source };
        fs::write(moved.with_extension("reason.txt"), format!("{reason}\n")).map_err(failed)?;
        fs::rename(&self.path, &moved).map_err(failed)?;
        let files = self.path.with_extension(FILES);
        if files.exists() {
            fs::rename(&files, moved.with_extension(FILES)).map_err(failed)?;
        }
        // It was never pushed, or not for good: nothing depends on it.
        let _ = fs::remove_file(self.path.with_extension(TRIES));
        sync_folder(&folder)?;
        Ok(moved)
    }
}

/// Keeps files in a folder, for good. None make no folder.
fn keep_files(folder: &Path, attachments: &mut [Attachment]) -> Result<(), SpoolError> {
    if attachments.is_empty() {
        return Ok(());
    }
    create_private_folder(folder)?;
    for attachment in attachments {
        let path = folder.join(&attachment.name);
        let failed = |source| SpoolError::Io { action: Action::Write, path: path.clone(), source };
        let mut file = File::create(&path).map_err(failed)?;
        let copied = attachment.content().and_then(|mut content| io::copy(&mut content, &mut file));
        copied.and_then(|_| file.sync_all()).map_err(failed)?;
    }
    sync_folder(folder)
}

/// The files in a folder; none when there is no folder.
fn read_files(folder: &Path) -> Result<Vec<Attachment>, SpoolError> {
    let failed = |source| SpoolError::Io { action: Action::Read, path: folder.to_owned(), source };
    let listing = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        listing => listing.map_err(failed)?,
    };
    let mut paths = listing.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>();
    let paths = paths.as_mut().map_err(|error| failed(io::Error::other(error.to_string())))?;
    paths.sort();
    let attachments = paths.iter().map(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        File::open(path).and_then(|file| Attachment::new(name, file)).map_err(failed)
    });
    attachments.collect()
}

/// Test output may hold secrets, so only the owner gets to see it.
fn create_private_folder(folder: &Path) -> Result<(), SpoolError> {
    if folder.is_dir() {
        return Ok(());
    }
    pony_store::create_folder(folder)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let failed =
            |source| SpoolError::Io { action: Action::Create, path: folder.to_owned(), source };
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).map_err(failed)?;
    }
    Ok(())
}

/// Makes a rename durable, where the system has a way to.
fn sync_folder(folder: &Path) -> Result<(), SpoolError> {
    if cfg!(not(unix)) {
        return Ok(());
    }
    let failed = |source| SpoolError::Io { action: Action::Sync, path: folder.to_owned(), source };
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::ServerUrl;
    use pony_formats::{ClientInfo, Step, Submission, Tagset};

    fn parcel() -> Parcel {
        let tagset = Tagset {
            package: "hayloft".to_owned(),
            host: "shed".to_owned(),
            arch: "linux-x86_64".to_owned(),
            tags: Default::default(),
        };
        let client_info = ClientInfo::new(&tagset, true).unwrap();
        let results_list = vec![Step::default().with("output", "\u{1b}[m")];
        Parcel::new(Submission { client_info, results_list }).unwrap()
    }

    fn server() -> Target {
        Target::Server(ServerUrl::parse("http://name:secret@host/x/").unwrap())
    }

    #[test]
    fn a_submission_comes_back_and_is_forgotten() {
        let home = tempfile::tempdir().unwrap();
        let spool = Spool { folder: home.path().join("a/b") };
        assert_eq!(spool.entries().unwrap(), Vec::<PathBuf>::new());
        let parcel = parcel();
        drop(spool.keep(&parcel, &mut [], &server()).unwrap());
        let [path] = &spool.entries().unwrap()[..] else { panic!("not one entry") };
        assert!(!fs::read_to_string(path).unwrap().contains("secret"));
        let claimed = spool.claim(path).unwrap().unwrap();
        assert_eq!(claimed.shipment.parcel, parcel);
        assert_eq!(claimed.target.to_string(), "http://host/x/");
        claimed.shipment.entry.unwrap().forget().unwrap();
        assert_eq!(spool.entries().unwrap(), Vec::<PathBuf>::new());
    }

    #[test]
    fn what_cannot_be_kept_leaves_nothing_behind() {
        let home = tempfile::tempdir().unwrap();
        let spool = Spool { folder: home.path().to_owned() };
        let file = || tempfile::tempfile().unwrap();
        let kept = Attachment::new("output.txt".to_owned(), file()).unwrap();
        let impossible = Attachment::new("no/such/folder".to_owned(), file()).unwrap();
        assert!(spool.keep(&parcel(), &mut [kept, impossible], &server()).is_err());
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
    }

    #[test]
    fn nobody_claims_what_is_being_sent() {
        let home = tempfile::tempdir().unwrap();
        let spool = Spool { folder: home.path().to_owned() };
        let (entry, _) = spool.keep(&parcel(), &mut [], &server()).unwrap();
        assert!(spool.claim(entry.path()).unwrap().is_none());
        let path = entry.path().to_owned();
        drop(entry);
        assert!(spool.claim(&path).unwrap().is_some());
    }

    #[test]
    fn what_is_no_submission_moves_out_of_the_way() {
        let home = tempfile::tempdir().unwrap();
        let spool = Spool { folder: home.path().to_owned() };
        let path = home.path().join("1-x.json");
        for text in ["", "[]", "{}", "{\"client_info\": {}, \"results_list\": []}"] {
            fs::write(&path, text).unwrap();
            assert!(matches!(spool.claim(&path), Err(SpoolError::Damaged { .. })), "{text}");
            assert!(!path.exists());
            assert!(home.path().join("rejected/1-x.reason.txt").exists());
        }
    }
}
