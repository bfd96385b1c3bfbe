//! Orders are stored as soon as their carts check out: under load many of them in one statement.

use std::collections::BTreeMap;
use std::time::Duration;

use database::{Answers, Connection, Database, Gathering};
use events::{CartCheckoutInitiated, OrderId};
use orders_client::Order;
use service::Error;

use crate::handlers::not_found;
use crate::{model, repository};

/// Orders of many callers, as their carts checked them out.
pub type Placements = Gathering<CartCheckoutInitiated, Order, Error>;

/// Gathers orders for this database. `patience`: until the watchdog looks after them.
pub fn gathering(database: Database, patience: Duration) -> Placements {
    // Nobody holds what is not there yet, so nobody has to be left out.
    Gathering::new(move |checkouts, _| {
        let database = database.clone();
        Box::pin(async move {
            database.write_statement(move |db| Box::pin(async move { place(db, checkouts, patience).await })).await
        })
    })
}

/// One order in a transaction that does more.
pub async fn alone(tx: &Connection, checkout: CartCheckoutInitiated, patience: Duration) -> Result<Order, Error> {
    let answers = place(tx, vec![checkout], patience).await?;
    answers.into_iter().flatten().next().unwrap_or_else(|| Err(not_found()))
}

/// An order that its event has stored before, or a copy of this request, is answered as it is by now.
async fn place(db: &Connection, checkouts: Vec<CartCheckoutInitiated>, patience: Duration) -> Answers<Order, Error> {
    // In key order, so that no two batches wait for each other; each once, also if somebody came twice.
    let orders: BTreeMap<OrderId, &CartCheckoutInitiated> = checkouts.iter().map(|it| (it.order_id, it)).collect();
    let stored = repository::insert(db, &Vec::from_iter(orders.into_values()), patience).await?;
    let mut answers = Vec::with_capacity(checkouts.len());
    for checkout in checkouts {
        answers.push(Some(match stored.get(&checkout.order_id) {
            Some(at) => Ok(model::placed(checkout, *at)),
            None => Ok(repository::order(db, checkout.order_id).await?.ok_or_else(not_found)?),
        }));
    }
    Ok(answers)
}
