//! What both transports promise while all is well around them.

use std::time::{Duration, Instant};

use database::outbox::{self, MAX_ATTEMPTS};
use events::topology::Exchange;
use events::{Draft, Envelope};
use messaging::{Tap, Tapped};
use testkit::eventually;

use crate::harness::{Harness, Kind, LIMIT, PRODUCTS, body, draft, drafts, ids, orders, queue};
use crate::probe::{Act, Probe};

pub async fn events_are_consumed_once(kind: Kind) {
    let shop = Harness::new(kind).await;
    let probe = Probe::new();
    let before = drafts(300);
    shop.record(&before).await;
    let (relay, orders) = (shop.relay(), shop.consumer(orders(), probe.clone()));
    let cart = shop.consumer(queue("cart", Exchange::Products), Probe::new());
    let mut all = ids(&before);
    for _ in 0..50 {
        let some = drafts(3);
        shop.record(&some).await;
        all.extend(ids(&some));
    }
    shop.until_applied("orders", &all).await;
    shop.until_applied("cart", &all).await;
    shop.until_idle(&["orders", "cart"]).await;
    assert!(probe.largest_batch() > 50, "under load there are batches: {}", probe.largest_batch());
    for running in [relay, orders, cart] {
        running.stop().await;
    }
    let backlog = outbox::backlog(&shop.products.read().await.expect("connect")).await.expect("backlog");
    assert_eq!((backlog.pending, backlog.failed), (0, 0));
}

pub async fn an_event_arrives_without_waiting_for_a_sweep(kind: Kind) {
    let shop = Harness::new(kind).await;
    let (_relay, _orders) = (shop.relay(), shop.consumer(orders(), Probe::new()));
    shop.warm_up().await;
    shop.is_told_at_once().await;
}

pub async fn duplicates_change_nothing(kind: Kind) {
    duplicates_change_nothing_in(Harness::new(kind).await).await;
}

pub async fn duplicates_change_nothing_in(shop: Harness) {
    let some = drafts(20);
    let probe = Probe::new();
    let _orders = shop.consumer(orders(), probe.clone());
    shop.until_declared().await;
    let bodies: Vec<String> = some.iter().map(body).collect();
    for _ in 0..3 {
        // Copies in one batch, and copies that come after the first is committed.
        shop.publish_raw(Exchange::Products, PRODUCTS, &[&bodies[..], &bodies[..]].concat()).await;
        shop.until_applied("orders", &ids(&some)).await;
    }
    shop.publish_raw(Exchange::Products, PRODUCTS, &vec![body(&some[0]); 100]).await;
    shop.until_empty(orders()).await;
    shop.until_applied("orders", &ids(&some)).await;
    assert!(ids(&some).iter().all(|id| probe.attempts(*id) == 1), "a duplicate does not even reach the handler");
    assert_eq!(shop.depth(orders()).await.dead, 0);
}

pub async fn of_a_batch_with_one_poison_message_only_that_is_parked(kind: Kind) {
    let shop = Harness::new(kind).await;
    let batch = drafts(50);
    let poison = batch[20].envelope.event_id;
    let healthy: Vec<_> = ids(&batch).into_iter().filter(|id| *id != poison).collect();
    shop.record(&batch).await;
    let _relay = shop.relay();
    let _orders = shop.consumer(orders(), Probe::with(Act::Apply, [(poison, Act::Reject)]));
    shop.until_applied("orders", &healthy).await;
    let dead = shop.until_dead(orders(), 1).await;
    assert_eq!(dead, [(body(&batch[20]), format!("{poison} is poison"))]);
    shop.until_idle(&["orders"]).await;
    assert_eq!(shop.effects("orders", &[poison]).await, [0]);
    let sql = "SELECT count(*) AS records FROM orders.idempotency_records WHERE event_id = $1";
    let records: i64 = shop.owner.query_one(sql, &[&poison]).await.expect("count").get("records");
    assert_eq!(records, 0, "a failure is never recorded as processed");
}

