//! What browsers ask for: the rendered pages, uploaded files, and to have something built.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{ConnectInfo, Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use pony_formats::ResultKey;
use pony_formats::names::{is_url_component, url_component};
use pony_store::{Artifact, StoreError};
use tower_http::services::{ServeDir, ServeFile};

use crate::access::{Caller, Denied};
use crate::collector::Collector;
use crate::listener::Peer;
use crate::refresher::full;
use crate::router::admit;

/// What may stand as it is in the file name of a download (RFC 8187).
const ATTR_CHAR: &AsciiSet = &NON_ALPHANUMERIC.remove(b'.').remove(b'-').remove(b'_').remove(b'~');

/// A rendered page, or anything else of the site.
pub(crate) async fn page(collector: &Collector, request: Request) -> Response {
    if let Some(path) = modern_path(request.uri().path(), |name| collector.key_named(name)) {
        let base = collector.plan.base_url.as_deref().unwrap_or("/");
        return Redirect::permanent(&format!("{base}{path}")).into_response();
    }
    // A redirection to `//p/` would lead to a host `p`.
    if request.uri().path().starts_with("//") {
        return not_found();
    }
    let form = feed_form(request.uri().path());
    let request = with_index(unconditional(request));
    match ServeDir::new(&collector.plan.site).try_call(request).await {
        Ok(response) if response.status() == StatusCode::NOT_FOUND => not_found(),
        Ok(response) => {
            let mut response = undated(response.map(Body::new));
            if let Some(form) = form.filter(|_| response.status() == StatusCode::OK) {
                let form = HeaderValue::from_static(form);
                response.headers_mut().insert(header::CONTENT_TYPE, form);
            }
            response
        }
        Err(error) => {
            tracing::warn!(%error, "cannot read the site");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// Names the page of a folder. Otherwise a folder that is made while it is looked for is taken for a file, and
/// the connection breaks when that cannot be read.
fn with_index(mut request: Request) -> Request {
    if request.uri().path().ends_with('/')
        && let Ok(uri) = format!("{}index.html", request.uri().path()).parse()
    {
        *request.uri_mut() = uri;
    }
    request
}

/// Leaves out what asks only for news: files are replaced more than once within the second that HTTP
/// counts in, and small enough to be sent again.
fn unconditional(mut request: Request) -> Request {
    for name in [header::IF_MODIFIED_SINCE, header::IF_UNMODIFIED_SINCE] {
        request.headers_mut().remove(name);
    }
    request
}

/// Leaves out what a browser would ask for news with.
fn undated(mut response: Response) -> Response {
    response.headers_mut().remove(header::LAST_MODIFIED);
    response
}

/// The path of a page that was written as the original server or a person wrote it: the package as it is or
/// percent-encoded, the result by its number. `None` when it is written as the site writes it.
fn modern_path(path: &str, key_named: impl Fn(&str) -> Option<ResultKey>) -> Option<String> {
    let mut parts = path.strip_prefix("/p/")?.splitn(3, '/');
    let (package, result, tail) = (parts.next()?, parts.next(), parts.next());
    let mut modern = "p/".to_owned();
    if is_url_component(package) {
        modern.push_str(package);
    } else {
        modern.push_str(&url_component(&percent_decode_str(package).decode_utf8().ok()?));
    }
    if let Some(result) = result {
        let key = key_named(result).map(|key| key.to_string());
        modern.extend(["/", key.as_deref().unwrap_or(result)]);
    }
    if let Some(tail) = tail {
        modern.extend(["/", tail]);
    }
    (modern != path[1..]).then_some(modern)
}

/// Whether this is a feed. Those at the addresses that the original server gave them have no extension to
/// tell their type by.
fn feed_form(path: &str) -> Option<&'static str> {
    if !path.starts_with("/rss2/") || path.ends_with('/') {
        return None;
    }
    Some(match path.rsplit_once('.') {
        Some((_, "atom")) => "application/atom+xml",
        Some((_, "json")) => "application/feed+json",
        _ => "application/rss+xml",
    })
}

/// A visible file of a result. Never shown in the browser: it may be a page with a script in it.
pub(crate) async fn artifact(
    State(collector): State<Arc<Collector>>,
    Path((package, key, filename)): Path<(String, String, String)>,
    request: Request,
) -> Response {
    let contents = collector.contents.clone();
    let found = in_background(move || find_artifact(&collector, &package, &key, &filename)).await;
    let artifact = match found {
        Ok(Some(artifact)) => artifact,
        Ok(None) => return not_found(),
        Err(response) => return response,
    };
    let path = contents.path_of(&artifact.sha256);
    match ServeFile::new(path).try_call(unconditional(request)).await {
        Ok(response) if response.status() == StatusCode::NOT_FOUND => not_found(),
        Ok(response) => as_download(undated(response.map(Body::new)), &artifact.filename),
        Err(error) => {
            tracing::warn!(%error, "cannot read an uploaded file");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

fn as_download(mut response: Response, filename: &str) -> Response {
    let filename = utf8_percent_encode(filename, ATTR_CHAR);
    let disposition = format!("attachment; filename*=UTF-8''{filename}");
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; sandbox"),
    );
    if let Ok(disposition) = HeaderValue::from_str(&disposition) {
        headers.insert(header::CONTENT_DISPOSITION, disposition);
    }
    response
}

/// Makes the next machine that asks build what this result is of.
pub(crate) async fn request_build(
    State(collector): State<Arc<Collector>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Path((package, key)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let caller = match admit(&collector, &headers, peer).await {
        Ok(caller) => caller,
        Err(denied) => return denied.with_prompt(),
    };
    let requested = move || request_build_of(&collector, &caller, &package, &key);
    match in_background(requested).await {
        Ok(Ok(true)) => Redirect::to("../").into_response(),
        Ok(Ok(false)) => not_found(),
        Ok(Err(denied)) => denied.into_response(),
        Err(response) => response,
    }
}

fn request_build_of(
    collector: &Collector,
    caller: &Caller,
    package: &str,
    key: &str,
) -> Result<Result<bool, Denied>, StoreError> {
    let Some((package, key)) = find_result(collector, package, key)? else { return Ok(Ok(false)) };
    if let Err(denied) = caller.check(&package) {
        return Ok(Err(denied));
    }
    let Some(summary) = collector.snapshot()?.summary(&package, key)? else { return Ok(Ok(false)) };
    Ok(Ok(collector.coordinator().request(summary.client_info.tagset())))
}

/// The last visible file of this name.
fn find_artifact(
    collector: &Collector,
    package: &str,
    key: &str,
    filename: &str,
) -> Result<Option<Artifact>, StoreError> {
    let Some((package, key)) = find_result(collector, package, key)? else { return Ok(None) };
    let artifacts = match collector.snapshot()?.artifacts(&package, key) {
        // Pushed by somebody: it names no file.
        Err(StoreError::Damaged { subject, reason }) => {
            tracing::warn!(subject, reason, "unreadable record of a file");
            return Ok(None);
        }
        read => read?,
    };
    let newest = artifacts.into_iter().rfind(|artifact| artifact.filename == filename);
    Ok(newest.filter(|artifact| artifact.visible))
}

/// The result that an address names. Package and key must belong together; the package may be
/// written as the site writes it or, decoded, as the original server wrote it.
fn find_result(
    collector: &Collector,
    package: &str,
    key: &str,
) -> Result<Option<(String, ResultKey)>, StoreError> {
    let Some(key) = collector.key_named(key) else { return Ok(None) };
    let name = collector.snapshot()?.package_of(key)?;
    let matching = name.filter(|name| url_component(name) == package || name == package);
    Ok(matching.map(|name| (name, key)))
}

/// Runs what blocks where it may.
async fn in_background<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, Response> {
    match tokio::task::spawn_blocking(work).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => {
            tracing::error!(error = full(&error), "the repository failed");
            Err(StatusCode::INTERNAL_SERVER_ERROR.into_response())
        }
        Err(_) => Err(StatusCode::INTERNAL_SERVER_ERROR.into_response()),
    }
}

fn not_found() -> Response {
    (StatusCode::NOT_FOUND, "there is nothing at this address\n").into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_asked_for_by_its_page() {
        let path = |uri: &str| {
            let request = Request::builder().uri(uri).body(Body::empty()).unwrap();
            with_index(request).uri().path().to_owned()
        };
        assert_eq!(path("/"), "/index.html");
        assert_eq!(path("/p/hayloft/?x"), "/p/hayloft/index.html");
        assert_eq!(path("/style.css"), "/style.css");
        assert_eq!(path("/p/hayloft"), "/p/hayloft");
    }

    #[test]
    fn old_addresses_lead_to_their_pages() {
        let key_named = |name: &str| match name {
            "41" => "1767323045678000042".parse().ok(),
            other => other.parse().ok(),
        };
        let cases = [
            ("/p/a%2Fb/", Some("p/a~2fb/")),
            ("/p/my%20pkg/show_all", Some("p/my~20pkg/show_all")),
            ("/p/my%20pkg", Some("p/my~20pkg")),
            ("/p/a+b/", Some("p/a~2bb/")),
            ("/p/%2e%2e/", Some("p/~2e~2e/")),
            ("/p/a%41/", Some("p/aA/")),
            ("/p/hayloft/41/", Some("p/hayloft/1767323045678000042/")),
            ("/p/a%2Fb/41/files/x%20y", Some("p/a~2fb/1767323045678000042/files/x%20y")),
            ("/p/hayloft/42/", None),
            ("/p/hayloft/1767323045678000042/", None),
            ("/p/hayloft/", None),
            ("/p/CON/", Some("p/~43ON/")),
            ("/p/.git/", Some("p/~2egit/")),
            ("/p/../", Some("p/~2e~2e/")),
            ("/p/a~b/", Some("p/a~7eb/")),
            ("/p/a%7E2fb/", Some("p/a~7e2fb/")),
            ("/p/readme.md/", Some("p/~72eadme.md/")),
            ("/p/~43ON/", None),
            ("/p/a~2fb/1/", None),
            ("/p/%ff/", None),
            ("/", None),
            ("/a%20b/", None),
        ];
        for (old, modern) in cases {
            assert_eq!(modern_path(old, key_named).as_deref(), modern, "{old}");
            let again = modern.and_then(|path| modern_path(&format!("/{path}"), key_named));
            assert_eq!(again, None, "{old} would redirect for ever");
        }
    }
}
