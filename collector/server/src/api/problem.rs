//! [`Problem`]: why a request gets no answer, as JSON.

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use pony_store::StoreError;
use serde_json::json;

use crate::access::Denied;
use crate::body::Refusal;
use crate::refresher::full;

/// An error of the interface: `{"error": "<slug>", "detail": "<sentence>", "request_id": "<id>"}`. The slug is for
/// programs and stays as it is; the id is also in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    status: StatusCode,
    slug: &'static str,
    detail: String,
}

impl Problem {
    fn new(status: StatusCode, slug: &'static str, detail: impl Into<String>) -> Self {
        Self { status, slug, detail: detail.into() }
    }

    /// A request that cannot be read.
    pub(super) fn malformed(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "malformed", detail)
    }

    /// A request that can be read, but says what cannot be.
    pub(super) fn unacceptable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "unacceptable", detail)
    }

    pub(super) fn wrong_method() -> Self {
        let sentence =
            "this address does not take the method; the header Allow says which it takes";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", sentence)
    }

    pub(super) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", detail)
    }

    /// The fault is ours. Clients are told nothing about it.
    pub(super) fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the collector made a mistake")
    }
}

impl From<Denied> for Problem {
    fn from(denied: Denied) -> Self {
        let (status, sentence) = denied.status_and_sentence();
        let slug = match denied {
            Denied::NoToken => "token-missing",
            Denied::WrongToken => "token-wrong",
            Denied::ClientsUnknown => "unavailable",
            Denied::OtherSite => "other-site",
            Denied::OtherPackage => "other-package",
            Denied::AllowanceSpent => "allowance-spent",
        };
        Self::new(status, slug, sentence.trim_end())
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let (status, sentence) = refusal.status_and_sentence();
        let slug = match refusal {
            Refusal::TooLarge { .. } => "too-large",
            Refusal::TooSlow => "too-slow",
            Refusal::Interrupted => "interrupted",
            Refusal::Encoded => "encoding-unknown",
            Refusal::NoLength => "length-missing",
            Refusal::Busy => "unavailable",
        };
        Self::new(status, slug, sentence.trim_end())
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            // Of the submission alone: sending it again does not help.
            StoreError::TooLarge { .. } => Self::unacceptable(error.to_string()),
            StoreError::SubmissionIdTaken { .. } => {
                let status = StatusCode::UNPROCESSABLE_ENTITY;
                Self::new(status, "idempotency-key-taken", error.to_string())
            }
            StoreError::Damaged { .. } => {
                tracing::error!(error = full(&error), "the repository failed");
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "damaged", "it cannot be read")
            }
            _ => {
                tracing::error!(error = full(&error), "the repository failed");
                let sentence = "the results repository cannot be used now, try again later";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", sentence)
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Self { status, slug, detail } = self;
        let request_id = request_id();
        tracing::info!(request_id, status = status.as_u16(), slug, ?detail, "refused a request");
        let body = Json(json!({"error": slug, "detail": detail, "request_id": request_id}));
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        match status {
            StatusCode::UNAUTHORIZED => {
                headers.insert(header::WWW_AUTHENTICATE, Denied::CHALLENGE);
            }
            StatusCode::SERVICE_UNAVAILABLE => {
                headers.insert(header::RETRY_AFTER, RETRY_AFTER);
            }
            _ => {}
        }
        response
    }
}

/// Seconds.
const RETRY_AFTER: header::HeaderValue = header::HeaderValue::from_static("5");

/// Ties an answer to a line of the log. Without randomness it is empty.
fn request_id() -> String {
    getrandom::u64().map(|number| format!("{number:016x}")).unwrap_or_default()
}