pub async fn of_a_thousand_messages_every_hundredth_is_parked(kind: Kind) {
    let shop = Harness::new(kind).await;
    let all = drafts(1_000);
    let (poison, healthy): (Vec<_>, Vec<_>) = all.iter().enumerate().partition(|(index, _)| index % 100 == 50);
    let [poison, healthy] = [poison, healthy].map(|some| some.into_iter().map(|(_, draft)| draft).collect::<Vec<_>>());
    let ids = |some: &[&Draft]| some.iter().map(|draft| draft.envelope.event_id).collect::<Vec<_>>();
    for some in all.chunks(200) {
        shop.record(some).await;
    }
    let _relay = shop.relay();
    let acts = ids(&poison).into_iter().map(|id| (id, Act::Reject));
    let _orders = shop.consumer(orders(), Probe::with(Act::Apply, acts));
    shop.until_applied("orders", &ids(&healthy)).await;
    let mut parked: Vec<String> = shop.until_dead(orders(), 10).await.into_iter().map(|(body, _)| body).collect();
    let mut expected: Vec<String> = poison.iter().map(|draft| body(draft)).collect();
    parked.sort();
    expected.sort();
    assert_eq!(parked, expected);
    shop.until_idle(&["orders"]).await;
    assert_eq!(shop.effects("orders", &ids(&healthy)).await, vec![1; 990]);
    assert_eq!(shop.effects("orders", &ids(&poison)).await, [0; 10]);
    assert_eq!(shop.depth(orders()).await.dead, 10);
}

pub async fn what_cannot_be_read_is_parked_and_the_rest_passes(kind: Kind) {
    let shop = Harness::new(kind).await;
    let exchanges = [
        (Exchange::Products, "product.stock_released"),
        (Exchange::Cart, "cart.checkout_initiated"),
        (Exchange::Orders, "order.placed"),
        (Exchange::Payments, "payment.processed"),
    ];
    let _consumers = exchanges.map(|(exchange, _)| shop.consumer(queue("analytics", exchange), Probe::new()));
    shop.until_declared().await;
    let healthy = draft();
    for (exchange, key) in exchanges {
        let mut unknown = draft().envelope;
        unknown.event_type = "SomethingElse".to_owned();
        let mut newer = healthy.envelope.clone();
        newer.version = "99".to_owned();
        // Known, but not as an event of this exchange; only products' own is healthy.
        let own = if exchange == Exchange::Products { vec![body(&healthy)] } else { vec![] };
        let named = |event_type: &str| {
            let envelope = Envelope { event_type: event_type.to_owned(), ..draft().envelope };
            serde_json::to_string(&envelope).expect("JSON")
        };
        let mut poison = vec![
            "{ not json".to_owned(),
            "{}".to_owned(),
            serde_json::to_string(&unknown).expect("JSON"),
            serde_json::to_string(&newer).expect("JSON"),
            // The reason quotes these, and no text of PostgreSQL's holds a NUL.
            named("a\0b"),
            named(&"é".repeat(50_000)),
        ];
        if kind == Kind::Rabbit {
            poison.push(named("a").replace("\"a\"", "\"a\0b\""));
        }
        shop.publish_raw(exchange, key, &[&poison[..2], &own[..], &poison[2..]].concat()).await;
        let dead = shop.until_dead(queue("analytics", exchange), poison.len()).await;
        let mut bodies: Vec<&String> = dead.iter().map(|(body, _)| body).collect();
        bodies.sort();
        let mut expected: Vec<&String> = poison.iter().collect();
        expected.sort();
        assert_eq!(bodies, expected, "{exchange}");
        let reason = |needle: &str| dead.iter().filter(|(_, reason)| reason.contains(needle)).count();
        let malformed = if kind == Kind::Rabbit { 3 } else { 2 };
        assert_eq!((reason("malformed envelope"), reason("SomethingElse")), (malformed, 1), "{exchange}: {dead:?}");
        assert_eq!((reason("`a\u{fffd}b`"), reason("`ééé")), (1, 1), "{exchange}: {dead:?}");
        assert!(dead.iter().all(|(_, reason)| reason.len() <= 2_000), "{exchange}");
        if exchange == Exchange::Products {
            assert_eq!(reason("unknown version `99`"), 1, "{dead:?}");
        }
    }
    shop.until_applied("analytics", &[healthy.envelope.event_id]).await;
    for (exchange, _) in exchanges {
        let depth = shop.depth(queue("analytics", exchange)).await;
        let parked = if kind == Kind::Rabbit { 7 } else { 6 };
        assert_eq!((depth.ready, depth.delayed, depth.dead), (0, 0, parked), "{exchange}");
    }
    assert_eq!(shop.depth(orders()).await.dead, 0, "in that consumer's dead letters alone");
}

