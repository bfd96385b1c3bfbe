//! An analytics service of the test's own, and the events of some orders.

use std::sync::Arc;
use std::time::Duration;

use analytics::{Analytics, AnalyticsConfig};
use analytics_client::{AnalyticsApi, Report, ReportName, ReportQuery, Rows};
use chrono::{DateTime, Utc};
use events::*;
use messaging::Transport;
use service::{Caller, Claims, Role, TokenKeys};
use testkit::{TestDatabase, eventually, publish_to_postgres};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub struct World {
    pub db: TestDatabase,
    pub keys: TokenKeys,
    pub analytics: Arc<Analytics>,
    transport: Transport,
    consumers: TaskTracker,
    shutdown: CancellationToken,
}

pub fn at(minute: i64) -> DateTime<Utc> {
    "2026-03-31T10:00:00Z".parse::<DateTime<Utc>>().unwrap() + chrono::Duration::minutes(minute)
}

pub fn eur(amount: &str) -> Money {
    Money::parse(amount, Currency::EUR).unwrap()
}

impl World {
    pub async fn new() -> World {
        let db = TestDatabase::new(&[analytics::migrations().unwrap()]).await;
        let database = db.database(analytics::SERVICE, analytics::SCHEMA);
        let keys = TokenKeys::new("a secret of at least thirty-two bytes", None).unwrap();
        let analytics = Analytics::new(database.clone(), AnalyticsConfig::default());
        let transport = db.transport(&database);
        let (consumers, shutdown) = (TaskTracker::new(), CancellationToken::new());
        World { db, keys, analytics, transport, consumers, shutdown }
    }

    pub fn start(&self) {
        for consumer in analytics::consumers(&self.analytics) {
            self.consumers.spawn(consumer.run(self.transport.clone(), self.shutdown.clone()));
        }
    }

    pub async fn stop(&self) {
        self.shutdown.cancel();
        self.consumers.close();
        self.consumers.wait().await;
    }

    pub fn caller(&self, role: Role) -> Caller {
        let token = self.keys.sign(&Claims::new(UserId::new(), "a@example.com", "a", role)).unwrap();
        Caller::anonymous(CorrelationId::new()).with_token(&self.keys, token.reveal()).unwrap()
    }

    pub async fn publish(&self, drafts: &[Draft]) {
        let owner = self.db.owner().await;
        for draft in drafts {
            let body = serde_json::to_string(&draft.envelope).unwrap();
            let queues = publish_to_postgres(&owner, draft.exchange.name(), draft.routing_key, &body).await;
            assert!(queues > 0, "{} is not bound", draft.routing_key);
        }
    }

    /// Publishes archived envelopes, each twice, in an order that has nothing to do with time.
    pub async fn replay(&self, archived: &[String]) {
        let owner = self.db.owner().await;
        let mut twice: Vec<&String> = archived.iter().chain(archived).collect();
        twice.sort_by_key(|text| text.bytes().rev().collect::<Vec<u8>>());
        for text in twice {
            let envelope = Envelope::parse(text.as_bytes()).unwrap();
            let kind = topology::EVENTS.iter().find(|kind| kind.event_type == envelope.event_type).unwrap();
            assert!(publish_to_postgres(&owner, kind.exchange.name(), kind.routing_key, text).await > 0);
        }
    }

    /// Until every message of the service's queues is applied or dead.
    pub async fn idle(&self) {
        eventually(Duration::from_secs(20), || async {
            let depths = self.transport.depths().await.map_err(|error| error.to_string())?;
            let of_ours = depths.iter().filter(|depth| depth.service == analytics::SERVICE);
            let waiting: i64 = of_ours.map(|depth| depth.ready + depth.delayed).sum();
            if waiting == 0 { Ok(()) } else { Err(format!("{waiting} messages wait")) }
        })
        .await;
    }

    pub async fn dead(&self) -> i64 {
        let depths = self.transport.depths().await.unwrap();
        depths.iter().filter(|depth| depth.service == analytics::SERVICE).map(|depth| depth.dead).sum()
    }

    pub async fn report(&self, name: ReportName) -> Rows {
        let query = ReportQuery { from: Some(at(0).date_naive()), to: Some(at(0).date_naive()), limit: None };
        let Report { rows, .. } = self.analytics.report(&self.caller(Role::Admin), name, query).await.unwrap();
        rows
    }

    pub async fn reports(&self) -> Vec<Rows> {
        let mut all = Vec::new();
        for name in ReportName::ALL {
            all.push(self.report(name).await);
        }
        all
    }
}

/// The events of one order, as the services would publish them.
pub struct Story {
    pub order_id: OrderId,
    pub cart_id: CartId,
    user_id: UserId,
    correlation_id: CorrelationId,
    lines: Vec<OrderLine>,
    total: Money,
}

