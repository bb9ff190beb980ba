//! Reading what a client sends: never more than a limit, never for ever.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout, timeout_at};

/// Bytes of a refused body that are read and thrown away. The original client reads no answer before
/// it has sent everything; if we closed earlier it would see a broken pipe instead of the status.
const DRAIN_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Bytes a second that a client must reach once it has used up its patience.
const BYTES_PER_SECOND_MIN: u64 = 1024;

/// Why a body was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    TooLarge {
        limit: u64,
    },
    TooSlow,
    Interrupted,
    Encoded,
    NoLength,
    /// Too much is being received at the same time.
    Busy,
}

impl Refusal {
    pub(crate) fn status_and_sentence(self) -> (StatusCode, String) {
        match self {
            Self::TooLarge { limit } => {
                (StatusCode::PAYLOAD_TOO_LARGE, format!("the limit is {limit} bytes\n"))
            }
            Self::TooSlow => (StatusCode::REQUEST_TIMEOUT, "sent too slowly\n".to_owned()),
            Self::Interrupted => (StatusCode::BAD_REQUEST, "sent in part\n".to_owned()),
            Self::Encoded => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "send the body as it is, without Content-Encoding\n".to_owned(),
            ),
            Self::NoLength => (
                StatusCode::LENGTH_REQUIRED,
                "send Content-Length, or the body in chunks\n".to_owned(),
            ),
            Self::Busy => (StatusCode::SERVICE_UNAVAILABLE, "try again later\n".to_owned()),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, sentence) = self.status_and_sentence();
        (status, [(header::CONNECTION, "close")], sentence).into_response()
    }
}

/// A request body that is being read.
pub(crate) struct BodyReader {
    body: Body,
    limit: u64,
    received: u64,
    started: Instant,
    patience: Duration,
}

impl BodyReader {
    /// `patience` is how long the client may pause, and how long it may be slow.
    pub(crate) fn new(body: Body, limit: usize, patience: Duration) -> Self {
        Self { body, limit: limit as u64, received: 0, started: Instant::now(), patience }
    }

    /// Refuses what is refused by its headers.
    pub(crate) async fn check(&mut self, headers: &HeaderMap) -> Result<(), Refusal> {
        let encodings = headers.get_all(header::CONTENT_ENCODING);
        if encodings.iter().any(|encoding| encoding != "identity") {
            self.drain().await;
            return Err(Refusal::Encoded);
        }
        self.check_length().await
    }

    /// Refuses what says that it is too long.
    pub(crate) async fn check_length(&mut self) -> Result<(), Refusal> {
        if self.body.size_hint().lower() > self.limit {
            return Err(self.too_large().await);
        }
        Ok(())
    }

    /// The next piece, or `None` at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, Refusal> {
        let Some(piece) = self.piece().await? else { return Ok(None) };
        self.received += piece.len() as u64;
        if self.received > self.limit {
            return Err(self.too_large().await);
        }
        Ok(Some(piece))
    }

    /// All of it, within the `memory` for all bodies together: one permit for each byte.
    pub(crate) async fn read(mut self, memory: &Arc<Semaphore>) -> Result<Held, Refusal> {
        let mut held = Held::empty();
        while let Some(piece) = self.next().await? {
            if let Err(refusal) = held.keep(&piece, memory) {
                drop(held);
                self.drain().await;
                return Err(refusal);
            }
        }
        Ok(held)
    }

    /// Reads what is left, so that the client will read our answer; for as long as it may pause, and
    /// no longer, however fast it sends.
    pub(crate) async fn drain(&mut self) {
        if self.body.size_hint().lower() <= DRAIN_BYTES_MAX {
            // Late or not, it is answered now.
            let _ = timeout(self.patience, self.drain_all()).await;
        }
    }

    async fn drain_all(&mut self) {
        while self.received < DRAIN_BYTES_MAX {
            match self.piece().await {
                Ok(Some(piece)) => self.received += piece.len() as u64,
                Ok(None) | Err(_) => return,
            }
        }
    }

    async fn too_large(&mut self) -> Refusal {
        self.drain().await;
        Refusal::TooLarge { limit: self.limit }
    }

    async fn piece(&mut self) -> Result<Option<Bytes>, Refusal> {
        loop {
            let earned = Duration::from_secs(self.received / BYTES_PER_SECOND_MIN);
            let deadline =
                (Instant::now() + self.patience).min(self.started + self.patience + earned);
            let frame = poll_fn(|context| Pin::new(&mut self.body).poll_frame(context));
            match timeout_at(deadline, frame).await {
                Err(_) => return Err(Refusal::TooSlow),
                Ok(None) => return Ok(None),
                Ok(Some(Err(_))) => return Err(Refusal::Interrupted),
                Ok(Some(Ok(frame))) => {
                    // Anything else is a trailer.
                    if let Ok(data) = frame.into_data() {
                        return Ok(Some(data));
                    }
                }
            }
        }
    }
}

