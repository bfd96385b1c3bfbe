//! Decisions about payments and refunds. No I/O: what happened goes in, what follows comes out.

use std::time::Duration;

use events::{CorrelationId, Currency, EventId, Money, MoneyError, OrderId, PaymentId, RefundId, UserId};
use payments_client::{PaymentStatus, RefundStatus};

use crate::provider::{ChargeOutcome, ReversalOutcome, Unanswered};

/// The payment of one order.
#[derive(Debug, Clone, PartialEq)]
pub struct Payment {
    pub id: PaymentId,
    pub order_id: OrderId,
    pub user_id: UserId,
    pub status: PaymentStatus,
    /// None: the order was called off before a payment was asked for.
    pub bill: Option<Bill>,
    pub provider_ref: Option<String>,
    pub failure: Option<Failure>,
    pub correlation_id: CorrelationId,
    /// The event that asked for the money.
    pub requested_by: Option<EventId>,
    pub refund_request: Option<RefundRequest>,
    /// Calls that stayed unanswered.
    pub attempts: u32,
    /// Answers given so far; the version of the events about it.
    pub version: i64,
}

/// What is to be paid and what was.
///
/// Invariant: refunded <= promised <= captured <= amount, all in one currency.
#[derive(Debug, Clone, PartialEq)]
pub struct Bill {
    pub amount: Money,
    pub method: String,
    pub captured: Money,
    /// Refunds pending or succeeded.
    pub promised: Money,
    /// Refunds succeeded.
    pub refunded: Money,
}

/// The order wants its money back, all of it.
#[derive(Debug, Clone, PartialEq)]
pub struct RefundRequest {
    pub requested_by: EventId,
    pub reason: String,
}

/// Why nothing was captured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub code: String,
    pub reason: String,
}

impl Failure {
    /// The order was called off before anything was charged.
    pub fn called_off() -> Failure {
        Failure {
            code: "ORDER_CALLED_OFF".to_owned(),
            reason: "The order was called off before it was paid.".to_owned(),
        }
    }
}

/// One refund, with what is needed to carry it out.
#[derive(Debug, Clone, PartialEq)]
pub struct Refund {
    pub id: RefundId,
    pub payment_id: PaymentId,
    pub amount: Money,
    pub reason: String,
    pub status: RefundStatus,
    pub provider_ref: Option<String>,
    pub failure_reason: Option<String>,
    /// The admin who asked; none: the order did.
    pub asked_by: Option<UserId>,
    /// The event with which the order asked.
    pub requested_by: Option<EventId>,
    pub attempts: u32,
}

/// Whether the order still wants to pay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    Pay,
    /// It asked for its money back.
    Refund,
}

/// What is told to the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// `PaymentProcessed`
    Processed,
    /// `PaymentFailed`
    Failed,
    /// `PaymentRefunded`: nothing was captured and nothing will be.
    NothingCaptured,
    /// `PaymentRefunded`: all of it was given back before.
    AllRefunded,
}

/// What follows from a provider's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// This status, and this answer.
    Settle(PaymentStatus, Answer),
    /// The money is taken although the order wants it back: captured, and a refund of all of it.
    CaptureAndRefund,
    /// Nobody knows: ask again with the same key.
    AskAgain,
    /// Decided before, and alike.
    Keep,
    /// Decided before, and otherwise: a provider that breaks its word. For people to look at.
    Contradiction,
}

/// Decides what a provider's answer about a charge means. Unknown is never a failure.
pub fn settle(status: PaymentStatus, wish: Wish, said: &Result<ChargeOutcome, Unanswered>) -> Verdict {
    use ChargeOutcome::{Captured, Declined, Voided};
    use PaymentStatus as S;
    match (status, wish, said) {
        (S::Pending | S::Authorized, Wish::Pay, Ok(Captured { .. })) => Verdict::Settle(S::Captured, Answer::Processed),
        (S::Pending | S::Authorized, Wish::Refund, Ok(Captured { .. })) => Verdict::CaptureAndRefund,
        (S::Pending | S::Authorized, Wish::Pay, Ok(Declined { .. })) => Verdict::Settle(S::Declined, Answer::Failed),
        (S::Pending | S::Authorized, Wish::Refund, Ok(Declined { .. })) => {
            Verdict::Settle(S::Declined, Answer::NothingCaptured)
        }
        (S::Pending | S::Authorized, Wish::Pay, Ok(Voided)) => Verdict::Settle(S::Failed, Answer::Failed),
        (S::Pending | S::Authorized, Wish::Refund, Ok(Voided)) => Verdict::Settle(S::Failed, Answer::NothingCaptured),
        (S::Pending | S::Authorized, Wish::Pay | Wish::Refund, Err(Unanswered(_))) => Verdict::AskAgain,

        (S::Captured | S::Refunded | S::PartiallyRefunded, Wish::Pay | Wish::Refund, Ok(Captured { .. }))
        | (S::Declined, Wish::Pay | Wish::Refund, Ok(Declined { .. }))
        | (S::Failed, Wish::Pay | Wish::Refund, Ok(Voided)) => Verdict::Keep,

        (
            S::Captured | S::Refunded | S::PartiallyRefunded | S::Declined | S::Failed,
            Wish::Pay | Wish::Refund,
            Err(Unanswered(_)),
        ) => Verdict::Keep,

        (S::Captured | S::Refunded | S::PartiallyRefunded, Wish::Pay | Wish::Refund, Ok(Declined { .. } | Voided))
        | (S::Declined, Wish::Pay | Wish::Refund, Ok(Captured { .. } | Voided))
        | (S::Failed, Wish::Pay | Wish::Refund, Ok(Captured { .. } | Declined { .. })) => Verdict::Contradiction,
    }
}

