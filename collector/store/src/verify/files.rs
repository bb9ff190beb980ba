//! Whether the content of uploaded files is there, as it was recorded. git does not hold it, so a clone does
//! not have it.

use std::fs::File;
use std::io;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::Findings;
use crate::{Action, Artifact, Sha256Hex, Snapshot, Store, StoreError};

pub(super) fn check(
    store: &Store,
    snapshot: &Snapshot,
    findings: &mut Findings,
) -> Result<(), StoreError> {
    let folder = store.artifacts_path();
    let is_here = folder.is_dir();
    let mut recorded = 0_u64;
    for package in snapshot.packages()? {
        for key in snapshot.results(&package)? {
            let artifacts = match snapshot.artifacts(&package, key) {
                Ok(artifacts) => artifacts,
                Err(error) => {
                    findings.found(error)?;
                    continue;
                }
            };
            recorded += artifacts.len() as u64;
            for artifact in artifacts.iter().filter(|_| is_here) {
                findings.checked.files += 1;
                if let Some(reason) = difference(&artifact.sha256.path_in(&folder), artifact)? {
                    let subject = format!("file {} of result {key}", artifact.sha256);
                    findings.damaged(subject, reason);
                }
            }
        }
    }
    if recorded > 0 && !is_here {
        findings.note(format!("{recorded} uploaded files were not looked at: they are not here"));
    }
    Ok(())
}

/// What is wrong with the content.
fn difference(path: &Path, artifact: &Artifact) -> Result<Option<String>, StoreError> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Ok(Some("its content is missing".to_owned()));
        }
        Err(error) => return Err(StoreError::io(Action::Open, path)(error)),
    };
    let mut hash = Sha256::new();
    let size = io::copy(&mut file, &mut hash).map_err(StoreError::io(Action::Read, path))?;
    if size != artifact.size {
        return Ok(Some(format!("its content has {size} bytes instead of {}", artifact.size)));
    }
    let found = Sha256Hex::from(<[u8; 32]>::from(hash.finalize()));
    Ok((found != artifact.sha256).then(|| format!("its content has the hash {found}")))
}
