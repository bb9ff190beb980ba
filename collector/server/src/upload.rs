//! `POST /upload`: a file that belongs to a result. git holds what is said about it, the content is stored
//! beside, by its hash: no name from outside becomes a path.

use std::io;
use std::sync::Arc;

use axum::extract::{ConnectInfo, Query, Request, State};
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use pony_formats::ResultKey;
use pony_store::{Artifact, Contents, Sha256Hex, StoreError};
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;
use tokio::io::AsyncWriteExt as _;

use crate::access::{Caller, Denied, origin};
use crate::body::{BodyReader, Refusal};
use crate::collector::Collector;
use crate::listener::Peer;
use crate::refresher::full;

/// Longest file name, in bytes.
const FILENAME_BYTES_MAX: usize = 255;

/// Longest description, in bytes.
const DESCRIPTION_BYTES_MAX: usize = 4096;

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
    Denied(Denied),
    Body(Refusal),
    Disk(String),
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        match self {
            Self::Label(sentence) => (StatusCode::BAD_REQUEST, sentence).into_response(),
            // Without a challenge: the original client would ask for a password on the terminal.
            Self::AuthKey => (StatusCode::UNAUTHORIZED, "wrong auth key\n").into_response(),
            Self::Denied(denied) => denied.into_response(),
            Self::Body(refusal) => refusal.into_response(),
            Self::Disk(error) => {
                tracing::error!(error, "cannot store a file");
                (StatusCode::INTERNAL_SERVER_ERROR, "cannot store the file now\n").into_response()
            }
        }
    }
}

/// Receives one file. The auth key is the right to add it, and only whoever submitted the result has that.
pub(crate) async fn upload(
    State(collector): State<Arc<Collector>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    request: Request,
) -> Response {
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
    let caller = origin(&parts.headers, peer.ip());
    let stored = match receive(&collector.contents, &mut reader).await {
        Ok(received) => {
            // Taken here, so that those who wait for it hold no thread. It goes with the work, whatever becomes of
            // the client.
            let turn = collector.storing().await;
            let collector = Arc::clone(&collector);
            let storing = tokio::task::spawn_blocking(move || {
                let stored = store(&collector, key, label, &caller, received);
                drop(turn);
                stored
            });
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

async fn receive(contents: &Contents, reader: &mut BodyReader) -> Result<Received, Problem> {
    let failed = |error: io::Error| Problem::Disk(error.to_string());
    let file = contents.incoming().map_err(|error| Problem::Disk(full(&error)))?;
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

/// Puts the content in its place for good, then records it. Only for whoever has the turn.
fn store(
    collector: &Collector,
    key: ResultKey,
    label: Label,
    caller: &Caller,
    received: Received,
) -> Result<(), Problem> {
    let artifact = Artifact {
        filename: label.filename,
        description: label.description,
        size: received.size,
        sha256: received.sha256,
        visible: label.visible == "yes",
    };
    let stored = collector.uploads(key).map_err(|error| Problem::Disk(full(&error)))?;
    // None when the repository was replaced by another, but not the secret.
    let stored = stored.ok_or(Problem::AuthKey)?;
    // Then the answer to it was lost.
    let newest = stored.iter().rev().find(|known| known.filename == artifact.filename);
    let is_known = newest == Some(&artifact);
    let bytes = stored.iter().fold(0, |sum: u64, artifact| sum.saturating_add(artifact.size));
    let limit = collector.plan.uploads_bytes_max;
    if !is_known && bytes.saturating_add(artifact.size) > limit {
        return Err(Problem::Body(Refusal::TooLarge { limit }));
    }
    if !collector.has_client(key).map_err(|error| Problem::Disk(full(&error)))? {
        collector.access.spend(caller, artifact.size).map_err(Problem::Denied)?;
    }
    let kept = collector.contents.keep(received.file, &artifact.sha256);
    if let Err(StoreError::DiskLost { .. }) = kept {
        // Here, because the client may be gone, and before the next file is stored: when a sync of the same
        // content succeeds after this one, that says nothing.
        collector.lose_disk();
    }
    kept.map_err(|error| Problem::Disk(full(&error)))?;
    if is_known {
        return Ok(());
    }
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

#[cfg(test)]
mod tests {
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
}
