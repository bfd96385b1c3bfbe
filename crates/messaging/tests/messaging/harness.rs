//! One shop per test: products publishes, the others consume, on the transport asked for.

use std::sync::Arc;
use std::time::{Duration, Instant};

use database::migrate::Migrations;
use database::{Database, Error, outbox};
use events::topology::{Exchange, QUEUES, Queue};
use events::{CorrelationId, Draft, EventId, OrderId, StockReleased};
use messaging::{Consumer, Handler, QueueDepth, Relay, Transport};
use testkit::{FaultProxy, TestBroker, TestDatabase, eventually, foundation_with};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_postgres::Client;
use tokio_util::sync::CancellationToken;

use crate::rabbit_probe;

pub const LIMIT: Duration = Duration::from_secs(60);
pub const PRODUCTS: &str = "product.stock_released";

/// How messages travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// In PostgreSQL, outbox and queues in one database: one statement moves them.
    SameDatabase,
    /// The same, without a relay: events go straight into the queues, and are taken with their effects.
    Straight,
    /// In PostgreSQL, reached through a pool of its own: claim, publish, delete.
    Apart,
    /// Over RabbitMQ.
    Rabbit,
}

/// The schemas of services, each with a table that shows every effect, doubled ones too.
const SERVICES: [(&str, &str); 4] =
    [("products", "catalog"), ("orders", "orders"), ("cart", "cart"), ("analytics", "analytics")];
const EFFECTS: &str =
    "CREATE TABLE effects (event_id uuid NOT NULL, at timestamptz NOT NULL DEFAULT clock_timestamp())";

/// The schemas of the test's services.
pub fn deploy() -> Vec<Migrations> {
    SERVICES.iter().map(|(service, schema)| foundation_with(service, schema, EFFECTS)).collect()
}

pub struct Harness {
    pub kind: Kind,
    pub db: TestDatabase,
    pub owner: Client,
    pub products: Database,
    broker: Option<TestBroker>,
    /// For looking at depths.
    looking: Transport,
}

/// A consumer or a relay at work.
pub struct Running {
    shutdown: CancellationToken,
    task: JoinHandle<()>,
}

impl Running {
    fn start<F: Future<Output = ()> + Send + 'static>(work: impl FnOnce(CancellationToken) -> F) -> Running {
        let shutdown = CancellationToken::new();
        Running { task: tokio::spawn(work(shutdown.clone())), shutdown }
    }

    /// Asks it to end, and waits until it has.
    pub async fn stop(self) {
        self.shutdown.cancel();
        self.ended().await;
    }

    pub fn cancel(&self) {
        self.shutdown.cancel();
    }

    pub async fn ended(self) {
        tokio::time::timeout(LIMIT, self.task).await.expect("it ends in time").expect("it does not panic");
    }
}

/// A transaction that recorded events.
pub struct OpenTransaction {
    commit: oneshot::Sender<()>,
    task: JoinHandle<Result<(), Error>>,
}

impl OpenTransaction {
    pub async fn commit(self) {
        self.commit.send(()).expect("it is open");
        self.task.await.expect("it ends").expect("it commits");
    }
}

impl Harness {
    pub async fn new(kind: Kind) -> Harness {
        Harness::on(TestDatabase::new(&deploy()).await, kind).await
    }

    /// On a database that [`deploy`] migrated.
    pub async fn on(db: TestDatabase, kind: Kind) -> Harness {
        let broker = match kind {
            Kind::SameDatabase | Kind::Straight | Kind::Apart => None,
            Kind::Rabbit => Some(TestBroker::new().await),
        };
        let products = db.database("products", "catalog");
        if kind == Kind::Straight {
            straight(db.transport(&products), &products);
        }
        let looking = broker.as_ref().map_or_else(|| db.transport(&products), TestBroker::transport);
        Harness { kind, owner: db.owner().await, products, db, broker, looking }
    }

    pub fn broker(&self) -> &TestBroker {
        self.broker.as_ref().expect("this transport has a broker")
    }

    /// A service's transport.
    pub fn transport(&self, database: &Database, service: &str) -> Transport {
        match self.kind {
            Kind::SameDatabase => self.db.transport(database),
            Kind::Straight => straight(self.db.transport(database), database),
            Kind::Apart => self.db.transport(&self.db.database(service, "messaging")),
            Kind::Rabbit => self.broker().transport(),
        }
    }

