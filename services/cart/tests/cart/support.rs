//! A cart service with a catalogue that it can ask, and shoppers.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::{Query, State};
use axum::routing::get;
use axum::{Json, Router};
use cart::{CartConfig, Carts};
use cart_client::{AddItem, Cart, CartApi, CheckoutCart};
use database::{Database, outbox};
use events::{Address, CartId, CorrelationId, Currency, Draft, Event, Money, ProductCreated, ProductId, UserId};
use messaging::{Relay, Transport};
use products_client::{IdsQuery, Product};
use service::server::{AppConfig, app};
use service::{Caller, Claims, Error, IdempotencyKey, Role, TokenKeys};
use testkit::TestDatabase;
use tokio_util::sync::CancellationToken;

/// Anything slower is a fault.
pub const SOON: Duration = Duration::from_secs(20);

/// The products service as far as the cart asks it.
#[derive(Clone, Default)]
pub struct OtherCatalogue {
    products: Arc<Mutex<HashMap<ProductId, Product>>>,
    pub asked: Arc<AtomicUsize>,
}

impl OtherCatalogue {
    pub fn put(&self, product: Product) {
        self.products.lock().expect("not poisoned").insert(product.id, product);
    }

    async fn serve(&self) -> String {
        async fn batch(
            State(catalogue): State<OtherCatalogue>,
            Query(query): Query<IdsQuery<ProductId>>,
        ) -> Json<Vec<Product>> {
            catalogue.asked.fetch_add(1, Ordering::Relaxed);
            let products = catalogue.products.lock().expect("not poisoned");
            Json(query.ids.iter().filter_map(|id| products.get(id).cloned()).collect())
        }
        let router = Router::new().route("/products/batch", get(batch)).with_state(self.clone());
        format!("http://{}", listen(router).await)
    }
}

pub async fn listen(router: Router) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move { axum::serve(listener, router).await.expect("serve") });
    address
}

pub struct Shop {
    pub testbed: TestDatabase,
    pub database: Database,
    pub carts: Arc<Carts>,
    pub catalogue: OtherCatalogue,
    pub keys: TokenKeys,
    pub transport: Transport,
    running: CancellationToken,
}

impl Drop for Shop {
    fn drop(&mut self) {
        self.running.cancel();
    }
}

impl Shop {
    pub async fn open() -> Shop {
        Shop::open_with(CartConfig::default()).await
    }

    /// A service with its relay and consumers running.
    pub async fn open_with(config: CartConfig) -> Shop {
        let testbed = TestDatabase::new(&[cart::migrations().expect("well-formed")]).await;
        let database = testbed.database(cart::SERVICE, cart::SCHEMA);
        let catalogue = OtherCatalogue::default();
        let products = products_client::Http::new(&catalogue.serve().await).expect("a URL");
        let carts = Carts::new(database.clone(), Arc::new(products), config);
        let transport = testbed.transport(&database);
        let running = CancellationToken::new();
        tokio::spawn(Relay::new(cart::SERVICE, database.clone(), transport.clone()).run(running.clone()));
        for consumer in cart::consumers(&carts) {
            tokio::spawn(consumer.run(transport.clone(), running.clone()));
        }
        let keys = TokenKeys::new("a secret of at least thirty-two bytes", None).expect("long enough");
        Shop { testbed, database, carts, catalogue, keys, transport, running }
    }

    /// The same service over HTTP.
    pub async fn over_http(&self) -> cart_client::Http {
        let (router, _) = cart::router(Arc::clone(&self.carts)).split_for_parts();
        let address = listen(app(router, AppConfig::new(cart::SERVICE, self.keys.clone()))).await;
        cart_client::Http::new(&format!("http://{address}")).expect("a URL")
    }

    pub fn nobody(&self) -> Caller {
        Caller::anonymous(CorrelationId::new())
    }

    pub fn shopper(&self) -> Caller {
        self.someone(Role::User)
    }

    pub fn someone(&self, role: Role) -> Caller {
        let claims = Claims::new(UserId::new(), "ada@example.com", "ada", role);
        let token = self.keys.sign(&claims).expect("signs");
        self.nobody().with_token(&self.keys, token.reveal()).expect("valid")
    }

