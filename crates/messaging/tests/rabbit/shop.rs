//! Payments publishes; orders and analytics consume.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use database::{Connection, Database, Error, outbox};
use events::topology::{Exchange, QUEUES, Queue};
use events::{CorrelationId, Draft, Envelope, EventId, OrderId, PaymentFailed};
use messaging::{Consumer, Handler, HandlerError, Relay, Transport};
use testkit::{TestDatabase, eventually, foundation_with};
use tokio::sync::Semaphore;
use tokio_postgres::Client;
use tokio_util::sync::{CancellationToken, DropGuard};

pub const LIMIT: Duration = Duration::from_secs(60);

pub struct Shop {
    pub db: TestDatabase,
    pub owner: Client,
    pub payments: Database,
}

/// What the outbox knows of an unsent event.
#[derive(Debug)]
pub struct Unsent {
    pub event_id: EventId,
    pub attempts: i32,
    pub error: String,
}

impl Shop {
    pub async fn new() -> Shop {
        let effects = "CREATE TABLE effects (event_id uuid NOT NULL)";
        let services = ["payments", "orders", "analytics"].map(|service| foundation_with(service, service, effects));
        let db = TestDatabase::new(&services).await;
        Shop { owner: db.owner().await, payments: db.database("payments", "payments"), db }
    }

    pub async fn record(&self, drafts: &[Draft]) {
        let drafts = drafts.to_vec();
        let recorded: Result<(), Error> =
            self.payments.write(move |tx| Box::pin(async move { outbox::record(tx, &drafts).await })).await;
        recorded.expect("record");
    }

    /// One pass over the outbox; the relay has ended when this returns.
    pub async fn relay_once(&self, transport: &Transport) {
        let ended = CancellationToken::new();
        ended.cancel();
        self.relay(transport).run(ended).await;
    }

    /// A relay until the guard is dropped.
    pub fn relaying(&self, transport: &Transport) -> DropGuard {
        let end = CancellationToken::new();
        tokio::spawn(self.relay(transport).run(end.clone()));
        end.drop_guard()
    }

    fn relay(&self, transport: &Transport) -> Relay {
        Relay::new("payments", self.payments.clone(), transport.clone())
    }

    /// A consumer until the guard is dropped.
    pub fn consuming(&self, queue: &'static Queue, handler: Arc<Hands>, transport: &Transport) -> DropGuard {
        let end = CancellationToken::new();
        let database = self.db.database(queue.service, queue.service);
        tokio::spawn(Consumer { queue, database, handler }.run(transport.clone(), end.clone()));
        end.drop_guard()
    }

    pub async fn unsent(&self) -> Vec<Unsent> {
        let sql = "SELECT event_id, attempts, last_error FROM payments.outbox ORDER BY event_id";
        let rows = self.owner.query(sql, &[]).await.expect("read the outbox");
        rows.iter()
            .map(|row| Unsent {
                event_id: row.get("event_id"),
                attempts: row.get("attempts"),
                error: row.get::<_, Option<String>>("last_error").unwrap_or_default(),
            })
            .collect()
    }

    /// Waits until the broker has confirmed everything: what it has and did not confirm would come again.
    pub async fn until_sent(&self) {
        eventually(LIMIT, || async {
            match self.unsent().await.len() {
                0 => Ok(()),
                unsent => Err(format!("{unsent} unsent")),
            }
        })
        .await;
    }

    /// What waits for its next attempt is due now.
    pub async fn fast_forward(&self) {
        self.owner.execute("UPDATE payments.outbox SET next_attempt_at = now()", &[]).await.expect("fast forward");
    }

    /// Redirects recorded events, as no service would.
    pub async fn tamper(&self, events: &[EventId], exchange: &str, routing_key: &str) {
        let sql = "UPDATE payments.events SET exchange = $2, routing_key = $3 WHERE event_id = ANY($1)";
        self.owner.execute(sql, &[&events, &exchange, &routing_key]).await.expect("tamper");
    }

