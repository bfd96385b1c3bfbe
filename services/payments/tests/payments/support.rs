//! The payments service on a real database, with an "orders" that asks and listens.

use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use database::migrate::Migrations;
use database::{Database, outbox};
use events::{CorrelationId, Currency, Draft, Event, Money, OrderId, PaymentRequested, RefundRequested, UserId};
use messaging::Relay;
use payments::{PaymentProvider, Payments, PaymentsConfig, TestProvider};
use serde_json::Value;
use service::{Caller, Claims, Role};
use testkit::{TestDatabase, drain_until_idle, eventually, foundation_with, publish_to_postgres};
use tokio::task::JoinHandle;
use tokio_postgres::Client;
use tokio_util::sync::CancellationToken;

pub const SOON: Duration = Duration::from_secs(20);

pub fn migrations() -> Vec<Migrations> {
    vec![payments::migrations().unwrap(), foundation_with("orders", "orders", "")]
}

/// As in production, but due work is looked for more often.
pub fn attentive() -> PaymentsConfig {
    PaymentsConfig { sweep: Duration::from_millis(50), ..PaymentsConfig::default() }
}

/// Leases run out soon, for tests of crashes; a healthy call may then be asked twice on a busy machine.
pub fn forgetful() -> PaymentsConfig {
    PaymentsConfig { lease: Duration::from_millis(500), ..attentive() }
}

pub fn euro(text: &str) -> Money {
    Money::parse(text, Currency::EUR).unwrap()
}

pub struct Shop {
    pub service: Arc<Payments>,
    pub database: Database,
    pub owner: Client,
    pub orders: Database,
    pub test: TestDatabase,
    shutdown: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
}

impl Shop {
    pub async fn open() -> Shop {
        Shop::open_with(attentive(), |provider| provider).await
    }

    /// A shop whose provider is the test provider, perhaps with something around it.
    pub async fn open_with(
        config: PaymentsConfig,
        wrap: impl FnOnce(Arc<dyn PaymentProvider>) -> Arc<dyn PaymentProvider>,
    ) -> Shop {
        let test = TestDatabase::new(&migrations()).await;
        let database = test.database("payments", "payments");
        let orders = test.database("orders", "orders");
        let provider: Arc<dyn PaymentProvider> =
            Arc::new(TestProvider::new(database.clone(), Duration::from_millis(100)));
        let service = Payments::new(database.clone(), wrap(provider), config);
        let shutdown = CancellationToken::new();
        let mut tasks = vec![
            tokio::spawn(payments::background(Arc::clone(&service), shutdown.clone())),
            tokio::spawn(Relay::new("orders", orders.clone(), test.transport(&orders)).run(shutdown.clone())),
            tokio::spawn(Relay::new("payments", database.clone(), test.transport(&database)).run(shutdown.clone())),
        ];
        for consumer in payments::consumers(&service) {
            tasks.push(tokio::spawn(consumer.run(test.transport(&database), shutdown.clone())));
        }
        let owner = test.owner().await;
        Shop { service, database, owner, orders, test, shutdown, tasks }
    }

    /// Stops in order, as the process does, and hands back the database.
    pub async fn close(self) -> TestDatabase {
        self.shutdown.cancel();
        for task in self.tasks {
            task.await.unwrap();
        }
        self.test
    }

    /// Everything the order's saga sends, each message twice.
    pub async fn send(&self, drafts: Vec<Draft>) {
        for draft in &drafts {
            let body = serde_json::to_string(&draft.envelope).unwrap();
            publish_to_postgres(&self.owner, draft.exchange.name(), draft.routing_key, &body).await;
        }
        self.orders.write(move |tx| Box::pin(async move { outbox::record(tx, &drafts).await })).await.unwrap();
    }

    pub async fn request(&self, order: &Order) {
        self.send(vec![order.payment_requested()]).await;
    }

    pub async fn request_refund(&self, order: &Order) {
        self.send(vec![order.refund_requested()]).await;
    }

