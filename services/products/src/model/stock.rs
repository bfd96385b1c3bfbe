//! Who gets what: first come first served, all lines of an order or none, never more than there is.
//!
//! Invariant, per product: available + held + sold = received. [`Ledger::apply`] moves units between the
//! three and makes none. A batch is decided one request after the other against the running stock, so that
//! a batch means exactly what its requests mean one by one.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use events::{
    CartId, Money, OrderId, OrderLine, ProductId, RefusedLine, ReservationId, StockLine, StockRefusal, StockReleased,
    StockReservationFailed, StockReserved,
};

/// What an order asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    /// Hold all of this.
    Place(Placement),
    /// It is paid: the hold becomes a sale.
    Commit(OrderId),
    /// Give everything back, and hold nothing more for it.
    Release(OrderId, CartId),
}

/// An order's wish.
#[derive(Debug, Clone, PartialEq)]
pub struct Placement {
    /// The order.
    pub order_id: OrderId,
    /// The cart it came from.
    pub cart_id: CartId,
    /// What to hold, at which price. Several lines of one product add up.
    pub lines: Vec<OrderLine>,
    /// The name of the hold, should it be granted.
    pub reservation_id: ReservationId,
}

impl Request {
    /// The order that asks.
    pub fn order_id(&self) -> OrderId {
        match self {
            Request::Place(placement) => placement.order_id,
            Request::Commit(order_id) | Request::Release(order_id, _) => *order_id,
        }
    }
}

/// What is said in return.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// All lines are held.
    Reserved(StockReserved),
    /// Nothing is held.
    Failed(StockReservationFailed),
    /// Nothing is held any more.
    Released(StockReleased),
}

/// A product as an order finds it.
#[derive(Debug, Clone, PartialEq)]
pub struct OnShelf {
    /// Its name.
    pub name: String,
    /// Price of one.
    pub price: Money,
    /// What can be sold now.
    pub available: i32,
    /// Taken out of the catalogue; what is given back still returns to it.
    pub is_deleted: bool,
}

/// The locked products of a batch. The default has nothing on it, so nothing can be held.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Shelf {
    /// By id.
    pub products: BTreeMap<ProductId, OnShelf>,
    /// Until when a hold granted now lasts, by the database's clock.
    pub hold_until: DateTime<Utc>,
}

/// Units of several products that an order holds or bought.
#[derive(Debug, Clone, PartialEq)]
pub struct Hold {
    /// Its name.
    pub reservation_id: ReservationId,
    /// One line per product, in the order of their ids.
    pub lines: Vec<StockLine>,
    /// When the saga should long be over.
    pub expires_at: DateTime<Utc>,
}

/// Where an order stands with products.
#[derive(Debug, Clone, PartialEq)]
pub enum Standing {
    /// Its lines are held.
    Held(Hold),
    /// Its lines are sold.
    Committed(Hold),
    /// Nothing was held, for these reasons.
    Refused(Vec<RefusedLine>),
    /// What was held or sold is back; nothing ever will be. `None`: the release came before any hold.
    Released(Option<Hold>),
}

impl Standing {
    /// What is, or was, held or sold.
    pub fn hold(&self) -> Option<&Hold> {
        match self {
            Standing::Held(hold) | Standing::Committed(hold) => Some(hold),
            Standing::Released(hold) => hold.as_ref(),
            Standing::Refused(_) => None,
        }
    }
}

/// A standing and the cart that the order came from.
#[derive(Debug, Clone, PartialEq)]
pub struct OrderStock {
    /// The cart.
    pub cart_id: CartId,
    /// The standing.
    pub standing: Standing,
}

/// A request that no correct order makes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Illegal {
    /// Confirmed without a hold.
    #[error("order {0} is confirmed, but nothing was ever held for it")]
    NeverHeld(OrderId),
    /// Placed without lines, or with a line of nothing.
    #[error("order {0} asks for nothing in one of its lines or in all")]
    AsksForNothing(OrderId),
}