    /// How many events the service has applied.
    pub async fn applied(&self, service: &str) -> u32 {
        let sql = format!("SELECT count(*) AS effects FROM {service}.effects");
        let effects: i64 = self.owner.query_one(&sql, &[]).await.expect("count the effects").get("effects");
        u32::try_from(effects).expect("a small number")
    }

    /// Waits until the service has applied so many events, each once.
    pub async fn until_applied(&self, service: &str, count: usize) {
        let sql = format!("SELECT count(*) AS all, count(DISTINCT event_id) AS events FROM {service}.effects");
        eventually(LIMIT, || async {
            let row = self.owner.query_one(&sql, &[]).await.expect("count the effects");
            let (all, events): (i64, i64) = (row.get("all"), row.get("events"));
            assert_eq!(all, events, "an effect was doubled");
            if usize::try_from(events) == Ok(count) { Ok(()) } else { Err(format!("{service}: {events} of {count}")) }
        })
        .await;
    }
}

pub fn drafts(count: usize) -> Vec<Draft> {
    (0..count)
        .map(|_| {
            let event = PaymentFailed {
                order_id: OrderId::new(),
                payment_id: events::PaymentId::new(),
                code: "PAYMENT_DECLINED".to_owned(),
                reason: "The card was declined.".to_owned(),
            };
            Draft::new(&event, 1, CorrelationId::new(), "payments")
        })
        .collect()
}

pub fn id(draft: &Draft) -> EventId {
    draft.envelope.event_id
}

/// Payments' events in the queue of this service.
pub fn queue_of(service: &str) -> &'static Queue {
    QUEUES.iter().find(|q| q.service == service && q.exchange == Exchange::Payments).expect("in the topology")
}

/// What to do with an event, after its effect was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    Reject,
    RetryUntil { attempt: usize },
}

/// A handler that writes an effect per event, when its gate lets it.
pub struct Hands {
    acts: HashMap<EventId, Act>,
    seen: Mutex<HashMap<EventId, usize>>,
    /// One permit per batch.
    gate: Semaphore,
}

impl Hands {
    pub fn new(acts: impl IntoIterator<Item = (EventId, Act)>) -> Arc<Hands> {
        Arc::new(Hands {
            acts: acts.into_iter().collect(),
            seen: Mutex::default(),
            gate: Semaphore::new(Semaphore::MAX_PERMITS),
        })
    }

    /// One that applies nothing until [`Hands::let_through`].
    pub fn shut() -> Arc<Hands> {
        let hands = Hands::new([]);
        hands.close();
        hands
    }

    /// Lets so many batches through.
    pub fn let_through(&self, batches: usize) {
        self.gate.add_permits(batches);
    }

    /// Lets every batch through until [`Hands::close`].
    pub fn open(&self) {
        self.let_through(1_000_000);
    }

    pub fn close(&self) {
        self.gate.forget_permits(Semaphore::MAX_PERMITS);
    }

    /// How often an event came.
    pub fn seen(&self, event: EventId) -> usize {
        self.seen.lock().expect("lock").get(&event).copied().unwrap_or(0)
    }

    fn see(&self, event: EventId) -> usize {
        let mut seen = self.seen.lock().expect("lock");
        let count = seen.entry(event).or_default();
        *count += 1;
        *count
    }
}

#[async_trait]
impl Handler for Hands {
    async fn handle(&self, tx: &Connection, batch: &[Envelope]) -> Result<(), HandlerError> {
        self.gate.acquire().await.expect("the gate is ours").forget();
        for envelope in batch {
            let event = envelope.event_id;
            tx.execute("INSERT INTO effects (event_id) VALUES ($1)", &[&event]).await?;
            let attempt = self.see(event);
            match self.acts.get(&event) {
                Some(Act::Reject) => return Err(HandlerError::Reject("it is poison".to_owned())),
                Some(Act::RetryUntil { attempt: enough }) if attempt < *enough => {
                    return Err(HandlerError::Retry("not yet".to_owned()));
                }
                Some(Act::RetryUntil { .. }) | None => {}
            }
        }
        Ok(())
    }
}
