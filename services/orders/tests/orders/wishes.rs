//! What people want: cancel, ship, deliver.

use events::{OrderCancelled, OrderStatus};
use orders_client::{CancelOrder, OrdersApi};

use crate::support::{Shop, refusal, with_key};

#[tokio::test]
async fn who_cancels_undoes_what_was_done_so_far() {
    let shop = Shop::open().await;
    for (status, owed) in [
        (OrderStatus::Pending, vec!["REOPEN"]),
        (OrderStatus::CartValidated, vec!["RELEASE", "REOPEN"]),
        (OrderStatus::InventoryReserved, vec!["REFUND", "RELEASE", "REOPEN"]),
        (OrderStatus::Confirmed, vec!["REFUND", "RELEASE"]), // an ordered cart stays ordered
    ] {
        let it = shop.order_in(status).await;
        let order = shop.cancel(&it, Some("changed my mind")).await.unwrap();
        assert_eq!(order.status, OrderStatus::Cancelling, "{status}");
        assert_eq!(shop.saga(&it).await.saga.owed, owed, "{status}");
        assert_eq!(shop.cancel(&it, Some("twice")).await.unwrap(), order, "a second wish changes nothing");
        for undo in owed {
            shop.tell(vec![match undo {
                "REFUND" => it.refunded(),
                "RELEASE" => it.released(),
                _ => it.reopened(),
            }])
            .await;
        }
        let order = shop.order(&it).await;
        assert_eq!(order.status, OrderStatus::Cancelled);
        assert!(order.cancelled_at.is_some() && order.failure_code.is_none());
        assert!(shop.holds(&it).await.iter().all(|hold| hold == "released"));
        let (last, envelope) = shop.told(&it).await.pop().unwrap();
        let told: OrderCancelled = serde_json::from_value(envelope["payload"].clone()).unwrap();
        assert_eq!((last.as_str(), told.reason.as_deref()), ("OrderCancelled", Some("changed my mind")));
        let end = shop.saga(&it).await.timeline.pop().unwrap();
        assert_eq!((end.event.as_str(), end.detail.as_deref()), ("OrderCancelled", Some("changed my mind")));
        assert_eq!(shop.cancel(&it, None).await.unwrap(), order, "cancelled is cancelled");
    }
}

#[tokio::test]
async fn what_failed_or_left_the_house_cannot_be_cancelled() {
    let shop = Shop::open().await;
    for status in [OrderStatus::Failed, OrderStatus::Compensated, OrderStatus::Shipped, OrderStatus::Delivered] {
        let it = shop.order_in(status).await;
        let told = shop.types_told(&it).await;
        assert_eq!(refusal(shop.cancel(&it, None).await), "order_not_cancellable", "{status}");
        assert_eq!(shop.types_told(&it).await, told);
    }
}

#[tokio::test]
async fn only_the_confirmed_is_shipped_and_only_the_shipped_delivered() {
    let shop = Shop::open().await;
    let admin = &shop.admin;
    for status in OrderStatus::ALL {
        if status == OrderStatus::PaymentProcessed {
            continue; // no order rests there
        }
        let it = shop.order_in(status).await;
        if status != OrderStatus::Shipped {
            assert_eq!(refusal(shop.orders.deliver(admin, it.id()).await), "order_not_deliverable", "{status}");
        }
        if status != OrderStatus::Confirmed {
            assert_eq!(refusal(shop.orders.ship(admin, it.id()).await), "order_not_shippable", "{status}");
            continue;
        }
        let shipped = shop.orders.ship(admin, it.id()).await.unwrap();
        assert!(shipped.status == OrderStatus::Shipped && shipped.shipped_at.is_some());
        let delivered = shop.orders.deliver(admin, it.id()).await.unwrap();
        assert!(delivered.status == OrderStatus::Delivered && delivered.delivered_at.is_some());
        assert_eq!((delivered.shipped_at, delivered.version), (shipped.shipped_at, 6));
        assert_eq!(shop.types_told(&it).await[3..], ["OrderShipped", "OrderDelivered"]);
    }
}

