//! Many orders, and some of what they say again: every order once.

use std::time::Duration;

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use super::load::Load;
use super::{RECOVERY, faults, number};
use crate::support::promises::Told;
use crate::support::{Shop, Transport, oracle, promises};

/// Far more than an order takes.
const PATIENCE: Duration = Duration::from_secs(120);

#[tokio::test]
async fn of_many_orders_and_some_duplicates_each_is_one_over_postgres() {
    duplicates(Transport::Postgres).await;
}

#[tokio::test]
async fn of_many_orders_and_some_duplicates_each_is_one_over_rabbitmq() {
    duplicates(Transport::Rabbit).await;
}

async fn duplicates(transport: Transport) {
    let orders = number("CHAOS_ORDERS", 250);
    let copies = number("CHAOS_COPIES", 30);
    let mut random = SmallRng::seed_from_u64(number("CHAOS_SEED", 1) as u64);
    let shop = Shop::in_processes(transport).await;
    let mut load = Load::start(&shop, orders, random.random()).await;
    load.allow(orders);
    for sent in 0..copies {
        load.wait_for(orders * (sent + 1) / copies, PATIENCE).await;
        // Of an order that is under way, or was a moment ago.
        faults::send_copies(&shop, 1, random.random_range(0..100)).await;
    }
    let promised = load.finish().await;
    oracle::holds(&shop, 0, RECOVERY).await;
    promises::are_kept(&shop, &promised).await;
    assert!(promised.iter().any(|promise| promise.told == Told::Confirmed), "nobody was told of a confirmation");
    let owner = shop.database.owner().await;
    let stored = oracle::count(&owner, "SELECT count(*) FROM orders.orders").await;
    assert_eq!(stored, orders as i64, "an order for each checkout");
    println!("{orders} orders over {transport:?}, {copies} events sent again: {stored} orders, 0 violations");
}