/// What follows from the order's wish to have all its money back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefundPlan {
    /// It is under way; its end is the answer.
    Wait,
    /// Give this much back.
    Begin(Money),
    /// Answer at once.
    Answer(Answer),
}

/// Why a refund is not begun.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RefundRefusal {
    #[error("the payment is not captured, so there is nothing to give back")]
    NotCaptured,
    #[error("only {left} of what was captured is left to give back")]
    ExceedsCaptured { left: Money },
    #[error("the amount must be above zero")]
    NotPositive,
    #[error("the payment was made in {0}")]
    OtherCurrency(Currency),
    #[error(transparent)]
    Stored(#[from] MoneyError),
}

impl Payment {
    /// Whether the truth about its charge is known.
    pub fn is_settled(&self) -> bool {
        use PaymentStatus as S;
        match self.status {
            S::Pending | S::Authorized => false,
            S::Captured | S::Declined | S::Failed | S::Refunded | S::PartiallyRefunded => true,
        }
    }

    pub fn wish(&self) -> Wish {
        if self.refund_request.is_some() { Wish::Refund } else { Wish::Pay }
    }

    /// Applies a provider's answer about the charge.
    pub fn settle(&mut self, said: &Result<ChargeOutcome, Unanswered>) -> Verdict {
        let verdict = settle(self.status, self.wish(), said);
        match verdict {
            Verdict::Settle(status, answer) => {
                self.status = status;
                self.note(said);
                self.count_answer(answer);
            }
            Verdict::CaptureAndRefund => {
                self.status = PaymentStatus::Captured;
                self.note(said);
            }
            Verdict::AskAgain => self.attempts += 1,
            Verdict::Keep | Verdict::Contradiction => {}
        }
        verdict
    }

    fn note(&mut self, said: &Result<ChargeOutcome, Unanswered>) {
        match said {
            Ok(ChargeOutcome::Captured { reference }) => {
                self.provider_ref = Some(reference.clone());
                if let Some(bill) = &mut self.bill {
                    bill.captured = bill.amount;
                }
            }
            Ok(ChargeOutcome::Declined { code, reason }) => {
                self.failure = Some(Failure { code: code.clone(), reason: reason.clone() });
            }
            Ok(ChargeOutcome::Voided) => self.failure = Some(Failure::called_off()),
            Err(Unanswered(_)) => {}
        }
    }

    /// The first answer has version 1, whatever undoes it a higher one.
    fn count_answer(&mut self, answer: Answer) {
        self.version = match answer {
            Answer::Processed | Answer::Failed => self.version.max(1),
            Answer::NothingCaptured | Answer::AllRefunded => self.version.max(2),
        };
    }

    /// The order asks to be charged, though it has a payment: what it is told again.
    pub fn answer_again(&self) -> Option<Answer> {
        use PaymentStatus as S;
        match (self.status, self.wish()) {
            (S::Captured | S::PartiallyRefunded, Wish::Pay) => Some(Answer::Processed),
            (S::Declined | S::Failed, Wish::Pay) => Some(Answer::Failed),
            (S::Refunded, Wish::Pay | Wish::Refund) => Some(Answer::AllRefunded),
            // Its answer is on the way.
            (S::Pending | S::Authorized, Wish::Pay | Wish::Refund)
            | (S::Captured | S::PartiallyRefunded, Wish::Refund) => None,
            // It asked for its money back, and was told that there is none.
            (S::Declined | S::Failed, Wish::Refund) => None,
        }
    }

