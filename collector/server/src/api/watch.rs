//! For whoever watches over the collector: is it there, can it store, what has it done.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;

use crate::collector::Collector;

/// `GET /health`: it answers.
pub(super) async fn health() -> &'static str {
    "ok\n"
}

/// `GET /ready`: results can be stored.
pub(super) async fn ready(State(collector): State<Arc<Collector>>) -> impl IntoResponse {
    match collector.disk_lost.is_raised() {
        false => (StatusCode::OK, "ok\n"),
        true => (StatusCode::SERVICE_UNAVAILABLE, "a sync has failed: see the log\n"),
    }
}

/// `GET /metrics`: the text form of Prometheus, version 0.0.4.
pub(super) async fn metrics(State(collector): State<Arc<Collector>>) -> impl IntoResponse {
    let counts = collector.counts();
    let lines = collector.coordinator().line_count();
    let mut text = String::new();
    for (name, kind, help, value) in [
        ("pony_results_stored_total", "counter", "Results stored since the start.", counts.stored),
        (
            "pony_results_failed_total",
            "counter",
            "Submissions that could not be stored.",
            counts.failed,
        ),
        ("pony_build_lines", "gauge", "Build lines with a result.", lines as u64),
    ] {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}");
    }
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text)
}