    /// A proxy before whatever carries the messages.
    pub async fn proxy(&self) -> FaultProxy {
        match self.kind {
            Kind::SameDatabase | Kind::Straight | Kind::Apart => FaultProxy::of_url(self.db.owner_url()).await,
            Kind::Rabbit => FaultProxy::of_url(self.broker().url()).await,
        }
    }

    /// A service's database and transport whose messages pass the proxy.
    pub fn through(&self, proxy: &FaultProxy, service: &str) -> (Database, Transport) {
        match self.kind {
            Kind::SameDatabase | Kind::Straight => {
                let database = self.db.database_through(proxy, service, schema(service));
                let transport = self.db.transport(&database);
                (database.clone(), if self.kind == Kind::Straight { straight(transport, &database) } else { transport })
            }
            Kind::Apart => {
                let messages = self.db.database_through(proxy, service, "messaging");
                (self.db.database(service, schema(service)), self.db.transport(&messages))
            }
            Kind::Rabbit => (self.db.database(service, schema(service)), self.broker().transport_through(proxy)),
        }
    }

    /// Products' relay.
    pub fn relay(&self) -> Running {
        self.relay_of(self.products.clone(), self.transport(&self.products, "products"))
    }

    pub fn relay_of(&self, database: Database, transport: Transport) -> Running {
        Running::start(|shutdown| Relay::new("products", database, transport).run(shutdown))
    }

    /// A consumer of a service's queue.
    pub fn consumer(&self, queue: &'static Queue, handler: Arc<dyn Handler>) -> Running {
        let database = self.db.database(queue.service, schema(queue.service));
        let transport = self.transport(&database, queue.service);
        self.consumer_of(queue, handler, database, transport)
    }

    pub fn consumer_of(
        &self,
        queue: &'static Queue,
        handler: Arc<dyn Handler>,
        database: Database,
        transport: Transport,
    ) -> Running {
        Running::start(|shutdown| Consumer { queue, database, handler }.run(transport, shutdown))
    }

    /// Records events of products, in one transaction.
    pub async fn record(&self, drafts: &[Draft]) {
        record_in(&self.products, drafts).await;
    }

    /// Records events in a transaction that stays open until it is told to commit, and changes them there as `sql` says.
    pub async fn record_and_wait(&self, database: Database, drafts: &[Draft], sql: &'static str) -> OpenTransaction {
        let drafts = drafts.to_vec();
        let (opened, is_open) = oneshot::channel();
        let (commit, told) = oneshot::channel();
        let task = tokio::spawn(async move {
            let recording = database.write(move |tx| {
                Box::pin(async move {
                    tx.batch_execute("SET LOCAL idle_in_transaction_session_timeout = 0").await?;
                    outbox::record(tx, &drafts).await?;
                    tx.batch_execute(sql).await?;
                    opened.send(()).expect("the test goes on");
                    told.await.expect("the test goes on");
                    Ok::<(), Error>(())
                })
            });
            recording.await
        });
        tokio::time::timeout(LIMIT, is_open).await.expect("in time").expect("recorded");
        OpenTransaction { commit, task }
    }

    /// Puts bodies on the way as no relay would.
    pub async fn publish_raw(&self, exchange: Exchange, routing_key: &str, bodies: &[String]) {
        match self.kind {
            Kind::SameDatabase | Kind::Straight | Kind::Apart => {
                for body in bodies {
                    let queues = testkit::publish_to_postgres(&self.owner, exchange.name(), routing_key, body).await;
                    assert!(queues > 0, "nobody wants {routing_key}");
                }
            }
            Kind::Rabbit => {
                let messages: Vec<_> = bodies.iter().map(|body| (routing_key, body.as_bytes())).collect();
                testkit::publish_to_rabbit(self.broker().url(), exchange.name(), &messages).await;
            }
        }
    }

    /// What is parked of a queue: bodies and reasons, oldest first.
    pub async fn dead_letters(&self, queue: &Queue) -> Vec<(String, String)> {
        match self.kind {
            Kind::SameDatabase | Kind::Straight | Kind::Apart => {
                let sql =
                    "SELECT body, reason FROM messaging.dead_letters d JOIN messaging.queues q ON q.id = d.queue_id
                           WHERE q.name = $1 ORDER BY d.id";
                let rows = self.owner.query(sql, &[&queue.name()]).await.expect("read the dead letters");
                rows.iter().map(|row| (row.get("body"), row.get("reason"))).collect()
            }
            Kind::Rabbit => rabbit_probe::dead_letters(self.broker().url(), &queue.dead_letter_queue()).await,
        }
    }

