use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use events::{Draft, OrderId, StockRefusal, StockReleased, StockReservationFailed, StockReserved};
use products_client::{Precondition, Product, ProductsApi, UpdateProduct};
use testkit::{eventually, publish_to_postgres};

use crate::support::{Order, SOON, Shop, euros, stock};

#[tokio::test]
async fn a_hold_is_granted_and_sold() {
    let shop = Shop::listening(1).await;
    let (tea, coffee) = (shop.product("TEA", 5).await, shop.product("COF", 1).await);
    let order = Order::new();
    shop.tell(vec![order.placed(&[(&tea, 2), (&coffee, 1)])]).await;
    shop.settle().await;

    let said = shop.said::<StockReserved>().await;
    assert_eq!((said.len(), said[0].order_id, said[0].cart_id), (1, order.id, order.cart_id));
    let lines: BTreeMap<_, _> = said[0].lines.iter().map(|line| (line.product_id, line.quantity)).collect();
    assert_eq!(lines, BTreeMap::from([(tea.id, 2), (coffee.id, 1)]));
    let lasts = said[0].expires_at - chrono::Utc::now();
    assert!((55..=60).contains(&lasts.num_minutes()), "one hour by default: {lasts}");
    assert_eq!(shop.stock_of(tea.id).await, stock(3, 2, 0));
    assert_eq!(shop.products.product(&shop.anyone, tea.id).await.unwrap().stock_quantity, 3);

    shop.tell(vec![order.confirmed()]).await;
    shop.settle().await;
    assert_eq!(shop.stock_of(tea.id).await, stock(3, 0, 2));
    assert_eq!(shop.stock_of(coffee.id).await, stock(0, 0, 1));
    assert_eq!(shop.said::<StockReserved>().await.len(), 1);
}

#[tokio::test]
async fn an_answer_names_its_saga_and_its_cause() {
    let shop = Shop::listening(1).await;
    let tea = shop.product("TEA", 5).await;
    let order = Order::new();
    let (placed, release) = (order.placed(&[(&tea, 1)]), order.release());
    let causes = [placed.envelope.event_id, release.envelope.event_id];
    shop.tell(vec![placed]).await;
    shop.settle().await;
    shop.tell(vec![release]).await;
    shop.settle().await;
    let sql = "SELECT envelope->>'correlation_id' AS correlation_id, envelope->>'causation_id' AS cause,
            (envelope->>'aggregate_version')::bigint AS version, aggregate_id
        FROM catalog.events WHERE aggregate_type = 'order' ORDER BY event_id";
    let rows = shop.owner.query(sql, &[]).await.unwrap();
    assert_eq!(rows.len(), 2);
    for (row, (cause, version)) in rows.iter().zip(causes.iter().zip([1_i64, 2])) {
        assert_eq!(row.get::<_, String>("correlation_id"), order.correlation_id.to_string());
        assert_eq!(row.get::<_, String>("cause"), cause.to_string());
        assert_eq!((row.get::<_, i64>("version"), row.get::<_, OrderId>("aggregate_id")), (version, order.id));
    }
}

/// Tells it all at once, before anybody listens: one batch.
async fn in_one_batch(shop: &mut Shop, drafts: Vec<Draft>) {
    shop.tell(drafts).await;
    shop.listen(1);
    shop.settle().await;
}

#[tokio::test]
async fn eighty_buyers_twenty_units_twenty_orders() {
    let mut shop = Shop::quiet().await;
    let tea = shop.product("TEA", 20).await;
    let orders: Vec<Order> = (0..80).map(|_| Order::new()).collect();
    in_one_batch(&mut shop, orders.iter().map(|order| order.placed(&[(&tea, 1)])).collect()).await;
    assert_eq!(shop.said::<StockReserved>().await.len(), 20);
    let refused = shop.said::<StockReservationFailed>().await;
    assert_eq!(refused.len(), 60);
    assert!(refused.iter().all(|event| event.refusal == StockRefusal::OutOfStock));
    assert_eq!(shop.stock_of(tea.id).await, stock(0, 20, 0));
}

