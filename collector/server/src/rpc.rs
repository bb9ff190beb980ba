//! The five methods of the original protocol. Everything in here may block.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use pony_formats::xmlrpc::{self, Call, Fault};
use pony_formats::{Bag, ClientInfo, Limits, Submission, Tagset, TestResult, Value};
use pony_store::StoreError;

use crate::access::{Caller, Denied};
use crate::body::Held;
use crate::collector::{Collector, Sender};
use crate::coordinator::Intent;
use crate::refresher::full;

const APPLICATION: i64 = -32500;
const UNKNOWN_METHOD: i64 = -32601;
const BAD_PARAMS: i64 = -32602;

/// Why a call gets no value.
enum Refused {
    /// It is wrong.
    Fault(Fault),
    /// It is somebody else's to make.
    Denied(Denied),
}

impl From<Fault> for Refused {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<Denied> for Refused {
    fn from(denied: Denied) -> Self {
        Self::Denied(denied)
    }
}

/// Answers the body of a request with the body of a response, through `reply`: before this returns, or
/// for a submission when it is on disk. Whatever is wrong with the call is said in a fault: the original
/// client understands nothing else. Everybody may read, as everybody may read the site; whoever is denied
/// more is told with the status of HTTP, before anything is looked at.
pub(crate) fn answer(
    collector: &Arc<Collector>,
    body: Held,
    caller: Result<Caller, Denied>,
    sender: Sender,
    reply: impl FnOnce(Result<String, Denied>) + Send + 'static,
) {
    let limits = Limits { input_bytes_max: collector.plan.body_bytes_max, ..Limits::DEFAULT };
    let reply = |outcome| reply(response(outcome));
    match xmlrpc::read_call(&body.bytes, &limits) {
        Ok(call) if call.method == "add_results" => {
            let bytes = body.bytes.len() as u64;
            let submission = submission(call).and_then(|(submission, flags)| {
                let caller = caller?;
                caller.check(submission.client_info.package())?;
                collector.access.spend(&caller, bytes)?;
                Ok((submission, flags))
            });
            let (submission, flags) = match submission {
                Ok(submission) => submission,
                Err(refused) => return reply(Err(refused)),
            };
            // What is made of it waits in memory as well.
            let body = body.emptied();
            add_results(collector, submission, flags, sender, move |outcome| {
                drop(body);
                reply(outcome.map_err(Refused::from));
            });
        }
        Ok(call) => reply(dispatch(collector, call, caller)),
        Err(error) => reply(Err(fault(error.code, error.to_string()).into())),
    }
}

fn response(outcome: Result<Value, Refused>) -> Result<String, Denied> {
    match outcome {
        Ok(value) => Ok(xmlrpc::write_response(&value)),
        Err(Refused::Fault(fault)) => {
            tracing::info!(code = fault.code, message = ?fault.message, "refused a call");
            Ok(xmlrpc::write_fault(&fault))
        }
        Err(Refused::Denied(denied)) => {
            tracing::info!(reason = ?denied, "denied a call");
            Err(denied)
        }
    }
}

/// All methods but `add_results`.
fn dispatch(
    collector: &Collector,
    call: Call,
    caller: Result<Caller, Denied>,
) -> Result<Value, Refused> {
    let Call { method, params, .. } = call;
    let answer = match method.as_str() {
        "check_should_build" => return check_should_build(collector, params, caller),
        "get_results" => get_results(collector, params),
        "get_tagsets_for_package" => get_tagsets_for_package(collector, params),
        "get_last_result_for_tagset" => get_last_result_for_tagset(collector, params),
        unknown => {
            let name: String = unknown.chars().take(40).flat_map(char::escape_debug).collect();
            Err(fault(UNKNOWN_METHOD, format!("no method `{name}`")))
        }
    };
    answer.map_err(Refused::from)
}

/// What a call submits, and what there is to say about it.
fn submission(call: Call) -> Result<(Submission, BTreeSet<String>), Refused> {
    let [client_info, results_list] = exactly(call.params)?;
    let submission = Submission::from_values(client_info, results_list)
        .map_err(|error| fault(BAD_PARAMS, error.to_string()))?;
    let flags = call.sanitised.then(|| "sanitised".to_owned());
    Ok((submission, flags.into_iter().collect()))
}

fn add_results(
    collector: &Arc<Collector>,
    submission: Submission,
    flags: BTreeSet<String>,
    sender: Sender,
    reply: impl FnOnce(Result<Value, Fault>) + Send + 'static,
) {
    let (storing, info) = (Arc::clone(collector), submission.client_info.clone());
    collector.add(submission, sender, flags, move |outcome| {
        let receipt = match outcome {
            Ok(receipt) => receipt,
            Err(error) => return reply(Err(store_failed(error))),
        };
        tracing::info!(
            key = %receipt.key, package = ?info.package(), host = ?info.host(), arch = ?info.arch(),
            success = info.success(), client = receipt.client, "stored"
        );
        let auth_key = storing.auth_keys.issue(receipt.key);
        // The number, because the clients cannot send back integers beyond 32 bits.
        let name = receipt.number.map_or(receipt.key.as_i64(), i64::from);
        reply(Ok(Value::Array(vec![name.into(), auth_key.into()])));
    });
}

/// Asking may reserve the build, so it is for those who may submit its result.
fn check_should_build(
    collector: &Collector,
    params: Vec<Value>,
    caller: Result<Caller, Denied>,
) -> Result<Value, Refused> {
    let (client_info, reserve, allowance) = match params.as_slice() {
        [client_info] => (client_info, None, None),
        [client_info, reserve] => (client_info, Some(reserve), None),
        [client_info, reserve, allowance] => (client_info, Some(reserve), Some(allowance)),
        other => return Err(wrong_count("1 to 3", other.len()).into()),
    };
    let bag = struct_of("client_info", client_info)?;
    let tagset =
        ClientInfo::tagset_of(bag).map_err(|error| fault(BAD_PARAMS, error.to_string()))?;
    let intent = intent(reserve, allowance)?;
    caller?.check(&tagset.package)?;
    let advice = collector.coordinator().should_build(&tagset, intent, Timestamp::now());
    Ok(Value::Array(vec![advice.build.into(), advice.reason.into()]))
}

fn get_results(collector: &Collector, params: Vec<Value>) -> Result<Value, Fault> {
    let [key] = exactly(params)?;
    let name = match key {
        Value::Int(number) => number.to_string(),
        Value::String(text) => text,
        other => return Err(expected("key", "an int or a string", &other)),
    };
    let key = collector.key_named(name.trim());
    let result = key.map(|key| collector.read(key)).transpose().map_err(store_failed)?.flatten();
    result.map(triple).ok_or_else(|| fault(APPLICATION, "no such result"))
}

fn get_tagsets_for_package(collector: &Collector, params: Vec<Value>) -> Result<Value, Fault> {
    let [package] = exactly(params)?;
    let package = string_of("package", &package)?;
    let coordinator = collector.coordinator();
    let tagsets = coordinator
        .tagsets(package)
        .map(|tagset| Value::Array(tagset.wire_members().into_iter().map(Value::String).collect()));
    Ok(Value::Array(tagsets.collect()))
}

fn get_last_result_for_tagset(collector: &Collector, params: Vec<Value>) -> Result<Value, Fault> {
    let [package, members] = exactly(params)?;
    let package = string_of("package", &package)?;
    let Value::Array(members) = &members else {
        return Err(expected("tagset", "an array of strings", &members));
    };
    let members: Result<Vec<_>, _> =
        members.iter().map(|member| string_of("tagset member", member)).collect();
    let tagset = tagset_of(&members?).filter(|tagset| tagset.package == package);
    let newest = tagset.and_then(|tagset| collector.coordinator().newest(&tagset));
    // The original answers the number zero when there is none; its client tests for that.
    let Some(newest) = newest else { return Ok(Value::Int(0)) };
    let result = collector.read(newest.key).map_err(store_failed)?;
    result.map(triple).ok_or_else(|| fault(APPLICATION, "the result cannot be read"))
}

/// The build line that members on the wire name, if they name exactly one.
fn tagset_of(members: &[&str]) -> Option<Tagset> {
    let only = |prefix: &str| {
        let values: BTreeSet<&str> =
            members.iter().filter_map(|member| member.strip_prefix(prefix)).collect();
        values.first().filter(|_| values.len() == 1).map(|value| (*value).to_owned())
    };
    let (package, host, arch) = (only("__package=")?, only("__host=")?, only("__arch=")?);
    let own = |member: &str| {
        ["__package=", "__host=", "__arch="].iter().any(|prefix| member.starts_with(prefix))
    };
    let tags = members.iter().filter(|member| !own(member)).map(|&tag| tag.to_owned()).collect();
    Some(Tagset { package, host, arch, tags })
}

/// The optional arguments of `check_should_build`.
fn intent(reserve: Option<&Value>, allowance: Option<&Value>) -> Result<Intent, Fault> {
    let reserve = match reserve {
        None => true,
        Some(Value::Bool(flag)) => *flag,
        Some(Value::Int(number)) => *number != 0,
        Some(Value::Nil) => false,
        Some(other) => return Err(expected("reserve_build", "a boolean", other)),
    };
    let seconds = match allowance {
        None | Some(Value::Nil) => 0.0,
        Some(value) => value
            .as_f64()
            .ok_or_else(|| expected("build_allowance", "a number of seconds", value))?,
    };
    // Zero means that the client does not know; less than that, or no number at all, too.
    let allowance = (seconds > 0.0)
        .then(|| SignedDuration::try_from_secs_f64(seconds).unwrap_or(SignedDuration::MAX));
    Ok(if reserve { Intent::Build(allowance) } else { Intent::Ask })
}

fn triple(result: TestResult) -> Value {
    let (client_info, results_list) = result.submission.into_values();
    Value::Array(vec![result.receipt.to_wire(), client_info, results_list])
}

fn exactly<const N: usize>(params: Vec<Value>) -> Result<[Value; N], Fault> {
    params.try_into().map_err(|params: Vec<Value>| wrong_count(&N.to_string(), params.len()))
}

fn string_of<'a>(name: &str, value: &'a Value) -> Result<&'a str, Fault> {
    value.as_str().ok_or_else(|| expected(name, "a string", value))
}

