//! `POST /upload`: a file that belongs to a result. git holds what is said about it, the content is stored
//! beside, by its hash: no name from outside becomes a path.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::sync::Arc;

use axum::extract::{Query, Request, State};
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use pony_formats::ResultKey;
use pony_store::{Artifact, Sha256Hex};
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;
use tokio::io::AsyncWriteExt as _;

use crate::body::{BodyReader, Refusal};
use crate::collector::Collector;
use crate::refresher::full;

/// Longest file name, in bytes.
const FILENAME_BYTES_MAX: usize = 255;

/// Longest description, in bytes.
const DESCRIPTION_BYTES_MAX: usize = 4096;

/// How the names of files that are still being received start.
const INCOMING: &str = "incoming-";

/// Removes from the folder of uploaded files what a crash left.
pub(crate) fn tidy(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(INCOMING) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// What is said about a file in the address.
#[derive(serde::Deserialize)]
struct Label {
    description: String,
    filename: String,
    auth_key: String,
    #[serde(default)]
    visible: String,
}

/// Why a file was not taken.
enum Problem {
    Label(String),
    AuthKey,
    Body(Refusal),
    Disk(String),
    /// Something that was written may be lost.
    DiskLost(String),
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        match self {
            Self::Label(sentence) => (StatusCode::BAD_REQUEST, sentence).into_response(),
            // Without a challenge: the original client would ask for a password on the terminal.
            Self::AuthKey => (StatusCode::UNAUTHORIZED, "wrong auth key\n").into_response(),
            Self::Body(refusal) => refusal.into_response(),
            Self::Disk(error) | Self::DiskLost(error) => {
                tracing::error!(error, "cannot store a file");
                (StatusCode::INTERNAL_SERVER_ERROR, "cannot store the file now\n").into_response()
            }
        }
    }
}

/// Receives one file.
pub(crate) async fn upload(State(collector): State<Arc<Collector>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    // It would be taken for an empty file.
    let framing = [header::CONTENT_LENGTH, header::TRANSFER_ENCODING];
    if !framing.iter().any(|name| parts.headers.contains_key(name)) {
        return Refusal::NoLength.into_response();
    }
    let plan = &collector.plan;
    let mut reader = BodyReader::new(body, plan.upload_bytes_max, plan.patience);
    if let Err(refusal) = reader.check(&parts.headers).await {
        return refusal.into_response();
    }
    let label = read_label(&parts.uri).and_then(|label| {
        let key = collector.auth_keys.check(&label.auth_key, Timestamp::now());
        key.map(|key| (key, label)).ok_or(Problem::AuthKey)
    });
    let (key, label) = match label {
        Ok(known) => known,
        Err(problem) => {
            reader.drain().await;
            return problem.into_response();
        }
    };
    let stored = match receive(&collector.artifacts_folder(), &mut reader).await {
        Ok(received) => {
            let collector = Arc::clone(&collector);
            let storing =
                tokio::task::spawn_blocking(move || store(&collector, key, label, received));
            storing.await.unwrap_or_else(|error| Err(Problem::Disk(error.to_string())))
        }
        Err(problem) => Err(problem),
    };
    match stored {
        Ok(()) => StatusCode::OK.into_response(),
        Err(problem) => problem.into_response(),
    }
}

fn read_label(uri: &Uri) -> Result<Label, Problem> {
    let Query(label) = Query::<Label>::try_from_uri(uri)
        .map_err(|_| Problem::Label("needs description, filename and auth_key\n".to_owned()))?;
    let fits = |text: &str, max| text.len() <= max && !text.contains('\0');
    if label.filename.is_empty() || !fits(&label.filename, FILENAME_BYTES_MAX) {
        let sentence = format!("filename: 1 to {FILENAME_BYTES_MAX} bytes without NUL\n");
        return Err(Problem::Label(sentence));
    }
    if !fits(&label.description, DESCRIPTION_BYTES_MAX) {
        let sentence = format!("description: at most {DESCRIPTION_BYTES_MAX} bytes without NUL\n");
        return Err(Problem::Label(sentence));
    }
    Ok(label)
}

/// A file that has arrived, neither synced nor in its place. Dropping it removes it.
struct Received {
    file: NamedTempFile,
    size: u64,
    sha256: Sha256Hex,
}

async fn receive(folder: &Path, reader: &mut BodyReader) -> Result<Received, Problem> {
    let failed = |error: io::Error| Problem::Disk(error.to_string());
    let file = tempfile::Builder::new().prefix(INCOMING).tempfile_in(folder).map_err(failed)?;
    let mut writing = tokio::fs::File::from_std(file.reopen().map_err(failed)?);
    let mut hash = Sha256::new();
    let mut size = 0;
    while let Some(piece) = reader.next().await.map_err(Problem::Body)? {
        hash.update(&piece);
        size += piece.len() as u64;
        if let Err(error) = writing.write_all(&piece).await {
            reader.drain().await;
            return Err(failed(error));
        }
    }
    writing.flush().await.map_err(failed)?;
    let sha256 = Sha256Hex::from(<[u8; 32]>::from(hash.finalize()));
    Ok(Received { file, size, sha256 })
}

