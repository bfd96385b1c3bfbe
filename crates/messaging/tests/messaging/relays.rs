//! Relays that publish under a lease: stalled for longer than it, and killed before they could delete.

use std::collections::HashSet;
use std::time::Duration;

use database::outbox;
use testkit::eventually;
use uuid::Uuid;

use crate::doomed::Doomed;
use crate::harness::{Harness, Kind, LIMIT, drafts, ids, orders, record_in};
use crate::probe::Probe;

#[tokio::test]
async fn five_relays_stalled_beyond_their_leases_double_and_delete_nothing_over_postgres() {
    five_relays_stalled_beyond_their_leases(Kind::Apart).await;
}

#[tokio::test]
async fn five_relays_stalled_beyond_their_leases_double_and_delete_nothing_over_rabbitmq() {
    five_relays_stalled_beyond_their_leases(Kind::Rabbit).await;
}

async fn five_relays_stalled_beyond_their_leases(kind: Kind) {
    let shop = Harness::new(kind).await;
    let all = drafts(200);
    shop.record(&all).await;
    let (mut relays, mut proxies, mut leases) = (Vec::new(), Vec::new(), HashSet::new());
    for _ in 0..5 {
        let proxy = shop.proxy().await;
        let (products, sending) = shop.through(&proxy, "products");
        sending.check().await.expect("connect");
        proxy.stall();
        // The lease of the one before is over, and it does not know.
        end_leases(&shop).await;
        products.outbox_nudge().notify_one();
        relays.push(shop.relay_of(products, sending));
        proxies.push(proxy);
        let lease = eventually(LIMIT, || async {
            holder(&shop).await.filter(|lease| !leases.contains(lease)).ok_or("nobody new has a lease".to_owned())
        })
        .await;
        leases.insert(lease);
    }
    let mine = Uuid::new_v4();
    claim_all(&shop, mine, all.len()).await;
    for proxy in &proxies {
        proxy.pass();
    }
    for relay in relays {
        relay.stop().await;
    }
    assert_eq!(leased(&shop, mine).await, 200, "none deletes or puts back what another leases");

    end_leases(&shop).await;
    let successor = shop.relay();
    let consumer = shop.consumer(orders(), Probe::new());
    shop.until_applied("orders", &ids(&all)).await;
    shop.until_idle(&["orders"]).await;
    assert_eq!(shop.effects("orders", &ids(&all)).await, [1; 200]);
    successor.stop().await;
    consumer.stop().await;
}

#[tokio::test]
async fn a_relay_killed_between_confirm_and_delete_is_followed_by_one_that_sends_again_over_postgres() {
    a_relay_killed_between_confirm_and_delete(Kind::Apart).await;
}

#[tokio::test]
async fn a_relay_killed_between_confirm_and_delete_is_followed_by_one_that_sends_again_over_rabbitmq() {
    a_relay_killed_between_confirm_and_delete(Kind::Rabbit).await;
}

async fn a_relay_killed_between_confirm_and_delete(kind: Kind) {
    let shop = Harness::new(kind).await;
    shop.owner
        .batch_execute(
            "CREATE FUNCTION catalog.wait_at_the_door() RETURNS trigger LANGUAGE plpgsql AS
                 'BEGIN PERFORM pg_advisory_xact_lock_shared(1); RETURN NULL; END';
             CREATE TRIGGER door BEFORE DELETE ON catalog.outbox EXECUTE FUNCTION catalog.wait_at_the_door();
             SELECT pg_advisory_lock(1)",
        )
        .await
        .expect("hold up whoever deletes");
    let all = drafts(10);
    shop.record(&all).await;
    let doomed = Doomed::relay(&shop);
    let deleting = eventually(LIMIT, || async {
        let sql = "SELECT pid FROM pg_locks JOIN pg_database d ON d.oid = database
                   WHERE locktype = 'advisory' AND NOT granted AND datname = current_database()";
        let row = shop.owner.query_opt(sql, &[]).await.expect("look");
        row.map(|row| row.get::<_, i32>("pid")).ok_or("nobody deletes".to_owned())
    })
    .await;
    doomed.kill();
    shop.owner.execute("SELECT pg_terminate_backend($1, 60000)", &[&deleting]).await.expect("end its statement");
    shop.owner
        .batch_execute("SELECT pg_advisory_unlock(1); DROP TRIGGER door ON catalog.outbox")
        .await
        .expect("open the door");
    shop.until_ready(orders(), 10).await;
    assert!(holder(&shop).await.is_some(), "what was sent and not deleted stays leased");

    end_leases(&shop).await;
    let _successor = shop.relay();
    shop.until_sent().await;
    shop.until_ready(orders(), 20).await;
    let _orders = shop.consumer(orders(), Probe::new());
    shop.until_applied("orders", &ids(&all)).await;
    shop.until_idle(&["orders"]).await;
    assert_eq!(shop.effects("orders", &ids(&all)).await, [1; 10]);
}

