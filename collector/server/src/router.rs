//! Every address.

use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use pony_formats::{SubmissionId, SubmissionIdError};
use tokio::sync::oneshot;
use tower_http::set_header::SetResponseHeaderLayer;

use crate::access::{Caller, Denied};
use crate::body::{BodyReader, Refusal, accounted};
use crate::collector::{Collector, Sender};
use crate::listener::Peer;
use crate::{api, rpc, site, upload};

/// Pages show what strangers sent: no script runs but the one of the site, nothing is loaded from elsewhere.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; \
     img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The longest call of somebody who may not submit, in bytes: everybody may ask for what the site shows.
const QUESTION_BYTES_MAX: usize = 64 * 1024;

/// The header that names a submission.
const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// All routes.
pub(crate) fn router(collector: Arc<Collector>) -> Router {
    let header = |name: HeaderName, value| {
        SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
    };
    Router::new()
        .route("/xmlrpc", post(xmlrpc))
        .route("/upload", post(upload::upload))
        .route("/p/{package}/{key}/files/{*filename}", get(site::artifact))
        .route("/p/{package}/{key}/request_build", post(site::request_build))
        .merge(api::routes())
        .fallback(elsewhere)
        .with_state(collector)
        .layer(from_fn(refuse_ambiguous))
        .layer(header(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY))
        .layer(header(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(header(header::REFERRER_POLICY, "same-origin"))
}

/// Clients are given a base address with any path, so the two addresses they post to may be below
/// any prefix. Everything else is the site.
async fn elsewhere(
    State(collector): State<Arc<Collector>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    request: Request,
) -> Response {
    let last = request.uri().path().rsplit('/').next().unwrap_or_default();
    match (request.method().clone(), last) {
        (Method::POST, "xmlrpc") => xmlrpc(State(collector), ConnectInfo(peer), request).await,
        (Method::POST, "upload") => {
            upload::upload(State(collector), ConnectInfo(peer), request).await
        }
        _ if request.uri().path().starts_with("/api/") => api::nothing_here().into_response(),
        (Method::GET | Method::HEAD, _) => site::page(&collector, request).await,
        _ => (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET, HEAD")], "").into_response(),
    }
}

/// One call. Its answer, fault or not, has status 200: the original client reads no other.
async fn xmlrpc(
    State(collector): State<Arc<Collector>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let plan = &collector.plan;
    let caller = admit(&collector, &parts.headers, peer).await;
    let limit = if caller.is_ok() { usize::MAX } else { QUESTION_BYTES_MAX };
    let limit = plan.body_bytes_max.min(limit);
    let mut reader = BodyReader::new(body, limit, plan.patience);
    let received = match reader.check(&parts.headers).await {
        Ok(()) => reader.read(&collector.memory).await,
        Err(refusal) => Err(refusal),
    };
    let body = match (received, &caller) {
        (Ok(body), _) => body,
        (Err(Refusal::TooLarge { .. }), Err(denied)) => return denied.into_response(),
        (Err(refusal), _) => return refusal.into_response(),
    };
    let submission_id = match submission_id(&parts.headers) {
        Ok(id) => id,
        Err(reason) => return (StatusCode::BAD_REQUEST, format!("{reason}\n")).into_response(),
    };
    let permit = Arc::clone(&collector.calls).acquire_owned().await;
    // Once it is running, a call is finished also when its client goes away.
    let (reply, answer) = oneshot::channel();
    let working = Arc::clone(&collector);
    tokio::task::spawn_blocking(move || {
        let _permit = permit;
        // Nobody receives it when the client is gone.
        let client = caller.as_ref().ok().and_then(Caller::name).map(str::to_owned);
        let sender = Sender { address: peer.ip(), client, submission_id };
        rpc::answer(&working, body, caller, sender, move |text| drop(reply.send(text)));
    });
    match answer.await {
        Ok(Ok(text)) => match accounted(text, &collector.memory) {
            Ok(answer) => ([(header::CONTENT_TYPE, "text/xml")], answer).into_response(),
            Err(refusal) => refusal.into_response(),
        },
        Ok(Err(denied)) => denied.into_response(),
        // It has panicked.
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// Who sends a request, or why they may not submit.
pub(crate) async fn admit(
    collector: &Arc<Collector>,
    headers: &HeaderMap,
    peer: Peer,
) -> Result<Caller, Denied> {
    let (collector, headers) = (Arc::clone(collector), headers.clone());
    let admitting = move || collector.access.admit(&headers, peer.ip());
    tokio::task::spawn_blocking(admitting).await.unwrap_or(Err(Denied::ClientsUnknown))
}

/// What the client calls the submission, as the IETF draft draft-ietf-httpapi-idempotency-key-header names
/// the header; the value is taken as it is.
pub(crate) fn submission_id(headers: &HeaderMap) -> Result<Option<SubmissionId>, String> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => {
            let id = value.to_str().map_err(|_| SubmissionIdError).and_then(str::parse);
            id.map(Some).map_err(|error| format!("Idempotency-Key: {error}"))
        }
        (Some(_), Some(_)) => Err("more than one Idempotency-Key".to_owned()),
    }
}

/// A proxy before us may see another end of such a request than we do, and take what follows for the
/// request of somebody else. hyper has dropped the `Content-Length` of a chunked request by now, so
/// after any of those the connection is closed; the original client never sends one.
async fn refuse_ambiguous(request: Request, next: Next) -> Response {
    let headers = request.headers();
    if headers.get_all(header::HOST).iter().nth(1).is_some() {
        let close = [(header::CONNECTION, "close")];
        return (StatusCode::BAD_REQUEST, close, "more than one Host\n").into_response();
    }
    let is_chunked = headers.contains_key(header::TRANSFER_ENCODING);
    let mut response = next.run(request).await;
    if is_chunked {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}
