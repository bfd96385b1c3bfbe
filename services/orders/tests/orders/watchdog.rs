//! Time passes and nobody answers.

use std::time::Duration;

use events::OrderStatus;
use orders::OrdersConfig;
use orders::saga::MAX_ASKED;
use orders_client::{OrdersApi, SagaFilter};
use service::PageQuery;
use testkit::eventually;

use crate::support::{Checkout, SOON, Shop, refusal};

async fn wait_for(shop: &Shop, it: &Checkout, status: &str) {
    eventually(SOON, || async {
        let now = shop.saga(it).await.saga.status;
        if now == status { Ok(()) } else { Err(format!("{now}, not {status}")) }
    })
    .await;
}

#[tokio::test]
async fn whoever_waits_too_long_fails_and_undoes_what_may_have_been_done() {
    let shop = Shop::watched(OrdersConfig::default()).await;
    for (status, owed) in [
        (OrderStatus::Pending, vec!["REOPEN"]),
        (OrderStatus::CartValidated, vec!["RELEASE", "REOPEN"]),
        (OrderStatus::InventoryReserved, vec!["REFUND", "RELEASE", "REOPEN"]), // an unknown payment is no failed one
    ] {
        let it = shop.order_in(status).await;
        shop.time_passes(&it).await;
        wait_for(&shop, &it, "FAILED").await;
        let (order, saga) = (shop.order(&it).await, shop.saga(&it).await);
        assert_eq!((order.status, order.failure_code.as_deref()), (OrderStatus::Failed, Some("EXPIRED")));
        assert_eq!(saga.saga.owed, owed, "{status}");
        let failed = saga.timeline.iter().find(|entry| entry.event == "OrderFailed").unwrap();
        assert_eq!(failed.detail.as_deref(), Some("EXPIRED"));
    }
}

#[tokio::test]
async fn deadlines_come_from_the_configuration() {
    let config = OrdersConfig {
        reservation_deadline: Duration::from_millis(20),
        undo_patience: Duration::from_millis(1),
        undo_patience_max: Duration::from_millis(2),
        ..OrdersConfig::default()
    };
    let shop = Shop::watched(config).await;
    let it = shop.cart();
    shop.place(&it).await;
    wait_for(&shop, &it, "STUCK").await;
    assert_eq!(shop.order(&it).await.failure_code.as_deref(), Some("EXPIRED"));
    shop.rest().await;
    let told = shop.types_told(&it).await;
    assert_eq!(told.len(), 1 + usize::from(MAX_ASKED), "failed once, asked {MAX_ASKED} times: {told:?}");
}

#[tokio::test]
async fn who_rests_has_no_deadline() {
    let shop = Shop::watched(OrdersConfig::default()).await;
    use OrderStatus::{Cancelled, Compensated, Confirmed, Delivered, Shipped};
    for status in [Confirmed, Shipped, Delivered, Compensated, Cancelled] {
        let it = shop.order_in(status).await;
        assert_eq!(shop.saga(&it).await.saga.expires_at, None, "{status}");
    }
}