#[tokio::test]
async fn two_lines_of_one_product_add_up() {
    let mut shop = Shop::quiet().await;
    let tea = shop.product("TEA", 5).await;
    let (too_much, enough) = (Order::new(), Order::new());
    let drafts = vec![too_much.placed(&[(&tea, 3), (&tea, 3)]), enough.placed(&[(&tea, 3), (&tea, 2)])];
    in_one_batch(&mut shop, drafts).await;
    assert_eq!(shop.said::<StockReservationFailed>().await[0].order_id, too_much.id);
    assert_eq!(shop.said::<StockReserved>().await[0].order_id, enough.id);
    assert_eq!(shop.stock_of(tea.id).await, stock(0, 5, 0));
}

#[tokio::test]
async fn a_refusal_tells_why() {
    let mut shop = Shop::quiet().await;
    let (tea, coffee, gone) =
        (shop.product("TEA", 5).await, shop.product("COF", 0).await, shop.product("OLD", 5).await);
    let dearer = UpdateProduct { price: Some(euros("6.00")), ..Default::default() };
    shop.products.update_product(&shop.admin, tea.id, Precondition::Exists, dearer).await.unwrap();
    shop.products.delete_product(&shop.admin, gone.id).await.unwrap();
    let order = Order::new();
    in_one_batch(&mut shop, vec![order.placed(&[(&tea, 1), (&coffee, 1), (&gone, 1)])]).await;
    let said = shop.said::<StockReservationFailed>().await;
    let why: Vec<_> = said[0].lines.iter().map(|line| (line.product_id, line.refusal)).collect();
    let expected = [
        (tea.id, StockRefusal::PriceChanged),
        (coffee.id, StockRefusal::OutOfStock),
        (gone.id, StockRefusal::ProductUnavailable),
    ];
    assert_eq!((why.as_slice(), said[0].refusal), (&expected[..], StockRefusal::PriceChanged));
    assert_eq!(shop.stock_of(tea.id).await, stock(5, 0, 0));
}

#[tokio::test]
async fn a_release_gives_back_what_is_held_or_sold() {
    let shop = Shop::listening(1).await;
    let tea = shop.product("TEA", 5).await;
    let (held, sold) = (Order::new(), Order::new());
    shop.tell(vec![held.placed(&[(&tea, 2)]), sold.placed(&[(&tea, 3)])]).await;
    shop.settle().await;
    shop.tell(vec![sold.confirmed()]).await;
    shop.settle().await;
    assert_eq!(shop.stock_of(tea.id).await, stock(0, 2, 3));
    shop.tell(vec![held.release(), sold.release()]).await;
    shop.settle().await;
    assert_eq!(shop.stock_of(tea.id).await, stock(5, 0, 0));
    let said = shop.said::<StockReleased>().await;
    let back: BTreeMap<_, _> = said.iter().map(|event| (event.order_id, event.lines[0].quantity)).collect();
    assert_eq!(back, BTreeMap::from([(held.id, 2), (sold.id, 3)]));
    assert!(said.iter().all(|event| event.reservation_id.is_some()));
}

#[tokio::test]
async fn a_release_that_comes_first_leaves_a_tombstone() {
    let shop = Shop::listening(1).await;
    let tea = shop.product("TEA", 5).await;
    let order = Order::new();
    shop.tell(vec![order.release()]).await;
    shop.settle().await;
    let said = shop.said::<StockReleased>().await;
    assert_eq!((said[0].reservation_id, said[0].lines.len()), (None, 0));
    shop.tell(vec![order.placed(&[(&tea, 1)])]).await;
    shop.settle().await;
    assert_eq!(shop.said::<StockReserved>().await, []);
    assert_eq!(shop.stock_of(tea.id).await, stock(5, 0, 0));
}

#[tokio::test]
async fn one_batch_may_hold_an_order_and_its_release() {
    for release_first in [false, true] {
        let mut shop = Shop::quiet().await;
        let tea = shop.product("TEA", 5).await;
        let order = Order::new();
        let mut drafts = vec![order.placed(&[(&tea, 2)]), order.release(), Order::new().placed(&[(&tea, 5)])];
        if release_first {
            drafts.swap(0, 1);
        }
        in_one_batch(&mut shop, drafts).await;
        assert_eq!(shop.said::<StockReleased>().await.len(), 1);
        assert_eq!(shop.stock_of(tea.id).await, stock(0, 5, 0), "the next order gets it all");
    }
}

