//! An entry as text: canonical JSON.

use std::path::PathBuf;

use pony_formats::{Bag, Submission, Value, json};

use super::SpoolError;
use crate::parcel::Parcel;
use crate::target::{ServerUrl, Target};

/// What is written of a submission and where it goes.
pub(super) fn to_bag(parcel: &Parcel, target: &Target) -> Result<Bag, SpoolError> {
    let (client_info, results_list) = parcel.submission.clone().into_values();
    let (key, place) = match target {
        // Its `Display` leaves the credentials out.
        Target::Server(url) => ("server", url.to_string()),
        Target::Repository(path) => match path.to_str() {
            Some(text) => ("repo", text.to_owned()),
            None => return Err(SpoolError::PathIsNotText { path: path.clone() }),
        },
    };
    Ok(Bag::from([
        ("submission_id".to_owned(), Value::from(parcel.id.as_str())),
        ("client_info".to_owned(), client_info),
        ("results_list".to_owned(), results_list),
        (key.to_owned(), Value::String(place)),
    ]))
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
    let target = match (take("server"), take("repo")) {
        (Ok(Value::String(url)), Err(_)) => Target::Server(ServerUrl::parse(&url)?),
        (Err(_), Ok(Value::String(path))) => Target::Repository(PathBuf::from(path)),
        _ => return Err("expected either `server` or `repo`".to_owned()),
    };
    Ok((Parcel { id, submission }, target))
}
