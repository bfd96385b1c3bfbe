//! Orders: `orders::saga::next`.

use orders::saga::{self, Command, Ending, Illegal, Input, State, Transition, Undo, Undoing};

use super::Refusal;
use crate::message::{Kind, Message};
use crate::setup::{Mistake, Setup};
use crate::world::World;

/// An event of another service.
pub(crate) fn hear(world: &mut World, setup: &Setup, message: Message) -> Result<Vec<Kind>, Refusal> {
    let input = match message.kind {
        Kind::CheckoutInitiated => Input::CheckoutInitiated,
        Kind::StockReserved => Input::StockReserved,
        Kind::StockRefused => Input::StockRefused,
        Kind::StockReleased => Input::StockReleased,
        Kind::PaymentProcessed => Input::PaymentProcessed,
        Kind::PaymentFailed => Input::PaymentFailed,
        Kind::Refunded => Input::Refunded,
        Kind::PartlyRefunded => Input::PartlyRefunded,
        Kind::CartReopened => Input::CartReopened,
        Kind::OrderPlaced
        | Kind::PaymentRequested
        | Kind::OrderConfirmed
        | Kind::RefundRequested
        | Kind::ReleaseRequested
        | Kind::ReopenRequested
        | Kind::Poison => return Err(Refusal::Reject),
    };
    // Usually there already, from POST /orders; if orders died in between, the event creates the order.
    if input == Input::CheckoutInitiated {
        world.sagas[usize::from(message.order)].get_or_insert(State::Pending);
    }
    // Messages are never illegal, only late.
    feed(world, setup, message.order, input).map_or(Err(Refusal::Retry), |kinds| Ok(kinds.unwrap_or_default()))
}

/// What an input brings: none if there is no such order.
pub(crate) fn feed(world: &mut World, setup: &Setup, order: u8, input: Input) -> Option<Result<Vec<Kind>, Illegal>> {
    let state = world.sagas[usize::from(order)].as_mut()?;
    Some(next(setup, state, input).map(|transition| {
        *state = transition.to;
        transition.commands.iter().filter_map(|command| said_by(*command)).collect()
    }))
}

fn said_by(command: Command) -> Option<Kind> {
    match command {
        Command::Place => Some(Kind::OrderPlaced),
        Command::RequestPayment => Some(Kind::PaymentRequested),
        Command::Confirm => Some(Kind::OrderConfirmed),
        Command::Ask(Undo::Refund) => Some(Kind::RefundRequested),
        Command::Ask(Undo::Release) => Some(Kind::ReleaseRequested),
        Command::Ask(Undo::Reopen) => Some(Kind::ReopenRequested),
        Command::Fail | Command::RollBack | Command::EndCancelled | Command::Ship | Command::Deliver => None,
    }
}

/// The product's function, and what the mistakes make of it.
fn next(setup: &Setup, state: &State, input: Input) -> Result<Transition, Illegal> {
    let undone = matches!(state, State::Undoing(..) | State::Stuck(..) | State::Compensated | State::Cancelled);
    let transition = saga::next(state, input)?;
    let begins = !undone && matches!(transition.to, State::Undoing(..));
    match setup.mistake {
        Some(Mistake::UndoneInForwardOrder) if begins => Ok(with_owed(transition, |owed| owed.reverse())),
        Some(Mistake::CancelledWithoutRefund) if begins && input == Input::Cancel => {
            Ok(with_owed(transition, |owed| owed.retain(|undo| *undo != Undo::Refund)))
        }
        _ => Ok(transition),
    }
}

/// A beginning of undos with another list of them.
fn with_owed(transition: Transition, change: fn(&mut Vec<Undo>)) -> Transition {
    let State::Undoing(ending, Undoing { mut owed, asked }) = transition.to else { return transition };
    change(&mut owed);
    let commands = match ending {
        Ending::Failure => vec![Command::Fail, Command::Ask(owed[0])],
        Ending::Cancellation => vec![Command::Ask(owed[0])],
    };
    Transition { to: State::Undoing(ending, Undoing { owed, asked }), commands }
}
