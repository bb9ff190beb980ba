//! `/api/v1`: the same as the original protocol offers, and more, for whatever speaks HTTP and JSON.
//! `openapi.json` describes it, and is served beside it.

mod problem;
mod query;
mod read;
mod receive;
mod submit;
mod watch;

use std::sync::Arc;

use axum::Router;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::{get, post};

use crate::collector::Collector;

pub(crate) use problem::Problem;

/// The OpenAPI 3.1 document.
const OPENAPI: &str = include_str!("api/openapi.json");

/// All addresses of the interface for programs.
pub(crate) fn routes() -> Router<Arc<Collector>> {
    Router::new()
        .route("/api/v1/openapi.json", get(openapi))
        .route("/api/v1/results", post(submit::submit))
        .route("/api/v1/results/{key}", get(read::result))
        .route("/api/v1/results/{key}/steps/{step}/{stream}", get(read::stream))
        .route("/api/v1/packages", get(read::packages))
        .route("/api/v1/packages/{package}/latest", get(read::latest))
        .route("/api/v1/packages/{package}/results", get(read::results))
        .route("/api/v1/should-build", post(submit::should_build))
        .route("/health", get(watch::health))
        .route("/ready", get(watch::ready))
        .route("/metrics", get(watch::metrics))
        .method_not_allowed_fallback(wrong_method)
}

async fn openapi() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], OPENAPI)
}

/// The answer at all other addresses below `/api/`.
pub(crate) fn nothing_here() -> Problem {
    Problem::not_found("there is nothing at this address; /api/v1/openapi.json lists all")
}

/// The header `Allow` is added by axum.
async fn wrong_method() -> Problem {
    Problem::wrong_method()
}
