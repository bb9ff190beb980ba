//! What changes something: submitting a result, and asking whether to build.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use axum::Json;
use axum::extract::{ConnectInfo, Query, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::{SignedDuration, Timestamp};
use pony_formats::json::{self, StrictError};
use pony_formats::{
    Limits, Receipt, Step, Submission, SubmissionId, Suite, Tally, captured, detect, looks_like,
    parse,
};
use serde_json::{Value as JsonValue, json};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::Problem;
use super::query::Description;
use super::receive::receive;
use crate::access::Caller;
use crate::body::{BodyReader, Held, Refusal};
use crate::collector::{Collector, Sender};
use crate::coordinator::Intent;
use crate::listener::Peer;
use crate::router::{admit, submission_id};

/// The machine that a result is of when neither the query nor a token names one.
const HOST: &str = "unknown";

/// The most memory that the values of one JSON body may take, in bytes.
const JSON_MEMORY_MAX: u32 = 512 * 1024 * 1024;

type Pairs = Vec<(String, String)>;

/// `POST /api/v1/results`: with a query, what a test runner wrote or printed; without, both bags as JSON.
pub(super) async fn submit(
    State(collector): State<Arc<Collector>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    request: Request,
) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let plan = &collector.plan;
    let caller = match admit(&collector, &parts.headers, peer).await {
        Ok(caller) => caller,
        Err(denied) => {
            // Some clients read no answer before they have sent everything.
            BodyReader::new(body, plan.body_bytes_max, plan.patience).drain().await;
            return Err(denied.into());
        }
    };
    let body = receive(&parts.headers, body, plan, &collector.memory).await?;
    let submission_id = submission_id(&parts.headers).map_err(Problem::malformed)?;
    let description = describe(&parts.uri, &caller)?;
    let order = Order { caller, address: peer.ip(), submission_id, description };
    let permit = Arc::clone(&collector.calls).acquire_owned().await;
    // Once it is begun, it is finished also when the client goes away.
    let (reply, answer) = oneshot::channel();
    let working = Arc::clone(&collector);
    tokio::task::spawn_blocking(move || {
        let _permit = permit;
        order.carry_out(&working, body, move |outcome| drop(reply.send(outcome)));
    });
    // It has panicked when nobody replies.
    let stored = answer.await.map_err(|_| Problem::internal())??;
    Ok((StatusCode::CREATED, Json(stored)).into_response())
}

fn describe(uri: &axum::http::Uri, caller: &Caller) -> Result<Option<Description>, Problem> {
    let Query(pairs) = Query::<Pairs>::try_from_uri(uri)
        .map_err(|_| Problem::malformed("the query cannot be read"))?;
    Description::read(&pairs, caller.name().unwrap_or(HOST))
}

/// What is to be stored for whom.
struct Order {
    caller: Caller,
    address: IpAddr,
    submission_id: Option<SubmissionId>,
    description: Option<Description>,
}

impl Order {
    /// Tells `done` before this returns, or when the result is on disk.
    fn carry_out(
        self,
        collector: &Arc<Collector>,
        body: Held,
        done: impl FnOnce(Result<JsonValue, Problem>) + Send + 'static,
    ) {
        let checked = self
            .reserve(collector, &body)
            .and_then(|memory| self.check(collector, &body).map(|checked| (checked, memory)));
        let ((submission, flags), memory) = match checked {
            Ok(checked) => checked,
            Err(problem) => return done(Err(problem)),
        };
        let client = self.caller.name().map(str::to_owned);
        let sender = Sender { address: self.address, client, submission_id: self.submission_id };
        // What was made of the body waits in memory as well.
        let body = body.emptied();
        let tally: Tally = submission.results_list.iter().map(Step::tally).sum();
        let package = submission.client_info.package().to_owned();
        let answering = Arc::clone(collector);
        collector.add(submission, sender, flags, move |outcome| {
            drop((body, memory));
            let answer = outcome.map(|receipt| stored(&answering, &receipt, &package, tally));
            done(answer.map_err(Problem::from));
        });
    }

    /// The memory that JSON takes beyond its text. Test output has limits of its own.
    fn reserve(
        &self,
        collector: &Collector,
        body: &Held,
    ) -> Result<Option<OwnedSemaphorePermit>, Problem> {
        if self.description.is_some() {
            return Ok(None);
        }
        let needed = u32::try_from(json::memory_of(&body.bytes)).ok();
        let needed = needed.filter(|bytes| *bytes <= JSON_MEMORY_MAX);
        let needed = needed.ok_or_else(|| Problem::unacceptable("too many values"))?;
        let memory = Arc::clone(&collector.memory).try_acquire_many_owned(needed);
        memory.map(Some).map_err(|_| Refusal::Busy.into())
    }

