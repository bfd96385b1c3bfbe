//! The checkout saga: one pure function from a state and an input to the next state and its commands.
//!
//! The product, the simulation and the model check all call [`next`]. Payment is the pivot: before it a
//! failure is undone, after it everything is retried forward. Undos run one by one, in reverse order of
//! the steps; each is a request that the other service answers, however often it is asked.

use events::OrderStatus;

/// A step that has to be undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Undo {
    /// Payments gives back what it captured, and captures nothing more.
    Refund,
    /// Products gives back what it holds or sold, and holds nothing more.
    Release,
    /// Cart makes the cart active again.
    Reopen,
}

impl Undo {
    /// The name in `saga_states.compensation_log`.
    pub fn as_str(self) -> &'static str {
        match self {
            Undo::Refund => "REFUND",
            Undo::Release => "RELEASE",
            Undo::Reopen => "REOPEN",
        }
    }

    /// Reads a name back.
    pub fn parse(name: &str) -> Option<Undo> {
        [Undo::Refund, Undo::Release, Undo::Reopen].into_iter().find(|undo| undo.as_str() == name)
    }
}

/// Undos still owed, the next one first, and how often that one was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Undoing {
    /// Never empty.
    pub owed: Vec<Undo>,
    /// Counts the requests for `owed[0]`; at least 1.
    pub asked: u8,
}

/// How an order that is being undone will end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ending {
    /// It failed: `FAILED`, then `COMPENSATED`.
    Failure,
    /// It was cancelled: `CANCELLING`, then `CANCELLED`.
    Cancellation,
}

/// Where a saga rests. `PAYMENT_PROCESSED` is missing, because no order rests there: it is passed through
/// on the way to `CONFIRMED`, in one transaction.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum State {
    /// The order is stored; the cart's word is awaited.
    Pending,
    /// OrderPlaced is out; the stock's answer is awaited.
    CartValidated,
    /// PaymentRequested is out; the payment's answer is awaited.
    InventoryReserved,
    /// Paid.
    Confirmed,
    /// On its way.
    Shipped,
    /// Arrived. Final.
    Delivered,
    /// The next undo is asked for; its answer is awaited.
    Undoing(Ending, Undoing),
    /// An undo was asked for in vain too often. Loud, and resumable.
    Stuck(Ending, Undoing),
    /// Failed and undone. Final.
    Compensated,
    /// Cancelled and undone. Final.
    Cancelled,
}

impl State {
    /// What the shopper sees. A stuck saga's order is still being undone.
    pub fn order_status(&self) -> OrderStatus {
        match self {
            State::Pending => OrderStatus::Pending,
            State::CartValidated => OrderStatus::CartValidated,
            State::InventoryReserved => OrderStatus::InventoryReserved,
            State::Confirmed => OrderStatus::Confirmed,
            State::Shipped => OrderStatus::Shipped,
            State::Delivered => OrderStatus::Delivered,
            State::Undoing(Ending::Failure, _) | State::Stuck(Ending::Failure, _) => OrderStatus::Failed,
            State::Undoing(Ending::Cancellation, _) | State::Stuck(Ending::Cancellation, _) => OrderStatus::Cancelling,
            State::Compensated => OrderStatus::Compensated,
            State::Cancelled => OrderStatus::Cancelled,
        }
    }

    /// The undos still owed, the next one first.
    pub fn owed(&self) -> &[Undo] {
        match self {
            State::Undoing(_, undoing) | State::Stuck(_, undoing) => &undoing.owed,
            State::Pending
            | State::CartValidated
            | State::InventoryReserved
            | State::Confirmed
            | State::Shipped
            | State::Delivered
            | State::Compensated
            | State::Cancelled => &[],
        }
    }

    /// Nothing is awaited and nothing is owed.
    pub fn is_at_rest(&self) -> bool {
        match self {
            State::Confirmed | State::Shipped | State::Delivered | State::Compensated | State::Cancelled => true,
            State::Pending
            | State::CartValidated
            | State::InventoryReserved
            | State::Undoing(..)
            | State::Stuck(..) => false,
        }
    }
}

/// What can happen to a saga: events of other services, wishes of people, and the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Input {
    /// The cart checked out.
    CheckoutInitiated,
    /// All lines are held.
    StockReserved,
    /// Nothing is held, and nothing will be.
    StockRefused,
    /// The money is captured.
    PaymentProcessed,
    /// Nothing is captured, and nothing will be.
    PaymentFailed,
    /// Nothing of the order's money is left with the shop.
    Refunded,
    /// Some of it was given back; some is left.
    PartlyRefunded,
    /// Nothing is held or sold any more.
    StockReleased,
    /// The cart is active again.
    CartReopened,
    /// The shopper or an operator cancels.
    Cancel,
    /// An operator ships.
    Ship,
    /// An operator notes the arrival.
    Deliver,
    /// The deadline of the state passed.
    Deadline,
    /// An operator sets a stuck saga going again.
    Retry,
}

