//! The events that tell the order what became of its money.

use events::{Draft, EventId, PaymentFailed, PaymentProcessed, PaymentRefunded};

use crate::SERVICE;
use crate::model::{Answer, Payment, Refund};

/// The event that tells the order `answer`, because of `cause`.
pub(crate) fn answer(payment: &Payment, answer: Answer, cause: Option<EventId>) -> Draft {
    let bill = payment.bill.as_ref();
    let draft = match (answer, bill) {
        (Answer::Processed, Some(bill)) => {
            let event = PaymentProcessed { order_id: payment.order_id, payment_id: payment.id, amount: bill.captured };
            Draft::new(&event, payment.version, payment.correlation_id, SERVICE)
        }
        (Answer::Processed, None) | (Answer::Failed, _) => {
            let failure = payment.failure.clone().unwrap_or_else(crate::model::Failure::called_off);
            let event = PaymentFailed {
                order_id: payment.order_id,
                payment_id: payment.id,
                code: failure.code,
                reason: failure.reason,
            };
            Draft::new(&event, payment.version, payment.correlation_id, SERVICE)
        }
        (Answer::NothingCaptured | Answer::AllRefunded, _) => {
            let event = PaymentRefunded {
                order_id: payment.order_id,
                payment_id: bill.map(|_| payment.id),
                amount: bill.map(|bill| bill.refunded).filter(|amount| !amount.is_zero()),
                complete: true,
            };
            Draft::new(&event, payment.version, payment.correlation_id, SERVICE)
        }
    };
    caused(draft, cause)
}

/// The event that tells the order about a refund that succeeded.
pub(crate) fn refunded(payment: &Payment, refund: &Refund) -> Draft {
    let event = PaymentRefunded {
        order_id: payment.order_id,
        payment_id: Some(payment.id),
        amount: Some(refund.amount),
        complete: payment.is_all_back(),
    };
    caused(Draft::new(&event, payment.version, payment.correlation_id, SERVICE), refund.requested_by)
}

fn caused(draft: Draft, cause: Option<EventId>) -> Draft {
    match cause {
        Some(cause) => draft.caused_by(cause),
        None => draft,
    }
}