    /// Waits until every message is handled.
    pub async fn come_to_rest(&self) {
        drain_until_idle(&self.test, &self.test.transport(&self.database), &["payments"], SOON).await;
    }

    /// The events about an order so far: type and payload, in the order they were recorded.
    pub async fn told(&self, order: &Order) -> Vec<(String, Value)> {
        self.owner
            .query(
                "SELECT event_type, envelope FROM payments.events WHERE aggregate_id = $1 ORDER BY event_id",
                &[&order.id],
            )
            .await
            .unwrap()
            .iter()
            .map(|row| (row.get("event_type"), row.get("envelope")))
            .collect()
    }

    /// Waits until the order was told this many events of a type; returns the last one's payload.
    pub async fn hear(&self, order: &Order, event_type: &str, count: usize) -> Value {
        eventually(SOON, || async {
            let told = self.told(order).await;
            let heard: Vec<&Value> =
                told.iter().filter(|(name, _)| name == event_type).map(|(_, envelope)| envelope).collect();
            match heard.last() {
                Some(last) if heard.len() >= count => Ok(last["payload"].clone()),
                _ => Err(format!("{} of {count} {event_type}; told {told:?}", heard.len())),
            }
        })
        .await
    }

    /// The payment's status.
    pub async fn status(&self, order: &Order) -> String {
        self.owner
            .query_one("SELECT status FROM payments.payments WHERE order_id = $1", &[&order.id])
            .await
            .unwrap()
            .get("status")
    }

    /// What stands in the provider's books for an order: status and calls of each charge.
    pub async fn books(&self, order: &Order) -> Vec<(String, i32)> {
        self.owner
            .query("SELECT status, calls FROM payments.test_provider_charges WHERE order_id = $1", &[&order.id])
            .await
            .unwrap()
            .iter()
            .map(|row| (row.get("status"), row.get("calls")))
            .collect()
    }

    /// What the provider holds of an order's money: captured less refunded.
    pub async fn net(&self, order: &Order) -> String {
        self.owner
            .query_one(
                "SELECT coalesce(sum(amount - refunded) FILTER (WHERE status = 'captured'), 0)::numeric(19, 2)::text
                     AS net
                 FROM payments.test_provider_charges WHERE order_id = $1",
                &[&order.id],
            )
            .await
            .unwrap()
            .get("net")
    }

    /// The payment as an admin sees it.
    pub async fn shown(&self, order: &Order) -> payments_client::Payment {
        use payments_client::PaymentsApi;
        self.service.payments_of_order(&admin(), order.id).await.unwrap().items.remove(0)
    }
}

/// An order that wants to pay.
#[derive(Clone)]
pub struct Order {
    pub id: OrderId,
    pub user: UserId,
    pub correlation: CorrelationId,
    pub method: String,
    pub amount: Money,
}

impl Order {
    pub fn new(method: &str, amount: &str) -> Order {
        Order {
            id: OrderId::new(),
            user: UserId::new(),
            correlation: CorrelationId::new(),
            method: method.to_owned(),
            amount: euro(amount),
        }
    }

    pub fn payment_requested(&self) -> Draft {
        self.draft(&PaymentRequested {
            order_id: self.id,
            user_id: self.user,
            statuses: Vec::new(),
            amount: self.amount,
            payment_method: self.method.clone(),
            due_at: Utc::now() + Duration::from_secs(600),
        })
    }

    pub fn refund_requested(&self) -> Draft {
        self.draft(&RefundRequested {
            order_id: self.id,
            user_id: self.user,
            statuses: Vec::new(),
            reason: "cancelled by the shopper".to_owned(),
        })
    }

    fn draft<E: Event>(&self, event: &E) -> Draft {
        Draft::new(event, 1, self.correlation, "orders")
    }
}

pub fn caller(user: UserId, role: Role) -> Caller {
    let claims = Claims::new(user, "someone@example.com", "someone", role);
    Caller { claims: Some(Arc::new(claims)), ..Caller::anonymous(CorrelationId::new()) }
}

pub fn admin() -> Caller {
    caller(UserId::new(), Role::Admin)
}
