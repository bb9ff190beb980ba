//! `archive`: moves the results of the past into another results repository.

use std::io::Write;
use std::path::Path;

use pony_store::{ArchivePlan, Stage, Store};

/// Moves results, and says after each stage what is done.
pub(crate) fn archive(repo: &Path, plan: &ArchivePlan, out: &mut dyn Write) -> anyhow::Result<()> {
    let (from, to) = (repo.display(), plan.to.display());
    let mut is_idle = true;
    let done = Store::open(repo)?.archive(plan, &mut |stage| {
        is_idle = false;
        let sentence = match stage {
            Stage::Copied(count) => format!("copied {count} results to `{to}`"),
            Stage::Verified(count) => format!("verified {count} results there, byte for byte"),
            Stage::Cut(count) => {
                format!("removed {count} results from `{from}`, which says where they are")
            }
            Stage::Freed(count) => format!("removed {count} uploaded files that only they needed"),
            Stage::HistoryKept => format!("fetched the history into `{to}`"),
            Stage::HistoryDropped => format!("started the history of `{from}` anew"),
            Stage::Pruned => "removed what only the old history needed".to_owned(),
            _ => return,
        };
        // Whoever closed the stream does not want to know.
        let _ = writeln!(out, "{sentence}").and_then(|()| out.flush());
    })?;
    if done.files_missing > 0 {
        let count = done.files_missing;
        let _ = writeln!(
            out,
            "note: the content of {count} uploaded files is not in `{from}`, so it was not copied"
        );
    }
    if let Some(reason) = &done.not_maintained {
        let _ = writeln!(
            out,
            "note: `{to}` has everything, but could not be made smaller ({reason}): try \
             `pony-collector maintain` later"
        );
    }
    if is_idle {
        let _ =
            writeln!(out, "nothing to do: `{from}` has no results received before {}", plan.before);
    }
    Ok(())
}
