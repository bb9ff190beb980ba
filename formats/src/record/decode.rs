//! From files back to the result.

use super::{
    CLIENT_INFO, FORMAT_VERSION, Files, Heading, RECEIPT, RESULTS_LIST, RecordError, STREAMS,
    Summary, step_folder, tests_files,
};
use crate::json;
use crate::model::{ClientInfo, Receipt, Step, Submission, Tally, TestResult};
use crate::value::{Bag, Value};

/// The result that the files hold. Unknown files are ignored.
///
/// # Errors
/// Names the file that is missing or damaged.
pub fn decode(files: &Files) -> Result<TestResult, RecordError> {
    let steps = read_steps(files)?;
    let steps = steps.into_iter().enumerate().map(|(index, bag)| read_step(files, index, bag));
    let submission = Submission {
        client_info: read_client_info(files)?,
        results_list: steps.collect::<Result<_, _>>()?,
    };
    Ok(TestResult { receipt: read_receipt(files)?, submission })
}

/// What a list shows, from the files that [`super::is_summary_file`] selects.
///
/// # Errors
/// Names the file that is missing or damaged.
pub fn decode_summary(files: &Files) -> Result<Summary, RecordError> {
    let mut tally = Tally::default();
    for (index, bag) in read_steps(files)?.into_iter().enumerate() {
        let path = format!("{}/{}", step_folder(index), tests_files::OUTCOMES);
        if let Some(bytes) = files.get(&path) {
            let outcomes = tests_files::read_outcomes(bytes);
            tally +=
                outcomes.map_err(|message| RecordError::new(path, message))?.into_iter().collect();
        }
        tally += Step::from_bag(bag).tally();
    }
    let Heading { receipt, client_info } = decode_heading(files)?;
    Ok(Summary { receipt, client_info, tally })
}

/// Which result this is, from the files that [`super::is_heading_file`] selects.
///
/// # Errors
/// Names the file that is missing or damaged.
pub fn decode_heading(files: &Files) -> Result<Heading, RecordError> {
    Ok(Heading { receipt: read_receipt(files)?, client_info: read_client_info(files)? })
}

fn read_step(files: &Files, index: usize, mut bag: Bag) -> Result<Step, RecordError> {
    let folder = step_folder(index);
    for (key, file) in STREAMS {
        let path = format!("{folder}/{file}");
        if let Some(bytes) = files.get(&path) {
            bag.insert(key.to_owned(), Value::String(read_text(&path, bytes)?.to_owned()));
        }
    }
    let file = |name: &str| files.get(&format!("{folder}/{name}")).map(Vec::as_slice);
    let tests = tests_files::decode(file)
        .map_err(|(name, message)| RecordError::new(format!("{folder}/{name}"), message))?;
    let step = Step::from_bag(bag);
    Ok(if tests.is_empty() { step } else { step.with_tests(tests) })
}

fn read_steps(files: &Files) -> Result<Vec<Bag>, RecordError> {
    let Value::Array(steps) = read_json(files, RESULTS_LIST)? else {
        return Err(RecordError::new(RESULTS_LIST, "expected an array of steps"));
    };
    let bags = steps.into_iter().map(|step| match step {
        Value::Struct(bag) => Ok(bag),
        _ => Err(RecordError::new(RESULTS_LIST, "expected every step to be an object")),
    });
    bags.collect()
}

fn read_client_info(files: &Files) -> Result<ClientInfo, RecordError> {
    let bag = read_object(files, CLIENT_INFO)?;
    ClientInfo::from_bag(bag).map_err(|error| RecordError::new(CLIENT_INFO, error))
}

fn read_receipt(files: &Files) -> Result<Receipt, RecordError> {
    let bag = read_object(files, RECEIPT)?;
    let text = |key: &str| bag.get(key).and_then(Value::as_str);
    let need = |key: &str| {
        text(key).ok_or_else(|| RecordError::new(RECEIPT, format!("`{key}` is missing or no text")))
    };
    let broken = |key: &str| RecordError::new(RECEIPT, format!("`{key}` cannot be read"));
    let major = |version: &str| version.split('.').next().map(str::to_owned);
    let format = need("format")?;
    if major(format) != major(FORMAT_VERSION) {
        let message =
            format!("format {format} is not known to this version ({FORMAT_VERSION}): update pony");
        return Err(RecordError::new(RECEIPT, message));
    }
    let flags = bag.get("flags").and_then(Value::as_array).unwrap_or_default();
    Ok(Receipt {
        key: need("result_key")?.parse().map_err(|_| broken("result_key"))?,
        number: bag.get("number").and_then(Value::as_int).and_then(|n| u32::try_from(n).ok()),
        received: need("received")?.parse().map_err(|_| broken("received"))?,
        submission_id: match bag.get("submission_id") {
            // Taken for none, the submission could be stored a second time.
            Some(id) => {
                let id = id.as_str().and_then(|id| id.parse().ok());
                Some(id.ok_or_else(|| broken("submission_id"))?)
            }
            None => None,
        },
        sent: text("sent").map(str::to_owned),
        client: text("client").map(str::to_owned),
        client_ip: text("client_ip").map(str::to_owned),
        flags: flags.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
    })
}

fn read_object(files: &Files, path: &str) -> Result<Bag, RecordError> {
    match read_json(files, path)? {
        Value::Struct(bag) => Ok(bag),
        _ => Err(RecordError::new(path, "expected an object")),
    }
}

fn read_json(files: &Files, path: &str) -> Result<Value, RecordError> {
    let bytes = files.get(path).ok_or_else(|| RecordError::new(path, "missing"))?;
    json::from_text(bytes).map_err(|error| RecordError::new(path, error))
}

fn read_text<'a>(path: &str, bytes: &'a [u8]) -> Result<&'a str, RecordError> {
    std::str::from_utf8(bytes).map_err(|error| RecordError::new(path, error))
}