/// Puts the content in its place for good, then records it.
fn store(
    collector: &Collector,
    key: ResultKey,
    label: Label,
    received: Received,
) -> Result<(), Problem> {
    let artifact = Artifact {
        filename: label.filename,
        description: label.description,
        size: received.size,
        sha256: received.sha256,
        visible: label.visible == "yes",
    };
    let _storing = collector.storing();
    let stored = collector.uploaded_bytes(key).map_err(|error| Problem::Disk(full(&error)))?;
    // None when the repository was replaced by another, but not the secret.
    let stored = stored.ok_or(Problem::AuthKey)?;
    let limit = collector.plan.uploads_bytes_max;
    if stored.saturating_add(artifact.size) > limit {
        return Err(Problem::Body(Refusal::TooLarge { limit }));
    }
    let kept = keep(&collector.artifacts_folder(), &artifact.sha256, received.file, File::sync_all);
    if let Err(Problem::DiskLost(_)) = kept {
        // Here, because the client may be gone, and before the next file is stored: when a sync of the same
        // content succeeds after this one, that says nothing.
        collector.lose_disk();
    }
    kept?;
    match collector.attach(key, &artifact) {
        Ok(true) => {
            tracing::info!(%key, filename = ?artifact.filename, size = artifact.size, "stored a file");
            Ok(())
        }
        // Gone meanwhile.
        Ok(false) => Err(Problem::AuthKey),
        Err(error) => Err(Problem::Disk(full(&error))),
    }
}

/// Puts content in its place, and makes it and its names durable. Also when it is there already: whoever put
/// it there may not have got so far.
fn keep(
    folder: &Path,
    sha256: &Sha256Hex,
    file: NamedTempFile,
    sync: impl Fn(&File) -> io::Result<()>,
) -> Result<(), Problem> {
    let failed = |error: io::Error| Problem::Disk(error.to_string());
    let lost = |error: io::Error| Problem::DiskLost(error.to_string());
    sync(file.as_file()).map_err(lost)?;
    let path = sha256.path_in(folder);
    let shard = path.parent().unwrap_or(folder);
    fs::create_dir_all(shard).map_err(failed)?;
    if !path.exists() {
        file.persist(&path).map_err(|error| failed(error.error))?;
    }
    // Only Unix can.
    for folder in [shard, folder].iter().filter(|_| cfg!(unix)) {
        let folder = File::open(folder).map_err(failed)?;
        sync(&folder).map_err(lost)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    fn label(query: &str) -> Option<Label> {
        read_label(&format!("/upload?{query}").parse().unwrap()).ok()
    }

    #[test]
    fn a_label_is_form_encoded() {
        let label = label("visible=yes&description=a+b%2Fc&auth_key=0&filename=%C3%A9+x").unwrap();
        assert_eq!((label.description.as_str(), label.filename.as_str()), ("a b/c", "é x"));
        assert_eq!(label.visible, "yes");
    }

    #[test]
    fn what_is_missing_is_not_made_up() {
        assert!(label("description=&filename=x&auth_key=0").is_some());
        for query in [
            "",
            "filename=x&auth_key=0",
            "description=&auth_key=0",
            "description=&filename=x",
            "description=&filename=&auth_key=0",
            "description=&filename=a%00b&auth_key=0",
            &format!("description=&filename={}&auth_key=0", "x".repeat(256)),
        ] {
            assert!(label(query).is_none(), "{query}");
        }
    }

    #[test]
    fn equal_content_is_kept_once() {
        let folder = tempfile::tempdir().unwrap();
        let sha256 = Sha256Hex::from([0xab; 32]);
        for _ in 0..2 {
            let file = NamedTempFile::new_in(folder.path()).unwrap();
            assert!(keep(folder.path(), &sha256, file, File::sync_all).is_ok());
        }
        assert!(sha256.path_in(folder.path()).is_file());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn a_failed_sync_is_not_forgotten_when_the_same_content_comes_again() {
        let folder = tempfile::tempdir().unwrap();
        let sha256 = Sha256Hex::from([0xab; 32]);
        for broken in [1, 2, 3, 2] {
            let file = NamedTempFile::new_in(folder.path()).unwrap();
            let synced = Cell::new(0);
            let kept = keep(folder.path(), &sha256, file, |_| {
                synced.set(synced.get() + 1);
                if synced.get() == broken { Err(io::Error::other("lost")) } else { Ok(()) }
            });
            assert!(matches!(kept, Err(Problem::DiskLost(_))), "sync {broken}");
        }
    }

    #[test]
    fn leftovers_of_a_crash_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("incoming-x"), "").unwrap();
        tidy(folder.path()).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
