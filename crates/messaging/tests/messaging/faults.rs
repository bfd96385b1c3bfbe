//! What both transports promise when something dies, hangs or goes away.

use std::time::Duration;

use database::outbox;
use events::topology::Exchange;
use testkit::{FaultProxy, eventually};
use tokio::sync::Semaphore;

use crate::doomed::Doomed;
use crate::harness::{Harness, Kind, LIMIT, PRODUCTS, body, drafts, ids, orders};
use crate::probe::{Act, Probe};

async fn permit(semaphore: &Semaphore) {
    tokio::time::timeout(LIMIT, semaphore.acquire()).await.expect("in time").expect("open").forget();
}

pub async fn a_consumer_that_dies_half_way_leaves_its_messages_to_the_next(kind: Kind) {
    a_consumer_that_dies_half_way_in(Harness::new(kind).await, LIMIT).await;
}

pub async fn a_consumer_that_dies_half_way_in(shop: Harness, limit: Duration) {
    let batch = drafts(10);
    let _relay = shop.relay();
    let probe = Probe::with(Act::Apply, [(batch[5].envelope.event_id, Act::Pause)]);
    let doomed = Doomed::consumer(&shop, orders(), probe.clone());
    shop.record(&batch).await;
    permit(&probe.paused).await;
    doomed.kill();
    shop.fast_forward().await;
    let _orders = shop.consumer(orders(), Probe::new());
    shop.until_applied_within(limit, "orders", &ids(&batch)).await;
    shop.until_idle(&["orders"]).await;
    assert_eq!(shop.depth(orders()).await.dead, 0);
}

pub async fn shutdown_finishes_what_is_begun_and_leaves_the_rest_at_once(kind: Kind) {
    let shop = Harness::new(kind).await;
    let batch = drafts(3);
    let [poison, begun, rest] = [0, 1, 2].map(|index| batch[index].envelope.event_id);
    let relay = shop.relay();
    shop.record(&batch).await;
    shop.until_ready(orders(), 3).await;
    // The poison makes it go one by one; the second then pauses inside its transaction.
    let probe = Probe::with(Act::Apply, [(poison, Act::Reject), (begun, Act::Pause)]);
    let first = shop.consumer(orders(), probe.clone());
    permit(&probe.paused).await;
    let later = drafts(5);
    shop.record(&later).await;
    shop.until_sent().await;
    first.cancel();
    probe.resume.add_permits(1);
    first.ended().await;
    assert_eq!(shop.effects("orders", &[begun]).await, [1], "what was begun is finished");
    assert_eq!(shop.effects("orders", &ids(&later)).await, [0; 5], "and nothing else is begun");
    if kind != Kind::Rabbit {
        assert_eq!(shop.effects("orders", &[rest]).await, [0]); // there it may be of the same batch as `begun`
    }

    let second = shop.consumer(orders(), Probe::new());
    let rest = [&[begun, rest], &ids(&later)[..]].concat();
    tokio::time::timeout(Duration::from_secs(5), shop.until_applied("orders", &rest))
        .await
        .expect("the rest was given back: nobody waits for a lease to end");
    shop.until_idle(&["orders"]).await;
    second.stop().await;

    let last = drafts(5);
    shop.record(&last).await;
    relay.stop().await;
    let backlog = outbox::backlog(&shop.products.read().await.expect("connect")).await.expect("backlog");
    assert_eq!(backlog.pending, 0, "the relay empties what is there before it ends");
}

