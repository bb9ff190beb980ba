//! Dispatch: a submission is in the spool before it is sent, and leaves it when it is
//! acknowledged. So neither a crash nor an absent collector loses one.

use pony_formats::Submission;

use crate::attachment::Attachment;
use crate::delivery::{self, Delivered};
use crate::exit::Failure;
use crate::messages::{self, Messages};
use crate::parcel::Parcel;
use crate::spool::{Entry, Spool};
use crate::target::Target;

/// Sends a new submission. Returns the line that says where it is.
pub(crate) fn send(
    submission: Submission,
    attachments: &mut [Attachment],
    target: &Target,
    spool: Option<&Spool>,
    messages: &Messages,
) -> Result<String, Failure> {
    let parcel = Parcel::new(submission)?;
    let kept = spool.map(|spool| spool.keep(&parcel, attachments, target));
    let entry = match kept.transpose() {
        Ok(entry) => entry,
        Err(error) => {
            // A machine without a place for a spool can still deliver.
            messages.warn(&error);
            None
        }
    };
    hand_over(&parcel, attachments, target, entry, messages)
}

/// Sends a submission that is in the spool, if that works at all.
pub(crate) fn hand_over(
    parcel: &Parcel,
    attachments: &mut [Attachment],
    target: &Target,
    entry: Option<Entry>,
    messages: &Messages,
) -> Result<String, Failure> {
    let spinner = messages.wait_for(format!("submitting to {target}"));
    let outcome = delivery::deliver(parcel, attachments, target);
    drop(spinner);
    match (outcome, entry) {
        (Ok(delivered), entry) => {
            for complaint in &delivered.complaints {
                messages.warn(complaint);
            }
            if let Some(Err(error)) = entry.map(Entry::forget) {
                messages.warn(&error);
            }
            Ok(success_line(&parcel.submission, &delivered))
        }
        (Err(error), Some(entry)) if error.is_rejection() => {
            let kept = Some(entry.reject(&messages::chain(&error))?);
            Err(Failure::Delivery { error, kept })
        }
        (Err(error), entry) => {
            if let Some(entry) = &entry {
                entry.forget_files(attachments.iter().filter(|file| file.has_arrived))?;
            }
            Err(Failure::Delivery { error, kept: entry.map(|entry| entry.path().to_owned()) })
        }
    }
}

fn success_line(submission: &Submission, delivered: &Delivered) -> String {
    let package = submission.client_info.package();
    let tally = delivery::in_words(submission.tally());
    format!("{package}: {tally}; result {} at {}", delivered.key, delivered.place)
}
