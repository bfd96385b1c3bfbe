//! Payments: `Payment`, `settle` and `settle_refund`, and the provider behind them.

use events::{CorrelationId, EventId, Money, OrderId, PaymentId, RefundId, UserId};
use payments::model::{
    Answer as Told, Bill, Payment, Refund, RefundPlan, RefundRequest, RefundVerdict, Verdict, settle_refund,
};
use payments::{ChargeOutcome, ReversalOutcome, Unanswered};
use payments_client::{PaymentStatus, RefundStatus};

use super::{EUR, id};
use crate::message::{Kind, Message};
use crate::setup::{Mistake, Setup};
use crate::world::{Answer, Call, ChargeEntry, PRICE, PaymentRow, RefundRow, Task, World};

/// An event of orders.
pub(crate) fn hear(world: &mut World, setup: &Setup, message: Message) -> Vec<Kind> {
    let row = &mut world.payments[usize::from(message.order)];
    if message.kind == Kind::PaymentRequested {
        return match row {
            Some(row) => payment(row, message.order).answer_again().map(told).into_iter().collect(),
            None => {
                *row = Some(PaymentRow::new(PaymentStatus::Pending));
                Vec::new()
            }
        };
    }
    match row {
        Some(row) => {
            row.called_off = true;
            begin_refund(row, message.order)
        }
        None => {
            if !setup.has(Mistake::NoPaymentTombstone) {
                *row = Some(PaymentRow { billed: false, called_off: true, ..PaymentRow::new(PaymentStatus::Failed) });
            }
            vec![Kind::Refunded]
        }
    }
}

impl PaymentRow {
    fn new(status: PaymentStatus) -> PaymentRow {
        PaymentRow {
            status,
            billed: true,
            called_off: false,
            captured: 0,
            promised: 0,
            refunded: 0,
            refunds: Vec::new(),
            lease: None,
        }
    }

    /// Is there something to ask the provider about that nobody has a lease of?
    pub(crate) fn due(&self) -> Option<Call> {
        let open = matches!(self.status, PaymentStatus::Pending | PaymentStatus::Authorized);
        if open && self.lease.is_none() {
            return Some(if self.called_off { Call::Void } else { Call::Charge });
        }
        let pending = |refund: &RefundRow| refund.status == RefundStatus::Pending && refund.lease.is_none();
        self.refunds.iter().position(pending).map(|number| Call::Reverse(u8::try_from(number).unwrap_or(u8::MAX)))
    }

    /// The lease that a call runs under.
    pub(crate) fn lease_of(&mut self, call: Call) -> &mut Option<u8> {
        match call {
            Call::Charge | Call::Void => &mut self.lease,
            Call::Reverse(number) => &mut self.refunds[usize::from(number)].lease,
        }
    }
}

/// An operator gives a part back, if there is so much.
pub(crate) fn refund_part(row: &mut PaymentRow, order: u8, amount: u8) -> bool {
    let mut payment = payment(row, order);
    let granted = payment.refund_some(Some(money(amount))).is_ok();
    if granted {
        store(row, &payment);
        row.refunds.push(RefundRow { amount, status: RefundStatus::Pending, lease: None });
    }
    granted
}

fn begin_refund(row: &mut PaymentRow, order: u8) -> Vec<Kind> {
    let mut payment = payment(row, order);
    let plan = payment.refund_all().expect("small amounts");
    store(row, &payment);
    match plan {
        RefundPlan::Wait => Vec::new(),
        RefundPlan::Begin(amount) => {
            let amount = u8::try_from(amount.minor()).unwrap_or(u8::MAX);
            row.refunds.push(RefundRow { amount, status: RefundStatus::Pending, lease: None });
            Vec::new()
        }
        RefundPlan::Answer(answer) => vec![told(answer)],
    }
}

/// The provider does what it is asked, or says what it did before; `outcome` where it has the choice.
pub(crate) fn ask_provider(world: &mut World, setup: &Setup, task: Task, outcome: ChargeEntry) -> Answer {
    let order = usize::from(task.order);
    let books = &mut world.charges[order];
    match task.call {
        Call::Charge if setup.has(Mistake::ChargeWithoutKey) => {
            books.push(outcome);
            Answer::Charge(outcome)
        }
        Call::Charge | Call::Void => {
            let new = if task.call == Call::Void { ChargeEntry::Voided } else { outcome };
            if books.is_empty() {
                books.push(new);
            }
            Answer::Charge(books[0])
        }
        Call::Reverse(number) => {
            let Some(row) = &world.payments[order] else { return Answer::Unanswered };
            let amount = row.refunds[usize::from(number)].amount;
            let given = world.reversals.entry((task.order, number)).or_default();
            *given = if setup.has(Mistake::RefundWithoutKey) { *given + amount } else { amount };
            Answer::Reversed
        }
    }
}