pub async fn what_is_committed_is_told_although_it_could_not_be_acknowledged(kind: Kind) {
    let shop = Harness::new(kind).await;
    let proxy = shop.proxy().await;
    let (receiver, receiving) = shop.through(&proxy, "orders");
    let one = drafts(1);
    let id = one[0].envelope.event_id;
    let probe = Probe::with(Act::Apply, [(id, Act::Pause)]);
    let _running = (shop.relay(), shop.consumer_of(orders(), probe.clone(), receiver, receiving));
    shop.record(&one).await;
    permit(&probe.paused).await;
    if !matches!(kind, Kind::SameDatabase | Kind::Straight) {
        proxy.cut(); // there it would cut the commit
    }
    probe.resume.add_permits(1);
    shop.until_applied("orders", &[id]).await;
    eventually(LIMIT, || async {
        match probe.committed(id) {
            0 => Err("not told".to_owned()),
            _ => Ok(()),
        }
    })
    .await;
    proxy.pass();
    shop.fast_forward().await;
    shop.until_idle(&["orders"]).await;
    assert_eq!(probe.committed(id), 1, "once");
}

pub async fn while_the_broker_is_away_events_wait_and_then_drain(kind: Kind) {
    let shop = Harness::new(kind).await;
    let proxy = shop.proxy().await;
    let (products, sending) = shop.through(&proxy, "products");
    let (receiver, receiving) = shop.through(&proxy, "orders");
    let _relay = shop.relay_of(products, sending);
    let _orders = shop.consumer_of(orders(), Probe::new(), receiver, receiving);
    let mut all = Vec::new();
    for round in 0..3 {
        let before = drafts(50);
        shop.record(&before).await;
        all.extend(ids(&before));
        if round > 0 {
            // Once at rest, and twice in the middle of it.
            eventually(LIMIT, || async {
                let applied: i64 = shop.effects("orders", &all).await.iter().sum();
                if applied > 0 { Ok(()) } else { Err("nothing yet".to_owned()) }
            })
            .await;
        } else {
            shop.until_applied("orders", &all).await;
        }
        proxy.cut();
        let during = drafts(100);
        for some in during.chunks(10) {
            shop.record(some).await;
        }
        assert_eq!(shop.effects("orders", &ids(&during)).await, [0; 100], "orders are accepted, events wait");
        all.extend(ids(&during));
        shop.until_tried_in_vain().await;
        proxy.pass();
        shop.fast_forward_leases().await;
    }
    shop.until_applied("orders", &all).await;
    shop.until_idle(&["orders"]).await;
    let depth = shop.depth(orders()).await;
    assert_eq!((depth.delayed, depth.dead), (0, 0), "an outage fills no dead-letter queue");
    let backlog = outbox::backlog(&shop.products.read().await.expect("connect")).await.expect("backlog");
    assert_eq!((backlog.pending, backlog.failed), (0, 0), "and fails no event");
}

pub async fn a_stall_in_the_middle_doubles_nothing(kind: Kind) {
    let shop = Harness::new(kind).await;
    let proxy = shop.proxy().await;
    let (receiver, receiving) = shop.through(&proxy, "orders");
    let _relay = shop.relay();
    let stalled = shop.consumer_of(orders(), Probe::new(), receiver, receiving);
    shop.warm_up().await;
    proxy.stall();
    let all = drafts(100);
    shop.record(&all).await;
    // Somebody else takes over, also what the stalled one holds.
    let other = shop.consumer(orders(), Probe::new());
    shop.fast_forward().await;
    proxy.pass();
    shop.until_applied("orders", &ids(&all)).await;
    shop.until_idle(&["orders"]).await;
    assert_eq!(shop.effects("orders", &ids(&all)).await, [1; 100]);
    stalled.stop().await;
    other.stop().await;
}

pub async fn a_paused_relay_doubles_nothing(kind: Kind) {
    let shop = Harness::new(kind).await;
    let proxy = shop.proxy().await;
    let (products, sending) = shop.through(&proxy, "products");
    let _orders = shop.consumer(orders(), Probe::new());
    let paused = shop.relay_of(products, sending);
    shop.warm_up().await;
    proxy.stall();
    let all = drafts(100);
    shop.record(&all).await;
    shop.until_claimed().await;
    // Its leases run out; another relay sends the same rows, and then the first one wakes.
    shop.fast_forward_leases().await;
    let successor = shop.relay();
    shop.until_applied("orders", &ids(&all)).await;
    let later = drafts(50);
    shop.record(&later).await;
    proxy.pass();
    shop.until_applied("orders", &ids(&later)).await;
    shop.until_idle(&["orders"]).await;
    assert_eq!(shop.effects("orders", &ids(&all)).await, [1; 100]);
    paused.stop().await;
    successor.stop().await;
}

