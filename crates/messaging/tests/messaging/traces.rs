//! What an operator follows an event by: its trace, and the attempts that failed.

use std::sync::Arc;

use async_trait::async_trait;
use database::{Connection, outbox, trace};
use events::{Draft, Envelope, OrderDelivered, StockReleased, TraceParent, UserId};
use messaging::{Handler, HandlerError};
use testkit::eventually;

use crate::harness::{Harness, Kind, LIMIT, drafts, orders};
use crate::probe::{Act, Probe};

const GIVEN: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// Records an event for each that it gets.
struct Causes;

#[async_trait]
impl Handler for Causes {
    async fn handle(&self, tx: &Connection, batch: &[Envelope]) -> Result<(), HandlerError> {
        let mut caused = Vec::new();
        for envelope in batch {
            let StockReleased { order_id, .. } = envelope.decode()?;
            let event = OrderDelivered { order_id, user_id: UserId::new(), statuses: Vec::new() };
            caused.push(Draft::new(&event, 1, envelope.correlation_id, "orders").caused_by(envelope.event_id));
        }
        Ok(outbox::record(tx, &caused).await?)
    }
}

/// A request's trace is carried to the events that its events cause, and a retry loses nothing of it.
pub async fn a_trace_is_carried_to_what_an_event_causes(kind: Kind) {
    let shop = Harness::new(kind).await;
    let given: TraceParent = GIVEN.parse().expect("a traceparent");
    let batch = drafts(2);
    trace::within(given, shop.record(&batch[..1])).await;
    shop.record(&batch[1..]).await;
    let _relay = shop.relay();
    let consumer = shop.consumer(orders(), Arc::new(Causes));
    let sql = "SELECT traceparent FROM orders.events WHERE envelope->>'causation_id' = $1";
    for (draft, expected) in batch.iter().zip([Some(GIVEN), None]) {
        let cause = draft.envelope.event_id.to_string();
        let found = eventually(LIMIT, || async {
            let row = shop.owner.query_opt(sql, &[&cause]).await.expect("read");
            row.map(|row| row.get::<_, Option<String>>(0)).ok_or_else(|| "nothing is caused yet".to_owned())
        })
        .await;
        assert_eq!(found.as_deref(), expected);
    }
    consumer.stop().await;
}

/// One row per event that failed, however often; none for what succeeds at once. Each delivery is tried twice: with its
/// batch, then alone, and that counts as one attempt.
pub async fn failed_attempts_are_kept_and_nothing_else(kind: Kind) {
    let shop = Harness::new(kind).await;
    let batch = drafts(3);
    let [late, poison, easy] = [0, 1, 2].map(|index| batch[index].envelope.event_id);
    shop.until_declared().await;
    let _orders = shop.consumer(orders(), Probe::with(Act::Apply, [(late, Act::Retry(4)), (poison, Act::Reject)]));
    shop.record(&batch).await;
    let _relay = shop.relay();
    shop.until_dead(orders(), 1).await;
    let applied = "SELECT count(*) FROM orders.idempotency_records";
    eventually(LIMIT, || async {
        shop.fast_forward().await;
        let count: i64 = shop.owner.query_one(applied, &[]).await.expect("count").get(0);
        if count == 2 { Ok(()) } else { Err(format!("{count} of 2 are applied")) }
    })
    .await;
    let sql = "SELECT event_id, queue, attempts, last_error FROM orders.failed_attempts ORDER BY attempts";
    let rows = shop.owner.query(sql, &[]).await.expect("read");
    let failed: Vec<(uuid::Uuid, i32, String)> = rows.iter().map(|row| (row.get(0), row.get(2), row.get(3))).collect();
    let expected =
        [(poison.uuid(), 1, format!("{poison} is poison")), (late.uuid(), 2, format!("{late} is not ready"))];
    assert_eq!(failed, expected, "{easy} never failed");
    assert_eq!(rows[0].get::<_, String>("queue"), orders().name());
}
