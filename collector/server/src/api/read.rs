//! What can be read: what the site shows, for programs.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use jiff::Timestamp;
use pony_formats::{Receipt, ResultKey, json};
use pony_store::{IndexEntry, Scope, StoreError};
use serde::Deserialize;
use serde_json::{Value as JsonValue, json};

use super::Problem;
use crate::collector::Collector;

/// Results in one answer, unless fewer are asked for.
const PAGE_MAX: usize = 100;

/// `GET /api/v1/results/{key}`: a stored triple, by key or number.
pub(super) async fn result(
    State(collector): State<Arc<Collector>>,
    Path(name): Path<String>,
) -> Result<Json<JsonValue>, Problem> {
    let read = move || {
        let result = collector.key_named(&name).map(|key| collector.read(key));
        Ok(result.transpose()?.flatten())
    };
    let Some(result) = in_background(read).await? else {
        return Err(Problem::not_found("no such result"));
    };
    let (client_info, results_list) = result.submission.into_values();
    Ok(Json(json!({
        "receipt": receipt(&result.receipt),
        "client_info": json::to_json(&client_info),
        "results_list": json::to_json(&results_list),
    })))
}

/// `GET /api/v1/packages`: the names of all packages, with how many build lines each has.
pub(super) async fn packages(State(collector): State<Arc<Collector>>) -> Json<JsonValue> {
    let coordinator = collector.coordinator();
    let packages =
        coordinator.packages().map(|(name, lines)| json!({"package": name, "build_lines": lines}));
    Json(json!({"packages": packages.collect::<Vec<_>>()}))
}

/// `GET /api/v1/packages/{package}/latest`: the newest result of each build line.
pub(super) async fn latest(
    State(collector): State<Arc<Collector>>,
    Path(package): Path<String>,
) -> Result<Json<JsonValue>, Problem> {
    let read = move || {
        let keys: Vec<ResultKey> = collector.coordinator().newest_of(&package);
        let entries = keys.into_iter().filter_map(|key| collector.entry(key).transpose());
        let entries: Vec<IndexEntry> = entries.collect::<Result<_, _>>()?;
        Ok(entries.iter().map(|entry| row(&collector, entry)).collect::<Vec<_>>())
    };
    let rows = in_background(read).await?;
    if rows.is_empty() {
        return Err(Problem::not_found("no such package"));
    }
    Ok(Json(json!({"results": rows})))
}

/// How far to read.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Portion {
    limit: Option<usize>,
    /// Only results before this one.
    before: Option<String>,
}

/// `GET /api/v1/packages/{package}/results`: the results of a package, newest first. `next` is what to give as
/// `before` to go on; it is null at the end.
pub(super) async fn results(
    State(collector): State<Arc<Collector>>,
    Path(package): Path<String>,
    portion: Result<Query<Portion>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<JsonValue>, Problem> {
    let Query(portion) =
        portion.map_err(|_| Problem::malformed("expected `limit` and `before`, or neither"))?;
    let limit = portion.limit.unwrap_or(PAGE_MAX);
    if !(1..=PAGE_MAX).contains(&limit) {
        return Err(Problem::unacceptable(format!("`limit`: expected 1 to {PAGE_MAX}")));
    }
    let before = match portion.before.as_deref().map(str::parse::<ResultKey>) {
        None => None,
        Some(Ok(key)) => Some(key),
        Some(Err(_)) => {
            return Err(Problem::unacceptable("`before`: expected the key of a result"));
        }
    };
    let read = move || {
        let scope = Scope::Package(package);
        let Some(found) = collector.results(scope, before)? else { return Ok(None) };
        let entries: Vec<IndexEntry> = found.take(limit + 1).collect::<Result<_, _>>()?;
        let next =
            entries.get(limit).and(entries.get(limit - 1)).map(|last| last.key().to_string());
        let rows: Vec<_> = entries.iter().take(limit).map(|entry| row(&collector, entry)).collect();
        Ok(Some(json!({"results": rows, "next": next})))
    };
    let unknown = || Problem::unacceptable("`before`: no such result");
    in_background(read).await?.map(Json).ok_or_else(unknown)
}

/// A result in a list.
fn row(collector: &Collector, entry: &IndexEntry) -> JsonValue {
    let tagset = &entry.tagset;
    json!({
        "key": entry.key().to_string(),
        "number": entry.receipt.number,
        "package": tagset.package,
        "host": tagset.host,
        "arch": tagset.arch,
        "tags": tagset.tags,
        "success": entry.success,
        "received": time(entry.receipt.received),
        "duration": entry.duration,
        "client": entry.receipt.client,
        "url": collector.page_of(&tagset.package, entry.key()),
    })
}

/// Without the address that a result came from: it is nobody's business.
fn receipt(receipt: &Receipt) -> JsonValue {
    json!({
        "key": receipt.key.to_string(),
        "number": receipt.number,
        "received": time(receipt.received),
        "submission_id": receipt.submission_id.as_ref().map(|id| id.as_str()),
        "client": receipt.client,
        "flags": receipt.flags,
    })
}

/// RFC 3339, in milliseconds: more is not stored.
fn time(time: Timestamp) -> String {
    format!("{time:.3}")
}

/// Runs what blocks where it may.
async fn in_background<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, Problem> {
    let done = tokio::task::spawn_blocking(work).await;
    Ok(done.map_err(|_| Problem::internal())??)
}
