//! Orders on a database of its own, with a cart that it can ask, peers that tell, and people who want things.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{Request, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use chrono::Utc;
use database::{Database, PoolLimits, outbox};
use events::{
    Address, CartCheckoutInitiated, CartId, CartReopened, CorrelationId, Currency, Draft, Event, Money, OrderId,
    OrderLine, OrderStatus, PaymentFailed, PaymentId, PaymentProcessed, PaymentRefunded, ProductId, RefusedLine,
    ReservationId, StockLine, StockRefusal, StockReleased, StockReservationFailed, StockReserved, UserId,
};
use http_body_util::BodyExt;
use messaging::{Relay, Transport};
use orders::{Orders, OrdersConfig};
use orders_client::{CancelOrder, Order, OrdersApi, PlaceOrder, SagaDetail};
use serde_json::{Value, json};
use service::server::{AppConfig, app};
use service::{Caller, Claims, Error, IdempotencyKey, Role, TokenKeys};
use testkit::{TestDatabase, drain_until_idle, foundation_with, publish_to_postgres};
use tokio_postgres::Client;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

pub const SOON: Duration = Duration::from_secs(20);

/// The carts' service, as far as orders asks it.
#[derive(Clone, Default)]
pub struct OtherCarts {
    checkouts: Arc<Mutex<HashMap<CartId, CartCheckoutInitiated>>>,
}

impl OtherCarts {
    async fn serve(&self) -> String {
        async fn checkout(State(carts): State<OtherCarts>, Path(id): Path<CartId>) -> Response {
            match carts.checkouts.lock().unwrap().get(&id) {
                Some(checkout) => Json(checkout.clone()).into_response(),
                None => {
                    let body = json!({ "error": "cart_not_found", "message": "there is no such cart", "code": 404 });
                    (StatusCode::NOT_FOUND, Json(body)).into_response()
                }
            }
        }
        let router = Router::new().route("/cart/{id}/checkout", post(checkout)).with_state(self.clone());
        listen(router).await
    }
}

/// Serves on a port of its own; returns the URL.
async fn listen(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    format!("http://{address}")
}

pub struct Shop {
    pub test: TestDatabase,
    pub database: Database,
    pub orders: Arc<Orders>,
    pub owner: Client,
    pub admin: Caller,
    carts: OtherCarts,
    cart_url: String,
    config: OrdersConfig,
    keys: TokenKeys,
    elsewhere: Database,
    transport: Transport,
    running: CancellationToken,
}

impl Drop for Shop {
    fn drop(&mut self) {
        self.running.cancel();
    }
}

impl Shop {
    pub async fn open() -> Shop {
        let shop = Shop::closed(OrdersConfig::default()).await;
        shop.consume(&shop.orders);
        shop
    }

    /// With its consumers and one watchdog that looks all the time.
    pub async fn watched(config: OrdersConfig) -> Shop {
        let shop = Shop::closed(OrdersConfig { watch_interval: Duration::from_millis(10), ..config }).await;
        shop.consume(&shop.orders);
        shop.watch(&shop.orders);
        shop
    }

    /// Nobody consumes yet; what is published waits.
    pub async fn closed(config: OrdersConfig) -> Shop {
        let elsewhere = foundation_with("products", "catalog", "");
        let test = TestDatabase::new(&[orders::migrations().unwrap(), elsewhere]).await;
        let (database, elsewhere) = (test.database("orders", "orders"), test.database("products", "catalog"));
        let carts = OtherCarts::default();
        let cart_url = carts.serve().await;
        let cart = Arc::new(cart_client::Http::new(&cart_url).unwrap());
        let orders = Orders::new(database.clone(), cart, config.clone());
        let (transport, running) = (test.transport(&database), CancellationToken::new());
        tokio::spawn(Relay::new("orders", database.clone(), transport.clone()).run(running.clone()));
        let relay = Relay::new("products", elsewhere.clone(), test.transport(&elsewhere));
        tokio::spawn(relay.run(running.clone()));
        let keys = TokenKeys::new("a secret of at least thirty-two bytes", None).unwrap();
        let admin = someone(&keys, UserId::new(), Role::Admin);
        let owner = test.owner().await;
        Shop { test, database, orders, owner, admin, carts, cart_url, config, keys, elsewhere, transport, running }
    }

    /// The same service once more, as in another process.
    pub fn replica(&self) -> Arc<Orders> {
        let cart = Arc::new(cart_client::Http::new(&self.cart_url).unwrap());
        Orders::new(self.test.database("orders", "orders"), cart, self.config.clone())
    }