/// A whole body. Gives its memory back when dropped.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) bytes: Vec<u8>,
    memory: Option<OwnedSemaphorePermit>,
}

/// Answers up to this many bytes are not counted: there are only as many as there are connections.
const SMALL_ANSWER_BYTES: usize = 16 * 1024;

/// An answer that holds its share of `memory` until it has been sent.
pub(crate) fn accounted(text: String, memory: &Arc<Semaphore>) -> Result<Bytes, Refusal> {
    struct Counted {
        text: String,
        _memory: OwnedSemaphorePermit,
    }
    impl AsRef<[u8]> for Counted {
        fn as_ref(&self) -> &[u8] {
            self.text.as_bytes()
        }
    }
    if text.len() <= SMALL_ANSWER_BYTES {
        return Ok(text.into());
    }
    let size = u32::try_from(text.len()).map_err(|_| Refusal::Busy)?;
    let memory = Arc::clone(memory).try_acquire_many_owned(size).map_err(|_| Refusal::Busy)?;
    Ok(Bytes::from_owner(Counted { text, _memory: memory }))
}

impl Held {
    /// Forgets the bytes, but still counts them: for what was made of them.
    pub(crate) fn emptied(self) -> Self {
        Self { bytes: Vec::new(), memory: self.memory }
    }

    /// Nothing yet.
    pub(crate) fn empty() -> Self {
        Self { bytes: Vec::new(), memory: None }
    }

    /// Adds a piece, if there is memory for it.
    pub(crate) fn keep(&mut self, piece: &[u8], memory: &Arc<Semaphore>) -> Result<(), Refusal> {
        let size = u32::try_from(piece.len()).unwrap_or(u32::MAX);
        let permit = Arc::clone(memory).try_acquire_many_owned(size).map_err(|_| Refusal::Busy)?;
        self.bytes.extend_from_slice(piece);
        match &mut self.memory {
            Some(memory) => memory.merge(permit),
            None => self.memory = Some(permit),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(5);

    fn on_runtime<T>(future: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        runtime.unwrap().block_on(future)
    }

    /// Reads five bytes.
    fn read(limit: usize, memory: &Arc<Semaphore>) -> Result<Held, Refusal> {
        on_runtime(BodyReader::new(Body::from("12345"), limit, PATIENCE).read(memory))
    }

    #[test]
    fn a_body_up_to_the_limit_is_taken() {
        let memory = Arc::new(Semaphore::new(5));
        assert_eq!(read(5, &memory).unwrap().bytes, b"12345");
        assert_eq!(read(4, &memory).unwrap_err(), Refusal::TooLarge { limit: 4 });
    }

    #[test]
    fn bodies_share_one_memory_and_give_it_back() {
        let memory = Arc::new(Semaphore::new(9));
        let first = read(5, &memory).unwrap();
        assert_eq!(read(5, &memory).unwrap_err(), Refusal::Busy);
        drop(first);
        assert!(read(5, &memory).is_ok());
    }

    #[test]
    fn answers_hold_their_memory_until_they_are_sent() {
        let memory = Arc::new(Semaphore::new(30_000));
        let answer = || accounted("x".repeat(20_000), &memory);
        let first = answer().unwrap();
        let part = first.slice(10..20);
        drop(first);
        assert_eq!(answer().unwrap_err(), Refusal::Busy);
        assert!(accounted("stored".to_owned(), &memory).is_ok(), "a result must not be sent twice");
        drop(part);
        assert!(answer().is_ok());
    }

    #[test]
    fn a_length_over_the_limit_is_enough_to_be_refused() {
        let mut reader = BodyReader::new(Body::from("12345"), 4, PATIENCE);
        let refusal = on_runtime(reader.check(&HeaderMap::new()));
        assert_eq!(refusal, Err(Refusal::TooLarge { limit: 4 }));
    }

    #[test]
    fn compressed_bodies_are_refused() {
        let headers = HeaderMap::from_iter([(header::CONTENT_ENCODING, "br".parse().unwrap())]);
        let mut reader = BodyReader::new(Body::from("12345"), 10, PATIENCE);
        assert_eq!(on_runtime(reader.check(&headers)), Err(Refusal::Encoded));
    }
}
