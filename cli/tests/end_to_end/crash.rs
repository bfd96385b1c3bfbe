//! kill -9 in the middle of two hundred checkouts: every order reaches its end, and the oracle holds.

use std::cell::Cell;
use std::time::Duration;

use crate::support::shop::SERVICES;
use crate::support::{Client, Shop, Transport, oracle};
use crate::undoing::ask_again;
use service::Role;
use tokio::task::JoinSet;

const ORDERS: usize = 200;
const UNITS: u32 = 150;
/// CONTRACT: every interrupted order ends within 60 s of the services being ready again.
const RECOVERY: Duration = Duration::from_secs(60);

/// Checkouts that keep trying while the shop is hurt; each returns the order it was promised.
async fn shoppers(shop: &Shop) -> JoinSet<String> {
    let product = shop.client().signed_in(Role::Admin).create_product("Crash test", "3.00", UNITS).await;
    let mut shoppers = JoinSet::new();
    for number in 0..ORDERS {
        let (shopper, product) = (shop.client().signed_in(Role::User), product.clone());
        shoppers.spawn(async move { buy(&shopper, &product, number).await });
    }
    shoppers
}

async fn buy(shopper: &Client, product: &str, number: usize) -> String {
    let method = if number.is_multiple_of(10) { "pm_card_chargeDeclined" } else { "pm_card_visa" };
    let key = format!("checkout {number}");
    let cart = until_answered(|| async {
        let data = shopper
            .try_graphql(
                "mutation($input: AddToCartInput!) { addToCart(input: $input) { cart { id } } }",
                serde_json::json!({"input": {"productId": product, "quantity": 1}}),
            )
            .await?;
        data["addToCart"]["cart"]["id"].as_str().map(str::to_owned).ok_or_else(|| data.to_string())
    })
    .await;
    until_answered(|| async {
        let payload = shopper.try_checkout(&cart, method, Some(&key)).await?;
        payload["order"]["id"].as_str().map(str::to_owned).ok_or_else(|| payload.to_string())
    })
    .await
}

async fn until_answered<F: Future<Output = Result<String, String>>>(ask: impl FnMut() -> F) -> String {
    testkit::eventually(Duration::from_secs(90), ask).await
}

/// Every order that a client was told of exists, all are at rest, and the oracle holds.
async fn settles(shop: &Shop, shoppers: JoinSet<String>) {
    let promised = shoppers.join_all().await;
    oracle::holds(shop, 0, RECOVERY).await;
    let owner = shop.database.owner().await;
    let ids: Vec<uuid::Uuid> = promised.iter().map(|id| id.parse().expect("an id")).collect();
    let row = owner
        .query_one(
            "SELECT count(*) AS found, count(*) FILTER (WHERE status = 'CONFIRMED') AS confirmed FROM orders.orders WHERE id = ANY ($1)",
            &[&ids],
        )
        .await
        .expect("count orders");
    assert_eq!(row.get::<_, i64>("found"), ORDERS as i64, "an acknowledged order is missing");
    // A unit that a declined buyer held for a moment may have cost somebody else the order; never the other way round.
    let confirmed = row.get::<_, i64>("confirmed");
    assert!((i64::from(UNITS) - (ORDERS / 10) as i64..=i64::from(UNITS)).contains(&confirmed), "{confirmed} confirmed");
}

/// Waits until some, but not all, orders are confirmed: the middle.
async fn in_the_middle(shop: &Shop, orders: i64) {
    let owner = shop.database.owner().await;
    testkit::eventually(Duration::from_secs(60), || async {
        let stored = oracle::count(&owner, "SELECT count(*) FROM orders.orders").await;
        if stored >= orders { Ok(()) } else { Err(format!("{stored} orders")) }
    })
    .await;
}

async fn every_service_is_killed(transport: Transport) {
    let mut shop = Shop::in_processes(transport).await;
    let shoppers = shoppers(&shop).await;
    for (round, service) in SERVICES.iter().enumerate() {
        in_the_middle(&shop, 20 * round as i64).await;
        shop.crash(service);
        shop.start(service);
    }
    shop.ready().await;
    settles(&shop, shoppers).await;
}

#[tokio::test]
async fn every_service_killed_on_postgres() {
    every_service_is_killed(Transport::Postgres).await;
}

#[tokio::test]
async fn every_service_killed_on_rabbitmq() {
    every_service_is_killed(Transport::Rabbit).await;
}

#[tokio::test]
async fn postgresql_killed() {
    let shop = Shop::on_own_servers(Transport::Postgres).await;
    let shoppers = shoppers(&shop).await;
    in_the_middle(&shop, 60).await;
    let postgres = shop.postgres.as_ref().expect("a server of its own");
    postgres.kill();
    postgres.revive().await;
    shop.ready().await;
    settles(&shop, shoppers).await;
}

