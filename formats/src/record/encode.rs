//! From a result to its files.

use super::{
    CLIENT_INFO, FIRST_VERSION, FORMAT_VERSION, Files, RECEIPT, RESULTS_LIST, STEP_FOLDERS_MAX,
    STREAMS, step_folder, tests_files,
};
use crate::json;
use crate::model::{Receipt, Step, Submission};
use crate::value::{Bag, Value};

/// The files of a result. The same result always gives the same bytes.
pub fn encode(receipt: &Receipt, submission: &Submission) -> Files {
    let mut files = encode_submission(submission);
    let (path, content) = encode_receipt(receipt);
    files.insert(path.to_owned(), content);
    files
}

/// The path and the content of the file that holds the receipt.
pub fn encode_receipt(receipt: &Receipt) -> (&'static str, Vec<u8>) {
    (RECEIPT, json::to_text(&Value::Struct(receipt_bag(receipt))).into_bytes())
}

/// The files of a result but for its receipt: what is known of it before it is received.
pub fn encode_submission(submission: &Submission) -> Files {
    let mut files = Files::new();
    put_json(&mut files, CLIENT_INFO, &Value::Struct(submission.client_info.bag().clone()));
    let steps = submission.results_list.iter().enumerate();
    let steps = steps.map(|(index, step)| Value::Struct(put_step(&mut files, index, step)));
    let steps = Value::Array(steps.collect());
    put_json(&mut files, RESULTS_LIST, &steps);
    files
}

/// Puts the bulky parts of a step into files and returns the rest.
fn put_step(files: &mut Files, index: usize, step: &Step) -> Bag {
    let (mut bag, tests) = step.clone().into_parts();
    if index >= STEP_FOLDERS_MAX {
        return step.clone().into_bag();
    }
    let folder = step_folder(index);
    for (key, file) in STREAMS {
        if bag.get(key).and_then(Value::as_str).is_some_and(|text| !text.is_empty())
            && let Some(Value::String(text)) = bag.remove(key)
        {
            files.insert(format!("{folder}/{file}"), text.into_bytes());
        }
    }
    tests_files::encode(tests, |file, bytes| {
        files.insert(format!("{folder}/{file}"), bytes);
    });
    bag
}

fn receipt_bag(receipt: &Receipt) -> Bag {
    let version = if receipt.submission_id.is_some() { FORMAT_VERSION } else { FIRST_VERSION };
    let flags = receipt.flags.iter().map(|flag| Value::from(flag.as_str()));
    let mut bag = Bag::from([
        ("format".to_owned(), Value::from(version)),
        ("result_key".to_owned(), Value::String(receipt.key.to_string())),
        ("received".to_owned(), Value::String(format!("{:.3}", receipt.received))),
        ("flags".to_owned(), Value::Array(flags.collect())),
    ]);
    if let Some(number) = receipt.number {
        bag.insert("number".to_owned(), Value::Int(number.into()));
    }
    if let Some(id) = &receipt.submission_id {
        bag.insert("submission_id".to_owned(), Value::from(id.as_str()));
    }
    let optional =
        [("sent", &receipt.sent), ("client", &receipt.client), ("client_ip", &receipt.client_ip)];
    for (key, text) in optional {
        if let Some(text) = text {
            bag.insert(key.to_owned(), Value::from(text.as_str()));
        }
    }
    bag
}

fn put_json(files: &mut Files, path: &str, value: &Value) {
    files.insert(path.to_owned(), json::to_text(value).into_bytes());
}