    /// The order wants all its money back. Whatever is begun is promised from here on.
    pub fn refund_all(&mut self) -> Result<RefundPlan, MoneyError> {
        use PaymentStatus as S;
        let plan = match (self.status, &mut self.bill) {
            (S::Pending | S::Authorized, _) => RefundPlan::Wait,
            (S::Declined | S::Failed, _) | (S::Captured | S::PartiallyRefunded | S::Refunded, None) => {
                RefundPlan::Answer(Answer::NothingCaptured)
            }
            (S::Refunded, Some(_)) => RefundPlan::Answer(Answer::AllRefunded),
            (S::Captured | S::PartiallyRefunded, Some(bill)) => {
                let left = bill.captured.minus(bill.promised)?;
                if bill.captured.is_zero() {
                    RefundPlan::Answer(Answer::NothingCaptured)
                } else if left.is_zero() {
                    RefundPlan::Wait
                } else {
                    bill.promised = bill.captured;
                    RefundPlan::Begin(left)
                }
            }
        };
        if let RefundPlan::Answer(answer) = plan {
            self.count_answer(answer);
        }
        Ok(plan)
    }

    /// An admin wants to give back `amount`, or whatever is left. What is granted is promised from here on.
    pub fn refund_some(&mut self, amount: Option<Money>) -> Result<Money, RefundRefusal> {
        use PaymentStatus as S;
        let bill = match (self.status, &mut self.bill) {
            (S::Captured | S::PartiallyRefunded | S::Refunded, Some(bill)) => bill,
            (S::Pending | S::Authorized | S::Declined | S::Failed, _) | (_, None) => {
                return Err(RefundRefusal::NotCaptured);
            }
        };
        let left = bill.captured.minus(bill.promised)?;
        let amount = amount.unwrap_or(left);
        if amount.currency() != left.currency() {
            return Err(RefundRefusal::OtherCurrency(left.currency()));
        }
        if left.is_zero() || amount.minor() > left.minor() {
            return Err(RefundRefusal::ExceedsCaptured { left });
        }
        if amount.is_negative() || amount.is_zero() {
            return Err(RefundRefusal::NotPositive);
        }
        bill.promised = bill.promised.plus(amount)?;
        Ok(amount)
    }

    /// Nothing of the order's money is left with the shop.
    pub fn is_all_back(&self) -> bool {
        self.bill.as_ref().is_none_or(|bill| bill.refunded == bill.captured)
    }
}

/// What follows from a provider's answer about a refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefundVerdict {
    /// The money is back: tell the order.
    Succeeded,
    /// Nothing was given back; the promise is taken off. The order asks again, an admin may.
    Failed,
    /// Nobody knows: ask again with the same key.
    AskAgain,
    /// Decided before, and alike.
    Keep,
    /// Decided before, and otherwise.
    Contradiction,
}

/// Applies a provider's answer about a refund to it and to its payment.
pub fn settle_refund(
    payment: &mut Payment,
    refund: &mut Refund,
    said: &Result<ReversalOutcome, Unanswered>,
) -> Result<RefundVerdict, MoneyError> {
    use RefundStatus as S;
    use ReversalOutcome::{Refused, Reversed};
    match (refund.status, said) {
        (S::Pending, Ok(Reversed { reference })) => {
            refund.status = S::Succeeded;
            refund.provider_ref = Some(reference.clone());
            if let Some(bill) = &mut payment.bill {
                bill.refunded = bill.refunded.plus(refund.amount)?;
                let all_back = bill.refunded == bill.captured;
                payment.status = if all_back { PaymentStatus::Refunded } else { PaymentStatus::PartiallyRefunded };
            }
            payment.version = payment.version.max(1) + 1;
            Ok(RefundVerdict::Succeeded)
        }
        (S::Pending, Ok(Refused { reason })) => {
            refund.status = S::Failed;
            refund.failure_reason = Some(reason.clone());
            if let Some(bill) = &mut payment.bill {
                bill.promised = bill.promised.minus(refund.amount)?;
            }
            Ok(RefundVerdict::Failed)
        }
        (S::Pending, Err(Unanswered(_))) => {
            refund.attempts += 1;
            Ok(RefundVerdict::AskAgain)
        }
        (S::Succeeded, Ok(Reversed { .. }) | Err(Unanswered(_)))
        | (S::Failed, Ok(Refused { .. }) | Err(Unanswered(_))) => Ok(RefundVerdict::Keep),
        (S::Succeeded, Ok(Refused { .. })) | (S::Failed, Ok(Reversed { .. })) => Ok(RefundVerdict::Contradiction),
    }
}

/// How long to wait after the n-th unanswered call: 0.5 s, 1 s, 2 s, 4 s, then every 5 s.
pub fn ask_again_after(attempts: u32) -> Duration {
    let doublings = attempts.saturating_sub(1).min(4);
    Duration::from_millis(500 << doublings).min(Duration::from_secs(5))
}

#[cfg(test)]
mod tests;
