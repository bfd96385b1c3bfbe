//! From a saga's move to what it means: stored states, events, deadlines, words for the shopper.

use std::time::Duration;

use chrono::{DateTime, Utc};
use events::{
    CartCheckoutInitiated, CorrelationId, Draft, EventId, Money, OrderCancelled, OrderConfirmed, OrderDelivered,
    OrderFailed, OrderId, OrderLine, OrderPlaced, OrderRolledBack, OrderShipped, OrderStatus, PaymentRequested,
    RefundRequested, ReleaseRequested, ReopenRequested, ReservationId, StockLine, StockRefusal, StockReservationFailed,
};

use orders_client::{Order, OrderItem};

use crate::saga::{Command, Ending, Input, State, Undo, Undoing};
use crate::{OrdersConfig, SERVICE};

/// Why an order failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// For machines, e.g. `OUT_OF_STOCK`.
    pub code: String,
    /// For the shopper.
    pub reason: String,
}

/// What moves a saga, and what there is to say about it.
#[derive(Debug, Clone)]
pub struct Step {
    /// Whose saga.
    pub order_id: OrderId,
    /// What happened.
    pub input: Input,
    /// The event that says so; none for wishes of people and for the clock.
    pub cause: Option<Cause>,
    /// Why the order fails, if this makes it fail.
    pub failure: Option<Failure>,
    /// What products holds for the order, if this says so.
    pub hold: Option<Hold>,
    /// A person's reason, if one was given.
    pub note: Option<String>,
}

/// What an order holds, as products said.
#[derive(Debug, Clone)]
pub struct Hold {
    /// Whose.
    pub order_id: OrderId,
    /// The hold.
    pub reservation_id: ReservationId,
    /// What.
    pub lines: Vec<StockLine>,
    /// Until when.
    pub expires_at: DateTime<Utc>,
}

impl Step {
    /// A step without an event behind it.
    pub fn of(order_id: OrderId, input: Input) -> Step {
        Step { order_id, input, cause: None, failure: None, hold: None, note: None }
    }
}

/// The event behind a step.
#[derive(Debug, Clone)]
pub struct Cause {
    /// Its id.
    pub event_id: EventId,
    /// Its name.
    pub event: String,
    /// The service that published it.
    pub service: String,
    /// When it happened.
    pub at: DateTime<Utc>,
}

/// A saga as it is stored.
#[derive(Debug, Clone)]
pub struct Stored {
    /// Whose.
    pub order_id: OrderId,
    /// Its id in events.
    pub correlation_id: CorrelationId,
    /// Where it rests.
    pub state: State,
    /// The order's version.
    pub version: i64,
    /// Why it was cancelled, if it was and if a reason was given.
    pub cancel_reason: Option<String>,
    /// The snapshot that the cart fixed.
    pub snapshot: CartCheckoutInitiated,
}

/// A saga whose row makes no sense.
#[derive(Debug, Clone)]
pub struct Unreadable {
    /// Whose.
    pub order_id: OrderId,
    /// What is wrong with it.
    pub reason: String,
}

/// May a person still cancel an order that stands there? Whoever asks at rest hears what [`saga::next`] will say.
///
/// [`saga::next`]: crate::saga::next
pub fn is_cancellable(status: OrderStatus) -> bool {
    match status {
        OrderStatus::Pending
        | OrderStatus::CartValidated
        | OrderStatus::InventoryReserved
        | OrderStatus::PaymentProcessed
        | OrderStatus::Confirmed => true,
        OrderStatus::Shipped
        | OrderStatus::Delivered
        | OrderStatus::Failed
        | OrderStatus::Compensated
        | OrderStatus::Cancelling
        | OrderStatus::Cancelled => false,
    }
}

/// The columns `status`, `ending`, `compensation_log` and `asked` of a state.
pub fn columns(state: &State) -> (&'static str, Option<&'static str>, Vec<&'static str>, i32) {
    let status = if matches!(state, State::Stuck(..)) { "STUCK" } else { state.order_status().as_str() };
    let (ending, asked) = match state {
        State::Undoing(ending, undoing) | State::Stuck(ending, undoing) => {
            let ending = match ending {
                Ending::Failure => "FAILURE",
                Ending::Cancellation => "CANCELLATION",
            };
            (Some(ending), i32::from(undoing.asked))
        }
        _ => (None, 0),
    };
    (status, ending, state.owed().iter().map(|undo| undo.as_str()).collect(), asked)
}

