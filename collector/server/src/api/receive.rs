//! The body of a request, as it is or compressed with gzip.

use std::io::Read as _;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, header};
use flate2::read::MultiGzDecoder;
use tokio::sync::Semaphore;

use crate::body::{BodyReader, Held, Refusal};
use crate::cli::Plan;

use super::Problem;

/// How many times larger than its compressed form a body may be: test output reaches a tenth of that.
const RATIO_MAX: u64 = 100;

/// What is too small to be a bomb, in bytes.
const SMALL_BYTES: u64 = 1024 * 1024;

/// Bytes that are unpacked at once.
const PIECE_BYTES: usize = 64 * 1024;

/// All of a body, decompressed.
pub(super) async fn receive(
    headers: &HeaderMap,
    body: Body,
    plan: &Plan,
    memory: &Arc<Semaphore>,
) -> Result<Held, Problem> {
    let mut reader = BodyReader::new(body, plan.body_bytes_max, plan.patience);
    let encodings: Vec<_> = headers.get_all(header::CONTENT_ENCODING).iter().collect();
    let is_gzip = encodings.len() == 1 && (encodings[0] == "gzip" || encodings[0] == "x-gzip");
    match is_gzip {
        true => reader.check_length().await?,
        false => reader.check(headers).await?,
    }
    let held = reader.read(memory).await?;
    if !is_gzip {
        return Ok(held);
    }
    let (memory, limit) = (Arc::clone(memory), plan.body_bytes_max as u64);
    let unpacking = tokio::task::spawn_blocking(move || unpack(&held, limit, &memory));
    unpacking.await.map_err(|_| Problem::internal())?
}

fn unpack(packed: &Held, limit: u64, memory: &Arc<Semaphore>) -> Result<Held, Problem> {
    let by_ratio = (packed.bytes.len() as u64).saturating_mul(RATIO_MAX).max(SMALL_BYTES);
    let limit = limit.min(by_ratio);
    let mut decoder = MultiGzDecoder::new(&packed.bytes[..]);
    let mut held = Held::empty();
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let size = decoder
            .read(&mut piece)
            .map_err(|error| Problem::malformed(format!("no gzip: {error}")))?;
        if size == 0 {
            return Ok(held);
        }
        if (held.bytes.len() + size) as u64 > limit {
            return Err(Refusal::TooLarge { limit }.into());
        }
        held.keep(&piece[..size], memory)?;
    }
}