#[tokio::test]
async fn rabbitmq_killed() {
    let shop = Shop::on_own_servers(Transport::Rabbit).await;
    let shoppers = shoppers(&shop).await;
    in_the_middle(&shop, 60).await;
    let rabbit = shop.rabbit.as_ref().expect("a node of its own");
    rabbit.kill();
    rabbit.revive().await;
    shop.ready().await;
    settles(&shop, shoppers).await;
}

#[tokio::test]
async fn a_shutdown_under_load_loses_nothing() {
    let mut shop = Shop::in_one_process(Transport::Postgres).await;
    let shoppers = shoppers(&shop).await;
    in_the_middle(&shop, 60).await;
    shop.end("all", nix::sys::signal::Signal::SIGTERM);
    shop.start("all");
    shop.ready().await;
    settles(&shop, shoppers).await;
}

/// Longer than the first two tiers of retries: whoever took an outage for the message's fault would park it.
const AWAY_S: u64 = 15;

#[tokio::test]
async fn a_database_that_is_away_fills_no_dead_letters() {
    let shop = Shop::on_own_servers(Transport::Rabbit).await;
    let shoppers = shoppers(&shop).await;
    in_the_middle(&shop, 60).await;
    let postgres = shop.postgres.as_ref().expect("a server of its own");
    postgres.kill();
    // Not waited for anything: that nobody can do anything for so long is what is tested.
    tokio::time::sleep(Duration::from_secs(AWAY_S)).await;
    postgres.revive().await;
    shop.ready().await;
    settles(&shop, shoppers).await;
}

/// Of one refund, one after the other.
const FAILURES: i64 = 50;

/// The provider's books cannot be written so often, and nobody waits the minutes that lie between so many tries.
const FAIL: &str = "CREATE SEQUENCE public.failures;
    GRANT USAGE ON SEQUENCE public.failures TO PUBLIC;
    CREATE FUNCTION public.fail() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN IF nextval('public.failures') <= 50 THEN RAISE 'the provider is away'; END IF; RETURN NEW; END $$;
    CREATE TRIGGER fail BEFORE INSERT ON payments.test_provider_refunds FOR EACH ROW EXECUTE FUNCTION public.fail();
    CREATE FUNCTION public.hurry() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN NEW.next_attempt_at := now(); RETURN NEW; END $$;
    CREATE TRIGGER hurry BEFORE UPDATE ON payments.refunds FOR EACH ROW WHEN (NEW.lease IS NULL)
        EXECUTE FUNCTION public.hurry();";

#[tokio::test]
async fn refunds_that_fail_fifty_times_while_orders_is_killed_on_postgres() {
    refunds_that_fail_fifty_times_while_orders_is_killed(Transport::Postgres).await;
}

#[tokio::test]
async fn refunds_that_fail_fifty_times_while_orders_is_killed_on_rabbitmq() {
    refunds_that_fail_fifty_times_while_orders_is_killed(Transport::Rabbit).await;
}

async fn refunds_that_fail_fifty_times_while_orders_is_killed(transport: Transport) {
    let mut shop = Shop::in_processes(transport).await;
    let product = shop.client().signed_in(Role::Admin).create_product("Returned", "3.00", 1).await;
    let shopper = shop.client().signed_in(Role::User);
    let cart = shopper.cart_with(&product, 1).await;
    let order = shopper.checkout(&cart, "pm_card_visa").await;
    shopper.order_in(&order, &["CONFIRMED"], RECOVERY).await;
    let owner = shop.database.owner().await;
    owner.batch_execute(FAIL).await.expect("let refunds fail");
    let cancel = "mutation($input: CancelOrderInput!) { cancelOrder(input: $input) { order { status } } }";
    shopper.graphql(cancel, serde_json::json!({"input": {"id": order}})).await;
    let asked = Cell::new(-1);
    for failures in [5, 15, 30, FAILURES] {
        testkit::eventually(RECOVERY, || async {
            let failed = oracle::count(&owner, "SELECT coalesce(max(attempts), 0)::bigint FROM payments.refunds").await;
            if failed > asked.replace(failed) {
                // That wakes whoever refunds.
                ask_again(&shop, "RefundRequested").await;
            }
            if failed >= failures { Ok(()) } else { Err(format!("the refund failed {failed} times")) }
        })
        .await;
        shop.crash("orders");
        shop.start("orders");
    }
    shop.ready().await;
    shopper.order_in(&order, &["CANCELLED"], RECOVERY).await;
    oracle::holds(&shop, 0, RECOVERY).await;
    let back = "SELECT count(*) FROM payments.refunds WHERE status = 'succeeded' AND attempts >= 50";
    assert_eq!(oracle::count(&owner, back).await, 1, "one refund, after all that failed");
    assert_eq!(oracle::count(&owner, "SELECT count(*) FROM payments.refunds").await, 1);
    assert_eq!(oracle::count(&owner, "SELECT count(*) FROM payments.test_provider_refunds").await, 1);
}