pub async fn a_retry_comes_later_and_holds_up_nobody(kind: Kind) {
    let shop = Harness::new(kind).await;
    let batch = drafts(20);
    let late = batch[0].envelope.event_id;
    let rest = ids(&batch[1..]);
    shop.record(&batch).await;
    let probe = Probe::with(Act::Apply, [(late, Act::Retry(1 + 1))]); // in the batch, then alone
    let begun = Instant::now();
    let _running = (shop.relay(), shop.consumer(orders(), probe.clone()));
    shop.until_applied("orders", &rest).await;
    shop.until_applied("orders", &[late]).await;
    assert!(begun.elapsed() >= Duration::from_secs(1), "the first tier is a second: {:?}", begun.elapsed());
    assert_eq!(shop.applied_last("orders").await, late, "it waits while the others pass");
    assert_eq!(probe.attempts(late), 3);
    assert_eq!(shop.depth(orders()).await.dead, 0);
}

pub async fn after_the_last_tier_a_message_is_parked(kind: Kind) {
    let shop = Harness::new(kind).await;
    let one = drafts(1);
    let id = one[0].envelope.event_id;
    shop.record(&one).await;
    let probe = Probe::with(Act::Retry(usize::MAX), []);
    let _running = (shop.relay(), shop.consumer(orders(), probe.clone()));
    let dead = eventually(LIMIT, || async {
        shop.fast_forward().await;
        let dead = shop.dead_letters(orders()).await;
        if dead.is_empty() { Err(format!("{} attempts", probe.attempts(id))) } else { Ok(dead) }
    })
    .await;
    assert_eq!(dead, [(body(&one[0]), format!("{id} is not ready"))]);
    // Each delivery is tried in its batch and then alone: four deliveries, of which three were retries.
    assert_eq!(probe.attempts(id), 2 * 4);
    assert_eq!(shop.effects("orders", &[id]).await, [0]);
}

pub async fn a_panic_is_an_attempt(kind: Kind) {
    it_is_an_attempt(kind, Act::Panic).await;
}

pub async fn a_statement_that_takes_too_long_is_an_attempt(kind: Kind) {
    it_is_an_attempt(kind, Act::Dawdle).await;
}

async fn it_is_an_attempt(kind: Kind, act: Act) {
    let shop = Harness::new(kind).await;
    let batch = drafts(5);
    let bug = batch[2].envelope.event_id;
    let rest: Vec<_> = ids(&batch).into_iter().filter(|id| *id != bug).collect();
    shop.record(&batch).await;
    let _running = (shop.relay(), shop.consumer(orders(), Probe::with(Act::Apply, [(bug, act)])));
    shop.until_applied("orders", &rest).await;
    eventually(LIMIT, || async {
        let depth = shop.depth(orders()).await;
        if depth.delayed == 1 { Ok(()) } else { Err(format!("{depth:?}")) }
    })
    .await;
    assert_eq!(shop.effects("orders", &[bug]).await, [0]);
}

pub async fn an_unroutable_event_is_never_taken_for_sent(kind: Kind) {
    let shop = Harness::new(kind).await;
    let mut batch = drafts(10);
    batch[4].routing_key = "nobody.wants.this";
    let lost = batch[4].envelope.event_id;
    let rest: Vec<_> = ids(&batch).into_iter().filter(|id| *id != lost).collect();
    shop.record(&batch).await;
    let _running = (shop.relay(), shop.consumer(orders(), Probe::new()));
    shop.until_applied("orders", &rest).await;
    eventually(LIMIT, || async {
        shop.owner
            .execute("UPDATE catalog.outbox SET next_attempt_at = now() WHERE lease IS NULL", &[])
            .await
            .expect("fast forward");
        shop.products.outbox_nudge().notify_one();
        let row = shop
            .owner
            .query_one("SELECT attempts, last_error, failed_at IS NOT NULL AS failed FROM catalog.outbox", &[])
            .await
            .map_err(|error| error.to_string())?;
        let (attempts, error) = (row.get::<_, i32>("attempts"), row.get::<_, Option<String>>("last_error"));
        if !row.get::<_, bool>("failed") {
            return Err(format!("{attempts} attempts"));
        }
        assert_eq!(attempts, MAX_ATTEMPTS);
        assert!(error.as_deref().is_some_and(|error| error.to_lowercase().contains("unroutable")), "{error:?}");
        Ok(())
    })
    .await;
    let backlog = outbox::backlog(&shop.products.read().await.expect("connect")).await.expect("backlog");
    assert_eq!((backlog.pending, backlog.failed), (0, 1), "visible");
}

