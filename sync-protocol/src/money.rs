//! The bodies that a store keeps of a payment's records, and the records that they are.
//!
//! A receipt and a refund are one item with several tenders; of each payment only its own tender is kept. Both sides
//! keep the same bytes.

use domain::payment::{PaymentRecord, PaymentResult, RepaymentResult};
use domain::till::{RefundTender, TenderLine};

use crate::error::DecodeError;
use crate::item::{decode_body, kind};

/// The record that these bytes of an item of this kind are.
pub fn payment_record(item_kind: u16, body: &[u8]) -> Result<PaymentRecord, DecodeError> {
    Ok(match item_kind {
        kind::RECEIPT => {
            let tender: TenderLine = decode_body(body, "TenderLine")?;
            PaymentRecord::Asked {
                tender: tender.tender,
                amount_minor: tender.amount_minor,
            }
        }
        kind::REFUND => {
            let tender: RefundTender = decode_body(body, "RefundTender")?;
            PaymentRecord::RepaymentAsked {
                repayment: tender.id,
                tender: tender.tender,
                amount_minor: tender.amount_minor,
            }
        }
        kind::PAYMENT_CANCELLED => PaymentRecord::Cancelled,
        kind::PAYMENT_RESULT => {
            PaymentRecord::Result(decode_body::<PaymentResult>(body, "PaymentResult")?)
        }
        kind::REPAYMENT_RESULT => {
            PaymentRecord::Repayment(decode_body::<RepaymentResult>(body, "RepaymentResult")?)
        }
        other => {
            return Err(DecodeError::Unknown {
                what: "record of a payment",
                value: u64::from(other),
            });
        }
    })
}