#[tokio::test]
async fn asked_again_is_answered_again_and_changes_nothing() {
    let shop = Shop::listening(1).await;
    let tea = shop.product("TEA", 5).await;
    let (granted, refused) = (Order::new(), Order::new());
    for _ in 0..2 {
        shop.tell(vec![granted.placed(&[(&tea, 2)]), refused.placed(&[(&tea, 9)])]).await;
        shop.settle().await;
    }
    let (reserved, failed) = (shop.said::<StockReserved>().await, shop.said::<StockReservationFailed>().await);
    assert_eq!((reserved.len(), failed.len()), (2, 2));
    assert_eq!((&reserved[0], &failed[0]), (&reserved[1], &failed[1]));
    assert_eq!(shop.stock_of(tea.id).await, stock(3, 2, 0));
    for _ in 0..2 {
        shop.tell(vec![granted.release(), refused.release()]).await;
        shop.settle().await;
    }
    let of = |order: Order, said: &[StockReleased]| -> Vec<StockReleased> {
        said.iter().filter(|event| event.order_id == order.id).cloned().collect()
    };
    let said = shop.said::<StockReleased>().await;
    for order in [granted, refused] {
        let [first, second] = &of(order, &said)[..] else { panic!("two answers: {said:?}") };
        assert_eq!(first, second);
    }
    assert_eq!(shop.stock_of(tea.id).await, stock(5, 0, 0));
}

#[tokio::test]
async fn one_event_a_hundred_times_is_applied_once() {
    let shop = Shop::listening(2).await;
    let tea = shop.product("TEA", 500).await;
    let order = Order::new();
    for draft in [order.placed(&[(&tea, 2)]), order.confirmed(), order.release()] {
        let body = serde_json::to_string(&draft.envelope).unwrap();
        for _ in 0..100 {
            let routed = publish_to_postgres(&shop.owner, draft.exchange.name(), draft.routing_key, &body).await;
            assert!(routed >= 1);
        }
        shop.settle().await;
    }
    assert_eq!(shop.said::<StockReserved>().await.len(), 1);
    assert_eq!(shop.said::<StockReleased>().await.len(), 1);
    assert_eq!(shop.stock_of(tea.id).await, stock(500, 0, 0));
}

#[tokio::test]
async fn a_confirmation_of_nothing_is_parked_alone() {
    let mut shop = Shop::quiet().await;
    let tea = shop.product("TEA", 5).await;
    let (healthy, odd) = (Order::new(), Order::new());
    shop.tell(vec![healthy.placed(&[(&tea, 1)]), odd.confirmed()]).await;
    shop.listen(1);
    shop.settle().await;
    assert_eq!(shop.said::<StockReserved>().await.len(), 1);
    assert_eq!(shop.dead().await, 1);
}

/// Orders of the same products in opposite orders, decided by three replicas at once.
#[tokio::test]
async fn replicas_neither_oversell_nor_block_each_other() {
    let shop = Shop::listening(3).await;
    let mut products: Vec<Product> = Vec::new();
    for n in 0..6 {
        products.push(shop.product(&n.to_string(), 40).await);
    }
    let orders: Vec<Order> = (0..300).map(|_| Order::new()).collect();
    for (n, chunk) in orders.chunks(10).enumerate() {
        let mut drafts = Vec::new();
        for (m, order) in chunk.iter().enumerate() {
            let mut lines: Vec<(&Product, u32)> = (0..3).map(|k| (&products[(n + m + k) % 6], 1)).collect();
            if m % 2 == 0 {
                lines.reverse();
            }
            drafts.push(order.placed(&lines));
            if m % 3 == 0 {
                drafts.push(order.release());
            }
        }
        shop.tell(drafts).await;
    }
    shop.settle().await;
    let (reserved, failed) = (shop.said::<StockReserved>().await, shop.said::<StockReservationFailed>().await);
    let answered = reserved.iter().map(|event| event.order_id).chain(failed.iter().map(|event| event.order_id));
    let answered: BTreeSet<OrderId> = answered.collect();
    assert_eq!(answered.len(), reserved.len() + failed.len(), "each order is answered once");
    let kept = orders.chunks(10).flat_map(|chunk| chunk.iter().enumerate()).filter(|(m, _)| m % 3 != 0);
    assert!(kept.map(|(_, order)| order.id).all(|id| answered.contains(&id)), "only a release silences an order");
    assert_eq!(shop.dead().await, 0);
    assert_eq!(shop.said::<StockReleased>().await.len(), 120);
    for product in &products {
        let stock = shop.stock_of(product.id).await;
        assert!(stock.available >= 0, "{stock:?}");
    }
}

