//! Over XML-RPC to a collector: the call is written by `xmlrpc`, carried by `ureq` and the answer
//! read by our own bounded reader.

use std::io;
use std::time::Duration;

use pony_formats::xmlrpc::{Response, read_response};
use pony_formats::{Limits, SubmissionId, Value};
use ureq::http;

use super::{Delivered, DeliveryError, NotAttached, wire};
use crate::attachment::Attachment;
use crate::parcel::Parcel;
use crate::target::ServerUrl;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
/// Build machines may have slow lines, and a submission may have tens of megabytes.
const SEND_TIMEOUT: Duration = Duration::from_secs(180);
const ANSWER_TIMEOUT: Duration = Duration::from_secs(90);
const WHOLE_CALL_TIMEOUT: Duration = Duration::from_secs(300);
/// An answer is a key and a password, or a fault.
const ANSWER_BYTES_MAX: u64 = 1024 * 1024;
/// A collector that is busy may ask for this much patience, this often. Beyond, the spool waits.
const PATIENCE_MAX: Duration = Duration::from_secs(10);
const ATTEMPTS_MAX: usize = 3;
/// Faults of the public interoperability list that blame the collector, not the call.
const COLLECTOR_FAULTS: [i64; 2] = [-32400, -32500];

pub(super) fn submit(
    parcel: &Parcel,
    attachments: &mut [Attachment],
    server: &ServerUrl,
) -> Result<Delivered, DeliveryError> {
    let package = parcel.submission.client_info.package();
    let call = wire::add_results(&parcel.submission);
    let agent = agent();
    let answer = patiently(|| post(&agent, server, &parcel.id, &call))?;
    accept(&agent, answer, package, attachments, server)
}

/// Asks again for as long as that is what the collector wants and is bearable.
fn patiently<E>(mut ask: impl FnMut() -> Result<Answer, E>) -> Result<Answer, E> {
    for _ in 1..ATTEMPTS_MAX {
        let answer = ask()?;
        match patience(&answer) {
            Some(time) => std::thread::sleep(time),
            None => return Ok(answer),
        }
    }
    ask()
}

/// Reads the answer to a submission, and uploads the files that go with it.
fn accept(
    agent: &ureq::Agent,
    answer: Answer,
    package: &str,
    attachments: &mut [Attachment],
    server: &ServerUrl,
) -> Result<Delivered, DeliveryError> {
    let accepted = read_answer(answer, server)?;
    let key = accepted.key;
    let mut complaints = Vec::new();
    for attachment in attachments.iter_mut().filter(|attachment| !attachment.has_arrived) {
        let uploaded = match &accepted.auth_key {
            Some(auth_key) => upload(agent, server, auth_key, attachment),
            None => Err(NotUploaded::Never("the collector takes no files".to_owned())),
        };
        let name = attachment.name.clone();
        match uploaded {
            Ok(()) => attachment.has_arrived = true,
            Err(NotUploaded::Never(reason)) => complaints.push(NotAttached { name, reason }),
            Err(NotUploaded::NotYet(reason)) => {
                return Err(DeliveryError::FileOnItsWay { key, name, reason });
            }
        }
    }
    let place = server.result_page(package, &key);
    Ok(Delivered { key, place, complaints })
}

/// Why a collector does not have a file.
enum NotUploaded {
    /// It will not take it.
    Never(String),
    /// It may take it later.
    NotYet(String),
}

/// Sends a file, piece by piece.
fn upload(
    agent: &ureq::Agent,
    server: &ServerUrl,
    auth_key: &str,
    attachment: &mut Attachment,
) -> Result<(), NotUploaded> {
    let address = server.upload_address(&attachment.name, &attachment.description(), auth_key);
    let bytes = attachment.bytes();
    let answer = patiently(|| {
        let mut request = agent.post(&address).header("content-length", bytes);
        if let Some(authorization) = server.authorization() {
            request = request.header("authorization", authorization);
        }
        let mut content = attachment.content()?;
        request.send(ureq::SendBody::from_reader(&mut content))
    });
    let answer = answer.map_err(|error| NotUploaded::NotYet(error.to_string()))?;
    match answer.status().as_u16() {
        200 => Ok(()),
        413 => Err(NotUploaded::Never(format!("the collector takes no file of {bytes} bytes"))),
        status if is_passing(status) => {
            Err(NotUploaded::NotYet(format!("the collector answers HTTP status {status}")))
        }
        other => Err(NotUploaded::Never(format!("the collector answers HTTP status {other}"))),
    }
}

/// What a collector says of a submission that it has stored.
#[derive(Debug, PartialEq, Eq)]
struct Accepted {
    key: String,
    /// The right to upload files.
    auth_key: Option<String>,
}

fn agent() -> ureq::Agent {
    let config = ureq::Agent::config_builder()
        .user_agent(concat!("pony-report/", env!("CARGO_PKG_VERSION")))
        // A redirected call would lose its body or carry credentials elsewhere.
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false)
        .timeout_connect(Some(CONNECT_TIMEOUT))
        .timeout_send_request(Some(CONNECT_TIMEOUT))
        .timeout_send_body(Some(SEND_TIMEOUT))
        .timeout_recv_response(Some(ANSWER_TIMEOUT))
        .timeout_global(Some(WHOLE_CALL_TIMEOUT));
    config.build().into()
}

