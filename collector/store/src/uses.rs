//! [`Uses`]: a limit on how often one folder is looked at.
//!
//! A folder of a package, year, month or day is in one place, as its results know where they belong. But git lets
//! the same one be in many: a few small trees, each with the next in it a hundred times, are folders without end.

use gix::ObjectId;
use gix::hashtable::HashMap;

use crate::objects::Unreadable;

/// In how many places a folder is looked at. A few may be copies that somebody has made by hand.
const USES_MAX: u32 = 16;

/// How often folders were met.
#[derive(Debug, Default)]
pub(crate) struct Uses(HashMap<ObjectId, u32>);

/// A folder is in more places than anybody needs.
#[derive(Debug, thiserror::Error)]
#[error("is in more than {USES_MAX} places: only the first are looked at")]
struct TooMany;

impl Uses {
    /// Whether the folder is to be looked at, once more. The first time that it is not, this is noted.
    pub(crate) fn allow(&mut self, id: ObjectId, note: impl FnOnce(Unreadable)) -> bool {
        let uses = self.0.entry(id).or_default();
        *uses = uses.saturating_add(1);
        if *uses == USES_MAX + 1 {
            note(Unreadable::folder(id, &TooMany));
        }
        *uses <= USES_MAX
    }
}