/// Another replica has decided about the order, but not committed yet: ours waits, looks again, and yields.
#[tokio::test]
async fn an_order_that_another_replica_decides_is_left_to_it() {
    let shop = Shop::listening(1).await;
    let tea = shop.product("TEA", 5).await;
    let (contested, other) = (Order::new(), Order::new());
    let decided = "INSERT INTO catalog.order_holds (order_id, cart_id, status) VALUES ($1, $2, 'released')";
    shop.owner.batch_execute("BEGIN").await.unwrap();
    shop.owner.execute(decided, &[&contested.id, &contested.cart_id]).await.unwrap();

    shop.tell(vec![contested.placed(&[(&tea, 2)]), other.placed(&[(&tea, 1)])]).await;
    let observer = shop.db.owner().await;
    eventually(SOON, || async {
        let sql = "SELECT count(*) AS waiting FROM pg_locks l JOIN pg_stat_activity a USING (pid)
            WHERE NOT l.granted AND l.locktype = 'transactionid' AND a.datname = current_database()";
        let waiting: i64 = observer.query_one(sql, &[]).await.unwrap().get("waiting");
        if waiting > 0 { Ok(()) } else { Err("nobody waits".to_owned()) }
    })
    .await;
    shop.owner.batch_execute("COMMIT").await.unwrap();
    shop.settle().await;

    let reserved: Vec<OrderId> = shop.said::<StockReserved>().await.iter().map(|event| event.order_id).collect();
    assert_eq!(reserved, [other.id]);
    assert_eq!(shop.stock_of(tea.id).await, stock(4, 1, 0));
    assert_eq!(shop.dead().await, 0);
}

#[tokio::test]
async fn a_hold_past_its_time_is_reported_and_kept() {
    let mut shop = Shop::with(products::ProductsConfig {
        overdue_grace: Duration::ZERO,
        sweep_interval: Duration::from_millis(5),
        ..Default::default()
    })
    .await;
    let tea = shop.product("TEA", 5).await;
    let order = Order::new();
    in_one_batch(&mut shop, vec![order.placed(&[(&tea, 2)])]).await;
    let past = "UPDATE catalog.inventory_reservations SET expires_at = now() - interval '1 hour'";
    shop.owner.execute(past, &[]).await.unwrap();

    let rendered = service::telemetry::metrics();
    let shutdown = tokio_util::sync::CancellationToken::new();
    let sweeper = tokio::spawn(products::background(shop.products.clone(), shutdown.clone()));
    eventually(SOON, || async {
        let metrics = rendered.render();
        if metrics.contains("products_overdue_hold_lines 1") { Ok(()) } else { Err(metrics) }
    })
    .await;
    shutdown.cancel();
    sweeper.await.unwrap();
    assert_eq!(shop.stock_of(tea.id).await, stock(3, 2, 0), "only the saga gives it back");

    shop.tell(vec![order.release()]).await;
    shop.settle().await;
    assert_eq!(shop.stock_of(tea.id).await, stock(5, 0, 0));
    let sql = "SELECT status FROM catalog.inventory_reservations";
    assert_eq!(shop.owner.query_one(sql, &[]).await.unwrap().get::<_, &str>("status"), "expired");
}