    /// Time passes: what waits for its next try, or for the lease of a dead consumer to end, is due now.
    pub async fn fast_forward(&self) {
        match self.kind {
            Kind::SameDatabase | Kind::Straight | Kind::Apart => self
                .owner
                .batch_execute(
                    "UPDATE messaging.delayed_messages SET due_at = now();
                     UPDATE messaging.messages SET leased_until = now() - interval '1 s' WHERE leased_until IS NOT NULL",
                )
                .await
                .expect("fast forward"),
            // A dead consumer's messages come back with the end of its connection.
            Kind::Rabbit => {
                self.until_declared().await;
                rabbit_probe::end_all_delays(self.broker().url()).await;
            }
        }
    }

    pub async fn depth(&self, queue: &Queue) -> QueueDepth {
        let depths = self.looking.depths().await.expect("depths");
        // RabbitMQ's retry queues are shared; a test's broker has no other messages in them.
        let delayed: i64 = depths.iter().filter(|depth| depth.service == "prost").map(|depth| depth.delayed).sum();
        let mut depth = depths.into_iter().find(|depth| depth.queue == queue.name()).expect("a declared queue");
        depth.delayed += delayed;
        depth
    }

    /// How often each event had its effect in this service, in the order of the events given.
    pub async fn effects(&self, service: &str, events: &[EventId]) -> Vec<i64> {
        let sql = format!(
            "SELECT (SELECT count(*) FROM {}.effects e WHERE e.event_id = wanted.id) AS effects
             FROM unnest($1::uuid[]) WITH ORDINALITY AS wanted (id, position) ORDER BY position",
            schema(service)
        );
        let rows = self.owner.query(&sql, &[&events]).await.expect("count the effects");
        rows.iter().map(|row| row.get("effects")).collect()
    }

    /// The event whose effect came after all others.
    pub async fn applied_last(&self, service: &str) -> EventId {
        let sql = format!("SELECT event_id FROM {}.effects ORDER BY at DESC LIMIT 1", schema(service));
        self.owner.query_one(&sql, &[]).await.expect("the last effect").get("event_id")
    }

    /// Some events pass, so that all are at work: whoever sends, and orders.
    pub async fn warm_up(&self) {
        let some = drafts(5);
        self.record(&some).await;
        self.until_applied("orders", &ids(&some)).await;
    }

    /// Waits until each of these events had exactly one effect.
    pub async fn until_applied(&self, service: &str, events: &[EventId]) {
        self.until_applied_within(LIMIT, service, events).await;
    }

    /// Of some events, each recorded as soon as the one before has had its effect in orders, at least one is quick. Relay
    /// and consumer look once a second anyhow: without a hint each would wait nearly so long for the next look.
    pub async fn is_told_at_once(&self) {
        let mut quickest = Duration::MAX;
        for _ in 0..20 {
            let (one, begun) = (drafts(1), Instant::now());
            self.record(&one).await;
            self.until_applied("orders", &ids(&one)).await;
            quickest = quickest.min(begun.elapsed());
        }
        assert!(quickest < Duration::from_millis(500), "the quickest of 20 took {quickest:?}");
    }

    pub async fn until_applied_within(&self, limit: Duration, service: &str, events: &[EventId]) {
        eventually(limit, || async {
            let effects = self.effects(service, events).await;
            assert!(effects.iter().all(|count| *count <= 1), "an effect was doubled: {effects:?}");
            match effects.iter().filter(|count| **count == 0).count() {
                0 => Ok(()),
                missing => Err(format!("{service}: {missing} of {} events not applied", events.len())),
            }
        })
        .await;
    }

    /// Waits until so many messages of a queue are parked.
    pub async fn until_dead(&self, queue: &Queue, count: usize) -> Vec<(String, String)> {
        eventually(LIMIT, || async {
            let dead = self.dead_letters(queue).await;
            if dead.len() >= count { Ok(dead) } else { Err(format!("{} dead letters", dead.len())) }
        })
        .await
    }

    /// Waits until exchanges and queues are there to publish to.
    pub async fn until_declared(&self) {
        eventually(LIMIT, || async { self.looking.depths().await.map(|_| ()).map_err(|error| error.to_string()) })
            .await;
    }

    /// Waits until so many messages are ready in a queue.
    pub async fn until_ready(&self, queue: &Queue, count: i64) {
        eventually(LIMIT, || async {
            let depth = self.depth(queue).await;
            if depth.ready == count { Ok(()) } else { Err(format!("{depth:?}")) }
        })
        .await;
    }

