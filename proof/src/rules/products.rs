//! Products: `Ledger`.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use events::{CartId, Money, OrderId, OrderLine, ProductId, ReservationId, StockLine};
use products::model::stock::{Answer, Hold, Ledger, OnShelf, OrderStock, Placement, Request, Shelf, Standing};

use super::{EUR, Refusal, id};
use crate::message::{Kind, Message};
use crate::setup::{Mistake, Setup};
use crate::world::{HoldRow, World};

/// An event of orders.
pub(crate) fn hear(world: &mut World, setup: &Setup, message: Message) -> Result<Vec<Kind>, Refusal> {
    let units = world.shelf.clone();
    decide(world, setup, message, &units)
}

/// Decides about a message as somebody does who read the stock as `units`.
pub(crate) fn decide(world: &mut World, setup: &Setup, message: Message, units: &[i16]) -> Result<Vec<Kind>, Refusal> {
    let order = usize::from(message.order);
    let known = world.holds[order].map(|row| (OrderId(id(message.order)), order_stock(setup, message.order, row)));
    let mut ledger = Ledger::new(shelf(setup, units), known.into_iter().collect());
    let request = request(setup, message).ok_or(Refusal::Reject)?;
    let answer = ledger.apply(request).map_err(|_| Refusal::Reject)?;
    let changes = ledger.changes();
    for (product, moved) in changes.moves {
        let product = product_number(product);
        let moved = i16::try_from(moved).unwrap_or(i16::MAX);
        world.shelf[product] =
            if setup.has(Mistake::NoRowLock) { units[product] + moved } else { world.shelf[product] + moved };
    }
    if let Some((_, stock)) = changes.new_orders.into_iter().chain(changes.changed_orders).next() {
        let forgotten = setup.has(Mistake::NoStockTombstone) && stock.standing == Standing::Released(None);
        world.holds[order] = if forgotten { world.holds[order] } else { Some(row(&stock.standing)) };
    }
    Ok(answer.iter().map(kind).collect())
}

fn kind(answer: &Answer) -> Kind {
    match answer {
        Answer::Reserved(_) => Kind::StockReserved,
        Answer::Failed(_) => Kind::StockRefused,
        Answer::Released(_) => Kind::StockReleased,
    }
}

fn request(setup: &Setup, message: Message) -> Option<Request> {
    let order_id = OrderId(id(message.order));
    let cart_id = CartId(id(setup.orders[usize::from(message.order)].cart));
    match message.kind {
        Kind::OrderPlaced => Some(Request::Place(Placement {
            order_id,
            cart_id,
            lines: order_lines(setup, message.order),
            reservation_id: ReservationId(id(message.order)),
        })),
        Kind::OrderConfirmed => Some(Request::Commit(order_id)),
        Kind::ReleaseRequested => Some(Request::Release(order_id, cart_id)),
        _ => None,
    }
}

fn order_lines(setup: &Setup, order: u8) -> Vec<OrderLine> {
    let line = |(product, quantity): &(u8, u8)| OrderLine {
        product_id: ProductId(id(*product)),
        name: String::new(),
        quantity: u32::from(*quantity),
        unit_price: Money::zero(EUR),
    };
    setup.orders[usize::from(order)].lines.iter().map(line).collect()
}

fn shelf(setup: &Setup, units: &[i16]) -> Shelf {
    let lends_freely = setup.has(Mistake::NoStockCondition);
    let on_shelf = |(number, available): (u8, &i16)| {
        let available = if lends_freely { 1_000 } else { i32::from(*available) };
        let product = OnShelf { name: String::new(), price: Money::zero(EUR), available, is_deleted: false };
        (ProductId(id(number)), product)
    };
    Shelf { products: (0..).zip(units).map(on_shelf).collect(), hold_until: DateTime::<Utc>::UNIX_EPOCH }
}

fn order_stock(setup: &Setup, order: u8, row: HoldRow) -> OrderStock {
    let hold = || Hold {
        reservation_id: ReservationId(id(order)),
        lines: stock_lines(setup, order),
        expires_at: DateTime::<Utc>::UNIX_EPOCH,
    };
    let standing = match row {
        HoldRow::Held => Standing::Held(hold()),
        HoldRow::Committed => Standing::Committed(hold()),
        HoldRow::Refused => Standing::Refused(Vec::new()),
        HoldRow::Released { was_held } => Standing::Released(was_held.then(hold)),
    };
    OrderStock { cart_id: CartId(id(setup.orders[usize::from(order)].cart)), standing }
}

/// What an order holds: a line per product.
pub(crate) fn stock_lines(setup: &Setup, order: u8) -> Vec<StockLine> {
    let mut wanted: BTreeMap<u8, u32> = BTreeMap::new();
    for (product, quantity) in &setup.orders[usize::from(order)].lines {
        *wanted.entry(*product).or_default() += u32::from(*quantity);
    }
    wanted.into_iter().map(|(product, quantity)| StockLine { product_id: ProductId(id(product)), quantity }).collect()
}

fn row(standing: &Standing) -> HoldRow {
    match standing {
        Standing::Held(_) => HoldRow::Held,
        Standing::Committed(_) => HoldRow::Committed,
        Standing::Refused(_) => HoldRow::Refused,
        Standing::Released(hold) => HoldRow::Released { was_held: hold.is_some() },
    }
}

/// The number behind a product's id here.
pub(crate) fn product_number(product: ProductId) -> usize {
    usize::try_from(product.0.as_u128()).unwrap_or(usize::MAX) - 1
}