    /// The same service in a process from which no cart can be reached.
    pub async fn replica_without_cart(&self) -> Arc<Orders> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let nowhere = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        let cart = Arc::new(cart_client::Http::new(&nowhere).unwrap());
        Orders::new(self.test.database("orders", "orders"), cart, self.config.clone())
    }

    pub fn consume(&self, orders: &Arc<Orders>) {
        for consumer in orders::consumers(orders) {
            let transport = self.test.transport(&consumer.database);
            tokio::spawn(consumer.run(transport, self.running.clone()));
        }
    }

    pub fn watch(&self, orders: &Arc<Orders>) {
        tokio::spawn(orders::background(Arc::clone(orders), self.running.clone()));
    }

    pub fn shopper(&self) -> Caller {
        self.user(UserId::new())
    }

    pub fn user(&self, id: UserId) -> Caller {
        someone(&self.keys, id, Role::User)
    }

    /// A cart ready to check out.
    pub fn cart(&self) -> Checkout {
        let checkout = Checkout::new();
        self.carts.checkouts.lock().unwrap().insert(checkout.0.cart_id, checkout.0.clone());
        checkout
    }

    pub async fn place(&self, checkout: &Checkout) -> Order {
        self.orders.place(&self.user(checkout.0.user_id), checkout.input()).await.unwrap()
    }

    /// Events from elsewhere in one batch, each twice, as brokers do; returns when they are applied.
    pub async fn tell(&self, drafts: Vec<Draft>) {
        for draft in drafts.iter().rev() {
            self.publish(draft).await;
        }
        self.elsewhere.write(move |tx| Box::pin(async move { outbox::record(tx, &drafts).await })).await.unwrap();
        self.rest().await;
    }

    /// A message as it arrives, without anybody being woken.
    pub async fn publish(&self, draft: &Draft) {
        let body = serde_json::to_string(&draft.envelope).unwrap();
        publish_to_postgres(&self.owner, draft.exchange.name(), draft.routing_key, &body).await;
    }

    pub async fn rest(&self) {
        drain_until_idle(&self.test, &self.transport, &["orders"], SOON).await;
    }

    /// Messages in the dead letters of the service.
    pub async fn dead(&self) -> i64 {
        let depths = self.transport.depths().await.unwrap();
        depths.iter().filter(|depth| depth.service == "orders").map(|depth| depth.dead).sum()
    }

    /// An order that its saga has brought so far.
    pub async fn order_in(&self, status: OrderStatus) -> Checkout {
        let it = self.cart();
        self.place(&it).await;
        // Said one after the other, because each says when.
        let words: &[fn(&Checkout) -> Draft] = match status {
            OrderStatus::Pending => &[],
            OrderStatus::CartValidated => &[Checkout::initiated],
            OrderStatus::InventoryReserved | OrderStatus::Cancelling | OrderStatus::Cancelled => {
                &[Checkout::initiated, Checkout::reserved]
            }
            OrderStatus::PaymentProcessed | OrderStatus::Confirmed | OrderStatus::Shipped | OrderStatus::Delivered => {
                &[Checkout::initiated, Checkout::reserved, Checkout::processed]
            }
            OrderStatus::Failed => &[Checkout::initiated, Checkout::reserved, Checkout::declined],
            OrderStatus::Compensated => {
                &[Checkout::initiated, Checkout::reserved, Checkout::declined, Checkout::released, Checkout::reopened]
            }
        };
        for word in words {
            self.tell(vec![word(&it)]).await;
        }
        match status {
            OrderStatus::Cancelling => self.cancel(&it, None).await.map(drop).unwrap(),
            OrderStatus::Cancelled => {
                self.cancel(&it, None).await.unwrap();
                for word in [it.refunded(), it.released(), it.reopened()] {
                    self.tell(vec![word]).await;
                }
            }
            OrderStatus::Shipped => self.orders.ship(&self.admin, it.id()).await.map(drop).unwrap(),
            OrderStatus::Delivered => {
                self.orders.ship(&self.admin, it.id()).await.unwrap();
                self.orders.deliver(&self.admin, it.id()).await.map(drop).unwrap();
            }
            _ => {}
        }
        assert_eq!(self.order(&it).await.status, status);
        it
    }

    pub async fn cancel(&self, checkout: &Checkout, reason: Option<&str>) -> Result<Order, Error> {
        let input = CancelOrder { reason: reason.map(str::to_owned) };
        self.orders.cancel(&self.user(checkout.0.user_id), checkout.id(), input).await
    }

    pub async fn order(&self, checkout: &Checkout) -> Order {
        self.orders.order(&self.admin, checkout.id()).await.unwrap()
    }

    pub async fn status(&self, checkout: &Checkout) -> OrderStatus {
        self.order(checkout).await.status
    }

    pub async fn saga(&self, checkout: &Checkout) -> SagaDetail {
        self.orders.saga(&self.admin, checkout.id().uuid()).await.unwrap()
    }

    /// What orders told about this order: types and envelopes, oldest first.
    pub async fn told(&self, checkout: &Checkout) -> Vec<(String, Value)> {
        let sql = "SELECT event_type, envelope FROM orders.events WHERE aggregate_id = $1 ORDER BY event_id";
        let rows = self.owner.query(sql, &[&checkout.id()]).await.unwrap();
        rows.iter().map(|row| (row.get("event_type"), row.get("envelope"))).collect()
    }

    pub async fn types_told(&self, checkout: &Checkout) -> Vec<String> {
        self.told(checkout).await.into_iter().map(|(event_type, _)| event_type).collect()
    }

    /// The statuses of the order's copy of its hold, line by line.
    pub async fn holds(&self, checkout: &Checkout) -> Vec<String> {
        let sql = "SELECT status FROM orders.inventory_reservations WHERE order_id = $1 ORDER BY id";
        let rows = self.owner.query(sql, &[&checkout.id()]).await.unwrap();
        rows.iter().map(|row| row.get("status")).collect()
    }

    pub async fn number(&self, sql: &str) -> i64 {
        self.owner.query_one(sql, &[]).await.unwrap().get(0)
    }

    /// The deadline of the order's present state passes.
    pub async fn time_passes(&self, checkout: &Checkout) {
        let sql = "UPDATE orders.saga_states SET expires_at = now() WHERE order_id = $1 AND expires_at IS NOT NULL";
        assert_eq!(self.owner.execute(sql, &[&checkout.id()]).await.unwrap(), 1, "no deadline is set");
    }

    /// Messages that wait for their next try are due.
    pub async fn retries_are_due(&self) {
        self.owner.batch_execute("UPDATE messaging.delayed_messages SET due_at = now()").await.unwrap();
    }

    fn app(&self) -> Router {
        self.app_of(&self.orders)
    }

    fn app_of(&self, orders: &Arc<Orders>) -> Router {
        let (router, _) = orders::router(Arc::clone(orders)).split_for_parts();
        app(router, AppConfig::new("orders", self.keys.clone()))
    }

    /// The service over HTTP, with a single connection to its database.
    pub fn app_over_a_pool_of_one(&self) -> Router {
        let limits = PoolLimits { max: 1, warm: 0, ..PoolLimits::default() };
        let cart = Arc::new(cart_client::Http::new(&self.cart_url).unwrap());
        let database = self.test.database_with("orders", "orders", &limits);
        self.app_of(&Orders::new(database, cart, self.config.clone()))
    }

    /// The same service over HTTP.
    pub async fn client(&self) -> orders_client::Http {
        orders_client::Http::new(&listen(self.app()).await).unwrap()
    }

    /// Asks over HTTP: status, headers' `WWW-Authenticate`, body.
    pub async fn http(&self, caller: Option<&Caller>, method: &str, path: &str, body: Option<Value>) -> Answer {
        ask(self.app(), caller, method, path, body).await
    }
}