/// Writes down what the provider said, and what is told then.
pub(crate) fn settle(row: &mut PaymentRow, setup: &Setup, task: Task, answer: Answer) -> Vec<Kind> {
    let mut payment = payment(row, task.order);
    match task.call {
        Call::Charge | Call::Void => {
            let verdict = payment.settle(&charge_outcome(setup, answer));
            store(row, &payment);
            match verdict {
                Verdict::Settle(_, answer) => vec![told(answer)],
                Verdict::CaptureAndRefund => begin_refund(row, task.order),
                Verdict::AskAgain | Verdict::Keep | Verdict::Contradiction => Vec::new(),
            }
        }
        Call::Reverse(number) => {
            let mut refund = refund(row, task.order, number);
            let said = match answer {
                Answer::Reversed => Ok(ReversalOutcome::Reversed { reference: String::new() }),
                Answer::Charge(_) | Answer::Unanswered => Err(Unanswered(String::new())),
            };
            let verdict = settle_refund(&mut payment, &mut refund, &said).expect("small amounts");
            store(row, &payment);
            row.refunds[usize::from(number)].status = refund.status;
            match verdict {
                RefundVerdict::Succeeded if payment.is_all_back() => vec![Kind::Refunded],
                RefundVerdict::Succeeded => vec![Kind::PartlyRefunded],
                RefundVerdict::Failed
                | RefundVerdict::AskAgain
                | RefundVerdict::Keep
                | RefundVerdict::Contradiction => Vec::new(),
            }
        }
    }
}

fn charge_outcome(setup: &Setup, answer: Answer) -> Result<ChargeOutcome, Unanswered> {
    match answer {
        Answer::Charge(ChargeEntry::Captured) => Ok(ChargeOutcome::Captured { reference: String::new() }),
        Answer::Charge(ChargeEntry::Declined) => {
            Ok(ChargeOutcome::Declined { code: String::new(), reason: String::new() })
        }
        Answer::Charge(ChargeEntry::Voided) => Ok(ChargeOutcome::Voided),
        Answer::Unanswered if setup.has(Mistake::SilenceIsADecline) => {
            Ok(ChargeOutcome::Declined { code: String::new(), reason: String::new() })
        }
        Answer::Unanswered | Answer::Reversed => Err(Unanswered(String::new())),
    }
}

fn told(answer: Told) -> Kind {
    match answer {
        Told::Processed => Kind::PaymentProcessed,
        Told::Failed => Kind::PaymentFailed,
        Told::NothingCaptured | Told::AllRefunded => Kind::Refunded,
    }
}

fn payment(row: &PaymentRow, order: u8) -> Payment {
    let bill = row.billed.then(|| Bill {
        amount: money(PRICE),
        method: String::new(),
        captured: money(row.captured),
        promised: money(row.promised),
        refunded: money(row.refunded),
    });
    let refund_request =
        row.called_off.then(|| RefundRequest { requested_by: EventId(id(order)), reason: String::new() });
    Payment {
        id: PaymentId(id(order)),
        order_id: OrderId(id(order)),
        user_id: UserId(id(order)),
        status: row.status,
        bill,
        provider_ref: None,
        failure: None,
        correlation_id: CorrelationId(id(order)),
        requested_by: None,
        refund_request,
        attempts: 0,
        version: 0,
    }
}

fn refund(row: &PaymentRow, order: u8, number: u8) -> Refund {
    let RefundRow { amount, status, .. } = row.refunds[usize::from(number)];
    Refund {
        id: RefundId(id(number)),
        payment_id: PaymentId(id(order)),
        amount: money(amount),
        reason: String::new(),
        status,
        provider_ref: None,
        failure_reason: None,
        asked_by: None,
        requested_by: None,
        attempts: 0,
    }
}

fn store(row: &mut PaymentRow, payment: &Payment) {
    let minor = |money: Money| u8::try_from(money.minor()).unwrap_or(u8::MAX);
    row.status = payment.status;
    if let Some(bill) = &payment.bill {
        row.captured = minor(bill.captured);
        row.promised = minor(bill.promised);
        row.refunded = minor(bill.refunded);
    }
}

fn money(minor: u8) -> Money {
    Money::from_minor(i64::from(minor), EUR).expect("small amounts")
}
