//! Each step of an order's way fails, and each undo is asked for again: over either transport.

use std::time::Duration;

use serde_json::Value;
use service::Role;
use testkit::eventually;
use uuid::Uuid;

use crate::messages::{state_but_for_events, trade};
use crate::support::{Client, Shop, Transport, oracle};

const SOON: Duration = Duration::from_secs(60);

/// What undoes a step, and what answers that: each in the table that tells of it.
const UNDOS: [(&str, &str); 3] = [
    ("RefundRequested", "payments.events WHERE event_type = 'PaymentRefunded'"),
    ("ReleaseRequested", "catalog.events WHERE event_type = 'StockReleased'"),
    ("ReopenRequested", "cart.events WHERE event_type = 'CartReopened'"),
];

/// Charges cannot be written down, so nobody learns what became of them.
const SILENCE: &str = "CREATE FUNCTION public.silence() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN RAISE ''the provider is away''; END';
    CREATE TRIGGER silence BEFORE INSERT ON payments.test_provider_charges FOR EACH ROW
        EXECUTE FUNCTION public.silence()";

/// Asks once more for each undo of this kind, as orders does where it was not answered in time: under new ids. Returns
/// how many.
pub async fn ask_again(shop: &Shop, event_type: &str) -> i64 {
    let sql = "SELECT DISTINCT ON (aggregate_id) exchange, routing_key, envelope::text
               FROM orders.events WHERE event_type = $1";
    let rows = shop.database.owner().await.query(sql, &[&event_type]).await.expect("read what was asked for");
    for row in &rows {
        let mut envelope: Value = serde_json::from_str(row.get(2)).expect("JSON");
        envelope["event_id"] = Uuid::now_v7().to_string().into();
        shop.publish(row.get(0), &[(row.get(1), &envelope.to_string())]).await;
    }
    i64::try_from(rows.len()).expect("a few")
}

/// Buys that, and waits until it is given up, for this reason.
async fn is_given_up(shopper: &Client, order: &str, code: &str) {
    let order = shopper.order_in(order, &["COMPENSATED"], SOON).await;
    assert_eq!(order["failureCode"], code, "{order}");
}

/// Refused stock, a declined payment, one that nobody answers until the order's time is up, and a sale that is called
/// off.
async fn each_step_fails(shop: &Shop) {
    let last = shop.client().signed_in(Role::Admin).create_product("The last cup", "6.00", 1).await;
    let shopper = shop.client().signed_in(Role::User);
    let cart = shopper.cart_with(&last, 2).await;
    let refused = shopper.checkout(&cart, "pm_card_visa").await;
    is_given_up(&shopper, &refused, "OUT_OF_STOCK").await;
    trade(shop).await;

    let owner = shop.database.owner().await;
    owner.batch_execute(SILENCE).await.expect("silence the provider");
    let cart = shopper.cart_with(&last, 1).await;
    let late = shopper.checkout(&cart, "pm_card_visa").await;
    shopper.order_in(&late, &["INVENTORY_RESERVED"], SOON).await;
    let expire = "UPDATE orders.saga_states SET expires_at = now() WHERE order_id = $1";
    let id: Uuid = late.parse().expect("an id");
    owner.execute(expire, &[&id]).await.expect("let its time be up");
    shopper.order_in(&late, &["FAILED"], SOON).await;
    let speak = "DROP TRIGGER silence ON payments.test_provider_charges";
    owner.batch_execute(speak).await.expect("let the provider speak");
    is_given_up(&shopper, &late, "EXPIRED").await;
}

async fn each_step_fails_and_each_undo_is_asked_for_again(transport: Transport) {
    let shop = Shop::in_one_process(transport).await;
    each_step_fails(&shop).await;
    oracle::holds(&shop, 0, SOON).await;
    let before = state_but_for_events(&shop).await;

    let owner = shop.database.owner().await;
    for (undo, answers) in UNDOS {
        let count = format!("SELECT count(*) FROM {answers}");
        let answered = oracle::count(&owner, &count).await;
        let asked = ask_again(&shop, undo).await;
        assert!(asked > 0, "nobody asked for {undo}");
        eventually(SOON, || async {
            match oracle::count(&owner, &count).await - answered {
                again if again == asked => Ok(()),
                again => Err(format!("{undo}: {asked} were asked for again, {again} answered")),
            }
        })
        .await;
    }
    oracle::holds(&shop, 0, SOON).await;
    assert_eq!(state_but_for_events(&shop).await, before, "what is asked for again is answered and changes nothing");
}

#[tokio::test]
async fn each_step_fails_and_each_undo_is_asked_for_again_on_postgres() {
    each_step_fails_and_each_undo_is_asked_for_again(Transport::Postgres).await;
}

#[tokio::test]
async fn each_step_fails_and_each_undo_is_asked_for_again_on_rabbitmq() {
    each_step_fails_and_each_undo_is_asked_for_again(Transport::Rabbit).await;
}