impl Input {
    /// Every input.
    pub const ALL: [Input; 14] = [
        Input::CheckoutInitiated,
        Input::StockReserved,
        Input::StockRefused,
        Input::PaymentProcessed,
        Input::PaymentFailed,
        Input::Refunded,
        Input::PartlyRefunded,
        Input::StockReleased,
        Input::CartReopened,
        Input::Cancel,
        Input::Ship,
        Input::Deliver,
        Input::Deadline,
        Input::Retry,
    ];
}

/// What a transition makes known or asks for. Each becomes one event in the outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Command {
    /// OrderPlaced: hold the stock.
    Place,
    /// PaymentRequested: capture the money.
    RequestPayment,
    /// OrderConfirmed: the hold becomes a sale, the cart is ordered.
    Confirm,
    /// OrderFailed.
    Fail,
    /// RefundRequested, ReleaseRequested or ReopenRequested.
    Ask(Undo),
    /// OrderRolledBack.
    RollBack,
    /// OrderCancelled.
    EndCancelled,
    /// OrderShipped.
    Ship,
    /// OrderDelivered.
    Deliver,
}

/// What becomes of a saga.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition {
    /// Where it rests now.
    pub to: State,
    /// What follows from it, in order.
    pub commands: Vec<Command>,
}

/// Somebody asked for what this state does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Illegal;

/// An undo is asked for this often before the saga is stuck.
pub const MAX_ASKED: u8 = 10;

/// Decides what an input means in a state. Messages never fail: late, repeated and overtaking ones are
/// decided here, mostly by staying. Wishes of people may be [`Illegal`].
pub fn next(state: &State, input: Input) -> Result<Transition, Illegal> {
    use Input::*;
    use State::*;
    match (state, input) {
        // ---- the way forward ----
        (Pending, CheckoutInitiated) => go(CartValidated, &[Command::Place]),
        (CartValidated, StockReserved) => go(InventoryReserved, &[Command::RequestPayment]),
        (InventoryReserved, PaymentProcessed) => go(Confirmed, &[Command::Confirm]),
        (Confirmed, Input::Ship) => go(Shipped, &[Command::Ship]),
        (Shipped, Input::Deliver) => go(Delivered, &[Command::Deliver]),

        // ---- failures: undo what was done, or may have been done ----
        (CartValidated, StockRefused) => fail(&[Undo::Reopen]),
        (InventoryReserved, PaymentFailed) => fail(&[Undo::Release, Undo::Reopen]),
        (Pending, Deadline) => fail(&[Undo::Reopen]),
        (CartValidated, Deadline) => fail(&[Undo::Release, Undo::Reopen]),
        // An unknown payment is no failed one: payments finds out, and gives back what it captured.
        (InventoryReserved, Deadline) => fail(&[Undo::Refund, Undo::Release, Undo::Reopen]),

        // ---- cancellation: likewise; after the sale the cart stays ordered ----
        (Pending, Cancel) => cancel(&[Undo::Reopen]),
        (CartValidated, Cancel) => cancel(&[Undo::Release, Undo::Reopen]),
        (InventoryReserved, Cancel) => cancel(&[Undo::Refund, Undo::Release, Undo::Reopen]),
        (Confirmed, Cancel) => cancel(&[Undo::Refund, Undo::Release]),
        (Undoing(Ending::Cancellation, _) | Stuck(Ending::Cancellation, _) | Cancelled, Cancel) => stay(state),
        (Undoing(Ending::Failure, _) | Stuck(Ending::Failure, _) | Compensated | Shipped | Delivered, Cancel) => {
            Err(Illegal)
        }

        // ---- undoing: the awaited answer brings the next undo or the end ----
        (Undoing(ending, undoing) | Stuck(ending, undoing), Refunded) => {
            answered(state, *ending, undoing, Undo::Refund)
        }
        (Undoing(ending, undoing) | Stuck(ending, undoing), StockReleased) => {
            answered(state, *ending, undoing, Undo::Release)
        }
        (Undoing(ending, undoing) | Stuck(ending, undoing), CartReopened) => {
            answered(state, *ending, undoing, Undo::Reopen)
        }
        (Undoing(ending, undoing), Deadline) => ask_again(*ending, undoing),
        (Stuck(ending, undoing), Retry) => {
            let undoing = self::Undoing { owed: undoing.owed.clone(), asked: 1 };
            let ask = Command::Ask(undoing.owed[0]);
            go(State::Undoing(*ending, undoing), &[ask])
        }

        // ---- money that arrives after the end is given back; payments answers a repeated request ----
        (Undoing(_, undoing) | Stuck(_, undoing), PaymentProcessed) if undoing.owed.contains(&Undo::Refund) => {
            stay(state)
        }
        (Undoing(..) | Stuck(..) | Compensated | Cancelled, PaymentProcessed) => {
            go(state.clone(), &[Command::Ask(Undo::Refund)])
        }

        // ---- wishes that come too early or too late ----
        (
            Pending | CartValidated | InventoryReserved | Undoing(..) | Stuck(..) | Compensated | Cancelled,
            Input::Ship | Input::Deliver,
        )
        | (Confirmed, Input::Deliver)
        | (Shipped, Input::Ship)
        | (Delivered, Input::Ship | Input::Deliver)
        | (
            Pending | CartValidated | InventoryReserved | Confirmed | Shipped | Delivered | Undoing(..) | Compensated
            | Cancelled,
            Retry,
        ) => Err(Illegal),

        // ---- repeated, late or overtaking messages that change nothing ----
        (
            Pending,
            StockReserved | StockRefused | PaymentProcessed | PaymentFailed | Refunded | PartlyRefunded | StockReleased
            | CartReopened,
        )
        | (
            CartValidated,
            CheckoutInitiated | PaymentProcessed | PaymentFailed | Refunded | PartlyRefunded | StockReleased
            | CartReopened,
        )
        | (
            InventoryReserved,
            CheckoutInitiated | StockReserved | StockRefused | Refunded | PartlyRefunded | StockReleased | CartReopened,
        )
        | (
            Confirmed | Shipped | Delivered,
            CheckoutInitiated | StockReserved | StockRefused | PaymentProcessed | PaymentFailed | Refunded
            | PartlyRefunded | StockReleased | CartReopened | Deadline,
        )
        | (Undoing(..), CheckoutInitiated | StockReserved | StockRefused | PaymentFailed | PartlyRefunded)
        | (Stuck(..), CheckoutInitiated | StockReserved | StockRefused | PaymentFailed | PartlyRefunded | Deadline)
        | (
            Compensated | Cancelled,
            CheckoutInitiated | StockReserved | StockRefused | PaymentFailed | Refunded | PartlyRefunded
            | StockReleased | CartReopened | Deadline,
        ) => stay(state),
    }
}