#[tokio::test]
async fn what_commits_late_is_sent_however_far_the_relay_has_come_in_one_database() {
    what_commits_late_is_sent_however_far_the_relay_has_come(Kind::SameDatabase).await;
}

#[tokio::test]
async fn what_commits_late_is_sent_however_far_the_relay_has_come_over_postgres() {
    what_commits_late_is_sent_however_far_the_relay_has_come(Kind::Apart).await;
}

#[tokio::test]
async fn what_commits_late_is_sent_however_far_the_relay_has_come_over_rabbitmq() {
    what_commits_late_is_sent_however_far_the_relay_has_come(Kind::Rabbit).await;
}

/// Twice what a relay carries at once: it goes on from where the first half ended, far beyond what commits late.
const BACKLOG: usize = 400;

async fn what_commits_late_is_sent_however_far_the_relay_has_come(kind: Kind) {
    let shop = Harness::new(kind).await;
    let _orders = shop.consumer(orders(), Probe::new());
    shop.until_declared().await;
    // Another process, without a relay: whoever finds what it records has looked for it.
    let elsewhere = shop.db.database("products", "catalog");
    let (late, backlog) = (drafts(1), drafts(BACKLOG));
    let for_a_minute = "UPDATE outbox SET next_attempt_at = now() - interval '1 minute'";
    let open = shop.record_and_wait(elsewhere.clone(), &late, for_a_minute).await;
    record_in(&elsewhere, &backlog).await;
    let _relay = shop.relay();
    shop.until_applied("orders", &ids(&backlog)).await;
    assert_eq!(shop.effects("orders", &ids(&late)).await, [0]);
    open.commit().await;
    shop.until_applied("orders", &ids(&late)).await;
    shop.until_idle(&["orders"]).await;
}

#[tokio::test]
async fn what_a_process_recorded_and_did_not_send_is_sent_by_another_over_postgres() {
    what_a_process_recorded_and_did_not_send(Kind::Apart).await;
}

#[tokio::test]
async fn what_a_process_recorded_and_did_not_send_is_sent_by_another_over_rabbitmq() {
    what_a_process_recorded_and_did_not_send(Kind::Rabbit).await;
}

async fn what_a_process_recorded_and_did_not_send(kind: Kind) {
    let shop = Harness::new(kind).await;
    let all = drafts(20);
    let fresh = shop.products.fresh_events();
    shop.record(&all).await;
    assert_eq!(holder(&shop).await, Some(fresh.lease()), "its own from birth");
    drop(fresh);

    // Nobody ends the lease: it ends by itself.
    let _successor = shop.relay();
    let _orders = shop.consumer(orders(), Probe::new());
    shop.until_applied("orders", &ids(&all)).await;
    shop.until_idle(&["orders"]).await;
    assert_eq!(shop.effects("orders", &ids(&all)).await, [1; 20]);
}

async fn end_leases(shop: &Harness) {
    shop.owner.execute("UPDATE catalog.outbox SET next_attempt_at = now()", &[]).await.expect("end the leases");
}

/// The lease of the first row.
async fn holder(shop: &Harness) -> Option<Uuid> {
    let sql = "SELECT lease FROM catalog.outbox ORDER BY event_id LIMIT 1";
    shop.owner.query_one(sql, &[]).await.expect("read the lease").get("lease")
}

async fn leased(shop: &Harness, lease: Uuid) -> i64 {
    let sql = "SELECT count(*) AS leased FROM catalog.outbox WHERE lease = $1";
    shop.owner.query_one(sql, &[&lease]).await.expect("count").get("leased")
}

/// Takes every row's lease for the test, for longer than any test takes.
async fn claim_all(shop: &Harness, lease: Uuid, rows: usize) {
    eventually(LIMIT, || async {
        end_leases(shop).await;
        let db = shop.products.read().await.expect("connect");
        let claimed = outbox::claim(&db, 200, lease, Duration::from_secs(3_600), None).await.expect("claim").claimed;
        if claimed.len() == rows { Ok(()) } else { Err(format!("{} of {rows} claimed", claimed.len())) }
    })
    .await;
}