/// Asks an app.
pub async fn ask(app: Router, caller: Option<&Caller>, method: &str, path: &str, body: Option<Value>) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(token) = caller.and_then(|caller| caller.token.as_ref()) {
        request = request.header("authorization", format!("Bearer {}", token.reveal()));
    }
    if let Some(key) = caller.and_then(|caller| caller.idempotency_key.as_ref()) {
        request = request.header("idempotency-key", key.as_str());
    }
    let request = match body {
        Some(body) => request.header("content-type", "application/json").body(Body::from(body.to_string())),
        None => request.body(Body::empty()),
    };
    let response = app.oneshot(request.unwrap()).await.unwrap();
    let (head, body) = response.into_parts();
    Answer {
        status: head.status.as_u16(),
        challenges: head.headers.contains_key("www-authenticate"),
        body: body.collect().await.unwrap().to_bytes().to_vec(),
    }
}

pub struct Answer {
    pub status: u16,
    /// Whether it says how to log in.
    pub challenges: bool,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The status and the machine code of a refusal.
    pub fn refusal(&self) -> (u16, String) {
        (self.status, self.json()["error"].as_str().unwrap().to_owned())
    }
}

fn someone(keys: &TokenKeys, id: UserId, role: Role) -> Caller {
    let token = keys.sign(&Claims::new(id, "ada@example.com", "ada", role)).unwrap();
    Caller::anonymous(CorrelationId::new()).with_token(keys, token.reveal()).unwrap()
}

