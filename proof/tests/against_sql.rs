//! The model's outboxes, leases and idempotency records beside PostgreSQL's: the same things happen to both, in random
//! order, and after each step both hold the same.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use database::{Connection, Database, Error, idempotency, outbox};
use events::{CorrelationId, Draft, EventId, OrderId, StockReleased};
use proof::action::{Action, Fault, Scope};
use proof::message::{Message, Service};
use proof::setup::{OrderPlan, Setup};
use proof::world::{Budget, ChargeEntry, Replicas, World};
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use testkit::{TestDatabase, foundation_with};
use tokio_postgres::{Client, Statement};
use uuid::Uuid;

const SEEDS: u64 = 200;
const STEPS: usize = 30;
/// Longer than the test: leases run out when the model says so.
const LEASE: std::time::Duration = std::time::Duration::from_secs(3600);

const SCHEMAS: [(&str, &str); 4] =
    [("cart", "cart"), ("orders", "orders"), ("products", "catalog"), ("payments", "payments")];

/// Unsent events, and the relay that holds the lease of each, as [`proof::world::Tables`] has them.
type Outbox = BTreeMap<Message, Option<u8>>;

struct Both {
    setup: Setup,
    world: World,
    databases: Vec<Database>,
    owner: Arc<Client>,
    /// [`every_row`], prepared.
    every_row: Statement,
    /// The event behind a message of the model.
    events: BTreeMap<Message, EventId>,
    /// What each relay calls its latest lease.
    leases: BTreeMap<(Service, u8), Uuid>,
    /// Whose each lease is or was: a relay that died held one that is still to run out.
    holders: BTreeMap<Uuid, u8>,
}

#[tokio::test]
async fn the_model_and_postgresql_hold_the_same_after_every_step() {
    let test = TestDatabase::new(&SCHEMAS.map(|(service, schema)| foundation_with(service, schema, ""))).await;
    let databases: Vec<Database> = SCHEMAS.iter().map(|(service, schema)| test.database(service, schema)).collect();
    let owner = Arc::new(test.owner().await);
    let every_row = owner.prepare(&every_row()).await.expect("prepare");
    let mut steps = 0;
    for seed in 0..SEEDS {
        let mut random = SmallRng::seed_from_u64(seed);
        let mut both = Both::new(&mut random, databases.clone(), owner.clone(), every_row.clone()).await;
        for _ in 0..STEPS {
            let Some(action) = both.choose(&mut random) else { break };
            let action = both.take(action).await;
            both.compare(&format!("seed {seed}, after {action:?}")).await;
            steps += 1;
        }
    }
    println!("{steps} steps in {SEEDS} shops");
    assert!(steps > 4_000, "only {steps} steps");
}

impl Both {
    async fn new(random: &mut SmallRng, databases: Vec<Database>, owner: Arc<Client>, every_row: Statement) -> Both {
        let orders = (0..3).map(|order| OrderPlan { cart: order % 2, lines: vec![(0, 1)] }).collect();
        let setup = Setup { stock: vec![random.random_range(0..=2)], orders, mistake: None };
        let budget = Budget { faults: 20, deadlines: 2, wishes: 2 };
        let world = World::new(&setup, Replicas { relays: 2, workers: 2 }, budget);
        for (_, schema) in SCHEMAS {
            let empty = format!("DELETE FROM {schema}.outbox; DELETE FROM {schema}.idempotency_records");
            owner.batch_execute(&empty).await.expect("begin anew");
        }
        Both {
            setup,
            world,
            databases,
            owner,
            every_row,
            events: BTreeMap::new(),
            leases: BTreeMap::new(),
            holders: BTreeMap::new(),
        }
    }

    fn choose(&self, random: &mut SmallRng) -> Option<Action> {
        let scope = Scope { relays_in_steps: true, outcomes: &[ChargeEntry::Captured, ChargeEntry::Declined] };
        let mut actions = Vec::new();
        self.world.actions(&self.setup, scope, &mut actions);
        actions.choose(random).cloned()
    }

    /// Lets it happen to both. Which row a relay claims is up to PostgreSQL.
    async fn take(&mut self, action: Action) -> Action {
        match action {
            Action::Claim(service, relay, _) => {
                let lease = Uuid::new_v4();
                let due = outbox::claim(&self.read(service).await, 1, lease, LEASE, None).await.expect("claim");
                let claimed = due.claimed;
                assert_eq!(claimed.len(), 1, "the model has something to claim");
                let message = self.message(claimed[0].event_id);
                assert_eq!(self.tables(service).outbox.get(&message), Some(&None), "it is free");
                self.leases.insert((service, relay), lease);
                self.holders.insert(lease, relay);
                let action = Action::Claim(service, relay, message);
                self.world.take(&self.setup, &action);
                action
            }
            Action::Settle(service, relay) => {
                self.settle(service, relay).await;
                action
            }
            Action::Fault(Fault::RelayPauses(service, message)) => {
                // Somebody else takes the lease, dies with it, and that runs out as well.
                let lost = "lease = gen_random_uuid(), next_attempt_at = now() - interval '1 second'";
                self.tamper(service, message, lost).await;
                self.world.take(&self.setup, &action);
                action
            }
            Action::Deliver(service, message) | Action::Fault(Fault::BeforeAcknowledgement(service, message)) => {
                self.handle(service, message, &action).await;
                action
            }
            Action::Fault(Fault::BeforeCommit(service, message)) => {
                let database = self.database(service).clone();
                let (event, name) = (self.events[&message], service.name());
                let failed: Result<(), Error> = database
                    .write(move |tx| {
                        Box::pin(async move {
                            idempotency::claim(tx, name, &[(event, "test")]).await?;
                            outbox::record(tx, &[draft()]).await?;
                            Err(Error::Panicked)
                        })
                    })
                    .await;
                assert!(failed.is_err(), "it fails before the commit");
                self.world.take(&self.setup, &action);
                action
            }
            _ => {
                let before = self.world.clone();
                self.world.take(&self.setup, &action);
                self.record_news(&before, None).await;
                action
            }
        }
    }