/// The books of one batch: the locked products and orders, and what becomes of them.
#[derive(Debug, Clone)]
pub struct Ledger {
    shelf: Shelf,
    orders: BTreeMap<OrderId, OrderStock>,
    known_before: BTreeSet<OrderId>,
    moves: BTreeMap<ProductId, i32>,
    touched_orders: BTreeSet<OrderId>,
}

impl Ledger {
    /// Opens the books with what is locked: every product that a request of the batch can touch.
    pub fn new(shelf: Shelf, orders: BTreeMap<OrderId, OrderStock>) -> Ledger {
        let known_before = orders.keys().copied().collect();
        Ledger { shelf, orders, known_before, moves: BTreeMap::new(), touched_orders: BTreeSet::new() }
    }

    /// Decides one request. `None`: there is nothing to say.
    ///
    /// A request that was decided before is answered as before and changes nothing. Errors: the request
    /// is illegal; the books are as they were.
    pub fn apply(&mut self, request: Request) -> Result<Option<Answer>, Illegal> {
        let order_id = request.order_id();
        let standing = self.orders.get(&order_id).map(|order| order.standing.clone());
        let (cart_id, next) = match (standing, request) {
            (None, Request::Place(placement)) => (placement.cart_id, self.place(&placement)?),
            // Asked again: the same answer.
            (Some(Standing::Held(_) | Standing::Committed(_) | Standing::Refused(_)), Request::Place(_)) => {
                return Ok(self.first_answer(order_id));
            }
            // The release overtook its order.
            (Some(Standing::Released(_)), Request::Place(_)) => return Ok(None),

            (Some(Standing::Held(hold)), Request::Commit(_)) => {
                self.set(order_id, Standing::Committed(hold));
                return Ok(None);
            }
            (Some(Standing::Committed(_) | Standing::Released(_)), Request::Commit(_)) => return Ok(None),
            (None | Some(Standing::Refused(_)), Request::Commit(_)) => return Err(Illegal::NeverHeld(order_id)),

            (None | Some(Standing::Refused(_)), Request::Release(_, cart_id)) => (cart_id, Standing::Released(None)),
            (Some(Standing::Held(hold) | Standing::Committed(hold)), Request::Release(_, cart_id)) => {
                for line in &hold.lines {
                    self.shift(line.product_id, line.quantity.cast_signed());
                }
                (cart_id, Standing::Released(Some(hold)))
            }
            (Some(Standing::Released(hold)), Request::Release(..)) => {
                return Ok(Some(released(order_id, hold.as_ref())));
            }
        };
        self.orders.entry(order_id).or_insert_with(|| OrderStock { cart_id, standing: next.clone() });
        self.set(order_id, next);
        Ok(match &self.orders[&order_id].standing {
            Standing::Released(hold) => Some(released(order_id, hold.as_ref())),
            Standing::Held(_) | Standing::Committed(_) | Standing::Refused(_) => self.first_answer(order_id),
        })
    }

    fn set(&mut self, order_id: OrderId, standing: Standing) {
        if let Some(order) = self.orders.get_mut(&order_id) {
            order.standing = standing;
            self.touched_orders.insert(order_id);
        }
    }

    /// Takes all lines off the shelf, or none.
    fn place(&mut self, placement: &Placement) -> Result<Standing, Illegal> {
        if placement.lines.is_empty() || placement.lines.iter().any(|line| line.quantity == 0) {
            return Err(Illegal::AsksForNothing(placement.order_id));
        }
        let mut wanted: BTreeMap<ProductId, u64> = BTreeMap::new();
        for line in &placement.lines {
            *wanted.entry(line.product_id).or_default() += u64::from(line.quantity);
        }
        let refused = self.refusals(&placement.lines, &wanted);
        if !refused.is_empty() {
            return Ok(Standing::Refused(refused));
        }
        let mut lines = Vec::with_capacity(wanted.len());
        for (product_id, quantity) in wanted {
            // It fits: what is available is no larger, and more would have been refused.
            let quantity = u32::try_from(quantity).unwrap_or(u32::MAX);
            self.shift(product_id, -quantity.cast_signed());
            lines.push(StockLine { product_id, quantity });
        }
        Ok(Standing::Held(Hold { reservation_id: placement.reservation_id, lines, expires_at: self.shelf.hold_until }))
    }

