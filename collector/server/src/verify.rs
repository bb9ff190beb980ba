//! `verify`: whether everything in a repository is as it was written.

use std::io::{self, Write};

use pony_store::Store;

use crate::cli::VerifyPlan;
use crate::failure::Failure;

/// Says on `out` what is damaged, one line each, or else what was checked.
pub(crate) fn verify(plan: &VerifyPlan, out: &mut dyn Write) -> anyhow::Result<()> {
    let store = Store::open(&plan.repo)?;
    let findings = pony_store::verify(&store, plan.since.as_ref())?;
    for note in &findings.notes {
        // Nothing can be done for somebody who closed the stream, here and below.
        let _ = writeln!(io::stderr(), "pony-collector: warning: {note}");
    }
    for line in &findings.damage {
        let _ = writeln!(out, "damaged: {line}");
    }
    if findings.damage.is_empty() {
        let _ = writeln!(out, "sound: {}", findings.checked);
        return Ok(());
    }
    Err(Failure::Damaged { repo: plan.repo.clone(), count: findings.damage.len() }.into())
}
