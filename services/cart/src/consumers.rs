//! What the cart learns from events: names and prices, the mirror of holds, and what became of its checkouts.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use database::{Command, Connection, outbox};
use events::topology::{Exchange, QUEUES};
use events::{
    CartId, CartReopened, DecodeError, Draft, Envelope, Event, EventId, OrderConfirmed, OrderId, ProductCreated,
    ProductId, ProductUpdated, ReopenRequested, ReservationId, StockLine, StockReleased, StockReserved,
};
use messaging::{Consumer, Handler, HandlerError};

use crate::model::{ProductCopy, Standing};
use crate::repository::checkouts::{self, Hold};
use crate::repository::products;
use crate::{Carts, SERVICE};

/// The consumers of this service, one per queue.
pub fn consumers(service: &Arc<Carts>) -> Vec<Consumer> {
    let handler = |exchange: Exchange| -> Option<Arc<dyn Handler>> {
        match exchange {
            Exchange::Products => Some(Arc::new(CatalogueNews { carts: Arc::clone(service) })),
            Exchange::Orders => Some(Arc::new(OrderNews)),
            Exchange::Cart | Exchange::Payments => None,
        }
    };
    let queues = QUEUES.iter().filter(|queue| queue.service == SERVICE);
    queues
        .filter_map(|queue| {
            Some(Consumer { queue, database: service.database.clone(), handler: handler(queue.exchange)? })
        })
        .collect()
}

/// Nobody waits for the mirror of a hold, or for a cart to be called ordered: one transaction for those of a moment. A
/// cart that is to come back waits for it only behind another message.
const REST: Duration = Duration::from_millis(25);

fn unknown(envelope: &Envelope) -> HandlerError {
    DecodeError::UnknownType(envelope.event_type.clone()).into()
}

/// `products.events`: the copy of the catalogue, and the mirror of holds.
struct CatalogueNews {
    carts: Arc<Carts>,
}

#[async_trait]
impl Handler for CatalogueNews {
    async fn handle(&self, tx: &Connection, batch: &[Envelope]) -> Result<(), HandlerError> {
        let mut copies = Copies::new();
        let mut held = Holds::new();
        let mut released = Holds::new();
        for envelope in batch {
            match envelope.event_type.as_str() {
                ProductCreated::TYPE => {
                    newest(&mut copies, created(envelope.decode()?, envelope.aggregate_version), envelope.timestamp);
                }
                ProductUpdated::TYPE => {
                    newest(&mut copies, updated(envelope.decode()?, envelope.aggregate_version), envelope.timestamp);
                }
                StockReserved::TYPE => {
                    let news: StockReserved = envelope.decode()?;
                    gather(&mut held, news.order_id, news.reservation_id, &news.lines, Some(news.expires_at));
                }
                StockReleased::TYPE => {
                    let news: StockReleased = envelope.decode()?;
                    if let Some(reservation_id) = news.reservation_id {
                        gather(&mut released, news.order_id, reservation_id, &news.lines, None);
                    }
                }
                _ => return Err(unknown(envelope)),
            }
        }
        // Checkouts before prices, and those before carts, everywhere.
        let (held, released): (Vec<Hold>, Vec<Hold>) = (held.into_values().collect(), released.into_values().collect());
        let orders: BTreeSet<OrderId> = held.iter().chain(&released).map(|hold| hold.order_id).collect();
        if !orders.is_empty() {
            checkouts::lock(tx, &Vec::from_iter(orders)).await?;
        }
        let mirror: Vec<Command<'_>> =
            checkouts::hold(&held).into_iter().chain(checkouts::release(&released)).collect();
        if copies.is_empty() {
            tx.last(&mirror).await?;
            return Ok(());
        }
        tx.all(&mirror).await?;
        Ok(apply_copies(tx, copies).await?)
    }

    fn committed(&self, batch: &[Envelope]) {
        let of_products = |envelope: &&Envelope| envelope.is::<ProductCreated>() || envelope.is::<ProductUpdated>();
        self.carts.catalogue.forget(batch.iter().filter(of_products).map(|envelope| ProductId(envelope.aggregate_id)));
    }

    fn rest(&self) -> Duration {
        REST
    }
}

/// Each product of a hold once, in an order in which no two batches wait for each other.
type Holds = BTreeMap<(ReservationId, ProductId), Hold>;

fn gather(
    holds: &mut Holds,
    order_id: OrderId,
    reservation_id: ReservationId,
    lines: &[StockLine],
    expires_at: Option<DateTime<Utc>>,
) {
    for line in lines.iter().filter(|line| line.quantity > 0) {
        let StockLine { product_id, quantity } = *line;
        holds.insert((reservation_id, product_id), Hold { order_id, reservation_id, product_id, quantity, expires_at });
    }
}

/// The newest version of each product, and when a version of it in this batch was first made.
type Copies = BTreeMap<ProductId, (ProductCopy, DateTime<Utc>)>;