    /// Each line that stands in the way, a product once.
    fn refusals(&self, lines: &[OrderLine], wanted: &BTreeMap<ProductId, u64>) -> Vec<RefusedLine> {
        let mut refused: Vec<RefusedLine> = Vec::new();
        for line in lines {
            let product = self.shelf.products.get(&line.product_id).filter(|product| !product.is_deleted);
            let refusal = match product {
                None => StockRefusal::ProductUnavailable,
                Some(product) if product.price != line.unit_price => StockRefusal::PriceChanged,
                Some(product) if i64::from(product.available) < wanted[&line.product_id].cast_signed() => {
                    StockRefusal::OutOfStock
                }
                Some(_) => continue,
            };
            if refused.iter().all(|other| other.product_id != line.product_id) {
                let name = product.map_or(&line.name, |product| &product.name).clone();
                refused.push(RefusedLine { product_id: line.product_id, name, refusal });
            }
        }
        refused
    }

    fn shift(&mut self, product_id: ProductId, units: i32) {
        if let Some(product) = self.shelf.products.get_mut(&product_id) {
            product.available += units;
        }
        *self.moves.entry(product_id).or_default() += units;
    }

    /// What an order that asked for stock is told.
    fn first_answer(&self, order_id: OrderId) -> Option<Answer> {
        let OrderStock { cart_id, standing } = self.orders.get(&order_id)?;
        match standing {
            Standing::Held(hold) | Standing::Committed(hold) => Some(Answer::Reserved(StockReserved {
                order_id,
                cart_id: *cart_id,
                reservation_id: hold.reservation_id,
                lines: hold.lines.clone(),
                expires_at: hold.expires_at,
            })),
            Standing::Refused(lines) => Some(Answer::Failed(StockReservationFailed {
                order_id,
                cart_id: *cart_id,
                refusal: lines.first().map_or(StockRefusal::OutOfStock, |line| line.refusal),
                lines: lines.clone(),
            })),
            Standing::Released(_) => None,
        }
    }

    /// What the batch changed.
    pub fn changes(self) -> Changes {
        let mut changes = Changes::default();
        changes.moves.extend(self.moves.into_iter().filter(|(_, units)| *units != 0));
        for (order_id, order) in self.orders {
            if !self.touched_orders.contains(&order_id) {
                continue;
            }
            let known = self.known_before.contains(&order_id);
            let list = if known { &mut changes.changed_orders } else { &mut changes.new_orders };
            list.push((order_id, order));
        }
        changes
    }
}

fn released(order_id: OrderId, hold: Option<&Hold>) -> Answer {
    Answer::Released(StockReleased {
        order_id,
        reservation_id: hold.map(|hold| hold.reservation_id),
        lines: hold.map(|hold| hold.lines.clone()).unwrap_or_default(),
    })
}

/// What has to be written, each list in the order of its ids.
#[derive(Debug, Default, PartialEq)]
pub struct Changes {
    /// So many units more on the shelf; fewer if negative. Never zero.
    pub moves: Vec<(ProductId, i32)>,
    /// Orders seen for the first time.
    pub new_orders: Vec<(OrderId, OrderStock)>,
    /// Orders that were known and stand otherwise now.
    pub changed_orders: Vec<(OrderId, OrderStock)>,
}

impl Changes {
    /// Nothing to write?
    pub fn is_empty(&self) -> bool {
        self.moves.is_empty() && self.new_orders.is_empty() && self.changed_orders.is_empty()
    }
}

#[cfg(test)]
#[path = "stock_tests.rs"]
mod tests;
