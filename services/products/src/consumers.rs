//! What orders asks of the stock: hold, commit, give back. A whole batch in one transaction.
//!
//! Three round trips, however many orders: lock what is known of them, lock the products in the order of their ids,
//! decide ([`Ledger`]), write everything and record the answers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use cache::Backend;
use database::{Connection, outbox};
use events::topology::QUEUES;
use events::{
    DecodeError, Draft, Envelope, OrderConfirmed, OrderId, OrderPlaced, ProductId, ReleaseRequested, ReservationId,
};
use messaging::{Consumer, Handler, HandlerError};

use crate::cached::{STOCK, product_tag};
use crate::model::stock::{Answer, Ledger, OrderStock, Placement, Request, Shelf, Standing};
use crate::repository::stock;
use crate::{Products, SERVICE};

/// Versions of an order's stock, as its events carry them.
const FIRST_ANSWER: i64 = 1;
const RELEASED: i64 = 2;

/// The service's consumers, one per queue.
pub fn consumers(service: &Arc<Products>) -> Vec<Consumer> {
    let consumer = |queue| Consumer {
        queue,
        database: service.database.clone(),
        handler: Arc::new(OrderEvents { hold_for: service.config.hold_for, cache: service.cached.backend.clone() }),
    };
    QUEUES.iter().filter(|queue| queue.service == SERVICE).map(consumer).collect()
}

struct OrderEvents {
    hold_for: Duration,
    cache: Backend,
}

#[async_trait]
impl Handler for OrderEvents {
    async fn handle(&self, tx: &Connection, batch: &[Envelope]) -> Result<(), HandlerError> {
        let requests = batch.iter().map(request).collect::<Result<Vec<_>, _>>()?;
        let order_ids: BTreeSet<OrderId> = requests.iter().map(Request::order_id).collect();
        let orders = stock::lock_orders(tx, &Vec::from_iter(order_ids)).await?;
        let product_ids = products_of(&requests, &orders);
        let shelf = match product_ids.as_slice() {
            [] => Shelf::default(),
            ids => stock::lock_products(tx, ids, self.hold_for).await?,
        };

        let mut ledger = Ledger::new(shelf, orders);
        let mut answers = Vec::with_capacity(batch.len());
        for (cause, request) in batch.iter().zip(requests) {
            let answer = ledger.apply(request).map_err(|illegal| HandlerError::Reject(illegal.to_string()))?;
            answers.extend(answer.map(|answer| draft(&answer, cause)));
        }

        let changes = ledger.changes();
        if !changes.moves.is_empty() {
            let products = changes.moves.iter().map(|(id, _)| product_tag(id));
            tx.keep_until_end(self.cache.changing(products.chain([STOCK]).collect()).await);
        }
        let write = (!changes.is_empty()).then(|| stock::write(&changes)).into_iter().collect();
        outbox::record_with(tx, write, &answers).await.map_err(|error| match error.constraint() {
            Some(stock::DECIDED_ONCE) => HandlerError::Retry("another replica decides about the same order".to_owned()),
            _ => error.into(),
        })
    }
}

/// Reads what an event asks for.
fn request(envelope: &Envelope) -> Result<Request, DecodeError> {
    if envelope.is::<OrderPlaced>() {
        let OrderPlaced { order_id, cart_id, lines, .. } = envelope.decode()?;
        return Ok(Request::Place(Placement { order_id, cart_id, lines, reservation_id: ReservationId::new() }));
    }
    if envelope.is::<OrderConfirmed>() {
        return Ok(Request::Commit(envelope.decode::<OrderConfirmed>()?.order_id));
    }
    let ReleaseRequested { order_id, cart_id, .. } = envelope.decode()?;
    Ok(Request::Release(order_id, cart_id))
}

/// Every product that the batch can touch, in the order of their ids.
fn products_of(requests: &[Request], orders: &BTreeMap<OrderId, OrderStock>) -> Vec<ProductId> {
    let mut products = BTreeSet::new();
    for request in requests {
        match (request, orders.get(&request.order_id()).map(|order| &order.standing)) {
            (Request::Place(placement), None) => {
                products.extend(placement.lines.iter().map(|line| line.product_id));
            }
            (Request::Release(..), Some(Standing::Held(hold) | Standing::Committed(hold))) => {
                products.extend(hold.lines.iter().map(|line| line.product_id));
            }
            (Request::Place(_), Some(_)) | (Request::Release(..), _) | (Request::Commit(_), _) => {}
        }
    }
    Vec::from_iter(products)
}

fn draft(answer: &Answer, cause: &Envelope) -> Draft {
    let correlation_id = cause.correlation_id;
    let draft = match answer {
        Answer::Reserved(event) => Draft::new(event, FIRST_ANSWER, correlation_id, SERVICE),
        Answer::Failed(event) => Draft::new(event, FIRST_ANSWER, correlation_id, SERVICE),
        Answer::Released(event) => Draft::new(event, RELEASED, correlation_id, SERVICE),
    };
    draft.caused_by(cause.event_id)
}
