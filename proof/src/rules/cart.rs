//! Cart: `StoredCart::checkout` and `Standing`.

use cart::model::{Checkout, Standing, StoredCart};
use cart_client::{CartItem, CartStatus};
use events::{CartId, CartItemId, Money, OrderId, ProductId, UserId};

use super::{EUR, id};
use crate::message::{Kind, Message};
use crate::setup::{Mistake, Setup};
use crate::world::{CartRow, World};

/// Checks a cart out, for the order `next` if it begins now: which order it is, and what is told.
pub(crate) fn check_out(world: &mut World, setup: &Setup, cart: u8, next: Option<u8>) -> Option<(u8, Vec<Kind>)> {
    let row = world.carts[usize::from(cart)];
    if setup.has(Mistake::CartNotFrozen) && row.status == CartStatus::CheckingOut {
        return begin(world, cart, next?);
    }
    match stored(cart, row).checkout(UserId(id(cart))) {
        Ok(Checkout::Begin) => begin(world, cart, next?),
        Ok(Checkout::Begun(_)) => Some((row.order?, Vec::new())),
        Err(_) => None,
    }
}

fn begin(world: &mut World, cart: u8, order: u8) -> Option<(u8, Vec<Kind>)> {
    world.carts[usize::from(cart)] = CartRow { status: CartStatus::CheckingOut, order: Some(order) };
    Some((order, vec![Kind::CheckoutInitiated]))
}

/// An event of orders.
pub(crate) fn hear(world: &mut World, message: Message) -> Vec<Kind> {
    let order_id = OrderId(id(message.order));
    let Some(cart) = world.carts.iter_mut().find(|cart| cart.order == Some(message.order)) else {
        // It is becoming another order by now.
        return if message.kind == Kind::ReopenRequested { vec![Kind::CartReopened] } else { Vec::new() };
    };
    let mut standing = Standing {
        cart_id: CartId(id(0)),
        status: cart.status,
        order_id: cart.order.map(|order| OrderId(id(order))),
        version: 0,
    };
    let told = if message.kind == Kind::OrderConfirmed {
        standing.confirm(order_id);
        Vec::new()
    } else {
        standing.reopen(order_id);
        vec![Kind::CartReopened]
    };
    cart.status = standing.status;
    cart.order = standing.order_id.and(cart.order);
    told
}

fn stored(number: u8, row: CartRow) -> StoredCart {
    let mut stored = StoredCart::new(CartId(id(number)), Some(UserId(id(number))), EUR);
    stored.cart.status = row.status;
    stored.order_id = row.order.map(|order| OrderId(id(order)));
    // Only that there is something in it counts here.
    stored.cart.items.push(CartItem {
        id: CartItemId(id(0)),
        product_id: ProductId(id(0)),
        name: String::new(),
        quantity: 1,
        unit_price: Money::zero(EUR),
        line_total: Money::zero(EUR),
    });
    stored
}