pub fn with_key(caller: &Caller, key: &str) -> Caller {
    caller.with_idempotency_key(Some(IdempotencyKey::new(key).unwrap()))
}

pub fn refusal<T: std::fmt::Debug>(result: Result<T, Error>) -> String {
    result.expect_err("refused").code.into_owned()
}

pub fn eur(amount: &str) -> Money {
    Money::parse(amount, Currency::EUR).unwrap()
}

/// A cart's checkout, and what its peers say about the order that it becomes.
pub struct Checkout(pub CartCheckoutInitiated);

impl Checkout {
    pub fn new() -> Checkout {
        let line = |name: &str, quantity, price| OrderLine {
            product_id: ProductId::new(),
            name: name.to_owned(),
            quantity,
            unit_price: eur(price),
        };
        Checkout(CartCheckoutInitiated {
            cart_id: CartId::new(),
            order_id: OrderId::new(),
            correlation_id: CorrelationId::new(),
            user_id: UserId::new(),
            lines: vec![line("Morning Coffee", 2, "9.99"), line("Evening Tea", 1, "4.50")],
            total: eur("24.48"),
            payment_method: "pm_card_visa".to_owned(),
            shipping_address: Address {
                full_name: "Ada Lovelace".to_owned(),
                line1: "St James's Square 12".to_owned(),
                line2: None,
                city: "London".to_owned(),
                postal_code: "SW1Y 4JH".to_owned(),
                country_code: "GB".to_owned(),
                phone: None,
            },
        })
    }

    pub fn id(&self) -> OrderId {
        self.0.order_id
    }

    pub fn input(&self) -> PlaceOrder {
        PlaceOrder {
            cart_id: self.0.cart_id,
            payment_method: self.0.payment_method.clone(),
            shipping_address: self.0.shipping_address.clone(),
        }
    }

    fn draft<E: Event>(&self, event: &E, source: &str) -> Draft {
        Draft::new(event, 1, self.0.correlation_id, source)
    }

    pub fn initiated(&self) -> Draft {
        self.draft(&self.0, "cart")
    }

    pub fn reserved(&self) -> Draft {
        let lines = self.stock();
        let (order_id, cart_id) = (self.id(), self.0.cart_id);
        let expires_at = Utc::now() + Duration::from_secs(3600);
        let event = StockReserved { order_id, cart_id, reservation_id: ReservationId::new(), lines, expires_at };
        self.draft(&event, "products")
    }

    pub fn refused(&self, refusal: StockRefusal) -> Draft {
        let line = &self.0.lines[0];
        let lines = vec![RefusedLine { product_id: line.product_id, name: line.name.clone(), refusal }];
        let event = StockReservationFailed { order_id: self.id(), cart_id: self.0.cart_id, refusal, lines };
        self.draft(&event, "products")
    }

    pub fn released(&self) -> Draft {
        let event = StockReleased { order_id: self.id(), reservation_id: None, lines: self.stock() };
        self.draft(&event, "products")
    }

    pub fn processed(&self) -> Draft {
        let event = PaymentProcessed { order_id: self.id(), payment_id: PaymentId::new(), amount: self.0.total };
        self.draft(&event, "payments")
    }

    pub fn declined(&self) -> Draft {
        let (code, reason) = ("PAYMENT_DECLINED".to_owned(), "Your card was declined.".to_owned());
        self.draft(&PaymentFailed { order_id: self.id(), payment_id: PaymentId::new(), code, reason }, "payments")
    }

    pub fn refunded(&self) -> Draft {
        let event = PaymentRefunded { order_id: self.id(), payment_id: None, amount: None, complete: true };
        self.draft(&event, "payments")
    }

    pub fn partly_refunded(&self) -> Draft {
        let amount = Some(eur("1.00"));
        let event =
            PaymentRefunded { order_id: self.id(), payment_id: Some(PaymentId::new()), amount, complete: false };
        self.draft(&event, "payments")
    }

    pub fn reopened(&self) -> Draft {
        self.draft(&CartReopened { cart_id: self.0.cart_id, order_id: self.id() }, "cart")
    }

    fn stock(&self) -> Vec<StockLine> {
        let line = |line: &OrderLine| StockLine { product_id: line.product_id, quantity: line.quantity };
        self.0.lines.iter().map(line).collect()
    }
}
