//! What can be read: what the site shows, for programs.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use pony_formats::{Receipt, ResultKey, json};
use pony_store::{IndexEntry, Scope, StoreError};
use serde::Deserialize;
use serde_json::{Value as JsonValue, json};

use super::Problem;
use crate::body::accounted;
use crate::collector::Collector;

/// What most answers are.
const JSON: &str = "application/json";

/// Results in one answer, unless fewer are asked for.
const PAGE_MAX: usize = 100;

/// `GET /api/v1/results/{key}`: a stored triple, by key or number.
pub(super) async fn result(
    State(collector): State<Arc<Collector>>,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    let reading = Arc::clone(&collector);
    let read = move || {
        let result = reading.key_named(&name).map(|key| reading.read(key));
        let Some(result) = result.transpose()?.flatten() else { return Ok(None) };
        let (client_info, results_list) = result.submission.into_values();
        let result = json!({
            "receipt": receipt(&result.receipt),
            "client_info": json::to_json(&client_info),
            "results_list": json::to_json(&results_list),
        });
        Ok(Some(result.to_string()))
    };
    answer(&collector, read, "no such result", JSON).await
}

/// `GET /api/v1/results/{key}/steps/{step}/{stream}`: what a step wrote, as text. Steps are counted from 0.
pub(super) async fn stream(
    State(collector): State<Arc<Collector>>,
    Path((name, step, stream)): Path<(String, String, String)>,
) -> Result<Response, Problem> {
    let reading = Arc::clone(&collector);
    let read = move || {
        let (Some(key), Ok(step)) = (reading.key_named(&name), step.parse()) else {
            return Ok(None);
        };
        reading.stream(key, step, &stream)
    };
    answer(&collector, read, "no such result, step or stream", "text/plain; charset=utf-8").await
}

/// `GET /api/v1/packages`: the names of all packages, with how many build lines each has.
pub(super) async fn packages(State(collector): State<Arc<Collector>>) -> Result<Response, Problem> {
    let reading = Arc::clone(&collector);
    let read = move || {
        let packages: Vec<_> = reading
            .coordinator()
            .packages()
            .map(|(name, lines)| json!({"package": name, "build_lines": lines}))
            .collect();
        Ok(Some(json!({"packages": packages}).to_string()))
    };
    answer(&collector, read, "no packages", JSON).await
}

/// `GET /api/v1/packages/{package}/latest`: the newest result of each build line.
pub(super) async fn latest(
    State(collector): State<Arc<Collector>>,
    Path(package): Path<String>,
) -> Result<Response, Problem> {
    let reading = Arc::clone(&collector);
    let read = move || {
        let keys: Vec<ResultKey> = reading.coordinator().newest_of(&package);
        let entries = reading.entries(&keys)?;
        let rows: Vec<_> = entries.iter().map(|entry| row(&reading, entry)).collect();
        Ok((!rows.is_empty()).then(|| json!({"results": rows}).to_string()))
    };
    answer(&collector, read, "no such package", JSON).await
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
) -> Result<Response, Problem> {
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
    let reading = Arc::clone(&collector);
    let read = move || {
        let scope = Scope::Package(package);
        let Some(found) = reading.results(scope, before)? else { return Ok(None) };
        let entries: Vec<IndexEntry> = found.take(limit + 1).collect::<Result<_, _>>()?;
        let next =
            entries.get(limit).and(entries.get(limit - 1)).map(|last| last.key().to_string());
        let rows: Vec<_> = entries.iter().take(limit).map(|entry| row(&reading, entry)).collect();
        Ok(Some(json!({"results": rows, "next": next}).to_string()))
    };
    answer(&collector, read, "`before`: no such result", JSON).await
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
        "client": receipt.client,
        "flags": receipt.flags,
    })
}

/// RFC 3339, in milliseconds: more is not stored.
fn time(time: Timestamp) -> String {
    format!("{time:.3}")
}

/// Reads where it may block, as many at a time as calls are worked on, and holds the answer's share of the
/// memory until it is sent: anybody may ask, and answers may be long.
async fn answer(
    collector: &Arc<Collector>,
    read: impl FnOnce() -> Result<Option<String>, StoreError> + Send + 'static,
    absent: &'static str,
    kind: &'static str,
) -> Result<Response, Problem> {
    let permit = Arc::clone(&collector.calls).acquire_owned().await;
    let reading = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        read()
    });
    let text = reading.await.map_err(|_| Problem::internal())??;
    let text = text.ok_or_else(|| Problem::not_found(absent))?;
    let body = accounted(text, &collector.memory)?;
    Ok(([(header::CONTENT_TYPE, kind)], body).into_response())
}
