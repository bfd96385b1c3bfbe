//! Events that go to a relay of their own process, and whose rows are leased to it from birth.

use std::sync::Arc;

use database::outbox::{self, Recorded};
use database::{Connection, Database, Error, FreshEvents};
use events::EventId;
use futures_util::FutureExt;
use testkit::TestDatabase;
use tokio::sync::Mutex;

use crate::outbox::{claim, draft, make_due, products, record};

async fn with_relay() -> (TestDatabase, Database, FreshEvents) {
    let (db, database) = products().await;
    let fresh = database.fresh_events();
    (db, database, fresh)
}

/// What is there without waiting.
fn handed_over(fresh: &mut FreshEvents) -> Vec<Recorded> {
    fresh.next(200).now_or_never().unwrap_or_default()
}

fn ids(events: &[Recorded]) -> Vec<EventId> {
    events.iter().map(|event| event.event_id).collect()
}

async fn pending(db: &Connection) -> i64 {
    outbox::backlog(db).await.expect("backlog").pending
}

#[tokio::test]
async fn what_is_recorded_is_handed_over_byte_for_byte_and_nobody_else_claims_it() {
    let (_db, database, mut fresh) = with_relay().await;
    let drafts = [draft(), draft()];
    let bodies = drafts.each_ref().map(|draft| serde_json::to_string(&draft.envelope).expect("JSON"));
    let recorded: Result<(), Error> =
        database.write(move |tx| Box::pin(async move { outbox::record(tx, &drafts).await })).await;
    recorded.expect("record");

    let events = handed_over(&mut fresh);
    assert_eq!(events.iter().map(|event| event.body.as_str()).collect::<Vec<_>>(), bodies);
    assert_eq!(events[0].exchange, "products.events");
    assert_eq!(events[0].routing_key, "product.stock_released");
    let connection = database.read().await.expect("connect");
    assert!(claim(&connection, 10).await.1.is_empty(), "leased from birth");
    assert_eq!(outbox::sent(&connection, &ids(&events), fresh.lease()).await.expect("delete"), 2);
    assert!(handed_over(&mut fresh).is_empty(), "handed over once");
}

#[tokio::test]
async fn nothing_is_handed_over_before_its_commit() {
    let (_db, database, fresh) = with_relay().await;
    let fresh = Arc::new(Mutex::new(fresh));
    let relay = Arc::clone(&fresh);
    let early: Result<Vec<Recorded>, Error> = database
        .write(move |tx| {
            Box::pin(async move {
                outbox::record(tx, &[draft()]).await?;
                Ok(handed_over(&mut *relay.lock().await))
            })
        })
        .await;
    assert_eq!(early.expect("record"), []);
    assert_eq!(handed_over(&mut *fresh.lock().await).len(), 1);
}

#[tokio::test]
async fn nothing_is_handed_over_of_a_transaction_that_failed() {
    let (_db, database, mut fresh) = with_relay().await;
    let failed: Result<(), Error> = database
        .write(|tx| {
            Box::pin(async move {
                outbox::record(tx, &[draft()]).await?;
                Err(Error::Panicked)
            })
        })
        .await;
    assert!(failed.is_err());
    assert_eq!(handed_over(&mut fresh), []);
}

#[tokio::test]
async fn nothing_is_handed_over_of_what_went_back_to_a_savepoint() {
    let (_db, database, mut fresh) = with_relay().await;
    let kept = draft();
    let id = kept.envelope.event_id;
    let recorded: Result<(), Error> = database
        .write(move |tx| {
            Box::pin(async move {
                tx.batch_execute("SAVEPOINT effect").await?;
                outbox::record(tx, &[draft()]).await?;
                tx.roll_back_to("effect").await?;
                outbox::record(tx, &[kept]).await
            })
        })
        .await;
    recorded.expect("record");
    assert_eq!(ids(&handed_over(&mut fresh)), [id]);
}

#[tokio::test]
async fn what_is_released_is_due_at_once() {
    let (_db, database, mut fresh) = with_relay().await;
    let recorded = record(&database, 2).await;
    fresh.close();
    let late = record(&database, 1).await;
    let connection = database.read().await.expect("connect");
    assert_eq!(outbox::release(&connection, fresh.lease()).await.expect("release"), 2);
    assert_eq!(ids(&handed_over(&mut fresh)), recorded, "what is on its way still comes");
    let mut claimed = claim(&connection, 10).await.1;
    claimed.sort_unstable();
    assert_eq!(claimed, [recorded, late].concat());
}

#[tokio::test]
async fn what_its_process_did_not_send_is_due_within_five_seconds_and_its_lease_is_over() {
    let (db, database, mut fresh) = with_relay().await;
    let recorded = record(&database, 3).await;
    let events = handed_over(&mut fresh);
    let owner = db.owner().await;
    let sql = "SELECT count(*) AS soon FROM catalog.outbox
               WHERE next_attempt_at BETWEEN now() AND now() + interval '5 s'";
    assert_eq!(owner.query_one(sql, &[]).await.expect("look").get::<_, i64>("soon"), 3);

    make_due(&owner).await;
    let connection = database.read().await.expect("connect");
    let (successor, mut claimed) = claim(&connection, 10).await;
    claimed.sort_unstable();
    assert_eq!(claimed, recorded);
    assert_eq!(outbox::sent(&connection, &ids(&events), fresh.lease()).await.expect("delete"), 0, "they are another's");
    assert_eq!(pending(&connection).await, 3);
    assert_eq!(outbox::sent(&connection, &claimed, successor).await.expect("delete"), 3);
}

#[tokio::test]
async fn once_the_relay_is_gone_rows_are_due_at_once() {
    let (_db, database, fresh) = with_relay().await;
    drop(fresh);
    let recorded = record(&database, 1).await;
    let connection = database.read().await.expect("connect");
    assert_eq!(claim(&connection, 10).await.1, recorded);
}

#[tokio::test]
async fn a_second_relay_takes_the_place_of_the_first() {
    let (_db, database, mut first) = with_relay().await;
    let mut second = database.fresh_events();
    let recorded = record(&database, 1).await;
    assert_eq!(handed_over(&mut first), []);
    assert_eq!(ids(&handed_over(&mut second)), recorded);
}

/// Whatever finds no room on the way is not lost: its row is there.
#[tokio::test]
async fn when_there_is_no_more_room_the_outbox_is_the_way() {
    const EVENTS: usize = 4_500;
    let (db, database, mut fresh) = with_relay().await;
    record(&database, EVENTS).await;
    let mut on_their_way = 0;
    loop {
        match handed_over(&mut fresh).len() {
            0 => break,
            some => on_their_way += some,
        }
    }
    assert!(on_their_way < EVENTS, "all found room");
    make_due(&db.owner().await).await;
    let connection = database.read().await.expect("connect");
    assert_eq!(claim(&connection, 10_000).await.1.len(), EVENTS);
}