fn newest(copies: &mut Copies, copy: ProductCopy, at: DateTime<Utc>) {
    match copies.entry(copy.id) {
        Entry::Vacant(entry) => {
            entry.insert((copy, at));
        }
        Entry::Occupied(mut entry) => {
            let (known, first_at) = entry.get_mut();
            *first_at = at.min(*first_at);
            if known.version < copy.version {
                *known = copy;
            }
        }
    }
}

fn created(news: ProductCreated, version: i64) -> ProductCopy {
    let ProductCreated { product_id: id, sku, name, price, image_url, category_id: _ } = news;
    ProductCopy { id, name, sku, price, image_url, version, deleted: false }
}

fn updated(news: ProductUpdated, version: i64) -> ProductCopy {
    let ProductUpdated { product_id: id, sku, name, price, image_url, deleted, category_id: _ } = news;
    ProductCopy { id, name, sku, price, image_url, version, deleted }
}

async fn apply_copies(tx: &Connection, copies: Copies) -> Result<(), database::Error> {
    let changes: Vec<(ProductId, DateTime<Utc>)> = copies.iter().map(|(id, (_, at))| (*id, *at)).collect();
    products::put(tx, &copies.into_values().map(|(copy, _)| copy).collect::<Vec<_>>()).await?;
    checkouts::reprice_reopened(tx, &changes).await
}

/// `orders.events`: what became of a checkout.
struct OrderNews;

/// What one batch changes.
#[derive(Default)]
struct Outcome {
    confirmed: Vec<OrderId>,
    ordered: Vec<CartId>,
    given_back: Vec<(OrderId, EventId)>,
    reopened: Vec<CartId>,
    drafts: Vec<Draft>,
}

enum News<'a> {
    Confirmed(OrderConfirmed),
    Reopen(ReopenRequested, &'a Envelope),
}

impl News<'_> {
    fn read(envelope: &Envelope) -> Result<News<'_>, HandlerError> {
        match envelope.event_type.as_str() {
            OrderConfirmed::TYPE => Ok(News::Confirmed(envelope.decode()?)),
            ReopenRequested::TYPE => Ok(News::Reopen(envelope.decode()?, envelope)),
            _ => Err(unknown(envelope)),
        }
    }

    /// The cart that is to come back.
    fn reopens(&self) -> Option<CartId> {
        match self {
            News::Confirmed(_) => None,
            News::Reopen(news, _) => Some(news.cart_id),
        }
    }

    fn about(&self) -> (OrderId, CartId) {
        match self {
            News::Confirmed(news) => (news.order_id, news.cart_id),
            News::Reopen(news, _) => (news.order_id, news.cart_id),
        }
    }
}

#[async_trait]
impl Handler for OrderNews {
    async fn handle(&self, tx: &Connection, batch: &[Envelope]) -> Result<(), HandlerError> {
        let news: Vec<News<'_>> = batch.iter().map(News::read).collect::<Result<_, _>>()?;
        let (orders, carts): (Vec<OrderId>, Vec<CartId>) = news.iter().map(News::about).unzip();
        let reopening: Vec<CartId> = news.iter().filter_map(News::reopens).collect();
        // Checkouts before prices, and those before carts, everywhere.
        let standings = checkouts::lock_with_carts(tx, &orders, &reopening, &carts).await?;
        let outcome = decide(&news, standings.into_iter().map(|standing| (standing.cart_id, standing)).collect());
        let complete = checkouts::complete(&outcome.confirmed, &outcome.ordered);
        let reopen = checkouts::reopen(&outcome.given_back, &outcome.reopened);
        Ok(outbox::record_with(tx, complete.into_iter().chain(reopen).collect(), &outcome.drafts).await?)
    }

    fn rest(&self) -> Duration {
        REST
    }
}

fn decide(news: &[News<'_>], mut carts: BTreeMap<CartId, Standing>) -> Outcome {
    let mut outcome = Outcome::default();
    for one in news {
        let (order_id, cart_id) = one.about();
        let cart = carts.get_mut(&cart_id);
        match one {
            News::Confirmed(_) => {
                if cart.is_some_and(|cart| cart.confirm(order_id)) {
                    outcome.ordered.push(cart_id);
                }
                outcome.confirmed.push(order_id);
            }
            News::Reopen(_, cause) => {
                // Always answered: orders asks again until it hears. A deleted cart has no version any more.
                let (changed, version) = cart.map_or((false, 0), |cart| (cart.reopen(order_id), cart.version));
                if changed {
                    outcome.reopened.push(cart_id);
                    outcome.given_back.push((order_id, cause.event_id));
                }
                let answer = CartReopened { cart_id, order_id };
                let draft = Draft::new(&answer, version, cause.correlation_id, SERVICE).caused_by(cause.event_id);
                outcome.drafts.push(draft);
            }
        }
    }
    outcome
}