pub async fn two_consumers_share_a_queue_without_double_effects(kind: Kind) {
    let shop = Harness::new(kind).await;
    let all = drafts(600);
    for some in all.chunks(20) {
        shop.record(some).await;
    }
    let _relays = (shop.relay(), shop.relay());
    let _consumers = [(); 3].map(|()| shop.consumer(orders(), Probe::new()));
    shop.until_applied("orders", &ids(&all)).await;
    shop.until_idle(&["orders"]).await;
    assert_eq!(shop.effects("orders", &ids(&all)).await, vec![1; all.len()]);
}

async fn next(tap: &mut Tap) -> Tapped {
    tokio::time::timeout(LIMIT, tap.next()).await.expect("the tap tells something")
}

pub async fn a_tap_tells_events_and_gaps(kind: Kind) {
    let shop = Harness::new(kind).await;
    let proxy = shop.proxy().await;
    let mut tap = shop.gateway_transport(&proxy).tap(&[Exchange::Products]).await;
    let mut other = shop.gateway_transport(&proxy).tap(&[Exchange::Orders]).await;
    assert!(matches!(next(&mut tap).await, Tapped::Gap), "what happened before is not told");
    assert!(matches!(next(&mut other).await, Tapped::Gap));
    let _relay = shop.relay();
    for _ in 0..3 {
        let one = drafts(1);
        shop.record(&one).await;
        // Whoever waits for several things drops `next` again and again.
        let told = loop {
            if let Ok(told) = tokio::time::timeout(Duration::from_millis(1), tap.next()).await {
                break told;
            }
        };
        assert!(matches!(&told, Tapped::Event(event) if event.event_id == one[0].envelope.event_id), "{told:?}");
    }
    proxy.cut();
    let missed = drafts(1);
    shop.record(&missed).await;
    shop.until_sent().await;
    assert!(tokio::time::timeout(Duration::from_millis(300), tap.next()).await.is_err(), "cut off");
    proxy.pass();
    match next(&mut tap).await {
        Tapped::Gap => {}
        Tapped::Event(event) => assert_eq!(event.event_id, missed[0].envelope.event_id, "told late, but told"),
    }
    let after = drafts(1);
    shop.record(&after).await;
    loop {
        match next(&mut tap).await {
            Tapped::Event(event) if event.event_id == after[0].envelope.event_id => break,
            Tapped::Event(_) | Tapped::Gap => {}
        }
    }
    if let Ok(told) = tokio::time::timeout(Duration::from_millis(1), other.next()).await {
        assert!(matches!(told, Tapped::Gap), "of other exchanges it tells nothing but gaps: {told:?}");
    }
}

pub async fn the_depths_tell_what_waits_where(kind: Kind) {
    let shop = Harness::new(kind).await;
    let batch = drafts(4);
    let [poison, late] = [batch[0].envelope.event_id, batch[1].envelope.event_id];
    let relay = shop.relay();
    shop.record(&batch).await;
    shop.until_ready(orders(), 4).await;
    relay.stop().await;
    let probe = Probe::with(Act::Apply, [(poison, Act::Reject), (late, Act::Retry(usize::MAX))]);
    let _orders = shop.consumer(orders(), probe);
    eventually(LIMIT, || async {
        let depth = shop.depth(orders()).await;
        assert_eq!(depth.service, "orders");
        if (depth.ready, depth.delayed, depth.dead) == (0, 1, 1) { Ok(()) } else { Err(format!("{depth:?}")) }
    })
    .await;
}