fn go(to: State, commands: &[Command]) -> Result<Transition, Illegal> {
    Ok(Transition { to, commands: commands.to_vec() })
}

fn stay(state: &State) -> Result<Transition, Illegal> {
    go(state.clone(), &[])
}

fn fail(owed: &[Undo]) -> Result<Transition, Illegal> {
    let undoing = Undoing { owed: owed.to_vec(), asked: 1 };
    go(State::Undoing(Ending::Failure, undoing), &[Command::Fail, Command::Ask(owed[0])])
}

fn cancel(owed: &[Undo]) -> Result<Transition, Illegal> {
    let undoing = Undoing { owed: owed.to_vec(), asked: 1 };
    go(State::Undoing(Ending::Cancellation, undoing), &[Command::Ask(owed[0])])
}

/// An answer counts only for the undo that is next: a later one is asked for in its turn.
fn answered(state: &State, ending: Ending, undoing: &Undoing, undo: Undo) -> Result<Transition, Illegal> {
    if undoing.owed[0] != undo {
        return stay(state);
    }
    match (&undoing.owed[1..], ending) {
        ([], Ending::Failure) => go(State::Compensated, &[Command::RollBack]),
        ([], Ending::Cancellation) => go(State::Cancelled, &[Command::EndCancelled]),
        (owed, ending) => {
            let undoing = Undoing { owed: owed.to_vec(), asked: 1 };
            go(State::Undoing(ending, undoing), &[Command::Ask(owed[0])])
        }
    }
}

fn ask_again(ending: Ending, undoing: &Undoing) -> Result<Transition, Illegal> {
    if undoing.asked >= MAX_ASKED {
        return go(State::Stuck(ending, undoing.clone()), &[]);
    }
    let again = Undoing { owed: undoing.owed.clone(), asked: undoing.asked + 1 };
    let ask = Command::Ask(again.owed[0]);
    go(State::Undoing(ending, again), &[ask])
}

#[cfg(test)]
mod tests;
