//! Output that is too long to be stored in a result: the whole becomes a file of it. Our own client does
//! that before it sends anything; the original one sends everything in one call.

use pony_formats::Step;
use pony_formats::excerpt::{Excerpt, NOTES_BYTES_MAX, STREAMS, Whole, whole_name};
use pony_store::{Artifact, Contents, StoreError};

/// Leaves about `bytes_max` of each stream in the steps, and stores those that are longer. Returns what is
/// to be recorded of them. What our own client has shortened to as much stays as it is.
pub(crate) fn shorten(
    steps: &mut [Step],
    bytes_max: usize,
    contents: &Contents,
) -> Result<Vec<Artifact>, StoreError> {
    let mut wholes = Vec::new();
    for (index, step) in steps.iter_mut().enumerate() {
        for stream in STREAMS {
            let text = step.bag().get(stream).and_then(pony_formats::Value::as_str);
            let is_long = |text: &&str| text.len() > bytes_max.saturating_add(NOTES_BYTES_MAX);
            let Some(text) = text.filter(is_long) else { continue };
            let name = whole_name(index, stream);
            let (size, sha256) = contents.store(&mut text.as_bytes())?;
            let whole = Some(Whole { name: &name, cut_at: None });
            let (text, _) = Excerpt::of(text.as_bytes(), bytes_max).into_text(whole);
            *step = std::mem::take(step).with(stream, text);
            let description = format!("the whole {stream} of step {}", index + 1);
            wholes.push(Artifact { filename: name, description, size, sha256, visible: true });
        }
    }
    Ok(wholes)
}