type Answer = http::Response<ureq::Body>;

/// The id is in a header, because the protocol's two bags are as they are: a collector that does not know of
/// ids takes no notice.
fn post(
    agent: &ureq::Agent,
    server: &ServerUrl,
    id: &SubmissionId,
    call: &[u8],
) -> Result<Answer, DeliveryError> {
    let mut request = agent.post(server.endpoint()).header("content-type", "text/xml");
    request = request.header("idempotency-key", id.as_str());
    if let Some(authorization) = server.authorization() {
        request = request.header("authorization", authorization);
    }
    request.send(call).map_err(|error| of_transport(&error, server))
}

/// How long the collector asks to wait, if that is bearable.
fn patience(answer: &Answer) -> Option<Duration> {
    if !matches!(answer.status().as_u16(), 429 | 503) {
        return None;
    }
    let seconds = answer.headers().get("retry-after")?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds)).filter(|time| *time <= PATIENCE_MAX)
}

fn read_answer(mut answer: Answer, server: &ServerUrl) -> Result<Accepted, DeliveryError> {
    if let Some(error) = of_status(&answer, server) {
        return Err(error);
    }
    let body = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_vec();
    let body = body.map_err(|error| of_transport(&error, server))?;
    let not_a_collector =
        |reason: String| DeliveryError::NotACollector { server: server.clone(), reason };
    match read_response(&body, &Limits::DEFAULT) {
        Ok(Response::Success(value)) => match key_of(&value) {
            Some(key) => Ok(Accepted { key, auth_key: auth_key_of(&value) }),
            None => Err(not_a_collector("its answer holds no result key".to_owned())),
        },
        Ok(Response::Fault(fault)) if COLLECTOR_FAULTS.contains(&fault.code) => {
            Err(DeliveryError::Unreachable { server: server.clone(), reason: fault.to_string() })
        }
        Ok(Response::Fault(fault)) => {
            Err(DeliveryError::Rejected { server: server.clone(), reason: fault.to_string() })
        }
        Err(error) => Err(not_a_collector(format!("its answer is no XML-RPC: {error}"))),
    }
}

/// The key and a password for uploads; the original's keys are ints.
fn key_of(value: &Value) -> Option<String> {
    match value.as_array()?.first()? {
        Value::Int(key) => Some(key.to_string()),
        Value::String(key) if !key.is_empty() => Some(key.clone()),
        _ => None,
    }
}

/// Whether a status is one that a collector, or a proxy before it, may outgrow.
fn is_passing(status: u16) -> bool {
    matches!(status, 408 | 429 | 500 | 502..=504 | 507)
}

/// Faults travel in status 200, so any other status is about the message, not the call.
fn of_status(answer: &Answer, server: &ServerUrl) -> Option<DeliveryError> {
    let status = answer.status().as_u16();
    let server = server.clone();
    Some(match status {
        200 => return None,
        401 | 403 => DeliveryError::Forbidden { server, status },
        413 => DeliveryError::Rejected {
            server,
            reason: "it is larger than the collector allows (HTTP status 413)".to_owned(),
        },
        status if is_passing(status) => DeliveryError::Unreachable {
            server,
            reason: format!("it answers HTTP status {status}"),
        },
        _ => {
            let reason = format!("HTTP status {status} instead of an XML-RPC answer");
            DeliveryError::NotACollector { server, reason }
        }
    })
}

fn of_transport(error: &ureq::Error, server: &ServerUrl) -> DeliveryError {
    use ureq::Error;
    let reason = match error {
        Error::Io(error) => error.to_string(),
        other => other.to_string(),
    };
    let server = server.clone();
    match error {
        // A certificate that does not fit arrives as invalid data.
        Error::Io(error) if error.kind() == io::ErrorKind::InvalidData => {
            DeliveryError::NotACollector { server, reason }
        }
        Error::BodyExceedsLimit(_) => {
            let reason = format!("its answer is over {ANSWER_BYTES_MAX} bytes");
            DeliveryError::NotACollector { server, reason }
        }
        Error::BadUri(_)
        | Error::Http(_)
        | Error::Protocol(_)
        | Error::LargeResponseHeader(..)
        | Error::Tls(_)
        | Error::Rustls(_)
        | Error::TlsRequired => DeliveryError::NotACollector { server, reason },
        _ => DeliveryError::Unreachable { server, reason },
    }
}

fn auth_key_of(value: &Value) -> Option<String> {
    value.as_array()?.get(1)?.as_str().filter(|key| !key.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_a_number_or_a_word() {
        let answer = |key: Value| key_of(&Value::Array(vec![key, Value::from("auth")]));
        assert_eq!(answer(Value::Int(41)), Some("41".to_owned()));
        assert_eq!(answer(Value::from("k41")), Some("k41".to_owned()));
        assert_eq!(answer(Value::Nil), None);
        assert_eq!(key_of(&Value::Array(vec![])), None);
    }
}
