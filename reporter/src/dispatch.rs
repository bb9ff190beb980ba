//! Dispatch: a submission is in the spool before it is sent, and leaves it when it is
//! acknowledged. So neither a crash nor an absent collector loses one.

use pony_formats::Submission;

use crate::attachment::Attachment;
use crate::delivery::{self, Delivered, DeliveryError, Shipment};
use crate::exit::Failure;
use crate::messages::{self, Messages};
use crate::parcel::Parcel;
use crate::spool::{Entry, Spool};
use crate::target::Target;

/// Sends a new submission. Returns the line that says where it is.
pub(crate) fn send(
    submission: Submission,
    mut attachments: Vec<Attachment>,
    target: &Target,
    spool: Option<&Spool>,
    messages: &Messages,
) -> Result<String, Failure> {
    let parcel = Parcel::new(submission)?;
    let kept = spool.map(|spool| spool.keep(&parcel, &mut attachments, target));
    let (entry, tries) = match kept.transpose() {
        Ok(kept) => kept.unzip(),
        Err(error) => {
            // A machine without a place for a spool can still deliver.
            messages.warn(&error);
            (None, None)
        }
    };
    let shipment = Shipment { parcel, attachments, entry, tries: tries.unwrap_or_default() };
    // One goes in, one comes out.
    hand_over(vec![shipment], target, messages).pop().unwrap_or_else(|| Ok(String::new()))
}

/// Sends submissions that are in the spool, if that works at all. Says what has become of each, in their order.
pub(crate) fn hand_over(
    mut shipments: Vec<Shipment>,
    target: &Target,
    messages: &Messages,
) -> Vec<Result<String, Failure>> {
    let spinner = messages.wait_for(format!("submitting to {target}"), target.may_ask());
    let outcomes = delivery::deliver(&mut shipments, target);
    drop(spinner);
    let outcomes = shipments.into_iter().zip(outcomes);
    outcomes.map(|(shipment, outcome)| conclude(shipment, outcome, messages)).collect()
}

fn conclude(
    shipment: Shipment,
    outcome: Result<Delivered, DeliveryError>,
    messages: &Messages,
) -> Result<String, Failure> {
    let Shipment { parcel, attachments, entry, .. } = shipment;
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