#[tokio::test]
async fn what_operators_do_to_orders_stands_in_the_trail() {
    let shop = Shop::open().await;
    let (sent, returned, own) = (
        shop.order_in(OrderStatus::Confirmed).await,
        shop.order_in(OrderStatus::Confirmed).await,
        shop.order_in(OrderStatus::Confirmed).await,
    );
    let admin = &shop.admin;
    shop.orders.ship(admin, sent.id()).await.unwrap();
    shop.orders.deliver(admin, sent.id()).await.unwrap();
    let lost = CancelOrder { reason: Some("lost in the post".to_owned()) };
    shop.orders.cancel(admin, returned.id(), lost).await.unwrap();
    shop.cancel(&own, Some("changed my mind")).await.unwrap();
    assert_eq!(refusal(shop.orders.ship(admin, own.id()).await), "order_not_shippable");
    for done in [&returned, &own] {
        let too_late = CancelOrder { reason: Some("once more".to_owned()) };
        shop.orders.cancel(admin, done.id(), too_late).await.unwrap();
    }

    let sql = "SELECT action, subject_id, correlation_id, actor, reason FROM orders.operator_acts ORDER BY id";
    let acts = shop.owner.query(sql, &[]).await.unwrap();
    let told: Vec<(String, uuid::Uuid, Option<String>)> =
        acts.iter().map(|row| (row.get("action"), row.get("subject_id"), row.get("reason"))).collect();
    let is = |action: &str, id: events::OrderId, reason: Option<&str>| {
        (action.to_owned(), id.uuid(), reason.map(str::to_owned))
    };
    assert_eq!(
        told,
        [
            is("order.ship", sent.id(), None),
            is("order.deliver", sent.id(), None),
            is("order.cancel", returned.id(), Some("lost in the post")),
        ],
        "and neither what shoppers do to their own nor what changes nothing"
    );
    assert!(acts.iter().all(|row| row.get::<_, String>("actor") == admin.actor().unwrap()));
    let saga = shop.order(&sent).await.correlation_id.uuid();
    assert_eq!(acts[0].get::<_, Option<uuid::Uuid>>("correlation_id"), Some(saga), "found by the order");
}

#[tokio::test]
async fn ordinary_people_neither_ship_nor_deliver_nor_see_sagas() {
    let shop = Shop::open().await;
    let it = shop.order_in(OrderStatus::Confirmed).await;
    let owner = shop.user(it.0.user_id);
    assert_eq!(refusal(shop.orders.ship(&owner, it.id()).await), "forbidden");
    assert_eq!(refusal(shop.orders.deliver(&owner, it.id()).await), "forbidden");
    assert_eq!(refusal(shop.orders.saga(&owner, it.id().uuid()).await), "forbidden");
    assert_eq!(refusal(shop.orders.retry_saga(&owner, it.id().uuid()).await), "forbidden");
    assert_eq!(shop.status(&it).await, OrderStatus::Confirmed);
}

#[tokio::test]
async fn somebody_elses_order_does_not_exist_but_for_admins() {
    let shop = Shop::open().await;
    let it = shop.order_in(OrderStatus::CartValidated).await;
    let (owner, stranger) = (shop.user(it.0.user_id), shop.shopper());
    assert_eq!(refusal(shop.orders.order(&stranger, it.id()).await), "order_not_found");
    assert_eq!(refusal(shop.orders.timeline(&stranger, it.id()).await), "order_not_found");
    assert_eq!(refusal(shop.orders.cancel(&stranger, it.id(), Default::default()).await), "order_not_found");
    assert_eq!(shop.orders.order(&owner, it.id()).await.unwrap(), shop.order(&it).await);
    assert_eq!(shop.orders.timeline(&owner, it.id()).await.unwrap().len(), 2);
    let cancelled = shop.orders.cancel(&shop.admin, it.id(), Default::default()).await.unwrap();
    assert_eq!(cancelled.status, OrderStatus::Cancelling, "an admin may");
}

#[tokio::test]
async fn one_key_is_one_shipment() {
    let shop = Shop::open().await;
    let it = shop.order_in(OrderStatus::Confirmed).await;
    let keyed = with_key(&shop.admin, "ship-1");
    let shipped = shop.orders.ship(&keyed, it.id()).await.unwrap();
    shop.orders.deliver(&shop.admin, it.id()).await.unwrap();
    assert_eq!(shop.orders.ship(&keyed, it.id()).await.unwrap(), shipped, "the first answer again");
    assert_eq!(refusal(shop.orders.deliver(&keyed, it.id()).await), "idempotency_key_reused");
}

#[tokio::test]
async fn a_reason_is_not_a_novel() {
    let shop = Shop::open().await;
    let it = shop.order_in(OrderStatus::Pending).await;
    let error = shop.cancel(&it, Some(&"x".repeat(501))).await.unwrap_err();
    assert_eq!((error.code.as_ref(), error.fields[0].field.as_str()), ("validation_failed", "reason"));
    assert_eq!(shop.status(&it).await, OrderStatus::Pending);
    shop.cancel(&it, Some(&"ü".repeat(500))).await.unwrap();
}