/// Reads a state back from its columns; `None` if they do not fit together.
pub fn state_from(status: &str, ending: Option<&str>, owed: &[String], asked: i32) -> Option<State> {
    let undoing = || -> Option<(Ending, Undoing)> {
        let ending = match ending? {
            "FAILURE" => Ending::Failure,
            "CANCELLATION" => Ending::Cancellation,
            _ => return None,
        };
        let owed: Vec<Undo> = owed.iter().map(|name| Undo::parse(name)).collect::<Option<_>>()?;
        let asked = u8::try_from(asked).ok()?;
        (!owed.is_empty()).then_some((ending, Undoing { owed, asked }))
    };
    if status == "STUCK" {
        return undoing().map(|(ending, undoing)| State::Stuck(ending, undoing));
    }
    match status.parse().ok()? {
        OrderStatus::Pending => Some(State::Pending),
        OrderStatus::CartValidated => Some(State::CartValidated),
        OrderStatus::InventoryReserved => Some(State::InventoryReserved),
        OrderStatus::PaymentProcessed | OrderStatus::Confirmed => Some(State::Confirmed),
        OrderStatus::Shipped => Some(State::Shipped),
        OrderStatus::Delivered => Some(State::Delivered),
        OrderStatus::Failed | OrderStatus::Cancelling => {
            undoing().map(|(ending, undoing)| State::Undoing(ending, undoing))
        }
        OrderStatus::Compensated => Some(State::Compensated),
        OrderStatus::Cancelled => Some(State::Cancelled),
    }
}

/// How long a state may last before the watchdog gives it a `Deadline`; none for those at rest.
pub fn deadline(state: &State, config: &OrdersConfig) -> Option<Duration> {
    match state {
        State::Pending | State::CartValidated => Some(config.reservation_deadline),
        State::InventoryReserved => Some(config.payment_deadline),
        State::Undoing(_, undoing) => {
            let doubled = config.undo_patience.saturating_mul(1 << u32::from(undoing.asked.saturating_sub(1)).min(6));
            Some(doubled.min(config.undo_patience_max))
        }
        State::Confirmed
        | State::Shipped
        | State::Delivered
        | State::Stuck(..)
        | State::Compensated
        | State::Cancelled => None,
    }
}

/// The status of the order's copy of its hold. Decided by the saga's state, because the news of a hold may come
/// after the news of its end.
pub fn hold_status(state: &State) -> &'static str {
    match state {
        State::Pending | State::CartValidated | State::InventoryReserved => "held",
        State::Confirmed | State::Shipped | State::Delivered => "committed",
        State::Undoing(_, undoing) | State::Stuck(_, undoing) if undoing.owed.contains(&Undo::Release) => "held",
        State::Undoing(..) | State::Stuck(..) | State::Compensated | State::Cancelled => "released",
    }
}

/// The states that an order passes through on its way from one to the next.
fn passed(from: &State, to: &State) -> Vec<OrderStatus> {
    match (from, to) {
        (State::InventoryReserved, State::Confirmed) => vec![OrderStatus::PaymentProcessed, OrderStatus::Confirmed],
        _ => vec![to.order_status()],
    }
}

/// The order that a checkout becomes, as it is stored at first.
pub fn placed(checkout: CartCheckoutInitiated, at: DateTime<Utc>) -> Order {
    let CartCheckoutInitiated { cart_id, order_id, correlation_id, user_id, lines, total, shipping_address, .. } =
        checkout;
    let item = |line: OrderLine| OrderItem {
        product_id: line.product_id,
        name: line.name,
        quantity: line.quantity,
        unit_price: line.unit_price,
        line_total: line.unit_price.times(line.quantity).expect("the cart's total is in range"),
    };
    let nothing = Money::zero(total.currency());
    Order {
        id: order_id,
        user_id,
        cart_id,
        status: OrderStatus::Pending,
        cancellable: is_cancellable(OrderStatus::Pending),
        version: 1,
        items: lines.into_iter().map(item).collect(),
        subtotal: total,
        shipping_total: nothing,
        tax_total: nothing,
        total,
        shipping_address: Some(shipping_address),
        correlation_id,
        failure_code: None,
        failure_reason: None,
        created_at: at,
        updated_at: at,
        shipped_at: None,
        delivered_at: None,
        cancelled_at: None,
    }
}