/// Numbers are given when something is written: whoever has the lower ones may commit after many others.
pub async fn what_commits_late_is_applied_like_all_the_rest(kind: Kind) {
    let shop = Harness::new(kind).await;
    let _running = (shop.relay(), shop.consumer(orders(), Probe::new()));
    let early = drafts(3);
    let late = shop.record_and_wait(shop.products.clone(), &early, "").await;
    for _ in 0..3 {
        let others = drafts(20);
        shop.record(&others).await;
        shop.until_applied("orders", &ids(&others)).await;
    }
    assert_eq!(shop.effects("orders", &ids(&early)).await, [0; 3]);
    late.commit().await;
    shop.until_applied("orders", &ids(&early)).await;
    shop.until_idle(&["orders"]).await;
}

/// One replica handles a message while another receives a copy of it.
pub async fn two_copies_at_once_in_two_replicas_are_one_effect(kind: Kind) {
    let shop = Harness::new(kind).await;
    let one = drafts(1);
    let id = one[0].envelope.event_id;
    let first = Probe::with(Act::Apply, [(id, Act::Pause)]);
    let _first = shop.consumer(orders(), first.clone());
    shop.until_declared().await;
    shop.publish_raw(Exchange::Products, PRODUCTS, &[body(&one[0])]).await;
    permit(&first.paused).await;
    let second = Probe::new();
    let _second = shop.consumer(orders(), second.clone());
    eventually(LIMIT, || async {
        // Whoever is busy gets its share of copies, too.
        shop.publish_raw(Exchange::Products, PRODUCTS, &[body(&one[0])]).await;
        let sql = "SELECT count(*) AS waiting FROM pg_stat_activity
                   WHERE datname = current_database() AND wait_event_type = 'Lock'";
        match shop.owner.query_one(sql, &[]).await.expect("look").get::<_, i64>("waiting") {
            0 => Err("nobody waits for the one who handles it".to_owned()),
            _ => Ok(()),
        }
    })
    .await;
    first.resume.add_permits(1);
    shop.until_empty(orders()).await;
    shop.until_applied("orders", &[id]).await;
    assert_eq!((first.attempts(id), second.attempts(id)), (1, 0), "a copy does not even reach the handler");
    assert_eq!(shop.depth(orders()).await.dead, 0);
}

/// So often somebody asks for the database that is away: far more often than a message is tried before it has to wait.
const IN_VAIN: usize = 6;

pub async fn while_its_database_is_away_a_consumer_parks_nothing(kind: Kind) {
    let shop = Harness::new(kind).await;
    let proxy = FaultProxy::of_url(shop.db.owner_url()).await;
    let database = shop.db.database_through(&proxy, "orders", "orders");
    let transport = shop.transport(&database, "orders");
    let _running = (shop.relay(), shop.consumer_of(orders(), Probe::new(), database, transport));
    let mut all = drafts(5);
    shop.record(&all).await;
    shop.until_applied("orders", &ids(&all)).await;
    proxy.cut();
    let during = drafts(50);
    let before = proxy.connections();
    shop.record(&during).await;
    shop.until_sent().await;
    eventually(LIMIT, || async {
        match proxy.connections() - before {
            IN_VAIN.. => Ok(()),
            few => Err(format!("asked {few} times")),
        }
    })
    .await;
    let depth = shop.depth(orders()).await;
    assert_eq!((depth.delayed, depth.dead), (0, 0), "it is no message's fault");
    proxy.pass();
    all.extend(during);
    shop.until_applied("orders", &ids(&all)).await;
    shop.until_idle(&["orders"]).await;
}
