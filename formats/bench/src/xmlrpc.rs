//! Readers of XML-RPC. All read an answer, because the `xmlrpc` crate can read nothing else.

use std::error::Error;
use std::path::Path;

use pony_formats::Limits;
use pony_formats::xmlrpc::{Response, read_response};
use xmlrpc::{Request, Transport};

use crate::Failure;
use crate::measure::{Reader, Work};

/// Readings in one sample: a single one is over too soon.
const TIMES: u32 = 10;

pub(crate) const READERS: &[Reader] = &[
    Reader { name: "pony-formats, XML-RPC", work: Work::Rust(ours, TIMES) },
    Reader { name: "quick-xml, decoded XML-RPC", work: Work::Rust(decoded, TIMES) },
    Reader { name: "dxr", work: Work::Rust(dxr, TIMES) },
    Reader { name: "xmlrpc", work: Work::Rust(xmlrpc, TIMES) },
    Reader { name: "xmlrpc.client (Python)", work: Work::Python(XMLRPC_CLIENT) },
];

fn ours(file: &Path) -> Result<usize, Failure> {
    match read_response(&std::fs::read(file)?, &Limits::DEFAULT)? {
        Response::Success(value) => Ok(value.as_array().map_or(0, <[_]>::len)),
        Response::Fault(fault) => Err(fault.into()),
    }
}

fn decoded(file: &Path) -> Result<usize, Failure> {
    crate::junit::count_decoded(file, "struct")
}

fn dxr(file: &Path) -> Result<usize, Failure> {
    let text = std::fs::read_to_string(file)?;
    let response = dxr::MethodResponse::from_xml(&text).map_err(|_| "refused")?;
    match response.value {
        dxr::Value::Array(items) => Ok(items.len()),
        _ => Err("not an array".into()),
    }
}

/// Pretends that the file came over a wire.
struct FromMemory(Vec<u8>);

impl Transport for FromMemory {
    type Stream = std::io::Cursor<Vec<u8>>;

    fn transmit(self, _: &Request<'_>) -> Result<Self::Stream, Box<dyn Error + Send + Sync>> {
        Ok(std::io::Cursor::new(self.0))
    }
}

fn xmlrpc(file: &Path) -> Result<usize, Failure> {
    let answer = Request::new("method").call(FromMemory(std::fs::read(file)?))?;
    Ok(answer.as_array().map_or(0, <[_]>::len))
}

const XMLRPC_CLIENT: &str = r#"
import xmlrpc.client
def read(path):
    (value,), _ = xmlrpc.client.loads(open(path, "rb").read())
    return len(value)
"#;