    /// A product that the copy learned from an event.
    pub async fn product(&self, price: &str) -> ProductId {
        let product_id = ProductId::new();
        self.tell(&created(product_id, price), 1).await;
        product_id
    }

    /// An event from another service, twice, as brokers do; returns when it is applied.
    pub async fn tell<E: Event>(&self, event: &E, version: i64) {
        self.tell_all(vec![Draft::new(event, version, CorrelationId::new(), "elsewhere")]).await;
    }

    /// Several events at once, each twice.
    pub async fn tell_all(&self, drafts: Vec<Draft>) {
        let owner = self.testbed.owner().await;
        for draft in drafts.iter().rev() {
            let body = serde_json::to_string(&draft.envelope).expect("serialises");
            testkit::publish_to_postgres(&owner, draft.exchange.name(), draft.routing_key, &body).await;
        }
        // The second copy goes the way of the cart's own events: so the consumers are woken.
        let record = self.database.write(move |tx| Box::pin(async move { outbox::record(tx, &drafts).await }));
        record.await.expect("recorded");
        self.rest().await;
    }

    pub async fn rest(&self) {
        testkit::drain_until_idle(&self.testbed, &self.transport, &[cart::SERVICE], SOON).await;
    }

    /// A new cart with so many of one product.
    pub async fn cart_with(&self, caller: &Caller, product_id: ProductId, quantity: i32) -> Cart {
        self.carts.add_item(caller, AddItem { cart_id: None, product_id, quantity }).await.expect("added")
    }

    pub async fn get(&self, caller: &Caller, cart_id: CartId) -> Cart {
        self.carts.get(caller, cart_id).await.expect("readable")
    }

    /// A number out of the cart's schema.
    pub async fn number(&self, sql: &str) -> i64 {
        let db = self.database.read().await.expect("connected");
        db.query_one(sql, &[]).await.expect("answered").get(0)
    }

    /// How many events of this type are recorded?
    pub async fn recorded(&self, event_type: &str) -> i64 {
        let db = self.database.read().await.expect("connected");
        let sql = "SELECT count(*) FROM events WHERE event_type = $1";
        db.query_one(sql, &[&event_type]).await.expect("answered").get(0)
    }

    /// The latest event of this type.
    pub async fn latest<E: Event>(&self) -> (events::Envelope, E) {
        let db = self.database.read().await.expect("connected");
        let sql = "SELECT envelope::text FROM events WHERE event_type = $1 ORDER BY event_id DESC LIMIT 1";
        let text: String = db.query_one(sql, &[&E::TYPE]).await.expect("recorded").get(0);
        let envelope = events::Envelope::parse(text.as_bytes()).expect("an envelope");
        let payload = envelope.decode().expect("readable");
        (envelope, payload)
    }
}

pub fn eur(amount: &str) -> Money {
    Money::parse(amount, Currency::EUR).expect("an amount")
}

pub fn created(product_id: ProductId, price: &str) -> ProductCreated {
    ProductCreated {
        product_id,
        sku: format!("SKU-{product_id}"),
        name: "Morning Coffee".to_owned(),
        price: eur(price),
        category_id: None,
        image_url: None,
    }
}

pub fn checkout() -> CheckoutCart {
    CheckoutCart {
        payment_method: "pm_card_visa".to_owned(),
        shipping_address: Address {
            full_name: "Ada Lovelace".to_owned(),
            line1: "St James's Square 12".to_owned(),
            line2: None,
            city: "London".to_owned(),
            postal_code: "SW1Y 4JH".to_owned(),
            country_code: "gb".to_owned(),
            phone: None,
        },
    }
}

pub fn with_key(caller: &Caller, key: &str) -> Caller {
    caller.with_idempotency_key(Some(IdempotencyKey::new(key).expect("a key")))
}

/// The code of a refusal.
pub fn refusal<T: std::fmt::Debug>(result: Result<T, Error>) -> String {
    result.expect_err("refused").code.into_owned()
}