    fn check(
        &self,
        collector: &Collector,
        body: &Held,
    ) -> Result<(Submission, BTreeSet<String>), Problem> {
        let (submission, sanitised) = match &self.description {
            Some(description) => of_output(description, &body.bytes)?,
            None => (of_json(&body.bytes)?, false),
        };
        self.caller.check(submission.client_info.package())?;
        collector.access.spend(&self.caller, body.bytes.len() as u64)?;
        let flags = sanitised.then(|| "sanitised".to_owned());
        Ok((submission, flags.into_iter().collect()))
    }
}

/// What a test runner wrote or printed becomes one step.
fn of_output(description: &Description, output: &[u8]) -> Result<(Submission, bool), Problem> {
    let Some(format) = description.format.or_else(|| detect(output)) else {
        let found =
            looks_like(output).map_or_else(String::new, |what| format!("; looks like {what}"));
        return Err(Problem::unacceptable(format!("no test results found{found}")));
    };
    let report = parse(format, output, &Limits::DEFAULT)
        .map_err(|error| Problem::unacceptable(format!("{format}:{error}")))?;
    let sanitised = report.sanitised;
    let is_for_people = report.format.is_for_people();
    let printed = if is_for_people { String::from_utf8_lossy(output) } else { "".into() };
    let captured = |stream, printed: &str| {
        captured(&report.suites, stream, printed.as_bytes().last().copied())
    };
    let output = captured(Suite::output, &printed);
    let output = printed.into_owned() + &output;
    let errout = captured(Suite::errout, "");
    let success = report.tally().bad() == 0;
    let step = report.into_step(&description.name, [output.into(), errout.into()]);
    let client_info = description
        .client_info(success)
        .map_err(|error| Problem::unacceptable(error.to_string()))?;
    Ok((Submission { client_info, results_list: vec![step] }, sanitised))
}

fn of_json(body: &[u8]) -> Result<Submission, Problem> {
    let value = json::from_strict_text(body).map_err(|error| match error {
        StrictError::Syntax(reason) => Problem::malformed(reason),
        StrictError::Meaning(reason) => Problem::unacceptable(reason),
    })?;
    let pony_formats::Value::Struct(mut bags) = value else {
        return Err(Problem::unacceptable(
            "expected an object with client_info and results_list, or a query with `package` \
             and the output of tests as the body",
        ));
    };
    let mut take = |name: &str| {
        let missing = || Problem::unacceptable(format!("`{name}` is missing"));
        bags.remove(name).ok_or_else(missing)
    };
    let (client_info, results_list) = (take("client_info")?, take("results_list")?);
    if let Some(name) = bags.keys().next() {
        let name: String = name.chars().take(40).collect();
        return Err(Problem::unacceptable(format!("unknown member {name:?}")));
    }
    Submission::from_values(client_info, results_list)
        .map_err(|error| Problem::unacceptable(error.to_string()))
}

fn stored(collector: &Collector, receipt: &Receipt, package: &str, tally: Tally) -> JsonValue {
    tracing::info!(key = %receipt.key, package, client = receipt.client, "stored");
    json!({
        "key": receipt.key.to_string(),
        "number": receipt.number,
        "package": package,
        "url": collector.page_of(package, receipt.key),
        "auth_key": collector.auth_keys.issue(receipt.key),
        "tests": {
            "passed": tally.passed,
            "failed": tally.failed,
            "errored": tally.errored,
            "skipped": tally.skipped,
        },
    })
}

/// `POST /api/v1/should-build`: whether a machine should build, which reserves the build unless it is said
/// otherwise.
pub(super) async fn should_build(
    State(collector): State<Arc<Collector>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    request: Request,
) -> Result<Json<JsonValue>, Problem> {
    let caller = admit(&collector, request.headers(), peer).await?;
    let description = describe(request.uri(), &caller)?;
    let description = description.ok_or_else(|| Problem::malformed("`package` is missing"))?;
    let client_info =
        description.client_info(true).map_err(|error| Problem::unacceptable(error.to_string()))?;
    caller.check(client_info.package())?;
    let allowance = description.allowance.and_then(|seconds| {
        SignedDuration::try_from_secs_f64(seconds).ok().filter(SignedDuration::is_positive)
    });
    let intent = if description.reserve { Intent::Build(allowance) } else { Intent::Ask };
    let advice =
        collector.coordinator().should_build(&client_info.tagset(), intent, Timestamp::now());
    Ok(Json(json!({"build": advice.build, "reason": advice.reason})))
}
