//! Output that is too long to be stored in a result: the whole becomes a file of it. Our own client does
//! that before it sends anything; the original one sends everything in one call.

use pony_formats::excerpt::{Excerpt, STREAMS, Whole, whole_name};
use pony_formats::{Limits, Step, Value};
use pony_store::{Artifact, Contents, StoreError};

/// Bytes of the line that stands for what was left out, at most.
const LINE_BYTES: usize = 1024;

/// Whether a stream of a step is too long. What a client has shortened is not.
pub(crate) fn is_needed(steps: &[Step], bytes_max: usize) -> bool {
    steps
        .iter()
        .any(|step| STREAMS.iter().any(|stream| too_long(step, stream, bytes_max).is_some()))
}

/// Leaves `bytes_max` of each stream in the steps, and stores those that are longer. Returns what is
/// to be recorded of them.
pub(crate) fn shorten(
    steps: &mut [Step],
    bytes_max: usize,
    contents: &Contents,
) -> Result<Vec<Artifact>, StoreError> {
    let mut wholes = Vec::new();
    for (index, step) in steps.iter_mut().enumerate() {
        for stream in STREAMS {
            let Some(text) = too_long(step, stream, bytes_max) else { continue };
            let name = whole_name(index, stream);
            let (size, sha256) = contents.store(&mut text.as_bytes())?;
            let whole = Some(Whole { name: &name, cut_at: None });
            let kept = Excerpt::of(text.as_bytes(), bytes_max).into_text(whole);
            *step = std::mem::take(step).with_stream(stream, kept);
            let description = format!("the whole {stream} of step {}", index + 1);
            wholes.push(Artifact { filename: name, description, size, sha256, visible: true });
        }
    }
    Ok(wholes)
}

fn too_long<'s>(step: &'s Step, stream: &str, bytes_max: usize) -> Option<&'s str> {
    let text = step.bag().get(stream).and_then(Value::as_str)?;
    // Our client shortens to its own limit. One that only says so is not believed.
    let of_clients = bytes_max.max(Limits::DEFAULT.stream_bytes_max) + LINE_BYTES;
    let is_shortened = step.left_out(stream).is_some_and(|bytes| bytes > 0);
    let bytes_max = if is_shortened { of_clients } else { bytes_max };
    (text.len() > bytes_max).then_some(text)
}