    async fn settle(&mut self, service: Service, relay: u8) {
        let carried = self.world.relays[service as usize][usize::from(relay)].expect("it carries something");
        let (event, lease) = (self.events[&carried.message], self.leases[&(service, relay)]);
        let is_mine = self.tables(service).outbox.get(&carried.message) == Some(&Some(relay));
        let db = self.read(service).await;
        let rows = match carried.confirmed {
            Some(true) => outbox::sent(&db, &[event], lease).await.expect("sent"),
            _ => outbox::not_sent(&db, &[event], lease, "away", outbox::Attempt::BrokerAway).await.expect("not sent"),
        };
        assert_eq!(rows, u64::from(is_mine), "only where the lease is still its own");
        if is_mine && carried.confirmed != Some(true) {
            self.tamper(service, carried.message, "next_attempt_at = now() - interval '1 second'").await;
        }
        self.world.take(&self.setup, &Action::Settle(service, relay));
    }

    /// The record and what follows from the message, in one transaction.
    async fn handle(&mut self, service: Service, message: Message, action: &Action) {
        let before = self.world.clone();
        self.world.take(&self.setup, action);
        let is_new = self.tables(service).handled.contains(&message)
            && !before.tables[service as usize].handled.contains(&message);
        let is_refused = !self.tables(service).handled.contains(&message);
        if !is_refused {
            self.record_news(&before, Some((service, self.events[&message], is_new))).await;
        }
    }

    /// Writes what the model has recorded since, with the idempotency record of its cause.
    async fn record_news(&mut self, before: &World, cause: Option<(Service, EventId, bool)>) {
        for service in Service::ALL {
            let known = &before.tables[service as usize].outbox;
            let new: Vec<Message> =
                self.tables(service).outbox.keys().filter(|message| !known.contains_key(message)).copied().collect();
            let drafts: Vec<Draft> = new.iter().map(|_| draft()).collect();
            self.events.extend(new.iter().zip(&drafts).map(|(message, draft)| (*message, draft.envelope.event_id)));
            let cause = cause.filter(|(of, ..)| *of == service);
            if cause.is_none() && drafts.is_empty() {
                continue;
            }
            let written: Result<(), Error> = self
                .database(service)
                .write(move |tx| {
                    Box::pin(async move {
                        if let Some((_, event, is_new)) = cause {
                            let fresh = idempotency::claim(tx, service.name(), &[(event, "test")]).await?;
                            assert_eq!(fresh.contains(&event), is_new, "{event} handled before, or not");
                        }
                        outbox::record(tx, &drafts).await
                    })
                })
                .await;
            written.expect("commit");
        }
    }

    async fn tamper(&self, service: Service, message: Message, set: &str) {
        let sql = format!("UPDATE {}.outbox SET {set} WHERE event_id = $1", schema(service));
        self.owner.execute(&sql, &[&self.events[&message]]).await.expect("tamper");
    }

    async fn compare(&self, when: &str) {
        let (mut outboxes, mut handled): ([Outbox; 4], [BTreeSet<Message>; 4]) = Default::default();
        for row in self.owner.query(&self.every_row, &[]).await.expect("read") {
            let service = row.get::<_, i32>("service").unsigned_abs() as usize;
            let message = self.message(row.get("event_id"));
            if row.get("is_record") {
                handled[service].insert(message);
            } else {
                let lease: Option<Uuid> = row.get("lease");
                outboxes[service].insert(message, lease.map(|lease| self.holders[&lease]));
            }
        }
        for service in Service::ALL {
            let (tables, name) = (self.tables(service), service.name());
            assert_eq!(outboxes[service as usize], tables.outbox, "{when}: the outbox of {name}");
            assert_eq!(handled[service as usize], tables.handled, "{when}: the records of {name}");
        }
    }

    fn message(&self, event: EventId) -> Message {
        let known = self.events.iter().find(|(_, known)| **known == event);
        *known.unwrap_or_else(|| panic!("{event} was never recorded")).0
    }

    fn tables(&self, service: Service) -> &proof::world::Tables {
        &self.world.tables[service as usize]
    }

    fn database(&self, service: Service) -> &Database {
        &self.databases[service as usize]
    }

    async fn read(&self, service: Service) -> Connection {
        self.database(service).read().await.expect("connect")
    }
}

fn schema(service: Service) -> &'static str {
    SCHEMAS[service as usize].1
}

/// Every row of every outbox, with the lease if it has not run out, and every record.
fn every_row() -> String {
    let of_service = |(number, (_, schema)): (usize, &(&str, &str))| {
        format!(
            "SELECT {number} AS service, event_id, false AS is_record,
                    CASE WHEN next_attempt_at > now() THEN lease END AS lease FROM {schema}.outbox
             UNION ALL SELECT {number}, event_id, true, NULL FROM {schema}.idempotency_records"
        )
    };
    SCHEMAS.iter().enumerate().map(of_service).collect::<Vec<_>>().join(" UNION ALL ")
}

/// Some event: what it says is the model's business.
fn draft() -> Draft {
    let event = StockReleased { order_id: OrderId::new(), reservation_id: None, lines: Vec::new() };
    Draft::new(&event, 1, CorrelationId::new(), "products")
}