fn drafted<E: Event>(event: &E, version: i64, correlation_id: CorrelationId, at: DateTime<Utc>) -> Draft {
    let mut draft = Draft::new(event, version, correlation_id, "test");
    draft.envelope.timestamp = at;
    draft
}

impl Story {
    pub fn new(product_id: ProductId, quantity: u32) -> Story {
        let line = OrderLine { product_id, name: "Espresso".to_owned(), quantity, unit_price: eur("12.90") };
        Story {
            order_id: OrderId::new(),
            cart_id: CartId::new(),
            user_id: UserId::new(),
            correlation_id: CorrelationId::new(),
            total: line.unit_price.times(quantity).unwrap(),
            lines: vec![line],
        }
    }

    fn draft<E: Event>(&self, event: &E, version: i64, minute: i64) -> Draft {
        drafted(event, version, self.correlation_id, at(minute))
    }

    pub fn filled(&self) -> Draft {
        let line = &self.lines[0];
        let event = ItemAddedToCart {
            cart_id: self.cart_id,
            user_id: Some(self.user_id),
            product_id: line.product_id,
            quantity: line.quantity,
            unit_price: line.unit_price,
        };
        self.draft(&event, 1, 0)
    }

    pub fn checkout(&self) -> Vec<Draft> {
        let (order_id, cart_id, user_id) = (self.order_id, self.cart_id, self.user_id);
        let shipping_address = Address {
            full_name: "Ada".into(),
            line1: "Street 1".into(),
            line2: None,
            city: "Town".into(),
            postal_code: "12345".into(),
            country_code: "DE".into(),
            phone: None,
        };
        let initiated = CartCheckoutInitiated {
            cart_id,
            order_id,
            correlation_id: self.correlation_id,
            user_id,
            lines: self.lines.clone(),
            total: self.total,
            payment_method: "pm_card_visa".into(),
            shipping_address,
        };
        let placed = OrderPlaced {
            order_id,
            user_id,
            cart_id,
            statuses: vec![OrderStatus::CartValidated],
            lines: self.lines.clone(),
            total: self.total,
        };
        let stock = self.lines.iter().map(|line| StockLine { product_id: line.product_id, quantity: line.quantity });
        let reserved = StockReserved {
            order_id,
            cart_id,
            reservation_id: ReservationId::new(),
            lines: stock.collect(),
            expires_at: at(60),
        };
        vec![self.filled(), self.draft(&initiated, 2, 1), self.draft(&placed, 2, 1), self.draft(&reserved, 1, 2)]
    }

    pub fn confirmed(&self) -> Vec<Draft> {
        let payment_id = PaymentId::new();
        let processed = PaymentProcessed { order_id: self.order_id, payment_id, amount: self.total };
        let confirmed = OrderConfirmed {
            order_id: self.order_id,
            user_id: self.user_id,
            cart_id: self.cart_id,
            statuses: vec![OrderStatus::PaymentProcessed, OrderStatus::Confirmed],
            lines: self.lines.clone(),
            total: self.total,
        };
        let mut drafts = self.checkout();
        drafts.extend([self.draft(&processed, 1, 3), self.draft(&confirmed, 4, 3)]);
        drafts
    }

    pub fn declined(&self) -> Vec<Draft> {
        let (order_id, cart_id, user_id) = (self.order_id, self.cart_id, self.user_id);
        let code = "PAYMENT_DECLINED".to_owned();
        let reason = "The card was declined".to_owned();
        let payment_id = PaymentId::new();
        let declined = PaymentFailed { order_id, payment_id, code: code.clone(), reason: reason.clone() };
        let failed = OrderFailed { order_id, user_id, cart_id, statuses: vec![OrderStatus::Failed], code, reason };
        let released = StockReleased { order_id, reservation_id: None, lines: vec![] };
        let reopened = CartReopened { cart_id, order_id };
        let back = OrderRolledBack { order_id, user_id, cart_id, statuses: vec![OrderStatus::Compensated] };
        let mut drafts = self.checkout();
        drafts.extend([
            self.draft(&declined, 1, 3),
            self.draft(&failed, 4, 3),
            self.draft(&released, 2, 4),
            self.draft(&reopened, 3, 4),
            self.draft(&back, 6, 5),
        ]);
        drafts
    }

    pub fn cancelled(&self) -> Vec<Draft> {
        let refunded = PaymentRefunded {
            order_id: self.order_id,
            payment_id: Some(PaymentId::new()),
            amount: Some(self.total),
            complete: true,
        };
        let cancelled = OrderCancelled {
            order_id: self.order_id,
            user_id: self.user_id,
            cart_id: self.cart_id,
            statuses: vec![OrderStatus::Cancelled],
            reason: None,
        };
        let mut drafts = self.confirmed();
        // Asked twice, answered twice: two events of one refund.
        drafts.extend([self.draft(&refunded, 2, 8), self.draft(&refunded, 2, 9), self.draft(&cancelled, 7, 9)]);
        drafts
    }
}