fn struct_of<'a>(name: &str, value: &'a Value) -> Result<&'a Bag, Fault> {
    value.as_struct().ok_or_else(|| expected(name, "a struct", value))
}

fn expected(name: &str, expected: &str, found: &Value) -> Fault {
    fault(BAD_PARAMS, format!("{name}: expected {expected}, found {}", found.type_name()))
}

fn wrong_count(expected: &str, found: usize) -> Fault {
    fault(BAD_PARAMS, format!("expected {expected} arguments, found {found}"))
}

/// Clients are told nothing about our disk.
fn store_failed(error: StoreError) -> Fault {
    // Of the submission alone: sending it again does not help.
    if let StoreError::TooLarge { .. } | StoreError::SubmissionIdTaken { .. } = error {
        return fault(BAD_PARAMS, error.to_string());
    }
    tracing::error!(error = full(&error), "the repository failed");
    fault(APPLICATION, "the results repository cannot be used now, try again later")
}

fn fault(code: i64, message: impl Into<String>) -> Fault {
    Fault { code, message: message.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tagset_is_read_back_from_its_members_in_any_order() {
        let tagset = Tagset {
            package: "orchard".into(),
            host: "shed".into(),
            arch: "linux=x".into(),
            tags: BTreeSet::from(["__odd".into(), "nightly".into()]),
        };
        let members = tagset.wire_members();
        let mut members: Vec<&str> = members.iter().map(String::as_str).collect();
        members.reverse();
        members.push("nightly");
        members.push("__host=shed");
        assert_eq!(tagset_of(&members), Some(tagset));
    }

    #[test]
    fn members_that_name_no_line_or_two_name_none() {
        assert_eq!(tagset_of(&[]), None);
        assert_eq!(tagset_of(&["__package=a", "__host=b"]), None);
        assert_eq!(tagset_of(&["__package=a", "__host=b", "__arch=c", "__arch=d"]), None);
    }

    #[test]
    fn allowances_are_seconds_or_unspecified() {
        let allowance = |value: Value| match intent(None, Some(&value)).unwrap() {
            Intent::Build(allowance) => allowance,
            Intent::Ask => panic!("expected a reservation"),
        };
        assert_eq!(allowance(Value::Int(90)), Some(SignedDuration::from_secs(90)));
        assert_eq!(allowance(Value::Double(0.5)), Some(SignedDuration::from_millis(500)));
        assert_eq!(allowance(Value::Double(f64::INFINITY)), Some(SignedDuration::MAX));
        for unspecified in [
            Value::Nil,
            Value::Int(0),
            Value::Int(-5),
            Value::Double(-0.0),
            Value::Double(f64::NAN),
            Value::Double(f64::NEG_INFINITY),
        ] {
            assert_eq!(allowance(unspecified.clone()), None, "{unspecified:?}");
        }
        assert!(intent(None, Some(&"90".into())).is_err());
    }

    #[test]
    fn only_reservation_is_on_unless_switched_off() {
        let asks = |value: Value| intent(Some(&value), None).map(|intent| intent == Intent::Ask);
        assert_eq!(intent(None, None), Ok(Intent::Build(None)));
        assert_eq!(asks(false.into()), Ok(true));
        assert_eq!(asks(Value::Int(1)), Ok(false));
        assert!(asks("yes".into()).is_err());
    }
}