/// The events of a transition, in the order of its commands.
pub fn drafts(saga: &Stored, step: &Step, to: &State, commands: &[Command], due_at: DateTime<Utc>) -> Vec<Draft> {
    let statuses = passed(&saga.state, to);
    let CartCheckoutInitiated { cart_id, order_id, user_id, lines, total, payment_method, .. } = &saga.snapshot;
    let (cart_id, order_id, user_id, total) = (*cart_id, *order_id, *user_id, *total);
    let version = saga.version + 1;
    let failure = step.failure.clone().unwrap_or_else(expired);
    commands
        .iter()
        .map(|command| {
            let statuses = statuses.clone();
            let draft = |draft: Draft| match &step.cause {
                Some(cause) => draft.caused_by(cause.event_id),
                None => draft,
            };
            macro_rules! event {
                ($payload:expr) => {
                    draft(Draft::new(&$payload, version, saga.correlation_id, SERVICE))
                };
            }
            match command {
                Command::Place => {
                    event!(OrderPlaced { order_id, user_id, cart_id, statuses, lines: lines.clone(), total })
                }
                Command::RequestPayment => event!(PaymentRequested {
                    order_id,
                    user_id,
                    statuses,
                    amount: total,
                    payment_method: payment_method.clone(),
                    due_at
                }),
                Command::Confirm => {
                    event!(OrderConfirmed { order_id, user_id, cart_id, statuses, lines: lines.clone(), total })
                }
                Command::Fail => event!(OrderFailed {
                    order_id,
                    user_id,
                    cart_id,
                    statuses,
                    code: failure.code.clone(),
                    reason: failure.reason.clone()
                }),
                Command::Ask(Undo::Refund) => {
                    event!(RefundRequested { order_id, user_id, statuses, reason: refund_reason(to) })
                }
                Command::Ask(Undo::Release) => event!(ReleaseRequested { order_id, user_id, cart_id, statuses }),
                Command::Ask(Undo::Reopen) => event!(ReopenRequested { order_id, user_id, cart_id, statuses }),
                Command::RollBack => event!(OrderRolledBack { order_id, user_id, cart_id, statuses }),
                Command::EndCancelled => {
                    event!(OrderCancelled { order_id, user_id, cart_id, statuses, reason: saga.cancel_reason.clone() })
                }
                Command::Ship => event!(OrderShipped { order_id, user_id, statuses }),
                Command::Deliver => event!(OrderDelivered { order_id, user_id, statuses }),
            }
        })
        .collect()
}

fn refund_reason(to: &State) -> String {
    match to {
        State::Undoing(Ending::Failure, _) | State::Stuck(Ending::Failure, _) | State::Compensated => "order_failed",
        _ => "order_cancelled",
    }
    .to_owned()
}

/// The failure of an order whose time ran out.
pub fn expired() -> Failure {
    Failure {
        code: "EXPIRED".to_owned(),
        reason: "We could not complete your order in time. You will not be charged; your cart is yours again."
            .to_owned(),
    }
}

/// The failure of an order whose stock could not be held, in words that name the products.
pub fn refused(event: &StockReservationFailed) -> Failure {
    let names: Vec<&str> =
        event.lines.iter().filter(|line| line.refusal == event.refusal).map(|line| line.name.as_str()).collect();
    let names = if names.is_empty() { "An item".to_owned() } else { names.join(", ") };
    let (code, reason) = match event.refusal {
        StockRefusal::OutOfStock => {
            ("OUT_OF_STOCK", format!("{names}: not enough in stock. Change your cart and try again."))
        }
        StockRefusal::PriceChanged => {
            ("PRICE_CHANGED", format!("{names}: the price has changed. Your cart shows the new price."))
        }
        StockRefusal::ProductUnavailable => {
            ("PRODUCT_UNAVAILABLE", format!("{names}: no longer available. Remove it from your cart and try again."))
        }
    };
    Failure { code: code.to_owned(), reason }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::saga::next;

    #[test]
    fn states_survive_their_columns() {
        let undoing = Undoing { owed: vec![Undo::Release, Undo::Reopen], asked: 3 };
        for state in [
            State::Pending,
            State::CartValidated,
            State::InventoryReserved,
            State::Confirmed,
            State::Shipped,
            State::Delivered,
            State::Undoing(Ending::Failure, undoing.clone()),
            State::Undoing(Ending::Cancellation, undoing.clone()),
            State::Stuck(Ending::Failure, undoing.clone()),
            State::Stuck(Ending::Cancellation, undoing),
            State::Compensated,
            State::Cancelled,
        ] {
            let (status, ending, owed, asked) = columns(&state);
            let owed: Vec<String> = owed.into_iter().map(str::to_owned).collect();
            assert_eq!(state_from(status, ending, &owed, asked), Some(state));
        }
    }

    #[test]
    fn what_may_be_cancelled_is_what_the_saga_would_cancel() {
        for status in OrderStatus::ALL {
            let Some(state) = state_from(status.as_str(), None, &[], 0) else {
                assert!(!is_cancellable(status), "{status} is being undone");
                continue;
            };
            let cancels = next(&state, Input::Cancel).is_ok_and(|transition| transition.to != state);
            assert_eq!(is_cancellable(status), cancels, "{status}");
        }
    }

    #[test]
    fn an_undo_is_waited_for_longer_each_time() {
        let config = OrdersConfig::default();
        let patience = |asked| {
            deadline(&State::Undoing(Ending::Failure, Undoing { owed: vec![Undo::Reopen], asked }), &config).unwrap()
        };
        assert!(patience(1) < patience(2) && patience(2) < patience(3));
        assert_eq!(patience(10), config.undo_patience_max);
    }

    #[test]
    fn the_payment_gives_up_before_the_hold_does() {
        let config = OrdersConfig::default();
        assert!(config.payment_deadline < Duration::from_secs(3600));
    }
}
