//! An entry as text: JSON.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use pony_formats::json::{self, StoredBag, StoredSteps};
use pony_formats::{Submission, Value};
use serde::Serialize;

use super::SpoolError;
use crate::parcel::Parcel;
use crate::target::{GitUrl, ServerUrl, Target};

/// An entry, to be written.
#[derive(Serialize)]
pub(super) struct Document<'e> {
    submission_id: &'e str,
    client_info: StoredBag<'e>,
    results_list: StoredSteps<'e>,
    #[serde(flatten)]
    place: Place<'e>,
}

/// Where it is to go.
#[derive(Serialize)]
#[serde(untagged)]
enum Place<'e> {
    Server {
        server: String,
    },
    Repository {
        repo: &'e str,
    },
    GitHost {
        git: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        branch: Option<&'e str>,
    },
}

impl<'e> Document<'e> {
    pub(super) fn of(parcel: &'e Parcel, target: &'e Target) -> Result<Self, SpoolError> {
        let place = match target {
            // Its `Display` leaves the credentials out.
            Target::Server(url) => Place::Server { server: url.to_string() },
            Target::GitHost(url) => {
                Place::GitHost { git: url.to_string(), branch: url.named_branch() }
            }
            Target::Repository(path) => match path.to_str() {
                Some(repo) => Place::Repository { repo },
                None => return Err(SpoolError::PathIsNotText { path: path.clone() }),
            },
        };
        Ok(Self {
            submission_id: parcel.id.as_str(),
            client_info: StoredBag(parcel.submission.client_info.bag()),
            results_list: StoredSteps(&parcel.submission.results_list),
            place,
        })
    }

    pub(super) fn write(&self, out: impl Write) -> io::Result<()> {
        let mut out = BufWriter::new(out);
        serde_json::to_writer(&mut out, self)?;
        out.flush()
    }
}

/// Reads an entry back. `name` is that of its file without the extension: entries of versions before there were
/// ids are named after it. An error is a reason.
pub(super) fn from_text(text: &[u8], name: &str) -> Result<(Parcel, Target), String> {
    let Value::Struct(mut bag) = json::from_text(text).map_err(|error| error.to_string())? else {
        return Err("expected a JSON object".to_owned());
    };
    let mut take = |key: &str| bag.remove(key).ok_or(format!("`{key}` is missing"));
    let (client_info, results_list) = (take("client_info")?, take("results_list")?);
    let submission = Submission::from_values(client_info, results_list);
    let submission = submission.map_err(|error| error.to_string())?;
    let id = match take("submission_id") {
        Err(_) => name.to_owned(),
        Ok(Value::String(id)) => id,
        Ok(_) => return Err("`submission_id` is no text".to_owned()),
    };
    let id = id.parse().map_err(|error| format!("`submission_id`: {error}"))?;
    let branch = match take("branch") {
        Err(_) => None,
        Ok(Value::String(name)) => Some(name),
        Ok(_) => return Err("`branch` is no text".to_owned()),
    };
    let target = match (take("server"), take("repo"), take("git")) {
        (Ok(Value::String(url)), Err(_), Err(_)) => Target::Server(ServerUrl::parse(&url)?),
        (Err(_), Ok(Value::String(path)), Err(_)) => Target::Repository(PathBuf::from(path)),
        (Err(_), Err(_), Ok(Value::String(url))) => Target::GitHost(match Path::new(&url) {
            path if path.is_absolute() => GitUrl::of_path(path, branch)?,
            _ => GitUrl::parse(&url, branch)?,
        }),
        _ => return Err("expected one of `server`, `repo` and `git`".to_owned()),
    };
    Ok((Parcel { id, submission }, target))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_is_read_back() {
        let tagset = pony_formats::Tagset {
            package: "hayloft".to_owned(),
            host: "shed".to_owned(),
            arch: "x".to_owned(),
            tags: std::collections::BTreeSet::new(),
        };
        let client_info = pony_formats::ClientInfo::new(&tagset, true).unwrap();
        let submission = Submission { client_info, results_list: vec![] };
        let parcel = Parcel { id: "a-1".parse().unwrap(), submission };
        let branch = || Some("results".to_owned());
        for target in [
            Target::Server(ServerUrl::parse("http://ci.example/x/").unwrap()),
            Target::Repository(PathBuf::from("/my folder/results.git")),
            Target::GitHost(GitUrl::parse("https://forge.example/r.git", branch()).unwrap()),
            Target::GitHost(GitUrl::of_path(Path::new("/my folder/cart.git"), branch()).unwrap()),
        ] {
            let mut text = Vec::new();
            Document::of(&parcel, &target).unwrap().write(&mut text).unwrap();
            assert_eq!(from_text(&text, "x").unwrap(), (parcel.clone(), target));
        }
    }
}