#[tokio::test]
async fn an_undo_is_asked_for_again_with_doubled_patience_then_it_is_stuck_and_can_be_resumed() {
    let shop = Shop::watched(OrdersConfig::default()).await;
    let it = shop.order_in(OrderStatus::Failed).await;
    let mut patience = Vec::new();
    for asked in 1..=i32::from(MAX_ASKED) {
        eventually(SOON, || async {
            let now = shop.saga(&it).await.saga.asked;
            if now == asked { Ok(()) } else { Err(format!("asked {now} times, not {asked}")) }
        })
        .await;
        let saga = shop.saga(&it).await.saga;
        patience.push((saga.expires_at.unwrap() - saga.updated_at).num_seconds());
        shop.time_passes(&it).await;
    }
    assert_eq!(patience, [10, 20, 40, 80, 160, 300, 300, 300, 300, 300]);
    wait_for(&shop, &it, "STUCK").await;
    let stuck = shop.saga(&it).await;
    assert_eq!((stuck.saga.expires_at, shop.status(&it).await), (None, OrderStatus::Failed));
    assert_eq!(stuck.compensations.len(), 1, "one undo, however often it is asked for");
    let asked = |told: Vec<String>| told.iter().filter(|event| *event == "ReleaseRequested").count();
    assert_eq!(asked(shop.types_told(&it).await), usize::from(MAX_ASKED));
    let filter = SagaFilter { status: Some("STUCK".to_owned()), user_id: None };
    let listed = shop.orders.sagas(&shop.admin, filter, PageQuery::default()).await.unwrap();
    assert_eq!(listed.items, std::slice::from_ref(&stuck.saga));

    let resumed = shop.orders.retry_saga(&shop.admin, it.0.correlation_id.uuid()).await.unwrap();
    assert_eq!((resumed.saga.status.as_str(), resumed.saga.asked), ("FAILED", 1));
    assert!(resumed.saga.expires_at.is_some());
    assert_eq!(asked(shop.types_told(&it).await), usize::from(MAX_ASKED) + 1);
    assert_eq!(refusal(shop.orders.retry_saga(&shop.admin, stuck.saga.id).await), "saga_not_stuck");
    for word in [it.released(), it.reopened()] {
        shop.tell(vec![word]).await;
    }
    assert_eq!(shop.status(&it).await, OrderStatus::Compensated);
    assert_eq!(refusal(shop.orders.retry_saga(&shop.admin, it.id().uuid()).await), "saga_not_stuck");
}

#[tokio::test]
async fn a_stuck_saga_takes_a_late_answer() {
    let shop = Shop::watched(OrdersConfig::default()).await;
    let it = shop.order_in(OrderStatus::Cancelling).await;
    let jump = "UPDATE orders.saga_states SET asked = $2, expires_at = now() WHERE order_id = $1";
    shop.owner.execute(jump, &[&it.id(), &i32::from(MAX_ASKED)]).await.unwrap();
    wait_for(&shop, &it, "STUCK").await;
    assert_eq!(shop.status(&it).await, OrderStatus::Cancelling, "stuck is never an order's status");
    shop.tell(vec![it.refunded()]).await;
    wait_for(&shop, &it, "CANCELLING").await;
    assert_eq!(shop.saga(&it).await.saga.owed, ["RELEASE", "REOPEN"]);
}

#[tokio::test]
async fn a_saga_that_cannot_be_read_keeps_no_other_from_its_deadline() {
    let shop = Shop::watched(OrdersConfig::default()).await;
    let (broken, garbled) = (shop.order_in(OrderStatus::Failed).await, shop.order_in(OrderStatus::Pending).await);
    let sound = shop.order_in(OrderStatus::CartValidated).await;
    for (column, it) in [("ending = NULL", &broken), ("payload = '{}'", &garbled)] {
        let damage = format!(
            "UPDATE orders.saga_states SET {column}, expires_at = now() - interval '1 hour' WHERE order_id = $1"
        );
        shop.owner.execute(&damage, &[&it.id()]).await.unwrap();
    }
    shop.time_passes(&sound).await;
    wait_for(&shop, &sound, "FAILED").await;
    let postponed = "SELECT count(*) FROM orders.saga_states WHERE expires_at > now() + interval '4 minutes'
        AND (ending IS NULL AND status = 'FAILED' OR payload = '{}')";
    assert_eq!(shop.number(postponed).await, 2);

    // Nor from its messages: what is said to it is parked, until somebody mends it and replays.
    shop.tell(vec![broken.released(), sound.released()]).await;
    assert_eq!(shop.saga(&sound).await.saga.owed, ["REOPEN"]);
    assert_eq!(shop.saga(&broken).await.saga.owed, ["RELEASE", "REOPEN"]);
    assert_eq!(shop.dead().await, 2, "both copies");
    assert_eq!(refusal(shop.orders.ship(&shop.admin, broken.id()).await), "internal_error");
    let mend = "UPDATE orders.saga_states SET ending = 'FAILURE', expires_at = now() WHERE order_id = $1";
    shop.owner.execute(mend, &[&broken.id()]).await.unwrap();
    shop.tell(vec![broken.released()]).await;
    assert_eq!(shop.saga(&broken).await.saga.owed, ["REOPEN"]);
}
