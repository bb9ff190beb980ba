//! `annotations.json`: what people say of results afterwards. The next build compares with it.

use serde::{Deserialize, Serialize};

use super::{FORMAT, one_line};
use crate::annotations::Annotations;

/// Its address.
pub(crate) const ANNOTATIONS: &str = "annotations.json";

/// `annotations.json`.
#[derive(Debug, Serialize, Deserialize)]
struct Document<A> {
    /// 1.
    format: u32,
    /// `excuses`, by package: `kind` (`known` or `quarantine`), `test` (an id, or a pattern with `*` and `?`), `host`,
    /// `reason`, `link`, `expires` (the last day on which it holds, UTC) and `place` (file and line); `notes`, each on
    /// a `result` or a `machine`, with `text`, `link` and `place`; `problems` in files, with `place` and
    /// `message`, and how many `more_problems` there are.
    #[serde(flatten)]
    annotations: A,
}

/// `annotations.json`.
pub(crate) fn annotations(annotations: &Annotations) -> String {
    one_line(&Document { format: FORMAT, annotations })
}

/// Reads back what [`annotations`] wrote. `None` when it is odd.
pub(crate) fn read_annotations(text: &[u8]) -> Option<Annotations> {
    let document: Document<Annotations> = serde_json::from_slice(text).ok()?;
    (document.format == FORMAT).then_some(document.annotations)
}