    /// Waits until nothing is ready or delayed in a queue.
    pub async fn until_empty(&self, queue: &Queue) {
        eventually(LIMIT, || async {
            let depth = self.depth(queue).await;
            if depth.ready + depth.delayed == 0 { Ok(()) } else { Err(format!("{depth:?}")) }
        })
        .await;
    }

    /// Waits until products' outbox is empty.
    pub async fn until_sent(&self) {
        eventually(LIMIT, || async {
            let backlog = outbox::backlog(&self.products.read().await.expect("connect")).await.expect("backlog");
            if backlog.pending == 0 { Ok(()) } else { Err(format!("{backlog:?}")) }
        })
        .await;
    }

    /// Waits until a relay holds rows of the outbox, by lease or by the locks of its open statement.
    pub async fn until_claimed(&self) {
        if matches!(self.kind, Kind::SameDatabase | Kind::Straight) {
            return; // its statement is stalled before it reaches the server
        }
        eventually(LIMIT, || async {
            let sql = "SELECT count(*) AS leased FROM catalog.outbox WHERE lease IS NOT NULL";
            match self.owner.query_one(sql, &[]).await.expect("count").get::<_, i64>("leased") {
                0 => Err("nothing is claimed".to_owned()),
                _ => Ok(()),
            }
        })
        .await;
    }

    /// Waits until a relay has tried in vain, and told why.
    pub async fn until_tried_in_vain(&self) {
        if matches!(self.kind, Kind::SameDatabase | Kind::Straight) {
            return; // what carries the messages is away with the outbox
        }
        eventually(LIMIT, || async {
            let sql = "SELECT count(*) AS tried FROM catalog.outbox WHERE last_error IS NOT NULL";
            match self.owner.query_one(sql, &[]).await.expect("count").get::<_, i64>("tried") {
                0 => Err("nothing was tried in vain".to_owned()),
                _ => Ok(()),
            }
        })
        .await;
    }

    /// The leases of relays and of dead consumers end now.
    pub async fn fast_forward_leases(&self) {
        self.fast_forward().await;
        self.owner.execute("UPDATE catalog.outbox SET next_attempt_at = now()", &[]).await.expect("fast forward");
    }

    /// The gateway's transport, through that proxy.
    pub fn gateway_transport(&self, proxy: &FaultProxy) -> Transport {
        match self.kind {
            Kind::SameDatabase | Kind::Straight | Kind::Apart => {
                self.db.transport(&self.db.database_through(proxy, "gateway", "messaging"))
            }
            Kind::Rabbit => self.broker().transport_through(proxy),
        }
    }

    /// Waits until nothing is on the way to these consumers.
    pub async fn until_idle(&self, consumers: &[&str]) {
        testkit::drain_until_idle(&self.db, &self.looking, consumers, LIMIT).await;
    }
}

/// As the wiring does it where a service's tables lie beside the queues.
fn straight(transport: Transport, database: &Database) -> Transport {
    transport.carry_straight(database);
    transport
}

pub fn schema(service: &str) -> &'static str {
    SERVICES.iter().find(|(name, _)| *name == service).expect("one of the test's services").1
}

pub fn queue(service: &str, exchange: Exchange) -> &'static Queue {
    QUEUES.iter().find(|queue| queue.service == service && queue.exchange == exchange).expect("in the topology")
}

/// Records events in one transaction.
pub async fn record_in(database: &Database, drafts: &[Draft]) {
    let drafts = drafts.to_vec();
    let recorded: Result<(), Error> =
        database.write(move |tx| Box::pin(async move { outbox::record(tx, &drafts).await })).await;
    recorded.expect("record");
}

/// The queue that most cases use.
pub fn orders() -> &'static Queue {
    queue("orders", Exchange::Products)
}

/// Some event of products.
pub fn draft() -> Draft {
    let event = StockReleased { order_id: OrderId::new(), reservation_id: None, lines: Vec::new() };
    Draft::new(&event, 1, CorrelationId::new(), "products")
}

pub fn drafts(count: usize) -> Vec<Draft> {
    (0..count).map(|_| draft()).collect()
}

pub fn ids(drafts: &[Draft]) -> Vec<EventId> {
    drafts.iter().map(|draft| draft.envelope.event_id).collect()
}

pub fn body(draft: &Draft) -> String {
    serde_json::to_string(&draft.envelope).expect("an envelope is JSON")
}
