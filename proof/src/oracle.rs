//! What must be true: at every moment, and once everything is over.

use cart_client::CartStatus;
use orders::saga::State;

use crate::message::{Kind, Message};
use crate::rules::products::{product_number, stock_lines};
use crate::setup::Setup;
use crate::world::{ChargeEntry, HoldRow, World};

/// A promise that is broken.
pub type Violation = &'static str;

/// What is wrong at this moment, if anything is.
pub fn violation(world: &World, setup: &Setup) -> Option<Violation> {
    if world.shelf.iter().any(|units| *units < 0) {
        return Some("less than nothing is on the shelf");
    }
    if !stock_adds_up(world, setup) {
        return Some("available + held + sold is not what was received");
    }
    if world.applied.values().any(|times| *times > 1) {
        return Some("an event took effect twice in one service");
    }
    if world.applied.keys().any(|(_, event)| !world.recorded.contains(event)) {
        return Some("an event took effect that never happened");
    }
    if !carts_are_bought_once(world, setup) {
        return Some("a cart was bought twice");
    }
    (0..world.sagas.len()).find_map(|order| wrong_with(world, order))
}

fn stock_adds_up(world: &World, setup: &Setup) -> bool {
    let mut bound = vec![0_i16; setup.stock.len()];
    for (order, hold) in (0..).zip(&world.holds) {
        if matches!(hold, Some(HoldRow::Held | HoldRow::Committed)) {
            for line in stock_lines(setup, order) {
                bound[product_number(line.product_id)] += i16::try_from(line.quantity).unwrap_or(i16::MAX);
            }
        }
    }
    let received = setup.stock.iter().map(|units| i16::from(*units));
    world.shelf.iter().zip(bound).zip(received).all(|((shelf, bound), received)| shelf + bound == received)
}

fn carts_are_bought_once(world: &World, setup: &Setup) -> bool {
    let bought = |cart: usize| {
        let own = setup.orders.iter().zip(&world.sagas).filter(|(plan, _)| usize::from(plan.cart) == cart);
        own.filter(|(_, saga)| saga.as_ref().is_some_and(is_sold)).count()
    };
    (0..world.carts.len()).all(|cart| bought(cart) <= 1)
}

fn is_sold(state: &State) -> bool {
    matches!(state, State::Confirmed | State::Shipped | State::Delivered)
}

fn wrong_with(world: &World, order: usize) -> Option<Violation> {
    let captures = world.charges[order].iter().filter(|entry| **entry == ChargeEntry::Captured).count();
    let kept = world.kept(order);
    let bound = matches!(world.holds[order], Some(HoldRow::Held | HoldRow::Committed));
    if captures > 1 {
        return Some("an order was charged twice");
    }
    if kept < 0 {
        return Some("more was given back than was taken");
    }
    if world.holds[order] == Some(HoldRow::Committed) && captures == 0 {
        return Some("stock was sold that nobody paid");
    }
    let asked =
        |kind| world.recorded.contains(&Message { order: u8::try_from(order).unwrap_or(u8::MAX), kind, nth: 0 });
    if asked(Kind::ReleaseRequested) && kept > 0 {
        return Some("the stock was asked back before the money was given back");
    }
    if asked(Kind::ReopenRequested) && bound {
        return Some("the cart was given back before the stock was");
    }
    match world.sagas[order].as_ref()? {
        state if is_sold(state) && (captures != 1 || !bound) => Some("an order was sold without money or stock"),
        State::Compensated | State::Cancelled if kept > 0 => Some("an order ended undone, and its money was kept"),
        State::Compensated | State::Cancelled if bound => Some("an order ended undone, and its stock was kept"),
        State::Compensated if is_checking_out(world, order) => Some("an order ended undone, and its cart was kept"),
        _ => None,
    }
}

fn is_checking_out(world: &World, order: usize) -> bool {
    let own = |order_of_cart: Option<u8>| order_of_cart.is_some_and(|number| usize::from(number) == order);
    world.carts.iter().any(|cart| cart.status == CartStatus::CheckingOut && own(cart.order))
}

/// What is wrong although nothing is under way any more, if anything is.
pub fn violation_at_the_end(world: &World, setup: &Setup) -> Option<Violation> {
    violation(world, setup).or_else(|| unfinished(world))
}

fn unfinished(world: &World) -> Option<Violation> {
    if !world.is_quiet() {
        return Some("something is under way, and nothing moves it");
    }
    if world.parked.iter().any(|(_, message)| message.kind != Kind::Poison) {
        return Some("a healthy message was parked");
    }
    let consumers = world.recorded.iter().flat_map(|event| event.kind.consumers().iter().map(move |of| (*of, *event)));
    if consumers.into_iter().any(|heard| !world.applied.contains_key(&heard)) {
        return Some("an event never took effect");
    }
    if world
        .recorded
        .iter()
        .any(|event| event.kind == Kind::CheckoutInitiated && world.sagas[usize::from(event.order)].is_none())
    {
        return Some("a checkout never became an order");
    }
    if world.told.iter().any(|order| world.sagas[usize::from(*order)].is_none()) {
        return Some("an order is gone that its shopper was told of");
    }
    (0..world.sagas.len()).find_map(|order| unfinished_order(world, order))
}

fn unfinished_order(world: &World, order: usize) -> Option<Violation> {
    let state = world.sagas[order].as_ref()?;
    let committed = world.holds[order] == Some(HoldRow::Committed);
    if !state.is_at_rest() {
        return Some("an order never ended");
    }
    if is_sold(state) != committed {
        return Some("sold and committed are not the same");
    }
    if let Some(row) = &world.payments[order]
        && world.kept(order) != i16::from(row.captured) - i16::from(row.refunded)
    {
        return Some("our books and the provider's differ");
    }
    if is_checking_out(world, order) {
        return Some("a cart is checking out for an order that is over");
    }
    None
}
